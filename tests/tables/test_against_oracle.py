"""The set-based stages against the day-by-day oracle, on random small extracts."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from revictimisation.cohort import build_cohort
from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.spells import attach_entries, build_spells, find_starts, gather_measures
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from tests.cases import for_each

from .oracle import SUSPECTS, Oracle, random_extract

STUDY = """
name: oracle
accrual: {{from_on: 2013-01-05, to_on: 2013-02-10}}
data_end_on: 2013-02-25
eligibility: {{washout_days: {washout}, min_age: {min_age}, honour: {honour},
  relations: [former_partner, parent]}}
outcome: {{who: {who}, lag_days: {lag}, drop_breach_only: {drop}}}
horizon_days: 30
report_at_days: [10, 30]
measures:
  order: {{codes: [non_contact_order], grace_days: 5}}
  help: {{codes: [safety_talk, support_talks], grace_days: 5}}
adjust_for: []
subgroups: []
"""
PLANS = [
    dict(washout=0, min_age=0, who="same_suspect", lag=0, drop="false"),
    dict(washout=7, min_age=18, who="same_suspect", lag=1, drop="true"),
    dict(washout=3, min_age=0, who="any_suspect", lag=1, drop="true"),
    dict(washout=3, min_age=0, who="any_kin", lag=1, drop="true"),
    dict(washout=3, min_age=0, who="any_kin", lag=0, drop="false", honour="only"),
]


@pytest.fixture(scope="module")
def engine():
    return connect()


def build_tables(con, extract, breach_code):
    """The oracle's extract as the engine's tables, with a breach code in place of 9999."""

    def table(frame, dates):
        frame = frame.copy()
        for name in dates:
            frame[name] = pd.to_datetime(frame[name])
        made = ibis.memtable(frame.assign(row_number=range(2, len(frame) + 2)))
        text = [name for name, kind in made.schema().items() if kind.is_null()]
        kinds = {**dict.fromkeys(text, "string"), **dict.fromkeys(dates, "date")}
        return made.mutate(**{name: made[name].cast(kind) for name, kind in kinds.items()})

    reports = extract["reports"].assign(municipality_code="0180")
    reports["is_honour"] = reports["is_honour"].astype("boolean")
    reports["offence_code"] = reports["offence_code"].replace("9999", breach_code)
    measures = extract["measures"].rename(columns={"code": "measure"})
    measures = measures.assign(decision="granted", decided_on=measures["start_on"])
    police = measures.assign(intervention=measures["measure"], person_id=measures["victim_id"])
    spare = police.iloc[:0].assign(suspect_id=pd.Series(dtype=str))
    dates = ["decided_on", "start_on", "end_on"]
    return {
        "persons": table(extract["persons"], ["died_on", "emigrated_on"]),
        "reports": table(reports, ["reported_on"]),
        "police_measures": table(police[police.index % 2 == 0], dates),
        "social_interventions": table(police[police.index % 2 == 1], dates),
        "suspect_interventions": table(spare, dates),
    }


def expand(episodes: pd.DataFrame) -> dict[tuple[int, int], tuple[int, int, int]]:
    """A row per entry and day: (is_event, order, help)."""
    days = {}
    for row in episodes.itertuples():
        for day in range(row.start_day + 1, row.stop_day + 1):
            is_event = int(row.is_event and day == row.stop_day)
            assert (row.entry_id, day) not in days
            days[row.entry_id, day] = (is_event, row.order, row.help)
    return days


@for_each("seed, choices", enumerate(PLANS))
def test_cohort_starts_and_person_time_equal_the_oracle(engine, seed, choices):
    """Of 100 victims at once: a small extract costs the engine as much."""
    dictionary = load_dictionary()
    offences = dictionary.codes("offences")
    breach = offences.loc[offences["offence_group"] == "breach_of_order", "code"].iloc[0]
    extract = random_extract(seed, n_victims=100)
    plan = read_plan(STUDY.format(**{"honour": "all"} | choices))
    tables = build_tables(engine, extract, breach)
    oracle = Oracle(extract, plan, {"9999"})
    cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
    entries = cohort.index_reports.order_by("entry_id").to_pandas()
    expected = {
        (victim, suspect): found
        for victim in oracle.persons
        for suspect in SUSPECTS
        if (found := oracle.follow(victim, suspect))
    }
    same = plan.outcome.model_copy(update={"who": "same_suspect"})
    alone = Oracle(extract, plan.model_copy(update={"outcome": same}), {"9999"})
    got = {(row.victim_id, row.suspect_id): row for row in entries.itertuples()}
    assert set(got) == set(expected)
    for key, row in got.items():
        want = expected[key]
        wanted = [want[name] for name in ("stop_day", "end_day", "cause", "end_cause")]
        assert [row.stop_day, row.end_day, row.cause, row.end_cause] == wanted
        assert row.index_on.isoformat()[:10] == want["index_on"].isoformat()
        own = alone.follow(*key)["outcomes"]
        assert row.own_day == own[0] if own else pd.isna(row.own_day)
        index = {
            suspect: found["index_on"]
            for (victim, suspect), found in expected.items()
            if victim == key[0]
        }
        for kind in ("other_day", "control_day", "outsider_day"):
            day = getattr(row, kind)
            day = None if pd.isna(day) else int(day)
            assert day == oracle.control_day(key[0], want, index, kind)
    assert entries["control_day"].notna().any()

    attached = attach_entries(gather_measures(tables), cohort.index_reports)
    spells = build_spells(attached, plan)
    follow_up = cohort.index_reports.select("entry_id", stop_day=ibis._.end_day)
    episodes = build_episodes(follow_up, cohort.outcomes, spells, plan.measure_names)
    days = expand(episodes)
    starts = find_starts(spells).to_pandas()
    starts = starts.set_index(["entry_id", "measure"])
    for (victim, suspect), row in got.items():
        want = expected[victim, suspect]
        for day in range(1, want["end_day"] + 1):
            on = want["index_on"] + pd.Timedelta(days=day).to_pytimedelta()
            in_force = tuple(
                int(oracle.is_in_force(victim, plan.measures[name].codes, on))
                for name in plan.measures
            )
            assert days.pop((row.entry_id, day)) == (int(day in want["outcomes"]), *in_force)
        for name, measure in plan.measures.items():
            want_start = oracle.starts(victim, measure.codes, want["index_on"])
            if (row.entry_id, name) in starts.index:
                start = starts.loc[(row.entry_id, name)]
                first = start.first_start_day
                assert (None if pd.isna(first) else int(first)) == want_start["first_start_day"]
                assert bool(start.is_running_before) == want_start["is_running_before"]
            else:
                assert want_start == {"first_start_day": None, "is_running_before": False}
    assert not days
    check_flow(cohort, len(extract["reports"]), len(entries))


def check_flow(cohort, n_rows, n_entries):
    """Every row of the reports is accounted for, line by line."""
    flow = cohort.flow
    left = flow["n_reports"].tolist()
    assert left[0] == n_rows
    assert left[-1] == n_entries
    for line in range(1, len(flow)):
        assert left[line] == left[line - 1] - flow["n_dropped"].iloc[line]
    assert (flow["n_dropped"] >= 0).all()
    assert flow["n_people"].is_monotonic_decreasing
