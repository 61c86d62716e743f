"""Numbers kept back that follow from others of the same comparison, or of its levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.packing import (
    AFTER_SHELTER,
    LESS,
    PER_PROTOCOL,
    SEQUENTIAL,
    STRATEGIES,
    SUSTAINED,
    find_level,
    unpack_check,
    unpack_contrast,
)
from revictimisation.core.results import KEYS, OK, SUPPRESSED, WITHHELD
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.release import Release
from revictimisation.estimators.e_value import find_e_value
from revictimisation.estimators.intervals import DETECTABLE_ERRORS

HIDDEN = (SUPPRESSED, WITHHELD)
# Effects whose detectable difference is told, found how: its error by another name.
DETECTED_IN = ("main", "contrast", STRATEGIES, SEQUENTIAL, AFTER_SHELTER, PER_PROTOCOL, SUSTAINED)
DETECTED_BY = ("clone_censor_weight", "mean_cumulative_count", "sequential_trial")
BY_NAME = (SEQUENTIAL, PER_PROTOCOL)  # their checks go by their own name
FAMILY = [key for key in KEYS if key != "estimand"]
Formula = Callable[..., pd.Series]
FAR_FROM_ONE = 0.1  # nearer than this a ratio of three decimals tells too little


def _divide(gap: pd.Series, ratio: pd.Series) -> pd.Series:
    return gap / (ratio - 1).where((ratio - 1).abs() > FAR_FROM_ONE)


def _find_e_values(ratio: pd.Series) -> pd.Series:
    return pd.Series(find_e_value(ratio), index=ratio.index)


# What follows from what, within one comparison at one time.
FOLLOWS: dict[str, tuple[tuple[tuple[str, ...], Formula], ...]] = {
    "risk_start": (
        (("risk_no_start", "risk_difference"), lambda no, gap: no + gap),
        (("risk_no_start", "risk_ratio"), lambda no, ratio: no * ratio),
        (("risk_difference", "risk_ratio"), lambda gap, ratio: _divide(gap, ratio) * ratio),
    ),
    "risk_no_start": (
        (("risk_start", "risk_difference"), lambda start, gap: start - gap),
        (("risk_start", "risk_ratio"), lambda start, ratio: start / ratio),
        (("risk_difference", "risk_ratio"), lambda gap, ratio: _divide(gap, ratio)),
    ),
    "risk_difference": (
        (("risk_start", "risk_no_start"), lambda start, no: start - no),
        (("number_needed_to_treat",), lambda number: -1 / number),
    ),
    "risk_ratio": ((("risk_start", "risk_no_start"), lambda start, no: start / no),),
    "log_hazard_ratio": ((("hazard_ratio",), lambda ratio: np.log(ratio)),),
    "hazard_ratio": ((("log_hazard_ratio",), lambda log: np.exp(log)),),
    "e_value": ((("risk_ratio",), _find_e_values),),
    "rmst_start_days": (
        (("rmst_no_start_days", "rmst_difference_days"), lambda no, gap: no + gap),
    ),
    "rmst_no_start_days": (
        (("rmst_start_days", "rmst_difference_days"), lambda start, gap: start - gap),
    ),
    "rmst_difference_days": (
        (("rmst_start_days", "rmst_no_start_days"), lambda start, no: start - no),
    ),
    "mean_count_start": (
        (("mean_count_no_start", "mean_count_difference"), lambda no, gap: no + gap),
    ),
    "mean_count_no_start": (
        (("mean_count_start", "mean_count_difference"), lambda start, gap: start - gap),
    ),
    "mean_count_difference": (
        (("mean_count_start", "mean_count_no_start"), lambda start, no: start - no),
    ),
}  # fmt: skip
# Another interval, or another look, at the very number of `main`.
SAME_NUMBER = ("main", "influence_interval")
LEVEL_GAPS = {"risk_difference": ("cumulative_incidence", "risk_difference"),
              "share_difference": ("share",)}  # fmt: skip


def solve_families(release: Release) -> pd.DataFrame:
    """Kept-back numbers that another of their comparison gives: `algebra`, `other_interval`,
    `levels` (a difference of two levels and one of them), `error` (a detectable difference). And
    `finer`: a difference that a number needed to treat tells more exactly than it was rounded to.
    """
    rows = release.estimates.assign(row=name_rows(release.estimates, KEYS))
    found = [_solve_comparisons(rows), _look_beside(rows), _add_levels(rows),
             _invert_needed(rows), _invert_detectable(release, rows)]  # fmt: skip
    return make_findings(pd.concat(found), kind="algebra", place="estimates", column="estimate")


def _solve_comparisons(rows: pd.DataFrame) -> pd.DataFrame:
    names = {
        *FOLLOWS,
        *(name for ways in FOLLOWS.values() for needed, _ in ways for name in needed),
    }
    mine = rows[rows["estimand"].isin(names)]
    if mine.empty:
        return mine[["row"]]
    keys = pd.MultiIndex.from_frame(mine[FAMILY].astype({"time_days": "Int64"}))
    family = pd.factorize(keys)[0]
    shown = mine.assign(family=family)[mine["status"].eq(OK)]
    value = shown.pivot_table(index="family", columns="estimand", values="estimate")
    parts = []
    for name, ways in FOLLOWS.items():
        hidden = mine.assign(family=family)[mine["estimand"].eq(name) & mine["status"].isin(HIDDEN)]
        for needed, formula in ways:
            if not set(needed) <= set(value.columns):
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                told = pd.Series(formula(*(value[one] for one in needed)), index=value.index)
            told = told[np.isfinite(told.astype(float))]
            at = hidden[hidden["family"].isin(told.index)]
            number = told.reindex(at["family"]).to_numpy(float)
            parts.append(at[["row"]].assign(what="algebra", low=number, high=number))
    found = pd.concat(parts) if parts else rows.iloc[:0][["row"]]
    return found.drop_duplicates("row")


def _invert_needed(rows: pd.DataFrame) -> pd.DataFrame:
    """Differences whose number needed to treat is not that of what is shown."""
    shown = rows[rows["status"].eq(OK)].astype({"time_days": "Int64"})
    gaps, needed = (shown[shown["estimand"].eq(name)] for name in
                    ("risk_difference", "number_needed_to_treat"))  # fmt: skip
    both = gaps.merge(needed[[*FAMILY, "estimate"]], on=FAMILY, suffixes=("", "_needed"))
    number = both["estimate_needed"].astype(float)
    told = -1 / number
    is_finer = (told - both["estimate"]).abs().gt(1e-6 + 1e-3 / number**2)
    return pd.DataFrame({"row": both["row"], "what": "finer", "low": told, "high": told})[is_finer]


def _look_beside(rows: pd.DataFrame) -> pd.DataFrame:
    """The number of `main` where only its interval was made another way."""
    mine = rows[rows["analysis"].isin(SAME_NUMBER)]
    keys = [key for key in KEYS if key != "analysis"]
    shown = mine[mine["status"].eq(OK)].drop_duplicates(keys)[[*keys, "estimate"]]
    hidden = mine[mine["status"].isin(HIDDEN)][[*keys, "row"]]
    found = hidden.merge(shown, on=keys)
    return found.assign(what="other_interval", low=found["estimate"], high=found["estimate"])[
        ["row", "what", "low", "high"]
    ]


def _add_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """A kept-back level beside a shown difference to a shown level."""
    gaps = rows[rows["estimand"].isin(list(LEVEL_GAPS)) & rows["status"].eq(OK)]
    if gaps.empty:
        return gaps[["row"]]
    keys = ["measure", "subgroup", "outcome", "estimator", "time_days", "of"]
    parts = []
    known = rows.groupby("subgroup")["level"].agg(set).to_dict()
    named = zip(gaps["subgroup"], gaps["level"], strict=True)
    pairs = [
        unpack_contrast(level, {name for name in known[group] if LESS not in name}) or ("", "")
        for group, level in named
    ]
    gaps = gaps.assign(one=[pair[0] for pair in pairs], other=[pair[1] for pair in pairs])
    is_own = gaps["analysis"].isin(["main", "contrast", "treatment_share"])
    gaps = gaps[gaps["one"].ne("") & is_own]
    for gap, levels in LEVEL_GAPS.items():
        for level in levels:
            mine = gaps[gaps["estimand"].eq(gap)].assign(of=level)
            own = rows[
                rows["estimand"].eq(level) & rows["analysis"].isin(["main", "treatment_share"])
            ]
            own = own.assign(of=level)[[*keys, "level", "status", "estimate", "row"]]
            both = mine[[*keys, "one", "other", "estimate"]].merge(
                own, left_on=[*keys, "one"], right_on=[*keys, "level"], suffixes=("_gap", "")
            ).merge(own, left_on=[*keys, "other"], right_on=[*keys, "level"],
                    suffixes=("", "_other"))  # fmt: skip
            for row, mine_is, other_is, told in (
                ("row", "status", "status_other", both["estimate_other"] + both["estimate_gap"]),
                ("row_other", "status_other", "status", both["estimate"] - both["estimate_gap"]),
            ):
                is_told = both[mine_is].isin(HIDDEN) & both[other_is].eq(OK)
                parts.append(pd.DataFrame({"row": both[row], "low": told, "high": told})[is_told])
    return pd.concat(parts).drop_duplicates("row").assign(what="levels")


def _invert_detectable(release: Release, rows: pd.DataFrame) -> pd.DataFrame:
    """The error of a kept-back difference, from the difference that could have been detected."""
    table = release.tables.get("diagnostics")
    if table is None or table.empty:
        return rows.iloc[:0][["row"]]
    checks = [unpack_check(text) for text in table["check"]]
    levels = [find_level(*one) for one in zip(checks, table["analysis"], strict=True)]
    told = pd.DataFrame({
        "measure": table["measure"], "name": [check.name for check in checks],
        "subgroup": [group for group, _ in levels], "level": [level for _, level in levels],
        "time_days": pd.array([check.day for check in checks], dtype="Int64"),
        "own": table["analysis"].where(table["analysis"].isin(BY_NAME), ""),
        "low": table["value"].astype(float) / DETECTABLE_ERRORS,
    })  # fmt: skip
    told["estimand"] = told["name"].map({
        "minimum_detectable_difference": "risk_difference",
        "minimum_detectable_count_difference": "mean_count_difference"})  # fmt: skip
    told = told[told["estimand"].notna() & told["low"].notna()]
    is_own = rows["analysis"].isin(DETECTED_IN) & rows["estimator"].isin(DETECTED_BY)
    is_own &= ~rows["outcome"].isin(OTHER_CAUSES)
    hidden = rows[rows["status"].isin(HIDDEN) & is_own]
    keys = ["measure", "subgroup", "level", "time_days", "estimand", "own"]
    hidden = hidden.astype({"time_days": "Int64"})
    hidden["own"] = hidden["analysis"].where(hidden["analysis"].isin(BY_NAME), "")
    found = hidden[[*keys, "row"]].merge(told[[*keys, "low"]].drop_duplicates(keys), on=keys)
    return found.assign(what="error", high=found["low"])[["row", "what", "low", "high"]]
