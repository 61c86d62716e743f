"""Are effects that are carried over, and risks that are recalibrated, the true ones: made pairs.

    python benchmarks/transport_study.py --pairs 300 --jobs 2

Pairs of cohorts of known truth, a reference and a new one, from a small process (`draw_people`):
people of other risk levels, ages and histories in the new one, the same hazards given these; the
measure halves the hazard at high risk, leaves it at middle, raises it at low. Its truth in the new
cohort follows in closed form (`find_truth`). Both are put through the package's own analyses and
`compare`'s functions. In a third of the pairs each (`alike`, `riskier`, `other_effect`) the new one
is of the same hazards, of 1.6 times the hazards, and of another effect. Told, with Monte Carlo
errors: how often the interval of the transported effect holds the truth (and the reference's own,
which is not of these people, does not), and which lights are given. Apart from the pairs, as it
costs next to nothing and needs thousands: how often the intervals of recalibrated risks hold the
truth (of a reference model that is known, at the deciles of what it predicts; the nine hang
together, so that a cohort counts little more than once). Kept in `results/transport_study.json`.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.analyses.baseline_risk import estimate_baseline_risk
from revictimisation.analyses.effects import estimate_incidence
from revictimisation.analyses.running import withhold_without_error
from revictimisation.analyses.target_trials import estimate_target_trials
from revictimisation.cohort.people import keep_people
from revictimisation.cohort.study_data import StudyData
from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.risk_fit import compare_risk_model
from revictimisation.comparison.rows import CANNOT_TELL, FITS, combine_rows, give_lights
from revictimisation.comparison.transport import compare_transport
from revictimisation.core.results import combine
from revictimisation.estimators.calibration import hold_against, recalibrate
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.plan import read_plan

KEPT = Path(__file__).resolve().parent / "results" / "transport_study.json"
PARTS = ROOT / "build" / "transport_study"
DAY, GRACE = 365, 10
PLAN = read_plan(
    "name: pair\nmeasures: {help: {codes: [help], grace_days: 10}}\nhorizon_days: 900\n"
    "report_at_days: [365]\nadjust_for: [risk_level, sex, n_earlier_reports]\n"
    "subgroups: [sex, risk_level]\nbootstrap: {replicates: 0}\nexploration: {is_on: false}\n"
    "for_whom: {combined: {}}\n"
)
LEVELS = ("high", "low", "medium")
# of reference and new: shares of the levels, of men, and the mean of earlier reports
MIX = {"reference": ((0.25, 0.40, 0.35), 0.15, 0.8), "new": ((0.45, 0.20, 0.35), 0.30, 1.4)}
HAZARD = {"high": 2.2, "medium": 1.0, "low": 0.5}  # per 1,000 days, women without earlier reports
EFFECT = {"high": 0.5, "medium": 1.0, "low": 1.3}
CHANCE = {"high": 0.50, "medium": 0.35, "low": 0.25}
LEAVING = 0.0003
SCENARIOS = {"alike": (1.0, 1.0), "riskier": (1.6, 1.0), "other_effect": (1.0, 2.5)}
AT = np.arange(0.1, 0.95, 0.1)
N_RECALIBRATED = 3000


def draw_covariates(rng: np.random.Generator, n_people: int, cohort: str) -> pd.DataFrame:
    """A row per person: risk_level, sex, n_earlier_reports."""
    shares, men, earlier = MIX[cohort]
    return pd.DataFrame({
        "risk_level": rng.choice(LEVELS, n_people, p=shares),
        "sex": np.where(rng.random(n_people) < men, "male", "female"),
        "n_earlier_reports": np.minimum(rng.poisson(earlier, n_people), 5),
    })  # fmt: skip


def find_hazards(people: pd.DataFrame, times: float, effect: float) -> tuple[Any, Any]:
    """Each one's hazard a day, and by what the measure multiplies it."""
    base = people["risk_level"].map(HAZARD).to_numpy(float) / 1000
    base = base * np.where(people["sex"].eq("male"), 0.8, 1.0)
    base = base * 1.15 ** people["n_earlier_reports"].to_numpy(float)
    return times * base, effect * people["risk_level"].map(EFFECT).to_numpy(float)


