"""The compiled values of the strategies by day, entry by entry, and how the models move them.

Follow-up is cut into *steps*: a day each up to the end of the grace time (step m is day m + 1),
then runs of days with constant hazards. On day m of the grace time, before step m, who has not
started starts with chance q_m = l_m / R_m under *start* (`clone_weights`). With hazards of the
outcome a and of leaving b on each day of a step of n days, s = (1 - a)(1 - b), the reward r(j) of
an outcome on the step's day j = 0..n - 1, and V the value at its end if still free,

    U = a x (sum over j of s^j r(j)) + s^n V

is the value at its beginning (hazards of state 1 if started, of state 0 if not). For *start* the
value before the decision is q_m U1 + (1 - q_m) U0, for *no start* U0. A *target* is a risk by a day
(reward 1) or the days lost up to a day (reward: the days left); steps after its day have value 0.

`passed[0 not started | 1 started, m]` is the weight with which a clone's value at the beginning of
step m is added, `dropped[., m]` that with which U of step m is taken away: the augmentation of the
doubly robust estimator. With passed = 1 at the beginning of step 0 and nothing else it is the
g-formula.
"""

from __future__ import annotations

from typing import Any

from revictimisation.core.compiled import kernel
from revictimisation.estimators.target_trial.profile_kernels import START


@kernel
def sum_powers(stay: Any, n: Any) -> Any:
    """Sums over j = 0..n - 1 of s^j, j s^j, j^2 s^j, and s^n: by doubling, no digits are lost."""
    ones, firsts, seconds, power, m = 0.0, 0.0, 0.0, 1.0, 0
    bit = 1
    while bit * 2 <= n:
        bit *= 2
    while bit > 0:
        seconds += power * (seconds + 2 * m * firsts + m * m * ones)
        firsts += power * (firsts + m * ones)
        ones += power * ones
        power *= power
        m *= 2
        if n & bit:
            seconds += m * m * power
            firsts += m * power
            ones += power
            power *= stay
            m += 1
        bit //= 2
    return ones, firsts, seconds, power


@kernel
def fill_steps(row: Any, steps: Any, outcome: Any, leaving: Any, hazards: Any) -> None:
    """hazards[state, step]: outcome, leaving, and what `sum_powers` gives (6 numbers).

    outcome, leaving: `standardised_risk.Hazards`.
    """
    for state in range(2):
        n_outcome, n_leaving = outcome.period.size, leaving.period.size
        first = state * n_outcome * (1 + outcome.group[row])
        for m in range(steps.begin.size):
            odds = outcome.row_odds[steps.period[m], row]
            odds *= outcome.cell_odds[first + steps.outcome[m]]
            gone = leaving.row_odds[0, row]
            gone *= leaving.cell_odds[state * n_leaving + steps.leaving[m]]
            a, b = odds / (1 + odds), gone / (1 + gone)
            here = hazards[state, m]
            here[0], here[1] = a, b
            if steps.days[m] == 1:
                here[2], here[3], here[4], here[5] = 1.0, 0.0, 0.0, (1 - a) * (1 - b)
            else:
                here[2], here[3], here[4], here[5] = sum_powers((1 - a) * (1 - b), steps.days[m])


@kernel
def fill_values(
    targets: Any, share: Any, hazards: Any, started: Any, never: Any, before: Any, waiting: Any
) -> None:
    """Values (steps + 1 x targets) at the beginning of each step.

    `started` (state 1), `never` (no start), `before`: under start, none yet, before the day's
    decision; `waiting`: after it. Rewards are `lead` less `fall` a day, 0 after the target's day.
    """
    n_steps, grace = hazards.shape[1], share.size - 1
    started[n_steps], never[n_steps], before[n_steps] = 0.0, 0.0, 0.0
    for m in range(n_steps - 1, -1, -1):
        zero, one = hazards[0, m], hazards[1, m]
        for j in range(targets.day.size):
            lead, fall = targets.lead[m, j], targets.fall[m, j]
            fresh = zero[0] * (lead * zero[2] - fall * zero[3])
            late = one[0] * (lead * one[2] - fall * one[3]) + one[5] * started[m + 1, j]
            started[m, j] = late
            never[m, j] = fresh + zero[5] * never[m + 1, j]
            waiting[m, j] = fresh + zero[5] * before[m + 1, j]
            before[m, j] = late
        if m < grace:
            for j in range(targets.day.size):
                before[m, j] += (1 - share[m]) * (waiting[m, j] - before[m, j])


