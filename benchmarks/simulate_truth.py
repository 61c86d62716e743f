"""Compute the truth of the synthetic scenarios and keep it, with its provenance, in the package.

    python benchmarks/simulate_truth.py [--people 500000] [--counties 4] [--scenario calibrated]
    python benchmarks/simulate_truth.py --page

Two parts. The risks under the two strategies come from running the process itself under them
(`revictimisation.simulate.truth`). The log hazard ratio of a measure whose effect is not constant
has no built-in number for the whole population: there stands the limit of the study's own adjusted
model in a large county, the precision-weighted mean over a few counties of 100,000 index victims
that go the whole way from extract to model.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation import files
from revictimisation.cohort_data import StudyData
from revictimisation.dictionary import load_dictionary
from revictimisation.engine import connect
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.pipeline import prepare
from revictimisation.plan import read_plan
from revictimisation.simulate.calibration import calibration_table, naive_table
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import run_course
from revictimisation.simulate.page import make_page
from revictimisation.simulate.scenarios import Scenario
from revictimisation.simulate.truth import compute_truth, fingerprint, list_built_in, read_truth
from revictimisation.validation import load_extract

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "src" / "revictimisation" / "simulate" / "truth_data"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
COUNTY_PEOPLE = 100_000
FIGURE_PEOPLE = 50_000
PAGE = ROOT / "docs" / "simulator.md"
SEED = 20261121
LIMIT = "log_hazard_ratio_limit"


def prepare_county(scenario: Scenario, n_people: int, seed: int) -> StudyData:
    """Take one synthetic county from extract to person-time by the project's own stages."""
    tables = make_tables(run_course(scenario, n_people, seed))
    plan, dictionary = read_plan(STUDY.read_text(encoding="utf-8")), load_dictionary()
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            files.write_table(table, Path(folder), name, ("parquet",))
        extract = load_extract(connect(), Path(folder), dictionary, plan)
        data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    return data


def fit_study_model(data: StudyData) -> pd.DataFrame:
    """Fit the study's adjusted time-varying Cox model; a row per measure, coef and robust se."""
    episodes, measures = data.first_episodes, data.plan.measure_names
    entry = episodes["entry_id"].to_numpy()
    terms = data.plan.adjust_for
    design = build_design(data.covariates, terms, rows=entry, measures=episodes[list(measures)])
    fit = fit_cox(
        design,
        episodes["start_day"].to_numpy(),
        episodes["stop_day"].to_numpy(),
        episodes["is_event"].to_numpy().astype(bool),
        cluster=data.entries["cluster_id"].to_numpy()[entry],
    )
    at = [fit.names.index(name) for name in measures]
    return pd.DataFrame({"measure": measures, "coef": fit.coef[at], "se": fit.se_robust[at]})


def iterate_limits(scenario: Scenario, n_counties: int) -> Iterator[pd.DataFrame]:
    """Fit the study's model in one large county after the other."""
    for county in range(n_counties):
        begun = time.perf_counter()
        yield fit_study_model(prepare_county(scenario, COUNTY_PEOPLE, SEED + county))
        print(f"  county {county + 1}: {time.perf_counter() - begun:.0f} s", flush=True)


def find_limits(scenario: Scenario, n_counties: int) -> pd.DataFrame:
    """Find the large-county limit of the study's model: measure, value, mc_error."""
    fits = pd.concat(iterate_limits(scenario, n_counties))
    fits["weight"] = fits["se"] ** -2
    fits["weighted"] = fits["coef"] * fits["weight"]
    sums = fits.groupby("measure", sort=False)[["weight", "weighted"]].sum()
    return pd.DataFrame({
        "measure": sums.index, "value": (sums["weighted"] / sums["weight"]).to_numpy(),
        "mc_error": np.sqrt(1 / sums["weight"]).to_numpy(),
    })  # fmt: skip


def add_limits(truth: pd.DataFrame, scenario: Scenario, limits: pd.DataFrame) -> pd.DataFrame:
    """Add the limits of all measures, and let them stand where no constant is built in."""
    keys = {"subgroup": "", "level": "", "time_days": np.nan}
    built_in = list_built_in(scenario)
    constant = set(built_in.loc[built_in["subgroup"] == "", "measure"])
    varying = limits[~limits["measure"].isin(constant)]
    parts = [
        truth,
        varying.assign(estimand="log_hazard_ratio", **keys),
        limits.assign(estimand=LIMIT, **keys),
    ]
    filled = [part.astype({"time_days": float}) for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[truth.columns]


def keep(name: str, truth: pd.DataFrame, facts: dict[str, object]) -> None:
    """Write the truth of one scenario and where it came from."""
    order = ["estimand", "measure", "subgroup", "level", "time_days"]
    rows = truth.sort_values(order, ignore_index=True)
    rows["time_days"] = rows["time_days"].astype("Int64")
    rows = rows.round({"value": 6, "mc_error": 6})
    KEPT.mkdir(exist_ok=True)
    rows.to_csv(KEPT / f"{name}.csv", index=False, lineterminator="\n")
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    (KEPT / f"{name}.json").write_text(text, encoding="utf-8")


def describe_run(args: argparse.Namespace, name: str, seconds: float) -> dict[str, object]:
    """Say how the truth was made, so that it can be made again."""
    return {
        "scenario": name,
        "people_for_figures": FIGURE_PEOPLE,
        "fingerprint": fingerprint(SCENARIOS[name]),
        "n_people": args.people,
        "seed": SEED,
        "n_counties_for_limits": args.counties,
        "people_per_county": COUNTY_PEOPLE,
        "command": f"python benchmarks/simulate_truth.py --people {args.people} "
        f"--counties {args.counties} --scenario {name}",
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "seconds": round(seconds),
        "versions": {one: version(one) for one in ("revictimisation", "numpy", "numba", "pandas")},
        "python": platform.python_version(),
    }


def keep_figures() -> None:
    """Hold a large county against the published figures and keep what came out."""
    tables = make_tables(run_course(SCENARIOS["calibrated"], FIGURE_PEOPLE, SEED))
    for name, table in (
        ("figures", calibration_table(tables)),
        ("naive", naive_table(tables)),
    ):
        rounded = table.round(4)
        rounded.to_csv(KEPT / f"{name}.csv", index=False, lineterminator="\n")


def write_page() -> None:
    """Write docs/simulator.md from the parameters and what is kept."""
    facts = json.loads((KEPT / "calibrated.json").read_text(encoding="utf-8"))
    figures, naive = pd.read_csv(KEPT / "figures.csv"), pd.read_csv(KEPT / "naive.csv")
    scenario = SCENARIOS["calibrated"]
    page = make_page(scenario, read_truth(scenario), figures, naive, facts)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    """Compute and keep the truth of the scenarios named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--counties", type=int, default=4)
    parser.add_argument("--scenario", action="append", choices=["calibrated", "null"])
    parser.add_argument("--page", action="store_true", help="only figures and docs/simulator.md")
    args = parser.parse_args()
    if args.page:
        keep_figures()
        write_page()
        return
    for name in args.scenario or ["calibrated", "null"]:
        begun = time.perf_counter()
        print(name, flush=True)
        truth = compute_truth(SCENARIOS[name], args.people, SEED)
        limits = find_limits(SCENARIOS[name], args.counties) if args.counties else None
        if limits is not None:
            print(limits.round(4).to_string(index=False), flush=True)
            truth = add_limits(truth, SCENARIOS[name], limits)
        keep(name, truth, describe_run(args, name, time.perf_counter() - begun))


if __name__ == "__main__":
    main()
