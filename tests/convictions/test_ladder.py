"""The states of cases, the ladder and the three denominators: tables reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.convictions import estimate_convictions
from revictimisation.analyses.convictions.case_states import STATES, build_paths, find_reasons
from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan
from tests.cases import for_each

# case: its steps (day, step), and the state at the end of day 0, 50 and 100
CASES = {
    "silence": ([], "reported reported reported"),
    "opened": ([(0, "investigated")], "investigated investigated investigated"),
    "never opened": ([(10, "discontinued")], "reported not_investigated not_investigated"),
    "closed": (
        [(2, "investigated"), (50, "discontinued"), (50, "discontinued")],
        "reported discontinued discontinued",
    ),
    "before day 0": ([(-3, "investigated"), (-1, "discontinued")], "discontinued " * 3),
    "all the way": (
        [(1, "investigated"), (40, "prosecuted"), (90, "convicted")],
        "reported prosecuted convicted",
    ),
    "all in a day": (
        [(60, "convicted"), (60, "prosecuted"), (60, "discontinued")],
        "reported reported convicted",
    ),
    "acquitted, then not": (
        [(20, "prosecuted"), (40, "acquitted"), (70, "convicted")],
        "reported acquitted convicted",
    ),
    "taken up again": (
        [(5, "investigated"), (30, "discontinued"), (80, "prosecuted")],
        "reported discontinued prosecuted",
    ),
    "dropped": ([(30, "prosecuted"), (80, "discontinued")], "reported prosecuted "
                "prosecution_dropped"),
    "fined": ([(30, "summary_penalty")], "reported summary_penalty summary_penalty"),
    "waived": ([(51, "prosecution_waived")], "reported reported prosecution_waived"),
    "on the last day": ([(100, "convicted")], "reported reported convicted"),
    "after the end": ([(101, "convicted")], "reported reported reported"),
}  # fmt: skip
STUDY = """
name: court
measures: {}
horizon_days: 200
report_at_days: [50, 100, 150, 300]
adjust_for: []
subgroups: []
"""


def list_steps(cases) -> pd.DataFrame:
    rows = [
        (entry, day, step, "limited" if step == "discontinued" else None)
        for entry, (steps, _) in enumerate(cases.values())
        for day, step in steps
    ]
    return pd.DataFrame(rows, columns=["entry_id", "day", "step", "reason"])


def study_data(cases=CASES, end_day=100, absent=frozenset(), change_day=45) -> StudyData:
    n = len(cases)
    entries = pd.DataFrame({"entry_id": range(n), "cluster_id": range(n), "data_end_day": end_day})
    nothing = pd.DataFrame()
    return StudyData(
        plan=read_plan(STUDY),
        entries=entries,
        covariates=pd.DataFrame(
            {"offence_group": ["assault"] * (n - 1) + ["threat"], "relation_group": "kin",
             "is_honour": "false"}
        ),
        starts=nothing, spells=nothing, episodes=nothing, decisions=nothing, assessments=nothing,
        renewals=nothing, absent=absent,
        cases=pd.DataFrame({"entry_id": range(n), "change_day": change_day}),
        case_steps=list_steps(cases),
    )  # fmt: skip


def pick(rows, **keys):
    mask = np.ones(len(rows), bool)
    for name, value in {"subgroup": "", **keys}.items():
        mask &= rows[name].eq(value).fillna(False).to_numpy(bool)
    return rows[mask]


@for_each("name", CASES)
def test_the_state_of_a_case_from_day_to_day(name):
    paths = build_paths(list_steps({name: CASES[name]}), [100])
    found = [STATES[paths.state_on(day)[0]] for day in (0, 50, 100)]
    assert found == CASES[name][1].split()


def test_reasons_are_the_first_told():
    steps = pd.DataFrame({
        "entry_id": [0, 0, 2], "day": [9, 5, 3], "step": ["discontinued"] * 3,
        "reason": ["other", "limited", None],
    })  # fmt: skip
    assert find_reasons(steps, 3).tolist() == ["limited", "missing", "missing"]


def test_without_censoring_the_ladder_is_plain_shares():
    rows, _ = estimate_convictions(study_data())
    for place, day in ((1, 50), (2, 100)):
        states = [said.split()[place] for _, said in CASES.values()]
        standing = rows[(rows["analysis"] == "ladder") & (rows["subgroup"] == "case_state")]
        standing = standing[standing["time_days"] == day].set_index("level")
        for state in STATES:
            assert standing.loc[state, "n_events"] == states.count(state)
            assert standing.loc[state, "estimate"] == pytest.approx(states.count(state) / 14)
    ladder = pick(rows, analysis="ladder", time_days=100).set_index("outcome")
    reached = {"prosecuted": 6, "tried": 4, "convicted": 4, "acquitted": 0, "cleared": 8,
               "sanctioned": 6, "discontinued": 3, "decided": 11, "investigated": 11}  # fmt: skip
    for name, count in reached.items():
        assert ladder.loc[name, "estimate"] == pytest.approx(count / 14), name
    # a cluster alone: the error of a plain share
    share = 4 / 14
    assert ladder.loc["convicted", "se"] == pytest.approx(np.sqrt(share * (1 - share) / 14))
    by_reason = rows[rows["subgroup"] == "closing_reason"]
    assert set(by_reason["level"]) == {"limited"}
    assert pick(rows, analysis="ladder", time_days=150)["reason"].eq("beyond_follow_up").all()
    assert pick(rows, analysis="ladder", time_days=300)["reason"].eq("beyond_horizon").all()


def test_an_open_case_at_the_end_of_the_data_is_censored_and_not_unconvicted():
    cases = {
        "a": ([(10, "convicted")], ""), "b": ([(10, "discontinued")], ""),
        "c": ([], ""), "d": ([(40, "convicted")], ""),
    }  # fmt: skip
    rows, _ = estimate_convictions(study_data(cases, end_day=[100, 100, 30, 100]))
    share = pick(rows, analysis="of_reports", outcome="convicted").set_index("time_days")
    # the one left of the two open on day 40 stands for the censored one too
    assert share.loc[50, "estimate"] == pytest.approx(0.75)
    assert share.loc[50, "n_events"] == 2


def test_three_denominators_before_and_after_the_change():
    rows, _ = estimate_convictions(study_data())
    tried = pick(rows, analysis="of_tried").iloc[0]
    assert (tried["estimate"], tried["n_people"]) == (1.0, 4)
    period = {"subgroup": "definition_period", "analysis": "of_tried"}
    before, after = (pick(rows, **period, level=one) for one in ("before_change", "from_change"))
    # first judgments on days 90, 60, 40, 100; the change on day 45
    assert before["n_people"].tolist() == [1] and after["n_people"].tolist() == [3]
    of = pick(rows, analysis="of_prosecuted", outcome="convicted").set_index("time_days")
    # of six two are convicted the day they are prosecuted; one of four is acquitted after 20 days
    # and one then censored; of the two left after 50 days one is convicted and one dropped, and the
    # acquittal becomes a conviction
    assert of.loc[50, "n_people"] == 6
    assert of.loc[50, "estimate"] == pytest.approx(2 / 6 + 1 / 2 * 3 / 6 + 1 / 6)


@for_each("absent", [{"investigations"}, {"case_decisions"}])
def test_one_absent_table_leaves_the_rest(absent):
    rows, _ = estimate_convictions(study_data(absent=frozenset(absent)))
    ladder = pick(rows, analysis="ladder", time_days=100).set_index("outcome")["status"]
    is_decided = absent == {"investigations"}
    assert ladder["convicted"] == ("ok" if is_decided else "not_estimable")
    assert ladder["investigated"] == ("not_estimable" if is_decided else "ok")
    assert set(rows.loc[rows["status"] != "ok", "reason"]) >= {"table_absent"}


def test_nothing_to_read_is_said_in_one_row():
    absent = frozenset({"investigations", "case_decisions"})
    rows, _ = estimate_convictions(study_data(absent=absent))
    assert rows[["status", "reason"]].values.tolist() == [["not_estimable", "table_absent"]]
    data = study_data()
    empty = replace(data, entries=data.entries[:0])
    assert estimate_convictions(empty)[0]["reason"].tolist() == ["empty_cohort"]
