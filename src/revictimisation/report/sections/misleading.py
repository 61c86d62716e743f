"""Notebook 3: ever against never beside the adjusted answer, and what stands behind both."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revictimisation.report import charts
from revictimisation.report.markup import Html, join, render_details, render_figure, render_table
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number, list_rows
from revictimisation.report.sections.cohort import list_words
from revictimisation.report.sections.effects import (
    find_crude,
    find_ratio,
)
from revictimisation.report.texts import load_texts
from revictimisation.report.verdicts import name_measure

# ratios and the texts that say them in words
TICKS = {
    0.1: "tenth",
    0.2: "fifth",
    0.5: "half",
    1.0: "same",
    2.0: "twice",
    5.0: "five",
    10.0: "ten",
}
ITEMS = ("incidence", "model", "errors", "adjusted", "ties", "crude", "assumptions", "small")


def show_why(page: Page) -> Html:
    """Why the simple comparison misleads, in words."""
    if not page.plan.adjust_for:
        return page.text("effects.misleads_unadjusted")
    return page.text("effects.misleads_text", covariates=_tell_covariates(page))


def _tell_covariates(page: Page) -> str:
    names = [page.labels.group(name).lower() for name in page.plan.adjust_for]
    return list_words(names, page.say("effects.and"))


def show_contrast(page: Page) -> Html:
    """Both ways to count beside each other: picture, sentence, numbers."""
    measures = page.plan.measure_names
    crude = [find_crude(page, one, "risk_ratio") for one in measures]
    adjusted = [find_ratio(page, one) for one in measures]
    if not any(one.is_shown for one in (*crude, *adjusted)):
        return page.text("effects.misleads_none")
    counts = {
        "n_crude": count_above(crude),
        "n_adjusted": count_above(adjusted),
        "n_all": len(measures),
    }
    kind = "adjusted" if page.plan.adjust_for else "by_day"
    series = [
        charts.DotSeries(page.say(f"effects.series_{kind}"), points(adjusted)),
        charts.DotSeries(page.say("effects.series_crude"), points(crude), is_filled=False),
    ]
    names = [name_measure(page, one) for one in measures]
    wide, narrow = charts.draw_dots(names, series, make_scale(page, [*crude, *adjusted]))
    rows = [
        [name, page.show_ratio_both(one), page.show_ratio_both(other)]
        for name, one, other in zip(names, crude, adjusted, strict=True)
    ]
    heads = [page.say(f"effects.series_{one}") for one in ("crude", kind)]
    caption = page.say("effects.misleads_caption")
    notes = page.notes([*crude, *adjusted])
    table = render_table(caption, [page.say("common.measure"), *heads], rows, notes)
    alt = page.say("effects.misleads_alt", **counts)
    behind = page.say("common.numbers_behind")
    figure = render_figure(wide, narrow, alt, caption, behind, table)
    return join([page.text("effects.misleads_count", **counts), figure])


def count_above(numbers: list[Number]) -> int:
    """How many lie above 1, whatever their intervals."""
    return sum(one.is_shown and (one.estimate or 0) > 1 for one in numbers)


def points(numbers: list[Number]) -> list[charts.Point | None]:
    """Estimates with intervals for a picture; None where there is nothing to show."""
    return [
        (one.estimate or 0.0, one.ci_low, one.ci_high) if one.is_shown and one.estimate else None
        for one in numbers
    ]


def make_scale(page: Page, numbers: list[Number]) -> charts.Scale:
    """A logarithmic axis around 1 that holds every interval, its ticks in words."""
    shown = [one for one in numbers if one.is_shown and one.estimate]
    low = min(one.ci_low or one.estimate or 1.0 for one in shown)
    high = max(one.ci_high or one.estimate or 1.0 for one in shown)
    first = max((tick for tick in TICKS if tick <= min(low, 0.5)), default=min(TICKS))
    last = min((tick for tick in TICKS if tick >= max(high, 2.0)), default=max(TICKS))
    return charts.Scale(
        lambda ratio: page.say(f"effects.tick_{TICKS[ratio]}"),
        [tick for tick in TICKS if first <= tick <= last],
        page.say("effects.ratio_axis"),
        is_log=True,
        reference=1.0,
        sides=(page.say("effects.side_fewer"), page.say("effects.side_more")),
    )


def show_crude(page: Page) -> Html:
    """The risks behind the comparison that misleads, folded."""
    kinds = ("risk_start", "risk_no_start", "risk_difference", "risk_ratio")
    rows, numbers = [], []
    for name in page.plan.measure_names:
        found = [find_crude(page, name, kind) for kind in kinds]
        numbers += found
        start, no_start, difference, ratio = found
        rows.append(
            [name_measure(page, name), page.show_share(start), page.show_share(no_start),
             page.show(difference, lambda one: _points(page, one)), page.show_ratio_both(ratio)]
        )  # fmt: skip
    heads = [page.say("common.measure"), *(
        page.say(f"effects.crude_{one}") for one in ("start", "no_start", "difference", "ratio")
    )]  # fmt: skip
    caption = page.say("effects.crude_table", period=page.formats.period(page.last_day))
    notes = [*page.notes(numbers), page.say("effects.crude_note")]
    return render_details(caption, render_table(caption, heads, rows, notes))


def _points(page: Page, number: Number) -> str:
    told = page.formats.points(number.estimate or 0)
    if number.ci_low is None or number.ci_high is None:
        return told
    low, high = page.formats.points(number.ci_low), page.formats.points(number.ci_high)
    return page.say("effects.points_span", estimate=told, low=low, high=high)


def show_method(page: Page) -> Html:
    """Method, assumptions and checks for a referee, folded."""
    rows = [[page.say(f"effects.referee_{one}"), _tell_method(page, one)] for one in ITEMS]
    heads = [page.say("effects.referee_item"), page.say("effects.referee_how")]
    table = render_table(page.say("effects.referee_caption"), heads, rows, kind="words")
    return render_details(page.say("effects.referee_summary"), join([table, _checks(page)]))


def _tell_method(page: Page, item: str) -> str:
    rules = page.plan.disclosure
    if item == "adjusted" and not page.plan.adjust_for:
        return page.say("effects.referee_adjusted_none")
    return page.say(
        f"effects.referee_{item}_text",
        covariates=_tell_covariates(page),
        risk_day=page.plan.risk_level_by_day,
        below=rules.threshold - 1,
        rounding=rules.rounding,
    )


def _checks(page: Page) -> Html:
    rows = []
    for row in list_rows(page.release.diagnostics):
        if row.measure:  # the checks of a single measure's comparison, which is not shown here
            continue
        estimator, _, analysis = row.analysis.rpartition("_")
        label = page.labels.code("estimator", estimator)
        model = page.say(f"effects.model_{analysis}", estimator=label)
        key = f"effects.check_{row.check}"
        check = page.say(key) if key in load_texts() else row.check.replace("_", " ")
        rows.append([model, check, _tell_check(page, row.check, row.value)])
    if not rows:
        return Html("")
    heads = [page.say(f"effects.diagnostics_{one}") for one in ("model", "check", "value")]
    return render_table(page.say("effects.diagnostics_caption"), heads, rows)


def _tell_check(page: Page, check: str, value: Any) -> str:
    if pd.isna(value):
        return DASH
    if check.startswith("is_"):
        return page.labels.code("yes_no", "true" if value else "false")
    return page.formats.count(value)
