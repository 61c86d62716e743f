"""Real data with published answers, all the way from extract to estimates."""

from __future__ import annotations

import pandas as pd
import pytest


def find(estimates: pd.DataFrame, **keys) -> pd.Series:
    chosen = estimates[(estimates["analysis"] == "main") & (estimates["subgroup"] == "")]
    for name, value in keys.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


@pytest.fixture(scope="module")
def rossi(real_study):
    return real_study("rossi")


@pytest.fixture(scope="module")
def mdve(real_study):
    return real_study("mdve")


@pytest.mark.parametrize("measure", ["employment", "financial_aid"])
def test_rossi_gives_the_published_coefficients_and_robust_errors(rossi, repo_root, measure):
    expected = pd.read_csv(repo_root / "tests" / "real" / "rossi" / "expected.csv")
    want = expected.set_index("measure").loc[measure]
    got = find(rossi, measure=measure, estimator="cox_time_varying", estimand="log_hazard_ratio")
    assert got["estimate"] == pytest.approx(want["value"], abs=1e-6)
    assert got["se"] == pytest.approx(want["se"], abs=1e-6)


@pytest.mark.parametrize(
    ("estimand", "value"), [("risk_start", 16 / 136), ("risk_no_start", 40 / 178)]
)
def test_mdve_gives_the_published_shares(mdve, estimand, value):
    got = find(mdve, measure="arrest_made", estimator="crude", estimand=estimand, time_days=182)
    assert got["estimate"] == pytest.approx(value, abs=1e-9)


def test_mdve_difference_has_the_binomial_error(mdve):
    got = find(mdve, estimator="crude", estimand="risk_difference", time_days=182)
    by_hand = (16 / 136 * 120 / 136 / 136 + 40 / 178 * 138 / 178 / 178) ** 0.5
    assert got["se"] == pytest.approx(by_hand, abs=1e-9)


def test_what_needs_an_absent_table_is_not_estimable(rossi):
    sharing = rossi[rossi["analysis"] == "risk_assessment"]
    assert sharing["status"].tolist() == ["not_estimable"]
    assert sharing["reason"].tolist() == ["table_absent"]
