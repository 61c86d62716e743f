"""Do the intervals of pooled counties hold the truth: made counties that send no rows.

    python benchmarks/pooled_cover.py [--times 300]

Five or twelve counties of 300 to 1,200 people (`make_county`), each with a hazard of its own, a
common measure (`order`) and a rare one (`shelter`), started more often at high risk. Their log
hazard ratios are one number for all counties, or differ with a standard deviation of 0.2. Each
county tells the moments of its Cox model as `share` rounds them, of a measure with at least five
events in force and five not; `pool`'s answers are formed of these: the one model (asked once, and
once more at its own answer), random effects with Hartung and Knapp's limits, and the prediction
interval for a further county. Where counties that tell have less than half of all people no answer
is given (`gates.pooled_share`). Told: the share of answers whose interval holds the truth, with its
Monte Carlo error, for the one model only where all counties have one truth. Kept in
`results/pooled_cover.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

from revictimisation.core.arrays import Floats
from revictimisation.disclosure.hazard_ratios import disclose_hazard_ratios, read_moments
from revictimisation.estimators.cox_moments import (
    Moments,
    PooledCox,
    find_moments,
    pool_moments,
    profile_out,
)
from revictimisation.estimators.design import build_design
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.random_effects import pool_estimates
from revictimisation.plan import Gates

KEPT = Path(__file__).resolve().parent / "results" / "pooled_cover.json"
SEED = 20261201
MEASURES = ["order", "shelter"]
TERMS = ["risk", "age"]
TRUTH = np.array([-0.25, -0.7])
CHANCE = np.array([[0.25, 0.06], [0.35, 0.10], [0.50, 0.16]])  # by risk: ever started
HAZARD = np.array([0.0006, 0.0011, 0.0020])  # a day, by risk
SMALLEST, LARGEST = 300, 1200
HORIZON, LATEST_START = 730, 180
LEAST_EVENTS = 5  # in force, and not: what disclosure control asks of a measure that is told
COUNTIES, SPREADS = (5, 12), (0.0, 0.2)


def make_county(rng: np.random.Generator, n_people: int, effects: Floats) -> pd.DataFrame:
    """Episodes (start, stop] of a county; one victim in five is followed twice."""
    level = rng.choice(3, n_people, p=[0.35, 0.4, 0.25])
    age = rng.normal(size=n_people)
    hazard = HAZARD[level] * np.exp(0.2 * age + rng.normal(0, 0.3))
    has = rng.random((n_people, 2)) < CHANCE[level]
    starts = np.where(has, rng.integers(1, LATEST_START, (n_people, 2)), 10 * HORIZON)
    cuts = np.sort(np.column_stack([np.zeros(n_people, np.int64), starts]), axis=1)
    ends = np.column_stack([cuts[:, 1:], np.full(n_people, 10 * HORIZON)])
    in_force = cuts[:, :, None] >= starts[:, None, :]
    rate = hazard[:, None] * np.exp(in_force @ effects)
    used = np.cumsum(rate * (ends - cuts), axis=1)
    amount = rng.exponential(size=n_people)
    place = (used < amount[:, None]).sum(axis=1).clip(max=2)
    rows = np.arange(n_people)
    left = used[rows, place] - amount
    event = np.ceil(ends[rows, place] - left / rate[rows, place]).astype(np.int64)
    stop = np.minimum(event, rng.integers(200, HORIZON + 1, n_people))
    who, part = np.nonzero((cuts < stop[:, None]) & (ends > cuts))
    end = np.minimum(ends[who, part], stop[who])
    return pd.DataFrame({
        "victim": who * 5 // 6, "start": cuts[who, part], "stop": end,
        "is_event": (end == stop[who]) & (event[who] == stop[who]),
        "risk": np.array(["low", "middle", "high"])[level[who]], "age": age[who],
        **{name: in_force[who, part, k].astype(float) for k, name in enumerate(MEASURES)},
    })  # fmt: skip


def list_told(county: pd.DataFrame) -> list[str]:
    """The measures with events enough in force and not."""
    happened = county["is_event"]
    counts = {name: int((happened & county[name].eq(1)).sum()) for name in MEASURES}
    return [name for name, n in counts.items() if min(n, happened.sum() - n) >= LEAST_EVENTS]


def ask(county: pd.DataFrame, at: dict[str, float] | None) -> Moments:
    """What a county tells, as `share` rounds it."""
    told = list_told(county)
    point = None if at is None else {name: at[name] for name in told if name in at}
    design = build_design(county[TERMS], TERMS, measures=county[MEASURES])
    found = find_moments(design, county["start"], county["stop"], county["is_event"],
                         cluster=county["victim"], at=point)  # fmt: skip
    exact = profile_out(found, {*found.names} - {*MEASURES})
    return read_moments(*disclose_hazard_ratios(exact, told, is_asked=at is not None))


def try_once(rng: np.random.Generator, n_counties: int, spread: float) -> Iterator[dict[str, Any]]:
    """Rows: measure, method, whether the interval holds the truth, and the error on its scale."""
    sizes = rng.permutation(np.linspace(SMALLEST, LARGEST, n_counties).astype(int))
    truths = TRUTH + spread * rng.normal(size=(n_counties + 1, 2))
    counties = [make_county(rng, n, one) for n, one in zip(sizes, truths[:-1], strict=True)]
    first = [ask(county, None) for county in counties]
    joint = {} if spread else _pool_twice(counties, first)
    for k, name in enumerate(MEASURES):
        tells = np.array([name in one.names for one in first])
        row = {"measure": name, "share_told": float(sizes[tells].sum() / sizes.sum())}
        if row["share_told"] < Gates().pooled_share:
            yield {**row, "method": "withheld"}
            continue
        for method, pooled in joint.items():
            place = pooled.names.index(name)
            gap = (pooled.coef[place] - TRUTH[k]) / pooled.se_robust[place]
            yield {**row, "method": method, "z": gap, "covered": abs(gap) < normal_quantile()}
        telling = [one for one in first if name in one.names]
        places = [one.names.index(name) for one in telling]
        own = [float(one.at[place]) for one, place in zip(telling, places, strict=True)]
        errors = [_find_error(one, place) for one, place in zip(telling, places, strict=True)]
        found = pool_estimates(own, errors)
        mean = found.random
        yield {**row, "method": "random_effects", "z": (mean.estimate - TRUTH[k]) / mean.se,
               "covered": mean.ci_low < TRUTH[k] < mean.ci_high}  # fmt: skip
        yield {**row, "method": "prediction",
               "covered": found.prediction_low < truths[-1, k] < found.prediction_high}  # fmt: skip


def _pool_twice(counties: list[pd.DataFrame], first: list[Moments]) -> dict[str, PooledCox]:
    """The one model from what counties say first, and from what they say at its answer."""
    once = pool_moments(first)
    at = dict(zip(once.names, (float(value) for value in once.coef), strict=True))
    twice = pool_moments([ask(county, at) for county in counties])
    return {"one_step": once, "asked_twice": twice}


def _find_error(one: Moments, place: int) -> float:
    """The robust error of one county's own log hazard ratio."""
    inverse = np.linalg.inv(one.information)
    return float(np.sqrt((inverse @ one.spread @ inverse)[place, place]))


