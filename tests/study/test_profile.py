"""What the cohort and its extract are like: by hand."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.profile import describe_profile, describe_volumes
from revictimisation.cohort.study_data import StudyData
from revictimisation.cohort.volumes import count_filled, count_volumes
from revictimisation.core.engine import connect
from revictimisation.core.results import choose
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan

PLAN = read_plan(
    "name: mini\nmeasures: {}\nreport_at_days: [182, 365]\nhorizon_days: 365\nsubgroups: []\n"
    "adjust_for: [offence_group, sex]\naccrual: {from_on: 2013-01-01, to_on: 2013-12-31}\n"
    "data_end_on: 2014-03-31"
)
# stop_day, cause, day of a report against somebody else, days to the end of the data
PEOPLE = [
    (10, 1, np.nan, 400, "assault", "female", "2013-01-10"),
    (365, 0, 20.0, 400, "assault", "female", "2013-01-20"),
    (365, 0, np.nan, 365, "threat", "male", "2013-03-31"),
    (200, 1, 30.0, 200, "threat", "female", "2013-09-12"),
]


def make_data() -> StudyData:
    columns = ["stop_day", "cause", "control_day", "data_end_day", "offence_group", "sex"]
    told = pd.DataFrame(PEOPLE, columns=[*columns, "index_on"])
    end = np.minimum(365, told["data_end_day"])
    entries = told.assign(
        entry_id=range(4), cluster_id=range(4), end_day=end, end_cause=0, other_day=np.nan,
        outsider_day=np.nan, own_day=np.nan, index_on=pd.to_datetime(told["index_on"]),
    )  # fmt: skip
    covariates = told[["offence_group", "sex"]]
    filled = pd.DataFrame([("reports", "is_honour", 3, 4), ("persons", "sex", 4, 4)],
                          columns=["table", "column", "n_filled", "n_rows"])  # fmt: skip
    volumes = pd.DataFrame([("reports", "2013-Q1", 7), ("reports", "2013-Q2", 0)],
                           columns=["table", "quarter", "n_rows"])  # fmt: skip
    return StudyData(PLAN, entries, covariates, *[pd.DataFrame()] * 7, volumes=volumes,
                     filled=filled)  # fmt: skip


def test_each_level_has_its_people_and_its_share_by_the_first_day():
    rows = describe_profile(make_data()).estimates
    assert set(rows["analysis"]) == {"profile"} and set(rows["question"]) == {"q2"}
    own = choose(rows, outcome="same_suspect", time_days=182)
    told = own.set_index(["subgroup", "level"])[["n_people", "estimate"]]
    assert told.loc[("", ""), "estimate"] == pytest.approx(0.25)
    assert told.loc[("offence_group", "assault")].tolist() == [2, 0.5]
    assert told.loc[("sex", "female"), "n_people"] == 3
    assert told.loc[("offence_group:index_year", "threat:2013")].tolist() == [2, 0]


def test_reports_against_others_are_followed_past_ones_own():
    rows = choose(describe_profile(make_data()).estimates, outcome="other_suspect")
    assert rows["time_days"].tolist() == [182, 365]
    assert rows["estimate"].iloc[0] == pytest.approx(0.5)


def test_shares_followed_and_filled():
    checks = describe_profile(make_data()).diagnostics.set_index("check")["value"]
    assert checks.to_dict() == {
        "share_followed:182": 1.0, "share_followed:365": 0.75,
        "share_filled:reports:is_honour": 0.75, "share_filled:persons:sex": 1.0,
    }  # fmt: skip


def test_volumes_are_rows_by_quarter_of_each_table():
    rows = describe_volumes(make_data())
    assert rows[["measure", "level", "estimate", "n_events"]].values.tolist() == [
        ["reports", "2013-Q1", 7.0, 7], ["reports", "2013-Q2", 0.0, 0],
    ]  # fmt: skip
    assert rows["n_people"].isna().all()


def test_quarters_are_counted_from_the_accruals_first_to_the_datas_last():
    days = ["2012-12-31", "2013-01-01", "2013-03-31", "2013-04-01", "2014-03-31", "2014-04-01"]
    reports = pd.DataFrame({"reported_on": pd.to_datetime(days).date, "report_id": [*"abcde", None],
                            "is_honour": [True, None, None, False, None, None]})  # fmt: skip
    engine = connect()
    tables = {"reports": engine.backend.create_table("told", ibis.memtable(reports).to_pyarrow())}
    counted = count_volumes(tables, load_dictionary(), PLAN).set_index("quarter")["n_rows"]
    assert counted.to_dict() == {
        "2013-Q1": 2, "2013-Q2": 1, "2013-Q3": 0, "2013-Q4": 0, "2014-Q1": 1,
    }  # fmt: skip
    filled = count_filled(tables, load_dictionary()).set_index("column")
    assert filled.loc["is_honour", ["n_filled", "n_rows"]].tolist() == [2, 6]
