"""Against R: base glm on person-days, recursion and augmentation written out in loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import standardise_risks
from tests.cases import for_each
from tests.target_trial.test_golden import GOLDEN, read_trial

TERMS = {
    "sexmale": "sex=male",
    "risklow": "risk=low",
    "riskmedium": "risk=medium",
    "effect1": "started 1-10",
    "effect2": "started 11-",
    "started": "started 1-",
}


@pytest.fixture(scope="module")
def model() -> OutcomeModel:
    return fit_outcome_model(
        read_trial(),
        cut_days=(1, 4, 11, 31),
        effect_days=(1, 11),
        period_days=(1,),
        leaving_cut_days=(1, 21),
    )


@for_each("name", ["outcome", "leaving"])
def test_coefficients_and_their_errors(model, name):
    golden = pd.read_csv(GOLDEN / "outcome_coefficients.csv")
    golden = golden[golden["model"] == name]
    terms = golden["term"].str.replace(r"^(leaving_)?interval", "", regex=True).replace(TERMS)
    fitted = {"outcome": model.periods[0], "leaving": model.leaving}[name]
    ours = fitted.to_frame().set_index("name").loc[terms]
    np.testing.assert_allclose(ours["coef"], golden["coef"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours["se_model"], golden["se"], rtol=1e-6)


@for_each("estimator", ["g_formula", "doubly_robust"])
def test_risks_and_days_lost(model, estimator):
    golden = pd.read_csv(GOLDEN / "standardised.csv")
    weighted = weigh_clones(read_trial(), grace_law="natural_law")
    days = sorted(golden["time_days"].unique())
    value = standardise_risks(weighted, model, days).value[
        ["g_formula", "doubly_robust"].index(estimator)
    ]
    for (arm, number), mine in golden.groupby(["arm", "number"]):
        ours = value[["start", "no_start"].index(arm), ["risk", "days_lost"].index(number)]
        np.testing.assert_allclose(ours, mine[estimator], rtol=1e-8)
