"""Effects carried over to other people: weighted by hand, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.rows import give_lights
from revictimisation.comparison.transport import compare_transport
from revictimisation.core.results import make_estimates
from revictimisation.plan import read_plan

PLAN = read_plan(
    "name: carried\nmeasures: {help: {codes: [help]}}\nreport_at_days: [365]\n"
    "adjust_for: [risk_level, index_year]\nsubgroups: [risk_level]\n"
)
# in the reference the measure takes 30 points off at high risk, none at low
EFFECT = {"high": -0.3, "low": 0.0}


def make_cohort(name: str, n_high: int, n_low: int, own: float, seed: int = 1) -> Cohort:
    """People at two levels, their scores, and what a run tells of the measure."""
    rng = np.random.default_rng(seed)
    level = np.array(["high"] * n_high + ["low"] * n_low)
    n = len(level)
    noise = rng.normal(0, 0.2, n)
    for one in {*level}:
        noise[level == one] -= noise[level == one].mean()
    people = pd.DataFrame({
        "cluster_id": range(n), "stop_day": 400, "cause": 0, "risk_level": level,
        "index_year": 2012 if name == "A" else 2016, "no_start:help": 0.4,
        "start:help": 0.4 + pd.Series(level).map(EFFECT) + noise,
    })  # fmt: skip
    same = {"question": "q2", "outcome": "same_suspect", "time_days": 365, "n_people": n,
            "n_events": n // 3}  # fmt: skip
    effect = {**same, "measure": "help", "estimand": "risk_difference", "estimate": own, "se": 0.02}
    curve = {**same, "analysis": "profile", "estimator": "aalen_johansen", "estimate": 0.4,
             "estimand": "cumulative_incidence", "se": 0.01}  # fmt: skip
    counts = {"high": n_high, "low": n_low}
    rows = [
        *({**effect, "estimator": one} for one in ("doubly_robust", "clone_censor_weight")), curve,
        *({**curve, "subgroup": "risk_level", "level": one, "n_people": counts[one]}
          for one in EFFECT if counts[one]),
        *({**effect, "question": "q3", "estimator": "clone_censor_weight", "estimate": EFFECT[one],
           "subgroup": "risk_level", "level": one} for one in EFFECT),
    ]  # fmt: skip
    return Cohort(
        name, PLAN, make_estimates(rows), pd.DataFrame(), pd.DataFrame(), True, people=people
    )


def judge(reference: Cohort, new: Cohort) -> pd.DataFrame:
    return give_lights(compare_transport(reference, new, PLAN.comparison), 0.02)


def pick(rows: pd.DataFrame, check: str) -> pd.Series:
    return rows[rows["check"].eq(check)].iloc[0]


REFERENCE = make_cohort("A", 300, 700, -0.09)


def test_the_effect_is_that_of_the_new_people():
    rows = judge(REFERENCE, make_cohort("B", 800, 200, -0.25, seed=2))
    for check in ("carried_effect", "carried_by_regression"):
        assert pick(rows, check)["value_new"] == pytest.approx(-0.24)
        assert pick(rows, check)["value_reference"] == pytest.approx(-0.09)
    assert pick(rows, "transported_effect")["light"] == "fits"
    # released tables tell the same where effects differ by one covariate alone
    assert pick(rows, "standardised_effect")["value_reference"] == pytest.approx(-0.24)
    left = pick(rows, "effective_share")["value_reference"]
    assert left == pytest.approx(1000**2 / (800**2 / 300 + 200**2 / 700) / 1000)
    assert pick(rows, "outside_support")["light"] == "fits"


def test_another_effect_is_told():
    rows = judge(REFERENCE, make_cohort("B", 800, 200, -0.05, seed=2))
    row = pick(rows, "transported_effect")
    assert row["difference"] == pytest.approx(0.19, abs=1e-6)
    assert row["light"] == "look"


def test_people_at_a_level_that_the_reference_lacks_have_no_match():
    reference = make_cohort("A", 0, 700, 0.0)
    rows = judge(reference, make_cohort("B", 300, 700, -0.09, seed=2))
    assert pick(rows, "outside_support")["value_new"] == pytest.approx(0.3)
    assert pick(rows, "outside_support")["light"] == "look"


def test_without_people_or_an_answer_it_cannot_be_told():
    new = make_cohort("B", 800, 200, -0.25)
    rows = judge(replace(REFERENCE, people=None), new)
    assert pick(rows, "transported_effect")["light"] == "cannot_tell"
    assert pick(rows, "transported_effect")["reason"] == "people_not_there"
    held = REFERENCE.estimates.copy()
    gone = held["estimator"].eq("doubly_robust")
    held.loc[gone, ["status", "reason"]] = ["withheld", "few_events"]
    rows = judge(replace(REFERENCE, estimates=held), new)
    assert pick(rows, "transported_effect")["reason"] == "few_events"
    rows = judge(REFERENCE, replace(new, estimates=held))
    assert pick(rows, "carried_effect")["status"] == "ok"
    assert pick(rows, "transported_effect")["reason"] == "few_events"
