"""A study of many measures: seconds and memory of `estimate` by the number of measures.

    python benchmarks/many_measures.py [--people 216 3000] [--measures 25 50 100] [--minutes 60]

Each measure but one is two codes of the extract, so that measures overlap and nearly every one has
started; the last is the joint one of the built-in study, of which all else is kept. A command that
is not done after so many minutes is ended and kept as such. Linear in measures is a growth of 1 or
less (as in `main_job.py`). Leaves benchmarks/results/many_measures.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from keeping import keep_result, name_clean_commit
from main_job import RESULTS, STUDY, Cost, measure

CODES = (
    *("alarm_package", "case_conference", "child_support_talks", "compulsory_care"),
    *("contact_person", "coordinated_plan", "crime_victim_unit", "financial_assistance"),
    *("injured_party_counsel", "network_support", "non_contact_order", "permanent_housing"),
    *("non_contact_order_extended", "non_contact_order_shared_home", "placement"),
    *("resource_centre", "safety_talk", "sheltered_housing", "special_representative"),
    "support_talks",
)
# Of so many measures on so many people: at most so many seconds, and so many GB.
GOALS = {(people, 100): (1200, 4) for people in (216, 3000)}


def write_study(path: Path, n_measures: int) -> None:
    """The built-in study with so many measures, from 2 to 191."""
    study = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    pairs = [*itertools.combinations(CODES, 2)]
    chosen = [pairs[k * len(pairs) // (n_measures - 1)] for k in range(n_measures - 1)]
    made = {f"m{k:03}": {"codes": [*pair], "grace_days": 30} for k, pair in enumerate(chosen)}
    study["measures"] = {**made, "joint": study["measures"]["joint"]}
    path.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")


def measure_all(people: int, counts: list[int], seconds: float) -> dict[int, Cost | None]:
    """The cost of `estimate` by the number of measures; None: not done in time."""
    found: dict[int, Cost | None] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, study = str(folder / "county"), folder / "study.yaml"
        measure(folder, "simulate", data, "--people", str(people), "--seed", "1")
        for n_measures in [2, *sorted(counts)]:  # the first compiles
            write_study(study, n_measures)
            job = ("estimate", str(study), "--data", data, "--out", str(folder / f"{n_measures}"))
            try:
                found[n_measures] = measure(folder, *job, within=seconds)
            except TimeoutError:
                found[n_measures] = None
    del found[2]
    return found


def describe(people: int, found: dict[int, Cost | None]) -> list[dict[str, Any]]:
    """A row per number of measures, with its goal and its growth from the number before."""
    rows: list[dict[str, Any]] = []
    for n_measures, cost in found.items():
        seconds, memory = GOALS.get((people, n_measures), (math.inf, math.inf))
        before = rows[-1] if rows else None
        growth = {}
        if cost and before and before["cost"]:
            ratio = math.log(n_measures / before["measures"])
            growth = {
                name: math.log(value / before["cost"][name]) / ratio
                for name, value in cost._asdict().items()
            }
        holds = cost is not None and cost.wall <= seconds and cost.memory <= memory
        rows.append({
            "people": people, "measures": n_measures, "cost": cost and cost._asdict(),
            "holds": holds if (people, n_measures) in GOALS else None, "growth": growth,
        })  # fmt: skip
    return rows


def main() -> None:
    """Run, print the table, keep all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[216, 3000])
    parser.add_argument("--measures", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--minutes", type=float, default=60)
    given = parser.parse_args()
    commit = name_clean_commit()
    rows = [
        row
        for people in given.people
        for row in describe(people, measure_all(people, given.measures, 60 * given.minutes))
    ]
    print(
        f"{'people':>7} {'measures':>8} {'wall s':>7} {'proc s':>7} {'GB':>5}  growth of the three"
    )
    for row in rows:
        told = "not done in time"
        if row["cost"]:
            told = "{wall:>7.1f} {processor:>7.1f} {memory:>5.2f}".format(**row["cost"])
        growth = ", ".join(f"{value:.2f}" for value in row["growth"].values())
        goal = {True: "  goal: holds", False: "  goal: MISSED", None: ""}[row["holds"]]
        print(f"{row['people']:>7} {row['measures']:>8} {told}  {growth}{goal}")
    kept = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/many_measures.py " + " ".join(sys.argv[1:]),
        "machine": {"cores": os.cpu_count()},
        "rows": rows,
    }
    keep_result(RESULTS / "many_measures.json", kept, commit)


if __name__ == "__main__":
    main()
