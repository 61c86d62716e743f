"""Page 07: new reports while a measure is in force, and other ways to look at the same data.

Each part stands only where the release has rows for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.report.described import NOTHING, Cell, Folded, Piece, join
from revictimisation.report.page import HUNDREDTHS, Page
from revictimisation.report.release import Number
from revictimisation.report.trials import add_events, has_rows, list_first
from revictimisation.report.verdicts import (
    name_measure,
)

COX, RECURRENT = "cox_time_varying", "andersen_gill"
RECURRENTS = (RECURRENT, "pwp_total_time", "pwp_gap_time")
EITHER = "death_or_emigration"
COMPETING = ("cause_specific_hazard", "fine_gray")
# analysis, and the subgroup that its levels stand in
VARIANTS = (
    ("time_since_start", "time_since_start"),
    ("carry_over", "after_end"),
    ("cumulative_days", "days_lasted"),
    ("cumulative_days", "days_so_far"),
)


@dataclass(frozen=True)
class Column:
    """A column of hazard ratios: its heading, and the keys of its rows."""

    head: str
    keys: dict[str, str] = field(default_factory=dict)


def find_ratio(page: Page, measure: str, estimator: str = COX, **keys: str) -> Number:
    """A measure's hazard ratio, or why there is none."""
    given = {"question": "q2", "measure": measure, "outcome": page.plan.outcome.who}
    given |= {"estimator": estimator, **keys}
    ratio = page.release.find(estimand="hazard_ratio", **given)
    if ratio.reason == "not_computed":
        instead = page.release.find(estimand="log_hazard_ratio", **given)
        return ratio if instead.is_shown else instead
    return ratio


def show_in_force(page: Page) -> Piece:
    """How common new reports were while each measure was in force, and other ways to count."""
    if not has_rows(page, question="q2", estimator=COX) or not page.plan.measure_names:
        return NOTHING
    text = page.text("models.in_force_text")
    folded = (show_recurrent, show_competing, show_variants)
    parts = [page.heading("models.in_force", level=3), text, show_ratios(page)]
    return join([*parts, *(show(page) for show in folded)])


def show_ratios(page: Page) -> Piece:
    """Hazard ratios of each measure; adjusted beside unadjusted where anything is adjusted for."""
    columns = [Column(page.say("models.unadjusted"), {"analysis": "unadjusted"})]
    if page.plan.adjust_for:
        columns.append(Column(page.say("models.adjusted")))
    rows = []
    for name in page.plan.measure_names:
        found = [find_ratio(page, name, **column.keys) for column in columns]
        main = find_ratio(page, name)
        counts = [page.show_number(one) for one in (main.n_people, main.n_events)]
        rows.append([name_measure(page, name), *counts, *map(page.show_ratio_both, found)])
    heads = [page.say(f"models.{one}") for one in ("ratio_people", "ratio_events")]
    heads = [page.say("common.measure"), *heads, *(column.head for column in columns)]
    notes = [page.say("models.ratios_note")]
    return page.table(page.say("models.ratios_caption"), heads, rows, notes)


def _tabulate_ratios(page: Page, caption: str, columns: Sequence[Column]) -> Piece:
    """A table of hazard ratios, a column for each kind that has rows; else nothing.

    Measures without any of the rows are left out.
    """
    kept = [
        column for column in columns
        if has_rows(page, **{"question": "q2", "analysis": "main", **column.keys})
    ]  # fmt: skip
    if not kept:
        return NOTHING
    rows = []
    for name in page.plan.measure_names:
        found = [find_ratio(page, name, **one.keys) for one in kept]
        if all(one.reason == "not_computed" for one in found):
            continue
        cells = [add_events(page, name, one, page.show_ratio_both(one)) for one in found]
        rows.append([name_measure(page, name), *cells])
    heads = [page.say("common.measure"), *(one.head for one in kept)]
    return page.table(caption, heads, rows)


def show_recurrent(page: Page) -> Piece:
    """The first new report beside all of them, and how many reports there are; folded."""
    columns = [
        Column(page.say(f"models.recurrent_{recurrent}"), {"estimator": recurrent})
        for recurrent in RECURRENTS
    ]
    rest = _tabulate_ratios(page, "", columns)
    counts = show_counts(page)
    if not rest and not counts:
        return NOTHING
    first = Column(page.say("models.recurrent_first"), {"estimator": COX})
    table = _tabulate_ratios(page, page.say("models.recurrent_caption"), [first, *columns])
    parts = [page.text("models.recurrent_text"), _describe_same(page), table, counts]
    return Folded(page.say("models.recurrent"), join(parts))


