"""The truth study: do the estimators find the truth, over hundreds of synthetic counties.

    python benchmarks/truth_study.py --bootstrap 100 --counties 10 --scenario calibrated
    python benchmarks/truth_study.py [--counties 200] [--scenario calibrated ...] [--jobs 2]
    python benchmarks/truth_study.py --summarise

Each county goes the whole way from extract to estimates by the project's own stages. What a block
of counties gave is kept under build/truth_study, so that stopped work goes on where it was; the
summary, with Monte Carlo errors and provenance, is kept in
src/truth_studies/tables.

The *oracle* is the doubly robust estimator with models that are not estimated in the county but in
one of 100,000 people of the same scenario: as good as true weights and a true outcome model.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
from county_study import CountyStudy, describe_run, list_all, make_parser, read_study, run_blocks
from truth_oracle import Oracle, estimate_oracle, fit_oracles
from truth_summary import summarise

from revictimisation.analyses import effects, target_trials
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine
from revictimisation.plan import StudyPlan
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth

COMMAND = (
    "python benchmarks/truth_study.py --bootstrap 100 --counties 10 --scenario calibrated;"
    " python benchmarks/truth_study.py --counties 100 --scenario calibrated null;"
    " python benchmarks/truth_study.py --counties 20"
)
COUNTIES = CountyStudy("truth_study", 20261122, COMMAND)
# Where all is as the estimators suppose the best that can be known is asked as well.
WITH_ORACLE = ("calibrated",)
STUDIED = [name for name in SCENARIOS if name != "dirty"]  # which has a cleaning to be tried
INFLUENCE = "influence"
COLUMNS = [
    "estimator", "analysis", "measure", "estimand", "time_days", "estimate", "se", "ci_low",
    "ci_high", "status",
]  # fmt: skip
ESTIMANDS = ("log_hazard_ratio", "risk_start", "risk_no_start", "risk_difference",
             "rmst_difference_days")  # fmt: skip


def plan_study(n_replicates: int) -> StudyPlan:
    """The county's study without the variant of capped weights.

    Without replicates intervals come from the influence function.
    """
    plan = read_study()
    return read_study(
        bootstrap=plan.bootstrap.model_copy(update={"replicates": n_replicates}),
        weights=plan.weights.model_copy(update={"truncate_at": None}),
    )


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
    return COUNTIES.parts / f"oracle_{name}.pickle"


def run_block(name: str, block: int, people: int, n_replicates: int) -> pd.DataFrame:
    """Simulate a block of counties and estimate each."""
    oracles = pickle.loads(name_oracle(name).read_bytes()) if name in WITH_ORACLE else {}
    parts = [
        estimate_county(county, oracles).assign(county=number)
        for number, county in COUNTIES.make_counties(name, block, people, plan_study(n_replicates))
    ]
    return pd.concat(parts, ignore_index=True).astype({"time_days": "Int64"})


def list_blocks(args: argparse.Namespace) -> Iterator[tuple[str, int, int, int, Path]]:
    """What is still to be done, scenario by scenario."""
    for name, block, people in list_all(args):
        kind = f"bootstrap{args.bootstrap}" if args.bootstrap else INFLUENCE
        target = COUNTIES.parts / f"{kind}_{name}_{people}_{block:03d}.parquet"
        # with the bootstrap's intervals come the influence's
        same = f"*_{name}_{people}_{block:03d}.parquet" if kind == INFLUENCE else target.name
        if not list(COUNTIES.parts.glob(same)):
            yield name, block, people, args.bootstrap, target


def gather_rows(name: str) -> dict[tuple[str, int], pd.DataFrame]:
    """What the counties of a scenario gave, by kind of intervals and people; each county once."""
    parts: dict[tuple[str, int], dict[str, pd.DataFrame]] = {}
    for path in sorted(COUNTIES.parts.glob(f"*_{name}_*.parquet")):
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


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name in STUDIED:
        truth = read_truth(SCENARIOS[name], with_error=True)
        for (intervals, people), rows in sorted(gather_rows(name).items(), key=lambda one: one[0]):
            same = {"scenario": name, "intervals": intervals}
            tables.append(summarise(rows, truth).assign(**same))
            runs.append({**describe_run(name, people, rows), "intervals": intervals})
    table = pd.concat(tables)
    front = ["scenario", "intervals"]
    COUNTIES.keep({"table": table[front + [one for one in table if one not in front]]}, runs)


def main() -> None:
    """Run what is missing, then summarise."""
    parser = make_parser(__doc__, STUDIED)
    parser.add_argument("--bootstrap", type=int, default=0, help="replicates; 0: influence")
    args = parser.parse_args()
    COUNTIES.hold_commit()
    if not args.summarise:
        blocks = list(list_blocks(args))
        for name in dict.fromkeys(block[0] for block in blocks):
            if name in WITH_ORACLE and not name_oracle(name).exists():
                fit_oracles(SCENARIOS[name], drop_joint(plan_study(0)), name_oracle(name))
        run_blocks(run_block, blocks, args.jobs)
    keep_summary()


if __name__ == "__main__":
    main()
