"""Each victim counted once: a spec table, small enough to reckon by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from revictimisation.analyses.effects import choose_person_entries, estimate_incidence
from revictimisation.analyses.suspects import count_suspects
from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan

STUDY = "name: mini\nmeasures: {}\nadjust_for: []\nsubgroups: []\nreport_at_days: [100, 365]"
# victim, index day, last day of follow-up, how it ends (1 new report, 2 death, 0 neither), chosen
ENTRIES = [
    (0, "2012-01-01", 80, 1, True),  # the first of two suspects: reported again
    (0, "2012-03-01", 400, 0, False),
    (1, "2012-05-01", 400, 0, False),  # two on one day: the first new report against either
    (1, "2012-05-01", 50, 1, True),
    (2, "2013-01-01", 20, 1, False),  # the second suspect is reported again, the first not
    (2, "2012-01-01", 400, 0, True),
    (3, "2012-01-01", 300, 2, False),  # dies on the day of a new report, which comes first
    (3, "2012-01-01", 300, 1, True),
    (4, "2012-01-01", 300, 0, False),  # followed to that day with no report against one of two
    (4, "2012-01-01", 300, 1, True),
]


@pytest.fixture(scope="module")
def entries() -> pd.DataFrame:
    names = ["cluster_id", "index_on", "stop_day", "cause", "is_chosen"]
    found = pd.DataFrame(ENTRIES, columns=names)
    return found.assign(
        entry_id=range(len(found)),
        index_on=pd.to_datetime(found["index_on"]),
        end_day=found["stop_day"],
    )


def test_a_victim_is_followed_from_the_first_index_report(entries):
    assert set(choose_person_entries(entries).index) == set(entries.index[entries["is_chosen"]])


def test_the_share_of_people_stands_beside_that_of_follow_ups(entries):
    nothing = pd.DataFrame()
    made = estimate_incidence(StudyData(read_plan(STUDY), entries, *[nothing] * 7))
    mine = made[(made["outcome"] == "same_suspect") & (made["estimator"] == "aalen_johansen")]
    got = mine.set_index(["analysis", "time_days"])[["estimate", "n_people", "n_events"]]
    # by day 100: 3 of 10 follow-ups, 2 of 5 people; then 2 of the 7 still followed on day 300
    # (a third dies), and 2 of the 3 people
    assert got.loc["by_person", 100].tolist() == [pytest.approx(0.4), 5, 2]
    assert got.loc["by_person", 365].tolist() == [pytest.approx(0.8), 5, 4]
    assert got.loc["main", 100].tolist() == [pytest.approx(0.3), 10, 3]
    assert got.loc["main", 365].tolist() == [pytest.approx(0.3 + 0.7 * 2 / 7), 10, 5]


def test_victims_with_several_suspects_are_counted_once(entries):
    nothing = pd.DataFrame()
    rows = count_suspects(StudyData(read_plan(STUDY), entries, *[nothing] * 7))
    share = rows.set_index("estimand").loc["share"]
    assert share[["estimate", "n_people", "n_events"]].tolist() == [1.0, 5, 5]
    one_less = entries.drop(index=entries.index[-1])
    rows = count_suspects(StudyData(read_plan(STUDY), one_less, *[nothing] * 7))
    assert rows.set_index("estimand").loc["count", "estimate"] == 4


def test_reports_against_the_suspect_stand_beside_those_against_any_relative(entries):
    """Of three whose relative is reported on day 80, 50 and 300 one is so against the suspect."""
    own_day = [200.0, None, None, 390.0, *[None] * 6]
    both = entries.assign(own_day=own_day, end_day=400, end_cause=0)
    study = STUDY + "\noutcome: {who: any_kin}"
    made = estimate_incidence(StudyData(read_plan(study), both, *[pd.DataFrame()] * 7))
    mine = made[made["outcome"].eq("same_suspect") & made["estimator"].eq("aalen_johansen")]
    got = mine.set_index(["analysis", "time_days"])[["estimate", "n_people", "n_events"]]
    assert got.loc["main", 365].tolist() == [pytest.approx(0.1), 10, 1]
    assert got.loc["by_person", 365].tolist() == [pytest.approx(0.2), 5, 1]
    wide = made[made["outcome"].eq("any_kin") & made["analysis"].eq("main")]
    assert wide["n_events"].max() == 5
