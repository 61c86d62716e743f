"""The truth study: do the estimators find the truth, over hundreds of synthetic counties.

    python benchmarks/truth_study.py --bootstrap 200 --counties 100 --scenario calibrated
    python benchmarks/truth_study.py [--counties 200] [--scenario calibrated ...] [--jobs 2]
    python benchmarks/truth_study.py --summarise

Each county goes the whole way from extract to estimates by the project's own stages. What a block
of counties gave is kept under build/truth_study, so that stopped work goes on where it was; the
summary, with Monte Carlo errors and provenance, is kept in the package
(simulate/truth_study).

The *oracle* is the doubly robust estimator with models that are not estimated in the county but in
one of 100,000 people of the same scenario: as good as true weights and a true outcome model.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pickle
import platform
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from truth_counties import prepare_county, split_counties
from truth_oracle import Oracle, estimate_oracle, fit_oracles
from truth_summary import summarise

from revictimisation import effects, target_trials
from revictimisation.cohort_data import StudyData
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.results import combine
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import fingerprint, read_truth

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
PARTS = ROOT / "build" / "truth_study"
KEPT = ROOT / "src" / "revictimisation" / "simulate" / "truth_study"
SEED = 20261122
COUNTIES_A_BLOCK = 10
REPORT_AT_DAYS = (365, 1461)
# Where all is as the estimators suppose the best that can be known is asked as well.
WITH_ORACLE = ("calibrated",)
INFLUENCE = "influence"
COLUMNS = [
    "estimator", "analysis", "measure", "estimand", "time_days", "estimate", "se", "ci_low",
    "ci_high", "status",
]  # fmt: skip
ESTIMANDS = ("log_hazard_ratio", "risk_start", "risk_no_start", "risk_difference",
             "rmst_difference_days")  # fmt: skip


def read_study(n_replicates: int) -> StudyPlan:
    """The county's study at two of its days, without the variant of capped weights.

    Without replicates intervals come from the influence function.
    """
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    changes = {
        "bootstrap": plan.bootstrap.model_copy(update={"replicates": n_replicates}),
        "weights": plan.weights.model_copy(update={"truncate_at": None}),
        "report_at_days": REPORT_AT_DAYS,
    }
    return plan.model_copy(update=changes)


def drop_joint(plan: StudyPlan) -> StudyPlan:
    """The study without its joint measures, of which no strategy's truth is known."""
    single = {name: one for name, one in plan.measures.items() if not one.is_joint}
    return plan.model_copy(update={"measures": single})


def estimate_county(data: StudyData, oracles: dict[str, Oracle]) -> pd.DataFrame:
    """Every estimator of question 2 that has a truth, a row per number."""
    ratios, _ = effects.estimate_hazard_ratios(data)
    single = replace(data, plan=drop_joint(data.plan))
    trials, _ = target_trials.estimate_target_trials(single, has_curves=False)
    table = combine([ratios, trials, effects.estimate_crude(single)])
    is_asked = table["estimand"].isin(ESTIMANDS) & (table["outcome"] == data.plan.outcome.who)
    kept = table.loc[is_asked, COLUMNS]
    if not oracles:
        return kept
    oracle = estimate_oracle(single, oracles).reindex(columns=COLUMNS)
    return pd.concat([kept, oracle[oracle["estimand"].isin(ESTIMANDS)]], ignore_index=True)


def name_oracle(name: str) -> Path:
    """Where a scenario's oracle is kept."""
    return PARTS / f"oracle_{name}.pickle"


def run_block(name: str, block: int, people: int, n_replicates: int, target: Path) -> str:
    """Simulate a block of counties, estimate each, and keep the rows."""
    begun = time.perf_counter()
    plan, scenario = read_study(n_replicates), SCENARIOS[name]
    oracles = pickle.loads(name_oracle(name).read_bytes()) if name in WITH_ORACLE else {}
    seed = SEED + 1000 * list(SCENARIOS).index(name) + block
    large = prepare_county(scenario, people * COUNTIES_A_BLOCK, seed, plan)
    counties = split_counties(large, COUNTIES_A_BLOCK)
    parts = [
        estimate_county(county, oracles).assign(county=block * COUNTIES_A_BLOCK + place)
        for place, county in enumerate(counties)
    ]
    rows = pd.concat(parts, ignore_index=True).astype({"time_days": "Int64"})
    rows.to_parquet(target)
    return f"{target.stem}: {time.perf_counter() - begun:.0f} s"


