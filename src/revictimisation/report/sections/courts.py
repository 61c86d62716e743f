"""Page 05: question 4, what became of the reports in court, and what goes with a conviction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.report.described import (
    NOTHING,
    Areas,
    AreaSeries,
    Cell,
    Folded,
    Forest,
    ForestRow,
    Piece,
    Text,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import SIGNIFICANCE, widen_for_family
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import SHARE, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish, list_names, make_scale
from revictimisation.report.sections.words import describe_word
from revictimisation.report.trials import list_main
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, judge, name_measure

RUNGS = ("cleared", "prosecuted", "sanctioned", "convicted")
EXPLAINED = ("cleared", "sanctioned", "convicted")
DENOMINATORS = ("of_reports", "of_prosecuted", "of_tried")
PERIODS = ("", "before_change", "from_change")
# how a case may have ended, from below; what is left is open
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "convicted": ("convicted",),
    "other": ("acquitted", "summary_penalty", "prosecution_waived", "prosecution_dropped"),
    "discontinued": ("discontinued", "not_investigated"),
}
LEAST_DAYS = 3  # of a picture
SETTLED = 0.01  # with fewer open cases nothing more happens in the picture
STARTED, NOT_STARTED, GAP = "risk_start", "risk_no_start", "risk_difference"
ESTIMATORS = ("standardised_logistic", "firth_logistic")
DETECTABLE = 2.8016  # standard errors: two-sided 5 %, power 80 %, one test
REASON = "closing_reason"


def find_reached(page: Page, outcome: str, day: int, **keys: str) -> Number:
    """The share of index reports that have come to a rung of the ladder by a day."""
    given: dict[str, str | int] = {
        "question": "q4", "analysis": "ladder", "outcome": outcome, "time_days": day,
        "estimator": "aalen_johansen", "estimand": "cumulative_incidence", **keys,
    }  # fmt: skip
    return page.release.find(**given)


def find_standing(page: Page, state: str, day: int) -> Number:
    """The share of cases that stand in a state on a day of the curve."""
    return page.release.find(
        question="q4", analysis="ladder_curve", subgroup="case_state", level=state,
        outcome="case_state", estimator="aalen_johansen", estimand="share", time_days=day,
    )  # fmt: skip


def find_share_of(page: Page, denominator: str, period: str = "") -> Number:
    """The share convicted over one of the three denominators, at the last day."""
    keys = {"subgroup": "definition_period", "level": period} if period else {}
    if denominator != "of_tried":
        return find_reached(page, "convicted", page.last_day, analysis=denominator, **keys)
    return page.release.find(question="q4", analysis=denominator, outcome="convicted",
                             estimator="description", estimand="share", **keys)  # fmt: skip


def find_association(page: Page, measure: str, estimand: str, analysis: str = "main") -> Number:
    """A standardised share or difference at the last day, by whichever estimator was used."""
    names = ("crude",) if analysis == "unadjusted" else ESTIMATORS
    found = [
        page.release.find(question="q4", analysis=analysis, measure=measure, outcome="convicted",
                          estimator=name, estimand=estimand, time_days=page.last_day)
        for name in names
    ]  # fmt: skip
    told = [one for one in found if one.reason != "not_computed"]
    return told[0] if told else found[0]


def find_sure(page: Page) -> set[str]:
    """The measures whose difference is more than chance, all of them tested together (Holm)."""
    p_values = {measure: find_association(page, measure, "p_value_holm")
                for measure in page.plan.measure_names}  # fmt: skip
    return {measure for measure, one in p_values.items()
            if one.is_shown and (one.estimate or 0.0) < SIGNIFICANCE}  # fmt: skip


def describe_convictions(page: Page) -> str:
    """The answer for the first page, in a line."""
    share = find_reached(page, "convicted", page.last_day)
    if not share.is_shown:
        return page.say("courts.lead_hidden", why=page.why_not(share))
    told = page.say("courts.line", share=page.formats.count((share.estimate or 0.0) * 100),
                    period=page.formats.period(page.last_day))  # fmt: skip
    _, ending, given = _count(page)
    return f"{told} {page.say(f'courts.line_{ending}', **given)}" if given["n"] else told


def describe_answer(page: Page) -> str:
    """For how many measures there is an association, and how large a one would have been seen."""
    errors, ending, given = _count(page)
    if not errors:
        return page.say("courts.answer_hidden")
    seen = DETECTABLE * widen_for_family(len(errors)) * min(errors)
    told = page.say("courts.answer_seen", least=count_people(page, seen))
    return f"{page.say(f'courts.answer_{ending}', **given)} {told}"


def _count(page: Page) -> tuple[list[float], str, dict[str, Any]]:
    """The errors of all differences, whether any is sure (`some`, `none`), and what to name.

    Without measures near in time, which are made of the others.
    """
    found = [find_association(page, one, GAP) for one in list_main(page)]
    errors = [one.se for one in found if one.has_interval and one.se]
    sure = [name_measure(page, one) for one in list_main(page) if one in find_sure(page)]
    given = {"n": len(errors), "n_sure": len(sure), "measures": list_names(page, sure)}
    return errors, "some" if sure else "none", given


def show_lead(page: Page) -> Piece:
    """How many of a hundred reports end in a conviction, and whether any measure goes with one."""
    share = find_reached(page, "convicted", page.last_day)
    if not share.has_interval:
        told = page.text("courts.lead_hidden", why=page.why_not(share))
    else:
        told = page.text(
            "courts.lead", share=page.formats.of_hundred(share.estimate or 0.0),
            period=page.formats.period(page.last_day), between=page.show_share_interval(share),
            n_entries=page.formats.count(share.n_people or 0),
        )  # fmt: skip
    return join([told, Text(describe_answer(page)), page.text("courts.lead_association")])


def show_ladder(page: Page) -> Piece:
    """From report to suspect, prosecution and conviction, a bar for each step."""
    rows = []
    for outcome in RUNGS:
        one = find_reached(page, outcome, page.last_day)
        rows.append([start_upper(page.say(f"courts.rung_{outcome}")), page.show_bar(one)])
    heads = [page.say("courts.step"), page.say("common.share")]
    share = find_reached(page, "prosecuted", page.last_day)
    key = "ladder_caption" if share.is_shown else "ladder_plain"
    given = {"share": page.formats.of_hundred(share.estimate or 0.0)} if share.is_shown else {}
    caption = page.say(f"courts.{key}", period=page.formats.period(page.last_day), **given)
    table = page.table(caption, heads, rows, kind="bars")
    steps = Text("\n".join(f"- {describe_word(page, 'court', one)}" for one in EXPLAINED))
    folded = Folded(page.say("courts.steps"), steps)
    known = _count_known(page)
    note: Piece = NOTHING
    if known is not None:
        note = page.text("courts.ladder_note", share=page.formats.of_hundred(known))
    return join([table, note, folded, _describe_reasons(page)])


def _count_known(page: Page) -> float | None:
    """The share of the extract's rows of reports that name a suspect; None where it is not told."""
    attrition = page.release.attrition
    mine = attrition[attrition["step"].eq("reports")].set_index("reason")["n_reports"]
    counts = [mine.get(reason) for reason in ("in_extract", "suspect_unknown")]
    if any(pd.isna(one) for one in counts) or not counts[0]:
        return None
    every, known = (int(one or 0) for one in counts)
    return known / every


