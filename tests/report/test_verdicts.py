"""What an interval allows to be said, at its boundaries."""

from __future__ import annotations

from revictimisation.report.release import Number
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, judge
from tests.cases import for_each


def ratio(estimate: float, low: float, high: float) -> Number:
    return Number(estimate, low, high, status="ok", reason="")


@for_each(
    ("number", "verdict"),
    [
        (ratio(0.4, 0.2, 0.994), FEWER),
        (ratio(0.4, 0.2, 0.996), OPEN),  # written 1.00
        (ratio(0.4, 0.2, 1.0), OPEN),
        (ratio(1.5, 1.0, 2.0), OPEN),
        (ratio(1.5, 1.006, 2.0), MORE),
        (ratio(1.0, 0.5, 1.5), OPEN),
        (Number(0.4, None, None, status="ok"), HIDDEN),
        (Number(status="suppressed"), HIDDEN),
        (Number(0.4, 0.2, 0.6, status="withheld"), HIDDEN),
        (Number(), HIDDEN),
    ],
)
def test_a_verdict_needs_the_whole_interval(number, verdict):
    assert judge(number) == verdict