def _describe_same(page: Page) -> Piece:
    """For how many measures with an answer the first and all reports point the same way."""
    pairs = [(find_ratio(page, one), find_ratio(page, one, RECURRENT)) for one in list_first(page)]
    shown = [(a.estimate or 1, b.estimate or 1) for a, b in pairs if a.is_shown and b.is_shown]
    if not shown:
        return NOTHING
    same = sum((round(a, 2) - 1) * (round(b, 2) - 1) >= 0 for a, b in shown)
    return page.text("models.recurrent_count", n_same=same, n_all=len(shown))


def show_counts(page: Page) -> Piece:
    """Mean numbers of new reports under the two strategies, for a hundred people."""
    kinds = ("mean_count_start", "mean_count_no_start", "mean_count_difference")
    same = {"question": "q2", "estimator": "mean_cumulative_count"}
    keys = {**same, "outcome": page.plan.outcome.who}
    whole = page.release.find(estimand="mean_count", time_days=page.last_day, **keys)
    parts = []
    if whole.is_shown:
        given = {
            "n": page.formats.decimal((whole.estimate or 0.0) * 100, 0),
            "period": page.formats.period(page.last_day),
        }
        parts.append(page.text("models.counts_text", **given))
    if not any(has_rows(page, estimand=kind, **same) for kind in kinds):
        return join(parts)
    rows = []
    for name in page.plan.measure_names:
        at: dict[str, str | int] = {**keys, "measure": name, "time_days": page.last_day}
        found = [page.release.find(estimand=kind, **at) for kind in kinds]
        cells = [add_events(page, name, one, _show_count(page, one)) for one in found]
        rows.append([name_measure(page, name), *cells])
    heads = [page.say("common.measure"), *(page.say(f"models.{kind}") for kind in kinds)]
    period = page.formats.period(page.last_day)
    caption = page.say("models.counts_caption", period=period)
    return join([*parts, page.table(caption, heads, rows, [page.say("models.counts_note")])])


def _show_count(page: Page, number: Number) -> Cell:
    """A cell with new reports of a hundred people, the interval below it."""
    told = page.show(number, lambda mean: page.formats.decimal(mean * 100, 0), HUNDREDTHS)
    return page.show_both(
        number, told, lambda low, high: page.formats.range(low * 100, high * 100, 0)
    )


def show_competing(page: Page) -> Piece:
    """Cause-specific and subdistribution hazards side by side, for each event; folded."""
    tables = []
    for outcome in (page.plan.outcome.who, *OTHER_CAUSES, EITHER):
        columns = [
            Column(page.say(f"models.competing_{one}"), {"estimator": one, "outcome": outcome})
            for one in COMPETING
        ]
        is_report = outcome == page.plan.outcome.who
        event = page.say("models.event_report" if is_report else f"models.event_{outcome}")
        caption = page.say("models.competing_caption", event=event)
        tables.append(_tabulate_ratios(page, caption, columns))
    if not any(tables):
        return NOTHING
    told = join([page.text("models.competing_text"), *tables])
    return Folded(page.say("models.competing"), told)


def show_variants(page: Page) -> Piece:
    """Hazard ratios by time since start, after the end, and by days in force; folded."""
    tables = []
    for analysis, subgroup in VARIANTS:
        keys = {"analysis": analysis, "subgroup": subgroup, "estimator": COX}
        levels = page.release.level_names.get(("q2", subgroup), ())
        columns = [Column(name_band(page, level), {**keys, "level": level}) for level in levels]
        caption = page.say(
            f"models.caption_{subgroup}", days=page.formats.days(page.plan.variants.dose_per_days)
        )
        tables.append(_tabulate_ratios(page, caption, columns))
    if not any(tables):
        return NOTHING
    told = join([page.text("models.variants_text"), *tables])
    return Folded(page.say("models.variants"), told)


def name_band(page: Page, level: str) -> str:
    """A band of days in words, also one that the study file cuts otherwise."""
    label = page.labels.code("exposure_band", level)
    first, _, last = level.partition("_")
    if label != level or not first.isdigit():
        return label
    if last == "plus":
        return page.say("models.days_plus", first=first)
    return page.say("models.days_range", first=first, last=last)
