"""The search that benchmarks/estimate_search.py makes over hundreds of extracts, over a handful."""

from __future__ import annotations

import pytest

from tests.search.expected import expect, read_case
from tests.search.extracts import KINDS, make_case
from tests.search.judging import Judge
from tests.search.trial import estimate, try_case

SEED = 20261201
# of the second round of kinds, whose gates let small extracts through
NUMBERS = [len(KINDS) + list(KINDS).index(kind) for kind in ("day_0_adjusted", "courts")]


@pytest.mark.parametrize("number", NUMBERS)
def test_every_ok_row_is_right_or_can_be_defended(number):
    outcome = try_case(make_case(SEED, number), SEED, is_disguised=False)
    assert not outcome.refused
    assert outcome.faults == []
    assert outcome.n_counted > 500


def test_rows_that_are_wrong_are_found():
    case = make_case(SEED, list(KINDS).index("plain"))
    rows, reading = estimate(case), read_case(case)
    judge = Judge(reading, rows, expect(reading))

    def find(chosen: dict, **changes) -> set[str]:
        is_it = (rows[list(chosen)] == list(chosen.values())).all(axis=1)
        row = rows[is_it].to_dict("records")[0]
        return {fault.check for fault in judge.look({**row, "status": "ok", **changes})}

    risk = {"estimator": "crude", "estimand": "risk_start"}
    gap = {"estimator": "crude", "estimand": "risk_difference"}
    hazard = {"estimator": "andersen_gill", "estimand": "hazard_ratio"}
    value = rows.loc[rows["estimator"].eq("crude"), "estimate"].iloc[0]
    assert find(risk) == find(gap) == set()
    assert "another number" in find(risk, estimate=value + 1e-4)
    assert "another error" in find(risk, se=0.01)
    assert "another n_events" in find(risk, n_events=3)
    assert "no error" in find(risk, se=0.0)
    assert "interval of no width" in find(risk, ci_low=value, ci_high=value)
    assert "interval without its estimate" in find(risk, ci_high=value - 0.01)
    assert "outside -1..1" in find(gap, estimate=-3.2)
    assert "not that of the rows beside it" in find(gap, estimate=0.5)
    assert "beyond follow-up" in find(risk, time_days=399, estimand="risk_start") | find(
        risk, time_days=100_000
    )
    assert "fewer events than the gate" in find(hazard, n_events=1)
