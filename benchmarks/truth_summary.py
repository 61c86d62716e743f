"""How far estimates lie from a known truth, and whether their intervals keep their promise."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["estimator", "analysis", "measure", "estimand", "time_days"]
LIMIT = "log_hazard_ratio_limit"


def list_truths(truth: pd.DataFrame) -> pd.DataFrame:
    """The truth of the whole population: measure, estimand, time_days, truth, truth_error.

    One coefficient of a model has its large-county limit where effects differ between people; that
    stands for the log hazard ratio wherever it is given.
    """
    whole = truth[(truth["subgroup"] == "") & (truth["measure"] != "")]
    is_limit = whole["estimand"] == LIMIT
    limited = set(whole.loc[is_limit, "measure"])
    is_replaced = (whole["estimand"] == "log_hazard_ratio") & whole["measure"].isin(limited)
    kept = whole[~is_replaced].assign(
        estimand=lambda rows: rows["estimand"].replace({LIMIT: "log_hazard_ratio"})
    )
    names = {"value": "truth", "mc_error": "truth_error"}
    return kept.rename(columns=names)[["measure", "estimand", "time_days", *names.values()]]


def summarise(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Summarise many counties: a row per estimator, analysis, measure, estimand and day.

    bias (mean less truth), relative_bias (bias / |truth|, missing where the truth is 0),
    bias_in_errors (bias / empirical error), empirical_error (sd over counties), estimated_error
    (root mean of squared standard errors), coverage (of 95 % intervals), rejection_rate (interval
    without the null value), rmse; `_mc`: Monte Carlo error of each (White 2010; Morris, White &
    Crowther 2019, table 6; that of rmse by the delta method); the truth's own error stands in
    truth_error. share_released: counties in which the number passed the gates; coverage_released,
    n_released: among those.
    """
    known = rows.dropna(subset="estimate").merge(
        list_truths(truth).astype({"time_days": "Int64"}),
        on=["measure", "estimand", "time_days"], how="inner",
    )  # fmt: skip
    groups = known.groupby(KEYS, sort=False, dropna=False)
    return pd.DataFrame([
        {**dict(zip(KEYS, key, strict=True)), **_summarise_one(mine)} for key, mine in groups
    ])  # fmt: skip


def _summarise_one(mine: pd.DataFrame) -> dict[str, float]:
    n, true = len(mine), float(mine["truth"].iloc[0])
    error = mine["estimate"].to_numpy(float) - true
    spread = float(np.std(error, ddof=1)) if n > 1 else np.nan
    covered = mine["ci_low"].le(true) & mine["ci_high"].ge(true)
    called = mine["ci_low"].gt(0) | mine["ci_high"].lt(0)
    released = mine["status"] == "ok"
    squares, bias = error**2, float(error.mean())
    rmse = float(np.sqrt(squares.mean()))
    own = np.square(mine["se"].to_numpy(float))
    return {
        "n_counties": n, "truth": true, "truth_error": float(mine["truth_error"].iloc[0]),
        "mean": true + bias,
        "bias": bias, "bias_mc": spread / np.sqrt(n),
        "relative_bias": bias / abs(true) if true else np.nan,
        "bias_in_errors": bias / spread if spread else np.nan,
        "empirical_error": spread, "empirical_error_mc": spread / np.sqrt(2 * max(n - 1, 1)),
        "estimated_error": float(np.sqrt(np.nanmean(own))) if np.isfinite(own).any() else np.nan,
        "coverage": covered.mean(), "coverage_mc": _share_error(covered),
        "rejection_rate": called.mean(), "rejection_rate_mc": _share_error(called),
        "rmse": rmse,
        "rmse_mc": float(np.std(squares, ddof=1) / np.sqrt(n) / (2 * rmse)) if rmse else 0.0,
        "share_released": released.mean(), "n_released": int(released.sum()),
        "coverage_released": covered[released].mean() if released.any() else np.nan,
    }  # fmt: skip


def _share_error(is_in: pd.Series) -> float:
    share = float(is_in.mean())
    return float(np.sqrt(share * (1 - share) / len(is_in)))