def _describe_reasons(page: Page) -> Piece:
    """The two commonest reasons for which cases are discontinued."""
    found = [
        (reason, find_reached(page, "discontinued", page.last_day, subgroup=REASON, level=reason))
        for reason in page.levels("q4", REASON)
    ]
    shown = sorted(
        ((one.estimate or 0.0, reason) for reason, one in found if one.is_shown), reverse=True
    )
    if len(shown) < 2:
        return NOTHING
    told = [
        page.say(
            "courts.reason_one",
            reason=_name_reason(page, reason),
            share=page.formats.of_hundred(share),
        )
        for share, reason in shown[:2]
    ]
    of_shown = page.say_of_shown(one for _, one in found)
    return page.text("courts.reasons", reasons=list_names(page, told), of_shown=of_shown)


def _name_reason(page: Page, reason: str) -> str:
    label = page.labels.code(REASON, reason)
    return page.labels.code("common", reason) if label == reason else label


def show_states(page: Page) -> Piece:
    """Where the cases stand by each day, drawn to a hundred with those that are still open."""
    table, days = _states_table(page), page.plan.days_within_horizon
    curves = {ending: [_find_points(page, state) for state in states]
              for ending, states in ENDINGS.items()}  # fmt: skip
    told = {day for found in curves.values() for points in found for day, _ in points}
    if len(told) < LEAST_DAYS or not days:
        return table
    grid = sorted({0, *told, *days})
    ended = {ending: sum(_fill(points, grid) for points in found)
             for ending, found in curves.items()}  # fmt: skip
    rest = np.maximum(1.0 - sum(ended.values()), 0.0)
    until = next((day for day in days if day in told and rest[grid.index(day)] < SETTLED), grid[-1])
    kept = slice(grid.index(until) + 1)
    series = [
        AreaSeries(page.say(f"courts.state_{ending}"), _list(share[kept]), f"states.{ending}",
                   _write_end(page, curves[ending], until))
        for ending, share in ended.items()
    ]  # fmt: skip
    series.append(AreaSeries(page.say("courts.state_open"), _list(rest[kept])))
    ticks = [(0.0, "0"), *((float(day), page.formats.period(day)) for day in days if day <= until)]
    picture = Areas(_list(grid[kept]), series, ticks, page.formats.way("percent_short"),
                    page.say("courts.states_share"))  # fmt: skip
    title = _describe_states(page, days[0])
    ends = ", ".join(f"{one.name} {one.told}" for one in series if one.told)
    if ends:
        ends = page.say("courts.states_ends", until=page.formats.period(until), ends=ends)
    alt = page.say("courts.states_alt", finding=title, ends=ends).strip()
    return join([page.figure(picture, alt, title, table), page.text("courts.states_note")])


