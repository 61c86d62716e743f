"""How long the main result of a large county takes: question 2's target trials and their gates.

    python benchmarks/target_trials.py [--people 30000]

From the extract to person-time, then every single measure of the county's study (six) with its
bootstrap of 200 replicates, intervals by influence, capped weights, curves, g-formula, doubly
robust, diagnostics. Goal: under 120 s on two cores, with the compiled loops loaded (a county of
1,000 people goes first). The other stages of `estimate` are not in it: `main_job.py
--estimate-only` times them all. Leaves benchmarks/results/target_trials.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import tempfile
import time
from pathlib import Path

from keeping import keep_result, name_clean_commit

from revictimisation.analyses import target_trials
from revictimisation.cohort.preparation import prepare
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import run_course

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
RESULTS = ROOT / "benchmarks" / "results" / "target_trials.json"
GOAL_SECONDS, SEED = 120, 1


def read_study() -> StudyPlan:
    """The county's study without its joint measure."""
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    single = {name: one for name, one in plan.measures.items() if not one.is_joint}
    return plan.model_copy(update={"measures": single})


def time_county(plan: StudyPlan, people: int) -> dict[str, float]:
    """Seconds from extract to person-time, and for the target trials; how many entries."""
    dictionary = load_dictionary()
    with tempfile.TemporaryDirectory() as name:
        for table, rows in make_tables(run_course(SCENARIOS["calibrated"], people, SEED)).items():
            files.write_table(rows, Path(name), table, ("parquet",))
        began = time.perf_counter()
        extract = load_extract(connect(), Path(name), dictionary, plan)
        data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
        prepared = time.perf_counter()
        target_trials.estimate_target_trials(data)
        ended = time.perf_counter()
    return {
        "n_entries": len(data.entries),
        "prepare_seconds": prepared - began,
        "target_trials_seconds": ended - prepared,
        "seconds": ended - began,
    }


def main() -> None:
    """Warm up, measure, tell, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=30_000)
    given = parser.parse_args()
    commit, plan = name_clean_commit(), read_study()
    time_county(plan, 1000)
    found = time_county(plan, given.people)
    print(f"{found['seconds']:.1f} s (goal {GOAL_SECONDS} s at 30,000 people)")
    kept = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": f"python benchmarks/target_trials.py --people {given.people}",
        "machine": {"cores": os.cpu_count(), "machine": platform.machine()},
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "people": given.people,
        "measures": len(plan.measures),
        "replicates": plan.bootstrap.replicates,
        "goal_seconds": GOAL_SECONDS,
        **found,
    }
    keep_result(RESULTS, kept, commit)


if __name__ == "__main__":
    main()
