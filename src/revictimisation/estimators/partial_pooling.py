"""Partial pooling: estimates of the same kind, each drawn towards the mean of its own family.

Estimate y_i with variance v_i of family f (a grouping) is of a truth drawn from N(mu_f, tau^2),
tau^2 the same in all families. Given tau^2, with B_i = v_i / (v_i + tau^2) and m_f the weighted
mean (Morris 1983):

    pooled    m_f + (1 - B_i) (y_i - m_f)
    variance  (1 - B_i) v_i + B_i^2 var(m_f)

A dozen estimates tell little of tau^2. Plain empirical Bayes puts its best guess in, often 0, and
is then too sure. Here both numbers are averaged over what tau^2 may be: restricted
likelihood times the uniform shrinkage prior, under which v / (v + tau^2) at the harmonic mean v of
the variances is as likely anywhere between 0 and 1 (Christiansen & Morris 1997; Daniels 1999).

The estimates are taken as independent, which levels of one grouping nearly are; those of several
groupings hold the same people, so tau^2 rests on less than it seems to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revictimisation.core.arrays import Codes, Floats

# Midpoints of as many equal shares of the prior: more change no sixth digit.
N_POINTS = 1000


@dataclass(frozen=True, eq=False)
class Pooled:
    """By estimate: drawn towards its family's mean, and its error."""

    estimate: Floats
    se: Floats


def pool_partially(estimate: Floats, variance: Floats, family: Codes) -> Pooled:
    """Draw estimates towards the means of their families; `family` as numbers from 0.

    An estimate alone in its family stays as it is.

    Example:
        >>> found = pool_partially(np.array([0.5, -0.5]), np.array([0.1, 0.1]), np.array([0, 0]))
        >>> found.estimate.round(3).tolist(), found.se.round(3).tolist()
        ([0.288, -0.288], [0.309, 0.309])
    """
    between = _list_between(variance)
    total = variance + between[:, None]
    mean, mean_variance = _find_means(estimate, 1 / total, family)
    share = _weigh(estimate - mean, total, mean_variance, family)
    drawn = variance / total
    given = mean + (1 - drawn) * (estimate - mean)
    spread = (1 - drawn) * variance + drawn**2 * mean_variance
    pooled = share @ given
    doubt = share @ spread + share @ (given - pooled) ** 2
    return Pooled(pooled, np.sqrt(doubt))


def _list_between(variance: Floats) -> Floats:
    """Values of tau^2, each of the same share of the prior."""
    share = (np.arange(N_POINTS) + 0.5) / N_POINTS
    middle = len(variance) / np.sum(1 / variance)
    values: Floats = middle * (1 - share) / share
    return values


def _find_means(estimate: Floats, weight: Floats, family: Codes) -> tuple[Floats, Floats]:
    """Each family's mean and its variance, by value of tau^2 and estimate."""
    member = (family[:, None] == np.arange(family.max() + 1)).astype(np.float64)
    total = weight @ member
    return (weight * estimate) @ member / total @ member.T, 1 / total @ member.T


def _weigh(gap: Floats, total: Floats, mean_variance: Floats, family: Codes) -> Floats:
    """What each value of tau^2 weighs: the restricted likelihood, scaled to a sum of 1."""
    first = np.unique(family, return_index=True)[1]
    logs = (np.log(total) + gap**2 / total).sum(axis=1) - np.log(mean_variance[:, first]).sum(
        axis=1
    )
    weight: Floats = np.exp(-(logs - logs.min()) / 2)
    return weight / weight.sum()
