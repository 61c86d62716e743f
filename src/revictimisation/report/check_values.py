"""How a check's value is written beside its limit, so that one can see that it fails."""

from __future__ import annotations

from collections.abc import Callable

from revictimisation.report.page import Page
from revictimisation.report.trials import FAILED, Check

MOST_MORE_DIGITS = 2


def describe_beside(page: Page, check: Check, write: Callable[[float, int], str]) -> str:
    """A check's value; finer where rounding gives a value that fails the looks of its limit.

    `write` is given the value and how many more decimals than usual. A count that disclosure
    control has rounded to its limit is said to lie below it (or above).
    """
    value, limit = check.value, check.limit
    assert value is not None
    if check.status != FAILED or limit is None or write(value, 0) != write(limit, 0):
        return write(value, 0)
    for more in range(1, MOST_MORE_DIGITS + 1):
        if write(value, more) != write(limit, more):
            return write(value, more)
    is_least = check.name.startswith("n_") or check.name.startswith("effective_")
    key = "referees.below_limit" if is_least else "referees.above_limit"
    return page.say(key, limit=write(limit, 0))
