"""Counties that send no rows against their rows joined: the Cox model, and what pooling costs.

    python benchmarks/pooling_study.py [--people 8000] [--counties 21] [--rounds 4]

One simulated county is cut into counties of unequal size (the smallest a quarter of the largest).
Each tells the moments of its Cox model (`analyses/hazard_moments`), exact and as `share` rounds
them, at its own estimate and then where `pool` asks. Held against the model of the joined rows with
a stratum and coefficients of its own for each county (what is pooled), and against the plainer one
with one set of coefficients for all counties: what not sending those costs. By measure and round:
distances in standard errors of the joined model. Kept in results.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
from county_study import read_study
from keeping import ROOT, keep_result, name_clean_commit
from truth_counties import prepare_county, split_counties

from revictimisation.analyses.hazard_moments import tabulate_moments
from revictimisation.cohort.study_data import StudyData
from revictimisation.disclosure.hazard_ratios import disclose_hazard_ratios, read_moments
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.cox_moments import Moments, PooledCox, pool_moments
from revictimisation.estimators.design import build_design
from revictimisation.estimators.random_effects import pool_estimates
from revictimisation.simulate.county import SCENARIOS

SEED, SMALLEST = 1, 0.25
# A small county can adjust for these by itself.
ADJUST_FOR = ("sex", "age_group", "is_honour", "risk_level", "n_earlier_reports")
LEAST_EVENTS = 5  # in force, and not: what disclosure control asks of a measure that is told


def fit_joined(counties: list[StudyData], *, has_own: bool) -> CoxFit:
    """The rows of all counties, a stratum each; `has_own`: coefficients of their own as well."""
    plan = counties[0].plan
    frames, episodes, n_before, victims = [], [], 0, 0
    for number, data in enumerate(counties):
        frame = data.covariates[list(plan.adjust_for)].copy()
        for name in frame.select_dtypes(exclude="number"):
            frame[name] = frame[name].astype(str)
        frames.append(frame.assign(county=number))
        mine = data.first_episodes
        entry = mine["entry_id"].to_numpy()
        victim = data.entries["cluster_id"].to_numpy()[entry] + victims
        episodes.append(mine.assign(row=entry + n_before, county=number, victim=victim))
        n_before, victims = n_before + len(frame), victims + data.entries["cluster_id"].max() + 1
    people = pd.concat(frames, ignore_index=True)
    rows = pd.concat(episodes, ignore_index=True)
    terms = list(plan.adjust_for)
    if has_own:
        people, terms = _part(people, terms, len(counties))
    design = build_design(people, terms, rows["row"], measures=rows[list(plan.measure_names)])
    return fit_cox(design, rows["start_day"], rows["stop_day"], rows["is_event"].astype(bool),
                   strata=rows["county"], cluster=rows["victim"])  # fmt: skip


def _part(
    people: pd.DataFrame, terms: list[str], n_counties: int
) -> tuple[pd.DataFrame, list[str]]:
    """A column per covariate and county: its values there, elsewhere one that tells nothing."""
    own: dict[str, Any] = {}
    for number in range(n_counties):
        here = people["county"].eq(number)
        for name in terms:
            column = people[name]
            is_number = pd.api.types.is_numeric_dtype(column)
            # the first category is the reference: what stands elsewhere is one of this county's
            other = 0 if is_number else min(set(column[here]) - {"missing"}, default="missing")
            own[f"{name} {number}"] = column.where(here, other)
    return pd.DataFrame(own), list(own)


def take_told(data: StudyData, moments: Moments) -> list[str]:
    """The measures with events enough in force and not."""
    first = data.first_episodes
    happened = first["is_event"].astype(bool)
    told = []
    for name in moments.names:
        n_in = int((happened & first[name].eq(1)).sum())
        if min(n_in, int(happened.sum()) - n_in) >= LEAST_EVENTS:
            told.append(name)
    return told


def ask(
    counties: list[StudyData], at: dict[str, float] | None, told: dict[int, list[str]] | None
) -> list[Moments]:
    """What every county tells; as `share` tells it where the measures told are given."""
    answers = []
    for number, data in enumerate(counties):
        mine = None if at is None else at
        if at is not None and told is not None:
            mine = {name: at[name] for name in told[number]}
        exact = Moments.from_frame(tabulate_moments(data, mine))
        if told is not None:
            tables = disclose_hazard_ratios(exact, told[number], is_asked=at is not None)
            exact = read_moments(*tables)
        answers.append(exact)
    return answers


def run_rounds(
    counties: list[StudyData], n_rounds: int, told: dict[int, list[str]] | None
) -> list[PooledCox]:
    """The joint answers, round by round."""
    at, found = None, []
    for _ in range(n_rounds):
        found.append(pool_moments(ask(counties, at, told)))
        at = dict(zip(found[-1].names, found[-1].coef, strict=True))
    return found


def describe(pooled: PooledCox, fit: CoxFit, measure: str) -> dict[str, float]:
    """How far a joint answer is from the joined rows', in its standard errors."""
    k, place = pooled.names.index(measure), fit.names.index(measure)
    assert fit.se_robust is not None
    se = fit.se_robust[place]
    return {
        "distance_se": float(abs(pooled.coef[k] - fit.coef[place]) / se),
        "se_ratio": float(pooled.se_robust[k] / se),
        "step_se": float(pooled.steps[k]),
    }