def draw_people(
    rng: np.random.Generator, n_people: int, cohort: str, times: float = 1.0, effect: float = 1.0
) -> StudyData:
    """A cohort as the analyses are given it; one victim in five enters twice."""
    people = draw_covariates(rng, n_people, cohort)
    hazard, ratio = find_hazards(people, times, effect)
    chance = people["risk_level"].map(CHANCE).to_numpy(float)
    start = np.where(rng.random(n_people) < chance, rng.integers(0, GRACE + 1, n_people), np.inf)
    # used up before the start at the one hazard, after it at the other
    amount = rng.exponential(size=n_people)
    before = hazard * np.where(np.isinf(start), 1e9, start)
    after = np.where(np.isinf(start), 0.0, start) + (amount - before) / (hazard * ratio)
    event = np.ceil(np.where(amount <= before, amount / hazard, after))
    leaves = np.ceil(rng.exponential(1 / LEAVING, n_people))
    end = rng.integers(250, 901, n_people)
    stop = np.minimum(np.minimum(event, leaves), end).astype(np.int64)
    cause = np.where(event <= stop, 1, np.where(leaves <= stop, 2, 0))
    entries = pd.DataFrame({
        "entry_id": range(n_people), "cluster_id": np.arange(n_people) * 5 // 6,
        "stop_day": stop, "end_day": stop, "data_end_day": end, "cause": cause, "end_cause": 0,
        "own_day": np.nan, "other_day": np.nan, "control_day": np.nan, "outsider_day": np.nan,
        "index_on": pd.Timestamp("2012-01-01"),
    })  # fmt: skip
    starts = pd.DataFrame({
        "entry_id": range(n_people), "measure": "help",
        "first_start_day": np.where(start < stop, start, np.nan), "is_running_before": False,
    })  # fmt: skip
    nothing = pd.DataFrame({"entry_id": [], "day": [], "risk_level": []})
    spells = pd.DataFrame({"entry_id": [], "measure": [], "start_day": [], "stop_day": []})
    return StudyData(PLAN, entries, people, starts, spells, *[nothing] * 4)


def find_truth(n_people: int = 400_000) -> dict[str, float]:
    """The risk difference of the reference's process, in either cohort's people."""
    return {cohort: _find_difference(cohort, n_people) for cohort in MIX}


def _find_difference(cohort: str, n_people: int) -> float:
    people = draw_covariates(np.random.default_rng(1), n_people, cohort)
    hazard, ratio = find_hazards(people, 1.0, 1.0)
    never = _reach(hazard, DAY)
    starts = [
        _reach(hazard, s) + np.exp(-(hazard + LEAVING) * s) * _reach(hazard * ratio, DAY - s)
        for s in range(GRACE + 1)
    ]
    return float((np.mean(starts, axis=0) - never).mean())


def _reach(hazard: Any, days: int) -> Any:
    """The chance of the outcome within so many days, leaving competing."""
    whole = hazard + LEAVING
    return hazard / whole * (1 - np.exp(-whole * days))


def make_cohort(data: StudyData, name: str) -> Cohort:
    """What a run leaves of the analyses that are compared here."""
    trials = estimate_target_trials(data, has_curves=False)
    parts = [estimate_incidence(data), estimate_baseline_risk(data), trials.estimates]
    estimates = withhold_without_error(combine(parts))
    people = keep_people(data, trials.scores)
    return Cohort(name, PLAN, estimates, pd.DataFrame(), trials.diagnostics, True, people=people)


def try_pair(n_people: int, seed: int) -> pd.DataFrame:
    """A pair: rows of what was compared, with the number of the pair and its scenario."""
    rng = np.random.default_rng([20261130, seed])
    scenario = [*SCENARIOS][seed % len(SCENARIOS)]
    times, effect = SCENARIOS[scenario]
    reference = make_cohort(draw_people(rng, n_people, "reference"), "A")
    new = make_cohort(draw_people(rng, n_people, "new", times, effect), "B")
    limits = PLAN.comparison
    parts = [compare_risk_model(reference, new, limits), compare_transport(reference, new, limits)]
    rows = give_lights(combine_rows(parts), limits.familywise_error)
    return rows.assign(pair=seed, scenario=scenario)


def try_recalibration(n_cohorts: int) -> dict[str, float]:
    """How often the intervals of recalibrated risks hold the truth."""
    rng = np.random.default_rng([20261130, n_cohorts])
    return _share(pd.Series([_recalibrate(rng) for _ in range(n_cohorts)]))


