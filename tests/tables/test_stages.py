"""The stages on random extracts of whole tables: covariates, spells, attrition, reproducibility."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from revictimisation.cohort import build_cohort
from revictimisation.cohort.attrition import account_for
from revictimisation.cohort.court_cases import find_index_cases
from revictimisation.cohort.covariates import derive_covariates
from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.spells import attach_entries, build_spells, find_starts, gather_measures
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.engine import connect
from revictimisation.core.errors import StudyError
from revictimisation.plan import read_plan

from . import naive
from .cases import STUDY, SmallDictionary, make_tables, random_rows

DICTIONARY = SmallDictionary()
PLAN = read_plan(STUDY)
# A seed says nothing simpler than another, so nothing is shrunk.
few = settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
seeds = given(seed=st.integers(0, 10_000))


def run_stages(con, rows: dict[str, list[dict]]) -> dict[str, pd.DataFrame]:
    """All tables between the stages, in order of key, as the pipeline makes them."""
    tables = make_tables(con, rows)
    cohort = build_cohort(tables["reports"], tables["persons"], DICTIONARY, PLAN)
    index = cohort.index_reports
    attached = attach_entries(gather_measures(tables), index).cache()
    spells = build_spells(attached, PLAN)
    index_cases = find_index_cases(index, tables["reports"]).cache()
    follow_up = index.select("entry_id", stop_day=index.end_day)
    entries = index.order_by("entry_id").to_pandas()
    entries["index_on"] = pd.to_datetime(entries["index_on"]).dt.date
    return {
        "entries": entries[sorted(entries.columns)],
        "outcomes": cohort.outcomes.order_by(["entry_id", "day"]).to_pandas(),
        "covariates": derive_covariates(index, tables, cohort.events, DICTIONARY, PLAN).to_pandas(),
        "spells": spells.order_by(spells.columns).to_pandas(),
        "starts": find_starts(spells).order_by(["entry_id", "measure"]).to_pandas(),
        "episodes": build_episodes(follow_up, cohort.outcomes, spells, PLAN.measure_names),
        "attrition": account_for(tables, cohort, attached, index_cases, DICTIONARY.real),
    }


@pytest.fixture(scope="module")
def engine():
    return connect(threads=1)


@few
@seeds
def test_covariates_spells_and_attrition_equal_the_naive_reading(engine, seed):
    rows = random_rows(seed)
    found = run_stages(engine, rows)
    entries = found["entries"]
    assert len(entries) > 3
    check_order(entries)
    check_covariates(found["covariates"], entries, rows)
    got = {tuple(row) for row in found["spells"].itertuples(index=False)}
    assert got == naive.find_spells(rows, entries)
    check_attrition(found["attrition"], rows, entries)


def test_a_spline_of_a_text_column_of_the_extract_is_a_fault_of_the_study(engine):
    tables = make_tables(engine, random_rows(1))
    people = tables["persons"]
    tables["persons"] = people.mutate(x_school=people.sex, x_income=people.birth_year)
    cohort = build_cohort(tables["reports"], tables["persons"], DICTIONARY, PLAN)
    index, events = cohort.index_reports, cohort.events
    bent = "adjust_for: [x_school, x_income]\nsplines: {x_income: 3, x_school: 3}"
    plan = read_plan(STUDY.replace("adjust_for: []", bent))
    with pytest.raises(
        StudyError, match="x_school är text i uttaget, inte tal / is text in this extract"
    ):
        derive_covariates(index, tables, events, DICTIONARY, plan)
    plan = read_plan(STUDY.replace("adjust_for: []", bent.replace(", x_school: 3", "")))
    covariates = derive_covariates(index, tables, events, DICTIONARY, plan).to_pandas()
    data = StudyData(plan, *[covariates] * 8)
    assert {"x_income", "x_income:bend1"} <= set(data.design().names)
    assert data.design(is_adjusted=False).names == ()


def check_order(entries):
    """Entries are numbered in the order of the texts, victims likewise."""
    keys = list(zip(entries["victim_id"], entries["suspect_id"], strict=True))
    assert keys == sorted(set(keys))
    assert entries["entry_id"].tolist() == list(range(len(entries)))
    rank = {victim: at for at, victim in enumerate(sorted(set(entries["victim_id"])))}
    assert entries["cluster_id"].tolist() == [rank[victim] for victim in entries["victim_id"]]


def check_covariates(covariates, entries, rows):
    assert covariates["entry_id"].tolist() == entries["entry_id"].tolist()
    given_ = covariates.drop(columns="entry_id").astype(object)
    given_ = given_.where(given_.notna(), None).to_dict("records")
    for entry, got in zip(entries.itertuples(), given_, strict=True):
        who = (entry.victim_id, entry.suspect_id, entry.index_on)
        assert got == naive.describe_entry(rows, *who, DICTIONARY), who


def check_attrition(attrition, rows, entries):
    """Every table's rows, line by line."""
    tables = make_table_sizes(rows)
    assert set(attrition["step"]) == set(tables)
    for step, lines in attrition.groupby("step"):
        left, dropped = lines["n_reports"].tolist(), lines["n_dropped"].tolist()
        assert lines["reason"].iloc[0] == "in_extract"
        assert left[0] == tables[step]
        assert dropped[0] == 0
        assert left[1:] == [a - b for a, b in zip(left[:-1], dropped[1:], strict=True)], step
        assert min(dropped) >= 0
        assert lines["n_people"].is_monotonic_decreasing
    last = attrition.groupby("step").last()
    victims = entries["victim_id"].nunique()
    assert last.loc["reports", ["n_people", "n_reports"]].tolist() == [victims, len(entries)]
    assert last.loc["persons", "n_reports"] == victims
    measures = attrition.set_index(["step", "reason"])["n_reports"]
    keys = {"police_measures": "victim_id", "social_interventions": "person_id"}
    for step, key in {**keys, "suspect_interventions": "suspect_id"}.items():
        said = (measures[step, "nobody_of_the_cohort"], measures[step, "outside_follow_up"])
        assert said == count_measures(rows[step], key, entries), step


