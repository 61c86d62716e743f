"""What may stand in each place of a study file, in words: from the model that it is read into.

The words of a fault and those of the page on all keys are these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from revictimisation.core.text import Text

if TYPE_CHECKING:
    from pydantic import BaseModel

Schema = Mapping[str, Any]
ANY_NAME = "*"  # where keys are names of the user's own


@cache
def read_schema(model: type[BaseModel]) -> Schema:
    """The JSON schema of a model: for each key its type, bounds and default."""
    return model.model_json_schema()


def list_places(model: type[BaseModel]) -> Iterator[tuple[str, Schema]]:
    """Every key of a model with what it may hold, parts' keys after their part.

    Keys are paths such as `accrual.from_on`; `measures.*.codes` are the codes of any measure.
    """
    yield from _list_below(read_schema(model), read_schema(model), "")


def _list_below(whole: Schema, at: Schema, before: str) -> Iterator[tuple[str, Schema]]:
    for name, below in _keys_of(whole, at).items():
        path = f"{before}{name}"
        yield path, below
        yield from _list_below(whole, below, f"{path}.")


def _keys_of(whole: Schema, at: Schema) -> Mapping[str, Schema]:
    inner = _resolve(whole, at)
    if "properties" in inner:
        found: Mapping[str, Schema] = inner["properties"]
        return found
    rest = _named(inner)
    below = _keys_of(whole, rest) if rest else {}
    return {f"{ANY_NAME}.{name}": at for name, at in below.items()}


def _named(inner: Schema) -> Schema:
    """What stands under each name of the user's own; nothing where there are no such names."""
    found = next(iter(inner.get("patternProperties", {}).values()), None)
    found = found or inner.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _resolve(whole: Schema, at: Schema) -> Schema:
    """What a schema refers to, of several kinds the one that is not null."""
    kinds = [one for one in at.get("anyOf", ()) if one.get("type") != "null"]
    if kinds:
        return _resolve(whole, kinds[0])
    if "$ref" in at:
        found: Schema = whole["$defs"][at["$ref"].rsplit("/", 1)[-1]]
        return found
    return at


def describe_place(model: type[BaseModel], place: Sequence[str | int]) -> Text:
    """What must stand in a place of a file, as pydantic names it; `[key]` after it: its name.

    >>> from revictimisation.plan import StudyPlan
    >>> describe_place(StudyPlan, ("variants", "dose_per_days")).en
    'a whole number from 1 to 3652'
    """
    whole = at = read_schema(model)
    for part in place:
        inner = _resolve(whole, at)
        if part == "[key]":
            at = {
                "type": "string",
                "pattern": True,
                "maxLength": 60,
                **inner.get("propertyNames", {}),
            }
            break
        rest = inner.get("items", {}) if isinstance(part, int) else _named(inner)
        at = inner.get("properties", {}).get(part, rest)
    return describe_kind(at, whole)


def describe_kind(at: Schema, whole: Schema) -> Text:
    """What a schema allows, in words that follow "must be"."""
    inner = _resolve(whole, at)
    if "enum" in inner or "const" in inner:
        listed = ", ".join(map(str, inner.get("enum", [inner.get("const")])))
        told = Text(f"något av: {listed}", f"one of: {listed}")
    else:
        told = KINDS.get(str(inner.get("type")), _describe_other)(inner, whole)
    if any(one.get("type") == "null" for one in at.get("anyOf", ())):
        return Text(f"{told.sv}, eller null", f"{told.en}, or null")
    return told


def _describe_integer(inner: Schema, _: Schema) -> Text:
    span = _describe_span(inner)
    return Text(f"ett heltal {span.sv}".strip(), f"a whole number {span.en}".strip())


def _describe_number(inner: Schema, _: Schema) -> Text:
    span = _describe_span(inner)
    return Text(f"ett tal {span.sv}".strip(), f"a number {span.en}".strip())


def _describe_span(inner: Schema) -> Text:
    """`from 1 to 9`, `above 0 and below 1`; nothing where there is no bound."""
    named = {
        "minimum": Text("från {}", "from {}"),
        "exclusiveMinimum": Text("över {}", "above {}"),
        "maximum": Text("till {}", "to {}"),
        "exclusiveMaximum": Text("under {}", "below {}"),
    }
    parts = [(words, inner[name]) for name, words in named.items() if name in inner]
    told = [Text(*(one.format(f"{limit:g}" if isinstance(limit, float) else limit)
                   for one in (words.sv, words.en))) for words, limit in parts]  # fmt: skip
    joint = Text(" ", " ") if {"minimum", "maximum"} <= set(inner) else Text(" och ", " and ")
    return Text(joint.sv.join(one.sv for one in told), joint.en.join(one.en for one in told))


def _describe_text(inner: Schema, _: Schema) -> Text:
    if inner.get("format") == "date":
        return Text(
            "ett datum som finns, skrivet ÅÅÅÅ-MM-DD, från 1900 till i dag",
            "a date that exists, written YYYY-MM-DD, from 1900 to today",
        )
    most = inner.get("maxLength")
    length = Text(f", högst {most} tecken", f", {most} letters at most") if most else Text()
    if "pattern" in inner:
        return Text(
            f"bara a-z, siffror och _, först en bokstav{length.sv}",
            f"lower-case English letters, digits and _ only, beginning with a letter{length.en}",
        )
    return Text(f"text{length.sv}", f"text{length.en}")


def _describe_list(inner: Schema, whole: Schema) -> Text:
    each = describe_kind(inner.get("items", {}), whole)
    least, most = inner.get("minItems", 0), inner.get("maxItems")
    span = f"{least}–{most} " if most else ""
    return Text(f"en lista med {span}värden: {each.sv}", f"a list of {span}values: {each.en}")


def _describe_parts(inner: Schema, whole: Schema) -> Text:
    rest = _named(inner)
    if not rest:
        return Text("nycklar med värden", "keys with values")
    each = describe_kind(rest, whole)
    most = inner.get("maxProperties")
    n = Text(f" (högst {most})", f" ({most} at most)") if most else Text()
    return Text(f"egna namn{n.sv}, vart och ett med {each.sv}",
                f"names of your own{n.en}, each with {each.en}")  # fmt: skip


def _describe_other(_: Schema, __: Schema) -> Text:
    return Text("av ett annat slag", "of another kind")


KINDS = {
    "integer": _describe_integer,
    "number": _describe_number,
    "boolean": lambda *_: Text("true eller false", "true or false"),
    "string": _describe_text,
    "array": _describe_list,
    "object": _describe_parts,
}
