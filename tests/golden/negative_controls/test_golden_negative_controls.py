"""E-values and empirical calibration against base R (make_golden.R), number by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.e_value import (
    approximate_risk_ratio,
    find_e_value,
    find_e_value_limit,
)
from revictimisation.estimators.empirical_calibration import calibrate, fit_systematic_error
from tests.cases import for_each

HERE = Path(__file__).parent
CALIBRATION = pd.read_csv(HERE / "calibration.csv")


def test_e_values_equal_r():
    want = pd.read_csv(HERE / "e_values.csv")
    low, high = want["ci_low"], want["ci_high"]
    got = {
        "e_value": find_e_value(want["estimate"]),
        "e_value_limit": find_e_value_limit(low, high),
        "risk_ratio": approximate_risk_ratio(want["estimate"]),
        "common_e_value": find_e_value(approximate_risk_ratio(want["estimate"])),
        "common_e_value_limit": find_e_value_limit(
            approximate_risk_ratio(low), approximate_risk_ratio(high)
        ),
    }
    for name, values in got.items():
        np.testing.assert_allclose(values, want[name], rtol=1e-12, err_msg=name)


@for_each("case", CALIBRATION["case"].unique())
def test_calibration_equals_r(case):
    controls = pd.read_csv(HERE / "controls.csv").query("case == @case")
    want = CALIBRATION[CALIBRATION["case"] == case]
    found = fit_systematic_error(controls["estimate"], controls["error"])
    assert found.n_controls == want["n"].iloc[0]
    for name in ("mean", "sd", "mean_se"):
        # a top is flat: where the likelihood agrees in 15 digits, its place does in 7
        assert getattr(found, name) == pytest.approx(want[name].iloc[0], rel=3e-7, abs=1e-8), name
    plain = calibrate(want["estimate"], want["error"], found, is_plug_in=True)
    careful = calibrate(want["estimate"], want["error"], found)
    names = {"estimate": "calibrated", "ci_low": "plug_in_low", "ci_high": "plug_in_high"}
    for name, column in {**names, "p_value": "plug_in_p"}.items():
        np.testing.assert_allclose(plain[name], want[column], rtol=2e-6, err_msg=name)
    for name, column in {"ci_low": "low", "ci_high": "high", "p_value": "p"}.items():
        np.testing.assert_allclose(careful[name], want[column], rtol=2e-6, err_msg=name)
