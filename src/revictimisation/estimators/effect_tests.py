"""Does what was predicted of effects hold in people it was not learnt from.

Given scores (unbiased pseudo-outcomes of each entry's effect), and what earlier folds predicted:

**Spread found**: the weighted regression of scores on what was predicted, standardised within
folds, with an intercept for each fold: the best linear predictor of Chernozhukov, Demirer, Duflo &
Fernandez-Val (2025), whose one-sided test it is. The coefficient is the standard deviation of
effects times their correlation with what was predicted: a lower bound of how much they vary.

**Groups** sorted by what was predicted, within folds: mean scores, and most helped less least
helped (sorted group average effects, same source). **AUTOC**: the mean, over q, of the effect in
the share q first in line less the effect in all (Yadlowsky et al. 2025).

Entries of later folds, predicted from more, weigh more: the root of how many folds came before. The
weights are no one's doing, so tests hold their level. Errors are clustered by victim, corrected as
in Stata (CR1: G / (G - 1) x (N - 1) / (N - K)). To be helped more is a lower risk difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revictimisation.core.arrays import Codes, Floats
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate, sum_clusters

N_GROUPS = 3
# Spread of what is predicted, within a fold, at or below which all are predicted the same.
NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class Ranked:
    """Entries that were predicted: `at` their places; by place in it `rank` (0..1, the most helped
    first), `group` (0 the most helped), `standing` (what was predicted, standardised within its
    fold), `weight`, and the fold and the victim they are of.
    """

    at: Codes
    rank: Floats
    group: Codes
    standing: Floats
    weight: Floats
    fold: Codes
    cluster: Codes


def rank_entries(predicted: Floats, fold: Codes, cluster: Codes, tie_breakers: Floats) -> Ranked:
    """Rank entries within their folds; of those predicted the same, who is first by `tie_breakers`.

    Folds in which all are predicted the same are left out, as are entries without (NaN).

    Raises:
        NotEstimableError: no fold is left.
    """
    kept = [one for one in np.unique(fold) if _spread(predicted[fold == one]) > NO_SPREAD]
    if not kept:
        raise NotEstimableError("effects_alike")
    at = np.flatnonzero(np.isin(fold, kept))
    mine, own = predicted[at], fold[at]
    rank, standing = np.empty(len(at)), np.empty(len(at))
    for one in kept:
        here = np.flatnonzero(own == one)
        order = here[np.lexsort((tie_breakers[at][here], mine[here]))]
        rank[order] = (np.arange(len(here)) + 0.5) / len(here)
        standing[here] = (mine[here] - mine[here].mean()) / mine[here].std()
    group = np.minimum((rank * N_GROUPS).astype(np.int64), N_GROUPS - 1)
    weight = np.sqrt(own.astype(np.float64))
    return Ranked(at, rank, group, standing, weight, own, cluster[at])


def _spread(predicted: Floats) -> float:
    return 0.0 if np.isnan(predicted).any() else float(predicted.std())


def find_spread(score: Floats, ranked: Ranked) -> Estimate:
    """The coefficient of what was predicted, per standard deviation of it; one number."""
    own, weight, standing = score[ranked.at], ranked.weight, ranked.standing
    total = np.sum(weight * standing**2)
    centred = own - _average_within(own, ranked)
    estimate = np.sum(weight * standing * centred) / total
    moves = weight * standing * (centred - estimate * standing) / total
    n_columns = len(np.unique(ranked.fold)) + 1
    return _by_victim(np.array([estimate]), moves[:, None], ranked, n_columns)


def compare_groups(score: Floats, ranked: Ranked) -> Estimate:
    """Mean score of each group, and of the most helped less the least helped (the last number)."""
    own, weight = score[ranked.at], ranked.weight
    total = np.bincount(ranked.group, weight, N_GROUPS)
    means = np.bincount(ranked.group, weight * own, N_GROUPS) / total
    moves = np.zeros((len(own), N_GROUPS + 1))
    left = weight * (own - means[ranked.group]) / total[ranked.group]
    moves[np.arange(len(own)), ranked.group] = left
    moves[:, -1] = moves[:, 0] - moves[:, N_GROUPS - 1]
    return _by_victim(np.append(means, means[0] - means[-1]), moves, ranked, N_GROUPS)


def find_autoc(score: Floats, ranked: Ranked) -> Estimate:
    """How much lower the effect is in those first in line, over all shares q; below 0: it is."""
    own, weight = score[ranked.at], ranked.weight
    place = -np.log(ranked.rank) - 1
    both = (place - _average_within(place, ranked)) * (own - _average_within(own, ranked))
    estimate = np.sum(weight * both) / weight.sum()
    moves = weight * (both - estimate) / weight.sum()
    n_columns = len(np.unique(ranked.fold)) + 1
    return _by_victim(np.array([estimate]), moves[:, None], ranked, n_columns)


def _average_within(values: Floats, ranked: Ranked) -> Floats:
    """The mean of each one's fold (weights are the same within a fold)."""
    counts = np.bincount(ranked.fold)
    sums = np.bincount(ranked.fold, values)
    means: Floats = sums[ranked.fold] / np.maximum(counts, 1)[ranked.fold]
    return means


def _by_victim(value: Floats, moves: Floats, ranked: Ranked, n_columns: int) -> Estimate:
    """Numbers that each entry moves by `moves` (entries x numbers), with the correction of CR1."""
    labels, place = np.unique(ranked.cluster, return_inverse=True)
    n, n_clusters = len(moves), len(labels)
    scale = n_clusters / max(n_clusters - 1, 1) * (n - 1) / max(n - n_columns, 1)
    return Estimate(value, np.sqrt(scale) * sum_clusters(moves, place))
