"""What single rows tell by themselves: small counts, numbers that should be gone, more digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.results import COUNTS, KEYS, NUMBERS, OK
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.release import Release

ATTRITION = ("n_people", "n_reports", "n_dropped")
# Decimals that a released number has at most, by the kind of its estimand (`codes/estimand.csv`).
DECIMALS = {"days": 0, "ratio": 3, "statistic": 3}
MOST_DECIMALS, ERROR_DIGITS = 6, 2
OFF = 2e-6
PARTS = ("by_person", "without_breach_only", "with_breach_only")
ARMS = ("risk_start", "risk_no_start", "mean_count_start", "mean_count_no_start")


def read_rows(release: Release) -> pd.DataFrame:
    """Rows of the tables that tell what a rule of release says they may not.

    `left`: a number or count on a row that is not shown. `small`: a count of 1 to threshold - 1, of
    none, or of all. `unrounded`: a count that is no multiple. `fine`: a share off its steps.
    `alone`: a comparison's counts less an arm's are the few who are in the other alone. `part`:
    counts of a part of the main analysis, in people or outcomes, are nearly all of it.
    `digits`: more decimals than the rules leave. What is not shown to be small is no finding.
    """
    estimates, r, threshold = release.estimates, release.rules.rounding, release.rules.threshold
    row, found = name_rows(estimates, KEYS), []
    ok = estimates["status"].eq(OK)
    kind = estimates["estimand"].map(_read_kinds("estimand"))
    for name in (*NUMBERS, *COUNTS):
        has = estimates[name].notna()
        found.append(_note(row[has & ~ok], "left", name, estimates[name]))
    for name in COUNTS:
        count = estimates[name].astype(float)
        found.append(_note(row[ok & count.lt(threshold)], "small", name, count))
        found.append(
            _note(row[ok & count.ge(threshold) & (count % r).ne(0)], "unrounded", name, count)
        )
    is_part = kind.isin(["share", "count"]) & ok & (threshold >= r)
    is_all = is_part & estimates["n_events"].ge(estimates["n_people"]).fillna(False)
    found.append(_note(row[is_all], "all", "n_events", estimates["n_events"]))
    step = r / estimates["n_people"].astype(float).where(estimates["n_people"].gt(0))
    is_share = ok & kind.isin(["share", "mean_count"]) & step.notna()
    is_fine = is_share & _is_off(estimates["estimate"], step) & estimates["estimate"].lt(1)
    found.append(_note(row[is_fine], "fine", "estimate"))
    decimals = kind.map(DECIMALS).fillna(MOST_DECIMALS)
    decimals = decimals.mask(estimates["estimand"].eq("share_difference"), MOST_DECIMALS)
    for name in NUMBERS:
        most = decimals if name != "se" else _allow_error(estimates)
        has = estimates[name].notna() & np.isfinite(estimates[name].astype(float))
        off = np.abs(estimates[name] - _round(estimates[name], most))
        found.append(_note(row[has & off.gt(1e-9)], "digits", name))
    found += [
        *_read_attrition(release),
        *_subtract_arms(release, row),
        *_subtract_parts(release, row),
    ]
    return make_findings(pd.concat(found), kind="rows")


def _subtract_arms(release: Release, row: pd.Series) -> list[pd.DataFrame]:
    rows, r = release.estimates, release.rules.rounding
    rows = rows[rows["status"].eq(OK)].astype({"time_days": "Int64"})
    keys = [key for key in KEYS if key != "estimand"]
    is_arm = rows["estimand"].isin(ARMS)
    wholes = rows[~rows["estimand"].str.contains("_start")].reset_index(names="row_at")
    both = wholes.merge(rows.loc[is_arm, [*keys, *COUNTS]], on=keys, suffixes=("", "_arm"))
    both = both.set_index("row_at")
    found = []
    for name in COUNTS:
        most = (both[name] - both[f"{name}_arm"]).astype(float) + r - 1
        few = row[both.index[most.lt(release.rules.threshold)].unique()]
        found.append(_note(few, "alone", name, rows[name]))
    return found


def _subtract_parts(release: Release, row: pd.Series) -> list[pd.DataFrame]:
    rows, keys = release.estimates, [key for key in KEYS if key != "analysis"]
    rows = rows[rows["status"].eq(OK)].astype({"time_days": "Int64"})
    parts = rows[rows["analysis"].isin(PARTS)].reset_index(names="row_at")
    main = rows.loc[rows["analysis"].eq("main"), [*keys, *COUNTS]]
    both = parts.merge(main, on=keys, suffixes=("", "_main")).set_index("row_at")
    found = []
    for name in COUNTS:
        apart = (both[f"{name}_main"] - both[name]).abs().astype(float)
        few = apart.index[(apart + release.rules.rounding - 1).lt(release.rules.threshold)]
        found.append(_note(row[few], "part", name, rows[name]))
    return found


def _read_kinds(codes: str) -> dict[str, str]:
    table = load_dictionary().codes(codes)
    return dict(zip(table["code"], table["kind"], strict=True))


def _note(
    row: pd.Series, what: str, column: str, value: pd.Series | None = None, place: str = "estimates"
) -> pd.DataFrame:
    told = pd.Series(np.nan, index=row.index) if value is None else value.loc[row.index]
    return pd.DataFrame({"row": row, "what": what, "column": column, "place": place,
                         "low": told.astype(float), "high": told.astype(float)})  # fmt: skip


def _is_off(value: pd.Series, step: pd.Series) -> pd.Series:
    return (np.abs(value / step - np.round(value / step)) * step).gt(OFF)


def _allow_error(estimates: pd.DataFrame) -> pd.Series:
    """The decimals that two digits of an error are."""
    size = np.log10(estimates["se"].astype(float).abs().where(lambda se: se.gt(0)))
    digits = ERROR_DIGITS - 1 - np.floor(size + 1e-12)
    return pd.Series(digits, index=estimates.index).fillna(MOST_DECIMALS)


def _round(value: pd.Series, decimals: pd.Series) -> npt.NDArray[np.float64]:
    scale = 10.0 ** decimals.to_numpy(float)
    return np.round(value.to_numpy(float) * scale) / scale


def _read_attrition(release: Release) -> list[pd.DataFrame]:
    table = release.tables.get("attrition")
    if table is None:
        return []
    row, found = name_rows(table, ("step", "reason")), []
    for name in ATTRITION:
        count = table[name].astype(float)
        is_few = count.between(1, release.rules.threshold - 1)
        is_odd = count.ge(release.rules.threshold) & (count % release.rules.rounding).ne(0)
        found += [_note(row[is_few], "small", name, count, "attrition"),
                  _note(row[is_odd], "unrounded", name, count, "attrition")]  # fmt: skip
    return [*found, _subtract_steps(release, table, row)]


def _subtract_steps(release: Release, table: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Dropped rows that are suppressed: those left before, less those left after, tell them."""
    left, r = table["n_reports"].astype(float), release.rules.rounding
    before = left.groupby(table["step"]).shift()
    is_exact = (left % r).ne(0) | (before % r).ne(0)
    is_known = table["n_dropped"].isna() & left.notna() & before.notna() & is_exact
    width = np.where((left % r).ne(0) & (before % r).ne(0), 0, r - 1)
    gap = before - left
    low, high = (gap - width).clip(lower=0), gap + width
    is_close = is_known & (high - low).lt(release.rules.threshold)
    return pd.DataFrame({"row": row, "what": "within", "column": "n_dropped", "place": "attrition",
                         "low": low, "high": high})[is_close]  # fmt: skip
