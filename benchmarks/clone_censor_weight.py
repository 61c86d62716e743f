"""How long 500 bootstrap replicates with refitted weights take, ours beside the row-expanded way.

    python benchmarks/clone_censor_weight.py --people 10000
    python benchmarks/clone_censor_weight.py --people 100000 --peer-replicates 0

One measure, grace time 30 days, follow-up 1,461 days, 7 covariates with 19 columns. The peer does
what a researcher would write: person-day rows, statsmodels GLM with the replicate's case weights,
weights by day, sums by day. It is measured on a few replicates and extrapolated
(`is_extrapolated`); its answers must equal ours on the same replicates. Ours is measured whole,
with the compiled loops loaded, and once more with a covariate that changes within the grace time
(two models a replicate); in a process of its own, so that its peak memory is its own.
Writes benchmarks/results/clone_censor_weight.json, a part for each number of people.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

RESULTS = Path(__file__).parent / "results" / "clone_censor_weight.json"
GRACE, HORIZON, DAYS, SEED = 30, 1461, [182, 365, 730, 1461], 1
CATEGORIES = {
    "sex": [0.85, 0.15],
    "age_group": [0.05, 0.05, 0.2, 0.45, 0.2, 0.05],
    "relation": [0.35, 0.35, 0.1, 0.1, 0.1],
    "is_honour": [0.85, 0.1, 0.05],
    "risk_level": [0.3, 0.2, 0.2, 0.3],
    "index_year": [0.25, 0.25, 0.25, 0.25],
}


def make_people(n_people: int) -> pd.DataFrame:
    """Covariates, start_day, stop_day, cause, other_day: starts are front-loaded and confounded."""
    rng = np.random.default_rng(SEED)
    people = pd.DataFrame({"n_earlier_reports": np.minimum(rng.poisson(0.8, n_people), 5.0)})
    for name, shares in CATEGORIES.items():
        codes = rng.choice(len(shares), size=n_people, p=shares)
        people[name] = pd.Categorical.from_codes(codes, [f"c{k}" for k in range(len(shares))])
    need = 0.2 * people["n_earlier_reports"] + 0.3 * people["risk_level"].cat.codes
    logit = -5.3 + 2 * np.exp(-np.arange(GRACE + 1) / 6) + need.to_numpy()[:, None]
    hits = rng.random((n_people, GRACE + 1)) < 1 / (1 + np.exp(-logit))
    people["start_day"] = np.where(hits.any(axis=1), hits.argmax(axis=1), np.nan)
    waiting = rng.exponential(2500 * np.exp(-need)) * rng.beta(0.8, 0.6, n_people)
    people["stop_day"] = np.ceil(np.minimum(waiting, HORIZON)).clip(1)
    cause = rng.choice([1, 1, 1, 1, 2, 3], n_people)
    people["cause"] = np.where(waiting >= HORIZON, 0, cause)
    people["other_day"] = rng.geometric(0.02, n_people)
    return people


def prepare(people: pd.DataFrame, *, is_changing: bool):
    from revictimisation.estimators.design import build_design
    from revictimisation.estimators.target_trial.changes import Changes
    from revictimisation.estimators.target_trial.clone_weights import weigh_clones
    from revictimisation.estimators.target_trial.trial_data import prepare_trial

    design = build_design(people, ["n_earlier_reports", *CATEGORIES])
    days = people["other_day"].to_numpy()
    other = Changes(np.arange(len(days)), days, np.ones(len(days)))
    trial = prepare_trial(
        people["stop_day"],
        people["cause"],
        people["start_day"],
        design,
        grace_days=GRACE,
        changes={"other": other} if is_changing else None,
    )
    return design, weigh_clones(trial, grace_law="natural_law")


# ---- ours --------------------------------------------------------------------------------------
def run_ours(n_people: int, n_replicates: int, is_changing: bool) -> dict:
    from revictimisation.core.workers import Workers
    from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms
    from revictimisation.estimators.target_trial.clone_influence import find_influence

    _, warm = prepare(make_people(500), is_changing=is_changing)
    bootstrap_arms(warm, DAYS, n_replicates=2, seed=SEED)
    find_influence(warm, DAYS)
    people = make_people(n_people)
    began = time.perf_counter()
    _, weighted = prepare(people, is_changing=is_changing)
    fitted = time.perf_counter()
    influence = find_influence(weighted, DAYS)
    known = time.perf_counter()
    cpu = time.process_time()
    with Workers(os.cpu_count() or 1) as workers:
        replicates = bootstrap_arms(
            weighted, DAYS, n_replicates=n_replicates, seed=SEED, share=workers.map
        )
    ended, used = time.perf_counter(), time.process_time() - cpu
    gap = replicates.answers[:, 0, 0] - replicates.answers[:, 1, 0]
    by_influence = influence[:, 0, 0] - influence[:, 1, 0]
    return {
        "n_replicates": n_replicates,
        "seconds_bootstrap": ended - known,
        "seconds_bootstrap_of_cpu": used,
        "seconds_fit": fitted - began,
        "seconds_influence": known - fitted,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "n_unsettled": replicates.n_unsettled,
        "n_intervals": len(weighted.trial.cut_days),
        "se_bootstrap": gap.std(axis=0, ddof=1).tolist(),
        "se_influence": np.sqrt((by_influence**2).sum(axis=0)).tolist(),
        "first_risks": replicates.answers[:5, :, 0].tolist(),
    }


# ---- the row-expanded way ----------------------------------------------------------------------
def run_peer(n_people: int, n_replicates: int) -> dict:
    import statsmodels.api as sm

    from revictimisation.estimators.target_trial.bootstrap import draw_weights

    people = make_people(n_people)
    design, weighted = prepare(people, is_changing=False)
    trial = weighted.trial
    start, stop = trial.people.start.astype(int), trial.people.stop.astype(int)
    last = np.minimum(stop - 1, np.where(start >= 0, start, GRACE)).clip(max=GRACE)
    person = np.repeat(np.arange(n_people), last + 1)
    day = np.arange(len(person)) - np.repeat(np.cumsum(last + 1) - last - 1, last + 1)
    marks, base = np.eye(len(trial.cut_days))[trial.interval], design.to_dense()
    rows = np.hstack([marks[day], base[person]])
    is_start = (day == start[person]).astype(float)
    seconds, used, risks = [], [], []
    for k in range(n_replicates):
        weight = draw_weights(SEED, k, n_people)
        began, cpu = time.perf_counter(), time.process_time()
        mine = weight[person] > 0
        model = sm.GLM(
            is_start[mine], rows[mine], sm.families.Binomial(), freq_weights=weight[person][mine]
        )
        coef = model.fit().params
        eta = (base @ coef[marks.shape[1] :])[:, None] + marks @ coef[: marks.shape[1]]
        risks.append(risks_of(1 / (1 + np.exp(-eta)), weight, start, stop, trial.people.cause))
        seconds.append(time.perf_counter() - began)
        used.append(time.process_time() - cpu)
    return {
        "seconds_per_replicate": seconds,
        "seconds_of_cpu_per_replicate": used,
        "n_rows": len(rows),
        "first_risks": risks,
    }


def risks_of(hazard, weight, start, stop, cause) -> list[list[float]]:
    """Both arms' risks of the outcome: weights by day within the grace time, then sums by day."""
    stays = np.cumprod(1 - hazard, axis=1)
    by_end = 1 - stays[:, -1:]
    day = np.arange(GRACE + 1)
    is_started = (start >= 0)[:, None] & (start[:, None] <= day)
    waits = (by_end - (1 - stays)) / (by_end * stays)
    arms = (np.where(is_started, 1 / by_end, waits), np.where(is_started, 0.0, 1 / stays))
    answers = []
    for profile in arms:
        free, risk, curve = 1.0, 0.0, np.zeros(HORIZON + 1)
        profile = profile * weight[:, None]
        place = np.minimum(stop - 1, GRACE)
        events = np.bincount(
            stop, np.where(cause == 1, profile[np.arange(len(stop)), place], 0), HORIZON + 1
        )
        ends = np.bincount(
            stop, np.where(cause > 0, profile[np.arange(len(stop)), place], 0), HORIZON + 1
        )
        late = np.bincount(stop, profile[:, GRACE], HORIZON + 1)
        left = np.cumsum(late[::-1])[::-1]
        for t in range(1, HORIZON + 1):
            at_risk = left[t] if t > GRACE else profile[stop >= t, t - 1].sum()
            if at_risk > 0:
                risk += free * events[t] / at_risk
                free *= 1 - ends[t] / at_risk
            curve[t] = risk
        answers.append(curve[DAYS].tolist())
    return answers


