"""Calibration, discrimination and transported means against R (make_golden.R in this folder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.calibration import (
    calibrate_in_the_large,
    discriminate,
    draw_curve,
    hold_against,
    recalibrate,
    score_brier,
)
from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.membership_weights import transport, weigh_membership

HERE = Path(__file__).parent
PEOPLE = pd.read_csv(HERE / "people.csv")
DAY = 240


def hold(cluster):
    return hold_against(PEOPLE["risk"], PEOPLE["time"], PEOPLE["cause"], DAY, cluster)


def test_numbers_and_their_errors_by_family_are_those_of_r():
    golden = pd.read_csv(HERE / "numbers.csv")
    people = hold(PEOPLE["family"])
    at = golden["at"].dropna()
    shift = recalibrate(people, has_slope=False).coefficients[[0]]
    found = [
        calibrate_in_the_large(people), shift, recalibrate(people, has_slope=True).coefficients,
        draw_curve(people, at).observed, discriminate(people), score_brier(people),
    ]  # fmt: skip
    value = np.concatenate([one.value for one in found])
    se = np.concatenate([one.se for one in found])
    np.testing.assert_allclose(value, golden["estimate"], rtol=1e-7)
    np.testing.assert_allclose(se, golden["se"], rtol=2e-6)


def test_discrimination_and_brier_score_are_those_of_riskregression():
    golden = pd.read_csv(HERE / "score.csv").set_index("what")
    people = hold(None)
    for what, found in (("auc", discriminate(people)), ("brier", score_brier(people))):
        assert found.value[0] == pytest.approx(golden.at[what, "estimate"], rel=1e-8)
        # its share of the weights is not quite the derivative, which ours is (numbers.csv)
        assert found.se[0] == pytest.approx(golden.at[what, "se"], rel=5e-4)


def test_transported_means_and_their_errors_are_those_of_r():
    golden = pd.read_csv(HERE / "transport.csv").set_index("what")
    people = pd.read_csv(HERE / "members.csv")
    both = weigh_membership(
        design_from_array(people[["x", "z"]], ["x", "z"]), people["is_source"], people["family"]
    )
    found = transport(both, people.loc[people["is_source"].eq(1), "found"])
    wanted = golden.loc[["weights", "regression"]]
    np.testing.assert_allclose(found.value, wanted["estimate"], rtol=1e-7)
    np.testing.assert_allclose(found.se, wanted["se"], rtol=1e-5)
    assert both.effective_size == pytest.approx(golden.at["effective_size", "estimate"], rel=1e-7)
