"""Notebook 2: how long measures last."""

from __future__ import annotations

from revictimisation.report.described import Cell, Piece, Text, join
from revictimisation.report.page import DAYS, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.use import name_code
from revictimisation.report.texts import load_references

SHELTER = "sheltered_housing"


def show_durations(page: Page) -> Piece:
    """How long measures last; shelter stays beside the published mean."""
    frame = page.release.estimates
    codes = sorted(set(frame.loc[frame["analysis"] == "duration", "measure"]))
    found = [
        (code, _duration(page, code, "mean"), _duration(page, code, "median")) for code in codes
    ]
    found.sort(key=lambda one: (-(one[1].estimate or 0), one[0]))
    rows = [
        [name_code(page, code),
         page.show_people(mean),
         page.show(mean, page.formats.count, DAYS),
         _show_range(page, mean),
         page.show(median, page.formats.count, DAYS)]
        for code, mean, median in found
    ]  # fmt: skip
    lead = _describe_shelter(page)
    if not rows:
        return lead
    heads = [page.say("common.measure"), page.say("use.duration_n"), page.say("use.duration_mean"),
             page.say("common.interval"), page.say("use.duration_median")]  # fmt: skip
    notes = [page.say("use.duration_note")]
    return join([lead, page.table(page.say("use.duration_caption"), heads, rows, notes)])


def _duration(page: Page, code: str, kind: str) -> Number:
    keys = {"question": "q1", "analysis": "duration", "outcome": "carried_out"}
    estimand = f"duration_{kind}_days"
    return page.release.find(measure=code, estimator="description", estimand=estimand, **keys)


def _show_range(page: Page, number: Number) -> Cell:
    return page.show_interval(number, lambda low, high: page.formats.range(low, high, 0), DAYS)


def _describe_shelter(page: Page) -> Piece:
    mean, median = _duration(page, SHELTER, "mean"), _duration(page, SHELTER, "median")
    known = load_references()["shelter_stay"]
    beside = page.say("common.set_by") if page.release.is_synthetic else page.say(
        "use.duration_published", published=page.formats.days(known["estimate"]),
        year=int(known["year"]),
    )  # fmt: skip
    days = page.formats.days(mean.estimate or 0)
    if not mean.is_shown:
        told = page.say("use.duration_shelter_hidden", why=page.why_not(mean))
    elif not mean.has_interval or not median.is_shown:
        told = page.say("use.duration_shelter_no_interval", mean=days)
    else:
        told = page.say(
            "use.duration_shelter",
            mean=days,
            interval=_show_range(page, mean),
            median=page.formats.days(median.estimate or 0),
        )
    return Text(f"{told} {beside}")
