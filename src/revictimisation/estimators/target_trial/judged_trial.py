"""A trial's numbers by every way of estimation, and the gates that may hold them back.

What a study reports and what a model of a data frame gives go through here alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.core.results import mark_endless, withhold_unmeasured
from revictimisation.estimators.limits import Gates
from revictimisation.estimators.target_trial.bootstrap import Replicates, bootstrap_arms
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.cross_check import cross_check
from revictimisation.estimators.target_trial.diagnostics import (
    describe_replicates,
    diagnose_trial,
    stack_checks,
)
from revictimisation.estimators.target_trial.estimates import estimate_curves, estimate_strategies
from revictimisation.estimators.target_trial.gates import (
    holds_all,
    judge,
    withhold_failed,
    withhold_few,
)
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel

FEWEST_REPLICATES = 2


@dataclass(frozen=True, eq=False)
class JudgedTrial:
    """A trial on some days; nothing is held back of its rows until `hold`.

    Attributes:
        main: rows of `estimate_strategies` with the bootstrap's intervals, where it was drawn.
        influence: the same with those of the influence. curve: `estimate_curves`, as `main`.
        others: rows by g-formula and doubly robust, by their names; none without an outcome model.
        judged: every check against its gate (`gates.judge`). scores: of `CrossCheck`.
    """

    main: pd.DataFrame
    influence: pd.DataFrame
    curve: pd.DataFrame
    others: Mapping[str, pd.DataFrame]
    judged: pd.DataFrame
    scores: Floats | None
    gates: Gates

    def hold(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of the trial by any estimator, those `withheld` that a gate speaks against.

        Of all causes; with the reason of the first gate that fails. Then comparisons of which an
        arm has too few events of the row's own cause, and what has no error.
        """
        held = withhold_failed(mark_endless(rows), self.judged, self.gates)
        return withhold_unmeasured(withhold_few(held, self.gates))


def judge_trial(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    gates: Gates,
    model: OutcomeModel | None,
    *,
    n_replicates: int = 0,
    seed: int = 1,
    curve_days: Sequence[int] = (),
    correcting: WeightedTrial | None = None,
    more_checks: pd.DataFrame | None = None,
    named: Mapping[str, str] | None = None,
) -> JudgedTrial:
    """Estimate a trial in every way and hold what stands behind it to the gates.

    Args:
        weighted: from `weigh_clones`, not capped: a cap changes a number, not what is judged.
        model: of the outcome (`fit_outcome_model`), where the other two estimators are of the same
            question: under the natural law. n_replicates: of the bootstrap; none is drawn where
            fewer than 2 are asked for, or the gates hold back every day whatever they would say.
        correcting: with which weights the doubly robust estimator corrects the g-formula, if other.
        more_checks: are told beside. named: analysis and measure, for the rows of checks.
    """
    days, label = list(at_days), named or {"analysis": "", "measure": ""}
    table = estimate_strategies(weighted, days)
    others, compared, scores = {}, pd.DataFrame(), None
    if model is not None:
        rows, compared, scores = cross_check(
            correcting or weighted, days, table, model, gates.tolerated_disagreement
        )
        others = {
            str(name): one.drop(columns="estimator")
            for name, one in rows.groupby("estimator", sort=False)
        }
    more = pd.DataFrame() if more_checks is None else more_checks
    checks = stack_checks(diagnose_trial(weighted, days, table), more, compared)
    judged = judge(checks, gates, label, weighted.trial.grace_days)
    main, curve = table, estimate_curves(weighted, curve_days)
    # Calibration fits a replicate's few starters too well: its spread is too small, by a quarter.
    is_drawn = weighted.tilt is None and n_replicates >= FEWEST_REPLICATES
    if is_drawn and not holds_all(table, judged, gates):
        every = sorted({*days, *curve_days})
        drawn = bootstrap_arms(weighted, every, n_replicates=n_replicates, seed=seed)
        on_days, along = (_pick_days(drawn, every, one) for one in (days, curve_days))
        main = estimate_strategies(weighted, days, replicates=on_days)
        curve = estimate_curves(weighted, curve_days, replicates=along)
        checks = stack_checks(checks, describe_replicates(drawn))
        judged = judge(checks, gates, label, weighted.trial.grace_days)
    return JudgedTrial(main, table, curve, others, judged, scores, gates)


def _pick_days(drawn: Replicates, every: Sequence[int], days: Sequence[int]) -> Replicates:
    return replace(drawn, answers=drawn.answers[..., np.searchsorted(every, days)])
