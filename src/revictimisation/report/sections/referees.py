"""Notebook 4: for researchers and referees: weights, balance, support, checks, and the method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from revictimisation.report import charts
from revictimisation.report.hundreds import show_gap
from revictimisation.report.markup import Html, join, render_details, render_figure, render_table
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import list_rows
from revictimisation.report.sections.measures import CONTROL
from revictimisation.report.sections.trial_table import list_covariates
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import (
    ARMS,
    BALANCE,
    FAILED,
    WAYS,
    WEIGHTING,
    Check,
    find_checks,
    find_effect,
    has_rows,
    list_checks,
)
from revictimisation.report.verdicts import name_measure

ITEMS = ("incidence", "trial", "weights", "balance", "support", "detectable", "intervals", "ways",
         "model", "errors", "adjusted", "ties", "crude", "assumptions", "small")  # fmt: skip
BEFORE = f"{BALANCE}_unweighted"
WEIGHT_CHECKS = ("n_uncensored", "share_censored", "weight_mean", "weight_max",
                 "effective_sample_size")  # fmt: skip
SUPPORT_CHECKS = ("share_outside_support", "least_chance", "largest_chance")
TICKS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
# name of a column: what its numbers are looked up by
INTERVALS: dict[str, dict[str, Any]] = {
    "main": {},
    "influence": {"analysis": "influence_interval"},
    "truncated": {"analysis": "weights_truncated"},
    "calibrated": {"analysis": "calibrated"},
    **{one: {"estimator": one} for one in WAYS if one != WEIGHTING},
}


def _list_measures(page: Page) -> list[str]:
    """The measures that have checks of their own."""
    return [one for one in page.plan.measure_names if list_checks(page, one)]


def show_overview(page: Page) -> Html:
    """How many comparisons were made, and how many of them every check held for."""
    measures = _list_measures(page)
    if not measures:
        return page.text("referees.none")
    failed = [one for one in measures if any(c.status == FAILED for c in list_checks(page, one))]
    given = {"n_all": len(measures), "n_held": len(measures) - len(failed)}
    return page.text("referees.lead", **given)


def show_weights(page: Page) -> Html:
    """Weights of the clones never censored, by measure and arm."""
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        for arm in ARMS:
            found = [find_checks(checks, one).get(arm) for one in WEIGHT_CHECKS]
            name = f"{name_measure(page, measure)}, {page.say(f'referees.arm_{arm}')}"
            rows.append([name, *(_tell(page, one) for one in found)])
    return _table(page, "weights", WEIGHT_CHECKS, rows)


def _table(page: Page, part: str, names: Sequence[str], rows: list[list[Any]]) -> Html:
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.say(f"referees.{one}") for one in names)]
    return render_table(page.say(f"referees.caption_{part}"), heads, rows)


def _tell(page: Page, check: Check | None) -> str:
    """A check's value as it is written, by what it measures."""
    if check is None or check.value is None or pd.isna(check.value):
        return DASH
    if check.name.startswith("n_") or check.name == "effective_sample_size":
        return page.formats.count(check.value)
    if check.name.startswith("is_"):
        return page.labels.code("yes_no", "true" if check.value else "false")
    if check.name.startswith("share_") or check.name.endswith("_chance"):
        return page.formats.percent(check.value)
    return page.formats.decimal(check.value, 3 if check.name.startswith("minimum") else 2)