def run_apart(**arguments) -> dict:
    """One measurement in a process of its own."""
    given = [f"--{name}={value}" for name, value in arguments.items()]
    command = [sys.executable, __file__, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def compare(n_people: int, n_replicates: int, peer_replicates: int) -> dict:
    same = {"people": n_people, "replicates": n_replicates}
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/clone_censor_weight.py "
        f"--people {n_people} --replicates {n_replicates} --peer-replicates {peer_replicates}",
        "load_before": os.getloadavg()[0],
        "ours": run_apart(part="ours", **same),
        "ours_with_changing_covariate": run_apart(part="ours_changing", **same),
    }
    if peer_replicates:
        peer = run_apart(part="peer", people=n_people, replicates=peer_replicates)
        ours = np.array(found["ours"]["first_risks"])[:peer_replicates]
        peer["largest_difference_from_ours"] = float(
            np.abs(np.array(peer.pop("first_risks"))[:5] - ours).max()
        )
        peer["seconds_for_all"] = float(np.median(peer["seconds_per_replicate"])) * n_replicates
        peer["is_extrapolated"] = True
        found["statsmodels_on_rows"] = peer
        used = float(np.median(peer["seconds_of_cpu_per_replicate"])) * n_replicates
        found["times_as_fast_by_cpu"] = used / found["ours"]["seconds_bootstrap_of_cpu"]
        found["times_as_fast"] = peer["seconds_for_all"] / found["ours"]["seconds_bootstrap"]
    for name in ("ours", "ours_with_changing_covariate"):
        del found[name]["first_risks"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--peer-replicates", type=int, default=3)
    parser.add_argument("--part", choices=["ours", "ours_changing", "peer"])
    asked = parser.parse_args()
    if asked.part == "peer":
        print(json.dumps(run_peer(asked.people, asked.replicates)))
    elif asked.part:
        is_changing = asked.part == "ours_changing"
        print(json.dumps(run_ours(asked.people, asked.replicates, is_changing)))
    else:
        commit = name_clean_commit()
        kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        found = compare(asked.people, asked.replicates, asked.peer_replicates)
        names = ("numpy", "numba", "pandas", "statsmodels")
        kept["machine"] = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in names},
        }
        kept[f"people_{asked.people}"] = {"commit": commit, **found}
        keep_result(RESULTS, kept, commit, indent=1)
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