def _recalibrate(rng: np.random.Generator) -> float:
    """Share of the deciles of a known model's risk at which the recalibrated interval is right.

    The new people's log odds are 0.3 + 0.75 times the model's; a fifth are censored before the day.
    """
    n_people = 800
    line = rng.normal(-0.7, 1.0, n_people)
    happens = rng.random(n_people) < _expit(0.3 + 0.75 * line)
    leaves = ~happens & (rng.random(n_people) < 0.1)
    stop = np.where(happens | leaves, rng.integers(1, DAY + 1, n_people), 2 * DAY)
    end = rng.integers(1, 5 * DAY, n_people)
    cause = np.where(end < stop, 0, np.where(happens, 1, np.where(leaves, 2, 0)))
    people = hold_against(_expit(line), np.minimum(end, stop), cause, DAY)
    limits = recalibrate(people, has_slope=True).apply(AT).interval("logit")
    truth = _expit(0.3 + 0.75 * np.log(AT / (1 - AT)))
    return float(((limits.low < truth) & (truth < limits.high)).mean())


def _expit(line: Any) -> Any:
    return 1 / (1 + np.exp(-line))


def sum_up(rows: pd.DataFrame, truth: dict[str, float]) -> dict[str, Any]:
    """What is kept: coverage, errors in their own size, and lights by scenario.

    What is carried over is of the reference's hazards, whatever those of the new people are.
    """
    found: dict[str, Any] = {"n_pairs": int(rows["pair"].nunique()), "truth": truth}
    for check in ("carried_effect", "carried_by_regression"):
        mine = rows[rows["check"].eq(check) & rows["status"].eq("ok")]
        is_held = mine["ci_low"].lt(truth["new"]) & mine["ci_high"].gt(truth["new"])
        se = (mine["ci_high"] - mine["ci_low"]) / (2 * normal_quantile())
        away = mine["difference"] - truth["new"]
        found[check] = {
            "covered": _share(is_held), "mean": float(mine["difference"].mean()),
            "bias_in_errors": float((away / se).mean()),
            "error_over_spread": float(se.mean() / away.std()),
            "mean_in_reference": float(mine["value_reference"].mean()),
        }  # fmt: skip
    judged = rows[rows["light"].notna() & rows["light"].ne("")]
    lights: dict[str, Any] = {}
    for scenario, some in judged.groupby("scenario", sort=False):
        n_pairs = some["pair"].nunique()
        counts = some.groupby(["check", "light"]).size() / n_pairs
        is_alarm = ~some["light"].isin([FITS, CANNOT_TELL])
        lights[str(scenario)] = {
            "n_pairs": n_pairs,
            "any_light": float(is_alarm.groupby(some["pair"]).any().mean()),
            "by_check": {f"{check}: {light}": round(float(share), 4)
                         for (check, light), share in counts.items()},
        }  # fmt: skip
    return {**found, "lights": lights}


def _share(values: pd.Series) -> dict[str, float]:
    return {"share": float(values.mean()), "n": len(values),
            "error": float(values.std() / np.sqrt(max(len(values), 1)))}  # fmt: skip


def try_all(n_pairs: int, n_people: int, jobs: int) -> pd.DataFrame:
    """Try the pairs that are not there yet, and read all; each is kept as soon as it is done."""
    PARTS.mkdir(parents=True, exist_ok=True)
    targets = {seed: PARTS / f"{n_people}_{seed:04d}.parquet" for seed in range(n_pairs)}
    due = [seed for seed, target in targets.items() if not target.exists()]
    with ProcessPoolExecutor(jobs) as pool:
        for seed, rows in zip(due, pool.map(partial(try_pair, n_people), due), strict=True):
            rows.to_parquet(targets[seed])
    return pd.concat([pd.read_parquet(target) for target in targets.values()], ignore_index=True)


def main() -> None:
    """Try the pairs and keep what they gave."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try-out", action="store_true", help="print and keep nothing")
    args = parser.parse_args()
    commit = "" if args.try_out else name_clean_commit()
    truth = find_truth()
    rows = try_all(args.pairs, args.people, args.jobs)
    found = sum_up(rows, truth)
    found |= {"recalibrated": {"covered": try_recalibration(N_RECALIBRATED)}}
    found |= {"people": args.people, "command": f"python benchmarks/transport_study.py --pairs "
              f"{args.pairs} --people {args.people}"}  # fmt: skip
    if args.try_out:
        print(json.dumps(found, indent=2))
    else:
        keep_result(KEPT, found, commit)


if __name__ == "__main__":
    main()
