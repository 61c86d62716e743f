"""A caller's data frame, read column by column; every fault of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.text import find_nearest

Names = str | Sequence[str] | None


@dataclass
class Columns:
    """Reads the columns that a model is told of; `check` raises `ValueError` with all faults.

    A fault names the column, the rule, how many rows break it and the first of them by its position
    (from 0), never a value. What breaks a rule is read as zeros, so that reading can go on.
    """

    frame: pd.DataFrame
    faults: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.frame, pd.DataFrame):
            raise ValueError(f"a pandas data frame is needed, not {type(self.frame).__name__}")
        if not all(isinstance(name, str) for name in self.frame.columns):
            raise ValueError("the names of the frame's columns must be text")
        doubled = self.frame.columns[self.frame.columns.duplicated()]
        if len(doubled):
            raise ValueError(f"the frame has two columns of the name {doubled[0]!r}")

    @property
    def rest(self) -> list[str]:
        """The columns that nothing has been read from."""
        return [name for name in self.frame.columns if name not in self.named]

    def days(
        self, name: str | None, *, after: Whole | None = None, least: int | None = None
    ) -> Whole:
        """Whole days; zeros where no column is named. `after`: days that each must lie after."""
        if name is None:
            return np.zeros(len(self.frame), np.int64)
        days = self._whole(name)
        if after is not None:
            self.hold(name, days > after, "after the day that the row starts on")
        if least is not None:
            self.hold(name, days >= least, f"day {least} or later")
        return days

    def flags(self, name: str | None) -> Flags:
        """Truth values: booleans, or 0 and 1; where no column is named all are true."""
        if name is None:
            return np.ones(len(self.frame), np.bool_)
        numbers = self.numbers(name)
        self.hold(name, (numbers == 0) | (numbers == 1), "true or false (0 or 1)")
        return numbers == 1

    def causes(self, name: str | None, most: int | None = None) -> Whole:
        """Whole numbers from 0 (no event); where no column is named all are 1."""
        if name is None:
            return np.ones(len(self.frame), np.int64)
        causes = self._whole(name, "0 for no event, or the number of a cause")
        self.hold(name, causes >= 0, "0 for no event, or the number of a cause")
        if most is not None:
            self.hold(name, causes <= most, f"a cause from 0 to {most}")
        return causes

    def first_days(self, name: str) -> Floats:
        """Days from 0 on; missing where there is none."""
        days = self.numbers(name, may_miss=True)
        is_known = ~np.isnan(days)
        self.hold(name, ~is_known | ((days == np.round(days)) & (days >= 0)),
                   "a whole day from 0 on, or missing")  # fmt: skip
        return days

    def weights(self, name: str | None) -> Floats | None:
        """Weights of 0 or more; None where no column is named."""
        if name is None:
            return None
        weights = self.numbers(name)
        self.hold(name, np.isfinite(weights) & (weights >= 0), "a weight of 0 or more")
        return weights

    def labels(self, names: Names) -> Whole | None:
        """A number for each label, or each combination of them; None where no column is named."""
        if names is None:
            return None
        several = [names] if isinstance(names, str) else list(names)
        found = [self._take(name) for name in several]
        for name, column in zip(several, found, strict=True):
            self.hold(name, column.notna().to_numpy(), "a label")
        if len(found) == 1:
            return np.asarray(pd.factorize(found[0])[0], dtype=np.int64)
        groups = pd.DataFrame(dict(enumerate(found))).groupby([*range(len(found))], dropna=False)
        return np.asarray(groups.ngroup(), dtype=np.int64)

    def groups(self, name: str | None) -> dict[Any, Flags]:
        """The levels of a column in order, each with its rows; no column: one of all rows."""
        if name is None:
            return {"": np.ones(len(self.frame), np.bool_)}
        column = self._take(name)
        self.hold(name, column.notna().to_numpy(), "a group")
        codes, levels = pd.factorize(column, sort=True)
        return {level: codes == code for code, level in enumerate(levels)}

    def hold_apart(self, name: str | None, person: Whole | None, start: Whole, stop: Whole) -> None:
        """Note a fault where a row begins (column `name`) before an earlier one of its person ends.

        Not asked where the columns themselves have faults.
        """
        if name is None or person is None or self.faults:
            return
        order = np.lexsort((start, person))
        is_same = np.diff(person[order]) == 0
        is_late = np.ones(len(order), np.bool_)
        is_late[order[1:]] = ~is_same | (start[order[1:]] >= stop[order[:-1]])
        self.hold(name, is_late, "on or after the end of the person's row before")

    def check(self) -> None:
        """Raise `ValueError` with every fault that was found."""
        if self.faults:
            raise ValueError("\n".join(dict.fromkeys(self.faults)))

    def _take(self, name: str) -> pd.Series:
        if name in self.frame.columns:
            self.named.append(name)
            return self.frame[name]
        self.faults.append(missing_column(name, self.frame))
        return pd.Series(np.zeros(len(self.frame)))

    def numbers(self, name: str, *, may_miss: bool = False) -> Floats:
        """Numbers; missing ones only where they may be."""
        column = self._take(name)
        if not pd.api.types.is_numeric_dtype(column):
            self.faults.append(f"column {name!r} must hold numbers, not {column.dtype}")
            return np.zeros(len(column))
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        if not may_miss and not self.hold(name, ~np.isnan(numbers), "there"):
            return np.zeros(len(numbers))
        return numbers

    def _whole(self, name: str, rule: str = "") -> Whole:
        column = self.frame[name] if name in self.frame.columns else None
        if column is not None and isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
            self.named.append(name)
            return column.to_numpy(np.int64)
        numbers = self.numbers(name)
        rule = rule or "a whole day: count in a finer unit, or round"
        is_whole = np.isfinite(numbers) & (numbers == np.round(numbers))
        return numbers.astype(np.int64) if self.hold(name, is_whole, rule) else self.days(None)

    def hold(self, name: str, holds: Flags, rule: str) -> bool:
        """Note a fault unless the rule holds in every row; true if it does."""
        broken = np.flatnonzero(~holds)
        if len(broken):
            self.faults.append(
                f"column {name!r}: {len(broken)} of {len(holds)} rows must be {rule} "
                f"(the first at position {broken[0]})"
            )
        return not len(broken)


def missing_column(name: str, frame: pd.DataFrame) -> str:
    """That a frame has no such column, and which it may have been."""
    near = find_nearest(str(name), [str(column) for column in frame.columns])
    return f"no column {name!r}" + (f"; did you mean {near!r}?" if near else "")


def whole_days(days: int | Sequence[int] | npt.ArrayLike, least: int = 0) -> list[int]:
    """Days to report, one or many, ascending.

    >>> whole_days(365), whole_days([730, 365])
    ([365], [365, 730])
    """
    given = np.atleast_1d(np.asarray(days, dtype=np.float64))
    if given.ndim != 1 or not (np.isfinite(given) & (given == np.round(given))).all():
        raise ValueError("days must be whole days, one or a list of them")
    if not len(given) or given.min() < least:
        raise ValueError(f"days must be one or more, each {least} or later")
    return [int(day) for day in np.unique(given)]