def sum_up(rows: pd.DataFrame, n_times: int) -> dict[str, Any]:
    """By measure and method: how many had an answer, and how often it held the truth."""
    found: dict[str, Any] = {}
    for (measure, method), part in rows.groupby(["measure", "method"], sort=False):
        told: dict[str, Any] = {"n": len(part)}
        if method != "withheld":
            share = float(part["covered"].mean())
            error = float(np.sqrt(share * (1 - share) / len(part)))
            told |= {"covered": round(share, 4), "error": round(error, 4)}
        if method not in ("withheld", "prediction"):
            told |= {"bias_in_errors": round(float(part["z"].mean()), 3)}
        found.setdefault(str(measure), {"n_times": n_times})[str(method)] = told
    return found


def main() -> None:
    """Try and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--try-out", action="store_true", help="print and keep nothing")
    args = parser.parse_args()
    commit = "" if args.try_out else name_clean_commit()
    found: dict[str, Any] = {"command": f"python benchmarks/pooled_cover.py --times {args.times}"}
    for n_counties in COUNTIES:
        for spread in SPREADS:
            rng = np.random.default_rng([SEED, n_counties, round(spread * 100)])
            rows = pd.DataFrame(row for _ in range(args.times)
                                for row in try_once(rng, n_counties, spread))  # fmt: skip
            name = f"{n_counties} counties, spread {spread}"
            found[name] = sum_up(rows, args.times)
            print(name, json.dumps(found[name], indent=1), flush=True)
    if not args.try_out:
        keep_result(KEPT, found, commit)


if __name__ == "__main__":
    main()
