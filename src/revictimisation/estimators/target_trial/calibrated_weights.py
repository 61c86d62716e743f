"""Calibrated weights of a trial (`tilting`), and how numbers answer to their equations.

A number N of an arm moves with the coefficients t of the tilt, which solve G(t, s) = 0 with s those
of the models; so a victim moves N through G by -N_t / G_t times the victim's part of G, and the
models' gradients are N_s - N_t / G_t G_s: that of N less a combination of weighted columns. That is
the influence of N less its regression on the balanced columns (Newey & McFadden 1994, section 6).
The shares c and the columns' centre and spread count as known; of coefficients at 0 nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from revictimisation.core.arrays import Floats
from revictimisation.estimators.target_trial.balance import average_columns, measure_spread
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.leverage import find_leverage_factors
from revictimisation.estimators.target_trial.start_kernels import START
from revictimisation.estimators.target_trial.tilting import Tilt, list_equations

# So near to 1 an entry's part in its own balance is taken to be at most.
MOST_OWN = 0.9


def calibrate_weights(weighted: WeightedTrial, *, tolerance: float, ridge: float) -> WeightedTrial:
    """The same trial and models with weights that balance the baseline columns (`tilting`).

    Args:
        weighted: from `weigh_clones`. tolerance: so many standard deviations may means still differ
            from the cohort's. ridge: and so many times each coefficient of the tilt.

    Raises:
        ValueError: capped weights, or those of another population: they have other means.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.clone_weights import weigh_clones
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> design = design_from_array([[0], [0], [0], [1], [1], [1], [0], [1]], ["old"])
        >>> start = [0, None, None, 0, 0, None, 0, None]
        >>> trial = prepare_trial([9] * 8, [1, 0] * 4, start, design, grace_days=0)
        >>> weighted = weigh_clones(trial, grace_law="natural_law")
        >>> exact = calibrate_weights(weighted, tolerance=0, ridge=0)
        >>> exact.weights_by(0)[:3].round(6).tolist()
        [[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]]
    """
    if np.isfinite(weighted.cap_start) or weighted.population != "everyone":
        raise ValueError("weights to be calibrated must be everyone's and not capped")
    trial = weighted.trial
    ends = {trial.grace_days}
    if weighted.is_natural:
        ends.add(([*trial.cut_days, trial.grace_days + 1])[1] - 1)
    start = trial.people.start
    counts = np.bincount(start[start >= 0], minlength=trial.grace_days + 1)
    tilt = Tilt(
        ends=tuple(sorted(ends)),
        theta=np.zeros((len(ends) + 1, 1 + len(trial.names))),
        centre=average_columns(trial, np.ones((trial.n_entries, 1)))[0],
        scale=1 / measure_spread(trial),
        accrued=np.cumsum(counts) / counts.sum(),
        tolerance=tolerance,
        ridge=ridge,
        is_settled=True,
    )
    return replace(weighted, tilt=tilt).calibrate(np.ones(trial.n_entries))


@dataclass(frozen=True, eq=False)
class Response:
    """How the numbers of an arm answer to its equations.

    Attributes:
        moves: of a unit of an equation's gap, targets x stages x columns. constant: what each entry
            adds to all (the penalties), by target. factors: of each entry's own part.
    """

    moves: Floats
    constant: Floats
    factors: Floats


def respond(weighted: WeightedTrial, arm: int, slopes: Floats, *, is_widened: bool) -> Response:
    """From derivatives of the numbers in the coefficients (`sum_answers`); `leverage` if asked."""
    tilt, trial = weighted.tilt, weighted.trial
    assert tilt is not None
    plain, ones = replace(weighted, tilt=None).weights, np.ones(trial.n_entries)
    equations = list_equations(trial, tilt, arm, plain, ones)
    theta = tilt.theta[tilt.stages_of(arm)].reshape(-1)
    is_free = (theta != 0) | (equations.bound == 0)
    tilted = equations.tilt(theta)
    inverse = np.zeros((len(theta), len(theta)))
    at = np.ix_(is_free, is_free)
    inverse[at] = np.linalg.pinv(equations.curve(tilted)[at], hermitian=True)
    moves = slopes.reshape(len(slopes), -1) @ inverse
    penalty = equations.bound * np.sign(theta) + equations.ridge * theta
    factors = ones
    if is_widened:
        own = np.einsum("ij,jk,ik->i", equations.columns, inverse, equations.columns)
        factors = find_leverage_factors(weighted) if arm == START else ones.copy()
        factors[equations.who] /= np.sqrt(1 - np.minimum(own * tilted * equations.share, MOST_OWN))
    return Response(moves.reshape(slopes.shape), moves @ penalty / trial.n_entries, factors)


def sum_answers(weighted: WeightedTrial, here: slice, arm: int, amounts: Floats) -> Floats:
    """Derivatives of a block's numbers in the arm's coefficients: targets x stages x columns.

    amounts: weight x what a unit of it moves, places x targets x entries.
    """
    tilt, trial = weighted.tilt, weighted.trial
    assert tilt is not None
    who, found = np.arange(here.start, here.stop), []
    columns = tilt.read_columns(trial, trial.people.row[here])
    for end in tilt.ends_of(arm):
        shares = tilt.find_shares(trial, who, arm, end)
        found.append(np.einsum("tji,it->ji", amounts, shares) @ columns)
    return np.stack(found, axis=1)


def hold_balance(
    weighted: WeightedTrial, here: slice, arm: int, response: Response, amounts: Floats
) -> Floats:
    """Take from a block's amounts what calibration gives back; its entries' influence.

    With weights as they are, entries x targets.
    """
    tilt, trial = weighted.tilt, weighted.trial
    assert tilt is not None
    columns = tilt.read_columns(trial, trial.people.row[here])
    last = np.minimum(trial.people.stop[here] - 1, trial.grace_days)
    at, profile = np.arange(len(last)), weighted.weights[here, arm]
    more = np.zeros((len(last), amounts.shape[1]))
    for stage, end in enumerate(tilt.ends_of(arm)):
        given, place = columns @ response.moves[:, stage].T, np.minimum(last, end)
        amounts[place, :, at] -= profile[at, place][:, None] * given
        more += given
    own: Floats = amounts.sum(axis=0).T * response.factors[here][:, None]
    return own + more - response.constant
