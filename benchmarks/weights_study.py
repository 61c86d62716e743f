"""Which weights give the main answer: fitted, calibrated, and those of the overlap, held to truth.

    python benchmarks/weights_study.py [--counties 200] [--scenario calibrated ...] [--jobs 2]
    python benchmarks/weights_study.py --summarise

The six measures' risk differences in the counties of the truth study, by influence: clones with
the study's own weights (analysis `main`: calibrated where the fitted ones leave too much
imbalance), with fitted weights (`fitted_weights`), with calibrated ones (`calibrated_weights`) and
of the overlap (`overlap_population`, held to its own truth); beside them g-formula, doubly robust
(by the name of the weights in it) and the oracle. What a block of counties gave is kept under
build/weights_study, so that stopped work goes on where it was; each of `--jobs` processes takes the
next block. The summary, as of the truth study, is kept in src/truth_studies/tables.

The truth of the overlap is that of `county_truth` with each victim counted by e (1 - e), e from the
model of starts in the same county of 100,000 people (a victim's mean over the suspects).
"""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from county_study import (
    CountyStudy,
    describe_run,
    make_parser,
    read_study,
    run_blocks,
)
from county_truth import draw_start_days, find_first_days, list_pairs
from truth_oracle import estimate_oracle, fit_oracles
from truth_study import COLUMNS, drop_joint
from truth_summary import summarise

from revictimisation.analyses import target_trials
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids, list_modifiers
from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.results import make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_weights import (
    WeightedTrial,
    weigh_clones,
)
from revictimisation.estimators.target_trial.gates import withhold_failed, withhold_few
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import (
    DOUBLY_ROBUST,
    estimate_standardised_risks,
)
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import make_ids, run_course
from revictimisation.simulate.kernel import FORCE_NO_START, FORCE_START
from revictimisation.simulate.process import Force
from revictimisation.simulate.scenarios import Scenario
from revictimisation.simulate.truth import read_truth

# the counties of the truth study
COUNTIES = CountyStudy("weights_study", 20261122, "python benchmarks/weights_study.py")
PEOPLE, SEED = 100_000, 20261201
ESTIMAND, OVERLAP = "risk_difference", target_trials.OVERLAP


def plan_study() -> StudyPlan:
    """The county's six measures, by influence, without variants."""
    plan = read_study()
    choices = {"truncate_at": None, "overlap": False}
    return drop_joint(
        read_study(
            bootstrap=plan.bootstrap.model_copy(update={"replicates": 0}),
            weights=plan.weights.model_copy(update=choices),
        )
    )


def estimate_county(data: StudyData, oracle: Path) -> pd.DataFrame:
    """Every way's risk differences: a row per measure and day."""
    stop, cause = (data.entries[name].to_numpy() for name in ("stop_day", "cause"))
    days, choices = list(data.plan.report_at_days), data.plan.weights
    trials, _ = target_trials.estimate_target_trials(data, has_curves=False)
    parts = [trials[trials["analysis"].eq("main")]]
    for measure in data.plan.measure_names:
        trial = build_trial(data, measure, stop, cause)
        fitted = weigh_clones(
            trial,
            grace_law=choices.grace_law,
            is_small_sample=data.plan.inference.small_sample,
        )
        model = fit_outcome_model(trial, modifiers=list_modifiers(trial, data.plan))
        keys = {**target_trials.SAME, "measure": measure}
        beside = {
            target_trials.FITTED: fitted,
            target_trials.CALIBRATED: calibrate_weights(
                fitted, tolerance=choices.balance_tolerance, ridge=choices.balance_ridge
            ),
            OVERLAP: replace(fitted, population="overlap"),
        }
        for name, weighted in beside.items():
            rows, judged = target_trials.estimate_beside(data, weighted, days, keys, name)
            parts.append(rows)
            if name != OVERLAP:
                parts.append(
                    correct_g_formula(data, weighted, model, judged, {**keys, "analysis": name})
                )
    known = estimate_oracle(data, pickle.loads(oracle.read_bytes()))
    parts.append(known.reindex(columns=COLUMNS))
    rows = pd.concat(parts, ignore_index=True)
    is_asked = rows["outcome"].isna() | rows["outcome"].eq(data.plan.outcome.who)
    return rows.loc[is_asked & rows["estimand"].eq(ESTIMAND), COLUMNS]