def _find_points(page: Page, state: str) -> list[tuple[int, float]]:
    found = ((day, find_standing(page, state, day)) for day in page.plan.curve_days)
    return [(day, one.estimate or 0.0) for day, one in found if one.is_shown]


def _fill(points: list[tuple[int, float]], grid: Sequence[int]) -> Any:
    """Straight lines between the days that are told, from none on day 0."""
    known = dict([(0, 0.0), *points])
    return np.interp(grid, [*known], [*known.values()])


def _list(numbers: Any) -> tuple[float, ...]:
    return tuple(round(float(one), 6) for one in numbers)


def _write_end(page: Page, found: list[list[tuple[int, float]]], day: int) -> str:
    """An ending's share by a day; nothing where it is not told of that day."""
    shares = [dict(points).get(day) for points in filter(None, found)]
    if not shares or None in shares:
        return ""
    return page.formats.percent_short(sum(share or 0.0 for share in shares))


def _describe_states(page: Page, day: int) -> str:
    """How many cases are discontinued by a day, where that is told."""
    share = find_reached(page, "discontinued", day)
    if not share.is_shown:
        return page.say("courts.states_plain")
    told = page.formats.of_hundred(share.estimate or 0.0)
    return page.say("courts.states_title", period=page.formats.period(day), share=told)


def _states_table(page: Page) -> Piece:
    states = [
        state
        for state in page.levels("q4", "case_state")
        if any(find_standing(page, state, day).estimate for day in page.plan.curve_days)
    ]
    days = [day for day in (0, *page.plan.days_within_horizon)
            if any(find_standing(page, state, day).is_shown for state in states)]  # fmt: skip
    rows = [[page.labels.code("case_state", state),
             *(page.show_share(find_standing(page, state, day)) for day in days)]
            for state in states]  # fmt: skip
    heads = [
        page.say("courts.state"),
        *(page.formats.period(day) if day else page.say("courts.at_once") for day in days),
    ]
    return page.table(page.say("courts.states_table"), heads, rows)


def show_denominators(page: Page) -> Piece:
    """The share convicted of the reports, of the prosecuted and of the tried; by period too."""
    rows = [[start_upper(page.say(f"courts.{one}")),
             *(_show_whole(page, find_share_of(page, one, period)) for period in PERIODS)]
            for one in DENOMINATORS]  # fmt: skip
    day = page.plan.convictions.definitions_change_on
    change = str(day.year) if (day.month, day.day) == (1, 1) else page.formats.date(day)
    heads = [page.say("courts.of_what"), *(page.say(f"courts.{one}", change=change) for one in
             ("all_years", "before_change", "from_change"))]  # fmt: skip
    found = {one: find_share_of(page, one) for one in DENOMINATORS}
    if all(one.is_shown for one in found.values()):
        caption = page.say("courts.denominators_caption", **{
            one: page.formats.percent_short(number.estimate or 0.0) for one, number in found.items()
        })  # fmt: skip
    else:
        caption = page.say("courts.denominators_plain")
    table = page.table(caption, heads, rows, kind="small")
    note = page.text("courts.denominators_note", change=change,
                     rounding=page.plan.disclosure.rounding)  # fmt: skip
    return join([table, note, _show_published(page)])


def _show_whole(page: Page, number: Number) -> Cell:
    """A share and its interval in whole per cent: of counts in steps of five no more is known."""
    return page.show_both(
        number,
        page.show(number, lambda share: page.formats.percent(share, 0), SHARE),
        lambda low, high: page.formats.percent_range(low, high, 0),
    )


