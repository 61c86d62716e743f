"""The mean count's interval keeps its promise, on a process whose truth is a sum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.contrasts import compare_counts
from revictimisation.estimators.mean_count import mean_cumulative_count

LAST, REPORTED = 40, [10, 40]
# kinds of people: chance of an outcome on a day, and of dying on it (after the outcome, if any)
OUTCOME, DEATH = np.array([0.01, 0.08]), np.array([0.002, 0.02])
REPLICATES, PEOPLE = 600, 300


def true_count(share_of_second: float, day: int) -> float:
    alive = (1 - DEATH[:, None]) ** np.arange(day)
    by_kind = OUTCOME * alive.sum(axis=1)
    return float(by_kind @ [1 - share_of_second, share_of_second])


def simulate(rng: np.random.Generator, share_of_second: float) -> dict[str, np.ndarray]:
    """Rows of `PEOPLE`; frailty makes outcomes cluster and go with death; uniform censoring."""
    kind = (rng.random(PEOPLE) < share_of_second).astype(int)
    death = rng.geometric(DEATH[kind])
    censored = rng.integers(5, 2 * LAST, PEOPLE)
    end = np.minimum(np.minimum(death, censored), LAST)
    day = np.arange(1, LAST + 1)
    is_outcome = (rng.random((PEOPLE, LAST)) < OUTCOME[kind][:, None]) & (day <= end[:, None])
    person, place = np.nonzero(is_outcome | (day == end[:, None]))
    stop = place + 1
    is_first = np.append(True, person[1:] != person[:-1])
    is_dead = (death <= censored) & (death <= LAST)
    return {
        "start": np.where(is_first, 0, np.append(0, stop[:-1])),
        "stop": stop,
        "is_event": is_outcome[person, place],
        "is_terminal": is_dead[person] & (stop == end[person]),
        "person": person,
    }


@pytest.fixture(scope="module")
def replicates() -> pd.DataFrame:
    rng, parts = np.random.default_rng(8), []
    for number in range(REPLICATES):
        started, others = simulate(rng, 0.3), simulate(rng, 0.6)
        others["person"] += PEOPLE
        rows = {name: np.concatenate([started[name], others[name]]) for name in started}
        person = rows.pop("person")
        part = compare_counts(**rows, is_started=person < PEOPLE, at_days=REPORTED, entry_id=person)
        parts.append(part.assign(replicate=number))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("day", REPORTED)
@pytest.mark.parametrize(
    ("estimand", "shares"),
    [
        ("mean_count_start", (0.3, None)),
        ("mean_count_no_start", (0.6, None)),
        ("mean_count_difference", (0.3, 0.6)),
    ],
)
def test_bias_error_and_coverage(replicates, estimand, shares, day):
    truth = true_count(shares[0], day) - (true_count(shares[1], day) if shares[1] else 0)
    mine = replicates[(replicates["estimand"] == estimand) & (replicates["time_days"] == day)]
    spread = mine["estimate"].std()
    assert abs(mine["estimate"].mean() - truth) < 3 * spread / np.sqrt(REPLICATES)
    # the error of a standard deviation from 600 replicates is 2.9 %
    assert mine["se"].mean() == pytest.approx(spread, rel=0.08)
    is_covered = (mine["ci_low"] <= truth) & (truth <= mine["ci_high"])
    monte_carlo = np.sqrt(0.95 * 0.05 / REPLICATES)
    assert is_covered.mean() == pytest.approx(0.95, abs=3 * monte_carlo)


def test_errors_by_row_would_not_cover():
    """Each row by itself takes a person's outcomes for independent: the error is too small."""
    rows = simulate(np.random.default_rng(8), 0.6)
    person = rows.pop("person")
    by_person = mean_cumulative_count(**rows, at_days=[LAST], cluster=person)
    by_row = mean_cumulative_count(**rows, at_days=[LAST])
    assert by_row.loc[0, "se"] < 0.9 * by_person.loc[0, "se"]
