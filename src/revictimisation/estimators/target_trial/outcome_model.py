"""The model of what happens: hazards of the outcome, and of leaving, by day, state and baseline.

Each day's hazard of the outcome among those event-free, and that of leaving (death or emigration
together) among those without an outcome that day, are pooled logistic regressions: an intercept per
interval of days, the baseline columns, and the effect of having started within the grace time. On
the outcome this effect may differ by time since the index report (`effect_days`); the baseline
coefficients are shared by both states, since events after a start are few.

Only baseline columns are in it, not what changes within the grace time: that would have to be
foretold day by day. Risks standardised from it (`g_formula`) therefore adjust for the baseline
alone and are a cross-check; the weights, and with them `doubly_robust`, adjust for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.target_trial.outcome_kernels import (
    count_state_runs,
    lay_state_runs,
)
from revictimisation.estimators.target_trial.start_model import StartModel, fit_pooled
from revictimisation.estimators.target_trial.trial_data import Pooled, Trial

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

# Up to the end of the grace time an interval of days has so many events at least: while people go
# from one state to the other a hazard that falls within an interval would pass for an effect.
LEAST_EVENTS_GRACE = 10
# After it an interval has so many at least, or its share of all where that is more ...
LEAST_EVENTS = 20
MOST_INTERVALS, MOST_EXIT_INTERVALS = 10, 4
# ... and an effect of its own for the started with so many events among them.
LEAST_EVENTS_STARTED = 20
MOST_EFFECTS = 4
OUTCOME, LEAVING = 1, 2


@dataclass(frozen=True, eq=False)
class OutcomeModel:
    """Fitted hazards of the `outcome` and of `leaving`.

    `cut_days`, `leaving_cut_days`: first days of the intervals, from 1; `effect_days`: first days
    of the effects of having started, from 1.
    """

    outcome: StartModel
    leaving: StartModel
    cut_days: tuple[int, ...]
    effect_days: tuple[int, ...]
    leaving_cut_days: tuple[int, ...]

    @property
    def is_converged(self) -> bool:
        """Both models settled."""
        return self.outcome.is_converged and self.leaving.is_converged


def fit_outcome_model(
    trial: Trial,
    *,
    cut_days: Sequence[int] | None = None,
    effect_days: Sequence[int] | None = None,
    leaving_cut_days: Sequence[int] | None = None,
    given: OutcomeModel | None = None,
) -> OutcomeModel:
    """Fit the hazards of the outcome and of leaving.

    Args:
        trial: from `prepare_trial`. cut_days, effect_days, leaving_cut_days: as in `OutcomeModel`;
            None = so that each holds events enough.
        given: nothing is fitted; the coefficients of this model (of another trial) are taken over
            by name, with its days, and count as known.

    Raises:
        ValueError: days not ascending from 1, an effect that does not begin where an interval
            does, a given model with other columns.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 4, [])
        >>> trial = prepare_trial([2, 4, 4, 4], [1, 0, 1, 0], [0, 0, None, None], none,
        ...                       grace_days=0)
        >>> model = fit_outcome_model(trial)
        >>> model.outcome.to_frame()[["name", "coef"]].round(4)
                 name    coef
        0      day 1- -1.9459
        1  started 1-  0.3365
    """
    if given is None:
        stop, cause, started = trial.people.stop, trial.people.cause, trial.is_started
        now = stop[cause == OUTCOME]
        after = stop[(cause == OUTCOME) & started]
        if cut_days is None:
            cuts = _choose(now, LEAST_EVENTS, MOST_INTERVALS, trial.grace_days)
        else:
            cuts = tuple(cut_days)
        effects = _choose_effects(after, cuts) if effect_days is None else effect_days
        leaves = stop[cause >= LEAVING]
        exits = (
            _choose(leaves, LEAST_EVENTS, MOST_EXIT_INTERVALS)
            if leaving_cut_days is None
            else leaving_cut_days
        )
    else:
        cuts, effects, exits = given.cut_days, given.effect_days, given.leaving_cut_days
    return OutcomeModel(
        _fit_states(trial, OUTCOME, cuts, effects, None if given is None else given.outcome),
        _fit_states(trial, LEAVING, exits, (1,), None if given is None else given.leaving),
        tuple(cuts),
        tuple(effects),
        tuple(exits),
    )


def _choose(
    event_days: npt.NDArray[np.int32], least: int, most: int, grace_days: int = 0
) -> tuple[int, ...]:
    """First days of intervals: each is closed after the day on which it holds events enough.

    The rest belongs to the last one that was closed, so that it holds enough as well. Up to
    `grace_days` intervals are finer.
    """
    counts = np.bincount(event_days, minlength=2)
    target = max(least, int(np.ceil(counts.sum() / most)))
    cuts, held = [1], 0
    for day in range(1, len(counts)):
        held += int(counts[day])
        if held >= (LEAST_EVENTS_GRACE if day <= grace_days else target):
            cuts.append(day + 1)
            held = 0
    return tuple(cuts[:-1]) if len(cuts) > 1 else (1,)


def _choose_effects(event_days: npt.NDArray[np.int32], cuts: Sequence[int]) -> tuple[int, ...]:
    """Effects begin where an interval does."""
    wanted = _choose(event_days, LEAST_EVENTS_STARTED, MOST_EFFECTS)
    return tuple(sorted({max(cut for cut in cuts if cut <= day) for day in wanted}))


def number_days(cuts: Sequence[int], last_day: int) -> npt.NDArray[np.int32]:
    """The interval of each day 0..last_day (day 0 counts with the first).

    Raises:
        ValueError: days not ascending from 1.
    """
    ascending = np.asarray(cuts, dtype=np.int64)
    if not len(ascending) or ascending[0] != 1 or not (np.diff(ascending) > 0).all():
        raise ValueError("days must ascend from 1")
    days = np.maximum(np.arange(last_day + 1), 1)
    return (np.searchsorted(ascending, days, side="right") - 1).astype(np.int32)


def _fit_states(
    trial: Trial, cause: int, cuts: Sequence[int], effects: Sequence[int], given: StartModel | None
) -> StartModel:
    if not set(effects) <= set(cuts):
        raise ValueError("an effect must begin where an interval of days does")
    last = max(trial.last_day, max(cuts), max(effects))
    interval, effect = number_days(cuts, last), number_days(effects, last)
    n_intervals = int(interval[-1]) + 1
    first = count_state_runs(trial.people, interval, cause)
    cell, days = np.empty(first[-1], np.int32), np.empty(first[-1], np.int32)
    lay_state_runs(trial.people, interval, cause, first, cell, days)
    of_cause = trial.people.cause == OUTCOME if cause == OUTCOME else trial.people.cause >= LEAVING
    marks = np.tile(np.eye(n_intervals), (2, 1))
    moved = np.zeros((2 * n_intervals, len(effects)))
    begins = np.searchsorted(interval[1:], np.arange(n_intervals)) + 1
    moved[n_intervals + np.arange(n_intervals), effect[begins]] = 1.0
    shape = np.ascontiguousarray(np.hstack([marks, moved]))
    pooled = Pooled(first, cell, days, of_cause, shape)
    started = tuple(_name_spans("started", effects))
    return fit_pooled(trial, pooled, _name_spans("day", cuts), started, given)


def _name_spans(what: str, cuts: Sequence[int]) -> list[str]:
    """`day 1-9`, the last one open: `day 10-`."""
    ends = [*(cut - 1 for cut in cuts[1:]), ""]
    return [f"{what} {a}-{b}" for a, b in zip(cuts, ends, strict=True)]


__all__ = ["OutcomeModel", "fit_outcome_model", "number_days"]