def count_measures(rows, key, entries):
    renamed = [{**row, "victim_id": row[key]} for row in rows] if key == "person_id" else rows
    return naive.count_measures(renamed, "victim_id" if key == "person_id" else key, entries)


def make_table_sizes(rows):
    """Rows of every table of an extract."""
    with_all = make_tables(connect(threads=1), {})
    return {name: len(rows.get(name, [])) for name in with_all}


def test_a_measure_towards_the_suspect_reaches_every_entry_against_the_suspect(engine):
    rows = random_rows(1)
    spell = {"decided_on": None, "start_on": naive.dt.date(2014, 1, 1), "end_on": None}
    one = {"suspect_id": "s1", "intervention": "treatment_programme", **spell}
    found = run_stages(engine, rows | {"suspect_interventions": [one]})
    entries, spells = found["entries"], found["spells"]
    reached = set(spells.loc[spells["measure"] == "programme", "entry_id"])
    against = entries["suspect_id"] == "s1"
    assert entries.loc[against, "victim_id"].nunique() > 2
    assert reached == set(entries.loc[against, "entry_id"])


def test_neither_the_order_of_rows_nor_threads_play_a_part(engine):
    rows = random_rows(3)
    rng = np.random.default_rng(4)
    shuffled = {name: [part[i] for i in rng.permutation(len(part))] for name, part in rows.items()}
    wanted, found = run_stages(engine, rows), run_stages(connect(threads=4), shuffled)
    for name, table in wanted.items():
        pd.testing.assert_frame_equal(found[name], table, obj=name)


@few
@seeds
@pytest.mark.parametrize("n_measures", [0, 9])
def test_episodes_of_many_measures_equal_a_day_by_day_count(engine, n_measures, seed):
    rng = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(n_measures)]
    follow_up = pd.DataFrame({"entry_id": range(6), "stop_day": rng.integers(1, 30, 6)})
    start = rng.integers(-5, 30, 80)
    spells = pd.DataFrame(
        {
            "entry_id": rng.integers(0, 6, 80),
            "measure": rng.choice([*names, "of_another_study"], 80),
            "start_day": start,
            "stop_day": start + rng.integers(0, 15, 80),
        }
    )
    # More spells at once than a byte holds.
    spells = pd.concat([spells, pd.concat([spells.iloc[:2]] * 256)])
    events = pd.DataFrame({"entry_id": rng.integers(0, 6, 9), "day": rng.integers(1, 30, 9)})
    ends = follow_up["stop_day"].to_numpy()[events["entry_id"]]
    events = events[events["day"] <= ends].drop_duplicates()
    made = [ibis.memtable(frame) for frame in (follow_up, events, spells)]
    episodes = build_episodes(*made, names)
    assert episodes.columns.tolist() == ["entry_id", "start_day", "stop_day", "is_event", *names]
    assert episodes.equals(episodes.sort_values(["entry_id", "start_day"], ignore_index=True))
    days = spread(episodes, names)
    event_days = set(events.itertuples(index=False, name=None))
    for entry, stop in follow_up.itertuples(index=False):
        mine = spells[spells["entry_id"] == entry]
        for day in range(1, stop + 1):
            acting = mine[(mine["start_day"] < day) & (day <= mine["stop_day"])]
            in_force = [int((acting["measure"] == name).any()) for name in names]
            assert days.pop((entry, day)) == [(entry, day) in event_days, *in_force]
    assert not days


def spread(episodes, names):
    """A row per entry and day."""
    days = {}
    for row in episodes.to_dict("records"):
        for day in range(row["start_day"] + 1, row["stop_day"] + 1):
            assert (row["entry_id"], day) not in days
            is_event = bool(row["is_event"]) and day == row["stop_day"]
            days[row["entry_id"], day] = [is_event, *(row[name] for name in names)]
    return days


def test_more_than_fits_a_number_is_refused_not_wrapped(engine):
    wide = pd.DataFrame({"entry_id": [2**61], "stop_day": [2**20]})
    none = pd.DataFrame({"entry_id": [1], "day": [1]})
    spells = pd.DataFrame({"entry_id": [1], "measure": ["m"], "start_day": [0], "stop_day": [1]})
    with pytest.raises(OverflowError):
        build_episodes(*(ibis.memtable(frame) for frame in (wide, none, spells)), ["m"])
