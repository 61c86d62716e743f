"""Notebook 3: how many report again, and what can be said about each measure."""

from __future__ import annotations

from revictimisation.report import charts
from revictimisation.report.markup import Html, join, render_figure, render_table
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.cohort import find_incidence
from revictimisation.report.sections.groups import make_curve, time_ticks
from revictimisation.report.sections.use import name_risk
from revictimisation.report.texts import load_references
from revictimisation.report.verdicts import (
    FEWER,
    MORE,
    OPEN,
    judge,
    name_measure,
    tell_verdict,
)

COX, RECURRENT = "cox_time_varying", "andersen_gill"


def find_ratio(page: Page, measure: str, estimator: str = COX, analysis: str = "main") -> Number:
    """A measure's hazard ratio, or why there is none."""
    keys = {"question": "q2", "measure": measure, "outcome": page.plan.outcome.who}
    keys |= {"estimator": estimator, "analysis": analysis}
    ratio = page.release.find(estimand="hazard_ratio", **keys)
    if ratio.reason == "not_computed":
        return page.release.find(estimand="log_hazard_ratio", **keys)
    return ratio


def find_crude(page: Page, measure: str, estimand: str) -> Number:
    """A number of the comparison of ever against never, by the last of the study's days."""
    keys: dict[str, str | int] = {
        "question": "q2",
        "measure": measure,
        "outcome": page.plan.outcome.who,
        "estimator": "crude",
        "time_days": page.last_day,
    }
    found = page.release.find(estimand=estimand, **keys)
    if found.reason == "not_computed":
        return page.release.find(estimand="risk_difference", **keys)
    return found


def tell_against(page: Page) -> str:
    """`mot samma misstänkta person`, or against any."""
    return page.say(f"effects.against_{page.plan.outcome.who}")


def count_verdicts(page: Page) -> dict[str, int]:
    """How many of the study's measures get each verdict."""
    verdicts = [judge(find_ratio(page, name)) for name in page.plan.measure_names]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def show_lead(page: Page) -> Html:
    """The answer in a few sentences, with what it rests on."""
    number = find_incidence(page, page.plan.outcome.who)
    if not number.has_interval:
        why = page.text("effects.lead_hidden", why=page.why_not(number))
        return join([why, page.text("effects.lead_caution")])
    counts = count_verdicts(page)
    lead = page.say(
        "effects.lead",
        n_entries=page.formats.count(number.n_people or 0),
        share=page.formats.of_hundred(number.estimate or 0),
        against=tell_against(page),
        period=page.formats.period(page.last_day),
        interval=page.show_share_interval(number),
        n_fewer=counts.get(FEWER, 0),
        n_measures=len(page.plan.measure_names),
    )
    for verdict in (OPEN, MORE):
        if counts.get(verdict):
            lead += " " + page.say(f"effects.lead_{verdict}", **{f"n_{verdict}": counts[verdict]})
    return join([page.text_of(lead), page.text("effects.lead_caution")])


def _curve(page: Page, name: str, **keys: str) -> charts.CurveSeries:
    who = page.plan.outcome.who
    found = [
        (day, find_incidence(page, who, analysis="curve", time_days=day, **keys))
        for day in page.plan.curve_days
    ]
    return make_curve(name, found)


def show_incidence(page: Page) -> Html:
    """The share with a new report over time: curve, sentence, and numbers at the study's days."""
    curve = _curve(page, "")
    days = _reported_days(page)
    numbers = [find_incidence(page, page.plan.outcome.who, time_days=day) for day in days]
    if not curve.days:
        why = page.why_not(numbers[-1]) if numbers else page.say("common.reason_not_computed")
        return page.text("common.nothing_to_show", why=why)
    wide, narrow = charts.draw_curves([curve], _ticks(page), page.formats.percent_short)
    caption = page.say("effects.incidence_caption", against=tell_against(page))
    alt = page.say("effects.incidence_alt", ends=_tell_ends(page, days, numbers))
    table = _incidence_table(page, days, numbers)
    behind = page.say("common.numbers_behind")
    figure = render_figure(wide, narrow, alt, caption, behind, table)
    return join([_tell_front(page, days, numbers), figure])