def find_mean(known: list[Moments], told: dict[int, list[str]], measure: str) -> dict[str, Any]:
    """The mean of the counties that tell of a measure, by random effects."""
    values, errors = [], []
    for number, moments in enumerate(known):
        if measure in told[number]:
            table, _ = disclose_hazard_ratios(moments, told[number])
            row = table.set_index("measure").loc[measure]
            values.append(row["log_hazard_ratio"])
            errors.append(row["se_robust"])
    found = pool_estimates(values, errors)
    mean = found.random
    return {
        "n_counties": found.n_studies,
        "coef": mean.estimate,
        "se": mean.se,
        "tau2": found.tau2,
        "ci_low": mean.ci_low,
        "ci_high": mean.ci_high,
    }


def tell(fit: CoxFit, place: int) -> dict[str, float]:
    """A coefficient and its robust error."""
    assert fit.se_robust is not None
    return {"coef": float(fit.coef[place]), "se": float(fit.se_robust[place])}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=8_000)
    parser.add_argument("--counties", type=int, default=21)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    commit = name_clean_commit()
    plan = read_study(splines={}, adjust_for=ADJUST_FOR)
    large = prepare_county(SCENARIOS["calibrated"], args.people, SEED, plan)
    counties = list(split_counties(large, args.counties, SMALLEST))
    began = time.process_time()
    exact = run_rounds(counties, args.rounds, None)
    seconds = time.process_time() - began
    first = [Moments.from_frame(tabulate_moments(data)) for data in counties]
    told = {
        n: take_told(data, one) for n, (data, one) in enumerate(zip(counties, first, strict=True))
    }
    rounded = run_rounds(counties, args.rounds, told)
    own, plain = fit_joined(counties, has_own=True), fit_joined(counties, has_own=False)
    rows = {}
    for measure in exact[0].names:
        k, j = own.names.index(measure), plain.names.index(measure)
        rows[measure] = {
            "joined": {"coef": float(own.coef[k]), "se": float(own.se_robust[k])},
            "joined_one_adjustment": {
                "coef": float(plain.coef[j]),
                "se": float(plain.se_robust[j]),
            },
            "mean": find_mean(first, told, measure),
            "counties_that_tell": sum(measure in names for names in told.values()),
            "exact": [describe(one, own, measure) for one in exact],
            "rounded": [describe(one, own, measure) for one in rounded],
        }
    sizes = [len(data.entries) for data in counties]
    found = {
        "command": f"python benchmarks/pooling_study.py --people {args.people} --counties"
                   f" {args.counties} --rounds {args.rounds}",
        "entries": [min(sizes), int(np.median(sizes)), max(sizes)],
        "seconds_of_asking_all_exactly": round(seconds, 1),
        "measures": rows,
    }  # fmt: skip
    keep_result(ROOT / "benchmarks" / "results" / "pooling_study.json", found, commit)
    for measure, row in rows.items():
        steps = " ".join(f"{one['distance_se']:.1e}" for one in row["exact"])
        coarse = " ".join(f"{one['distance_se']:.3f}" for one in row["rounded"])
        print(
            f"{measure:20} exact {steps} | rounded {coarse} | {row['counties_that_tell']} counties"
        )


if __name__ == "__main__":
    main()
