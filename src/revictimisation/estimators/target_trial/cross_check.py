"""The same risks by three estimators, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.intervals import NO_ERROR
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel
from revictimisation.estimators.target_trial.standardised_risk import (
    standardise_risks,
    tabulate_risks,
)


class CrossCheck(NamedTuple):
    """Rows of both estimators, checks, and the entries' scores (`StandardisedRisks.scores`)."""

    rows: pd.DataFrame
    checks: pd.DataFrame
    scores: Floats


def cross_check(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    estimates: pd.DataFrame,
    model: OutcomeModel,
    tolerated: float = 0.0,
) -> CrossCheck:
    """Estimate the outcome's risks by g-formula and doubly robust as well.

    Args:
        weighted: from `weigh_clones` with the natural law, not capped. at_days: days to report.
        estimates: the clones' own, from `estimate_strategies` on these days. model: of the same
            trial, from `fit_outcome_model`. tolerated: risk differences no further apart are taken
            as equal.

    Returns:
        The rows of both as from `estimate_standardised_risks`, with a column estimator; and checks
        as from `diagnose_trial`: largest_disagreement by day (`measure_disagreement`) and
        outcome_model_is_converged; and what transport to other people stands on.
    """
    standardised = standardise_risks(weighted, model, at_days, is_widened=True)
    tables = tabulate_risks(weighted, standardised, at_days)
    rows = pd.concat(
        [table.assign(estimator=name) for name, table in tables.items()], ignore_index=True
    )
    checks = measure_disagreement([estimates, *tables.values()], tolerated)
    settled = {"check": "outcome_model_is_converged", "value": float(model.is_converged)}
    checks = pd.concat([checks, pd.DataFrame([{**settled, "arm": ""}])], ignore_index=True)
    checks = checks.astype({"time_days": "Int64", "value": "float64"})
    return CrossCheck(rows, checks, standardised.scores)


def measure_disagreement(tables: Sequence[pd.DataFrame], tolerated: float = 0.0) -> pd.DataFrame:
    """How far the others' risk differences lie from that of the first of `tables`, in its errors.

    The largest distance of each day; 0 up to `tolerated`. They are of the same people: in simulated
    counties without a hidden difference the doubly robust one lay within 1.1 errors each time. No
    row where the first has no error.

    Example:
        >>> row = {"cause": 1, "estimand": "risk_difference", "time_days": 9}
        >>> three = [pd.DataFrame([{**row, "estimate": x, "se": 0.1}]) for x in (0.1, 0.2, 0.15)]
        >>> measure_disagreement(three)["value"].round(6).tolist()
        [1.0]
    """
    gaps = [
        table[(table["cause"] == 1) & (table["estimand"] == "risk_difference")].set_index(
            "time_days"
        )
        for table in tables
    ]
    first, *others = (gap["estimate"].to_numpy(np.float64) for gap in gaps)
    error = gaps[0]["se"].to_numpy(np.float64)
    apart = np.max([np.abs(other - first) for other in others], axis=0)
    is_known = error > NO_ERROR
    value = np.where(apart > tolerated, apart, 0.0)[is_known] / error[is_known]
    days = gaps[0].index.to_numpy()[is_known]
    return pd.DataFrame(
        {"check": "largest_disagreement", "arm": "", "time_days": days, "value": value}
    )
