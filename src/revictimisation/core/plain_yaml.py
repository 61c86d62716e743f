"""The plain part of YAML, as study and mapping files have it, read strictly."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

from revictimisation.core.errors import StudyError
from revictimisation.core.text import Text

MAX_DEPTH = 20  # of lists and keys inside each other


class _Unwanted(yaml.MarkedYAMLError):
    """What YAML allows and a study file does not."""

    def __init__(self, why: Text, node: Any) -> None:
        super().__init__(problem_mark=node.start_mark)
        self.why = why


class _TextLoader(yaml.SafeLoader):
    """The plain part of YAML, values left as text: 0126 keeps its zero, `no` is no truth value.

    Anchors, aliases, tags and deep nesting are refused before anything is made of them, a key
    that stands twice too. Keys are text; `<<` is a key like others.
    """

    most_characters = 2_000_000
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _Unwanted(ANCHOR, event)
        if event.tag:
            raise _Unwanted(TAG, event)
        if self.depth >= MAX_DEPTH:
            raise _Unwanted(DEPTH, event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Unwanted(KEY, key)
        doubled = [name for name, n in Counter(key.value for key, _ in node.value).items() if n > 1]
        if doubled:
            names = ", ".join(doubled)
            raise _Unwanted(Text(DOUBLED.sv.format(names), DOUBLED.en.format(names)), node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


ANCHOR = Text("ankare (&, *) används inte: skriv ut värdet", "no anchors (&, *): write the value")
TAG = Text("märken med ! används inte", "no tags with !")
DEPTH = Text("för många nivåer i varandra", "too many levels inside each other")
KEY = Text("en nyckel är ett ord", "a key is a word")
DOUBLED = Text("nyckeln står två gånger: {}", "key given twice: {}")


_TextLoader.yaml_implicit_resolvers = {}


class _StrictLoader(_TextLoader):
    """Besides text, YAML 1.2's true, false, null and decimal numbers; all else is left as text.

    So 0365, 0x16d, 12:10, 1_000, .inf, yes and dates are text, and refused where text is wrong.
    """

    most_characters = 200_000


for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]{0,29})", "-+0123456789"),
    (
        "float",
        r"[-+]?((0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.?)([eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
):
    _StrictLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_form})\\Z"), list(_first)
    )


def load_texts(text: str) -> dict[str, Any]:
    """Load keys and values that all are text, as a mapping file has them; lists as tuples.

    Raises `StudyError` as `load_keys` does.

    >>> load_texts("kommun: {from: Kommun, zeros: 4}\\nmissing: [no, 0126]")
    {'kommun': {'from': 'Kommun', 'zeros': '4'}, 'missing': ('no', '0126')}
    """
    return _load(text, _TextLoader)


def load_keys(text: str) -> dict[str, Any]:
    """Load the keys and values of a study file, lists as tuples and dates as text.

    Raises `StudyError` where the text is no YAML, no mapping, holds what YAML has for programs
    (anchors, tags), or gives a key twice.

    >>> load_keys("name: mini\\ndays: [1, 2]")
    {'name': 'mini', 'days': (1, 2)}
    """
    return _load(text, _StrictLoader)


def _load(text: str, loader: type[_TextLoader]) -> dict[str, Any]:
    if len(text) > loader.most_characters:
        raise StudyError(_describe_place(TOO_LONG, 0))
    try:
        given = yaml.load(text, Loader=loader)
    except yaml.YAMLError as fault:
        raise StudyError(_describe_yaml(fault)) from None
    if not isinstance(given, dict):
        raise StudyError(
            "Studiefilen måste vara en lista av nycklar och värden; `name` krävs. /"
            " The study file must be a list of keys and values; `name` is required."
        )
    return {key: _tuples(one) for key, one in given.items()}


TOO_LONG = Text("den är för stor", "it is too large")
# What YAML's reader says, and what is to be done about it.
_CAUSES = (
    ("\\t", Text("tabb: använd blanksteg", "a tab: use blanks")),
    (
        "expected <block end>",
        Text(
            "se efter indraget, alltså blankstegen först på raden",
            "look at the indentation, the blanks that the line begins with",
        ),
    ),
    (
        "mapping values are not allowed",
        Text(
            "se efter indraget här och på raden före, och dess kolon; text med kolon: citattecken",
            "look at the indentation here and of the line before, and its colon; quote texts with"
            " one",
        ),
    ),
    ("could not find expected ':'", Text("det saknas ett kolon", "a colon is missing")),
    (
        "",
        Text(
            "se efter indrag, parenteser och citattecken",
            "look at indentation, brackets and quotation marks",
        ),
    ),
)


def _describe_yaml(fault: yaml.YAMLError) -> str:
    """Where a text stops being YAML, and the likely cause; never what stands there."""
    said = f"{getattr(fault, 'context', '')} {getattr(fault, 'problem', '')}"
    begun = "simple key" in said or "quoted" in said
    mark = getattr(fault, "context_mark" if begun else "problem_mark", None)
    why = fault.why if isinstance(fault, _Unwanted) else next(w for c, w in _CAUSES if c in said)
    return _describe_place(why, mark.line + 1 if mark else 0)


def _describe_place(why: Text, line: int) -> str:
    near = Text(f" nära rad {line}", f" near line {line}") if line else Text()
    return (
        f"Studiefilen går inte att läsa som YAML{near.sv}: {why.sv}. /"
        f" The study file is not readable as YAML{near.en}: {why.en}."
    )


def _tuples(value: Any) -> Any:
    """Lists as tuples: strict validation of frozen plans takes no lists."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    return value
