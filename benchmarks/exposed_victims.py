"""How often intervals hold the truth, by number of exposed victims: hazard ratios and risks.

    python benchmarks/exposed_victims.py [--hazards 1000] [--risks 300]

Small cohorts without any effect, so many of them exposed as `EXPOSED` says; who is exposed depends
on the covariates, and these on what comes.

**Hazards** (`HAZARDS`): 300 victims, new reports recur for 400 days at rates that differ between
people (gamma), exposed from day 0 or for a time. Errors: Lin and Wei's with normal quantiles (as
`inference.small_sample: false`), with Student's t, the CR2 and the jackknife (CR3, as `true`) with
Student's t, and the wild cluster bootstrap of the score (Kline & Santos 2012).

**Risks** (`RISKS`): 500 victims, a start within 30 days, the outcome's risk by day 365. Of fitted
weights, calibrated weights, the g-formula and the doubly robust estimator the interval as without
`inference.small_sample`, with Student's t instead, and as with it.

What counts is what would be told: cohorts with fewer than `LEAST_EVENTS` events on either side are
left out as the gate `events_per_arm` has it (`coverage_told`); beside it all that have an answer.
The gate `exposed_victims` is set where coverage holds from. Leaves
benchmarks/results/exposed_victims.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

from revictimisation.core.arrays import Floats
from revictimisation.estimators.cox_data import check_episodes, prepare_data
from revictimisation.estimators.cox_leverage import find_cluster_shares
from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import normal_quantile, t_quantile
from revictimisation.estimators.newton import maximise, maximise_others
from revictimisation.estimators.small_sample import correct_error
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_risks
from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import (
    ESTIMATORS,
    standardise_risks,
    tabulate_risks,
)
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial

RESULT = Path(__file__).parent / "results" / "exposed_victims.json"
LEAST_EVENTS, EXPOSED = 10, (5, 10, 15, 20, 30, 60, 100)
DAYS, DAY, GRACE, WILD = 400, 365, 30, 199
Held = dict[str, tuple[float, float, bool]]


@dataclass(frozen=True)
class Setting:
    """Victims; covariates; events a day; variance of rates between people; exposed for a time."""

    n_victims: int
    n_covariates: int
    rate: float
    frailty: float = 0.0
    is_changing: bool = False


HAZARDS = {
    "plain": Setting(300, 0, 0.0025, 0.5),
    "many_events": Setting(300, 0, 0.01, 0.5),
    "adjusted": Setting(300, 10, 0.01, 0.5, True),
    "adjusted_unlike": Setting(300, 20, 0.004, 1.0, True),
}
RISKS = {"few_covariates": Setting(500, 5, 0.0012), "many_covariates": Setting(500, 20, 0.0012)}


def draw_people(
    rng: np.random.Generator, setting: Setting, n_exposed: int
) -> tuple[Floats, Floats, Floats]:
    """Covariates, whether exposed, and each one's rate of events."""
    columns = (rng.random((setting.n_victims, setting.n_covariates)) < 0.4).astype(float)
    score = columns @ np.where(np.arange(setting.n_covariates) % 2 == 0, 0.6, -0.4)
    wish = score + rng.gumbel(size=setting.n_victims)
    exposed = np.zeros(setting.n_victims)
    exposed[np.argsort(-wish)[:n_exposed]] = 1
    rates = setting.rate * np.exp(0.5 * (score - score.mean()))
    if setting.frailty:
        rates *= rng.gamma(1 / setting.frailty, setting.frailty, setting.n_victims)
    return columns, exposed, rates


