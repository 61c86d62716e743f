"""Starts near in time over many synthetic counties: why their answers are withheld.

    python benchmarks/joint_study.py [--counties 100] [--scenario calibrated] [--jobs 2]
    python benchmarks/joint_study.py --summarise

The risk differences of measures near in time by clone-censor-weight, held against the truth that
`simulate_truth.py --joint` keeps. What a block of counties gave is kept under build/joint_study, so
that stopped work goes on where it was; the summary, as of the truth study, is kept in
src/truth_studies/tables.
"""

from __future__ import annotations

import pandas as pd
from county_study import CountyStudy, describe_run, read_study, run_study
from truth_study import COLUMNS
from truth_summary import summarise

from revictimisation.analyses import target_trials
from revictimisation.plan import StudyPlan
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth

COUNTIES = CountyStudy("joint_study", 20261122, "python benchmarks/joint_study.py --counties 100")
ESTIMAND = "risk_difference"


def plan_study() -> StudyPlan:
    """The county's joint measures, by influence, without variants."""
    plan = read_study()
    choices = {"truncate_at": None, "calibration": "none", "overlap": False}
    return read_study(
        measures={name: one for name, one in plan.measures.items() if one.is_joint},
        bootstrap=plan.bootstrap.model_copy(update={"replicates": 0}),
        weights=plan.weights.model_copy(update=choices),
    )


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and estimate each."""
    plan = read_study()
    asked = [measure for measure, one in plan.measures.items() if one.is_joint]
    parts = []
    for number, county in COUNTIES.make_counties(name, block, people, plan_study()):
        rows, _ = target_trials.estimate_target_trials(county, asked, has_curves=False)
        is_asked = rows["estimand"].eq(ESTIMAND) & rows["outcome"].eq(plan.outcome.who)
        is_asked &= rows["analysis"].eq("main")
        parts.append(rows.loc[is_asked, COLUMNS].assign(county=number))
    return pd.concat(parts, ignore_index=True).astype({"time_days": "Int64"})


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name, people, rows in COUNTIES.read_rows():
        truth = read_truth(SCENARIOS[name], with_error=True)
        tables.append(summarise(rows, truth).assign(scenario=name))
        runs.append(describe_run(name, people, rows))
    table = pd.concat(tables)
    COUNTIES.keep({"table": table[["scenario", *table.columns.drop("scenario")]]}, runs)
    print(table.round(3).T.to_string())


if __name__ == "__main__":
    run_study(COUNTIES, __doc__, ["calibrated"], run_block, keep_summary)
