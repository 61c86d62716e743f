"""Curves of a data frame: Kaplan-Meier, Aalen-Johansen, the mean cumulative count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from revictimisation.api import plots
from revictimisation.api.columns import Columns, whole_days
from revictimisation.api.hazards import read_episodes
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.results import hold_to_follow_up
from revictimisation.estimators.contrasts import compare_counts, compare_risks
from revictimisation.estimators.curves import aalen_johansen
from revictimisation.estimators.mean_count import mean_cumulative_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Days = int | Sequence[int]
CONTRASTS = ("risk_difference", "risk_ratio", "mean_count_difference")


@dataclass(frozen=True, eq=False)
class _Given:
    """The columns that a curve was fitted to; `groups`: the rows of each."""

    start: Whole | None
    stop: Whole
    kind: Whole
    terminal: Flags
    weights: Floats | None
    cluster: Whole | None
    person: Whole | None
    groups: dict[Any, Flags]
    group_col: str | None

    def take(self, name: str, chosen: Flags) -> Any:
        column = getattr(self, name)
        return None if column is None else column[chosen]


class _Curve:
    """What curves share once they are fitted."""

    _label = "risk"
    _given_data: _Given | None = None

    @property
    def _given(self) -> _Given:
        if self._given_data is None:
            raise ValueError(f"{type(self).__name__} is not fitted yet: call fit() first")
        return self._given_data

    def _at(self, chosen: Flags, days: list[int]) -> pd.DataFrame:
        raise NotImplementedError

    def _compare(self, chosen: Flags, others: Flags, days: list[int], cause: int) -> pd.DataFrame:
        raise NotImplementedError

    def _read(self, days: Days) -> pd.DataFrame:
        """A row per group, day and cause."""
        asked = whole_days(days)
        parts = []
        for level, chosen in self._given.groups.items():
            found = hold_to_follow_up(self._at(chosen, asked))
            found.insert(0, "group", level)
            parts.append(found)
        return pd.concat(parts, ignore_index=True)

    def contrast(self, days: Days, *, reference: Any = None, cause: int = 1) -> pd.DataFrame:
        """Each group less a reference, and its ratio to it: a row per group, day and estimand.

        Columns: group, reference, estimand, time_days, estimate, se (of a ratio: of its logarithm),
        ci_low, ci_high, n_people, n_events (both groups), status, reason. Errors allow for clusters
        with rows in both. `reference`: a level of `group_col`; else the first.

        Raises:
            ValueError: the curve was fitted without groups, or has no such reference.
        """
        groups = self._given.groups
        if len(groups) < 2:
            raise ValueError("a contrast needs groups: fit with group_col, of two levels or more")
        base = next(iter(groups)) if reference is None else reference
        if base not in groups:
            raise ValueError(f"reference is none of the groups {', '.join(map(str, groups))}")
        parts = []
        for level, chosen in groups.items():
            if level != base:
                found = self._compare(chosen, groups[base], whole_days(days), cause)
                found = found[found["estimand"].isin(CONTRASTS)].reset_index(drop=True)
                found.insert(0, "group", level)
                found.insert(1, "reference", base)
                parts.append(found)
        return pd.concat(parts, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """A row per group (and cause) on its last day of follow-up: columns as on any day."""
        stop = self._given.stop
        parts = [
            self._read(int(stop[chosen].max())).query("group == @level")
            for level, chosen in self._given.groups.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def plot(self, ax: Axes | None = None, *, cause: int = 1, label: str = "") -> Axes:
        """A curve with its band for each group, of one `cause`; `label`: beside others on `ax`."""
        stop, kind = self._given.stop, self._given.kind
        curves = self._read(plots.choose_days(stop[kind > 0], int(stop.max())))
        if "cause" in curves:
            curves = curves[curves["cause"] == cause]
        by_group = {str(level): rows for level, rows in curves.groupby("group", sort=False)}
        of = self._given.group_col
        return plots.draw_curves(by_group, self._label, ax, of=of, label=label)

    def __repr__(self) -> str:
        name, given = type(self).__name__, self._given_data
        if given is None:
            return f"<{name}, not fitted>"
        return f"<{name}: {len(given.stop)} rows, {int((given.kind > 0).sum())} events>"


class AalenJohansen(_Curve):
    """The risk of each cause by each day, the other causes competing.

    On a day the events come before the censored leave. Intervals: log-log, by the infinitesimal
    jackknife summed by cluster; equal to R's `survfit` (`estimators.curves.aalen_johansen`).

    Example:
        >>> people = pd.DataFrame({"days": [3, 5, 5, 8], "cause": [1, 2, 0, 1]})
        >>> curve = AalenJohansen().fit(people, "days", "cause")
        >>> curve.risks([5, 8])[["time_days", "cause", "estimate", "n_events"]]
           time_days  cause  estimate  n_events
        0          5      1      0.25         1
        1          5      2      0.25         1
        2          8      1      0.75         2
        3          8      2      0.25         1
    """

    def fit(
        self,
        df: pd.DataFrame,
        duration_col: str | None = None,
        event_col: str | None = None,
        *,
        start_col: str | None = None,
        stop_col: str | None = None,
        cluster_col: str | None = None,
        weights_col: str | None = None,
        group_col: str | None = None,
    ) -> Self:
        """Keep the columns of a frame, checked; the curve is read on the days asked for.

        Args:
            df: a row per person, or per piece of follow-up.
            duration_col: days from 0 to the event or the end. Or `start_col` and `stop_col`: late
                entry, or pieces with weights that change. Whole days.
            event_col: 0 no event, 1, 2, ... the cause of the event (Kaplan-Meier: whether there is
                one); not named: every row ends in one.
            cluster_col: whose rows belong together. weights_col: case weights.
            group_col: a curve for each of its levels.

        Raises:
            ValueError: a column that is not there or breaks a rule, named with all others.
            NotEstimableError (when a curve is read): nobody of positive weight.
        """
        columns = Columns(df)
        if duration_col is not None and start_col is None and stop_col is None:
            start, stop = None, columns.days(duration_col, least=0)
        else:
            start, stop = read_episodes(columns, duration_col, start_col, stop_col)
        kind = self._read_kind(columns, event_col)
        weights, cluster = columns.weights(weights_col), columns.labels(cluster_col)
        groups = columns.groups(group_col)
        columns.check()
        nobody = np.zeros(len(stop), np.bool_)
        self._given_data = _Given(
            start, stop, kind, nobody, weights, cluster, None, groups, group_col
        )
        return self

    def _read_kind(self, columns: Columns, event_col: str | None) -> Whole:
        return columns.causes(event_col)

    def risks(self, days: Days) -> pd.DataFrame:
        """The risk by each day: a row per group, day and cause.

        Columns: group (empty without groups), time_days, cause, estimate, se, ci_low, ci_high,
        n_at_risk, n_events, status and reason (`not_estimable`, `beyond_follow_up`: nobody is at
        risk on the day; the numbers are then missing).
        """
        return self._read(days)

    def _at(self, chosen: Flags, days: list[int]) -> pd.DataFrame:
        given = self._given
        return aalen_johansen(
            given.stop[chosen],
            given.kind[chosen],
            at_days=days,
            weights=given.take("weights", chosen),
            cluster=given.take("cluster", chosen),
            start=given.take("start", chosen),
            n_causes=int(given.kind.max(initial=1)),
        )

    def _compare(self, chosen: Flags, others: Flags, days: list[int], cause: int) -> pd.DataFrame:
        given, both = self._given, chosen | others
        return compare_risks(
            given.stop[both],
            given.kind[both],
            chosen[both],
            at_days=days,
            weights=given.take("weights", both),
            cluster=given.take("cluster", both),
            start=given.take("start", both),
            of_cause=cause,
        )


class KaplanMeier(AalenJohansen):
    """The risk 1 - S of a single kind of event, as `AalenJohansen` with one cause.

    Right only where nothing competes: with death or emigration as censoring it overstates risk.
    """

    def _read_kind(self, columns: Columns, event_col: str | None) -> Whole:
        return columns.flags(event_col).astype(np.int64)


class MeanCumulativeCount(_Curve):
    """The mean number of events a person has had by each day, death and the like ending them.

    Cook and Lawless's estimator with Ghosh and Lin's error (`estimators.mean_count`).

    Example:
        >>> rows = pd.DataFrame({
        ...     "person": [1, 2, 3, 4, 4, 4, 4, 5], "start": [0, 0, 0, 0, 2, 6, 7, 0],
        ...     "stop": [8, 1, 5, 2, 6, 7, 8, 3], "again": [0, 0, 0, 1, 1, 1, 0, 1],
        ...     "died": [0, 0, 1, 0, 0, 0, 0, 1]})
        >>> count = MeanCumulativeCount().fit(rows, id_col="person", start_col="start",
        ...     stop_col="stop", event_col="again", terminal_col="died")
        >>> count.counts([3, 7])["estimate"].tolist()
        [0.5, 1.0]
    """

    _label = "events per person"

    def fit(
        self,
        df: pd.DataFrame,
        *,
        id_col: str,
        start_col: str,
        stop_col: str,
        event_col: str,
        terminal_col: str | None = None,
        cluster_col: str | None = None,
        weights_col: str | None = None,
        group_col: str | None = None,
    ) -> Self:
        """Keep the columns of a frame of episodes (start, stop], checked.

        `event_col`: an event on the day stop; `terminal_col`: death or the like on it, after which
        there are no events. Errors are summed by `cluster_col`, or else by person (`id_col`).
        """
        columns = Columns(df)
        person = columns.labels(id_col)
        start, stop = read_episodes(columns, None, start_col, stop_col)
        kind = columns.flags(event_col).astype(np.int64)
        nobody = np.zeros(len(stop), np.bool_)
        terminal = nobody if terminal_col is None else columns.flags(terminal_col)
        weights, cluster = columns.weights(weights_col), columns.labels(cluster_col)
        groups = columns.groups(group_col)
        columns.hold_apart(start_col, person, start, stop)
        columns.check()
        of = person if cluster is None else cluster
        self._given_data = _Given(
            start, stop, kind, terminal, weights, of, person, groups, group_col
        )
        return self

    def counts(self, days: Days) -> pd.DataFrame:
        """The mean count by each day: a row per group and day, columns as of a risk."""
        return self._read(days)

    def _at(self, chosen: Flags, days: list[int]) -> pd.DataFrame:
        given = self._given
        return mean_cumulative_count(
            given.take("start", chosen),
            given.stop[chosen],
            given.kind[chosen],
            given.terminal[chosen],
            at_days=days,
            weights=given.take("weights", chosen),
            cluster=given.take("cluster", chosen),
        )

    def _compare(self, chosen: Flags, others: Flags, days: list[int], cause: int) -> pd.DataFrame:
        given, both = self._given, chosen | others
        return compare_counts(
            given.take("start", both),
            given.stop[both],
            given.kind[both],
            given.terminal[both],
            chosen[both],
            at_days=days,
            weights=given.take("weights", both),
            cluster=given.take("cluster", both),
            entry_id=given.take("person", both),
        )
