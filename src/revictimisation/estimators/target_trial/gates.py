"""What the diagnostics of a target trial must show before its numbers are released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.packing import pack_check
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    ESTIMATORS_DISAGREE,
    FAILED_REPLICATES,
    FAILS_KNOWN_TRUTH,
    FEW_EVENTS,
    FEW_VICTIMS,
    NOT_CONVERGED,
    OK,
    SAME_DAY_STARTS,
    withhold,
)
from revictimisation.estimators.limits import Gates

EVERY_DAY = -1
# of how many decisions a strategy is made: two for starts near in time, one by each agency
N_DECISIONS = "n_decisions"


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

    In the order in which the first that fails is told: a strategy that is more than one decision,
    a fit that did not settle before all that rests on it, people and events before what they were
    too few for.
    """
    return [
        Gate(N_DECISIONS, 1.0, False, FAILS_KNOWN_TRUTH),
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

    `checks`: check, arm, time_days, value, as `diagnose_trial` gives them, and group and level if
    they are of one level of a grouping; `named`: the analysis and the measure that they are of. A
    check's name is followed by its arm, its day and its level where it has them. Balance is held to
    its limit up to the end of the grace time; later the arms part again where a measure works. Also
    gives `time_days` (missing: the check concerns every day), `gate` (its name where it has a
    limit) and `level`, which the caller drops (`DIAGNOSTIC_COLUMNS`).
    """
    limits = {gate.check: gate for gate in list_gates(gates)}
    rows = []
    for row in checks.to_dict("records"):
        check, value = str(row["check"]), float(row["value"])
        day = None if pd.isna(row["time_days"]) else int(row["time_days"])
        is_balance = check == "largest_standardised_difference"
        gate = None if is_balance and day is not None and day > grace_days else limits.get(check)
        holds = gate is None or (value >= gate.limit if gate.is_least else value <= gate.limit)
        level = {name: str(row.get(name, "")) for name in ("group", "level")}
        rows.append(
            {
                **named,
                "check": pack_check(check, row["arm"], day, **level),
                "value": value,
                "limit": None if gate is None else gate.limit,
                "status": OK if holds else "failed",
                "time_days": None if is_balance else day,
                "gate": check,
                "level": level["level"],
            }
        )
    return pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS, "time_days", "gate", "level"])


def find_failed(rows: pd.DataFrame, judged: pd.DataFrame, gates: Gates) -> npt.NDArray[np.object_]:
    """The reason of the first gate that fails for each of the rows; "" where all hold.

    rows: with `time_days` and, where checks are of levels, `level`.
    """
    order = list_gates(gates)
    listed = {gate.check: (at, gate.reason or gate.check) for at, gate in enumerate(order)}
    none = (len(order), "")
    failed = judged[judged["status"].eq("failed") & judged["gate"].isin(listed)]
    found: dict[tuple[int, str], tuple[int, str]] = {}
    for check, *key in zip(failed["gate"], _read_days(failed), failed["level"], strict=True):
        found[tuple(key)] = min(listed[check], found.get(tuple(key), none))
    reasons = np.full(len(rows), "", dtype=object)
    if not found:
        return reasons
    levels = rows["level"] if failed["level"].ne("").any() else [""] * len(rows)
    for place, (day, level) in enumerate(zip(_read_days(rows), levels, strict=True)):
        concerned = ((day, level), (EVERY_DAY, level), (day, ""), (EVERY_DAY, ""))
        reasons[place] = min(found.get(key, none) for key in concerned)[1]
    return reasons


def holds_all(rows: pd.DataFrame, judged: pd.DataFrame, gates: Gates) -> bool:
    """Whether a gate fails for each of the rows."""
    return bool((find_failed(rows, judged, gates) != "").all())


def _read_days(rows: pd.DataFrame) -> list[int]:
    days = pd.to_numeric(rows["time_days"]).to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isnan(days), EVERY_DAY, days).astype(np.int64).tolist()


def withhold_failed(estimates: pd.DataFrame, judged: pd.DataFrame, gates: Gates) -> pd.DataFrame:
    """Withhold the numbers of the days on which a gate fails, with the first such gate's reason."""
    reasons = find_failed(estimates, judged, gates)
    return withhold(estimates, reasons != "", reasons)


def withhold_few(estimates: pd.DataFrame, gates: Gates) -> pd.DataFrame:
    """Withhold comparisons of a cause on a day of which an arm has too few events.

    The checks are of the outcome; death and emigration have events of their own.
    """
    keys = ["cause", "time_days"]
    is_arm = estimates["estimand"].isin(["risk_start", "risk_no_start"])
    fewest = estimates["n_events"].where(is_arm).groupby([estimates[key] for key in keys])
    is_few = fewest.transform("min").lt(gates.events_per_arm).fillna(False)
    return withhold(estimates, is_few.to_numpy(bool), FEW_EVENTS)
