"""Real data with published answers, all the way from extract to estimates."""

from __future__ import annotations

import pandas as pd
import pytest

from revictimisation.analyses.effects import estimate_hazard_ratios
from revictimisation.cohort.preparation import prepare
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan


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


def test_strata_have_baselines_of_their_own_and_hazards_are_tested_as_in_r(repo_root):
    """R 4.2.2, survival 3.5-3, on these episodes: coxph(Surv(start, stop, event) ~ age + wexp + mar
    + paro + prio + financial_aid + employment + strata(race), cluster = id), cox.zph of it."""
    real = repo_root / "tests" / "real" / "rossi"
    text = (real / "study.yaml").read_text(encoding="utf-8") + "strata: [x_race]\n"
    plan, dictionary = read_plan(text), load_dictionary()
    extract = load_extract(connect(threads=1), real / "extract", dictionary, plan)
    data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    rows, checks = estimate_hazard_ratios(data)
    for measure, coef, se, p in (
        ("financial_aid", -0.3502722514095, 0.1952040455582, 0.958860),
        ("employment", -1.3239093207267, 0.2500974243580, 0.626661),
    ):
        got = find(rows, measure=measure, estimator="cox_time_varying",
                   estimand="log_hazard_ratio")  # fmt: skip
        assert got["estimate"] == pytest.approx(coef, abs=1e-8)
        assert got["se"] == pytest.approx(se, abs=1e-8)
        tests = checks[checks["check"].eq("proportional_hazards_p")
                       & checks["analysis"].eq("cox_time_varying_main")]  # fmt: skip
        assert tests.set_index("measure")["value"][measure] == pytest.approx(p, abs=1e-6)
    assert tests.set_index("measure")["value"][""] == pytest.approx(0.038435, abs=1e-6)
