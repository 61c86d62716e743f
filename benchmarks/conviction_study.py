"""Does question 4 find the truth, over many synthetic counties.

    python benchmarks/conviction_study.py [--counties 200] [--scenario calibrated null] [--jobs 2]
    python benchmarks/conviction_study.py --summarise

Each county goes from extract to the association of each measure with conviction by the project's
own stages. What a block of counties gave is kept under build/conviction_study, so that stopped work
goes on where it was; the summary, with Monte Carlo errors and provenance, is kept in the package
(simulate/conviction_study): `table.csv` a row per analysis, measure and number with bias, spread,
mean error and coverage; `family.csv` how often any measure of a county is said to go with
conviction in truth without doing so (intervals of the measures together, Holm at 5 %, and each for
itself). In `calibrated` the family is those measures whose true difference is 0.
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
from statistics import NormalDist

import numpy as np
import pandas as pd
from truth_counties import prepare_county, split_counties

from revictimisation.convictions.association import estimate_association
from revictimisation.convictions.case_states import build_paths
from revictimisation.convictions.decision_time import estimate_decision_time
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.results import combine
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.court_truth import fingerprint_court
from revictimisation.simulate.truth import read_truth

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
PARTS = ROOT / "build" / "conviction_study"
KEPT = ROOT / "src" / "revictimisation" / "simulate" / "conviction_study"
SEED = 20261123
COUNTIES_A_BLOCK = 10
REPORT_AT_DAYS = (365, 1461)
LEVEL = 0.05
KEYS = ["measure", "subgroup", "level", "estimand", "time_days"]
NUMBERS = ["estimate", "se", "ci_low", "ci_high", "status", "n_events"]


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
    for place, data in enumerate(split_counties(large, COUNTIES_A_BLOCK)):
        paths = build_paths(data.case_steps, data.entries["data_end_day"])
        table = combine([estimate_association(data, paths)[0],
                         estimate_decision_time(data, paths)])  # fmt: skip
        kept = table[["analysis", "outcome", "estimator", *KEYS, *NUMBERS]]
        parts.append(kept.assign(county=block * COUNTIES_A_BLOCK + place))
    pd.concat(parts, ignore_index=True).to_parquet(target)
    return f"{target.stem}: {time.perf_counter() - begun:.0f} s"


def name_truth(name: str) -> pd.DataFrame:
    """The truth of a scenario as the estimates name it; a decision comes when it comes."""
    truth = read_truth(SCENARIOS[name])
    mine = truth[truth["estimand"].str.startswith("conviction_")].copy()
    mine["estimand"] = mine["estimand"].str.removeprefix("conviction_")
    mine["outcome"] = "convicted"
    measures = [one.name for one in SCENARIOS[name].measures]
    hazards = pd.DataFrame({"measure": measures, "subgroup": "", "level": "", "value": 0.0,
                            "estimand": "log_hazard_ratio", "time_days": pd.NA,
                            "outcome": "decided"})  # fmt: skip
    both = pd.concat([mine.astype({"time_days": object}), hazards], ignore_index=True)
    return both.astype({"time_days": "Int64"})


def summarise(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Bias, spread, mean error and coverage of each number, with their Monte Carlo errors."""
    told = rows[(rows["status"] == "ok") & (rows["analysis"] != "with_participation")]
    both = told.merge(truth, on=[*KEYS, "outcome"])
    both["is_in"] = (both["ci_low"] <= both["value"]) & (both["value"] <= both["ci_high"])
    both["subgroup"] = both["subgroup"].fillna("")
    found = both.groupby(["analysis", "outcome", *KEYS], dropna=False).agg(
        n=("estimate", "size"), truth=("value", "first"), mean=("estimate", "mean"),
        sd=("estimate", "std"), mean_se=("se", "mean"), coverage=("is_in", "mean"),
    )  # fmt: skip
    found["bias_in_sd"] = (found["mean"] - found["truth"]) / found["sd"]
    found["bias_in_sd_error"] = 1 / np.sqrt(found["n"])
    spread = np.sqrt(found["coverage"] * (1 - found["coverage"]) / found["n"])
    return found.assign(coverage_error=spread).reset_index()


def find_family_error(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """How often any measure that does nothing is said to do something, by analysis and day."""
    nothing = truth[(truth["value"] == 0) & (truth["estimand"] == "risk_difference")
                    & (truth["subgroup"] == "")]  # fmt: skip
    told = rows[(rows["status"] == "ok") & rows["analysis"].isin(["unadjusted", "main"])]
    both = told.merge(nothing, on=[*KEYS, "outcome"])
    tail = [2 * (1 - NormalDist().cdf(abs(z))) for z in both["estimate"] / both["se"]]
    keys = ["analysis", "time_days"]
    family = both.assign(p=tail).groupby([*keys, "county"])["p"].agg(["min", "size"]).reset_index()
    # the first step of Holm decides whether anything is called
    family["together"] = family["min"] * family["size"] < LEVEL
    family["each"] = family["min"] < LEVEL
    found = family.groupby(keys).agg(
        n=("county", "size"), n_measures=("size", "max"), together=("together", "mean"),
        each=("each", "mean"),
    )  # fmt: skip
    error = np.sqrt(LEVEL * (1 - LEVEL) / found["n"])
    return found.assign(error=error).reset_index()


def list_blocks(args: argparse.Namespace) -> Iterator[tuple[str, int, int, Path]]:
    """What is still to be done, scenario by scenario."""
    for name in args.scenario:
        people = args.people or SCENARIOS[name].default_people
        for block in range(-(-args.counties // COUNTIES_A_BLOCK)):
            target = PARTS / f"{name}_{people}_{block:03d}.parquet"
            if not target.exists():
                yield name, block, people, target


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, families, runs = [], [], []
    kinds = sorted({path.stem.rsplit("_", 1)[0] for path in PARTS.glob("*.parquet")})
    for kind in kinds:
        name, people = kind.rsplit("_", 1)
        rows = pd.concat(
            [pd.read_parquet(path) for path in sorted(PARTS.glob(f"{kind}_*.parquet"))]
        )
        truth = name_truth(name)
        same = {"scenario": name, "people": int(people)}
        tables.append(summarise(rows, truth).assign(**same))
        families.append(find_family_error(rows, truth).assign(**same))
        runs.append({**same, "n_counties": int(rows["county"].nunique()),
                     "fingerprint": fingerprint_court(SCENARIOS[name])})  # fmt: skip
    KEPT.mkdir(exist_ok=True)
    for name, parts in (("table", tables), ("family", families)):
        table = pd.concat(parts, ignore_index=True).round(6)
        table.to_csv(KEPT / f"{name}.csv", index=False, lineterminator="\n")
    facts = {
        "command": "python benchmarks/conviction_study.py",
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
    parser.add_argument(
        "--scenario", nargs="+", choices=list(SCENARIOS), default=["calibrated", "null"]
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summarise", action="store_true", help="only the summary")
    args = parser.parse_args()
    PARTS.mkdir(parents=True, exist_ok=True)
    if not args.summarise:
        blocks = list(list_blocks(args))
        with ProcessPoolExecutor(args.jobs) as pool:
            for told in pool.map(run_block, *zip(*blocks, strict=True)) if blocks else ():
                print(told, flush=True)
    keep_summary()


if __name__ == "__main__":
    main()
