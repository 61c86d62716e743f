"""Compute the truth of the synthetic scenarios and keep it, with its provenance, in the package.

    python benchmarks/simulate_truth.py [--people 500000] [--counties 4] [--scenario calibrated]
    python benchmarks/simulate_truth.py --courts [--people 300000] [--scenario calibrated]
    python benchmarks/simulate_truth.py --joint [--people 3000] [--scenario calibrated]
    python benchmarks/simulate_truth.py --page

With --courts only the truth of question 4 (`court_truth`), with --joint that of two agencies'
starts (`joint_truth`). Else two parts.
The risks under the two strategies come from running the process itself under them
(`county_truth`). The log hazard ratio of a measure whose effect is not constant
has no built-in number for the whole population: there stands the limit of the study's own adjusted
model in a large county, the precision-weighted mean over a few counties of 100,000 index victims
that go the whole way from extract to model. Where a trait is hidden the limit is that of the model
which is told the trait, and what the study's model tends to without it is kept beside it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from county_figures import calibration_table, naive_table
from county_truth import compute_truth, fingerprint, list_built_in
from court_truth import compute_court_truth, fingerprint_court
from joint_truth import compute_joint_truth
from simulator_page import SHOWN, make_page

from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import Course, make_ids, run_course
from revictimisation.simulate.scenarios import Scenario
from revictimisation.simulate.truth import read_truth

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "src" / "revictimisation" / "simulate" / "truth_data"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
COUNTY_PEOPLE = 100_000
FIGURE_PEOPLE = 50_000
PAGE = ROOT / "docs" / "simulator.md"
SEED = 20261121
JOINT_REPLICATES = 200
LIMIT = "log_hazard_ratio_limit"
UNTOLD = "log_hazard_ratio_untold"  # of a model that cannot see the hidden trait
KEPT_SCENARIOS = [name for name, scenario in SCENARIOS.items() if not scenario.truth_of]


def prepare_county(course: Course) -> StudyData:
    """Take one synthetic county from extract to person-time by the project's own stages."""
    tables = make_tables(course)
    plan, dictionary = read_plan(STUDY.read_text(encoding="utf-8")), load_dictionary()
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            files.write_table(table, Path(folder), name, ("parquet",))
        extract = load_extract(connect(), Path(folder), dictionary, plan)
        data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    return data


def describe_trait(data: StudyData, course: Course) -> StudyData:
    """Add the hidden trait of each entry's victim to the covariates, as no real study could.

    Clusters are numbered in the order of the victims' pseudonyms.
    """
    victims = course.setting.victims
    order = np.argsort(make_ids("p", course.seed, victims["unit"].to_numpy()))
    cluster = data.entries["cluster_id"].to_numpy()
    mine = victims.iloc[order[cluster - cluster.min()]].reset_index(drop=True)
    told = data.covariates.assign(is_hidden=mine["is_hidden"].map({True: "yes", False: "no"}))
    if len(np.unique(cluster)) != len(victims) or (told["sex"] != mine["sex"]).any():
        raise RuntimeError("the cohort's victims are not the simulated ones: mend describe_trait")
    return replace(data, covariates=told)


def fit_study_model(data: StudyData, further: tuple[str, ...] = ()) -> pd.DataFrame:
    """Fit the study's adjusted time-varying Cox model; a row per measure, coef and robust se."""
    episodes, measures = data.first_episodes, data.plan.measure_names
    entry = episodes["entry_id"].to_numpy()
    terms = (*data.plan.adjust_for, *further)
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
    """Fit the model in one large county after the other: once told what is hidden, once not."""
    for county in range(n_counties):
        begun = time.perf_counter()
        course = run_course(scenario, COUNTY_PEOPLE, SEED + county)
        data = prepare_county(course)
        if scenario.hidden.share:
            yield fit_study_model(data).assign(estimand=UNTOLD)
            told = fit_study_model(describe_trait(data, course), ("is_hidden",))
        else:
            told = fit_study_model(data)
        yield told.assign(estimand=LIMIT)
        print(f"  county {county + 1}: {time.perf_counter() - begun:.0f} s", flush=True)


