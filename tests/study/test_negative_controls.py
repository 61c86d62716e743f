"""Negative controls, E-values and calibration in whole studies on counties with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.e_value import find_e_value, find_e_value_limit

from .conftest import read_estimates

LAST_DAY = 1461
MEASURES = 7


def read_checks(out) -> pd.DataFrame:
    return pd.read_parquet(out / "restricted" / "diagnostics.parquet")


def controls_of(estimates, estimator="clone_censor_weight"):
    rows = estimates[estimates["analysis"] == "negative_control_outcome"]
    return rows[rows["estimator"] == estimator]


def main_rows(estimates, estimator="clone_censor_weight"):
    is_main = estimates["question"].eq("q2") & estimates["analysis"].eq("main")
    is_main &= estimates["estimator"].eq(estimator)
    return estimates[is_main & estimates["outcome"].eq("same_suspect")]


def systematic_error(checks) -> tuple[float, float]:
    """Mean log ratio of the controls on the last day, and its error."""
    found = checks[checks["analysis"] == "calibrated"].set_index("check")["value"]
    return tuple(found[[f"systematic_error_mean{what}:{LAST_DAY}" for what in ("", "_error")]])


def test_controls_hold_where_nothing_is_unmeasured(county):
    _, out = county("calibrated")
    rows, checks = controls_of(read_estimates(out)), read_checks(out)
    last = rows[rows["time_days"] == LAST_DAY].pivot(
        index="measure", columns="estimand", values="estimate"
    )
    assert len(last) == MEASURES
    assert set(last.columns) == {"risk_start", "risk_no_start", "risk_difference", "risk_ratio"}
    assert last["risk_start"].between(0.03, 0.25).all()
    judged = checks[checks["check"] == "negative_control_difference"].set_index("measure")
    assert judged["status"].eq("ok").all()
    assert judged["limit"].eq(0.02).all()
    assert judged["value"].to_numpy() == pytest.approx(last["risk_difference"][judged.index])
    mean, error = systematic_error(checks)
    assert abs(mean) < 2 * error


def test_a_hidden_trait_is_seen_in_the_controls_and_withholds(county):
    _, out = county("unmeasured")
    estimates, checks = read_estimates(out), read_checks(out)
    mean, error = systematic_error(checks)
    assert mean > 2 * error
    failed = checks[
        checks["check"].eq("negative_control_difference") & checks["status"].eq("failed")
    ]
    assert len(failed)
    mine = main_rows(estimates)
    mine = mine[mine["measure"].isin(failed["measure"])]
    assert set(mine["status"]) == {"withheld"}
    assert "negative_control_difference" in set(mine["reason"])
    # the control itself is shown
    assert set(controls_of(estimates)["status"]) == {"ok"}


def test_hazard_ratios_of_the_control_hold_too(county):
    _, out = county("calibrated")
    rows = controls_of(read_estimates(out), "cox_time_varying")
    rows = rows[rows["estimand"] == "log_hazard_ratio"]
    assert len(rows) == MEASURES
    assert set(rows["outcome"]) == {"other_suspect"}
    assert ((rows["estimate"] / rows["se"]).abs() < 2.5).all()


def test_every_main_ratio_has_its_e_values(county):
    _, out = county("calibrated")
    for folder, digits in (("restricted", 1e-12), ("release", 0.0006)):
        table = main_rows(read_estimates(out, folder))
        shown = table[table["status"] == "ok"].set_index(["measure", "time_days", "estimand"])
        ratios = shown.xs("risk_ratio", level="estimand")
        assert len(ratios) >= 4
        got = shown.xs("e_value", level="estimand")["estimate"].reindex(ratios.index)
        assert got.to_numpy() == pytest.approx(find_e_value(ratios["estimate"]), abs=digits)
        got = shown.xs("e_value_limit", level="estimand")["estimate"].reindex(ratios.index)
        want = find_e_value_limit(ratios["ci_low"], ratios["ci_high"])
        assert got.to_numpy() == pytest.approx(want, abs=digits)


def test_hazard_ratios_of_a_common_outcome_count_as_smaller_risk_ratios(county):
    _, out = county("calibrated")
    rows = main_rows(read_estimates(out), "cox_time_varying").set_index(["measure", "estimand"])
    ratio = rows.loc[("non_contact_order", "hazard_ratio"), "estimate"]
    got = rows.loc[("non_contact_order", "e_value"), "estimate"]
    # 4 of 10 report again: VanderWeele & Ding 2017, Table 2
    want = (1 - 0.5**ratio**0.5) / (1 - 0.5 ** (1 / ratio) ** 0.5)
    assert got == pytest.approx(1 / want + np.sqrt(1 / want * (1 / want - 1)))
    assert got < find_e_value(ratio)


def test_calibration_takes_off_what_the_controls_show(county):
    _, out = county("unmeasured")
    estimates, checks = read_estimates(out), read_checks(out)
    mean, error = systematic_error(checks)
    raw = main_rows(estimates).query("estimand == 'risk_ratio' and time_days == @LAST_DAY")
    raw = raw.set_index("measure")
    made = estimates[estimates["analysis"] == "calibrated"]
    ratios = made.query("estimand == 'risk_ratio' and time_days == @LAST_DAY").set_index("measure")
    assert set(ratios.index) == set(raw.index)  # none is a placebo
    raw = raw.loc[ratios.index]
    shift = np.log(ratios["estimate"] / raw["estimate"])
    assert shift.to_numpy() == pytest.approx(-mean)
    assert (ratios["se"] ** 2 >= raw["se"] ** 2 + 0.999 * error**2).all()
    assert ratios["status"].tolist() == raw["status"].tolist()
    p_values = made[made["estimand"] == "p_value"]["estimate"]
    assert p_values.between(0, 1).all()