def show_balance(page: Page) -> Html:
    """The largest standardised difference when the grace time ends, before and after; by day."""
    measures = [one for one in _list_measures(page) if _find_days(page, one)]
    if not measures:
        return page.text("referees.balance_none")
    after, before = ([_worst(page, one, check) for one in measures] for check in (BALANCE, BEFORE))
    series = [
        charts.DotSeries(page.say("referees.balance_after"), after),
        charts.DotSeries(page.say("referees.balance_before"), before, is_filled=False),
    ]
    top = max((point[0] for point in (*after, *before) if point), default=0.0)
    ticks = [tick for at, tick in enumerate(TICKS) if at < 4 or TICKS[at - 1] < top]
    limit = page.plan.gates.largest_standardised_difference
    write = lambda tick: page.formats.decimal(tick, 1)  # noqa: E731
    scale = charts.Scale(write, ticks, page.say("referees.balance_axis"), reference=limit)
    names = [name_measure(page, one) for one in measures]
    wide, narrow = charts.draw_dots(names, series, scale)
    told = {"limit": page.formats.decimal(limit, 2)}
    held = sum(point is not None and point[0] <= limit for point in after)
    alt = page.say("referees.balance_alt", n_held=held, n_all=len(measures), **told)
    return render_figure(
        wide,
        narrow,
        alt,
        page.say("referees.balance_caption", **told),
        page.say("common.numbers_behind"),
        _balance_table(page, measures),
    )


def _find_days(page: Page, measure: str) -> list[int]:
    """The days on which balance was measured, in order."""
    checks = list_checks(page, measure)
    return sorted({one.day for one in checks if one.name == BALANCE and one.day is not None})


def _worst(page: Page, measure: str, check: str) -> charts.Point | None:
    """The largest of both arms at the end of the grace time."""
    day = page.plan.measures[measure].grace_days
    found = find_checks(list_checks(page, measure), check, day).values()
    values = [one.value for one in found if one.value is not None and not pd.isna(one.value)]
    return (max(values), None, None) if values else None


def _balance_table(page: Page, measures: list[str]) -> Html:
    rows = []
    for measure in measures:
        checks = list_checks(page, measure)
        for day in _find_days(page, measure):
            found = [
                find_checks(checks, one, day).get(arm) for arm in ARMS for one in (BEFORE, BALANCE)
            ]
            cells = [_tell(page, one) for one in found]
            if any(cell != DASH for cell in cells):
                when = page.formats.days(day)
                rows.append([f"{name_measure(page, measure)}, {when}", *cells])
    names = [f"{arm}_{when}" for arm in ARMS for when in ("before", "after")]
    heads = [page.say("common.measure"), *(page.say(f"referees.balance_{one}") for one in names)]
    return render_table(page.say("referees.balance_table"), heads, rows)


def show_support(page: Page) -> Html:
    """Positivity: the least and largest chance of a start, and the share outside support."""
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        found = [find_checks(checks, one).get("") for one in SUPPORT_CHECKS]
        rows.append([name_measure(page, measure), *(_tell(page, one) for one in found)])
    return _table(page, "support", SUPPORT_CHECKS, rows)


def show_detectable(page: Page) -> Html:
    """The smallest difference that would have been seen with 80 % power, by day."""
    days = [day for day in page.plan.report_at_days if day <= page.plan.horizon_days]
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        found = [find_checks(checks, "minimum_detectable_difference", day).get("") for day in days]
        rows.append([name_measure(page, measure), *(_points(page, one) for one in found)])
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.formats.period(day) for day in days)]
    return render_table(page.say("referees.detectable_caption"), heads, rows)


def _points(page: Page, check: Check | None) -> str:
    if check is None or check.value is None or pd.isna(check.value):
        return DASH
    return page.formats.decimal(check.value * 100, 1)


def show_intervals(page: Page) -> Html:
    """The same difference by other intervals, truncated weights and other estimators."""
    columns = {
        name: keys for name, keys in INTERVALS.items()
        if has_rows(page, question="q2", **{"analysis": "main", "estimator": WEIGHTING, **keys})
    }  # fmt: skip
    if not columns:
        return page.text("referees.none")
    rows, numbers = [], []
    for measure in page.plan.measure_names:
        found = [find_effect(page, measure, **keys) for keys in columns.values()]
        numbers += found
        rows.append([name_measure(page, measure), *(show_gap(page, one) for one in found)])
    heads = [page.say("common.measure"), *(page.say(f"referees.interval_{one}") for one in columns)]
    period = page.formats.period(page.last_day)
    caption = page.say("referees.intervals_caption", period=period)
    return render_table(caption, heads, rows, page.notes(numbers))


