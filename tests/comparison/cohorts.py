"""Cohorts made by hand: the rows that a comparison reads, of as many people as a test says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import Cohort
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, combine, make_estimates
from revictimisation.plan import read_plan

STUDY = """\
name: made
report_at_days: [365, 730]
horizon_days: 730
measures: {alarm: {codes: [alarm_package]}, talks: {codes: [support_talks]}}
"""
LEVELS = {
    "sex": {"female": 0.8, "male": 0.2},
    "police_district": {"city": 0.4, "norrort": 0.35, "nacka": 0.25},
    "offence_group": {"assault": 0.5, "threat": 0.3, "molestation": 0.2},
}
YEARS = ("2011", "2012", "2013")
QUARTERS = [f"{year}-Q{part}" for year in YEARS for part in range(1, 5)]
CODES = {"alarm_package": 0.1, "support_talks": 0.3}
AGENCIES = {"any_police": 0.5, "any_social_services": 0.4}
HAZARDS = {"alarm": (-0.5, 0.1), "talks": (-0.2, 0.1)}


def make_cohort(
    name: str = "A",
    n: int = 4000,
    *,
    levels: Mapping[str, Mapping[str, float]] = LEVELS,
    by_year: Mapping[str, Mapping[str, float]] | None = None,
    quarters: Mapping[str, float] | None = None,
    rows: Mapping[str, float] | None = None,
    codes: Mapping[str, float] = CODES,
    agencies: Mapping[str, float] = AGENCIES,
    risk: float = 0.2,
    other_risk: float = 0.1,
    hazards: Mapping[str, tuple[float, float]] = HAZARDS,
    merged: float = 0.1,
    followed: float = 1.0,
    filled: float = 0.9,
    early: int = 0,
    study: str = STUDY,
    is_exact: bool = False,
    has_study: bool = True,
) -> Cohort:
    """A cohort in which everything is as expected, but for what is named."""
    parts = [
        _risk(n, risk, 365), _risk(n, min(1.3 * risk, 1), 730),
        _risk(n, risk, 365, analysis="by_person"),
        _risk(n, other_risk, 730, analysis="profile", outcome="other_suspect"),
    ]  # fmt: skip
    for group, shares in levels.items():
        parts += [
            _risk(n * share, risk, 365, analysis="profile", subgroup=group, level=level)
            for level, share in shares.items()
        ]
    for year in YEARS:
        shares = (by_year or {}).get(year, levels["offence_group"])
        parts += [
            _risk(n * share / 3, risk, 365, analysis="profile",
                  subgroup="offence_group:index_year", level=f"{level}:{year}")
            for level, share in shares.items()
        ]  # fmt: skip
    for quarter in QUARTERS:
        share = (quarters or {}).get(quarter, 1.0) / 12
        parts.append(
            _risk(n * share, risk, 365, question="course", analysis="unadjusted", estimand="share",
                  subgroup="index_quarter", level=quarter)
        )  # fmt: skip
        number = round(n / 4 * (rows or {}).get(quarter, 1.0))
        parts.append(
            {"question": "q1", "analysis": "volumes", "measure": "reports",
                             "subgroup": "calendar_quarter", "level": quarter,
                             "estimator": "description", "estimand": "count",
                             "estimate": number, "n_events": number}
        )  # fmt: skip
    parts += [_use("by_code", code, "offered", n, share) for code, share in codes.items()]
    parts += [_use("by_agency", one, "carried_out", n, share) for one, share in agencies.items()]
    for measure, (log, se) in hazards.items():
        same = {"question": "q2", "measure": measure, "outcome": "same_suspect", "n_people": n}
        limits = {"ci_low": log - 1.96 * se, "ci_high": log + 1.96 * se, "se": se}
        cox = {"estimator": "cox_time_varying", "estimand": "log_hazard_ratio", "estimate": log}
        parts.append({**same, **limits, **cox})
    return Cohort(
        name, read_plan(study), combine([make_estimates(parts)]), _attrition(n, merged),
        _checks(followed, filled, early), is_exact=is_exact, has_study=has_study,
    )  # fmt: skip


def _risk(n: float, risk: float, day: int, **keys: str) -> dict:
    se = float(np.sqrt(risk * (1 - risk) / max(n, 1)))
    row = {
        "question": "q2", "outcome": "same_suspect", "estimator": "aalen_johansen",
        "estimand": "cumulative_incidence", "time_days": day, "estimate": risk, "se": se,
        "n_people": round(n), "n_events": round(n * risk), **keys,
    }  # fmt: skip
    return row


def _use(analysis: str, measure: str, outcome: str, n: int, share: float) -> dict:
    row = {"question": "q1", "analysis": analysis, "measure": measure, "outcome": outcome,
           "estimator": "description", "estimand": "share", "n_people": n}  # fmt: skip
    if share < 0.002:
        return {**row, "n_people": None, "status": "suppressed", "reason": "small_number"}
    return {**row, "estimate": share, "n_events": round(n * share)}


def _attrition(n: int, merged: float) -> pd.DataFrame:
    dropped = round(n * merged)
    rows = [("reports", "in_extract", n, n, 0), ("reports", "suspect_unknown", n, n, 0),
            ("reports", "same_day_merged", n, n - dropped, dropped)]  # fmt: skip
    columns = ["step", "reason", "n_people", "n_reports", "n_dropped"]
    return pd.DataFrame(rows, columns=columns).assign(status="ok")


def _checks(followed: float, filled: float, early: int) -> pd.DataFrame:
    rows = [("profile", "", f"share_followed:{day}", value, None, "ok")
            for day, value in ((365, 1.0), (730, followed))]  # fmt: skip
    rows.append(("profile", "", "share_filled:reports:is_honour", filled, None, "ok"))
    if early:
        rows.append(("extract", "", "ends_before_data_end:reports", early, None, "warning"))
    table = pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS])
    return table.astype({"value": float, "limit": float})
