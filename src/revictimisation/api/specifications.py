"""A specification curve on data frames: many answers to one question, judged together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from revictimisation.api import plots
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.specification_curve import (
    STATISTICS,
    NullTest,
    compare_with_null,
    explain_choices,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SpecificationCurve:
    """Do specifications of one question agree, more than chance makes them, and what parts them.

    Simonsohn, Simmons & Nelson (2020), with the curve under no effect drawn from what each person
    moves every specification by (`estimators.specification_curve`): nothing is estimated anew.

    Args:
        n_draws: curves without an effect. seed: of these.
    """

    _null: NullTest | None = None

    def __init__(self, *, n_draws: int = 9999, seed: int = 1) -> None:
        self.n_draws, self.seed = n_draws, seed

    def fit(
        self,
        df: pd.DataFrame,
        influence: pd.DataFrame,
        estimate_col: str = "estimate",
        *,
        choices: Sequence[str] = (),
    ) -> Self:
        """Take the specifications.

        Args:
            df: a row a specification, each by its name (the index). estimate_col: 0 is no effect.
            influence: a row a person (or cluster), a column a specification by its name; missing:
                the person is not in it. As `TargetTrial.influence` gives it.
            choices: columns of df that say what was chosen; the level that stands first is the one
                others are held against.

        Raises:
            ValueError: no specification, one without an influence, a column that is not there.
        """
        absent = [name for name in (estimate_col, *choices) if name not in df]
        if absent:
            raise ValueError(f"no column {absent[0]!r}: {', '.join(map(str, df.columns))}")
        if not len(df) or not df.index.is_unique:
            raise ValueError("df needs specifications, each with a name of its own as its index")
        without = [name for name in df.index if name not in influence]
        if without:
            raise ValueError(f"influence has no column for the specification {without[0]!r}")
        moved = influence[list(df.index)].fillna(0.0).to_numpy(np.float64)
        self._estimates = Estimate(df[estimate_col].to_numpy(np.float64), moved)
        self._names, self._choices = df.index, df[list(choices)]
        self._null = compare_with_null(self._estimates, n_draws=self.n_draws, seed=self.seed)
        return self

    def summary(self) -> pd.DataFrame:
        """The curve against no effect in any specification: a row a statistic.

        Index: `median` estimate, `n_significant` (on the side where more are), `mean_z` (estimate
        over its error). Columns: observed, null_95 (what 95 of 100 curves without an effect stay
        within), p.
        """
        null = self.null_
        return pd.DataFrame(
            {"observed": null.observed, "null_95": null.largest, "p": null.p},
            index=pd.Index(STATISTICS, name="statistic"),
        )

    def curve(self) -> pd.DataFrame:
        """The specifications by their estimates, lowest first: estimate, se, ci_low, ci_high.

        null_low, null_high: where 95 of 100 curves without an effect have their estimate of this
        rank.
        """
        value, se = self._estimates.value, self._estimates.se
        apart, (low, high) = normal_quantile() * se, self.null_.band
        table = pd.DataFrame(
            {"estimate": value, "se": se, "ci_low": value - apart, "ci_high": value + apart},
            index=self._names,
        )
        table = table.sort_values("estimate", kind="stable")
        return table.assign(null_low=low, null_high=high)

    def choices(self) -> pd.DataFrame:
        """What each choice does, the others held: a row per choice and level.

        n specifications; difference from the level that stands first, with its error (0 there);
        share of the spread that only this choice explains.
        """
        return explain_choices(self._estimates, self._choices).set_index(["choice", "level"])

    def agreement(self) -> pd.Series:
        """Shares of the specifications: `below` 0, `above` 0, and of these with an interval that
        leaves 0 out (`clearly_below`, `clearly_above`)."""
        table = self.curve()
        return pd.Series({
            "below": (table["estimate"] < 0).mean(),
            "clearly_below": (table["ci_high"] < 0).mean(),
            "above": (table["estimate"] > 0).mean(),
            "clearly_above": (table["ci_low"] > 0).mean(),
        })  # fmt: skip

    def plot(self, ax: Axes | None = None, *, scale: float = 1.0) -> Axes:
        """The curve with its intervals, and the band of curves without an effect.

        `scale`: 100 for percentage points.
        """
        return plots.draw_specifications(scale * self.curve(), ax)

    @property
    def null_(self) -> NullTest:
        """The test as the estimator gives it."""
        if self._null is None:
            raise ValueError("SpecificationCurve is not fitted yet: call fit() first")
        return self._null
