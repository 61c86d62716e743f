"""How far effects within groups lie from a known truth, and how often groups are told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["measure", "subgroup", "level", "estimand", "time_days"]
ROWS = ["estimator", "analysis", *KEYS]
ESTIMANDS = ["risk_difference", "log_hazard_ratio"]
LIMIT = "log_hazard_ratio_limit"
LESS = "_less_"
SIGNIFICANCE = 0.05


def list_truths(truth: pd.DataFrame) -> pd.DataFrame:
    """The truth of every level, and of every difference of two levels of a grouping.

    Columns KEYS, truth, truth_error. Where a measure's hazard ratio is told of the whole population
    only (the same for everybody, or the limit of one coefficient) it is each level's.
    """
    names = {"value": "truth", "mc_error": "truth_error"}
    known = truth[truth["measure"].ne("")].rename(columns=names)[[*KEYS, *names.values()]]
    is_level = known["subgroup"].ne("") & known["estimand"].isin(ESTIMANDS)
    levels = known[is_level]
    groups = levels[["subgroup", "level"]].drop_duplicates()
    ratios = known["subgroup"].eq("") & known["estimand"].isin(["log_hazard_ratio", LIMIT])
    differs = set(levels.loc[levels["estimand"].eq("log_hazard_ratio"), "measure"])
    same = known[ratios & ~known["measure"].isin(differs)].sort_values("estimand")
    same = same.drop_duplicates("measure", keep="last").assign(estimand="log_hazard_ratio")
    spread = same.drop(columns=["subgroup", "level"]).merge(groups, how="cross")
    levels = pd.concat([levels, spread[levels.columns]], ignore_index=True)
    rest = ["measure", "subgroup", "estimand", "time_days"]
    pairs = levels.merge(levels, on=rest, suffixes=("", "_other"))
    pairs = pairs[pairs["level"] != pairs["level_other"]]
    gaps = pairs.assign(
        level=pairs["level"] + LESS + pairs["level_other"],
        truth=pairs["truth"] - pairs["truth_other"],
        truth_error=np.hypot(pairs["truth_error"], pairs["truth_error_other"]),
    )
    return pd.concat([levels, gaps[levels.columns]], ignore_index=True)


def summarise_levels(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """A row per estimator, analysis, measure, level or contrast, estimand and day.

    bias (mean less truth), empirical_error (sd over counties), estimated_error (root mean of
    squared standard errors), coverage (of 95 % intervals), rejection_rate (interval without 0),
    share_released (counties in which it passed the gates), coverage_released; `_mc`: Monte Carlo
    error.
    """
    known = rows.dropna(subset=["estimate", "se"]).merge(
        list_truths(truth).astype({"time_days": "Int64"}), on=KEYS, how="inner"
    )
    groups = known.groupby(ROWS, sort=False, dropna=False)
    n_counties = rows["county"].nunique()
    return pd.DataFrame([
        {**dict(zip(ROWS, key, strict=True)), **_summarise_one(mine, n_counties)}
        for key, mine in groups
    ])  # fmt: skip


def _summarise_one(mine: pd.DataFrame, n_counties: int) -> dict[str, float]:
    n, true = len(mine), float(mine["truth"].iloc[0])
    error = mine["estimate"].to_numpy(float) - true
    spread = float(np.std(error, ddof=1)) if n > 1 else np.nan
    covered = mine["ci_low"].le(true) & mine["ci_high"].ge(true)
    released = mine["status"].eq("ok")
    share = float(covered.mean())
    return {
        "n_estimated": n, "truth": true, "truth_error": float(mine["truth_error"].iloc[0]),
        "bias": float(error.mean()), "bias_mc": spread / np.sqrt(n), "empirical_error": spread,
        "estimated_error": float(np.sqrt(np.mean(np.square(mine["se"].to_numpy(float))))),
        "coverage": share, "coverage_mc": float(np.sqrt(share * (1 - share) / n)),
        "rejection_rate": float((mine["ci_low"].gt(0) | mine["ci_high"].lt(0)).mean()),
        "share_released": float(released.sum()) / n_counties, "n_released": int(released.sum()),
        "coverage_released": float(covered[released].mean()) if released.any() else np.nan,
    }  # fmt: skip


def summarise_family(rows: pd.DataFrame) -> pd.DataFrame:
    """How often differences between groups are called, over counties.

    A row per what, estimator, measure, subgroup: `any` (the study calls at least one; in `null` the
    family-wise error), `adjusted` and `unadjusted` (one test). n_counties in which the test was
    made, rejection_rate, rejection_rate_mc; mean_tests: tests in a county's family.
    """
    tests = rows[rows["analysis"].eq("contrast") & rows["level"].eq("") & rows["status"].eq("ok")]
    adjusted = tests[tests["estimand"].eq("p_value_holm")]
    keys = ["county", "estimator", "measure", "subgroup", "time_days"]
    raw = tests[tests["estimand"].eq("p_value")].merge(adjusted[keys], on=keys)
    n_counties = rows["county"].nunique()
    by_county = adjusted.groupby("county")["estimate"]
    anything = by_county.min().reindex(range(n_counties), fill_value=1.0)
    found = [{"what": "any", "mean_tests": float(by_county.size().sum() / n_counties),
              **_count_called(anything)}]  # fmt: skip
    names = ["estimator", "measure", "subgroup"]
    for what, table in (("adjusted", adjusted), ("unadjusted", raw)):
        found.append({"what": what, **_count_called(table["estimate"])})
        found += [
            {"what": what, **dict(zip(names, key, strict=True)), **_count_called(mine["estimate"])}
            for key, mine in table.groupby(names, sort=True)
        ]
    return pd.DataFrame(found)


def _count_called(p_value: pd.Series) -> dict[str, float]:
    share = float(p_value.lt(SIGNIFICANCE).mean())
    error = float(np.sqrt(share * (1 - share) / max(len(p_value), 1)))
    return {"n_counties": len(p_value), "rejection_rate": share, "rejection_rate_mc": error}
