"""How long sequential trials take, ours with 200 replicates beside trial-emulation's one answer.

    python benchmarks/sequential_trials.py --people 10000 --peer PYTHON [--keep]

PYTHON is an interpreter of an environment of its own with the package trial-emulation (PyPI), which
is no dependency of ours. Both are given the same rows: people by period, a start that a covariate
makes likelier, up to 10 periods. User seconds, each in a process of its own, compiled loops loaded:

- ours: `SequentialTrials.fit`, risks and contrasts by influence; the same with 200 replicates, the
  model of starts refitted in each; from the rows to the pooled hazard with clustered errors;
- the peer: `data_preparation` and `trial_msm`, the same pooled hazard, no replicate; what its
  bootstrap would cost is extrapolated, a replicate as its one answer.

Expanded rows must be as many, else the benchmark fails. The coefficients are told, not compared:
trial-emulation 0.0.4.0 keeps the right number of rows and mixes up which (its marks, made by person
and trial, are laid on rows ordered by period). R's TrialEmulation, which it ports, has our numbers
(tests/golden/sequential). Writes benchmarks/results/sequential_trials.json with --keep.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

RESULTS = Path(__file__).parent / "results" / "sequential_trials.json"
PERIODS, AT, REPLICATES, SEED = 10, [5, 10], 200, 1
TERMS = {"trial_period_terms": 1, "followup_time_terms": 1}
PEER = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd, trial_emulation as te
data, begun = pd.read_csv(sys.argv[1]), os.times().user
made = te.data_preparation(data=data, outcome_cov=["x"], estimand_type="ITT", quiet=True)
fit = te.trial_msm(data=made, outcome_cov=["x"], estimand_type="ITT", quiet=True,
                   include_followup_time="followup_time", include_trial_period="trial_period")
coef = fit.model.params["assigned_treatment"]
print(json.dumps({"user_seconds": os.times().user - begun, "rows": int(made.N), "coef": coef}))
"""


def make_rows(n_people: int) -> pd.DataFrame:
    """Rows of people by period: x changes, makes starts and outcomes likelier; starts help."""
    rng = np.random.default_rng(SEED)
    parts, is_left, is_treated = [], np.ones(n_people, bool), np.zeros(n_people, bool)
    x = rng.normal(size=n_people)
    for period in range(PERIODS):
        x = 0.8 * x + 0.6 * rng.normal(size=n_people)
        starts = ~is_treated & (rng.random(n_people) < 1 / (1 + np.exp(2.5 - 0.5 * x)))
        is_eligible, treated = ~is_treated, is_treated | starts
        hazard = 1 / (1 + np.exp(3.2 - 0.5 * x + 0.5 * treated))
        outcome = rng.random(n_people) < hazard
        row = {
            "id": np.arange(n_people), "period": period, "x": x, "treatment": treated.astype(int),
            "outcome": outcome.astype(int), "eligible": is_eligible.astype(int),
        }  # fmt: skip
        parts.append(pd.DataFrame(row)[is_left])
        is_treated, is_left = treated, is_left & ~outcome
    rows = pd.concat(parts).sort_values(["id", "period"], ignore_index=True)
    return rows


def measure_ours(path: str) -> dict[str, float]:
    """User seconds of each part, loops loaded by a small run before."""
    from revictimisation.api.sequential_trials import SequentialTrials

    data = pd.read_csv(path)
    found: dict[str, float] = {}
    for rows in (data[data["id"] < 200], data):
        begun = os.times().user
        trials = SequentialTrials().fit(rows, covariates=["x"])
        told = trials.contrast(AT)
        found["by_influence"] = os.times().user - begun
        begun = os.times().user
        drawn = SequentialTrials(n_bootstrap=REPLICATES, seed=SEED).fit(rows, covariates=["x"])
        again = drawn.contrast(AT)
        found["by_bootstrap"] = os.times().user - begun
        begun = os.times().user
        plain = SequentialTrials().fit(rows, covariates=["x"])
        hazard = plain.pooled_hazard(**TERMS).set_index("term")
        found["pooled_hazard"] = os.times().user - begun
    n_rows = int(trials.found_.left.sum())
    gap = told["estimand"] == "risk_difference"
    return {
        **found, "rows": n_rows, "coef": float(hazard.loc["assigned_treatment", "coef"]),
        "se_by_influence": told.loc[gap, "se"].tolist(),
        "se_by_bootstrap": again.loc[gap, "se"].tolist(),
    }  # fmt: skip


def main() -> None:
    """Measure, print, keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--peer", help="a Python with trial-emulation; without it only ours")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ours:
        print(json.dumps(measure_ours(asked.ours)))
        return
    commit = name_clean_commit() if asked.keep else ""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.csv")
        make_rows(asked.people).to_csv(path, index=False)
        found = {"people": asked.people, "replicates": REPLICATES}
        commands = {"ours": [sys.executable, __file__, "--ours", path]}
        if asked.peer:
            commands["peer"] = [asked.peer, "-c", PEER, path]
        for name, command in commands.items():
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
    if asked.peer:
        ours, peer, seconds = found["ours"], found["peer"], found["peer"]["user_seconds"]
        if ours["rows"] != peer["rows"]:
            raise SystemExit(f"{ours['rows']} rows of trials, the peer has {peer['rows']}")
        found["times_faster_pooled_hazard"] = seconds / ours["pooled_hazard"]
        found["times_faster_with_replicates_extrapolated"] = (
            seconds * (1 + REPLICATES) / ours["by_bootstrap"]
        )
    print(json.dumps(found, indent=2))
    if asked.keep:
        where = {"python": platform.python_version(), "made_at": datetime.now(UTC).isoformat()}
        keep_result(RESULTS, {**found, **where}, commit)


if __name__ == "__main__":
    main()