def make_episodes(
    rng: np.random.Generator, setting: Setting, exposed: Floats, rates: Floats
) -> np.ndarray:
    """Episodes of a cohort: victim, start, stop, whether it ends in a report, exposed."""
    n, rows = setting.n_victims, []
    begin = rng.integers(0, DAYS // 2, n) if setting.is_changing else np.zeros(n, int)
    end = begin + (rng.integers(DAYS // 6, DAYS, n) if setting.is_changing else DAYS)
    for victim, rate in enumerate(rates):
        days = np.unique(np.ceil(rng.uniform(0, DAYS, rng.poisson(rate * DAYS))).astype(int))
        own = [begin[victim], end[victim]] if exposed[victim] else []
        cuts = sorted({0, DAYS, *days, *(day for day in own if day < DAYS)})
        rows += [
            (victim, a, b, b in days, bool(own) and own[0] <= a < own[1]) for a, b in pairwise(cuts)
        ]
    return np.array(rows, dtype=np.int64)


def try_hazard(rng: np.random.Generator, setting: Setting, n_exposed: int) -> tuple[int, Held]:
    """Events on the rarer side; of each error whether it holds 0 (see `measure`)."""
    columns, exposed, rates = draw_people(rng, setting, n_exposed)
    victim, start, stop, is_event, is_exposed = make_episodes(rng, setting, exposed, rates).T
    n_events = int((is_event & is_exposed).sum())
    fewer = min(n_events, int(is_event.sum()) - n_events)
    design = design_from_array(
        np.column_stack([columns[victim], is_exposed]),
        [*(f"x{k}" for k in range(setting.n_covariates)), "exposed"],
    )
    at = setting.n_covariates
    data = prepare_data(
        design, check_episodes(len(victim), start, stop, is_event, None, None, victim)
    )
    search = maximise(data)
    if search.is_infinite[at] or search.is_aliased[at]:
        raise NotEstimableError("coefficient_infinite")
    influence, leverage = find_cluster_shares(data, search.state, search.covariance, at)
    jackknife, freedom = correct_error(influence, leverage)
    robust = float(np.sqrt((influence**2).sum()))
    halfway = float(np.sqrt((influence**2 / (1 - np.minimum(leverage, 0.9))).sum()))
    estimate, student = float(search.state.beta[at]), float(t_quantile(freedom))
    found = {
        "robust_normal": measure(estimate, robust, normal_quantile()),
        "robust_t": measure(estimate, robust, student),
        "cr2_t": measure(estimate, halfway, student),
        "jackknife_t": measure(estimate, jackknife, student),
    }
    is_fixed = np.arange(at + 1) == at
    held = maximise_others(data, np.zeros(at + 1), is_fixed)
    score, _ = find_cluster_shares(data, held, np.linalg.pinv(held.info), at)
    signs = rng.choice([-1.0, 1.0], (WILD, len(score)))
    p = float((np.abs(signs @ score) >= abs(score.sum())).mean())
    return fewer, found | {"wild_bootstrap": (estimate, np.nan, p > 0.05)}


def measure(estimate: float, se: float, quantile: float) -> tuple[float, float, bool]:
    """Estimate, half the interval's width, and whether it holds 0."""
    return estimate, quantile * se, abs(estimate) < quantile * se


def make_trial(
    rng: np.random.Generator, setting: Setting, n_exposed: int
) -> tuple[Trial, Floats, Floats]:
    """A trial, with its days and causes."""
    columns, exposed, rates = draw_people(rng, setting, n_exposed)
    outcome = np.ceil(rng.exponential(1 / rates))
    leaves = np.ceil(rng.exponential(1 / 0.00015, setting.n_victims))
    stop = np.minimum(np.minimum(outcome, leaves), DAYS)
    cause = np.where(stop == outcome, 1, np.where(stop == leaves, 2, 0))
    start = rng.integers(0, GRACE + 1, setting.n_victims)
    start = np.where((exposed > 0) & (start < stop), start, np.nan)
    design = design_from_array(columns, [f"x{k}" for k in range(setting.n_covariates)])
    return prepare_trial(stop, cause, start, design, grace_days=GRACE), stop, cause


def try_risk(rng: np.random.Generator, setting: Setting, n_exposed: int) -> tuple[int, Held]:
    """Events by the day on the rarer side; of each way whether it holds 0."""
    trial, stop, cause = make_trial(rng, setting, n_exposed)
    happened = (cause == 1) & (stop <= DAY)
    fewer = min(int((happened & side).sum()) for side in (trial.is_started, ~trial.is_started))
    fitted, found = weigh_clones(trial, grace_law="natural_law"), {}
    ways = {"weights": fitted, "calibrated": calibrate_weights(fitted, tolerance=0.05, ridge=0.01)}
    standardised = standardise_risks(fitted, fit_outcome_model(trial), [DAY], is_widened=True)
    for name, weighted in ways.items():
        if weighted.is_converged:
            found |= _try_way(name, fitted, estimate_risks(weighted, [DAY]),
                              estimate_risks(_allow(weighted), [DAY]))  # fmt: skip
    plain, allowed = (tabulate_risks(one, standardised, [DAY]) for one in (fitted, _allow(fitted)))
    for name in ESTIMATORS:
        found |= _try_way(name, fitted, plain[name], allowed[name])
    return fewer, found


def _allow(weighted: WeightedTrial) -> WeightedTrial:
    return replace(weighted, is_small_sample=True)


def _try_way(name: str, fitted: WeightedTrial, plain: pd.DataFrame, allowed: pd.DataFrame) -> Held:
    rows = [table[table["cause"].eq(1) & table["estimand"].eq("risk_difference")].iloc[0]
            for table in (plain, allowed)]  # fmt: skip
    weights = fitted.weights_on()[:, 0]
    freedom = max(weights.sum() ** 2 / (weights**2).sum() - 1, 1.0)
    before = rows[0]
    held = {
        f"{name}: normal": measure(before["estimate"], before["se"], normal_quantile()),
        f"{name}: t": measure(before["estimate"], rows[1]["se"], float(t_quantile(freedom))),
    }
    low, high = rows[1][["ci_low", "ci_high"]].astype(float)
    joined = (float(rows[1]["estimate"]), (high - low) / 2, bool(low < 0 < high))
    return held | {f"{name}: both limits": joined}


def count_held(draws: list[tuple[int, Held]]) -> Iterator[dict[str, float | int | str | None]]:
    """A row per way: draws with an answer, coverage and its Monte Carlo error, of all and of told.

    `half_width`: the median; `empirical_error`: the estimates' standard deviation, of those told.
    """
    for way in dict.fromkeys(name for _, held in draws for name in held):
        mine = [(fewer, *held[way]) for fewer, held in draws if way in held]
        told = [one for one in mine if one[0] >= LEAST_EVENTS]
        row: dict[str, float | int | str | None] = {"way": way}
        for name, part in (("all", mine), ("told", told)):
            share = float(np.mean([one[3] for one in part])) if part else None
            error = None if share is None else float(np.sqrt(share * (1 - share) / len(part)))
            row |= {f"n_{name}": len(part), f"coverage_{name}": _round(share),
                    f"error_{name}": _round(error)}  # fmt: skip
        half = [one[2] for one in told if np.isfinite(one[2])]
        yield row | {
            "half_width": _round(float(np.median(half))) if half else None,
            "empirical_error": _round(float(np.std([one[1] for one in told]))) if told else None,
        }


def _round(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def main() -> None:
    """Try each setting and number of exposed victims, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hazards", type=int, default=1000)
    parser.add_argument("--risks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261201)
    args = parser.parse_args()
    commit, table = name_clean_commit(), []
    for settings, attempt, n_cohorts in (
        (HAZARDS, try_hazard, args.hazards), (RISKS, try_risk, args.risks),
    ):  # fmt: skip
        for (name, setting), n_exposed in ((s, n) for s in settings.items() for n in EXPOSED):
            rng, draws = np.random.default_rng([args.seed, n_exposed]), []
            for _ in range(n_cohorts):
                try:
                    draws.append(attempt(rng, setting, n_exposed))
                except NotEstimableError:
                    continue
            rows = [{"setting": name, "n_exposed": n_exposed, **row} for row in count_held(draws)]
            print(pd.DataFrame(rows).to_string(header=not table, index=False), flush=True)
            table += rows
    command = f"python benchmarks/exposed_victims.py --hazards {args.hazards} --risks {args.risks}"
    keep_result(RESULT, {"command": command, "seed": args.seed, "table": table}, commit)


if __name__ == "__main__":
    main()
