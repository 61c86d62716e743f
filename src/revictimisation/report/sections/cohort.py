"""Page 07: from the extract to the study, and to each measure's comparison; what is not there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revictimisation.report.described import Cell, Folded, Item, Items, Piece, Text, join
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number, list_rows
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import (
    ARMS,
    find_checks,
    find_effect,
    find_started,
    list_checks,
)
from revictimisation.report.verdicts import name_measure

FLOW = ("already", "eligible", "started")
ENDS = ("censored", "report", "death", "emigration")  # why the follow-up of a clone may end early
REPORTS, ALL = "reports", "in_extract"
SAME_SUSPECT = "same_suspect"


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
        "cohort.def_follow_up_text", data_end_on=write.date(plan.data_end_on),
        horizon=page.horizon, lag=write.days(plan.outcome.lag_days),
    )  # fmt: skip
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


def show_measure_flow(page: Page) -> Piece:
    """From all cases to those of each measure's comparison, a row a measure."""
    steps = _steps(page, REPORTS)
    every = steps["n_reports"].iloc[-1] if len(steps) else None
    if not page.plan.measure_names or every is None or pd.isna(every):
        return page.text("referees.none")
    rows = [_measure_flow(page, measure, int(every)) for measure in page.plan.measure_names]
    heads = [page.say("common.measure"), *(page.say(f"cohort.flow_{one}") for one in FLOW)]
    notes = [page.say("cohort.flow_note", n=page.formats.count(every))]
    return page.table(page.say("cohort.flow_caption"), heads, rows, notes)


def _measure_flow(page: Page, measure: str, every: int) -> list[Cell | str]:
    started = find_started(page, measure)
    already = None if started.n_people is None else every - started.n_people
    counts = (already, started.n_people, started.n_events)
    return [name_measure(page, measure), *map(page.show_number, counts)]


def show_at_risk(page: Page) -> Piece:
    """How long clones are followed in each arm, and why that ends; first all cases."""
    days = page.plan.days_within_horizon
    rows = []
    for measure in page.plan.measure_names:
        checks = list_checks(page, measure)
        for arm in ARMS:
            found = [find_checks(checks, "n_at_risk", day).get(arm) for day in days]
            name = f"{name_measure(page, measure)}, {page.say(f'referees.arm_{arm}')}"
            if any(found):
                followed = [page.show_number(one.value if one else None) for one in found]
                rows.append([name, *followed, *_list_ends(page, measure, arm)])
    if not rows:
        return page.text("referees.none")
    outcomes = (page.plan.outcome.who, *ENDS[2:])
    ended = [page.show_events(find_incidence(page, outcome)) for outcome in outcomes]
    every = [page.say("cohort.ends_all"), *[""] * (len(days) + 1), *ended]
    heads = [page.say("common.measure"), *(page.formats.period(day) for day in days),
             *(page.say(f"cohort.ends_{one}") for one in ENDS)]  # fmt: skip
    notes = [page.say("cohort.ends_note", horizon=page.horizon)]
    return page.table(page.say("cohort.at_risk_caption"), heads, [every, *rows], notes)


def _list_ends(page: Page, measure: str, arm: str) -> list[Cell]:
    """How many of an arm's clones departed from it, reported again, died, emigrated."""
    checks = list_checks(page, measure)
    censored = find_checks(checks, "share_censored").get(arm)
    events = find_checks(checks, "n_events", page.last_day).get(arm)
    share = censored.known if censored else None
    departed = Cell(DASH) if share is None else Cell(page.formats.percent(share, 0), share)
    others = [page.show_events(find_effect(page, measure, f"risk_{arm}", outcome=one))
              for one in ENDS[2:]]  # fmt: skip
    return [departed, page.show_number(events.value if events else None), *others]


def show_attrition(page: Page) -> Piece:
    """What became of every row of every table, folded."""
    rows = []
    for row in list_rows(page.release.attrition):
        is_first = row.reason == ALL
        title = page.dictionary.tables[row.step].label[page.language] if is_first else ""
        told = f"– {_describe_step(page, row.reason)}"
        name = f"**{title}** `{row.step}`" if is_first else told
        has_people = row.n_people != 0 or (is_first and row.n_reports == 0)
        people = page.show_number(row.n_people) if has_people else ""
        dropped = "" if is_first else page.show_number(row.n_dropped)
        rows.append([name, people, page.show_number(row.n_reports), dropped])
    heads = [page.say(f"cohort.attrition_{one}") for one in ("step", "people", "rows", "dropped")]
    notes = [page.say("cohort.attrition_note"),
             page.say("common.note_rounded", rounding=page.plan.disclosure.rounding)]  # fmt: skip
    if page.release.attrition["n_dropped"].isna().any():
        notes.insert(0, page.say("common.note_suppressed"))
    table = page.table(page.say("cohort.attrition_caption"), heads, rows, notes)
    return Folded(page.say("cohort.attrition_summary"), table)


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


def show_unseen(page: Page) -> Piece:
    """What is not in the data, and which tables the extract does not have."""
    attrition = page.release.attrition
    empty = attrition[(attrition["reason"] == ALL) & (attrition["n_reports"] == 0)]["step"]
    parts = [page.text("cohort.unseen_text")]
    if len(empty):
        names = [page.dictionary.tables[name].label[page.language].lower() for name in empty]
        parts.append(page.text("cohort.unseen_absent", tables=", ".join(names)))
    return join(parts)
