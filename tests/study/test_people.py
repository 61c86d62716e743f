"""What a run keeps of its people: enough to compare, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revictimisation.analyses.target_trials import estimate_target_trials
from revictimisation.cohort.people import keep_people
from revictimisation.core.results import choose
from revictimisation.plan import read_plan
from tests.heterogeneity.made import STUDY, make_study

PLAN = "bootstrap: {replicates: 0}\nfor_whom: {combined: {}}\n"


@pytest.fixture(scope="module")
def kept():
    study = make_study(300)
    places = study.covariates.assign(municipality_code="0180", index_year=2012)
    plan = read_plan(STUDY.replace("adjust_for: [", "adjust_for: [municipality_code, ") + PLAN)
    study = replace(study, plan=plan, covariates=places)
    found = estimate_target_trials(study, ["help"], has_curves=False)
    return study, found, keep_people(study, found.scores)


def test_scores_are_each_ones_term_of_the_doubly_robust_risks(kept):
    study, found, people = kept
    asked = {"estimator": "doubly_robust", "analysis": "main", "time_days": 100}
    for arm in ("start", "no_start"):
        told = choose(found.estimates, **asked, estimand=f"risk_{arm}")["estimate"].iloc[0]
        assert people[f"{arm}:help"].mean() == pytest.approx(told)
    running = study.starts_of("help")["is_running_before"]
    assert running.any()
    assert (people["start:help"].isna() == running).all()
    assert np.isfinite(people.loc[~running, "start:help"]).all()


def test_nobody_is_named_and_no_municipality_is_there(kept):
    study, _, people = kept
    assert people.columns.tolist() == [
        "entry_id", "cluster_id", "stop_day", "cause", "sex", "relation", "n_earlier_reports",
        "risk_level", "start:help", "no_start:help",
    ]  # fmt: skip
    assert len(people) == len(study.entries)
    assert people["cluster_id"].tolist() == study.entries["cluster_id"].tolist()


def test_without_scores_there_are_none(kept):
    assert not [name for name in keep_people(kept[0]) if ":" in str(name)]
