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

import pandas as pd
from county_study import CountyStudy, describe_run, read_study, run_study
from subgroup_summary import summarise_family, summarise_levels

from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth
from revictimisation.subgroup_effects import estimate_subgroup_effects

COUNTIES = CountyStudy("subgroup_study", 20261124, "python benchmarks/subgroup_study.py --counties 60")
COLUMNS = [
    "analysis", "measure", "subgroup", "level", "estimator", "estimand", "time_days", "estimate",
    "se", "ci_low", "ci_high", "status",
]  # fmt: skip
ESTIMANDS = ("risk_difference", "log_hazard_ratio", "p_value", "p_value_holm")


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and estimate each."""
    parts = []
    for number, county in COUNTIES.make_counties(name, block, people, read_study()):
        rows, _ = estimate_subgroup_effects(county)
        parts.append(rows.loc[rows["estimand"].isin(ESTIMANDS), COLUMNS].assign(county=number))
    return pd.concat(parts, ignore_index=True)


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    levels, family, runs = [], [], []
    for name, people, rows in COUNTIES.read_rows():
        truth = read_truth(SCENARIOS[name], with_error=True)
        same = {"scenario": name}
        levels.append(summarise_levels(rows, truth).assign(**same))
        family.append(summarise_family(rows).assign(**same))
        runs.append(describe_run(name, people, rows))
    tables = {"levels": pd.concat(levels), "family": pd.concat(family)}
    for kept, table in tables.items():
        tables[kept] = table[["scenario", *table.columns.drop("scenario")]]
    COUNTIES.keep(tables, runs)


if __name__ == "__main__":
    run_study(COUNTIES, __doc__, ["calibrated", "null"], run_block, keep_summary)
