"""Does the correction for linkage error bring the differences back to what whole linkage gives?

    python benchmarks/linkage_error.py [--people 3000] [--seeds 24] [--missing 0.15]

Dirty counties in which a large share of clients lack a valid number, joined by number alone, so
that the share of missed links is known from the truth of the links. Each of the social services'
differences is estimated with all true links, with the links missed, and corrected. Told: how far
the second and the third are from the first, on average over counties with the Monte Carlo error.
Leaves benchmarks/results/linkage_error.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

from revictimisation import __version__
from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.sensitivity import linkage_error
from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.results import make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import run_course
from revictimisation.simulate.dirty import soil_county
from revictimisation.simulate.faults import DIRTY_RATES

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
TRUTH = ROOT / "src" / "revictimisation" / "simulate" / "truth_data" / "calibrated.csv"
RESULTS = ROOT / "benchmarks" / "results" / "linkage_error.json"
MEASURES = ("support_talks", "contact_person", "sheltered_housing")
DAY, FIRST_SEED = 365, 101
CLEANING = ("lower_case_codes", "drop_exact_duplicates", "empty_ends_after_today",
            "drop_end_before_start", "drop_unknown_people", "merge_reports_registered_twice",
            "close_open_ends", "merge_overlapping_spells")  # fmt: skip
TABLES = ("persons", "reports", "police_measures", "social_interventions", "risk_assessments")
Tables = dict[str, pd.DataFrame]


def read_study(missed: float) -> StudyPlan:
    """The county's study with cleaning, its covariates, and the share of links missed."""
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    linkage = plan.linkage.model_copy(update={"missed_link_rate": missed, "false_link_rate": 0.0})
    measures = {name: one for name, one in plan.measures.items() if not one.is_joint}
    return plan.model_copy(
        update={"linkage": linkage, "cleaning": CLEANING, "measures": measures,
                "report_at_days": (DAY,)}
    )  # fmt: skip


def make_county(people: int, seed: int, missing: float) -> tuple[Tables, pd.DataFrame]:
    """A dirty county's tables, joined by number alone, and the truth of its links."""
    course = run_course(SCENARIOS["dirty"], people, seed)
    rates = replace(DIRTY_RATES, missing_number=missing)
    made = soil_county(course, make_tables(course), rates)
    links = made.pop("truth_links")
    return {name: made[name] for name in TABLES}, links


def join_truly(tables: Tables, links: pd.DataFrame) -> Tables:
    """The tables with every true link made."""
    shared = links[links["link"].eq("shared")]
    names = shared.set_index("social_id")["person_id"]
    social, assessed = tables["social_interventions"], tables["risk_assessments"]
    persons = tables["persons"]
    return {
        **tables,
        "persons": persons[~persons["person_id"].isin(names.index)],
        "social_interventions": social.assign(person_id=social["person_id"].replace(names)),
        "risk_assessments": assessed.assign(victim_id=assessed["victim_id"].replace(names)),
    }


def prepare_tables(tables: Tables, plan: StudyPlan) -> StudyData:
    """From tables to person-time by the project's own stages, cleaned."""
    dictionary = load_dictionary()
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            files.write_table(table, Path(folder), name, ("csv",))
        extract = load_extract(connect(), Path(folder), dictionary, plan)
        extract.raise_for_errors()
        return prepare(extract.tables, extract.absent, dictionary, plan)[0]


def measure(people: int, seed: int, missing: float) -> list[dict[str, float | str]]:
    """One county: each measure's difference with all links, with links missed, and corrected."""
    tables, links = make_county(people, seed, missing)
    kinds = links["link"].value_counts()
    missed = float(kinds["shared"] / (kinds["shared"] + kinds["number"]))
    plan = read_study(missed)
    whole, lost = prepare(join_truly(tables, links), plan), prepare(tables, plan)
    rows = []
    for name in MEASURES:
        full, _ = linkage_error._difference(whole, name, [DAY])
        found, error = linkage_error._difference(lost, name, [DAY])
        main = make_estimates([{
            "question": "q2", "measure": name, "outcome": plan.outcome.who,
            "estimator": linkage_error.TRIAL, "estimand": linkage_error.DIFFERENCE,
            "time_days": DAY, "estimate": found[0], "se": error[0], "ci_low": -1.0, "ci_high": 1.0,
        }])  # fmt: skip
        mended = linkage_error.estimate_linkage_error(lost, Found(main, no_checks())).iloc[0]
        rows.append({"seed": seed, "measure": name, "missed": missed, "whole": full[0],
                     "lost": found[0], "corrected": mended["estimate"], "se": error[0],
                     "corrected_se": mended["se"]})  # fmt: skip
    return rows


def sum_up(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """How far from whole linkage, in percentage points: mean over counties and its error."""
    known = pd.read_csv(TRUTH).query("estimand == 'risk_difference' and subgroup.isna()")
    truth = known[known["time_days"].eq(DAY)].set_index("measure")["value"]
    told = {}
    for name, mine in [*rows.groupby("measure"), ("all", rows)]:
        mine = mine.assign(true=mine["measure"].map(truth))
        out = {}
        for kind in ("lost", "corrected"):
            gap = 100 * (mine[kind] - mine["whole"])
            out[f"{kind}_bias"] = gap.mean()
            out[f"{kind}_bias_error"] = gap.std(ddof=1) / np.sqrt(len(gap))
            out[f"{kind}_from_truth"] = 100 * (mine[kind] - mine["true"]).mean()
        out["whole_from_truth"] = 100 * (mine["whole"] - mine["true"]).mean()
        out["truth"] = 100 * mine["true"].mean()
        told[str(name)] = {key: round(float(value), 3) for key, value in out.items()}
    return told


def main() -> None:
    """Measure over counties and write what was found."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--people", type=int, default=3000)
    ask.add_argument("--seeds", type=int, default=24)
    ask.add_argument("--missing", type=float, default=0.15)
    ask.add_argument("--out", type=Path, default=RESULTS)
    given = ask.parse_args()
    commit = name_clean_commit()
    began, rows = time.process_time(), []
    for seed in range(FIRST_SEED, FIRST_SEED + given.seeds):
        rows += measure(given.people, seed, given.missing)
        print(json.dumps(rows[-len(MEASURES) :]), flush=True)
    whole = {
        "command": "python benchmarks/linkage_error.py", "version": __version__,
        "python": platform.python_version(), "cores": os.cpu_count(),
        "people": given.people, "first_seed": FIRST_SEED, "n_seeds": given.seeds,
        "missing_number": given.missing, "day": DAY, "unit": "percentage points",
        "cpu_seconds": round(time.process_time() - began), "found": sum_up(pd.DataFrame(rows)),
    }  # fmt: skip
    print(json.dumps(whole, indent=2))
    keep_result(given.out, whole, commit)


if __name__ == "__main__":
    main()