def _reported_days(page: Page) -> list[int]:
    return [day for day in page.plan.report_at_days if day <= page.plan.horizon_days]


def _ticks(page: Page) -> list[tuple[float, str]]:
    return [
        (0.0, "0"),
        *(
            (float(day), page.formats.period(day))
            for day in time_ticks(page, page.plan.horizon_days)
        ),
    ]


def _tell_ends(page: Page, days: list[int], numbers: list[Number]) -> str:
    return " ".join(
        page.say(
            "effects.incidence_end",
            period=page.formats.period(day),
            share=page.show_share(one),
            interval=page.show_share_interval(one),
        )
        for day, one in zip(days, numbers, strict=True)
        if one.has_interval
    )


def _tell_front(page: Page, days: list[int], numbers: list[Number]) -> Html:
    """The share at the first and at the last of the study's days."""
    if len(days) < 2 or not (numbers[0].has_interval and numbers[-1].has_interval):
        return Html("")
    values = {}
    for place, day, number in zip(
        ("early", "late"), (days[0], days[-1]), (numbers[0], numbers[-1]), strict=True
    ):
        values[f"{place}_period"] = page.formats.period(day)
        values[place] = page.formats.of_hundred(number.estimate or 0)
        values[f"{place}_interval"] = page.show_share_interval(number)
    return page.text("effects.incidence_text", **values)


def _incidence_table(page: Page, days: list[int], numbers: list[Number]) -> Html:
    rows = []
    for day, number in zip(days, numbers, strict=True):
        naive = find_incidence(page, page.plan.outcome.who, time_days=day, estimator="kaplan_meier")
        rows.append(
            [page.formats.period(day), page.show_events(number), page.show_share(number),
             page.show_share_interval(number), page.show_share(naive)]
        )  # fmt: skip
    heads = [page.say("common.time"), page.say("effects.incidence_people"),
             page.say("common.share"), page.say("common.interval"),
             page.say("effects.incidence_km")]  # fmt: skip
    notes = [*page.notes(numbers), page.say("effects.incidence_km_note")]
    return render_table(page.say("effects.incidence_table"), heads, rows, notes)


def show_reference(page: Page) -> Html:
    """The published figure that gave rise to the study, beside the study's own."""
    number = find_incidence(page, page.plan.outcome.who)
    known = load_references()["new_report_four_years"]
    theirs = Number(known["estimate"], known["ci_low"], known["ci_high"], status="ok")
    rows = [
        [page.say("effects.reference_row", n=page.formats.count(known["n_people"])),
         page.formats.period(int(known["time_days"])), page.formats.percent(known["estimate"], 0),
         page.formats.percent_range(known["ci_low"], known["ci_high"], 0)],
        [page.say("effects.reference_own", n=page.show(
            number, lambda one: page.formats.count(one.n_people or 0))),
         page.formats.period(page.last_day), page.show_share(number),
         page.show_share_interval(number)],
    ]  # fmt: skip
    heads = ["", page.say("common.time"), page.say("common.share"), page.say("common.interval")]
    notes = [*page.notes([number]), page.say("effects.reference_caution")]
    table = render_table(page.say("effects.reference_caption"), heads, rows, notes)
    if not number.has_interval:
        return table
    lead = page.text(
        "effects.reference_text",
        ref_share=page.formats.of_hundred(theirs.estimate or 0),
        ref_n=page.formats.count(known["n_people"]),
        ref_period=page.formats.period(int(known["time_days"])),
        ref_interval=page.formats.percent_range(known["ci_low"], known["ci_high"], 0),
        share=page.formats.of_hundred(number.estimate or 0),
        period=page.formats.period(page.last_day),
        interval=page.show_share_interval(number),
    )
    return join([lead, table])


