"""Exploration over many synthetic counties: how often does it cry wolf, how often does it find one.

    python benchmarks/exploration_study.py [--counties 200] [--scenario calibrated null] [--jobs 2]
    python benchmarks/exploration_study.py --people 15000 --counties 10 --scenario calibrated
    python benchmarks/exploration_study.py --summarise

In `null` no measure has an effect: whatever is found is not there. In `calibrated` the non-contact
order helps at a high risk level and does harm at a low one, and the contact person helps in honour
cases alone. Each county goes the whole way from extract to estimates by the project's own stages.
What a block of counties gave is kept under build/exploration_study, so that stopped work goes on
where it was; the summary, with Monte Carlo errors and provenance, is kept in
src/truth_studies/tables: table.csv, a row per scenario, people a county and measure.
"""

from __future__ import annotations

import pandas as pd
from county_study import CountyStudy, describe_run, read_study, run_study
from exploration_summary import summarise_exploration

from revictimisation.analyses.heterogeneity import explore_effects

COUNTIES = CountyStudy("exploration_study", 20261122, "python benchmarks/exploration_study.py")
COLUMNS = [
    "measure", "subgroup", "level", "outcome", "estimand", "estimate", "se", "ci_low", "ci_high",
    "n_people", "status", "reason",
]  # fmt: skip


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and explore each."""
    parts = []
    for number, county in COUNTIES.make_counties(name, block, people, read_study()):
        rows, _ = explore_effects(county)
        parts.append(rows[COLUMNS].assign(county=number))
    return pd.concat(parts, ignore_index=True)


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name, people, rows in COUNTIES.read_rows():
        rows["county"] = pd.factorize(rows["county"], sort=True)[0]
        found = summarise_exploration(rows).assign(scenario=name, people=people)
        first = ["scenario", "people"]
        tables.append(found[[*first, *found.columns.drop(first)]])
        runs.append(describe_run(name, people, rows))
    COUNTIES.keep({"table": pd.concat(tables, ignore_index=True)}, runs)


if __name__ == "__main__":
    run_study(COUNTIES, __doc__, ["calibrated", "null"], run_block, keep_summary)