def list_blocks(args: argparse.Namespace) -> Iterator[tuple[str, int, int, int, Path]]:
    """What is still to be done, scenario by scenario."""
    for name in args.scenario:
        people = args.people or SCENARIOS[name].default_people
        for block in range(-(-args.counties // COUNTIES_A_BLOCK)):
            kind = f"bootstrap{args.bootstrap}" if args.bootstrap else INFLUENCE
            target = PARTS / f"{kind}_{name}_{people}_{block:03d}.parquet"
            # with the bootstrap's intervals come the influence's
            same = f"*_{name}_{people}_{block:03d}.parquet" if kind == INFLUENCE else target.name
            if not list(PARTS.glob(same)):
                yield name, block, people, args.bootstrap, target


def gather_rows(name: str) -> dict[tuple[str, int], pd.DataFrame]:
    """What the counties of a scenario gave, by kind of intervals and people; each county once."""
    parts: dict[tuple[str, int], dict[str, pd.DataFrame]] = {}
    for path in sorted(PARTS.glob(f"*_{name}_*.parquet")):
        kind, _, people, block = path.stem.split("_")
        rows = pd.read_parquet(path)
        is_beside = rows["analysis"] == "influence_interval"
        is_resampled = rows["estimator"].eq("clone_censor_weight") & (kind != INFLUENCE)
        named = rows.assign(analysis=rows["analysis"].mask(is_beside, "main"))
        both = {INFLUENCE: named[~is_resampled | is_beside]}
        if kind == INFLUENCE:
            both = {INFLUENCE: rows[~is_beside]}
        else:
            both[kind] = rows[is_resampled & ~is_beside]
        for intervals, mine in both.items():
            parts.setdefault((intervals, int(people)), {})[block] = mine
    return {key: pd.concat(mine.values(), ignore_index=True) for key, mine in parts.items()}


def name_commit() -> str:
    """The commit the code is of; `changed` behind it: and something more. Empty without git."""
    found = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty= changed", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip()


def keep_summary(args: argparse.Namespace) -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name in SCENARIOS:
        truth = read_truth(SCENARIOS[name], with_error=True)
        for (intervals, people), rows in sorted(gather_rows(name).items(), key=lambda one: one[0]):
            tables.append(summarise(rows, truth).assign(scenario=name, intervals=intervals))
            runs.append({"scenario": name, "intervals": intervals,
                         "n_counties": int(rows["county"].nunique()),
                         "people_per_county": people,
                         "fingerprint": fingerprint(SCENARIOS[name])})  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    front = ["scenario", "intervals"]
    KEPT.mkdir(exist_ok=True)
    table[front + [one for one in table if one not in front]].round(6).to_csv(
        KEPT / "table.csv", index=False, lineterminator="\n"
    )
    facts = {
        "command": "python benchmarks/truth_study.py --bootstrap 200 --counties 100"
        " --scenario calibrated; python benchmarks/truth_study.py --counties 200",
        "seed": SEED,
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": {one: version(one) for one in ("revictimisation", "numpy", "numba", "pandas")},
        "python": platform.python_version(),
        "commit": name_commit(),
        "runs": runs,
    }
    (KEPT / "provenance.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is missing, then summarise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counties", type=int, default=200)
    parser.add_argument("--people", type=int, help="per county; the scenario's own if not given")
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--bootstrap", type=int, default=0, help="replicates; 0: influence")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summarise", action="store_true", help="only the summary")
    args = parser.parse_args()
    PARTS.mkdir(parents=True, exist_ok=True)
    if not args.summarise:
        blocks = list(list_blocks(args))
        for name in dict.fromkeys(block[0] for block in blocks):
            if name in WITH_ORACLE and not name_oracle(name).exists():
                fit_oracles(SCENARIOS[name], drop_joint(read_study(0)), name_oracle(name))
        with ProcessPoolExecutor(args.jobs) as pool:
            for told in pool.map(run_block, *zip(*blocks, strict=True)) if blocks else ():
                print(told, flush=True)
    keep_summary(args)


if __name__ == "__main__":
    main()
