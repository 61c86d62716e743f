"""Notebook 6: for researchers and referees: weights, balance, support, checks, and the method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from revictimisation.report.check_values import describe_beside
from revictimisation.report.described import (
    NOTHING,
    Dots,
    DotSeries,
    Piece,
    Point,
    Scale,
    Text,
    join,
)
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.trials import (
    ARMS,
    BALANCE,
    CONTROL,
    FAILED,
    WAYS,
    WEIGHTING,
    Check,
    add_events,
    find_checks,
    find_effect,
    has_rows,
    list_checks,
    list_main,
)
from revictimisation.report.verdicts import name_answer, name_measure, warn_untried

BEFORE = f"{BALANCE}_unweighted"
# without the extremes (the largest weight, the least chance): one person's, never released
WEIGHT_CHECKS = ("n_uncensored", "share_censored", "weight_mean", "effective_sample_size")
SUPPORT_CHECKS = ("share_outside_support",)
TICKS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# name of a column: what its numbers are looked up by
INTERVALS: dict[str, dict[str, Any]] = {
    "main": {},
    "influence": {"analysis": "influence_interval"},
    "truncated": {"analysis": "weights_truncated"},
    **{way: {"estimator": way} for way in WAYS if way != WEIGHTING},
}


def _list_measures(page: Page) -> list[str]:
    """The measures that have checks of their own."""
    return [name for name in page.plan.measure_names if list_checks(page, name)]


def show_overview(page: Page) -> Piece:
    """How many comparisons were made, and how many of them every check held for."""
    measures = _list_measures(page)
    if not measures:
        return page.text("referees.none")
    counted = [measure for measure in list_main(page) if measure in measures]
    n_held = sum(not _has_failed(page, measure) for measure in counted)
    given = {"n_all": len(counted), "n_held": n_held}
    return join([page.text("referees.lead", **given), Text(warn_untried(page))])


def _has_failed(page: Page, measure: str) -> bool:
    control = list_checks(page, measure, CONTROL["analysis"])
    return any(check.status == FAILED for check in (*list_checks(page, measure), *control))


def show_weights(page: Page) -> Piece:
    """Weights of the clones never censored, by measure and arm."""
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        for arm in ARMS:
            found = [find_checks(checks, check).get(arm) for check in WEIGHT_CHECKS]
            name = f"{name_answer(page, measure)}, {page.say(f'referees.arm_{arm}')}"
            rows.append([name, *(describe_check(page, one) for one in found)])
    return _table(page, "weights", WEIGHT_CHECKS, rows)


def _table(page: Page, part: str, names: Sequence[str], rows: list[list[Any]]) -> Piece:
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.say(f"referees.{name}") for name in names)]
    return page.table(page.say(f"referees.caption_{part}"), heads, rows, _explain_dash(page, rows))


def _explain_dash(
    page: Page, rows: list[list[Any]], note: str = "common.note_suppressed"
) -> list[str]:
    """What a dash means, where there is one."""
    return [page.say(note)] if any(DASH in row for row in rows) else []


def describe_check(page: Page, check: Check | None) -> str:
    """A check's value as it is written, by what it measures."""
    if check is None or check.value is None or pd.isna(check.value):
        return DASH
    return describe_beside(page, check, lambda value, more: _write(page, check.name, value, more))


def _write(page: Page, name: str, value: float, more: int) -> str:
    if name.startswith("n_") or name == "effective_sample_size":
        return page.formats.count(value)
    if name.startswith("is_"):
        return page.labels.code("yes_no", "true" if value else "false")
    if name.startswith("share_") or name.endswith("_chance"):
        return page.formats.percent(value, 1 + more)
    return page.formats.decimal(value, (3 if name.startswith("minimum") else 2) + more)


def show_balance(page: Page) -> Piece:
    """The largest standardised difference when the grace time ends, before and after; by day."""
    measures = [measure for measure in _list_measures(page) if _find_days(page, measure)]
    if not measures:
        return page.text("referees.balance_none")
    after, before = (
        [_worst(page, measure, check) for measure in measures] for check in (BALANCE, BEFORE)
    )
    series = [
        DotSeries(page.say("referees.balance_after"), after),
        DotSeries(page.say("referees.balance_before"), before, is_filled=False),
    ]
    top = max((point[0] for point in (*after, *before) if point), default=0.0)
    ticks = [tick for at, tick in enumerate(TICKS) if at < 4 or TICKS[at - 1] < top]
    limit = page.plan.gates.largest_standardised_difference
    write, axis = page.formats.way("decimal", 1), page.say("referees.balance_axis")
    scale = Scale(write, ticks, axis, reference=limit)
    names = [name_answer(page, measure) for measure in measures]
    picture = Dots(names, series, scale)
    told = {"limit": page.formats.decimal(limit, 2)}
    held = sum(point is not None and point[0] <= limit for point in after)
    alt = page.say("referees.balance_alt", n_held=held, n_all=len(measures), **told)
    caption = page.say("referees.balance_caption", **told)
    return page.figure(picture, alt, caption, _balance_table(page, measures))


