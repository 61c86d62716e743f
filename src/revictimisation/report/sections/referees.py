"""Page 07: weights, overlap, what could be seen, every estimator, and negative controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from revictimisation.report.love_plot import list_ticks
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.trials import (
    ARMS,
    CONTROL,
    FAILED,
    WEIGHTING,
    Check,
    find_checks,
    find_effect,
    has_rows,
    list_checks,
    list_main,
)
from revictimisation.report.verdicts import explain_near_in_time, is_joint, name_measure

# without the extremes (the largest weight, the least chance): one person's, never released
WEIGHT_CHECKS = ("n_uncensored", "share_censored", "weight_mean", "effective_sample_size")
OUTSIDE = "share_outside_support"
PARTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


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
    given = {"n_all": len(counted)}
    lead = (
        page.text("referees.lead_all", **given)
        if n_held == len(counted)
        else page.text("referees.lead", n_held=n_held, **given)
    )
    return join([lead, Text(explain_near_in_time(page))])


def describe_joint(page: Page) -> str:
    """That measures near in time are among those counted; empty where there are none."""
    names = [name_measure(page, one) for one in _list_measures(page) if is_joint(page, one)]
    return page.say("referees.with_joint", measures=list_names(page, names)) if names else ""


def _has_failed(page: Page, measure: str) -> bool:
    control = list_checks(page, measure, CONTROL["analysis"])
    return any(check.status == FAILED for check in (*list_checks(page, measure), *control))


def show_weights(page: Page) -> Piece:
    """What part of the clones left their weights are worth, by measure and arm, and the weights."""
    measures = _list_measures(page)
    rows, parts = [], {}
    for measure in measures:
        checks = list_checks(page, measure)
        for arm in ARMS:
            found = [find_checks(checks, check).get(arm) for check in WEIGHT_CHECKS]
            name = f"{name_measure(page, measure)}, {page.say(f'referees.arm_{arm}')}"
            rows.append([name, *(describe_check(page, one) for one in found)])
            parts[measure, arm] = _find_part(*(found[at] for at in (0, -1)))
    if not rows:
        return page.text("referees.none")
    series = [DotSeries(page.say(f"referees.arm_{arm}"), [parts[one, arm] for one in measures],
                        look=f"strategies.{arm}")
              for arm in ARMS]  # fmt: skip
    scale = Scale(page.formats.way("percent_short"), PARTS, page.say("referees.weights_axis"))
    picture = Dots([name_measure(page, one) for one in measures], series, scale)
    known = [point[0] for point in parts.values() if point]
    least = page.formats.percent(min(known, default=0.0), 0)
    alt, caption = (page.say(f"referees.weights_{one}", least=least) for one in ("alt", "caption"))
    figure = page.figure(picture, alt, caption, _table(page, "weights", WEIGHT_CHECKS, rows))
    return join([figure, page.text("referees.weights_text")])


def _find_part(clones: Check | None, effective: Check | None) -> Point | None:
    """The effective number of the clones left, as a part of them."""
    n, worth = (check.known if check else None for check in (clones, effective))
    return (min(worth / n, 1.0), None, None) if n and worth is not None else None


def _table(page: Page, part: str, names: Sequence[str], rows: list[list[Any]]) -> Piece:
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.say(f"referees.{name}") for name in names)]
    return page.table(page.say(f"referees.caption_{part}"), heads, rows, explain_dash(page, rows))


def explain_dash(
    page: Page, rows: Sequence[Sequence[Any]], note: str = "common.note_suppressed"
) -> list[str]:
    """What a dash means, where there is one."""
    return [page.say(note)] if any(DASH in row for row in rows) else []


def describe_check(page: Page, check: Check | None) -> str:
    """A check's value as it is written, by what it measures."""
    if check is None or check.known is None:
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


def show_support(page: Page) -> Piece:
    """Overlap: the share whose chance of a start has no like in the other arm, with its limit."""
    rows: list[list[str]] = []
    points: list[Point | None] = []
    n_held = 0
    for measure in _list_measures(page):
        check = find_checks(list_checks(page, measure), OUTSIDE).get("")
        n_held += check is not None and check.status != FAILED
        rows.append([name_measure(page, measure), describe_check(page, check)])
        known = check.known if check else None
        points.append(None if known is None else (known, None, None))
    if not rows:
        return page.text("referees.none")
    limit = page.plan.gates.share_outside_support
    ticks = list_ticks(max([limit, *(point[0] for point in points if point)]))
    write, axis = page.formats.way("percent_short"), page.say("referees.share_outside_support")
    picture = Dots([row[0] for row in rows], [DotSeries(axis, points)],
                   Scale(write, ticks, axis, reference=limit))  # fmt: skip
    given = {"limit": page.formats.percent(limit, 0), "n_all": len(rows), "n_held": n_held}
    alt, caption = (page.say(f"referees.support_{one}", **given) for one in ("alt", "caption"))
    figure = page.figure(picture, alt, caption, _table(page, "support", (OUTSIDE,), rows))
    return join([figure, page.text("referees.support_text"), Text(describe_joint(page), "note")])


def show_detectable(page: Page) -> Piece:
    """The smallest difference that would have been seen with 80 % power, by day."""
    days = page.plan.days_within_horizon
    rows = []
    for measure in _list_measures(page):
        checks = list_checks(page, measure)
        found = [find_checks(checks, "minimum_detectable_difference", day).get("") for day in days]
        rows.append([name_measure(page, measure), *(_points(page, one) for one in found)])
    if not rows:
        return page.text("referees.none")
    heads = [page.say("common.measure"), *(page.formats.period(day) for day in days)]
    notes = explain_dash(page, rows, "referees.detectable_note")
    return page.table(page.say("referees.detectable_caption"), heads, rows, notes)


def _points(page: Page, check: Check | None) -> str:
    if check is None or check.known is None:
        return DASH
    return page.formats.decimal(check.known * 100, 1)


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
        rows.append([name_measure(page, measure), *cells])
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
    return join([page.heading("referees.controls", level=3), text, table])
