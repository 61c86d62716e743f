"""Weights that make the people of one study like those of another: what was found there, for these.

A study was made in some people (*source*); it is asked what it says of others (*target*), of whom
only covariates are known. With m(x) the chance that somebody of both together with covariates x is
of the source, a source person stands for (1 - m(x)) / m(x) of the target: inverse odds of
membership (Westreich, Edwards, Lesko, Stuart & Cole 2017, Am J Epidemiol 186:1010). The weighted
mean of what was found of each source person is then what would be found in the target, if nothing
that differs between the two but is not among the covariates changes it, if target people have
somebody like them in the source, and if m is right.

With a linear model of what was found as well, fitted with these weights and read in the target
(weighted regression; Dahabreh, Robertson, Steingrimsson, Stuart & Hernan 2020, Stat Med 39:1999,
section 4), it is right if either model is; the two are shown beside each other.

Errors are those of an M-estimator: people of the source by what was found of them, people of both
by moving the model of membership, people of the target by who they are; summed by victim (no victim
is in both). That what was found of each rests on models too counts for nothing to first order where
it is doubly robust (`target_trial.standardised_risk`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate, stack
from revictimisation.estimators.logistic import fit_logistic, read_design
from revictimisation.estimators.solve import factor_cholesky, invert_cholesky
from revictimisation.estimators.standardised_odds import sum_by_cluster

ALIAS_TOLERANCE = 1e-9
# A covariate that tells the two apart altogether leaves nobody to stand for the others.
APART = 1e-8


@dataclass(frozen=True, eq=False)
class Membership:
    """Source and target people together, and what a source person stands for.

    Attributes:
        is_source: by person. odds: (1 - m) / m. columns: covariates with an intercept in front,
            people x columns. moves: what each person adds to the coefficients of m. cluster: the
            victim of each; those of the two are apart.
    """

    is_source: Flags
    odds: Floats
    columns: Floats
    moves: Floats
    cluster: npt.NDArray[np.generic]

    @property
    def weight(self) -> Floats:
        """Weights of the source people, of mean 1."""
        mine = self.odds[self.is_source]
        return mine / mine.mean()

    @property
    def effective_size(self) -> float:
        """How many unweighted source people would tell as much (Kish)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())

    @property
    def share_outside(self) -> float:
        """The share of the target of whom nobody in the source is as unlike the source as they."""
        most = self.odds[self.is_source].max()
        return float((self.odds[~self.is_source] > most * (1 + 1e-9)).mean())


def weigh_membership(
    design: Design, is_source: npt.ArrayLike, cluster: npt.ArrayLike | None = None
) -> Membership:
    """Fit a logistic model of membership, main effects of the design's columns.

    Args:
        design: covariates of both, a row per person. cluster: the victim of each, no one in both.

    Raises:
        NotEstimableError: one of the two is empty (`empty_cohort`); covariates tell some of them
            apart altogether (`no_overlap`).
    """
    mine = np.asarray(is_source, np.bool_)
    if mine.all() or not mine.any():
        raise NotEstimableError("empty_cohort")
    columns = read_design(design)
    fit = fit_logistic(columns, mine)
    if not fit.is_converged or fit.chance[mine].min() < APART:
        raise NotEstimableError("no_overlap")
    dense = np.column_stack([np.ones(design.n_rows), design.to_dense()])
    moves = np.einsum("ij,jk->ik", (mine - fit.chance)[:, None] * dense, fit.covariance)
    who = np.arange(len(mine)) if cluster is None else np.asarray(cluster)
    return Membership(mine, (1 - fit.chance) / fit.chance, dense, moves, who)


def transport(people: Membership, found: npt.ArrayLike) -> Estimate:
    """The mean of what was found of source people, as it would be in the target: two numbers.

    By the weights alone, and by weighted regression.

    Args:
        found: numbers of the source people, in order.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> sex = design_from_array([[0.0], [0.0], [0.0], [1.0], [0.0], [1.0], [1.0], [1.0]], ["x"])
        >>> both = weigh_membership(sex, [1, 1, 1, 1, 0, 0, 0, 0])
        >>> transport(both, [1.0, 2.0, 3.0, 6.0]).value.round(6).tolist()  # 1/4 x 2 + 3/4 x 6
        [5.0, 5.0]
    """
    mine, value = people.is_source, np.asarray(found, np.float64)
    odds, rows = people.odds[mine], people.columns[mine]
    total = odds.sum()
    mean = float((odds * value).sum() / total)
    by_weight = np.zeros(len(mine))
    by_weight[mine] = odds * (value - mean) / total
    # an odds falls by itself times the columns, as m's coefficients rise
    by_weight -= people.moves @ (rows.T @ by_weight[mine])
    info = rows.T @ (odds[:, None] * rows)
    inverse = invert_cholesky(*factor_cholesky(info, np.diag(info), ALIAS_TOLERANCE))
    coefficients = inverse @ (rows.T @ (odds * value))
    target = people.columns[~mine]
    said = target @ coefficients
    left = odds * (value - rows @ coefficients) * (rows @ (inverse @ target.mean(axis=0)))
    by_model = np.zeros(len(mine))
    by_model[mine] = left
    by_model[~mine] = (said - said.mean()) / len(said)
    by_model -= people.moves @ (rows.T @ left)
    both = stack([Estimate(np.asarray(mean), by_weight), Estimate(said.mean(), by_model)])
    return sum_by_cluster(both, people.cluster)


def transport_plain(people: Membership, found: npt.ArrayLike) -> Estimate:
    """The mean of what was found in the source itself: one number, to stand beside."""
    value = np.asarray(found, np.float64)
    moved = np.zeros((len(people.is_source), 1))
    moved[people.is_source, 0] = (value - value.mean()) / len(value)
    return sum_by_cluster(Estimate(np.array([value.mean()]), moved), people.cluster)
