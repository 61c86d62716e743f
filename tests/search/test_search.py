"""The search of benchmarks/estimate_search.py over hundreds of extracts, here over one of them."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.search.extracts import KINDS, make_case
from tests.search.judging import Judge
from tests.search.trial import estimate, prepare_judge

SEED = 20261201
# of the second round, with question 4 and nothing adjusted for: hardly a row without an answer
NUMBER = len(KINDS) + list(KINDS).index("courts")
RISK = {"estimator": "crude", "estimand": "risk_start"}
GAP = {"estimator": "crude", "estimand": "risk_difference"}
HAZARD = {"estimator": "andersen_gill", "estimand": "hazard_ratio", "analysis": "main"}
# What is done to a row that is right, and the fault that it then must have.
SPOILT = [
    (RISK, {"estimate": 0.123}, "another number"),
    (RISK, {"se": 0.2}, "another error"),
    (RISK, {"n_events": 3}, "another n_events"),
    (RISK, {"se": 0.0}, "no error"),
    (RISK, {"ci_low": 0.5, "ci_high": 0.5}, "interval of no width"),
    (RISK, {"ci_low": 0.9}, "interval without its estimate"),
    (GAP, {"time_days": 100_000}, "beyond follow-up"),
    (GAP, {"estimate": -3.2}, "outside -1..1"),
    (GAP, {"estimate": 0.9}, "not that of the rows beside it"),
    (HAZARD, {"n_events": 1}, "fewer events than the gate"),
    (HAZARD, {"estimate": float("inf")}, "not finite"),
]


@pytest.fixture(scope="module")
def looked_at() -> tuple[pd.DataFrame, Judge]:
    case = make_case(SEED, NUMBER)
    rows = estimate(case)
    return rows, prepare_judge(case, rows)


def test_every_ok_row_is_right_or_can_be_defended(looked_at):
    rows, judge = looked_at
    assert [fault for row in rows.to_dict("records") for fault in judge.look(row)] == []
    assert judge.n_counted > 1000


def test_what_is_spoilt_is_found(looked_at):
    rows, judge = looked_at
    for keys, change, fault in SPOILT:
        is_it = (rows[list(keys)] == list(keys.values())).all(axis=1)
        row = {**rows[is_it].to_dict("records")[0], "status": "ok"}
        assert fault not in {one.check for one in judge.look(row)}
        assert fault in {one.check for one in judge.look({**row, **change})}, fault
