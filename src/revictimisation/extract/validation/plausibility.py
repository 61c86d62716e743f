"""Is a delivery like the last one, or else like what the dictionary expects?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from revictimisation.dictionary import Dictionary
from revictimisation.extract.validation.complements import hide_within

if TYPE_CHECKING:
    from revictimisation.plan.parts import ValidationLimits

KEYS = ["table", "kind", "column", "level"]
CHANGES = (*KEYS, "now", "before", "is_changed")
EXPECTED = (*KEYS, "now", "minimum", "maximum", "label_sv", "label_en", "source", "confidence",
            "is_outside")  # fmt: skip
SHARES = ("filled", "code")
BY_LEVEL = ("filled_year", "filled_place")
FAULTS = ("other", "missing")
# A small count, and one that is hidden because a small one would else follow from it.
HIDDEN_MARK, BESIDE_MARK = "suppressed", "complement"


def hide_small(facts: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The facts with `status`; counts that would tell of fewer people than `threshold` are null.

    That is (`suppressed`) a total below it, and an `n`, or what is left of the total, from 1 to
    `threshold` - 1; then (`complement`) the smallest others of the same codes, months of a year,
    years or districts, until none of the small ones follows from what all together are. How many
    rows have an odd date (`other`) or none (`missing`) is no such count: it is a fault, told with
    its rows.
    """
    hidden = facts.copy()
    for name in ("n", "total"):
        hidden[name] = hidden[name].astype("Int64")
    is_small = hidden["total"].between(1, threshold - 1)
    left = hidden["total"] - hidden["n"]
    is_share = ~hidden["kind"].isin(["days", "mean", "month", "rows"])
    is_few = hidden["n"].between(1, threshold - 1) & ~hidden["kind"].isin(["days", "mean"])
    is_few |= is_share & left.between(1, threshold - 1)
    is_total = is_small | _hide_totals(hidden, is_small, threshold)
    is_any = is_total | is_few
    is_any |= _hide_levels(hidden, is_any, left, threshold)
    hidden["status"] = is_any.map({True: BESIDE_MARK, False: "ok"})
    hidden.loc[is_small | is_few, "status"] = HIDDEN_MARK
    hidden.loc[is_any, "n"] = None
    hidden.loc[is_total, "total"] = None
    return hidden


def _hide_totals(facts: pd.DataFrame, is_small: pd.Series, threshold: int) -> pd.Series:
    """Totals of years and districts that must go with a small one; every column has the same."""
    rows = facts[facts["kind"].isin(BY_LEVEL) & ~facts["level"].isin(FAULTS)]
    levels = rows.drop_duplicates(["table", "kind", "level"])
    groups = levels["table"] + " " + levels["kind"]
    chosen = hide_within(levels[["total"]].astype("int64"), is_small[levels.index], groups,
                         threshold)  # fmt: skip
    names = ["table", "kind", "level"]
    with_them = facts[names].merge(levels.loc[chosen, names].assign(is_in=True), "left")
    return with_them["is_in"].eq(True).set_axis(facts.index)


def _hide_levels(
    facts: pd.DataFrame, is_hidden: pd.Series, left: pd.Series, threshold: int
) -> pd.Series:
    """Codes, months within a year, and a column's years and districts: those that must go too.

    Where what a column has in all is hidden itself, nothing follows from it.
    """
    is_fault = facts["level"].isin(FAULTS) & facts["kind"].isin(BY_LEVEL)
    whole = facts.loc[facts["kind"].eq("filled") & is_hidden, ["table", "column"]]
    of_whole = pd.MultiIndex.from_frame(facts[["table", "column"]]).isin(
        pd.MultiIndex.from_frame(whole)
    )
    is_free = facts["kind"].isin(BY_LEVEL) & of_whole
    rows = facts[facts["kind"].isin(["code", "month", *BY_LEVEL]) & ~is_fault & ~is_free]
    year = rows["level"].str[:4].where(rows["kind"].eq("month"), "")
    groups = rows["table"] + " " + rows["kind"] + " " + rows["column"] + " " + year
    counts = rows[["n"]].assign(left=left[rows.index]).astype("int64")
    counts.loc[~rows["kind"].isin(BY_LEVEL), "left"] = 0
    chosen = hide_within(counts, is_hidden[rows.index], groups, threshold)
    return chosen.reindex(facts.index, fill_value=False)


def compare_deliveries(
    now: pd.DataFrame, before: pd.DataFrame, limits: ValidationLimits
) -> pd.DataFrame:
    """What of two deliveries is unlike: rows a month, and shares of filled cells and of codes.

    Both are facts, hidden or not; what either hides is not compared. A row is a fact that both
    have: `now` and `before` are rows a month (kind `rows`) or shares (0..1); `is_changed` where
    they differ by more than the limits and by more than chance would, rows and cells taken as
    independent. They are not quite (a person has several): the limits matter more than chance.
    """
    both = _add_rates(now).merge(_add_rates(before), on=KEYS, suffixes=("", "_old"))
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
    kept = pd.concat([rates, shares])[[*KEYS, "n", "total"]]
    return kept.astype({"n": "float64", "total": "float64"})


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
