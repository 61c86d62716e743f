"""Against R: base glm on person-days, weights written out, survfit on start-stop rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.design import build_design
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.start_model import (
    fit_end_model,
    fit_law_model,
    fit_start_model,
)
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial
from revictimisation.estimators.target_trial.weighted_count import (
    build_outcomes,
    fill_counts,
    outcome_changes,
)
from revictimisation.estimators.target_trial.weighted_risk import fill_arms
from tests.cases import for_each

GOLDEN = Path(__file__).parents[1] / "golden" / "target_trial"
GRACE = 5
TERMS = {
    "intervalday 0-0": "day 0-0",
    "intervalday 1-2": "day 1-2",
    "intervalday 3-5": "day 3-5",
    "(Intercept)": "day 0-5",
    "sexmale": "sex=male",
    "risklow": "risk=low",
    "riskmedium": "risk=medium",
}


@pytest.fixture(scope="module")
def trial() -> Trial:
    return read_trial()


def read_trial() -> Trial:
    people = pd.read_csv(GOLDEN / "people.csv")
    has_other = people["other_day"].notna()
    other = people[has_other]
    return prepare_trial(
        people["stop_day"],
        people["cause"],
        people["start_day"],
        build_design(people.astype({"earlier": float}), ["sex", "risk", "earlier"]),
        grace_days=GRACE,
        changes={
            "other": Changes(
                other["entry"].to_numpy(),
                other["other_day"].to_numpy(dtype=np.int64),
                np.ones(len(other)),
            )
        },
        cut_days=(0, 1, 3),
    )


@for_each(
    ("model", "fit"),
    [("daily", fit_start_model), ("law", fit_law_model), ("at_end", fit_end_model)],
)
def test_coefficients_and_their_errors(trial, model, fit):
    golden = pd.read_csv(GOLDEN / "coefficients.csv")
    golden = golden[golden["model"] == model]
    ours = fit(trial).to_frame().set_index("name").loc[golden["term"].replace(TERMS)]
    np.testing.assert_allclose(ours["coef"], golden["coef"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours["se_model"], golden["se"], rtol=1e-6)


@for_each("arm", ["censor_at_end", "natural_law", "no_start"])
def test_weights_of_every_clone_on_every_day(trial, arm):
    golden = pd.read_csv(GOLDEN / "weights.csv")
    golden = golden[golden["arm"] == arm].filter(like="day_").to_numpy()
    weighted = weigh_clones(trial, grace_law="censor_at_end" if arm == "no_start" else arm)
    for day in range(GRACE + 1):
        ours = weighted.weights_on(day)[:, 1 if arm == "no_start" else 0]
        is_followed = trial.people.stop > day
        np.testing.assert_allclose(
            ours[is_followed], golden[is_followed, day], rtol=1e-8, atol=1e-12
        )
        assert not ours[~is_followed].any()


@for_each("arm", ["censor_at_end", "natural_law", "no_start"])
def test_weighted_curves(trial, arm):
    golden = pd.read_csv(GOLDEN / "risks.csv")
    golden = golden[golden["arm"] == arm]
    weighted = weigh_clones(trial, grace_law="censor_at_end" if arm == "no_start" else arm)
    ours = fill_arms(weighted).read(golden["time_days"].tolist())[1 if arm == "no_start" else 0]
    numbers = golden[["outcome", "death", "emigration", "days_lost"]].to_numpy().T
    np.testing.assert_allclose(ours, numbers, rtol=1e-8, atol=1e-12)


@for_each("arm", ["natural_law", "no_start"])
def test_weighted_mean_counts(arm):
    """Recurrent outcomes past which people are followed and may start (make_golden_counts.R)."""
    people = pd.read_csv(GOLDEN / "count_people.csv")
    events = pd.read_csv(GOLDEN / "count_outcomes.csv")
    trial = prepare_trial(
        people["stop_day"],
        people["end_cause"],
        people["start_day"],
        build_design(people.astype({"earlier": float}), ["sex", "earlier"]),
        grace_days=6,
        changes=outcome_changes(events["entry"], events["day"], recent_days=3, cap=2),
        cut_days=(0, 1, 3),
    )
    golden = pd.read_csv(GOLDEN / "counts.csv")
    golden = golden[golden["arm"] == arm]
    arms = fill_counts(
        weigh_clones(trial, grace_law="natural_law"),
        build_outcomes(trial, events["entry"], events["day"]),
    )
    ours = arms.read(golden["time_days"].tolist())[1 if arm == "no_start" else 0]
    np.testing.assert_allclose(ours, golden["count"], rtol=1e-8)


def test_event_free_days_of_each_arm_equal_r():
    """Without covariates and grace time the arms are those who started on day 0 and those who did
    not: make_rmst.R."""
    people = pd.read_csv(GOLDEN / "people.csv")
    expected = pd.read_csv(GOLDEN / "rmst.csv").set_index(["arm", "time_days"])
    days = [20, 45, 60]
    start = people["start_day"].where(people["start_day"].eq(0))
    design = build_design(people, [])
    trial = prepare_trial(people["stop_day"], people["cause"], start, design, grace_days=0)
    rows = estimate_strategies(weigh_clones(trial), days)
    rows = rows.set_index(["estimand", "time_days"]).sort_index()
    for arm in ("start", "no_start"):
        found, right = rows.loc[f"rmst_{arm}_days"], expected.loc[arm]
        np.testing.assert_allclose(found["estimate"], right["days"], rtol=1e-10)
        np.testing.assert_allclose(found["se"], right["se"], rtol=1e-8)
    gap = expected["days"]["start"] - expected["days"]["no_start"]
    np.testing.assert_allclose(rows.loc["rmst_difference_days", "estimate"], gap, rtol=1e-8)
