"""Curves of released numbers over days, and the days that are named below them."""

from __future__ import annotations

from collections.abc import Iterable

from revictimisation.report.described import CurveSeries
from revictimisation.report.page import Page
from revictimisation.report.release import Number

# ticks closer than this part of the axis would cover each other on a phone
LEAST_APART = 0.19


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


def time_ticks(page: Page, until: int) -> list[int]:
    """The days named under a curve: those at which the study reports, but not too close."""
    days = page.plan.days_within_horizon
    last = max((day for day in (*days, page.plan.horizon_days) if day <= until), default=until)
    apart = last * LEAST_APART
    kept: list[int] = []
    for day in sorted({*(day for day in days if day <= last), last}, reverse=True):
        if not kept or kept[-1] - day >= apart:
            kept.append(day)
    return kept[::-1]