def _show_published(page: Page) -> Piece:
    """What authorities published, beside the study's own share of the same group.

    Not what stands for women and for men apart: the study's share is of both. An invented county
    is set to them: then only that is said.
    """
    if page.release.is_synthetic:
        return page.text("common.set_by")
    frame = page.dictionary.code_lists["published_clearance"]
    of_both = frame.groupby(["offence_group", "measured"])["victims"].transform("nunique") == 1
    rows = []
    for row in frame[of_both].to_dict("records"):
        own = find_reached(page, row["measured"], page.last_day, subgroup="offence_group",
                           level=row["offence_group"])  # fmt: skip
        crime, of, area = (row[f"{what}_{page.language}"] for what in ("label", "of", "area"))
        what = page.say(
            "courts.published_of", rung=page.say(f"courts.rung_{row['measured']}"), of=of
        )
        rows.append([crime, what, f"{area}, {row['years']}",
                     page.formats.percent_short(float(row["share"])),
                     page.show_share_both(own)])  # fmt: skip
    names = ("crime", "what", "place", "share", "own")
    heads = [page.say(f"courts.published_{name}") for name in names]
    caption = page.say("courts.published_caption")
    return Folded(page.say("courts.published"), page.table(caption, heads, rows, kind="words"))


def show_association(page: Page) -> Piece:
    """All measures in one picture, those without a number with why; and the numbers behind it."""
    measures, sure = list_main(page), find_sure(page)
    if not measures:
        return page.text("common.no_measures")
    gaps = {measure: find_association(page, measure, GAP) for measure in measures}
    table = _association_table(page)
    if not any(one.has_interval for one in gaps.values()):
        return join([page.text("courts.answer_hidden"), table])
    rows = [ForestRow(start_upper(name_measure(page, measure)), gap.point,
                      _judge(gap, is_sure=measure in sure),
                      _describe_gap(page, gap, is_sure=measure in sure))
            for measure, gap in gaps.items()]  # fmt: skip
    scale = replace(
        make_scale(page, [*gaps.values()]),
        label=page.say("courts.axis"),
        sides=(page.say("courts.side_fewer"), page.say("courts.side_more")),
    )
    _, ending, given = _count(page)
    title = page.say(f"courts.association_{ending}", **given)
    told = " ".join(finish(f"{row.name}: {row.told}") for row in rows)
    figure = page.figure(Forest(rows, scale), f"{finish(title)} {told}", title, table)
    notes = [page.say("courts.association_note")]
    if any(_is_chance(gaps[one], is_sure=one in sure) for one in measures):
        notes.append(page.say("courts.association_chance", n=given["n"]))
    if sure:
        notes.append(page.say("courts.association_filled"))
    return join([figure, Text(" ".join(notes))])


def _is_chance(gap: Number, *, is_sure: bool) -> bool:
    """Apart from none when tested alone, but not with all measures tested together."""
    return judge(gap, same=0.0) in (FEWER, MORE) and not is_sure


def _judge(gap: Number, *, is_sure: bool) -> str:
    verdict = judge(gap, same=0.0)
    return verdict if verdict == HIDDEN or (is_sure and verdict in (FEWER, MORE)) else OPEN


def _describe_gap(page: Page, gap: Number, *, is_sure: bool) -> str:
    verdict = _judge(gap, is_sure=is_sure)
    if verdict == HIDDEN:
        return page.say("answers.none_why", why=page.why_not(gap))
    if verdict == OPEN:
        is_chance = _is_chance(gap, is_sure=is_sure)
        return page.say("courts.maybe_chance" if is_chance else "answers.open")
    return page.say("trials.with_between", people=describe_people(page, gap.estimate or 0.0),
                    between=describe_between(page, gap))  # fmt: skip


def _association_table(page: Page) -> Piece:
    """Each measure's shares and difference, with and without what was allowed for."""
    rows = []
    for measure in page.plan.measure_names:
        risks = [find_association(page, measure, one) for one in (STARTED, NOT_STARTED)]
        gaps = [find_association(page, measure, GAP, one)
                for one in ("main", "with_participation", "unadjusted")]  # fmt: skip
        # the answer first: phones show the first columns
        rows.append([start_upper(name_measure(page, measure)), show_gap(page, gaps[0]),
                     *(show_hundred(page, risk) for risk in risks),
                     *(show_gap(page, gap) for gap in gaps[1:])])  # fmt: skip
    heads = [page.say("common.measure")]
    heads += [page.say(f"courts.head_{one}")
              for one in ("gap", "with", "without", "equal", "unadjusted")]  # fmt: skip
    caption = page.say("courts.association_caption", period=page.formats.period(page.last_day))
    rounded = page.say("courts.note_steps", rounding=page.plan.disclosure.rounding)
    return page.table(caption, heads, rows, [rounded])