def correct_g_formula(
    data: StudyData,
    weighted: WeightedTrial,
    model: OutcomeModel,
    judged: pd.DataFrame,
    keys: dict[str, str],
) -> pd.DataFrame:
    """The doubly robust estimator's rows with these weights, under the weights' own gates."""
    days, gates = list(data.plan.report_at_days), data.plan.gates
    table = estimate_standardised_risks(weighted, model, days)[DOUBLY_ROBUST]
    held = withhold_few(withhold_failed(table, judged, gates), gates).drop(columns="cause")
    named = held.assign(outcome=data.plan.outcome.who)
    return make_estimates(named, **{**keys, "estimator": DOUBLY_ROBUST})


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and estimate each."""
    parts = [
        estimate_county(county, name_kept(name, "oracle")).assign(county=number)
        for number, county in COUNTIES.make_counties(name, block, people, plan_study())
    ]
    return pd.concat(parts, ignore_index=True).astype({"time_days": "Int64"})


def name_kept(name: str, what: str) -> Path:
    """Where a scenario's oracle, or its truth of the overlap, is kept."""
    return COUNTIES.parts / f"{what}_{name}.pickle"


def find_overlap_truth(scenario: Scenario, plan: StudyPlan) -> pd.DataFrame:
    """The overlap's risk differences: measure, estimand, time_days, value, mc_error."""
    course = run_course(scenario, PEOPLE, SEED)
    with tempfile.TemporaryDirectory() as folder:
        for table_name, table in make_tables(course).items():
            files.write_table(table, Path(folder), table_name, ("parquet",))
        extract = load_extract(connect(), Path(folder), load_dictionary(), plan)
        data, _ = prepare(extract.tables, extract.absent, load_dictionary(), plan)
    setting, pairs = course.setting, list_pairs(course.setting)
    victims = np.argsort(make_ids("p", SEED, setting.victims["unit"].to_numpy()))
    stop, cause = (data.entries[name].to_numpy() for name in ("stop_day", "cause"))
    clusters = data.entries["cluster_id"].to_numpy()
    if len(np.unique(clusters)) != len(victims):
        raise RuntimeError("the cohort's victims are not the simulated ones")
    rows = []
    for place, measure in enumerate(scenario.measures):
        trial = build_trial(data, measure.name, stop, cause)
        fitted = weigh_clones(trial, grace_law=plan.weights.grace_law)
        overlap = fitted.find_overlap(np.arange(trial.n_entries))
        is_in = data.entries["entry_id"].isin(eligible_ids(data, measure.name)).to_numpy()
        at = victims[clusters[is_in] - clusters.min()]
        sums, counts = (np.bincount(at, one, len(victims)) for one in (overlap, None))
        weight = np.divide(sums, counts, out=np.zeros(len(victims)), where=counts > 0)
        grace = measure.grace_days
        starts = draw_start_days(setting, scenario, place, grace, SEED)
        first = [
            find_first_days(setting, scenario, pairs, Force(place, mode, grace, starts), SEED)[""]
            for mode in (FORCE_START, FORCE_NO_START)
        ]
        own = weight[pairs.victim] * (setting.given.running[:, place] == 0)[pairs.victim]
        for day in plan.report_at_days:
            gap = (first[0] <= day).astype(float) - (first[1] <= day)
            value = float(own @ gap / own.sum())
            error = float(np.sqrt((own**2) @ (gap - value) ** 2) / own.sum())
            rows.append((measure.name, ESTIMAND, day, value, error))
    names = ["measure", "estimand", "time_days", "value", "mc_error"]
    return pd.DataFrame(rows, columns=names).assign(subgroup="", level="")


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name, people, rows in COUNTIES.read_rows():
        truth = read_truth(SCENARIOS[name], with_error=True)
        of_overlap = pd.read_pickle(name_kept(name, "overlap"))
        is_overlap = rows["analysis"].eq(OVERLAP)
        for mine, known in ((rows[~is_overlap], truth), (rows[is_overlap], of_overlap)):
            tables.append(summarise(mine, known).assign(scenario=name))
        runs.append(describe_run(name, people, rows))
    table = pd.concat(tables)
    COUNTIES.keep({"table": table[["scenario", *table.columns.drop("scenario")]]}, runs)
    shown = ["estimator", "analysis", "measure", "time_days", "bias", "bias_in_errors",
             "empirical_error", "estimated_error", "coverage", "coverage_mc", "rmse",
             "share_released", "coverage_released"]  # fmt: skip
    print(table.sort_values(["scenario", "measure", "time_days"])[shown].round(4).to_string())


def main() -> None:
    """Run what is missing, then summarise."""
    args = make_parser(__doc__, ["calibrated"]).parse_args()
    COUNTIES.hold_commit()
    if not args.summarise:
        for name in args.scenario:
            if not name_kept(name, "oracle").exists():
                fit_oracles(SCENARIOS[name], plan_study(), name_kept(name, "oracle"))
            if not name_kept(name, "overlap").exists():
                found = find_overlap_truth(SCENARIOS[name], plan_study())
                found.to_pickle(name_kept(name, "overlap"))
        run_blocks(run_block, list(COUNTIES.list_blocks(args)), args.jobs)
    keep_summary()


if __name__ == "__main__":
    main()
