"""Notebook 1: who is counted, for how long, and what is not in the data."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revictimisation.core.codes import CAUSES
from revictimisation.plan import Measure
from revictimisation.report.described import Cell, Folded, Group, Item, Items, Piece, Text, join
from revictimisation.report.page import DASH, SHARE, Page
from revictimisation.report.release import Number, list_rows
from revictimisation.report.texts import load_texts

REPORTS, ALL = "reports", "in_extract"
SAME_SUSPECT = "same_suspect"


def show_lead(page: Page) -> Piece:
    """How many are followed, from when and how long."""
    accrual, write = page.plan.accrual, page.formats
    values = {
        "from_on": write.date(accrual.from_on),
        "to_on": write.date(accrual.to_on),
        "horizon": page.horizon,
    }
    final = _steps(page, REPORTS).iloc[-1:]
    counts = final[["n_people", "n_reports"]].dropna()
    if counts.empty:
        return page.text("cohort.lead_unknown", **values)
    values["n_victims"] = write.count(counts["n_people"].iloc[0])
    values["n_entries"] = write.count(counts["n_reports"].iloc[0])
    return join([page.text("cohort.lead", **values), page.text("cohort.lead_unit")])


def show_definitions(page: Page) -> Piece:
    """Who enters, what counts, until when: the study file in words."""
    heads = [page.say("cohort.term"), page.say("cohort.meaning")]
    terms = {**describe_definitions(page), "measures": _measures(page)}
    rows = [[page.say(f"cohort.def_{name}"), meaning] for name, meaning in terms.items()]
    return page.table(page.say("cohort.who_caption"), heads, rows, kind="words")


def describe_definitions(page: Page) -> dict[str, str]:
    """Population, index report, outcome and follow-up of the study, a text each."""
    plan, write = page.plan, page.formats
    accrual = {
        "from_on": write.date(plan.accrual.from_on),
        "to_on": write.date(plan.accrual.to_on),
    }
    has_washout = plan.eligibility.washout_days > 0
    index = page.say(
        "cohort.def_index_text" if has_washout else "cohort.def_index_no_washout_text",
        washout=write.period(plan.eligibility.washout_days),
        **accrual,
    )
    outcome = page.say(
        f"cohort.def_outcome_{plan.outcome.who}", lag=write.days(plan.outcome.lag_days)
    )
    breach = (
        "cohort.def_breach_dropped" if plan.outcome.drop_breach_only else "cohort.def_breach_counts"
    )
    follow_up = page.say(
        "cohort.def_follow_up_text", data_end_on=write.date(plan.data_end_on), horizon=page.horizon
    )
    return {
        "population": _population(page),
        "index": index,
        "outcome": f"{outcome} {page.say(breach)}",
        "follow_up": follow_up,
    }


def _population(page: Page) -> str:
    rules = page.plan.eligibility
    is_any_age = rules.min_age == 0 and rules.max_age >= type(rules)().max_age
    names = [page.labels.code("relation", code) for code in rules.relations]
    places = [page.labels.level("police_district", district) for district in rules.districts or ()]
    places += [
        page.labels.code("municipalities", municipality)
        for municipality in rules.municipalities or ()
    ]
    return page.say(
        "cohort.def_all_ages_text" if is_any_age else "cohort.def_population_text",
        min_age=rules.min_age,
        max_age=rules.max_age,
        relations=list_words(names, page.say("cohort.or")),
        places=", ".join(places) or page.say("cohort.all_places"),
    )


def list_words(words: list[str], last: str) -> str:
    """Words with commas and a last word before the last one.

    >>> list_words(["a", "b", "c"], "or")
    'a, b or c'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _measures(page: Page) -> Piece:
    lines = [f"- {_describe_measure(page, name, one)}" for name, one in page.plan.measures.items()]
    return Text("\n".join(lines) + "\n\n" + page.say("cohort.def_in_force"))


