"""The one long format in which every analysis returns its numbers (`estimates`, contract 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats

KEYS = (
    "question",
    "analysis",
    "measure",
    "subgroup",
    "level",
    "outcome",
    "estimator",
    "estimand",
    "time_days",
)
NUMBERS = ("estimate", "ci_low", "ci_high", "se")
COUNTS = ("n_people", "n_events")
WHOLE = ("time_days", *COUNTS)
COLUMNS = (*KEYS, *NUMBERS, *COUNTS, "status", "reason")
DIAGNOSTIC_COLUMNS = ("analysis", "measure", "check", "value", "limit", "status")

OK, SUPPRESSED, WITHHELD, NOT_ESTIMABLE = "ok", "suppressed", "withheld", "not_estimable"
SMALLEST_ERROR = 1e-10  # of a number that has one: less is no error at all
# Reasons that gates give, whatever the estimator; others are the names of a trial's checks.
NOT_CONVERGED, NO_ERROR = "not_converged", "no_error"
FEW_VICTIMS, FEW_EVENTS = "few_exposed_victims", "few_events"
FEW_ENDED, FEW_KEPT = "few_ended", "few_kept"
SAME_DAY_STARTS = "same_day_starts"
ESTIMATORS_DISAGREE, FAILED_REPLICATES = "estimators_disagree", "failed_replicates"
BEYOND_FOLLOW_UP = "beyond_follow_up"
# Reason of what the method gets wrong where the truth is known: starts near in time.
FAILS_KNOWN_TRUTH = "fails_known_truth"
# Reason of what is suppressed by rule, whatever the number: never shown, or never by place.
KEPT_BACK = "kept_back"
# Reason of what would tell of few people beside what was released before.
EARLIER_RELEASE = "earlier_release"
DEFAULTS = {"analysis": "main", "status": OK}


def mark_endless(rows: pd.DataFrame) -> pd.DataFrame:
    """Say `not_estimable`, reason `no_finite_answer`, where a number has status `ok` and no value.

    Of very few people a model may foretell chances of 0 or 1; what is weighted by them has no end.
    """
    is_endless = rows["status"].eq(OK) & ~np.isfinite(rows["estimate"].astype(float))
    if not is_endless.any():
        return rows
    out = rows.copy()
    out.loc[is_endless, [name for name in NUMBERS if name in out]] = np.nan
    out.loc[is_endless, "status"] = NOT_ESTIMABLE
    out.loc[is_endless, "reason"] = "no_finite_answer"
    return out


def hold_to_follow_up(rows: pd.DataFrame) -> pd.DataFrame:
    """Say `not_estimable`, reason `beyond_follow_up`, where a curve's `is_followed` is false.

    The column goes; the other numbers of such a row but its counts are null.

    >>> rows = pd.DataFrame({"estimate": [0.4], "se": [0.1], "is_followed": [False]})
    >>> hold_to_follow_up(rows)[["status", "reason"]].values.tolist()
    [['not_estimable', 'beyond_follow_up']]
    """
    out = rows.drop(columns="is_followed")
    is_followed = rows["is_followed"].astype(bool)
    numbers = [name for name in NUMBERS if name in out]
    out[numbers] = out[numbers].where(is_followed)
    out["status"] = np.where(is_followed, OK, NOT_ESTIMABLE)
    out["reason"] = np.where(is_followed, "", BEYOND_FOLLOW_UP)
    return out


def withhold(
    estimates: pd.DataFrame, chosen: Flags | pd.Series, reason: npt.ArrayLike
) -> pd.DataFrame:
    """Withhold the chosen rows of status `ok` for a reason (one, or one a row); others stay."""
    held = np.asarray(chosen, dtype=bool) & estimates["status"].eq(OK).to_numpy()
    if not held.any():
        return estimates
    out = estimates.copy()
    out.loc[held, "status"] = WITHHELD
    out.loc[held, "reason"] = np.broadcast_to(np.asarray(reason, object), len(out))[held]
    return out


def withhold_unmeasured(
    rows: pd.DataFrame, has_error: Flags | pd.Series | bool = True
) -> pd.DataFrame:
    """Withhold what should have an error (`has_error`) and has none, or one of 0."""
    se = rows["se"].to_numpy(np.float64)
    is_measured = np.isfinite(se) & (se > SMALLEST_ERROR)
    return withhold(rows, np.asarray(has_error) & ~is_measured, NO_ERROR)


def make_estimates(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, **same: Any) -> pd.DataFrame:
    """Make estimates from rows that name some of the columns; `same` is put on every row.

    A row per number. Text not named is empty (analysis: `main`, status: `ok`), a number not named
    is null. A row without an estimate must say why: status `not_estimable` and a reason.

    >>> row = {"question": "q1", "estimator": "description", "estimand": "count", "estimate": 3}
    >>> make_estimates([row]).loc[0, ["analysis", "status"]].tolist()
    ['main', 'ok']
    """
    given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    unknown = sorted({*given.columns, *same} - set(COLUMNS))
    if unknown:
        raise ValueError(f"estimates have no column {unknown}")
    made = pd.DataFrame(
        {name: _complete(given, same, name) for name in COLUMNS},
        index=range(len(given)),
        copy=False,
    )
    unsaid = made["estimate"].isna() & made["status"].eq(OK)
    if unsaid.any():
        raise ValueError(f"{int(unsaid.sum())} estimates have no value and no reason")
    return made


def _complete(given: pd.DataFrame, same: Mapping[str, Any], name: str) -> Any:
    """A column of `estimates` by its name, of its type, also where nobody gives it."""
    n_rows = len(given)
    if name in same:
        value = same[name]
        named = np.full(n_rows, value, object) if np.ndim(value) == 0 else np.asarray(value, object)
    elif name in given:
        named = given[name].to_numpy()
    else:
        named = np.full(n_rows, None, object)
    if name in NUMBERS:
        return _to_floats(named)
    if name in WHOLE:
        found = _to_floats(named)
        is_null = np.isnan(found)
        whole = np.where(is_null, 0, found)
        if (whole % 1 != 0).any():
            raise ValueError(f"estimates hold whole numbers in {name}")
        return pd.arrays.IntegerArray(whole.astype(np.int64), is_null)
    return np.where(pd.isna(named), DEFAULTS.get(name, ""), named).astype(object)


def _to_floats(named: npt.NDArray[Any]) -> Floats:
    """Numbers, null ones as not a number."""
    if named.dtype == object:
        named = np.where(pd.isna(named), np.nan, named)
    return named.astype(np.float64)


def choose(estimates: pd.DataFrame, **keys: Any) -> pd.DataFrame:
    """The rows with these keys: each has one value, or is one of a list.

    >>> rows = pd.DataFrame({"analysis": ["main", "curve"], "time_days": [30, 30]})
    >>> choose(rows, analysis=["main", "crude"], time_days=30)["analysis"].tolist()
    ['main']
    """
    chosen = np.ones(len(estimates), np.bool_)
    for name, value in keys.items():
        asked = value if isinstance(value, list | tuple) else [value]
        chosen &= estimates[name].isin(asked).to_numpy(np.bool_)
    return estimates[chosen]


def combine(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of estimates below each other; two rows with one key are a fault of ours."""
    found = [part for part in parts if len(part)]
    if not found:
        return make_estimates([])
    frame = pd.concat(found, ignore_index=True)
    doubled = frame.duplicated(list(KEYS))
    if doubled.any():
        first = frame.loc[doubled, list(KEYS)].iloc[0].to_dict()
        raise ValueError(f"{int(doubled.sum())} estimates stand twice, first {first}")
    return frame


def mark_not_estimable(estimates: pd.DataFrame, chosen: Any, reason: str) -> pd.DataFrame:
    """Take numbers and counts off the rows chosen, which say `not_estimable` and why."""
    out = estimates.copy()
    out.loc[chosen, list(NUMBERS)] = np.nan
    out.loc[chosen, list(COUNTS)] = pd.NA
    out.loc[chosen, "status"] = NOT_ESTIMABLE
    out.loc[chosen, "reason"] = reason
    return out


def not_estimable(reason: str, **keys: Any) -> pd.DataFrame:
    """One row that says openly that a number can't be had, and why."""
    return make_estimates([{**keys, "status": NOT_ESTIMABLE, "reason": reason}])
