"""The text of a study file: the plain part of YAML read strictly, and faults told in words."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

import yaml

from revictimisation.dictionary.model import Text
from revictimisation.errors import StudyError
from revictimisation.study_kinds import describe_place

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
        raise StudyError(_tell_place(TOO_LONG, 0))
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


def _tell_yaml(fault: yaml.YAMLError) -> str:
    """Where a text stops being YAML, and the likely cause; never what stands there."""
    said = f"{getattr(fault, 'context', '')} {getattr(fault, 'problem', '')}"
    begun = "simple key" in said or "quoted" in said
    mark = getattr(fault, "context_mark" if begun else "problem_mark", None)
    why = fault.why if isinstance(fault, _Unwanted) else next(w for c, w in _CAUSES if c in said)
    return _tell_place(why, mark.line + 1 if mark else 0)


def _tell_place(why: Text, line: int) -> str:
    near = Text(f" nära rad {line}", f" near line {line}") if line else Text()
    return (
        f"Studiefilen går inte att läsa som YAML{near.sv}: {why.sv}. /"
        f" The study file is not readable as YAML{near.en}: {why.en}."
    )


DIGITS = Text(
    ", skrivet med siffror, utan citattecken och utan nolla först",
    ", written in digits, without quotation marks and leading zeros",
)
MAX_SHOWN = 60  # letters of a name that is repeated to whom wrote it


def _tuples(value: Any) -> Any:
    """Lists as tuples: strict validation of frozen plans takes no lists."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    return value


def tell_fault(error: Any, model: Any) -> str:
    """One fault that pydantic found in a study file, in Swedish and English.

    `model` is what the whole file is read into: it says what must stand in each place. An unknown
    key is told with the nearest known one; what our own rules say is in both languages already.
    """
    path = [str(part) for part in error["loc"] if part != "[key]"]
    where = ".".join(part[:MAX_SHOWN] for part in path) or "study file"
    if error["type"] == "extra_forbidden":
        nearest = name_nearest(path[-1], _known_keys(model, path[:-1]))
        return f"{where}: okänd nyckel / unknown key{nearest}"
    if error["type"] == "missing":
        return f"{where}: krävs / required"
    if error["type"] == "value_error":
        told = str(error["msg"]).removeprefix("Value error, ")
        return f"{where}: {told}" if path else told
    kind = describe_place(model, error["loc"])
    is_number = error["type"].startswith(("int", "float"))
    how = DIGITS if is_number and isinstance(error["input"], str) else Text()
    return f"{where}: ska vara {kind.sv}{how.sv} / must be {kind.en}{how.en}"


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


def find_nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like one; empty: none is like it.

    >>> find_nearest("sexx", ("sex", "age")), find_nearest("ort", ("sex", "age"))
    ('sex', '')
    """
    near = difflib.get_close_matches(name[:MAX_SHOWN], known, n=1, cutoff=0.5)
    return near[0] if near else ""


def name_nearest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: the nearest known one, or all of them.

    >>> name_nearest("sexx", ("sex", "age"))
    '; menade du / did you mean sex?'
    """
    near = find_nearest(name, known)
    return f"; menade du / did you mean {near}?" if near else f"; kända / known: {', '.join(known)}"