def _describe_measure(page: Page, name: str, one: Measure) -> str:
    grace = page.formats.days(one.grace_days)
    if one.joint_within_days is not None:
        within = page.formats.days(one.joint_within_days)
        joint = page.say("common.joint")
        return page.say("cohort.def_joint_text", measure=joint, within=within, grace=grace)
    several = [page.labels.measure(code) for code in one.codes] if len(one.codes) > 1 else []
    codes = page.say("cohort.def_codes", codes=", ".join(several)) if several else ""
    measure = page.labels.measure(name)
    return page.say("cohort.def_measure_text", measure=measure, grace=grace, codes=codes)


def _steps(page: Page, table: str) -> pd.DataFrame:
    attrition = page.release.attrition
    return attrition[attrition["step"] == table]


def _describe_step(page: Page, reason: str) -> str:
    key = f"cohort.step_{reason}"
    washout = page.formats.period(page.plan.eligibility.washout_days)
    return page.say(key if key in load_texts() else "cohort.step_other", washout=washout)


def show_flow(page: Page) -> Piece:
    """The flow from the extract's reports to the study's follow-ups, as boxes that add up."""
    steps = _steps(page, REPORTS)
    boxes = [box for row in list_rows(steps) if (box := _box(page, row))]
    last = Item(_kept(page, list_rows(steps)[-1], "cohort.final"), "kept final")
    flow = Items((*boxes, last), "flow", is_ordered=True)
    return join([flow, Text(page.say("cohort.flow_rounded"), "note")])


def _box(page: Page, row: Any) -> Item | None:
    """The first box is what there is; the others say what was left out, and what remains."""
    reason, dropped = str(row.reason), row.n_dropped
    if reason == ALL:
        return Item(_kept(page, row, "cohort.step_in_extract"), "kept")
    if pd.notna(dropped) and dropped == 0:
        return None
    if pd.isna(dropped):
        count = page.say("cohort.flow_dropped_hidden")
    else:
        count = page.say("cohort.flow_dropped", n=page.formats.count(dropped))
    return Item((f"**{count}** {_describe_step(page, reason)}",), "dropped")


def _kept(page: Page, row: Any, title: str) -> tuple[str, ...]:
    key = "cohort.flow_last" if title == "cohort.final" else "cohort.flow_rows"
    return (
        f"**{page.say(title)}**",
        page.say(key, n=page.show_number(row.n_reports)),
        page.say("cohort.flow_people", n=page.show_number(row.n_people)),
    )


def show_attrition(page: Page) -> Piece:
    """What became of every row of every table, folded."""
    rows = []
    for row in list_rows(page.release.attrition):
        is_first = row.reason == ALL
        title = page.dictionary.tables[row.step].label[page.language] if is_first else ""
        told = f"– {_describe_step(page, row.reason)}"
        name = f"**{title}** `{row.step}`" if is_first else told
        people = "" if row.n_people == 0 and not is_first else page.show_number(row.n_people)
        dropped = "" if is_first else page.show_number(row.n_dropped)
        rows.append([name, people, page.show_number(row.n_reports), dropped])
    heads = [page.say(f"cohort.attrition_{one}") for one in ("step", "people", "rows", "dropped")]
    notes = [page.say("common.note_rounded", rounding=page.plan.disclosure.rounding)]
    if page.release.attrition["n_dropped"].isna().any():
        notes.insert(0, page.say("common.note_suppressed"))
    table = page.table(page.say("cohort.attrition_caption"), heads, rows, notes)
    return Folded(page.say("cohort.attrition_summary"), table)