def show_controls(page: Page) -> Html:
    """Negative controls and E-values, a row per measure; nothing where there are none."""
    keys = {"question": "q2", "estimator": WEIGHTING}
    if not (has_rows(page, **keys, **CONTROL) or has_rows(page, **keys, estimand="e_value")):
        return Html("")
    rows, numbers = [], []
    for measure in page.plan.measure_names:
        control = find_effect(page, measure, **CONTROL)
        values = [find_effect(page, measure, one) for one in ("e_value", "e_value_limit")]
        numbers += [control, *values]
        cells = [show_gap(page, control), *(page.show_ratio(one) for one in values)]
        rows.append([name_measure(page, measure), *cells])
    names = ("control", "e_value", "e_value_limit")
    heads = [page.say("common.measure"), *(page.say(f"referees.{one}") for one in names)]
    period = page.formats.period(page.last_day)
    caption = page.say("referees.controls_caption", period=period)
    table = render_table(caption, heads, rows, page.notes(numbers))
    return join([page.heading("referees.controls"), page.text("referees.controls_text"), table])


def show_all_checks(page: Page) -> Html:
    """Every check of every model with its limit and whether it holds; folded."""
    rows = [_row(page, row) for row in list_rows(page.release.diagnostics)]
    if not rows:
        return page.text("referees.none")
    names = ("model", "measure", "check", "value", "limit", "status")
    heads = [page.say(f"referees.head_{one}") for one in names]
    table = render_table(page.say("referees.all_caption"), heads, rows, kind="words")
    return render_details(page.say("referees.all_summary", n=page.formats.count(len(rows))), table)


def _row(page: Page, row: Any) -> list[str]:
    measure = name_measure(page, row.measure) if row.measure else DASH
    name, *parts = str(row.check).split(":")
    check = ", ".join([_name_check(page, name), *(_name_part(page, one) for one in parts)])
    told = [_tell(page, Check(name, "", None, one, None, "")) for one in (row.value, row.limit)]
    status = page.labels.code("diagnostic_status", row.status)
    return [_name_model(page, row.analysis), measure, check, *told, status]


def _name_part(page: Page, part: str) -> str:
    if part.isdigit():
        return page.formats.days(int(part))
    return page.say(f"referees.arm_{part}") if part in ARMS else part.replace("_", " ")


def _name_check(page: Page, name: str) -> str:
    for key in (f"referees.check_{name}", f"referees.{name}"):
        if key in load_texts():
            return page.say(key)
    return name.replace("_", " ")


def _name_model(page: Page, analysis: str) -> str:
    """An estimator with its variant: `cox_time_varying_unadjusted`."""
    for variant in ("main", "unadjusted"):
        if analysis.endswith(f"_{variant}"):
            label = page.labels.code("estimator", analysis.removesuffix(f"_{variant}"))
            kind = "unadjusted" if not page.plan.adjust_for else variant
            return page.say(f"referees.model_{kind}", estimator=label)
    label = page.labels.code("estimator", analysis)
    return label.replace("_", " ") if label == analysis else label


def show_method(page: Page) -> Html:
    """Method and assumptions, item by item."""
    rows = [[page.say(f"referees.method_{one}"), _tell_method(page, one)] for one in ITEMS]
    heads = [page.say("referees.method_item"), page.say("referees.method_how")]
    return render_table(page.say("referees.method_caption"), heads, rows, kind="words")


def _tell_method(page: Page, item: str) -> str:
    rules, gates = page.plan.disclosure, page.plan.gates
    if item in ("adjusted", "weights") and not page.plan.adjust_for:
        return page.say(f"referees.method_{item}_bare")
    truncate = page.plan.weights.truncate_at
    return page.say(
        f"referees.method_{item}_text",
        covariates=list_covariates(page),
        risk_day=page.plan.risk_level_by_day,
        below=rules.threshold - 1,
        rounding=rules.rounding,
        replicates=page.formats.count(page.plan.bootstrap.replicates),
        balance=page.formats.decimal(gates.largest_standardised_difference, 2),
        support=page.formats.percent(gates.share_outside_support, 0),
        quantile="–" if truncate is None else page.formats.percent(truncate, 0),
    )