def _find_days(page: Page, measure: str) -> list[int]:
    """The days on which balance was measured, in order."""
    checks = list_checks(page, measure)
    return sorted(
        {check.day for check in checks if check.name == BALANCE and check.day is not None}
    )


def _worst(page: Page, measure: str, check: str) -> Point | None:
    """The largest of both arms at the end of the grace time."""
    day = page.plan.measures[measure].grace_days
    found = find_checks(list_checks(page, measure), check, day).values()
    values = [one.value for one in found if one.value is not None and not pd.isna(one.value)]
    return (max(values), None, None) if values else None


def _balance_table(page: Page, measures: list[str]) -> Piece:
    rows = []
    for measure in measures:
        checks = list_checks(page, measure)
        for day in _find_days(page, measure):
            found = [
                find_checks(checks, one, day).get(arm) for arm in ARMS for one in (BEFORE, BALANCE)
            ]
            cells = [describe_check(page, one) for one in found]
            if any(cell != DASH for cell in cells):
                when = page.formats.days(day)
                rows.append([f"{name_answer(page, measure)}, {when}", *cells])
    names = [f"{arm}_{when}" for arm in ARMS for when in ("before", "after")]
    heads = [page.say("common.measure"), *(page.say(f"referees.balance_{name}") for name in names)]
    return page.table(page.say("referees.balance_table"), heads, rows)


def show_support(page: Page) -> Piece:
    """Positivity: the share whose chance of a start has no like in the other arm."""
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        found = [find_checks(checks, check).get("") for check in SUPPORT_CHECKS]
        rows.append([name_answer(page, measure), *(describe_check(page, one) for one in found)])
    return _table(page, "support", SUPPORT_CHECKS, rows)


def show_detectable(page: Page) -> Piece:
    """The smallest difference that would have been seen with 80 % power, by day."""
    days = page.plan.days_within_horizon
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        found = [find_checks(checks, "minimum_detectable_difference", day).get("") for day in days]
        rows.append([name_answer(page, measure), *(_points(page, one) for one in found)])
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.formats.period(day) for day in days)]
    notes = _explain_dash(page, rows, "referees.detectable_note")
    return page.table(page.say("referees.detectable_caption"), heads, rows, notes)


def _points(page: Page, check: Check | None) -> str:
    if check is None or check.value is None or pd.isna(check.value):
        return DASH
    return page.formats.decimal(check.value * 100, 1)


def show_intervals(page: Page) -> Piece:
    """The same difference by other intervals, truncated weights and other estimators."""
    columns = {
        name: keys for name, keys in INTERVALS.items()
        if has_rows(page, question="q2", **{"analysis": "main", "estimator": WEIGHTING, **keys})
    }  # fmt: skip
    if not columns:
        return page.text("referees.none")
    rows = []
    for measure in page.plan.measure_names:
        found = [find_effect(page, measure, **keys) for keys in columns.values()]
        cells = [add_events(page, measure, one, show_gap(page, one)) for one in found]
        rows.append([name_answer(page, measure), *cells])
    heads = [
        page.say("common.measure"),
        *(page.say(f"referees.interval_{column}") for column in columns),
    ]
    period = page.formats.period(page.last_day)
    caption = page.say("referees.intervals_caption", period=period)
    return page.table(caption, heads, rows)


def show_controls(page: Page) -> Piece:
    """Negative controls and E-values, a row per measure; nothing where there are none."""
    keys = {"question": "q2", "estimator": WEIGHTING}
    if not (has_rows(page, **keys, **CONTROL) or has_rows(page, **keys, estimand="e_value")):
        return NOTHING
    kinds: dict[str, dict[str, Any]] = {
        "e_value": {"estimand": "e_value"},
        "e_value_limit": {"estimand": "e_value_limit"},
        "ratio": {"estimand": "risk_ratio"},
        "ratio_calibrated": {"estimand": "risk_ratio", "analysis": "calibrated"},
    }
    shown = {
        name: given for name, given in kinds.items()
        if has_rows(page, **keys, **{"analysis": "main", **given})
    }  # fmt: skip
    rows = []
    for measure in page.plan.measure_names:
        control = find_effect(page, measure, **CONTROL)
        values = [find_effect(page, measure, **given) for given in shown.values()]
        cells = [show_gap(page, control), *(page.show_ratio_both(value) for value in values)]
        rows.append([name_answer(page, measure), *cells])
    heads = [
        page.say("common.measure"),
        *(page.say(f"referees.{one}") for one in ("control", *shown)),
    ]
    period, least = (
        page.formats.period(page.last_day),
        page.plan.negative_controls.least_for_calibration,
    )
    caption = page.say("referees.controls_caption", period=period)
    table = page.table(caption, heads, rows)
    named = {"family": page.plan.negative_controls.against_family,
             "placebo": page.plan.negative_controls.measures}  # fmt: skip
    assumed = {
        kind: page.say(f"referees.controls_{kind}",
                       measures=list_names(page, [name_measure(page, name) for name in names]))
        if names else ""
        for kind, names in named.items()
    }  # fmt: skip
    text = page.text("referees.controls_text", least=least, **assumed)
    return join([page.heading("referees.controls"), text, table])
