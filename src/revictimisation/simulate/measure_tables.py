"""The tables ``police_measures`` and ``social_interventions``: decisions, and what came of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.course import (
    Course,
    blank_unless,
    date_days,
    finish_table,
    make_ids,
    name_victims,
    number_filings,
)
from revictimisation.simulate.kernel import KIND_MEASURE
from revictimisation.simulate.population import add_terms
from revictimisation.simulate.randoms import (
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
    draw_uniform,
)
from revictimisation.simulate.scenarios import Scenario, SideMeasure, StudyMeasure

ROW_COLUMNS = ["victim", "number", "table", "code", "decided_day", "decision", "day", "end_day"]
NUMBER_STEP = 100_000  # rows of one victim are numbered measure by measure
LONGEST_WAIT_DAYS = 21
REFUSED_WITHIN_DAYS = 40
ELECTRONIC, ORDINARY = "non_contact_order_electronic", "non_contact_order"
FIRST_ON = {ELECTRONIC: np.datetime64("2011-10-01"), "resource_centre": np.datetime64("2013-06-01")}
END_REASONS = ("completed", "moved", "returned_home", "exposed", "declined", "other")
END_SHARES = (0.62, 0.10, 0.10, 0.03, 0.09, 0.06)
SERVICE_SHARE = 0.12  # support given as a service, without an inquiry


def _number(course: Course, victims: np.ndarray, place: int, serial: np.ndarray) -> np.ndarray:
    units = course.setting.victims["unit"].to_numpy()[victims]
    return units * NUMBER_STEP + place * 4000 + serial


def collect_carried_out(course: Course, place: int, measure: StudyMeasure) -> pd.DataFrame:
    """A row per time in force of one study measure, also those running before day 0."""
    events = course.events
    spells = events[(events["kind"] == KIND_MEASURE) & (events["index"] == place)]
    spells = spells[["victim", "day", "end_day"]].assign(serial=spells["day"])
    running = course.setting.given.running[:, place]
    early = np.flatnonzero(running)
    units = course.setting.victims["unit"].to_numpy()[early]
    before = draw_days(course.seed, units, f"before_{measure.name}", 5, 120)
    early_rows = pd.DataFrame(
        {"victim": early, "day": -before, "end_day": running[early], "serial": 3900}
    )
    rows = pd.concat([early_rows, spells], ignore_index=True)
    rows["number"] = _number(course, rows["victim"].to_numpy(), place, rows["serial"].to_numpy())
    numbers = rows["number"].to_numpy()
    names, shares = zip(*measure.codes.items(), strict=True)
    rows["code"] = np.array(names, dtype=object)[
        draw_category(course.seed, numbers, "code", shares)
    ]
    wait = draw_days(course.seed, numbers, "wait", 0, LONGEST_WAIT_DAYS)
    since_index = np.maximum(rows["day"] - wait, np.where(rows["day"] >= 0, 0, -(10**6)))
    rows["decided_day"] = np.where(rows["day"] >= 0, since_index, rows["day"] - wait // 3)
    return rows.assign(table=measure.table, decision="granted")[ROW_COLUMNS]


def collect_refused(course: Course, place: int, measure: StudyMeasure) -> pd.DataFrame:
    """A row per decision that led to nothing: denied, declined, or granted and not carried out."""
    units = course.setting.victims["unit"].to_numpy()
    need = -np.expm1(-np.exp(course.setting.given.log_start[:, place]))
    shares = {
        "denied": measure.denied_share, "declined": measure.declined_share,
        "granted": measure.not_carried_out_share,
    }  # fmt: skip
    parts = []
    for turn, (decision, share) in enumerate(shares.items()):
        is_mine = draw_chance(course.seed, units, f"{decision}_{measure.name}", need * share)
        victims = np.flatnonzero(is_mine)
        number = _number(course, victims, place, np.full(len(victims), 3910 + turn))
        decided = draw_days(course.seed, number, "refused_day", 0, REFUSED_WITHIN_DAYS)
        parts.append(pd.DataFrame({
            "victim": victims, "number": number, "decided_day": decided, "decision": decision,
        }))  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(
        table=measure.table, code=next(iter(measure.codes)), day=np.nan, end_day=np.nan
    )[ROW_COLUMNS]


def collect_side(course: Course, place: int, measure: SideMeasure) -> pd.DataFrame:
    """A row per decision on a measure that has no effect and that nothing else hangs on."""
    victims, seed = course.setting.victims, course.seed
    ages = victims["age"].to_numpy()
    chance = -np.expm1(-np.exp(add_terms(victims, measure.start)))
    chance = np.where((ages >= measure.min_age) & (ages <= measure.max_age), chance, 0.0)
    units = victims["unit"].to_numpy()
    mine = np.flatnonzero(draw_chance(seed, units, f"side_{measure.name}", chance))
    number = _number(course, mine, 10 + place, np.zeros(len(mine), dtype=np.int64))
    start = np.floor(draw_exponential(seed, number, "side_start", measure.mean_start_days))
    spread = draw_uniform(seed, number, "side_length")
    days = -np.log1p(-spread) * measure.length.mean_days
    end = start + np.clip(np.round(days), 1, measure.length.largest_days)
    decided = np.maximum(start - draw_days(seed, number, "wait", 0, LONGEST_WAIT_DAYS), 0)
    is_declined = draw_chance(seed, number, "side_declined", measure.declined_share)
    return pd.DataFrame({
        "victim": mine, "number": number, "table": measure.table, "code": measure.name,
        "decided_day": decided, "decision": np.where(is_declined, "declined", "granted"),
        "day": np.where(is_declined, np.nan, start), "end_day": np.where(is_declined, np.nan, end),
    })[ROW_COLUMNS]  # fmt: skip


def settle_rows(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Keep what a register could hold: nothing begins on the last day or outlives it.

    A measure still in force when the data end has no end; one of a person who leaves ends that day.
    Codes that the law did not know on the day become the ordinary one or fall away.
    """
    exits = course.setting.exits
    victims = rows["victim"].to_numpy()
    last = exits["last_day"].to_numpy()[victims]
    has_left = exits[["died_day", "emigrated_day"]].notna().any(axis=1).to_numpy()[victims]
    rows = rows.assign(
        end_day=np.where(rows["end_day"] > last, np.where(has_left, last, np.nan), rows["end_day"])
    )
    start_on = date_days(course, victims, rows["day"].fillna(rows["decided_day"]).to_numpy())
    is_early = rows["code"].map(FIRST_ON).to_numpy().astype("datetime64[D]") > start_on
    rows["code"] = np.where(is_early & (rows["code"] == ELECTRONIC), ORDINARY, rows["code"])
    is_gone = is_early & (rows["code"] != ORDINARY).to_numpy()
    is_late = (rows["decided_day"] >= last) | (rows["day"] >= last)
    return rows[~is_gone & ~is_late.to_numpy()].reset_index(drop=True)


