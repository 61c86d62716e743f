"""The model of what happens: hazards of the outcome, and of leaving, by day, state and baseline.

Each day's hazard of the outcome among those event-free, and that of leaving (death or emigration
together) among those without an outcome that day, are pooled logistic regressions: an intercept per
interval of days, the baseline columns, and the effect of having started within the grace time.

On the outcome, follow-up falls into *periods* with coefficients of their own: what the baseline
predicts wears off, faster where measures are many. Within a period the effect of a start may
differ by time (`effect_days`) and between groups (`modifiers`: it multiplies the odds of each by a
factor of its own), as far as events among the started tell.

Only baseline columns are in it, not what changes within the grace time: that would have to be
predicted day by day. Risks standardised from it (`g_formula`) therefore adjust for the baseline
alone and are a cross-check; the weights, and with them `doubly_robust`, adjust for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Days, Floats
from revictimisation.estimators.flexibility import Flexibility
from revictimisation.estimators.target_trial.start_model import StartModel, fit_pooled
from revictimisation.estimators.target_trial.trial_data import Pooled, Trial, number_days

Groups = npt.NDArray[np.int32]

OUTCOME, LEAVING = 1, 2


@dataclass(frozen=True, eq=False)
class OutcomeModel:
    """Fitted hazards of the outcome, a model for each period in `periods`, and of `leaving`.

    Attributes:
        cut_days, effect_days, period_days: first days of the intervals, of the effects of having
            started, and of the periods, from 1. leaving_cut_days: of the intervals of `leaving`.
        modifiers: by period, the columns between whose groups the effect differs.
        group: by row of the base columns, which of these groups it belongs to.
    """

    periods: tuple[StartModel, ...]
    leaving: StartModel
    cut_days: tuple[int, ...]
    effect_days: tuple[int, ...]
    period_days: tuple[int, ...]
    leaving_cut_days: tuple[int, ...]
    modifiers: tuple[tuple[str, ...], ...]
    group: Groups

    @property
    def is_converged(self) -> bool:
        """All models settled."""
        return self.leaving.is_converged and all(period.is_converged for period in self.periods)

    @property
    def interval_periods(self) -> npt.NDArray[np.int64]:
        """The period of each interval of days."""
        return np.searchsorted(self.period_days, self.cut_days, side="right") - 1


def fit_outcome_model(
    trial: Trial,
    *,
    cut_days: Sequence[int] | None = None,
    effect_days: Sequence[int] | None = None,
    period_days: Sequence[int] | None = None,
    leaving_cut_days: Sequence[int] | None = None,
    modifiers: Sequence[str] = (),
    given: OutcomeModel | None = None,
) -> OutcomeModel:
    """Fit the hazards of the outcome and of leaving.

    Args:
        trial: from `prepare_trial`. cut_days, effect_days, period_days, leaving_cut_days: as in
            `OutcomeModel`; None = so that each holds events enough.
        modifiers: names of columns of 0 and 1 by which the effect of a start may differ; in a
            period those count that have events enough among the started, in and out of the group.
        given: nothing is fitted; the coefficients of this model (of another trial) are taken over
            by name, with its days and groups, and count as known.

    Raises:
        ValueError: days not ascending from 1, an effect or a period that does not begin where an
            interval does, a given model with other columns, a modifier that is no column.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 4, [])
        >>> trial = prepare_trial([2, 4, 4, 4], [1, 0, 1, 0], [0, 0, None, None], none,
        ...                       grace_days=0)
        >>> model = fit_outcome_model(trial)
        >>> model.periods[0].to_frame()[["name", "coef"]].round(4)
                 name    coef
        0      day 1- -1.9459
        1  started 1-  0.3365
    """
    if given is not None:
        return _fit(
            trial, given.cut_days, given.effect_days, given.period_days, given.leaving_cut_days,
            given.modifiers, given,
        )  # fmt: skip
    stop, cause, started = trial.people.stop, trial.people.cause, trial.is_started
    days, after = stop[cause == OUTCOME], stop[(cause == OUTCOME) & started]
    asked = trial.flexibility
    if cut_days is None:
        in_grace = (trial.grace_days, asked.events_per_grace_interval)
        cut_days = _choose(days, asked.events_per_interval, asked.outcome_intervals, in_grace)
    if period_days is None:
        period_days = _choose_periods(days, cut_days, len(trial.names), asked)
    if effect_days is None:
        effect_days = _choose_effects(after, cut_days, asked)
    if leaving_cut_days is None:
        leaves = stop[cause >= LEAVING]
        leaving_cut_days = _choose(leaves, asked.events_per_interval, asked.leaving_intervals)
    effects = tuple(sorted({*effect_days, *period_days}))
    chosen = _choose_modifiers(trial, period_days, modifiers)
    return _fit(trial, cut_days, effects, period_days, leaving_cut_days, chosen, None)


def _fit(
    trial: Trial,
    cuts: Sequence[int],
    effects: Sequence[int],
    periods: Sequence[int],
    exits: Sequence[int],
    modifiers: tuple[tuple[str, ...], ...],
    given: OutcomeModel | None,
) -> OutcomeModel:
    if not set(effects) | set(periods) <= set(cuts):
        raise ValueError("an effect or a period must begin where an interval of days does")
    for days in (cuts, periods, effects):
        number_days(days, 1)
    named = sorted({name for modifier in modifiers for name in modifier})
    marks, group = _number_groups(trial, named)
    ends = [*periods[1:], max(trial.last_day, max(cuts)) + 1]
    models = []
    for k, (first, end) in enumerate(zip(periods, ends, strict=True)):
        groups = marks[:, [named.index(name) for name in modifiers[k]]]
        known = None if given is None else given.periods[k]
        models.append(
            _fit_states(trial, OUTCOME, cuts, effects, (first, end), group, groups, modifiers[k],
                        known)
        )  # fmt: skip
    alone, nobody = np.zeros(len(group), np.int32), np.zeros((1, 0))
    ever = (1, max(trial.last_day, max(exits)) + 1)
    known = None if given is None else given.leaving
    return OutcomeModel(
        periods=tuple(models),
        leaving=_fit_states(trial, LEAVING, exits, (1,), ever, alone, nobody, (), known),
        cut_days=tuple(cuts),
        effect_days=tuple(effects),
        period_days=tuple(periods),
        leaving_cut_days=tuple(exits),
        modifiers=modifiers,
        group=group,
    )


def _choose(
    event_days: npt.NDArray[np.int32], least: int, most: int, in_grace: tuple[int, int] = (0, 0)
) -> tuple[int, ...]:
    """First days of intervals: each is closed after the day on which it holds events enough.

    The rest belongs to the last one that was closed, so that it holds enough as well. `in_grace`:
    up to this day so many are enough.
    """
    counts = np.bincount(event_days, minlength=2)
    target = max(least, int(np.ceil(counts.sum() / most)))
    grace_days, least_in_grace = in_grace
    cuts, held = [1], 0
    for day in range(1, len(counts)):
        held += int(counts[day])
        if held >= (least_in_grace if day <= grace_days else target):
            cuts.append(day + 1)
            held = 0
    return tuple(cuts[:-1]) if len(cuts) > 1 else (1,)


def _choose_effects(
    event_days: npt.NDArray[np.int32], cuts: Sequence[int], asked: Flexibility
) -> tuple[int, ...]:
    """Effects begin where an interval does."""
    wanted = _choose(event_days, asked.events_per_effect, asked.effects)
    return tuple(sorted({max(cut for cut in cuts if cut <= day) for day in wanted}))


def _choose_periods(
    event_days: npt.NDArray[np.int32], cuts: Sequence[int], n_columns: int, asked: Flexibility
) -> tuple[int, ...]:
    """Periods of as many events each, beginning where an interval does; one without columns."""
    most = len(event_days) // max(asked.events_per_covariate * n_columns, 1)
    n_periods = min(asked.periods, most) if n_columns else 1
    if n_periods < 2:
        return (1,)
    wanted = np.quantile(event_days, np.arange(1, n_periods) / n_periods)
    return tuple(sorted({1, *(max(cut for cut in cuts if cut <= day) for day in wanted)}))


def _choose_modifiers(
    trial: Trial, periods: Sequence[int], names: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """By period the columns with events enough among the started, in the group and out of it."""
    if not set(names) <= set(trial.names):
        raise ValueError("a modifier is no column of the design")
    stop = trial.people.stop
    happened = (trial.people.cause == OUTCOME) & trial.is_started
    of_period = np.searchsorted(periods, stop, side="right") - 1
    found = []
    for k in range(len(periods)):
        rows = trial.people.row[happened & (of_period == k)]
        marks = _spread(trial, names)[rows]
        inside = marks.sum(axis=0)
        is_told = (
            np.minimum(inside, len(rows) - inside) >= trial.flexibility.events_per_group_effect
        )
        found.append(tuple(np.asarray(names, dtype=object)[is_told]))
    return tuple(found)


def _spread(trial: Trial, names: Sequence[str]) -> Floats:
    """These base columns in full: rows x columns."""
    columns = trial.columns
    full = np.zeros((len(columns.pointers) - 1, len(trial.names)))
    row_of = np.repeat(np.arange(len(full)), np.diff(columns.pointers))
    full[row_of, columns.indices] = columns.values
    return full[:, [trial.names.index(name) for name in names]]


def _number_groups(trial: Trial, names: Sequence[str]) -> tuple[Floats, Groups]:
    """The groups that these columns make (groups x columns), and the group of each row."""
    full = _spread(trial, names)
    if not names:
        return full[:1], np.zeros(len(full), np.int32)
    marks, group = np.unique(full, axis=0, return_inverse=True)
    return marks, group.reshape(-1).astype(np.int32)


def _fit_states(
    trial: Trial,
    cause: int,
    cuts: Sequence[int],
    effects: Sequence[int],
    period: tuple[int, int],
    group: Groups,
    marks: Floats,
    modifiers: tuple[str, ...],
    given: StartModel | None,
) -> StartModel:
    """A model over the days of a period; cells are numbered as in the whole of follow-up.

    `marks` (groups x modifiers): the effect of a start in a group is the time's plus these.
    """
    first, end = period
    last = max(trial.last_day, max(cuts), max(effects))
    effect, n_intervals = number_days(effects, last), len(cuts)
    is_in = (np.arange(last + 1) >= first) & (np.arange(last + 1) < end)
    mine = [k for k, cut in enumerate(cuts) if first <= cut < end]
    runs, cell, days = _count_days(trial, cause, cuts, mine, group)
    of_cause = trial.people.cause == OUTCOME if cause == OUTCOME else trial.people.cause >= LEAVING
    starts = [k for k, cut in enumerate(effects) if first <= cut < end]
    begins = effect[[cuts[k] for k in mine]]
    shape = np.zeros((1 + len(marks), n_intervals, len(mine) + len(starts) + len(modifiers)))
    shape[:, mine, np.arange(len(mine))] = 1.0
    shape[1:, mine, len(mine) + np.searchsorted(starts, begins)] = 1.0
    shape[1:, mine, len(mine) + len(starts) :] = marks[:, None, :]
    pooled = Pooled(
        runs, cell, days, of_cause & is_in[trial.people.stop], shape.reshape(-1, shape.shape[2])
    )
    names = _name_spans("started", effects)
    moved = (
        *(names[k] for k in starts),
        *(f"{names[starts[0]]}: {modifier}" for modifier in modifiers),
    )
    spans = _name_spans("day", cuts)
    return fit_pooled(trial, pooled, [spans[k] for k in mine], moved, given)


def _count_days(
    trial: Trial, cause: int, cuts: Sequence[int], mine: Sequence[int], group: Groups
) -> tuple[Days, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Days at risk by entry, state and interval (those of `mine`), as rows of a pooled model.

    State 0: not started within the grace time by the day before; state 1: started by then (a start
    on day s acts from s + 1 on). Cells: state 0 by interval, then state 1 by group and interval. An
    outcome comes before other exits: in the model of these its day is not at risk.
    """
    people = trial.people
    last = people.stop - ((people.cause > 0) & (people.cause < cause))
    never = np.iinfo(np.int32).max
    start = np.where(people.start >= 0, people.start, never)
    low = np.asarray(cuts)[mine] - 1
    high = np.append(cuts, never)[np.asarray(mine) + 1] - 1
    begin = np.stack([np.zeros_like(start), start], axis=1)[:, :, None]
    end = np.stack([np.minimum(last, start), last], axis=1)[:, :, None]
    days = np.minimum(end, high) - np.maximum(begin, low)
    entry, state, place = np.nonzero(days > 0)
    shift = np.where(state == 1, len(cuts) * (1 + group[people.row[entry]]), 0)
    cell = np.asarray(mine)[place] + shift
    runs = np.append(0, np.cumsum(np.bincount(entry, minlength=trial.n_entries)))
    return (
        runs.astype(np.int64), cell.astype(np.int32), days[entry, state, place].astype(np.int32)
    )  # fmt: skip


def _name_spans(what: str, cuts: Sequence[int]) -> list[str]:
    """`day 1-9`, the last one open: `day 10-`."""
    ends = [*(cut - 1 for cut in cuts[1:]), ""]
    return [f"{what} {a}-{b}" for a, b in zip(cuts, ends, strict=True)]
