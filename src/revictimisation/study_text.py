"""The text of a study file: YAML read strictly, and faults told in words."""

from __future__ import annotations

import difflib
from collections.abc import Hashable
from typing import Any, get_args

import yaml

from revictimisation.errors import StudyError


class _StrictLoader(yaml.SafeLoader):
    """YAML with dates left as text and doubled keys refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubled = {str(key) for key in keys if keys.count(key) > 1}
        if doubled:
            line = node.start_mark.line + 1
            raise StudyError(f"key given twice near line {line}: {', '.join(sorted(doubled))}")
        return super().construct_mapping(node, deep=deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _TextLoader(_StrictLoader):
    """The same with every value left as text: 0126 keeps its zero, `no` is no truth value."""


_TextLoader.yaml_implicit_resolvers = {}


def load_texts(text: str) -> dict[str, Any]:
    """Load keys and values that all are text, as a mapping file has them; lists as tuples.

    Raises `StudyError` as `load_keys` does.

    >>> load_texts("kommun: {from: Kommun, zeros: 4}\\nmissing: [no, 0126]")
    {'kommun': {'from': 'Kommun', 'zeros': '4'}, 'missing': ('no', '0126')}
    """
    return _load(text, _TextLoader)


def load_keys(text: str) -> dict[str, Any]:
    """Load the keys and values of a study file, lists as tuples and dates as text.

    Raises `StudyError` where the text is no YAML, no mapping, or gives a key twice.

    >>> load_keys("name: mini\\ndays: [1, 2]")
    {'name': 'mini', 'days': (1, 2)}
    """
    return _load(text, _StrictLoader)


def _load(text: str, loader: type[yaml.SafeLoader]) -> dict[str, Any]:
    try:
        given = yaml.load(text, Loader=loader)
    except yaml.YAMLError as fault:
        raise StudyError(_tell_yaml(fault)) from None
    if not isinstance(given, dict):
        raise StudyError(
            "Studiefilen måste vara en lista av nycklar och värden; `name` krävs. /"
            " The study file must be a list of keys and values; `name` is required."
        )
    return {key: _tuples(one) for key, one in given.items()}


# What YAML's reader says, and what is to be done about it.
_CAUSES = (
    ("\\t", "tabb: använd blanksteg", "a tab: use blanks"),
    (
        "expected <block end>",
        "se efter indraget, alltså blankstegen först på raden",
        "look at the indentation, the blanks that the line begins with",
    ),
    (
        "mapping values are not allowed",
        "se efter indraget här och på raden före, och dess kolon; text med kolon: citattecken",
        "look at the indentation here and of the line before, and its colon; quote texts with one",
    ),
    ("could not find expected ':'", "det saknas ett kolon", "a colon is missing"),
    (
        "",
        "se efter indrag, parenteser och citattecken",
        "look at indentation, brackets and quotation marks",
    ),
)


def _tell_yaml(fault: yaml.YAMLError) -> str:
    """Where a text stops being YAML, and the likely cause; never what stands there."""
    said = f"{getattr(fault, 'context', '')} {getattr(fault, 'problem', '')}"
    _, swedish, english = next(one for one in _CAUSES if one[0] in said)
    begun = "simple key" in said or "quoted" in said
    mark = getattr(fault, "context_mark" if begun else "problem_mark", None)
    at = mark.line + 1 if mark else 0
    return (
        f"Studiefilen går inte att läsa som YAML{f' nära rad {at}' if at else ''}: {swedish}. /"
        f" The study file is not readable as YAML{f' near line {at}' if at else ''}: {english}."
    )


def _tuples(value: Any) -> Any:
    """Lists as tuples: strict validation of frozen plans takes no lists."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    return value


def tell_fault(error: Any, model: Any) -> str:
    """One fault that pydantic found in a study file, in words.

    `model` is what the whole file is read into; an unknown key is told with the nearest known one.
    """
    path = [str(part) for part in error["loc"] if part != "[key]"]
    where = ".".join(path) or "study file"
    if error["type"] == "extra_forbidden":
        nearest = name_nearest(path[-1], _known_keys(model, path[:-1]))
        return f"{where}: okänd nyckel / unknown key{nearest}"
    if error["type"] == "missing":
        return f"{where}: krävs / required"
    if error["type"] == "string_pattern_mismatch":
        return (
            f"{where}: bara a-z, siffror och _, först en bokstav / lower-case English letters, "
            "digits and _ only, beginning with a letter"
        )
    return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"


def _known_keys(model: Any, path: list[str]) -> tuple[str, ...]:
    """The keys that may stand at a place in the study file."""
    for part in path:
        if part in getattr(model, "model_fields", {}):
            model = _find_model(model.model_fields[part].annotation)
    fields = getattr(model, "model_fields", {})
    return tuple(one.alias or name for name, one in fields.items())


def _find_model(kind: Any) -> Any:
    """What a key's value is read into, also where it stands in a list or under names."""
    if hasattr(kind, "model_fields"):
        return kind
    inner = [_find_model(one) for one in get_args(kind)]
    return next((one for one in inner if hasattr(one, "model_fields")), kind)


def name_nearest(name: str, known: tuple[str, ...]) -> str:
    """The end of a sentence on an unknown name: the nearest known one, or all of them.

    >>> name_nearest("sexx", ("sex", "age"))
    '; menade du / did you mean sex?'
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return (
        f"; menade du / did you mean {near[0]}?" if near else f"; kända / known: {', '.join(known)}"
    )
