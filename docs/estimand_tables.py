"""The directive `code-definitions`: what the codes of a list mean, from the data dictionary."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from revictimisation.dictionary import load_dictionary


class CodeDefinitions(Directive):
    """A definition list of a code list's codes: what each is, and where it comes from."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A term per code."""
        frame = load_dictionary().code_lists[self.arguments[0]]
        items = []
        for row in frame.itertuples():
            term = nodes.term("", "", nodes.literal("", row.code), nodes.Text(f"  {row.label_en}"))
            told = [f"{row.definition_en[0].upper()}{row.definition_en[1:]}."]
            told += [f"{row.reference}."] if row.reference else []
            paragraphs = [nodes.paragraph("", text) for text in told]
            items.append(nodes.definition_list_item("", term, nodes.definition("", *paragraphs)))
        return [nodes.definition_list("", *items)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("code-definitions", CodeDefinitions)
    return {"parallel_read_safe": True}
