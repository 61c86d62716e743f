"""Faults of a study file in words, in Swedish and English."""

from __future__ import annotations

from typing import Any, get_args

from revictimisation.core.text import MAX_SHOWN, Text, find_nearest, name_one
from revictimisation.plan.kinds import describe_place, list_places

DIGITS = Text(
    ", skrivet med siffror, utan citattecken och utan nolla först",
    ", written in digits, without quotation marks and leading zeros",
)


def describe_fault(error: Any, model: Any) -> str:
    """One fault that pydantic found in a study file, in Swedish and English.

    `model` is what the whole file is read into: it says what must stand in each place. An unknown
    key is told with the nearest known one; what our own rules say is in both languages already.
    """
    path = [str(part) for part in error["loc"] if part != "[key]"]
    where = ".".join(part[:MAX_SHOWN] for part in path) or "study file"
    if error["type"] == "extra_forbidden":
        before = ".".join([*path[:-1], ""])
        near = find_key(model, path).removeprefix(before)
        told = name_one(near, _known_keys(model, path[:-1]))
        return f"{where}: okänd nyckel / unknown key{told}"
    if error["type"] == "missing":
        return f"{where}: krävs / required"
    if error["type"] == "value_error":
        told = str(error["msg"]).removeprefix("Value error, ")
        return f"{where}: {told}" if path else told
    kind = describe_place(model, error["loc"])
    is_number = error["type"].startswith(("int", "float"))
    how = DIGITS if is_number and isinstance(error["input"], str) else Text()
    return f"{where}: ska vara {kind.sv}{how.sv} / must be {kind.en}{how.en}"


def find_key(model: Any, path: list[str]) -> str:
    """The path of the key that an unknown one was meant for: beside it, or else somewhere else.

    >>> from revictimisation.plan import StudyPlan
    >>> find_key(StudyPlan, ["outcome", "lags_day"]), find_key(StudyPlan, ["washout_day"])
    ('outcome.lag_days', 'eligibility.washout_days')
    """
    near = find_nearest(path[-1], _known_keys(model, path[:-1]))
    if near:
        return ".".join([*path[:-1], near])
    ends = {place: place.rpartition(".")[2] for place, _ in list_places(model)}
    near = find_nearest(path[-1], tuple(ends.values()))
    places = [place for place, end in ends.items() if end == near]
    return places[0] if len(places) == 1 else ""


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
