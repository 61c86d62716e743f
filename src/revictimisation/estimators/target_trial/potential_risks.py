"""Predicted risks of the strategies by day, entry by entry, and how the models move them.

Follow-up is cut into *steps*: a day each up to the end of the grace time (step m is day m + 1),
then runs of days with constant hazards. On day m of the grace time, before step m, who has not
started starts with chance q_m = l_m / R_m under *start* (`clone_weights`). With hazards of the
outcome a and of leaving b on each day of a step of n days, s = (1 - a)(1 - b), the reward r(j) of
an outcome on the step's day j = 0..n - 1, and V the value at its end if still free,

    U = a x (sum over j of s^j r(j)) + s^n V

is the value at its beginning (hazards of state 1 if started, of state 0 if not). For *start* the
value before the decision is q_m U1 + (1 - q_m) U0, for *no start* U0. A *target* is a risk by a day
(reward 1) or the days lost up to a day (reward: the days left); steps after its day have value 0.

The doubly robust estimator adds, of each step that a clone is seen through (to its end or to an
event), its weight times (what came of it less its U). Arrays have the step or day first, then the
target, then the entry (of a block); estimators: 0 g-formula, 1 doubly robust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from revictimisation.core.arrays import Days, Floats
from revictimisation.estimators.target_trial.calibrated_weights import (
    Response,
    hold_balance,
    respond,
    sum_answers,
)
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.entry_days import (
    EntryDays,
    Gradient,
    build_days,
    cut_blocks,
    move_law,
    sum_behind,
)
from revictimisation.estimators.target_trial.leverage import find_leverage_factors
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel
from revictimisation.estimators.target_trial.start_kernels import START
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial, number_days


class Steps(NamedTuple):
    """Runs of days (begin, begin + days] with constant hazards, and the intervals they lie in."""

    begin: Days
    days: Days
    outcome: npt.NDArray[np.int32]
    leaving: npt.NDArray[np.int32]


class Targets(NamedTuple):
    """Numbers: the risks by each `day`, then the days lost up to each.

    An outcome on the day j = 0.. of a step counts `lead` - j `fall` (steps x targets).
    """

    day: Days
    lead: Floats
    fall: Floats


def cut_steps(trial: Trial, model: OutcomeModel, days: Days) -> Steps:
    """Runs of days with constant hazards, ending where a day is reported or the grace time ends."""
    end = min(int(days.max()), trial.last_day)
    places = [np.arange(trial.grace_days + 1), days, np.array([end])]
    places += [np.asarray(cuts) - 1 for cuts in (model.cut_days, model.leaving_cut_days)]
    bounds = np.unique(np.concatenate(places)).astype(np.int64)
    bounds = bounds[bounds <= end]
    begin = bounds[:-1]
    outcome, leaving = (
        number_days(cuts, end)[begin + 1] for cuts in (model.cut_days, model.leaving_cut_days)
    )
    return Steps(begin, np.diff(bounds), outcome, leaving)


def list_targets(steps: Steps, days: Days) -> Targets:
    """The risks by each of the days, and the days lost up to each."""
    is_counted = (steps.begin + steps.days)[:, None] <= days
    left = np.where(is_counted, days - steps.begin[:, None] - 1, 0)
    lead = np.hstack([is_counted, left]).astype(np.float64)
    fall = np.hstack([np.zeros_like(left), is_counted]).astype(np.float64)
    return Targets(np.tile(days, 2), lead, fall)


def find_follow_chances(trial: Trial) -> Floats:
    """P(not ended administratively before the day) by day 0..last day; who has an event that day
    is no longer at risk of it (Kaplan-Meier).
    """
    stop, is_end = trial.people.stop, trial.people.cause == 0
    n_days = trial.last_day + 1
    ends = np.bincount(stop[is_end], minlength=n_days)
    events = np.bincount(stop[~is_end], minlength=n_days)
    gone = np.cumsum(ends + events)
    at_risk = len(stop) - gone + ends
    hazard = np.divide(ends, at_risk, out=np.zeros(n_days), where=at_risk > 0)
    chances: Floats = np.append(1.0, np.cumprod(1 - hazard)[:-1])
    return chances


class Hazards(NamedTuple):
    """By state (not started, started), step and entry of a block.

    outcome a, leaving b; `ones`, `firsts`, `seconds`: sums over the step's days j of s^j, j s^j,
    j^2 s^j; `end`: s^n.
    """

    outcome: Floats
    leaving: Floats
    ones: Floats
    firsts: Floats
    seconds: Floats
    end: Floats


def find_hazards(model: OutcomeModel, steps: Steps, rows: npt.NDArray[np.integer]) -> Hazards:
    """The model's hazards for entries with these rows of the base columns."""
    n_outcome, n_leaving = len(model.cut_days), len(model.leaving_cut_days)
    states = np.arange(2)[:, None, None]
    period = model.interval_periods[steps.outcome]
    by_row = np.stack([one.odds.rows[rows] for one in model.periods])[period]
    by_cell = np.stack([one.odds.cells for one in model.periods])
    cells = states * n_outcome * (1 + model.group[rows]) + steps.outcome[:, None]
    outcome = by_row * by_cell[period[:, None], cells]
    cells = states * n_leaving + steps.leaving[:, None]
    leaving = model.leaving.odds.rows[rows] * model.leaving.odds.cells[cells]
    a, b = outcome / (1 + outcome), leaving / (1 + leaving)
    stay = (1 - a) * (1 - b)
    sums = (np.ones_like(stay), np.zeros_like(stay), np.zeros_like(stay), stay)
    is_long = steps.days > 1
    for kept, found in zip(sums, _sum_powers(stay[:, is_long], steps.days[is_long]), strict=True):
        kept[:, is_long] = found
    return Hazards(a, b, *sums)


