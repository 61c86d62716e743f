"""Does question 4 find the truth, over many synthetic counties.

    python benchmarks/conviction_study.py [--counties 200] [--scenario calibrated null] [--jobs 2]
    python benchmarks/conviction_study.py --summarise

Each county goes from extract to the association of each measure with conviction by the project's
own stages. What a block of counties gave is kept under build/conviction_study, so that stopped work
goes on where it was; the summary, with Monte Carlo errors and provenance, is kept in
src/truth_studies/tables: `table.csv` a row per analysis, measure and number with bias, spread,
mean error and coverage; `family.csv` how often any measure of a county is said to go with
conviction in truth without doing so (intervals of the measures together, Holm at 5 %, and each for
itself). In `calibrated` the family is those measures whose true difference is 0.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd
from county_study import CountyStudy, describe_run, read_study, run_study
from court_truth import fingerprint_court

from revictimisation.analyses.convictions.association import estimate_association
from revictimisation.analyses.convictions.case_states import build_paths
from revictimisation.analyses.convictions.decision_time import estimate_decision_time
from revictimisation.core.results import combine
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth

COUNTIES = CountyStudy(
    "conviction_study", 20261123, "python benchmarks/conviction_study.py --counties 60"
)
LEVEL = 0.05
KEYS = ["measure", "subgroup", "level", "estimand", "time_days"]
NUMBERS = ["estimate", "se", "ci_low", "ci_high", "status", "n_events"]


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and estimate each."""
    parts = []
    for number, data in COUNTIES.make_counties(name, block, people, read_study()):
        paths = build_paths(data.case_steps, data.entries["data_end_day"])
        table = combine([estimate_association(data, paths)[0],
                         estimate_decision_time(data, paths)])  # fmt: skip
        kept = table[["analysis", "outcome", "estimator", *KEYS, *NUMBERS]]
        parts.append(kept.assign(county=number))
    return pd.concat(parts, ignore_index=True)


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


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, families, runs = [], [], []
    for name, people, rows in COUNTIES.read_rows():
        truth = name_truth(name)
        same = {"scenario": name, "people": people}
        tables.append(summarise(rows, truth).assign(**same))
        families.append(find_family_error(rows, truth).assign(**same))
        runs.append(describe_run(name, people, rows, fingerprint_court))
    COUNTIES.keep({"table": pd.concat(tables), "family": pd.concat(families)}, runs)


if __name__ == "__main__":
    run_study(COUNTIES, __doc__, ["calibrated", "null"], run_block, keep_summary)