def show_end(page: Page) -> Piece:
    """How many follow-ups had ended in what by the last of the study's days."""
    names = (page.plan.outcome.who, *CAUSES[1:])
    numbers = [find_incidence(page, name) for name in names]
    period = page.formats.period(page.last_day)
    parts = []
    if numbers[0].is_shown:
        share = page.formats.of_hundred(numbers[0].estimate or 0)
        interval = page.show_share_interval(numbers[0])
        told = page.say("cohort.end_text", period=period, outcome=share, interval=interval)
        parts = [Text(f"{told} {describe_by_person(page)}".strip())]
    rows = [
        [page.say(f"cohort.end_{name}"), page.show_share(one), page.show_share_interval(one)]
        for name, one in zip(("outcome", "death", "emigration"), numbers, strict=True)
    ]
    rows.append([page.say("cohort.end_none"), _rest(page, numbers), ""])
    heads = ["", page.say("common.share"), page.say("common.interval")]
    notes = [page.say("cohort.end_none_note")]
    table = page.table(page.say("cohort.end_caption", period=period), heads, rows, notes)
    return join([*parts, table])


def find_incidence(page: Page, outcome: str, **keys: str | int) -> Number:
    """The released cumulative incidence by the last of the study's days."""
    return page.release.find(
        **{
            "question": "q2",
            "outcome": outcome,
            "estimator": "aalen_johansen",
            "estimand": "cumulative_incidence",
            "time_days": page.last_day,
            **keys,
        }
    )


def find_by_person(page: Page) -> Number:
    """The share of victims, each counted once, with a new report by the last of the days."""
    return find_incidence(page, page.plan.outcome.who, analysis="by_person")


def describe_by_person(page: Page) -> str:
    """A sentence with the share of people, to stand beside that of follow-ups; else nothing."""
    number = find_by_person(page)
    if not number.has_interval:
        return ""
    is_same = page.plan.outcome.who == SAME_SUSPECT
    return page.say(
        "cohort.by_person" if is_same else "cohort.by_person_any",
        share=page.formats.of_hundred(number.estimate or 0.0),
        period=page.formats.period(page.last_day),
        interval=page.show_share_interval(number),
        n=page.formats.count(number.n_people or 0),
    )


def _rest(page: Page, numbers: list[Number]) -> str:
    known = [number.estimate for number in numbers if number.estimate is not None]
    return page.formats.percent(1 - sum(known)) if len(known) == len(numbers) else DASH


def show_people(page: Page) -> Piece:
    """The follow-ups by each grouping: numbers with their shares as bars."""
    told = page.text("cohort.people_text", risk_day=page.plan.definitions.risk_level_by_day)
    tables = [
        _group_table(page, group) for group in page.plan.shown_groups if page.levels("q1", group)
    ]
    if not tables:
        return join([told, page.text("cohort.people_none")])
    note = page.say("common.note_rounded", rounding=page.plan.disclosure.rounding)
    return join([told, Group(tuple(tables), "pair"), Text(note, "note")])


def _group_table(page: Page, group: str) -> Piece:
    levels = page.levels("q1", group)
    counts = [page.release.count_level(group, level) for level in levels]
    total = sum(count or 0 for count in counts)
    rows = []
    for level, count in zip(levels, counts, strict=True):
        share = count / total if count and total else None
        told = DASH if share is None else page.formats.percent(share, 0)
        bar = Cell(told, share, unit=SHARE, bar=share or 0.0)
        rows.append([page.labels.level(group, level), page.show_number(count), bar])
    title = page.labels.group(group)
    heads = [page.say("common.group"), page.say("common.people"), page.say("common.share")]
    notes = [page.say("common.note_suppressed")] if None in counts else []
    return Group((page.table(title, heads, rows, notes, "bars"),))


def show_unseen(page: Page) -> Piece:
    """What is not in the data, and which tables the extract does not have."""
    attrition = page.release.attrition
    empty = attrition[(attrition["reason"] == ALL) & (attrition["n_reports"] == 0)]["step"]
    parts = [page.text("cohort.unseen_text")]
    if len(empty):
        names = [page.dictionary.tables[name].label[page.language].lower() for name in empty]
        parts.append(page.text("cohort.unseen_absent", tables=", ".join(names)))
    return join(parts)
