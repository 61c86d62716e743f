"""What the diagnostics of a target trial must show before its numbers are released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from revictimisation.core.packing import pack_check, unpack_check
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    ESTIMATORS_DISAGREE,
    FAILED_REPLICATES,
    FEW_EVENTS,
    FEW_VICTIMS,
    NOT_CONVERGED,
    OK,
    SAME_DAY_STARTS,
    withhold,
)
from revictimisation.estimators.limits import Gates


@dataclass(frozen=True)
class Gate:
    """A check of `diagnose_trial` with its limit; `is_least`: the value must reach the limit.

    `reason`: what a number that it withholds is marked with; empty: the check's name.
    """

    check: str
    limit: float
    is_least: bool
    reason: str = ""


def list_gates(gates: Gates) -> list[Gate]:
    """The checks that the study's gates hold to a limit; all others are only told.

    In the order in which the first that fails is told: a fit that did not settle before all that
    rests on it, people and events before what they were too few for.
    """
    return [
        Gate("is_converged", 1.0, True, NOT_CONVERGED),
        Gate("outcome_model_is_converged", 1.0, True, NOT_CONVERGED),
        Gate("share_failed_replicates", gates.failed_replicates, False, FAILED_REPLICATES),
        Gate("n_exposed_victims", gates.exposed_victims, True, FEW_VICTIMS),
        Gate("n_events", gates.events_per_arm, True, FEW_EVENTS),
        Gate("share_same_day_starts", gates.same_day_starts, False, SAME_DAY_STARTS),
        Gate("largest_standardised_difference", gates.largest_standardised_difference, False),
        Gate("effective_sample_size", gates.effective_sample_size, True),
        Gate("share_outside_support", gates.share_outside_support, False),
        Gate("minimum_detectable_difference", gates.minimum_detectable_difference, False),
        Gate("largest_disagreement", gates.largest_disagreement, False, ESTIMATORS_DISAGREE),
    ]


def judge(
    checks: pd.DataFrame, gates: Gates, named: Mapping[str, str], grace_days: int
) -> pd.DataFrame:
    """Hold the checks against the gates: a row per check, status `ok` or `failed`.

    `checks`: check, arm, time_days, value, as `diagnose_trial` gives them; `named`: the analysis
    and the measure that they are of. A check's name is followed by its arm and its day where it has
    them. Balance is held to its limit up to the end of the grace time; later the arms part again
    where a measure works. Also gives `time_days` (missing: the check concerns every day), which the
    caller drops.
    """
    limits = {gate.check: gate for gate in list_gates(gates)}
    rows = []
    for row in checks.to_dict("records"):
        check, day, value = str(row["check"]), row["time_days"], float(row["value"])
        is_balance = check == "largest_standardised_difference"
        gate = None if is_balance and day > grace_days else limits.get(check)
        holds = gate is None or (value >= gate.limit if gate.is_least else value <= gate.limit)
        rows.append(
            {
                **named,
                "check": pack_check(check, row["arm"], None if pd.isna(day) else int(day)),
                "value": value,
                "limit": None if gate is None else gate.limit,
                "status": OK if holds else "failed",
                "time_days": None if is_balance else day,
            }
        )
    return pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS, "time_days"])


def withhold_failed(estimates: pd.DataFrame, judged: pd.DataFrame, gates: Gates) -> pd.DataFrame:
    """Withhold the numbers of the days on which a gate fails, with the first such gate's reason."""
    failed = judged[judged["status"].eq("failed")]
    checks = failed["check"].map(lambda text: unpack_check(text).name)
    out = estimates
    for gate in list_gates(gates):
        days = failed.loc[checks.eq(gate.check), "time_days"]
        if days.empty:
            continue
        chosen = out["time_days"].isin(days.dropna().astype(int)) | bool(days.isna().any())
        out = withhold(out, chosen, gate.reason or gate.check)
    return out
