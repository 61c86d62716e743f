"""Prentice, Williams and Peterson's hazard ratios: every new report with a baseline of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, OK, combine, make_estimates
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.hazard_rows import (
    count_exposed,
    describe_hazard,
    describe_no_answer,
)
from revictimisation.estimators.recurrent import NEEDED, make_pwp_gap_time, make_pwp_total_time

SETTLED = "is_converged"
Row = dict[str, Any]
CLOCKS = {"pwp_total_time": make_pwp_total_time, "pwp_gap_time": make_pwp_gap_time}


def estimate_ordered_hazards(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate hazard ratios of all measures together while in force, by number of outcome.

    A person is at risk of the k-th outcome only after the one before; from the plan's
    `last_event_stratum` on outcomes share a stratum. Estimator `pwp_total_time` counts days from
    the index report, `pwp_gap_time` from the outcome before. Analysis `main` adjusts for the
    study's `adjust_for`, `unadjusted` for nothing (the measures are still held together); errors
    are clustered by victim. `n_people` are entries ever exposed, `n_events` outcomes while exposed.
    """
    parts: list[pd.DataFrame] = []
    notes: list[dict[str, object]] = []
    days = data.episodes[list(NEEDED)]
    for estimator, make in CLOCKS.items():
        clocked = make(days, last_stratum=data.plan.definitions.last_event_stratum)
        for analysis, is_adjusted in (("main", True), ("unadjusted", False)):
            rows, checks = _fit_measures(data, clocked, is_adjusted)
            keys = {"question": "q2", "outcome": data.plan.outcome.who, "estimator": estimator}
            parts.append(make_estimates(rows, analysis=analysis, **keys))
            notes += _note(checks, f"{estimator}_{analysis}")
    told = pd.DataFrame(notes, columns=list(DIAGNOSTIC_COLUMNS))
    return combine(parts), told.astype({"limit": "float64"})


def _fit_measures(
    data: StudyData, clocked: pd.DataFrame, is_adjusted: bool
) -> tuple[list[Row], dict[str, float]]:
    """Rows of all measures, and the checks that stand behind them."""
    names, episodes = data.plan.measure_names, data.episodes
    entry = clocked["entry_id"].to_numpy()
    is_event = clocked["is_event"].to_numpy().astype(np.bool_)
    victim = data.entries["cluster_id"].to_numpy()[entry]
    exposed = {name: count_exposed(entry, victim, is_event, episodes[name] == 1) for name in names}
    if not is_event.any():
        rows = [
            describe_no_answer("no_events", exposed[name].counts) | {"measure": name}
            for name in names
        ]
        return rows, {"n_events": 0.0}
    design = data.design(entry, episodes[list(names)], is_adjusted=is_adjusted)
    fit = fit_cox(
        design,
        clocked["start_day"].to_numpy(),
        clocked["stop_day"].to_numpy(),
        is_event,
        strata=clocked["stratum"].to_numpy(),
        cluster=victim,
    )
    rows = [
        row | {"measure": name}
        for name in names
        for row in describe_hazard(fit, name, exposed[name], data.plan.gates)
    ]
    return rows, {
        "n_episodes": fit.n_rows,
        "n_events": fit.n_events,
        "n_coefficients": len(fit.names),
        "n_constant_columns_dropped": len(design.dropped),
        "is_converged": float(fit.is_converged),
    }


def _note(checks: dict[str, float], analysis: str) -> list[dict[str, object]]:
    """Rows of diagnostics; only whether the fit settled has a limit."""
    same = {"analysis": analysis, "measure": ""}
    return [
        {**same, "check": check, "value": float(value), "limit": None, "status": OK}
        if check != SETTLED
        else {**same, "check": check, "value": float(value), "limit": 1.0,
              "status": OK if value else "failed"}
        for check, value in checks.items()
    ]  # fmt: skip
