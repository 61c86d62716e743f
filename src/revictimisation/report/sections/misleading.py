"""Notebook 3: ever against never beside the answer, and why the two differ."""

from __future__ import annotations

from revictimisation.report.described import NOTHING, Dots, Folded, Piece, join
from revictimisation.report.natural_frequencies import show_gap, show_hundred
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import make_scale, make_series
from revictimisation.report.sections.trial_table import list_covariates
from revictimisation.report.trials import DIFFERENCE, find_effect, list_first
from revictimisation.report.verdicts import OPEN, judge, name_answer


def find_crude(page: Page, measure: str, estimand: str = DIFFERENCE) -> Number:
    """A number of the comparison of ever against never, by the last of the study's days."""
    return find_effect(page, measure, estimand, estimator="crude")


def show_why(page: Page) -> Piece:
    """Why the simple comparison misleads, in words."""
    if not page.plan.adjust_for:
        return page.text("effects.misleads_unadjusted")
    return page.text("effects.misleads_text", covariates=list_covariates(page))


def show_contrast(page: Page) -> Piece:
    """Both ways to count beside each other: picture, sentence, numbers.

    Of measures without an answer the simple comparison stands only with what is for referees.
    """
    measures = list_first(page)
    crude = [find_crude(page, measure) for measure in measures]
    right = [find_effect(page, measure) for measure in measures]
    if not any(one.is_shown for one in (*crude, *right)):
        return page.text("trials.none")
    counts = {
        "n_crude": count_more(crude),
        "n_crude_all": sum(one.is_shown for one in crude),
        "n_right": count_more(right),
        "n_right_all": sum(one.is_shown for one in right),
    }
    series = [
        make_series(page.say("effects.series_right"), right),
        make_series(page.say("effects.series_crude"), crude),
    ]
    names = [name_answer(page, measure) for measure in measures]
    picture = Dots(names, series, make_scale(page, [*crude, *right]))
    rows = [
        [name, show_gap(page, one), show_gap(page, other)]
        for name, one, other in zip(names, crude, right, strict=True)
    ]
    heads = [page.say("common.measure"), page.say("effects.series_crude"),
             page.say("effects.series_right")]  # fmt: skip
    period = page.formats.period(page.last_day)
    title = page.say("trials.ways_table", period=period)
    table = page.table(title, heads, rows)
    alt = page.say("effects.misleads_alt", **counts)
    figure = page.figure(picture, alt, page.say("effects.misleads_caption", period=period), table)
    is_whole = len(measures) == len(page.plan.measure_names)
    left_out = NOTHING if is_whole else page.text("effects.misleads_left_out")
    return join([_describe_counts(page, right, counts), figure, left_out])


def _describe_counts(page: Page, right: list[Number], counts: dict[str, int]) -> Piece:
    """How many of each way lie on the side of more, and whether all right answers are unclear."""
    key = "effects.misleads_count" if page.plan.adjust_for else "effects.misleads_count_bare"
    verdicts = {judge(one, same=0.0) for one in right if one.is_shown}
    unclear = f" {page.say('effects.misleads_unclear')}" if verdicts == {OPEN} else ""
    return page.text(key, unclear=unclear, **counts)


def count_more(numbers: list[Number]) -> int:
    """How many differences lie on the side of more, whatever their intervals."""
    return sum(number.is_shown and (number.estimate or 0) > 0 for number in numbers)


def show_crude(page: Page) -> Piece:
    """The risks behind the comparison that misleads, with their events; folded, for referees."""
    rows = []
    for name in page.plan.measure_names:
        risks = [find_crude(page, name, f"risk_{arm}") for arm in ("start", "no_start")]
        gap, ratio = find_crude(page, name), find_crude(page, name, "risk_ratio")
        cells = [show_hundred(page, risk) for risk in risks]
        events = [DASH if risk.n_events is None else page.formats.count(risk.n_events)
                  for risk in risks]  # fmt: skip
        rows.append(
            [name_answer(page, name), *cells, show_gap(page, gap), page.show_ratio_both(ratio),
             " + ".join(events)]
        )  # fmt: skip
    heads = [page.say("common.measure"), *(
        page.say(f"effects.crude_{one}")
        for one in ("start", "no_start", "difference", "ratio", "events")
    )]  # fmt: skip
    caption = page.say("effects.crude_table", period=page.formats.period(page.last_day))
    notes = [page.say("effects.crude_note")]
    return Folded(caption, page.table(caption, heads, rows, notes))
