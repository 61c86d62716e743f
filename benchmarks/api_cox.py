"""What the data frame costs: the API's time-varying Cox beside the engine's own, in one run.

    python benchmarks/api_cox.py                      about a million episodes

The data are those of `benchmarks/cox.py`: 6 measures that go on and off, 7 covariates, 25
coefficients, robust errors by person. The engine has a table of people and one of episodes and is
timed from these tables (design included); the API has one frame with a row per episode, by names of
covariates and by a formula. They take turns, so that what else the machine does meets all alike;
the first round, in which compiled loops are loaded, does not count. Seconds are the processor's:
none of the three uses more than one. All must give the same numbers.
Writes benchmarks/results/api_cox.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

import numpy as np
import pandas as pd
from cox import HERE, MEASURES, describe_machine, make_episodes, terms_of
from keeping import keep_result, name_clean_commit

import revictimisation as rv
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design

EPISODES_A_PERSON = 3.898
GOAL = 1.5


def make_runs(people: pd.DataFrame, episodes: pd.DataFrame) -> dict[str, Callable[[], dict]]:
    """The three ways to the same model, each from its tables to coefficients and errors."""
    terms = terms_of(people)
    person = episodes["person"].to_numpy()
    frame = episodes.join(people, on="person")
    given = {"event_col": "is_event", "start_col": "start", "stop_col": "stop",
             "cluster_col": "person"}  # fmt: skip
    formula = " + ".join([*terms, *MEASURES])

    def engine() -> dict:
        design = build_design(people, terms, person, measures=episodes[MEASURES])
        columns = (episodes[name].to_numpy() for name in ("start", "stop", "is_event"))
        fit = fit_cox(design, *columns, cluster=person)
        return dict(zip(fit.names, zip(fit.coef, fit.se_robust, strict=True), strict=True))

    def api(**how: object) -> dict:
        table = rv.CoxModel().fit(frame, **given, **how).summary()
        names = table.index.str.replace(r"\[T\.(.*)\]", r"=\1", regex=True)
        return dict(zip(names, zip(table["coef"], table["se"], strict=True), strict=True))

    return {
        "engine": engine,
        "api_covariates": lambda: api(covariates=[*terms, *MEASURES]),
        "api_formula": lambda: api(formula=formula),
    }


def measure(n_episodes: int, repetitions: int) -> dict:
    people, episodes = make_episodes(round(n_episodes / EPISODES_A_PERSON))
    runs = make_runs(people, episodes)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    apart = 0.0
    for _ in range(repetitions + 1):
        found = {}
        for name, run in runs.items():
            began = time.process_time()
            found[name] = run()
            seconds[name].append(time.process_time() - began)
        for name in runs:
            for column, numbers in found["engine"].items():
                gap = np.abs(np.subtract(found[name][column], numbers)).max()
                apart = max(apart, float(gap))
    middle = {name: median(some[1:]) for name, some in seconds.items()}
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/api_cox.py " + " ".join(sys.argv[1:]),
        "machine": describe_machine(),
        "n_episodes": len(episodes),
        "n_coefficients": len(found["engine"]),
        "seconds": {name: some[1:] for name, some in seconds.items()},
        "median_seconds": middle,
        "ratio": {name: one / middle["engine"] for name, one in middle.items() if name != "engine"},
        "goal_ratio": GOAL,
        "largest_difference": apart,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--no-keep", action="store_true", help="print alone")
    options = parser.parse_args()
    commit = "" if options.no_keep else name_clean_commit()
    summary = measure(options.episodes, options.repetitions)
    for name, seconds in summary["median_seconds"].items():
        print(f"{name:16} {seconds:.2f} s   {summary['ratio'].get(name, 1):.2f} times the engine")
    print(f"largest difference {summary['largest_difference']:.1e}")
    if commit:
        keep_result(HERE / "results" / "api_cox.json", summary, commit, indent=1)


if __name__ == "__main__":
    main()
