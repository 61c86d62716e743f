"""The one code of colour, shape and line of every figure: by what it stands for.

A mark is at least 3:1 against white. Colours of one list are told apart by colour-blind eyes; in
grey print by lightness, or else by shape and line, which differ within a list
(`tests/report/test_colours.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INK, QUIET, RULE, PAPER = "#17212b", "#4a5763", "#cfd6dc", "#ffffff"
SOFT = "#e6ebef"  # ground, never a mark


@dataclass(frozen=True)
class Look:
    """A colour, the shape of a dot (`drawing.SHAPES`) and the dashes of a line (empty: solid)."""

    colour: str
    shape: str = "circle"
    dashes: str = ""
    is_filled: bool = True


# series of which no meaning is named, in their order
SERIES = (
    Look("#0a4f7d"),
    Look("#a33f00", "square", "9 4"),
    Look("#1d5c4a", "diamond", "2 3"),
    Look("#9a4fc4", "up", "12 4 2 4"),
    Look("#88929e", "down", "5 5"),
    Look("#b98900", "cross", "16 5"),
)
# estimators: the same in every chart
METHODS = {
    "clone_censor_weight": SERIES[0],
    "doubly_robust": SERIES[1],
    "g_formula": SERIES[2],
    "cox_time_varying": SERIES[3],
    "crude": SERIES[4],
    "cox_unadjusted": SERIES[5],
}
AGENCIES = {
    "police": SERIES[0],
    "social_services": Look("#c8641b", "square", "9 4"),
    "both": Look("#16261f", "diamond", "2 3"),
    "none": Look("#7b858f", "down", "5 5", is_filled=False),
}
STRATEGIES = {"start": SERIES[0], "no_start": Look("#c8641b", "square", "9 4", is_filled=False)}
# ordered: the darkest is the highest
RISKS = {
    "high": Look("#08304c", "up"),
    "moderate": Look("#2a6f9e", "circle", "9 4"),
    "low": Look("#6c95b1", "down", "2 3"),
    "missing": Look("#9a6a4a", "diamond", "12 4 2 4", is_filled=False),
}
# how a case ended
STATES = {
    "discontinued": Look("#8d8379", "diamond", "2 3"),
    "other": Look("#2a6a99", "square", "9 4"),
    "convicted": Look("#08304c"),
}
# verdicts: fewer, more, open
VERDICTS = {
    "fewer": Look("#0a4f7d"),
    "more": Look("#b4470e", "square"),
    "open": Look("#5b6670", "diamond", is_filled=False),
}
LISTS: Mapping[str, Mapping[Any, Look]] = {
    "series": dict(enumerate(SERIES)),
    "methods": METHODS,
    "agencies": AGENCIES,
    "strategies": STRATEGIES,
    "risks": RISKS,
    "states": STATES,
    "verdicts": VERDICTS,
}
LOOKS = {f"{name}.{code}": look for name, looks in LISTS.items() for code, look in looks.items()}


def find_look(name: str, place: int) -> Look:
    """The look of a meaning such as `methods.crude`; of one that is not named, of the place.

    >>> find_look("risks.high", 3).shape, find_look("", 1).shape
    ('up', 'square')
    """
    return LOOKS.get(name, SERIES[place % len(SERIES)])
