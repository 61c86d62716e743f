"""Sequential trials on TrialEmulation's example: ours against that package, `glm` and `survfit`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.api.sequential_trials import SequentialTrials
from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.sequential.estimates import pool_spans
from revictimisation.estimators.sequential.keeping import keep_starts
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.trial_data import prepare_trial

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


def test_keeping_to_the_arm_weighs_as_in_trial_emulation() -> None:
    """Per protocol: the rows of each trial that are left, and the weight of each."""
    data = pd.read_csv(HERE / "data_censored.csv")
    shuffled = data.sample(frac=1, random_state=1).reset_index(drop=True)
    for frame in (data, shuffled):
        trials = SequentialTrials().fit(frame, covariates=COVARIATES)
        ours = trials.per_protocol(stabilise_by=["x4", "age_s"])
        keys = ["id", "trial_period", "followup_time"]
        ours, theirs = (
            one.set_index(keys).sort_index() for one in (ours, pd.read_csv(HERE / "protocol.csv"))
        )
        same = ["assigned_treatment", "outcome"]
        pd.testing.assert_frame_equal(ours[same], theirs[same])
        np.testing.assert_allclose(ours["weight"], theirs["weight"], rtol=1e-8)


def test_started_and_kept_is_that_of_r() -> None:
    """Weight at risk and risk of starters who keep it for four periods, as `glm` and `survfit`."""
    data = pd.read_csv(HERE / "data_censored.csv").set_index(["id", "period"], drop=False)
    trials = SequentialTrials().fit(data, covariates=COVARIATES)
    found = trials.found_
    begun, left = data.iloc[found.row[found.is_start]], found.left[found.is_start]
    lasted, changes = [], []
    for at, (who, first, n) in enumerate(zip(begun["id"], begun["period"], left, strict=True)):
        own = data.loc[who].loc[first : first + min(n, 4) - 1]
        lasted.append((own["treatment"].to_numpy() == 0).argmax() or np.nan)
        changes.append(own[COVARIATES].assign(at=at, day=range(len(own))))
    told = pd.concat(changes)
    ends = prepare_trial(
        left, found.cause[found.is_start], lasted, design_from_array([[]] * len(left), []),
        grace_days=3, cut_days=[0, 2],
        changes={name: Changes(told["at"].to_numpy(), told["day"].to_numpy(), told[name].to_numpy())
                 for name in COVARIATES},
    )  # fmt: skip
    whole = trials.trials_
    everywhere = np.ones(len(whole.spans.entry), np.bool_)
    kept = keep_starts(pool_spans(whole, everywhere), weigh_clones(ends, grace_law="natural_law"))
    theirs = pd.read_csv(HERE / "kept.csv")
    days = theirs["period"].to_numpy()
    np.testing.assert_allclose(kept.arms.at_risk[0, days], theirs["at_risk"], rtol=1e-8)
    np.testing.assert_allclose(kept.arms.read(days)[0, 0], theirs["risk"], rtol=1e-8)
