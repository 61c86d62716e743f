"""The main job as a newcomer meets it: 3,000 people, cold, then unchanged, then `estimate` alone.

    python benchmarks/main_job.py [--people 3000] [--repeats 3]
    python benchmarks/main_job.py --estimate-only --people 30000 --repeats 1

Each round begins as an installation ends (`do.py`: a small study, which compiles the numerics; its
time is told apart) and works in empty folders. Goals: cold under 120 s on two cores (simulating
included), an unchanged second run under 5 s, `estimate` alone under 20 s; with `--estimate-only`
nothing but `estimate`, at 30,000 people under 120 s. Leaves benchmarks/results/main_job.json, or
estimate_<people>.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from keeping import keep_result, name_clean_commit

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
GOALS = {"cold": 120, "unchanged": 5, "estimate": 20}
ESTIMATE_GOALS = {"estimate": 120}


def time_commands(folder: Path, *commands: list[str]) -> float:
    """Wall seconds of commands one after another, with a cache of compiled code of their own."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "compiled")}
    began = time.perf_counter()
    for command in commands:
        call = [sys.executable, "-m", "revictimisation", *command]
        subprocess.run(call, check=True, env=environment, capture_output=True)
    return time.perf_counter() - began


def measure(people: int, is_estimate_only: bool) -> dict[str, float]:
    """One round: cold main job, unchanged second run, and `estimate` in another fresh folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny = str(folder / "tiny")
        installation = time_commands(
            folder,
            ["simulate", tiny, "--scenario", "small"],
            ["estimate", str(STUDY), "--data", tiny, "--out", str(folder / "tiny_out")],
        )
        data, out = str(folder / "county"), str(folder / "out")
        simulate = ["simulate", data, "--people", str(people), "--seed", "1"]
        estimate = ["estimate", str(STUDY), "--data", data, "--out", str(folder / "fresh")]
        if is_estimate_only:
            time_commands(folder, simulate)
            return {"estimate": time_commands(folder, estimate)}
        run = ["run", str(STUDY), "--data", data, "--out", out]
        cold = time_commands(folder, simulate, run)
        unchanged = time_commands(folder, run)
        return {
            "small_study_of_installation": installation,
            "cold": cold,
            "unchanged": unchanged,
            "estimate": time_commands(folder, estimate),
        }


def main() -> None:
    """Run, print medians beside the goals, keep all."""
    parser = argparse.ArgumentParser(description="The main job, cold and unchanged.")
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--estimate-only", action="store_true")
    given = parser.parse_args()
    commit = name_clean_commit()
    goals = ESTIMATE_GOALS if given.estimate_only else GOALS
    rounds = [measure(given.people, given.estimate_only) for _ in range(given.repeats)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in goals}
    for name, goal in goals.items():
        seconds = ", ".join(f"{one[name]:.1f}" for one in rounds)
        print(f"{name:<10} median {medians[name]:6.1f} s (goal {goal} s; all: {seconds})")
    kept = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/main_job.py " + " ".join(sys.argv[1:]),
        "machine": {"cores": os.cpu_count(), "machine": platform.machine()},
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "people": given.people,
        "goals_seconds": goals,
        "median_seconds": medians,
        "rounds": rounds,
    }
    target = f"estimate_{given.people}.json" if given.estimate_only else "main_job.json"
    keep_result(RESULTS / target, kept, commit)


if __name__ == "__main__":
    main()
