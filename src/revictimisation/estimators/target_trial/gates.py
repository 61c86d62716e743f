"""What the diagnostics of a target trial must show before its numbers are released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from revictimisation.plan import Gates
from revictimisation.results import DIAGNOSTIC_COLUMNS, OK, WITHHELD


@dataclass(frozen=True)
class Gate:
    """A check of `diagnose_trial` with its limit; `is_least`: the value must reach the limit."""

    check: str
    limit: float
    is_least: bool


def list_gates(gates: Gates) -> list[Gate]:
    """The checks that the study's gates hold to a limit; all others are only told."""
    return [
        Gate("largest_standardised_difference", gates.largest_standardised_difference, False),
        Gate("effective_sample_size", gates.effective_sample_size, True),
        Gate("n_events", gates.events_per_arm, True),
        Gate("share_outside_support", gates.share_outside_support, False),
        Gate("minimum_detectable_difference", gates.minimum_detectable_difference, False),
        Gate("is_converged", 1.0, True),
        Gate("outcome_model_is_converged", 1.0, True),
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
    for one in checks.to_dict("records"):
        check, day, value = str(one["check"]), one["time_days"], float(one["value"])
        is_balance = check == "largest_standardised_difference"
        gate = None if is_balance and day > grace_days else limits.get(check)
        parts = [check, str(one["arm"]), "" if pd.isna(day) else str(int(day))]
        holds = gate is None or (value >= gate.limit if gate.is_least else value <= gate.limit)
        rows.append(
            {
                **named,
                "check": ":".join(part for part in parts if part),
                "value": value,
                "limit": None if gate is None else gate.limit,
                "status": OK if holds else "failed",
                "time_days": None if is_balance else day,
            }
        )
    return pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS, "time_days"])


def withhold(estimates: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Withhold the numbers of the days on which a gate fails, with the first such gate."""
    failed = judged[judged["status"] == "failed"]
    out = estimates.copy()
    for one in failed.to_dict("records"):
        day = one["time_days"]
        chosen = out["status"].eq(OK)
        if not pd.isna(day):
            chosen &= out["time_days"].eq(int(day))
        out.loc[chosen, "reason"] = str(one["check"]).split(":")[0]
        out.loc[chosen, "status"] = WITHHELD
    return out