@kernel
def fill_increments(
    i: Any, people: Any, arm: Any, grace: Any, steps: Any, targets: Any, profile: Any,
    inverse: Any, started: Any, none_yet: Any, decided: Any, passed: Any, dropped: Any,
    amounts: Any,
) -> None:  # fmt: skip
    """The clone's augmentation: passed, dropped, and amounts[place of the weight, target].

    none_yet, decided: the arm's values with no start yet, before and after the day's decision.

    Of each step that it is seen through (to its end or an event): weight x (what came of it less
    its U). inverse[day] is 1 / P(followed to that day).
    """
    stop, cause, start = people.stop[i], people.cause[i], people.start[i]
    passed[:] = 0.0
    dropped[:] = 0.0
    amounts[:] = 0.0
    passed[0, 0] = 1.0
    for m in range(steps.begin.size):
        end = steps.begin[m] + steps.days[m]
        if stop <= steps.begin[m]:
            break
        is_free = stop > end or (stop == end and cause == 0)
        weight = profile[min(m, grace)]
        if weight == 0 or not (is_free or cause > 0):
            continue
        state = 1 if start >= 0 and start <= steps.begin[m] else 0
        weight *= inverse[end] if is_free else inverse[stop]
        dropped[state, m] = weight
        if is_free:
            passed[state, m + 1] = weight
        then, due = (started, started) if state == 1 else (none_yet, decided)
        for j in range(targets.day.size):
            came = 0.0
            if is_free:
                came = then[m + 1, j]
            elif cause == 1:  # on the day stop - begin of the step
                came = targets.lead[m, j] - targets.fall[m, j] * (stop - steps.begin[m] - 1)
            amounts[min(m, grace), j] += weight * (came - due[m, j])


@kernel
def move_values(
    arm: Any, steps: Any, targets: Any, share: Any, hazards: Any, started: Any, none_yet: Any,
    waiting: Any, passed: Any, dropped: Any, flow: Any, outcome: Any, leaving: Any,
    moved_share: Any,
) -> None:  # fmt: skip
    """Derivatives of both estimators: reverse differentiation, step by step.

    The g-formula passes 1 at the beginning of step 0, the doubly robust estimator `passed` less
    `dropped`. Adds to outcome and leaving (estimators x cells x targets: in the log odds of each
    cell), fills moved_share (estimators x days of the grace time x targets: in q). flow
    (estimators x states x targets) is scratch.
    """
    grace = share.size - 1
    n_outcome, n_leaving = outcome.shape[1] // 2, leaving.shape[1] // 2
    moved_share[:] = 0.0
    flow[:] = 0.0
    flow[0, 0] = 1.0
    for m in range(hazards.shape[1]):
        for j in range(targets.day.size):
            flow[1, 0, j] += passed[0, m]
            flow[1, 1, j] += passed[1, m]
        if arm == START and m <= grace:
            for e in range(2):
                for j in range(targets.day.size):
                    moved_share[e, m, j] = flow[e, 0, j] * (started[m, j] - waiting[m, j])
                    flow[e, 1, j] += flow[e, 0, j] * share[m]
                    flow[e, 0, j] *= 1 - share[m]
        for j in range(targets.day.size):
            flow[1, 0, j] -= dropped[0, m]
            flow[1, 1, j] -= dropped[1, m]
        for state in range(2):
            if arm == START if state == 1 else arm != START or m < grace:
                _move_step(
                    m, state, hazards, steps.days[m], targets, started if state == 1 else none_yet,
                    flow, state * n_outcome + steps.outcome[m], outcome,
                    state * n_leaving + steps.leaving[m], leaving,
                )  # fmt: skip


@kernel
def _move_step(
    m: Any, state: Any, hazards: Any, days: Any, targets: Any, values: Any, flow: Any, cell: Any,
    outcome: Any, leaving_cell: Any, leaving: Any,
) -> None:  # fmt: skip
    """Add flow x derivatives of U in the log odds of the outcome and of leaving; carry it on."""
    a, b, end = hazards[state, m, 0], hazards[state, m, 1], hazards[state, m, 5]
    ones, firsts, seconds = hazards[state, m, 2], hazards[state, m, 3], hazards[state, m, 4]
    for j in range(targets.day.size):
        lead, fall = targets.lead[m, j], targets.fall[m, j]
        later = a * (lead * firsts - fall * seconds) + days * end * values[m + 1, j]
        by_outcome = a * ((1 - a) * (lead * ones - fall * firsts) - later)
        by_leaving = -b * later
        plain, augmented = flow[0, state, j], flow[1, state, j]
        outcome[0, cell, j] += plain * by_outcome
        outcome[1, cell, j] += augmented * by_outcome
        leaving[0, leaving_cell, j] += plain * by_leaving
        leaving[1, leaving_cell, j] += augmented * by_leaving
        flow[0, state, j] = plain * end
        flow[1, state, j] = augmented * end


@kernel
def fill_shares(laws: Any, tail: Any, share: Any) -> None:
    """q_k: the chance of a start on day k of the grace time if there must be one on k..grace."""
    for day in range(share.size):
        share[day] = laws[day] / tail[day]
    share[share.size - 1] = 1.0


@kernel
def move_shares(
    interval: Any, laws: Any, leverage: Any, share: Any, moved_share: Any, running: Any,
    cell_sum: Any, total: Any,
) -> None:  # fmt: skip
    """Derivatives through q in the log odds of each day of the law; adds their sums to total.

    moved_share: days x targets; running: scratch by target.
    """
    running[:] = 0.0
    for day in range(interval.size):
        cell = interval[day]
        for j in range(total.size):
            own = moved_share[day, j] * share[day]
            running[j] += own * leverage[day]
            moved = own * (1 - laws[day]) - laws[day] * running[j]
            cell_sum[cell, j] += moved
            total[j] += moved
