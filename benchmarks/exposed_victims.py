"""How often the robust interval of a hazard ratio holds the truth, by number of exposed victims.

    python benchmarks/exposed_victims.py [--cohorts 1000]

Cohorts of 300 victims without any effect; so many of them are exposed from day 0. New reports
recur, at rates that differ between people (gamma, variance 0.5), for 400 days. What counts is what
would be told: cohorts with fewer than 10 events on either side are left out, as the gate
`events_per_arm` has it. The gate `exposed_victims` is set where coverage holds from. Leaves
benchmarks/results/exposed_victims.json.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from keeping import keep_result, name_clean_commit

from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import design_from_array

RESULT = Path(__file__).parent / "results" / "exposed_victims.json"
VICTIMS, DAYS, RATE, LEAST_EVENTS = 300, 400, 0.0025, 10
EXPOSED = (3, 6, 10, 12, 15, 20, 30, 60)


def make_cohort(rng: np.random.Generator, n_exposed: int) -> np.ndarray:
    """Episodes of a cohort: victim, start, stop, whether it ends in a report, exposed."""
    rows = []
    for victim, rate in enumerate(RATE * rng.gamma(2, 0.5, VICTIMS)):
        days = np.unique(np.ceil(rng.uniform(0, DAYS, rng.poisson(rate * DAYS))).astype(int))
        cuts = [0, *days, *([DAYS] if DAYS not in days else [])]
        rows += [(victim, a, b, b in days, victim < n_exposed) for a, b in pairwise(cuts)]
    return np.array(rows, dtype=np.int64)


def try_cohorts(n_exposed: int, n_cohorts: int, seed: int) -> dict[str, float | None]:
    """Share of the told intervals that hold 0 (`coverage`), with its Monte Carlo error."""
    rng, held = np.random.default_rng([seed, n_exposed]), []
    for _ in range(n_cohorts):
        victim, start, stop, is_event, is_exposed = make_cohort(rng, n_exposed).T
        n_events = int((is_event & is_exposed).sum())
        if min(n_events, is_event.sum() - n_events) < LEAST_EVENTS:
            continue
        design = design_from_array(is_exposed[:, None].astype(float), ["exposed"])
        row = fit_cox(design, start, stop, is_event, cluster=victim).to_frame().iloc[0]
        held.append(row["ci_low"] < 0 < row["ci_high"])
    row = {"n_exposed": n_exposed, "n_told": len(held), "coverage": None, "error": None}
    if held:
        share = float(np.mean(held))
        error = float(np.sqrt(share * (1 - share) / len(held)))
        row |= {"coverage": round(share, 4), "error": round(error, 4)}
    return row


def main() -> None:
    """Try each number of exposed victims and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261130)
    args = parser.parse_args()
    commit = name_clean_commit()
    table = [try_cohorts(number, args.cohorts, args.seed) for number in EXPOSED]
    for row in table:
        print(row, flush=True)
    command = f"python benchmarks/exposed_victims.py --cohorts {args.cohorts}"
    keep_result(RESULT, {"command": command, "seed": args.seed, "table": table}, commit)


if __name__ == "__main__":
    main()
