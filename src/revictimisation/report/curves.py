"""Curves of released numbers over days, and the days that are named below them."""

from __future__ import annotations

from collections.abc import Iterable

from revictimisation.core.results import OK
from revictimisation.report.described import CurveSeries
from revictimisation.report.page import Page
from revictimisation.report.release import Number

# where a risk begins: no outcome is counted on day 0
NOBODY = (0, Number(0.0, 0.0, 0.0, status=OK))


def make_curve(name: str, found: Iterable[tuple[int, Number]], look: str = "") -> CurveSeries:
    """A curve of the numbers that are shown; the band is drawn where all have an interval."""
    shown = [(day, one) for day, one in found if one.is_shown]
    has_band = all(one.has_interval or not one.estimate for _, one in shown)
    return CurveSeries(
        name,
        [day for day, _ in shown],
        [one.estimate or 0.0 for _, one in shown],
        [one.ci_low or 0.0 for _, one in shown] if has_band else (),
        [one.ci_high or one.estimate or 0.0 for _, one in shown] if has_band else (),
        look=look,
    )


def list_ticks(page: Page) -> list[tuple[float, str]]:
    """The days named under a curve: the start, those at which the study reports, and the last."""
    days = sorted({*page.plan.days_within_horizon, page.plan.horizon_days})
    return [
        (0.0, page.say("common.start")),
        *((float(day), page.formats.period(day)) for day in days),
    ]
