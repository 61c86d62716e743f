"""Question 3 over many synthetic counties: are groups told apart when they differ, and only then.

    python benchmarks/subgroup_study.py [--counties 200] [--scenario calibrated null] [--jobs 2]
    python benchmarks/subgroup_study.py --summarise

Each county goes the whole way from extract to estimates by the project's own stages. What a block
of counties gave is kept under build/subgroup_study, so that stopped work goes on where it was; the
summary, with Monte Carlo errors and provenance, is kept in the package (simulate/subgroup_study):
levels.csv (effects within levels and contrasts against the truth) and family.csv (how often a
study calls any difference between groups, and how often the built-in ones).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from subgroup_summary import summarise_family, summarise_levels
from truth_counties import prepare_county, split_counties

from revictimisation.plan import StudyPlan, read_plan
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import fingerprint, read_truth
from revictimisation.subgroup_effects import estimate_subgroup_effects

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
PARTS = ROOT / "build" / "subgroup_study"
KEPT = ROOT / "src" / "revictimisation" / "simulate" / "subgroup_study"
SEED = 20261124
COUNTIES_A_BLOCK = 10
REPORT_AT_DAYS = (365, 1461)
COLUMNS = [
    "analysis", "measure", "subgroup", "level", "estimator", "estimand", "time_days", "estimate",
    "se", "ci_low", "ci_high", "status",
]  # fmt: skip
ESTIMANDS = ("risk_difference", "log_hazard_ratio", "p_value", "p_value_holm")


def read_study() -> StudyPlan:
    """The county's study at two of its days."""
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    return plan.model_copy(update={"report_at_days": REPORT_AT_DAYS})


def run_block(name: str, block: int, people: int, target: Path) -> str:
    """Simulate a block of counties, estimate each, and keep the rows."""
    begun = time.perf_counter()
    seed = SEED + 1000 * list(SCENARIOS).index(name) + block
    large = prepare_county(SCENARIOS[name], people * COUNTIES_A_BLOCK, seed, read_study())
    parts = []
    for place, county in enumerate(split_counties(large, COUNTIES_A_BLOCK)):
        rows, _ = estimate_subgroup_effects(county)
        kept = rows.loc[rows["estimand"].isin(ESTIMANDS), COLUMNS]
        parts.append(kept.assign(county=block * COUNTIES_A_BLOCK + place))
    pd.concat(parts, ignore_index=True).to_parquet(target)
    return f"{target.stem}: {time.perf_counter() - begun:.0f} s"


def list_blocks(args: argparse.Namespace) -> Iterator[tuple[str, int, int, Path]]:
    """What is still to be done, scenario by scenario."""
    for name in args.scenario:
        people = args.people or SCENARIOS[name].default_people
        for block in range(-(-args.counties // COUNTIES_A_BLOCK)):
            target = PARTS / f"{name}_{people}_{block:03d}.parquet"
            if not target.exists():
                yield name, block, people, target


def keep_summary(args: argparse.Namespace) -> None:
    """Summarise all that is there and keep it with its provenance."""
    levels, family, runs = [], [], []
    for path in sorted({one.stem.rsplit("_", 1)[0] for one in PARTS.glob("*.parquet")}):
        name, people = path.rsplit("_", 1)
        found = sorted(PARTS.glob(f"{path}_*.parquet"))
        rows = pd.concat([pd.read_parquet(one) for one in found], ignore_index=True)
        truth = read_truth(SCENARIOS[name], with_error=True)
        levels.append(summarise_levels(rows, truth).assign(scenario=name))
        family.append(summarise_family(rows).assign(scenario=name))
        runs.append({"scenario": name, "n_counties": int(rows["county"].nunique()),
                     "people_per_county": int(people),
                     "fingerprint": fingerprint(SCENARIOS[name])})  # fmt: skip
    KEPT.mkdir(exist_ok=True)
    for kept, tables in (("levels", levels), ("family", family)):
        table = pd.concat(tables, ignore_index=True)
        table = table[["scenario", *(one for one in table if one != "scenario")]]
        table.round(6).to_csv(KEPT / f"{kept}.csv", index=False, lineterminator="\n")
    facts = {
        "command": f"python benchmarks/subgroup_study.py --counties {args.counties}",
        "seed": SEED,
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": {one: version(one) for one in ("revictimisation", "numpy", "numba", "pandas")},
        "python": platform.python_version(),
        "runs": runs,
    }
    (KEPT / "provenance.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is missing, then summarise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counties", type=int, default=200)
    parser.add_argument("--people", type=int, help="per county; the scenario's own if not given")
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS),
                        default=["calibrated", "null"])  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summarise", action="store_true", help="only the summary")
    args = parser.parse_args()
    PARTS.mkdir(parents=True, exist_ok=True)
    if not args.summarise:
        blocks = list(list_blocks(args))
        with ProcessPoolExecutor(args.jobs) as pool:
            for told in pool.map(run_block, *zip(*blocks, strict=True)) if blocks else ():
                print(told, flush=True)
    keep_summary(args)


if __name__ == "__main__":
    main()
