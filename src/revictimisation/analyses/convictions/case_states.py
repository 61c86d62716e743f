"""The state of each entry's case from day to day, from the dated steps of the register.

States, of which a case is in one at a time:

- `reported`: no investigation opened, nothing decided
- `investigated`: opened, nothing decided
- `not_investigated`: discontinued without an investigation having been opened
- `discontinued`: after an investigation
- `prosecuted`: awaiting judgment
- `summary_penalty`, `prosecution_waived`
- `prosecution_dropped`: prosecuted, then discontinued without judgment
- `convicted`, `acquitted`: the latest judgment

A discontinued case that is taken up again moves on from there. Of several decisions on one day what
leads further counts (a conviction before an acquittal, a prosecution before a discontinuation).
The end of the data censors every case that can still move: an open case is not an acquitted one.
Neither the victim's death nor a new report ends a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.codes import MISSING

STATES = (
    "reported",
    "investigated",
    "not_investigated",
    "discontinued",
    "prosecuted",
    "summary_penalty",
    "prosecution_waived",
    "prosecution_dropped",
    "convicted",
    "acquitted",
)
# The steps in the order in which they count on one day.
STEPS = (
    "investigated",
    "discontinued",
    "prosecution_waived",
    "summary_penalty",
    "prosecuted",
    "acquitted",
    "convicted",
)
JUDGMENTS = ("acquitted", "convicted")
_BROUGHT = ("prosecuted", "prosecution_dropped", *JUDGMENTS)
# What a case has come to when it is in one of these states.
REACHED: dict[str, tuple[str, ...]] = {
    "investigated": tuple(s for s in STATES if s not in ("reported", "not_investigated")),
    "decided": tuple(s for s in STATES if s not in ("reported", "investigated")),
    "discontinued": ("not_investigated", "discontinued"),
    "cleared": (*_BROUGHT, "summary_penalty", "prosecution_waived"),
    "prosecuted": _BROUGHT,
    "tried": JUDGMENTS,
    "sanctioned": ("convicted", "summary_penalty", "prosecution_waived"),
    "convicted": ("convicted",),
    "acquitted": ("acquitted",),
}


@dataclass(frozen=True, eq=False)
class Paths:
    """The cases of some entries: what each is at the end of day 0, and each later change.

    `first_state`, `end_day` by entry; `person` (place of the entry), `day`, `state` by change.
    States are places in `STATES`.
    """

    first_state: Whole
    end_day: Whole
    person: Whole
    day: Whole
    state: Whole

    def state_on(self, day: Whole) -> Whole:
        """The state of each entry at the end of a day (an entry's own, or one for all)."""
        found = self.first_state.copy()
        limit = np.broadcast_to(day, found.shape)
        is_past = self.day <= limit[self.person]
        # rows are in order, so the last one written stands
        found[self.person[is_past]] = self.state[is_past]
        return found

    def first_day_in(self, states: Sequence[str]) -> Floats:
        """The first day each entry's case is in one of these states; NaN: not by the end."""
        places = [STATES.index(state) for state in states]
        first = np.full(len(self.first_state), np.nan)
        mine = np.isin(self.state, places)
        # backwards, so that the first one stands
        first[self.person[mine][::-1]] = self.day[mine][::-1]
        first[np.isin(self.first_state, places)] = 0.0
        return first

    def take(self, chosen: Flags) -> Paths:
        """The cases of the chosen entries, numbered anew."""
        place = np.cumsum(chosen) - 1
        mine = chosen[self.person]
        return Paths(
            self.first_state[chosen],
            self.end_day[chosen],
            place[self.person[mine]],
            self.day[mine],
            self.state[mine],
        )

    def count_from(self, began: Whole) -> Paths:
        """The cases with days counted from a day of each entry's own, not after its end."""
        day = self.day - began[self.person]
        later = day > 0
        return Paths(
            self.state_on(began), self.end_day - began, self.person[later], day[later],
            self.state[later],
        )  # fmt: skip


def build_paths(steps: pd.DataFrame, end_day: npt.ArrayLike) -> Paths:
    """Build the cases' paths from their steps.

    Args:
        steps: entry_id (from 0), day, step; in any order. Steps before day 0 are of day 0; those
            after the end are not seen.
        end_day: by entry, the last day of the data.

    Example:
        >>> steps = pd.DataFrame({"entry_id": [0, 0, 1], "day": [0, 30, 400],
        ...                       "step": ["investigated", "prosecuted", "discontinued"]})
        >>> paths = build_paths(steps, [365, 365])
        >>> [STATES[one] for one in paths.state_on(365)]
        ['prosecuted', 'reported']
    """
    end = np.asarray(end_day, dtype=np.int64)
    rows = steps.assign(day=steps["day"].clip(lower=0), rank=steps["step"].map(STEPS.index))
    rows = rows[rows["day"] <= end[rows["entry_id"].to_numpy(np.int64)]]
    rows = rows.sort_values(["entry_id", "day", "rank"], kind="stable", ignore_index=True)
    rows["state"] = _find_states(rows)
    rows = rows.drop_duplicates(["entry_id", "day"], keep="last")
    previous = rows.groupby("entry_id")["state"].shift(fill_value=0)
    rows = rows[rows["state"] != previous]
    entry, day = rows["entry_id"].to_numpy(np.int64), rows["day"].to_numpy(np.int64)
    state = rows["state"].to_numpy(np.int64)
    first = np.zeros(len(end), np.int64)
    first[entry[day == 0]] = state[day == 0]
    later = day > 0
    return Paths(first, end, entry[later], day[later], state[later])


def _find_states(rows: pd.DataFrame) -> Whole:
    """The state after each step, steps in order within their entry."""
    entry, step = rows["entry_id"], rows["step"]
    has = {one: step.eq(one).groupby(entry).cummax().to_numpy(bool) for one in STEPS}
    # within an entry an earlier judgment holds until the next
    judgment = step.where(step.isin(JUDGMENTS)).groupby(entry).ffill()
    brought = pd.Series(has["prosecuted"], index=rows.index)
    was_brought = brought.groupby(entry).shift(fill_value=False).to_numpy(bool)
    dropped = (step.eq("discontinued").to_numpy() & was_brought).astype(bool)
    is_dropped = pd.Series(dropped, index=rows.index).groupby(entry).cummax().to_numpy(bool)
    names = np.select(
        [
            judgment.notna(),
            has["prosecuted"] & is_dropped,
            has["prosecuted"],
            has["summary_penalty"],
            has["prosecution_waived"],
            has["discontinued"] & has["investigated"],
            has["discontinued"],
        ],
        [
            judgment.fillna(""),
            "prosecution_dropped",
            "prosecuted",
            "summary_penalty",
            "prosecution_waived",
            "discontinued",
            "not_investigated",
        ],
        "investigated",
    )
    return pd.Series(names).map(STATES.index).to_numpy(dtype=np.int64)


def find_reasons(steps: pd.DataFrame, n_entries: int) -> npt.NDArray[np.object_]:
    """Why each entry's case was discontinued, as the investigation says; `missing` if it does not.

    Of several reasons the first by day, then by name.
    """
    told = steps[steps["step"].eq("discontinued") & steps["reason"].notna()]
    told = told.sort_values(["entry_id", "day", "reason"]).drop_duplicates("entry_id")
    reasons = np.full(n_entries, MISSING, dtype=object)
    reasons[told["entry_id"].to_numpy(np.int64)] = told["reason"].to_numpy()
    return reasons
