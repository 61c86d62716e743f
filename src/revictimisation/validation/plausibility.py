"""Is a delivery like the last one, or else like what the dictionary expects?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from revictimisation.dictionary import Dictionary
from revictimisation.plan_parts import ValidationLimits

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["table", "kind", "column", "level"]
CHANGES = (*KEYS, "now", "before", "is_changed")
EXPECTED = (*KEYS, "now", "minimum", "maximum", "label_sv", "label_en", "source", "confidence",
            "is_outside")  # fmt: skip
SHARES = ("filled", "code")
HIDDEN_MARK = "suppressed"


def hide_small(facts: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The facts with `status`; counts that would tell of fewer people than `threshold` are null.

    That is a total below it, and an `n`, or what is left of the total, from 1 to `threshold` - 1.
    """
    hidden = facts.copy()
    for name in ("n", "total"):
        hidden[name] = hidden[name].astype("Int64")
    is_small = hidden["total"].between(1, threshold - 1)
    left = hidden["total"] - hidden["n"]
    is_share = ~hidden["kind"].isin(["days", "mean", "month", "rows"])
    is_few = hidden["n"].between(1, threshold - 1) & ~hidden["kind"].isin(["days", "mean"])
    is_few |= is_share & left.between(1, threshold - 1)
    hidden["status"] = (is_small | is_few).map({True: HIDDEN_MARK, False: "ok"})
    hidden.loc[is_small | is_few, "n"] = None
    hidden.loc[is_small, "total"] = None
    return hidden


def compare_deliveries(
    now: pd.DataFrame, before: pd.DataFrame, limits: ValidationLimits
) -> pd.DataFrame:
    """What of two deliveries is unlike: rows a month, and shares of filled cells and of codes.

    Both are facts, hidden or not; what either hides is not compared. A row is a fact that both
    have: `now` and `before` are rows a month (kind `rows`) or shares (0..1); `is_changed` where
    they differ by more than the limits and by more than chance would, rows and cells taken as
    independent. They are not quite (a person has several): the limits matter more than chance.
    """
    both = _pair(_add_rates(now), _add_rates(before))
    is_share = both["kind"].isin(SHARES)
    both["now"], both["before"] = both["n"] / both["total"], both["n_old"] / both["total_old"]
    pooled = (both["n"] + both["n_old"]) / (both["total"] + both["total_old"])
    spread = pooled.where(~is_share, pooled * (1 - pooled))
    error = (spread * (1 / both["total"] + 1 / both["total_old"])) ** 0.5
    distance = (both["now"] - both["before"]).abs()
    limit = (both["before"] * limits.rate_change).where(~is_share, limits.share_change)
    is_far = distance > limits.chance_deviations * error
    both["is_changed"] = (distance > limit) & is_far
    return both[list(CHANGES)]


def _add_rates(facts: pd.DataFrame) -> pd.DataFrame:
    """Facts that can be compared: shares, and rows over the months that the table spans."""
    known = facts.dropna(subset=["n", "total"])
    shares = known[known["kind"].isin(SHARES) & (known["total"] > 0)]
    months = known[(known["kind"] == "month") & (known["level"].str.len() == len("2013-04"))]
    spans = months.groupby("table", sort=False).agg(n=("n", "sum"), total=("n", "size"))
    rates = spans.reset_index().assign(kind="rows", column="", level="")
    import pandas as pd

    kept = pd.concat([rates, shares])[[*KEYS, "n", "total"]]
    return kept.astype({"n": "float64", "total": "float64"})


def _pair(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    return now.merge(before, on=KEYS, suffixes=("", "_old"))


def hold_against_expected(facts: pd.DataFrame, dictionary: Dictionary) -> pd.DataFrame:
    """The facts that the dictionary has an expected range for, and whether they lie outside.

    `now` is a share (0..1), or a mean for the kinds `days` and `mean`. What is hidden, or has
    nothing to be computed from, has no row.
    """
    ranges = dictionary.codes("expected_ranges")
    ranges[["minimum", "maximum"]] = ranges[["minimum", "maximum"]].astype(float)
    known = facts.dropna(subset=["n", "total"])
    found = ranges.merge(known[known["total"] > 0], on=KEYS)
    found["now"] = (found["n"] / found["total"]).astype(float)
    found["is_outside"] = (found["now"] < found["minimum"]) | (found["now"] > found["maximum"])
    return found[list(EXPECTED)]