def _sum_powers(stay: Floats, days: Days) -> tuple[Floats, Floats, Floats, Floats]:
    """Sums over j = 0..n - 1 of s^j, j s^j, j^2 s^j, and s^n: by doubling, no digits are lost.

    stay: s by state, step and entry; days: n by step.
    """
    n, m = days[:, None], np.zeros((len(days), 1), np.int64)
    ones, firsts, seconds = np.zeros_like(stay), np.zeros_like(stay), np.zeros_like(stay)
    power = np.ones_like(stay)
    for bit in 2 ** np.arange(int(days.max(initial=0)).bit_length())[::-1]:
        seconds += power * (seconds + 2 * m * firsts + m * m * ones)
        firsts += power * (firsts + m * ones)
        ones += power * ones
        power *= power
        m = 2 * m
        is_one_more = (n & bit) > 0
        more = np.where(is_one_more, power, 0.0)
        seconds += m * m * more
        firsts += m * more
        ones += more
        power = np.where(is_one_more, power * stay, power)
        m = m + is_one_more
    return ones, firsts, seconds, power


class Values(NamedTuple):
    """Values at the beginning of each step (and after the last): steps + 1 x targets x entries.

    `started`: state 1; `never`: no start; `before`: under start, none yet, before the day's
    decision; `waiting`: after it.
    """

    started: Floats
    never: Floats
    before: Floats
    waiting: Floats


def find_values(targets: Targets, share: Floats, hazards: Hazards) -> Values:
    """Backwards from the last step; `share`: q by day of the grace time and entry."""
    n_steps, grace = len(targets.lead), len(share) - 1
    rewards = hazards.outcome[..., None, :] * (
        hazards.ones[..., None, :] * targets.lead[..., None]
        - hazards.firsts[..., None, :] * targets.fall[..., None]
    )
    shape = (n_steps + 1, *rewards.shape[2:])
    started, never, before, waiting = (np.zeros(shape) for _ in range(4))
    end = hazards.end[..., None, :]
    for m in range(n_steps - 1, -1, -1):
        started[m] = rewards[1, m] + end[1, m] * started[m + 1]
        never[m] = rewards[0, m] + end[0, m] * never[m + 1]
        waiting[m] = rewards[0, m] + end[0, m] * before[m + 1]
        before[m] = started[m]
        if m < grace:
            before[m] += (1 - share[m]) * (waiting[m] - started[m])
    return Values(started, never, before, waiting)


class Increments(NamedTuple):
    """The doubly robust estimator's additions of a clone.

    amounts: by place of the weight, target and entry. passed, dropped: by state, step and entry,
    the weights with which the value at the beginning of a step is added and its U taken away.
    """

    amounts: Floats
    passed: Floats
    dropped: Floats


