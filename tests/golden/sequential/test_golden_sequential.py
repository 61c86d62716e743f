"""Sequential trials on TrialEmulation's example: ours against that package, `glm` and `survfit`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.api.sequential_trials import SequentialTrials

HERE = Path(__file__).parent
COVARIATES = ["x1", "x2", "x3", "x4", "age_s"]
MODELS = {
    "plain": {"trial_period_terms": 0, "followup_time_terms": 1, "covariates": ["x2"]},
    "squares": {"trial_period_terms": 1, "followup_time_terms": 2, "covariates": ["x2", "x1"]},
}


def test_sequential_trials_are_those_of_r() -> None:
    """Rows of the trials, the pooled hazard's coefficients and errors, the weighted risks."""
    data = pd.read_csv(HERE / "data_censored.csv")
    trials = SequentialTrials().fit(data, covariates=COVARIATES)

    rows = trials.expanded()
    by_arm = rows.groupby(["trial_period", "assigned_treatment"])
    ours = by_arm.agg(
        rows=("outcome", "size"), outcomes=("outcome", "sum"), periods=("followup_time", "sum")
    )
    theirs = pd.read_csv(HERE / "expanded.csv").set_index(ours.index.names).sort_index()
    pd.testing.assert_frame_equal(ours.astype(int), theirs.astype(int))

    kept = pd.read_csv(HERE / "msm.csv")
    for name, asked in MODELS.items():
        found = trials.pooled_hazard(**asked)
        for by, tolerance in (("glm", 1e-8), ("trial_msm", 2e-5)):
            one = kept[(kept["model"] == name) & (kept["by"] == by)]
            assert len(one) == len(found)
            # R's columns stand in our order
            np.testing.assert_allclose(found["coef"], one["coef"], rtol=max(tolerance, 1e-7))
            np.testing.assert_allclose(found["se"], one["se"], rtol=2 * tolerance)

    risks = pd.read_csv(HERE / "risks.csv")
    for treatment, estimand in enumerate(("risk_no_start", "risk_start")):
        mine = risks[risks["treatment"] == treatment]
        found = trials.risks(mine["period"].tolist())
        ours_ = found.loc[found["estimand"] == estimand, "estimate"]
        np.testing.assert_allclose(ours_, mine["risk"], rtol=1e-8, atol=1e-11)