def show_by_risk(page: Page) -> Html:
    """The share with a new report over time, by assessed risk."""
    levels = page.levels("q2", "risk_level")
    curves = [
        (level, _curve(page, name_risk(page, level), subgroup="risk_level", level=level))
        for level in levels
    ]
    drawn = [curve for _, curve in curves if curve.days]
    if not drawn:
        return page.text("common.absent_risk")
    wide, narrow = charts.draw_curves(drawn, _ticks(page), page.formats.percent_short)
    given = {"against": tell_against(page), "risk_day": page.plan.risk_level_by_day}
    caption = page.say("effects.risk_caption", **given)
    days = _reported_days(page)
    rows, numbers, ends = [], [], []
    for level in levels:
        keys = {"subgroup": "risk_level", "level": level}
        found = [find_incidence(page, page.plan.outcome.who, time_days=d, **keys) for d in days]
        numbers += found
        cells = [page.show_share_both(one) for one in found]
        rows.append([name_risk(page, level), *cells])
        ends.append(f"{name_risk(page, level)}: {_tell_ends(page, days[-1:], found[-1:])}")
    heads = [page.labels.group("risk_level"), *(page.formats.period(day) for day in days)]
    table = render_table(page.say("effects.incidence_table"), heads, rows, page.notes(numbers))
    alt = page.say("effects.risk_alt", ends=" ".join(ends))
    behind = page.say("common.numbers_behind")
    figure = render_figure(wide, narrow, alt, caption, behind, table)
    return join([figure, page.text("effects.risk_text")])


def show_verdicts(page: Page) -> Html:
    """What can be said about each measure, a sentence each."""
    items = []
    for name in page.plan.measure_names:
        ratio = find_ratio(page, name)
        told = page.text_of(tell_verdict(page, name, ratio)).text
        items.append(f'<li class="{judge(ratio)}">{told}</li>')
    return join(
        [page.text("effects.verdicts_text"), Html(f'<ul class="verdicts">{"".join(items)}</ul>')]
    )


def show_ratios(page: Page) -> Html:
    """Hazard ratios of each measure, unadjusted and adjusted."""
    rows, numbers = [], []
    for name in page.plan.measure_names:
        plain, adjusted = find_ratio(page, name, analysis="unadjusted"), find_ratio(page, name)
        numbers += [plain, adjusted]
        counts = [adjusted.n_people, adjusted.n_events]
        told = ["–" if one is None else page.formats.count(one) for one in counts]
        rows.append(
            [
                name_measure(page, name),
                *told,
                page.show_ratio_both(plain),
                page.show_ratio_both(adjusted),
            ]
        )
    heads = [page.say("common.measure"), *(
        page.say(f"effects.ratios_{one}") for one in ("people", "events", "unadjusted", "adjusted")
    )]  # fmt: skip
    notes = [*page.notes(numbers), page.say("effects.ratios_text")]
    return render_table(page.say("effects.ratios_caption"), heads, rows, notes)


def show_recurrent(page: Page) -> Html:
    """The first new report beside all of them."""
    rows, numbers, same = [], [], 0
    for name in page.plan.measure_names:
        first, every = find_ratio(page, name), find_ratio(page, name, estimator=RECURRENT)
        numbers += [first, every]
        if first.is_shown and every.is_shown:
            same += ((first.estimate or 1) < 1) == ((every.estimate or 1) < 1)
        rows.append(
            [name_measure(page, name), page.show_ratio_both(first), page.show_ratio_both(every)]
        )
    heads = [page.say("common.measure"), page.say("effects.recurrent_first"),
             page.say("effects.recurrent_all")]  # fmt: skip
    table = render_table(page.say("effects.recurrent_caption"), heads, rows, page.notes(numbers))
    count = page.text("effects.recurrent_count", n_same=same, n_all=len(rows))
    return join([page.text("effects.recurrent_text"), count, table])


def show_caution(page: Page) -> Html:
    """What the numbers allow, and what they do not."""
    return page.text("effects.caution_text")