def find_increments(
    trial: Trial, days: EntryDays, arm: int, steps: Steps, targets: Targets, inverse: Floats,
    values: Values,
) -> Increments:  # fmt: skip
    """inverse[day] is 1 / P(followed to that day)."""
    people, here, grace = trial.people, days.here, trial.grace_days
    stop, cause, start = people.stop[here], people.cause[here], people.start[here]
    begin, end = steps.begin[:, None], (steps.begin + steps.days)[:, None]
    is_free = (stop > end) | ((stop == end) & (cause == 0))
    place = np.minimum(np.arange(len(begin)), grace)
    is_counted = (stop > begin) & (is_free | (cause > 0))
    seen = np.where(is_free, np.minimum(end, trial.last_day), stop)
    weight = np.where(is_counted, days.weights[arm][place] * inverse[seen], 0.0)
    has_started = (start >= 0) & (start <= begin)
    state = np.stack([~has_started, has_started])
    dropped, passed = np.where(state, weight, 0.0), np.zeros((2, len(begin) + 1, len(stop)))
    passed[:, 1:] = dropped * is_free
    passed[0, 0] = 1.0
    none_yet, decided = _none_yet(values, arm)
    started = has_started[:, None]
    then = np.where(started, values.started[1:], none_yet[1:])
    due = np.where(started, values.started[:-1], decided[:-1])
    on_day = (stop - begin - 1)[:, None]
    reward = targets.lead[..., None] - targets.fall[..., None] * on_day
    came = np.where(is_free[:, None], then, np.where(cause == 1, reward, 0.0))
    by_step = weight[:, None] * (came - due)
    amounts = np.zeros((grace + 1, *by_step.shape[1:]))
    amounts[: min(grace, len(by_step))] = by_step[:grace]
    amounts[grace] = by_step[grace:].sum(axis=0)
    return Increments(amounts, passed, dropped)


def _none_yet(values: Values, arm: int) -> tuple[Floats, Floats]:
    """The arm's values with no start yet, before and after the day's decision."""
    if arm == START:
        return values.before, values.waiting
    return values.never, values.never


class Moves(NamedTuple):
    """Derivatives of both estimators: estimators x ... x targets x entries.

    share: x days, in q. In the log odds of an outcome and of leaving: `carried` (x states x steps)
    times `outcome` and `leaving` (states x steps x targets x entries).
    """

    carried: Floats
    outcome: Floats
    leaving: Floats
    share: Floats


def find_moves(
    arm: int, steps: Steps, targets: Targets, share: Floats, hazards: Hazards, values: Values,
    more: Increments,
) -> Moves:  # fmt: skip
    """Reverse differentiation, step by step.

    The g-formula passes 1 at the beginning of step 0, the doubly robust estimator `passed` less
    `dropped`.
    """
    n_steps, grace = len(steps.begin), len(share) - 1
    shape = values.started.shape[1:]
    carried = np.zeros((2, 2, n_steps, *shape))
    moved_share = np.zeros((2, grace + 1, *shape))
    flow = np.zeros((2, 2, *shape))
    flow[0, 0] = 1.0
    gain = values.started - values.waiting
    end = hazards.end[..., None, :]
    for m in range(n_steps):
        flow[1] += more.passed[:, m, None]
        if arm == START and m <= grace:
            q = share[m]
            moved_share[:, m] = flow[:, 0] * gain[m]
            flow[:, 1] += flow[:, 0] * q
            flow[:, 0] *= 1 - q
        flow[1] -= more.dropped[:, m, None]
        carried[:, :, m] = flow
        flow *= end[:, m]
    after = np.stack([_none_yet(values, arm)[0][1:], values.started[1:]])
    lead, fall = targets.lead[..., None], targets.fall[..., None]
    a, b, ones, firsts, seconds, _ = (part[..., None, :] for part in hazards)
    later = a * (lead * firsts - fall * seconds) + steps.days[:, None, None] * end * after
    by_outcome = a * ((1 - a) * (lead * ones - fall * firsts) - later)
    return Moves(carried, by_outcome, -b * later, moved_share)