def collect_measures(course: Course) -> pd.DataFrame:
    """All decisions of both agencies on the index victims, in days since the index report."""
    scenario: Scenario = course.scenario
    parts = []
    for place, measure in enumerate(scenario.measures):
        parts += [collect_carried_out(course, place, measure),
                  collect_refused(course, place, measure)]  # fmt: skip
    parts += [collect_side(course, i, side) for i, side in enumerate(scenario.side_measures)]
    rows = settle_rows(course, pd.concat(parts, ignore_index=True))
    victims = rows["victim"].to_numpy()
    rows["person"] = name_victims(course, victims, rows["decided_day"].to_numpy())
    for name, column in (("decided_on", "decided_day"), ("start_on", "day"), ("end_on", "end_day")):
        rows[name] = date_days(course, victims, rows[column].to_numpy())
    return rows


def make_police_measures(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Write the contract's table ``police_measures``: a row per decision."""
    mine = rows[rows["table"] == "police_measures"].copy()
    numbers = mine["number"].to_numpy()
    units = course.setting.victims["unit"].to_numpy()[mine["victim"]]
    index_report = make_ids("r", course.seed, number_filings(units, np.zeros(len(mine)), False))
    is_linked = (mine["decided_day"] >= 0) & (mine["decided_day"] <= 60)
    is_linked &= draw_chance(course.seed, numbers, "linked", 0.85)
    mine["report_id"] = blank_unless(is_linked, index_report)
    mine["measure_id"] = make_ids("m", course.seed, numbers)
    mine = mine.rename(columns={"person": "victim_id", "code": "measure"})
    return finish_table(mine, "police_measures")


def make_social_interventions(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Write the contract's table ``social_interventions``: a row per decision."""
    mine = rows[rows["table"] == "social_interventions"].copy()
    numbers = mine["number"].to_numpy()
    reason = np.array(END_REASONS, dtype=object)[
        draw_category(course.seed, numbers, "end_reason", END_SHARES)
    ]
    is_told = mine["end_on"].notna() & draw_chance(course.seed, numbers, "end_told", 0.8)
    mine["end_reason"] = blank_unless(is_told, reason)
    is_service = (mine["code"] == "support_talks") & draw_chance(
        course.seed, numbers, "service", SERVICE_SHARE
    )
    basis = np.select([mine["code"] == "compulsory_care", is_service], ["lvu", "service"], "sol")
    is_blank = draw_chance(course.seed, numbers, "basis_blank", 0.05)
    mine["legal_basis"] = blank_unless(~is_blank, basis)
    homes = course.setting.victims["municipality_code"].to_numpy()
    mine["municipality_code"] = homes[mine["victim"]]
    mine["intervention_id"] = make_ids("i", course.seed, numbers)
    mine = mine.rename(columns={"person": "person_id", "code": "intervention"})
    return finish_table(mine, "social_interventions")