def find_limits(scenario: Scenario, n_counties: int) -> pd.DataFrame:
    """Find the large-county limits of the study's model: estimand, measure, value, mc_error."""
    fits = pd.concat(iterate_limits(scenario, n_counties))
    fits["weight"] = fits["se"] ** -2
    fits["weighted"] = fits["coef"] * fits["weight"]
    keys = ["estimand", "measure"]
    sums = fits.groupby(keys, sort=False, as_index=False)[["weight", "weighted"]].sum()
    value, mc_error = sums["weighted"] / sums["weight"], np.sqrt(1 / sums["weight"])
    return sums[keys].assign(value=value, mc_error=mc_error)


def add_limits(truth: pd.DataFrame, scenario: Scenario, limits: pd.DataFrame) -> pd.DataFrame:
    """Add the limits of all measures, and let them stand where no constant is built in."""
    keys = {"subgroup": "", "level": "", "time_days": np.nan}
    built_in = list_built_in(scenario)
    constant = set(built_in.loc[built_in["subgroup"] == "", "measure"])
    varying = limits[~limits["measure"].isin(constant) & (limits["estimand"] == LIMIT)]
    parts = [
        truth,
        varying.assign(estimand="log_hazard_ratio", **keys),
        limits.assign(**keys),
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
    naive = []
    for name in SHOWN:
        tables = make_tables(run_course(SCENARIOS[name], FIGURE_PEOPLE, SEED))
        naive.append(naive_table(tables).assign(scenario=name))
        if name == "calibrated":
            keep_table("figures", calibration_table(tables))
    keep_table("naive", pd.concat(naive))


def keep_table(name: str, table: pd.DataFrame) -> None:
    """Write a table beside the truth."""
    table.round(4).to_csv(KEPT / f"{name}.csv", index=False, lineterminator="\n")


def keep_courts(name: str, n_people: int) -> None:
    """Compute and keep the truth of question 4 of one scenario."""
    begun = time.perf_counter()
    scenario = SCENARIOS[name]
    keep(f"court_{name}", compute_court_truth(scenario, n_people, SEED), {
        "scenario": name,
        "fingerprint": fingerprint_court(scenario),
        "n_people": n_people,
        "seed": SEED,
        "command": "python benchmarks/simulate_truth.py --courts "
        f"--people {n_people} --scenario {name}",
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - begun),
        "versions": {one: version(one) for one in ("revictimisation", "numpy", "numba", "pandas")},
        "python": platform.python_version(),
    })  # fmt: skip


def keep_joint(name: str, n_people: int) -> None:
    """Compute and keep the truth of two agencies' starts in one scenario."""
    begun, scenario = time.perf_counter(), SCENARIOS[name]
    truth = compute_joint_truth(scenario, n_people, JOINT_REPLICATES, SEED)
    keep(f"joint_{name}", truth.drop(columns="n_missing"), {
        "scenario": name,
        "fingerprint": fingerprint(scenario),
        "n_people": n_people,
        "n_replicates": JOINT_REPLICATES,
        "n_missing": int(truth["n_missing"].max()),
        "seed": SEED,
        "command": f"python benchmarks/simulate_truth.py --joint --people {n_people} "
        f"--scenario {name}",
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - begun),
    })  # fmt: skip


def write_page() -> None:
    """Write docs/simulator.md from the parameters and what is kept."""
    facts = json.loads((KEPT / "calibrated.json").read_text(encoding="utf-8"))
    figures, naive = pd.read_csv(KEPT / "figures.csv"), pd.read_csv(KEPT / "naive.csv")
    truths = {name: read_truth(SCENARIOS[name]) for name in SHOWN}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(make_page(SCENARIOS, truths, figures, naive, facts), encoding="utf-8")


def main() -> None:
    """Compute and keep the truth of the scenarios named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--counties", type=int, default=4)
    parser.add_argument("--scenario", action="append", choices=KEPT_SCENARIOS)
    parser.add_argument("--courts", action="store_true", help="only the truth of question 4")
    parser.add_argument("--joint", action="store_true", help="only the truth of agencies' starts")
    parser.add_argument("--page", action="store_true", help="only figures and docs/simulator.md")
    args = parser.parse_args()
    if args.page:
        keep_figures()
        write_page()
        return
    if args.courts:
        for name in args.scenario or KEPT_SCENARIOS:
            keep_courts(name, args.people)
        return
    if args.joint:
        for name in args.scenario or KEPT_SCENARIOS:
            keep_joint(name, args.people)
        return
    for name in args.scenario or KEPT_SCENARIOS:
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