@dataclass(eq=False)
class HazardGradient:
    """Sums of derivatives in a model of hazards: cells x estimators x arms x targets, and base.

    `base`: periods x columns x estimators x arms x targets.
    """

    group: npt.NDArray[np.int32]
    n_groups: int
    period: Days
    cells: Floats
    base: Floats

    @classmethod
    def of(
        cls, models: Sequence[StartModel], period: Days, group: npt.NDArray[np.int32],
        n_base: int, n_targets: int,
    ) -> HazardGradient:  # fmt: skip
        """Nothing yet."""
        cells = np.zeros((len(models[0].odds.cells), 2, 2, n_targets))
        base = np.zeros((len(models), n_base, 2, 2, n_targets))
        return cls(group, len(cells) // len(period) - 1, period, cells, base)

    def add(
        self, entries: EntryDays, rows: npt.NDArray[np.integer], arm: int,
        interval: npt.NDArray[np.int32], carried: Floats, moved: Floats,
    ) -> None:  # fmt: skip
        """Add an arm's derivatives, `carried` x `moved` (`Moves`); `interval`: of each step."""
        begins = np.flatnonzero(np.diff(interval, prepend=-1))
        runs = [slice(*ends) for ends in pairwise([*begins, len(interval)])]
        places, n_rows, n_intervals = interval[begins], len(rows), len(self.period)
        # estimators x states x intervals x targets x entries
        summed = np.stack(
            [np.einsum("esmti,smti->esti", carried[:, :, run], moved[:, run]) for run in runs],
            axis=2,
        )
        fresh, late = summed[:, 0], summed[:, 1]
        shape = fresh.shape[:-1]
        self.cells[places, :, arm] += fresh.sum(axis=-1).swapaxes(0, 1)
        ones, ends = np.ones(n_rows), np.arange(n_rows + 1)
        groups = csr_array((ones, self.group[rows], ends), shape=(n_rows, self.n_groups))
        by_group = (groups.T @ late.reshape(-1, n_rows).T).reshape(-1, *shape)
        at = n_intervals * (1 + np.arange(self.n_groups))[:, None] + places
        self.cells[at, :, arm] += by_group.swapaxes(1, 2)
        total = (entries.by_column @ (fresh + late).reshape(-1, n_rows).T).reshape(-1, *shape)
        for k, place in enumerate(places):
            self.base[self.period[place], :, :, arm] += total[:, :, k]


@dataclass(eq=False)
class Gradients:
    """Sums over entries of what moves with the models; targets: estimators x arms x numbers."""

    starts: Gradient
    law: Gradient
    outcome: HazardGradient
    leaving: HazardGradient


@np.errstate(all="ignore")
def find_scores(
    weighted: WeightedTrial, model: OutcomeModel, days: Days, inverse: Floats, *,
    is_widened: bool = False,
) -> tuple[Floats, Floats, Gradients]:  # fmt: skip
    """Both values of each entry (entries x estimators x arms x numbers), and their gradients.

    Between them what an entry does to the doubly robust numbers beside its value (entries x arms x
    numbers): through the equations of calibration, where the weights are calibrated, and with
    `is_widened` as if its own augmentation were not held back (`leverage`). inverse: by day, 1 /
    P(followed to that day).
    """
    trial = weighted.trial
    steps = cut_steps(trial, model, days)
    targets = list_targets(steps, days)
    n_targets, n_base = len(targets.day), len(trial.names)
    never = np.zeros(len(model.leaving_cut_days), np.int64)
    gradients = Gradients(
        Gradient.of(weighted.daily, n_base, 4 * n_targets),
        Gradient.of(weighted.other, n_base, 4 * n_targets),
        HazardGradient.of(model.periods, model.interval_periods, model.group, n_base, n_targets),
        HazardGradient.of(
            (model.leaving,), never, np.zeros_like(model.group), n_base, n_targets
        ),
    )  # fmt: skip
    values = np.empty((trial.n_entries, 2, 2, n_targets))
    beside = np.zeros((trial.n_entries, 2, n_targets))
    factors, responses = None, None
    if weighted.tilt is not None:
        responses = _respond(weighted, model, steps, targets, inverse, is_widened=is_widened)
    elif is_widened:
        factors = find_leverage_factors(weighted)
    for here in _cut_blocks(trial, steps, targets):
        entries, share, hazards, found = _predict(weighted, model, steps, targets, here)
        rows = trial.people.row[here]
        for arm in range(2):
            more = find_increments(trial, entries, arm, steps, targets, inverse, found)
            plain, added = _none_yet(found, arm)[0][0], more.amounts.sum(axis=0)
            values[here, 0, arm] = plain.T
            values[here, 1, arm] = (plain + added).T
            if responses is not None:
                held = hold_balance(weighted, here, arm, responses[arm], more.amounts)
                beside[here, arm] = held - added.T
            elif factors is not None and arm == START:
                beside[here, arm] = added.T * (factors[here] - 1)[:, None]
            moves = find_moves(arm, steps, targets, share, hazards, found, more)
            of = (entries, rows, arm)
            gradients.outcome.add(*of, steps.outcome, moves.carried, moves.outcome)
            gradients.leaving.add(*of, steps.leaving, moves.carried, moves.leaving)
            _add_starts(trial, entries, arm, share, moves.share, more.amounts, gradients)
    return values, beside, gradients


def _cut_blocks(trial: Trial, steps: Steps, targets: Targets) -> list[slice]:
    size = max(len(steps.begin), trial.grace_days + 1) * len(targets.day)
    return cut_blocks(trial.n_entries, size)


def _predict(
    weighted: WeightedTrial, model: OutcomeModel, steps: Steps, targets: Targets, here: slice
) -> tuple[EntryDays, Floats, Hazards, Values]:
    """A block's days, its share of starts by day (q), hazards and values."""
    entries = build_days(weighted, here)
    share = entries.law.hazards / entries.law.tail
    share[-1] = 1.0
    hazards = find_hazards(model, steps, weighted.trial.people.row[here])
    return entries, share, hazards, find_values(targets, share, hazards)


def _respond(
    weighted: WeightedTrial, model: OutcomeModel, steps: Steps, targets: Targets, inverse: Floats,
    *, is_widened: bool,
) -> list[Response]:  # fmt: skip
    """How the doubly robust numbers of each arm answer to its equations of calibration."""
    answers: list[list[Floats]] = [[], []]
    for here in _cut_blocks(weighted.trial, steps, targets):
        entries, _, _, found = _predict(weighted, model, steps, targets, here)
        for arm, mine in enumerate(answers):
            more = find_increments(weighted.trial, entries, arm, steps, targets, inverse, found)
            mine.append(sum_answers(weighted, here, arm, more.amounts))
    return [respond(weighted, arm, np.sum(mine, axis=0), is_widened=is_widened)
            for arm, mine in enumerate(answers)]  # fmt: skip


def _add_starts(
    trial: Trial, entries: EntryDays, arm: int, share: Floats, moved_share: Floats,
    amounts: Floats, gradients: Gradients,
) -> None:  # fmt: skip
    """What moves through the model of starts (doubly robust alone) and through the law."""
    places = np.arange(4 * amounts.shape[1]).reshape(2, 2, -1)
    at = [slice(mine[0], mine[-1] + 1) for mine in places[:, arm]]
    gradients.starts.add_hazards(entries, amounts, at[1], has_start=arm == START)
    if arm != START:
        return
    law, more = entries.law, (0.0, move_law(entries, amounts))
    for estimator in range(2):
        own = moved_share[estimator] * share[:, None]
        running = own * law.leverage[:, None]
        sum_behind(running)
        moved = own * (1 - law.hazards)[:, None] - law.hazards[:, None] * running
        gradients.law.add_days(entries, trial.interval, moved + more[estimator], at[estimator])


@np.errstate(all="ignore")
def find_doubly_robust(
    weighted: WeightedTrial, model: OutcomeModel, days: Days, inverse: Floats
) -> Floats:
    """The doubly robust value of each entry alone: entries x arms x numbers."""
    trial = weighted.trial
    steps = cut_steps(trial, model, days)
    targets = list_targets(steps, days)
    scores = np.empty((trial.n_entries, 2, len(targets.day)))
    for here in _cut_blocks(trial, steps, targets):
        entries, _, _, found = _predict(weighted, model, steps, targets, here)
        for arm in range(2):
            more = find_increments(trial, entries, arm, steps, targets, inverse, found)
            scores[here, arm] = (_none_yet(found, arm)[0][0] + more.amounts.sum(axis=0)).T
    return scores
