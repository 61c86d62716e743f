"""Rows of `comparison`: how they are made, and how each comes by its light.

A row is one compared number. Who makes rows names `check` (`codes/comparison_check.csv`, whose
topic and scale follow), what it is of, the two values, their difference on the check's scale, its
interval and p-value, and the study file's limit. `give_lights` then judges all rows of one cohort
at once, as the p-values of a comparison are adjusted together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core.results import NOT_ESTIMABLE, OK
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.level_contrasts import adjust_holm

TEXTS = ("cohort", "topic", "check", "subject", "measure", "subgroup", "level")
WHOLES = ("time_days",)
VALUES = ("value_reference", "value_new")
COUNTS = ("n_reference", "n_new")
JUDGED = ("difference", "ci_low", "ci_high", "p_value", "p_value_holm", "limit")
COLUMNS = (*TEXTS, *WHOLES, *VALUES, *COUNTS, *JUDGED, "light", "rule", "status", "reason")
KEYS = (*TEXTS, *WHOLES)

FITS, CANNOT_TELL, RECALIBRATE = "fits", "cannot_tell", "recalibrate"
LOOK, DO_NOT_JOIN = "look", "do_not_join"
BY_CHANCE, BY_LIMIT = "beyond_limit_and_chance", "beyond_limit"
WORST_OF, SHOWN_ONLY = "worst_of", "shown_only"


@cache
def read_checks() -> Mapping[str, Mapping[str, str]]:
    """What the dictionary says of each check: topic, scale, and the light beyond the limit."""
    known = load_dictionary().lists["comparison_check"]
    return {row[0]: dict(zip(known.columns, row, strict=True)) for row in known.rows}


@cache
def read_severity() -> Mapping[str, int]:
    """How serious each light is; 0: fits."""
    table = load_dictionary().codes("comparison_light")
    return dict(zip(table["code"], table["severity"].astype(int), strict=True))


def make_rows(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, **same: Any) -> pd.DataFrame:
    """Make rows of `comparison` from rows that name some of the columns; `same` is on every row.

    Text not named is empty, a number not named is null. The topic is that of the check. A row
    without a difference (or, where there is no light, without any value) must say why: a status
    other than `ok`, and a reason. Raises `ValueError` for a check or a column that is not known.

    >>> row = {"check": "incidence", "difference": 0.1, "limit": 0.2, "time_days": 365}
    >>> make_rows([row]).loc[0, ["topic", "status", "light"]].tolist()
    ['risk', 'ok', '']
    """
    given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    frame = given.assign(**same)
    unknown = sorted(set(frame.columns) - set(COLUMNS))
    if unknown:
        raise ValueError(f"comparison has no column {unknown}")
    made = pd.DataFrame({name: _complete(frame, name) for name in COLUMNS})
    checks = read_checks()
    strange = sorted(set(made["check"]) - set(checks))
    if strange:
        raise ValueError(f"comparison knows no check {strange}")
    made["topic"] = made["topic"].where(
        made["topic"].ne(""), made["check"].map(lambda name: checks[name]["topic"])
    )
    made["status"] = made["status"].replace("", OK)
    numbers = made[[*VALUES, "difference"]].notna()
    is_told = numbers.any(axis=1).where(~_has_light(made), numbers["difference"])
    unsaid = made["status"].eq(OK) & ~is_told
    if unsaid.any():
        raise ValueError(f"{int(unsaid.sum())} compared numbers have no value and no reason")
    return made


def _complete(frame: pd.DataFrame, name: str) -> Any:
    if name in (*WHOLES, *COUNTS):
        given = frame[name] if name in frame else pd.Series(pd.NA, frame.index)
        return pd.to_numeric(given).astype("Float64").round().astype("Int64").array
    if name in (*VALUES, *JUDGED):
        return pd.to_numeric(frame[name]).astype(float).array if name in frame else np.nan
    if name not in frame:
        return np.full(len(frame), "", dtype=object)
    text = frame[name].to_numpy(object)
    return np.where(pd.isna(text), "", text)


def cannot_compare(reason: str, **keys: Any) -> pd.DataFrame:
    """One row that says openly that something cannot be compared, and why."""
    return make_rows([{**keys, "status": NOT_ESTIMABLE, "reason": reason}])


def combine_rows(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put rows below each other; two with one key are a fault of ours."""
    found = [part for part in parts if len(part)]
    if not found:
        return make_rows([])
    frame = pd.concat(found, ignore_index=True)
    doubled = frame.duplicated([*KEYS])
    if doubled.any():
        first = frame.loc[doubled, [*KEYS]].iloc[0].to_dict()
        raise ValueError(f"{int(doubled.sum())} compared numbers stand twice, first {first}")
    return frame


def _has_light(rows: pd.DataFrame) -> pd.Series:
    checks = read_checks()
    return rows["check"].map(lambda name: checks[name]["light"] != "").astype(bool)


def give_lights(rows: pd.DataFrame, familywise_error: float) -> pd.DataFrame:
    """Give every row its adjusted p-value, its light and the rule behind it.

    `fits`: the difference is no larger than the limit. Beyond it: the check's light, where there is
    no p-value or the adjusted one is below `familywise_error`; else `cannot_tell`, as chance alone
    may make it. Of a status other than `ok`: `cannot_tell`. The p-values of all rows of a cohort
    that carry a light are adjusted together (Holm 1979), each check with the same weight, which its
    rows share: between two cohorts that are alike any light other than `fits` and `cannot_tell` is
    then given with at most that probability.
    """
    out = rows.copy()
    has_light = _has_light(out).to_numpy()
    is_ok = out["status"].eq(OK).to_numpy()
    p_value = out["p_value"].to_numpy(float)
    adjusted = np.full(len(out), np.nan)
    for _, place in out.groupby("cohort", sort=False).indices.items():
        tested = place[(has_light & is_ok & np.isfinite(p_value))[place]]
        if len(tested):
            checks = out["check"].iloc[tested]
            weight = 1.0 / checks.groupby(checks).transform("size").to_numpy(float)
            adjusted[tested] = adjust_holm(p_value[tested], weight)
    beyond = np.abs(out["difference"].to_numpy(float)) > out["limit"].to_numpy(float)
    is_sure = ~np.isfinite(p_value) | (adjusted < familywise_error)
    own = out["check"].map(lambda name: read_checks()[name]["light"]).to_numpy(object)
    light = np.where(beyond & is_sure, own, np.where(beyond, CANNOT_TELL, FITS))
    light = np.where(is_ok, light, CANNOT_TELL)
    is_set = out["light"].ne("").to_numpy()
    out["p_value_holm"] = adjusted
    out["light"] = np.where(is_set, out["light"], np.where(has_light, light, ""))
    rule = np.where(np.isfinite(p_value), BY_CHANCE, BY_LIMIT)
    is_ruled = out["rule"].ne("").to_numpy()
    out["rule"] = np.where(is_ruled, out["rule"], np.where(has_light, rule, SHOWN_ONLY))
    return out
