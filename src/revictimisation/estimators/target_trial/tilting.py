"""Weights tilted until each arm's covariates have the cohort's means: balance by construction.

A clone's weight is a product of factors, one for each day on which strategy and person may part,
that each have mean 1 given what went before. So with W_d the weight at the place min(d, the
clone's last), E(W_d x) = E(x) for every baseline column x and each day d of the grace time, in both
arms and whatever happened until then: the estimating equations (longitudinal weights: Yiu & Su
2018; of one treatment Hainmueller 2012, Imai & Ratkovic 2014). In a sample they hold but for
chance. Weights are tilted, W exp(c (a + b'x)), as little as may be (Kullback-Leibler divergence
from the fitted weights, of each clone divided by its c) until, at each of a few days d, weights sum
to n and

    | sum of W_d exp(c (a + b'x)) x  -  sum of x |  <=  n (tolerance + ridge |b|) sd(x)

c says how much of the arm's censoring a clone has been through. *No start*: the share of the grace
time's starts that have come by the day, a number found once; d the end of the grace time. *Start*:
1 once it has started (`censor_at_end`: at the end of the grace time), 0 before, for nothing was
selected yet; d the end of the first interval of days of the model of starts (most often day 0),
with coefficients of its own that bear on who started by then, and the end of the grace time.

With tolerance 0 balance is exact where it can be. A tolerance keeps weights steady where starters
are few for the columns (approximate balance: Zubizarreta 2015; Wang & Zubizarreta 2020), and
`ridge` gives an answer where nobody in an arm is like some in the cohort: the difference that is
left shows in the diagnostics, and its price in the effective number.

The dual is convex: Newton's method, each step by coordinates for the penalty's sake, halved where
it does not help. Columns x are centred and divided by their standard deviations in the cohort.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats, Whole
from revictimisation.estimators.target_trial.start_kernels import NO_START, START, descend
from revictimisation.estimators.target_trial.trial_data import Trial

# Gaps, in standard deviations, that are rounding; passes and halvings at most.
SETTLED, MOST_PASSES, MOST_HALVINGS = 1e-12, 100, 40
# Of the dual's value, what rounding may hide.
HIDDEN = 1e-13
# A step that moves a clone's log weight further is cut: exponentials are not seen so far ahead.
LONGEST = 3.0


@dataclass(frozen=True, eq=False)
class Tilt:
    """What calibration multiplies weights by (the module): exp(c (a + b'x)).

    Attributes:
        ends: days d of the start arm's stages, the last of which is the no-start arm's only one.
        theta: (a, b), a row for each stage of the start arm and one for no start. centre, scale: x
            is (column - centre) x scale. accrued: c of a no-start clone by place. tolerance, ridge:
            what was asked. is_settled: it was found.
    """

    ends: tuple[int, ...]
    theta: Floats
    centre: Floats
    scale: Floats
    accrued: Floats
    tolerance: float
    ridge: float
    is_settled: bool

    def stages_of(self, arm: int) -> slice:
        """The arm's rows of `theta`."""
        return slice(-1) if arm == START else slice(-1, None)

    def ends_of(self, arm: int) -> tuple[int, ...]:
        """The arm's days."""
        return self.ends if arm == START else self.ends[-1:]

    def read_columns(self, trial: Trial, rows: npt.NDArray[np.integer]) -> Floats:
        """1 and x of entries with these rows of the base columns."""
        own = (trial.matrix.toarray() - self.centre) * self.scale
        return np.hstack([np.ones((len(own), 1)), own])[rows]

    def find_shares(self, trial: Trial, who: Whole, arm: int, end: int) -> Floats:
        """c of a stage, by entry and place."""
        places = np.arange(len(trial.interval))
        if arm == NO_START:
            return np.broadcast_to(self.accrued, (len(who), len(places)))
        start = trial.people.start[who][:, None]
        return ((start >= 0) & (start <= end) & (places >= start)).astype(np.float64)

    def find_tilts(self, trial: Trial, who: Whole) -> Floats:
        """exp(c (a + b'x)) of entries by arm and place."""
        slopes = self.theta[:, 1:] * self.scale
        by_row = trial.matrix @ slopes.T + (self.theta[:, 0] - slopes @ self.centre)
        moved, logs = by_row[trial.people.row[who]], []
        for arm in (START, NO_START):
            own = moved[:, self.stages_of(arm)].T
            stages = zip(own, self.ends_of(arm), strict=True)
            logs.append(sum(self.find_shares(trial, who, arm, end) * one[:, None]
                            for one, end in stages))  # fmt: skip
        tilts: Floats = np.exp(np.stack(logs, axis=1))
        return tilts


@dataclass(frozen=True, eq=False)
class Equations:
    """What an arm's coefficients solve; a row per clone whose weight they move, a column per each.

    Attributes:
        who: their entries. columns: 1 and x of the clone, for each stage that bears on it (else 0).
            weight: before tilting. share: c. target: what the tilted columns are to sum to. bound,
            ridge: by coefficient, n x tolerance and n x ridge (0 of a).
    """

    who: Whole
    columns: Floats
    weight: Floats
    share: Floats
    target: Floats
    bound: Floats
    ridge: Floats

    def tilt(self, theta: Floats) -> Floats:
        """The tilted weights."""
        tilted: Floats = self.weight * np.exp(self.share * (self.columns @ theta))
        return tilted

    def measure(self, theta: Floats) -> float:
        """The dual's value; infinite where a weight has no end."""
        penalty = self.bound @ np.abs(theta) + self.ridge @ theta**2 / 2
        value = float((self.tilt(theta) / self.share).sum() - self.target @ theta + penalty)
        return value if np.isfinite(value) else np.inf

    def differentiate(self, theta: Floats) -> tuple[Floats, Floats]:
        """First derivatives, without the part of `bound`, and second ones."""
        tilted = self.tilt(theta)
        slope = tilted @ self.columns - self.target + self.ridge * theta
        return slope, self.curve(tilted)

    def curve(self, tilted: Floats) -> Floats:
        """Second derivatives."""
        second = self.columns.T @ (self.columns * (tilted * self.share)[:, None])
        second[np.diag_indices(len(second))] += self.ridge
        return second


@np.errstate(all="ignore")
def solve(equations: Equations, theta: Floats) -> tuple[Floats, bool]:
    """The coefficients, from `theta` on, and whether Newton's method settled."""
    value, bound = equations.measure(theta), equations.bound
    rounding = SETTLED * float(equations.target[0])
    for _ in range(MOST_PASSES):
        slope, second = equations.differentiate(theta)
        short = np.where(theta == 0, np.maximum(np.abs(slope) - bound, 0.0),
                         np.abs(slope + bound * np.sign(theta)))  # fmt: skip
        if short.max() <= rounding:
            return theta, True
        step = np.zeros_like(theta)
        descend(slope, second, theta, bound, rounding / 10, step)
        longest = float(np.abs(equations.share * (equations.columns @ step)).max(initial=0.0))
        step *= min(1.0, LONGEST / longest) if longest > 0 else 1.0
        gain = slope @ step + bound @ (np.abs(theta + step) - np.abs(theta))
        for _ in range(MOST_HALVINGS):
            found = equations.measure(theta + step)
            if found <= value + 1e-4 * gain + HIDDEN * abs(value):
                break
            step, gain = step / 2, gain / 2
        else:
            return theta, bool(short.max() <= 1e4 * rounding)
        theta, value = theta + step, found
    return theta, False


def solve_tilt(trial: Trial, tilt: Tilt, weights: Floats, case_weights: Floats) -> Tilt:
    """The tilt of these weights and case weights, found from the coefficients there are.

    weights: before tilting, entries x arms x places.
    """
    theta, is_settled = tilt.theta.copy(), True
    for arm in (START, NO_START):
        stages = tilt.stages_of(arm)
        equations = list_equations(trial, tilt, arm, weights, case_weights)
        found, is_found = solve(equations, theta[stages].reshape(-1))
        theta[stages] = found.reshape(theta[stages].shape)
        is_settled = is_settled and is_found
    return replace(tilt, theta=theta, is_settled=is_settled)


def list_equations(
    trial: Trial, tilt: Tilt, arm: int, weights: Floats, case_weights: Floats
) -> Equations:
    """An arm's equations; arguments as of `solve_tilt`."""
    who, last = np.arange(trial.n_entries), np.minimum(trial.people.stop - 1, trial.grace_days)
    columns = tilt.read_columns(trial, trial.people.row)
    total, is_moved = case_weights @ columns, np.zeros(len(who), np.bool_)
    parts, targets = [], []
    for end in tilt.ends_of(arm):
        place = np.minimum(last, end)
        own = weights[who, arm, place] * case_weights
        share = tilt.find_shares(trial, who, arm, end)[who, place]
        is_in = share > 0
        parts.append(columns * is_in[:, None])
        targets.append(total - (own * ~is_in) @ columns)
        is_moved |= is_in & (own > 0)
    penalised = case_weights.sum() * np.tile(np.arange(columns.shape[1]) > 0, len(parts))
    return Equations(
        who[is_moved], np.hstack(parts)[is_moved], own[is_moved], share[is_moved],
        np.concatenate(targets), tilt.tolerance * penalised, tilt.ridge * penalised,
    )  # fmt: skip
