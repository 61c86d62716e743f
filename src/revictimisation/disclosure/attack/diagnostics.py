"""Checks of an analysis that tell counts, a person's own value, or more digits than allowed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.packing import STRATEGIES, STRATEGY, find_level, unpack_check
from revictimisation.core.results import SUPPRESSED
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.release import Release

DIGITS = 2
OFF = 1e-6  # how exactly a share is shown
ARMS = {"start": "risk_start", "no_start": "risk_no_start"}
SHARE_OF_ARM = "share_weighted"
OF_STRATEGY = "cumulative_incidence"


def read_diagnostics(release: Release) -> pd.DataFrame:
    """`count`: small or no multiple. `extreme`: one person's. `fraction`: so fine that the people
    behind a share follow. `digits`: a statistic with more than two. `behind`: events of an arm
    whose risk is suppressed.
    """
    table = release.tables.get("diagnostics")
    if table is None or table.empty:
        return make_findings([])
    shown = _name_checks(table)
    shown = shown[shown["value"].notna()]
    kind, value = shown["kind"], shown["value"].astype(float)
    r, threshold = release.rules.rounding, release.rules.threshold
    is_odd = kind.eq("count") & (value.lt(threshold) | (value % r).ne(0))
    n_people = _count_people(shown, release.estimates)
    found = {
        "count": is_odd,
        "extreme": kind.eq("extreme"),
        "fraction": kind.eq("share") & _tells_fraction(value, n_people, r),
        "digits": kind.isin(["statistic", "detectable"]) & _has_more_digits(value),
        "behind": _is_behind(shown, release.estimates),
    }
    low = value.where(kind.eq("count"))
    shown = shown.assign(low=low, high=low)
    parts = [shown[chosen].assign(what=what) for what, chosen in found.items()]
    return make_findings(pd.concat(parts), kind="diagnostics", place="diagnostics", column="value")


def _name_checks(table: pd.DataFrame) -> pd.DataFrame:
    known = load_dictionary().codes("check")
    kinds = dict(zip(known["code"], known["kind"], strict=True))
    checks = [unpack_check(text) for text in table["check"]]
    levels = [find_level(*one) for one in zip(checks, table["analysis"], strict=True)]
    return pd.DataFrame({
        "row": name_rows(table, ("analysis", "measure", "check")), "value": table["value"],
        "analysis": table["analysis"], "measure": table["measure"],
        "name": [check.name for check in checks], "arm": [check.arm for check in checks],
        "subgroup": [group for group, _ in levels], "level": [level for _, level in levels],
        "time_days": pd.array([check.day for check in checks], dtype="Int64"),
        "kind": [kinds.get(check.name, "") for check in checks],
    }, index=table.index)  # fmt: skip


def _count_people(shown: pd.DataFrame, estimates: pd.DataFrame) -> pd.Series:
    """The people of each check's measure and level as released, or of all; NaN where untold.

    A level's share of an arm is one of all in the arm, not of the level's people. Hazards tell of
    others than those whom a check is about.
    """
    keys = ["measure", "subgroup", "level", "arm"]
    codes = load_dictionary().codes("estimand").set_index("code")["kind"]
    is_whole = estimates["estimand"].map(codes).isin(["share", "difference"])
    arms = estimates["estimand"].map({risk: arm for arm, risk in ARMS.items()}).fillna("")
    known = estimates.assign(arm=arms)[is_whole].groupby(keys, as_index=False)["n_people"].max()
    is_weighted = shown["name"].eq(SHARE_OF_ARM)
    asked = shown[keys].copy()
    asked.loc[is_weighted, ["subgroup", "level"]] = ""
    asked.loc[~is_weighted, "arm"] = ""
    found = pd.Series(np.nan, shown.index)
    for rows in (asked, asked.assign(arm="")):  # of an arm that is untold: all who are compared
        told = rows.merge(known, on=keys, how="left")["n_people"].astype(float)
        found = found.fillna(told.set_axis(shown.index))
    return found


def _tells_fraction(value: pd.Series, n_people: pd.Series, rounding: int) -> pd.Series:
    """Shares in steps that are finer than `rounding` people, by more than rounding may do.

    A share of m / n in lowest terms moves in steps of a whole n-th part at the most.
    """
    most = n_people.fillna(n_people.max()) / (rounding - 1) if rounding > 1 else n_people * 0
    chosen = value.gt(0) & value.lt(1) & most.notna()
    is_fine = [
        not find_denominator(share, int(of))
        for share, of in zip(value[chosen], most[chosen], strict=True)
    ]
    return pd.Series(is_fine, index=value.index[chosen]).reindex(value.index, fill_value=False)


def find_denominator(share: float, most: int) -> int:
    """The smallest denominator, up to `most`, of a share with six decimals; 0 if there is none.

    >>> [find_denominator(share, 50) for share in (0.25, 0.052632, 0.21)]
    [4, 19, 0]
    """
    n = np.arange(1, most + 1)
    found = n[np.abs(share * n - np.round(share * n)) <= OFF * n]
    return int(found[0]) if len(found) else 0


def _has_more_digits(value: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(value.abs()))
    scale = 10.0 ** (DIGITS - 1 - size.where(np.isfinite(size), 0.0))
    return (np.abs(value * scale - np.round(value * scale)) > 1e-6) & value.ne(0)


def _is_behind(shown: pd.DataFrame, estimates: pd.DataFrame) -> pd.Series:
    """Events of an arm up to a day whose risk is suppressed for being of few."""
    keys = ["measure", "subgroup", "level", "time_days", "estimand"]
    is_risk = estimates["analysis"].eq("main") & estimates["estimand"].isin([*ARMS.values()])
    is_risk |= estimates["analysis"].eq(STRATEGIES) & estimates["estimand"].eq(OF_STRATEGY)
    is_risk &= estimates["estimator"].eq("clone_censor_weight") & estimates["status"].eq(SUPPRESSED)
    is_risk &= ~estimates["outcome"].isin(OTHER_CAUSES)
    hidden = estimates[is_risk].astype({"time_days": "Int64"})
    arm = shown["arm"].map(ARMS)
    mine = shown.assign(estimand=arm.mask(shown["subgroup"].eq(STRATEGY), OF_STRATEGY))
    is_count = shown["kind"].eq("count") & shown["name"].eq("n_events")
    is_hidden = pd.MultiIndex.from_frame(mine[keys]).isin(pd.MultiIndex.from_frame(hidden[keys]))
    return is_count & is_hidden
