"""Restricted cubic splines: against R, straight beyond the outer knots, missing ones aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.estimators.splines import KNOT_QUANTILES, bend, place_knots
from tests.cases import for_each

GOLDEN = Path(__file__).parents[1] / "golden" / "splines"


@for_each("n_knots", KNOT_QUANTILES)
def test_the_cox_model_of_r_with_natural_splines(n_knots):
    people = pd.read_csv(GOLDEN / "people.csv")
    golden = pd.read_csv(GOLDEN / "coefficients.csv").set_index("n_knots").loc[n_knots]
    design = build_design(people, ["treated", "age"], splines={"age": n_knots})
    assert len(design.names) == n_knots
    fit = fit_cox(design, np.zeros(len(people)), people["stop_day"], people["is_event"])
    assert fit.coef[0] == pytest.approx(golden["treated"], rel=1e-6)
    assert fit.se_model[0] == pytest.approx(golden["se"], rel=1e-6)
    assert fit.loglik == pytest.approx(golden["loglik"], rel=1e-9)
    fitted = design.to_dense() @ fit.coef
    wanted = pd.read_csv(GOLDEN / "fits.csv")[str(n_knots)].to_numpy()
    np.testing.assert_allclose(fitted - fitted.mean(), wanted, atol=1e-6)


def test_straight_beyond_the_outer_knots_and_smooth_at_them():
    knots = np.array([2.0, 5.0, 6.0, 9.0])
    far = bend(np.arange(9.0, 30.0), knots)
    np.testing.assert_allclose(np.diff(far, n=2, axis=0), 0, atol=1e-12)
    assert not bend(np.arange(-5.0, 2.1), knots).any()
    fine = bend(np.linspace(0, 12, 12_001), knots)
    assert np.abs(np.diff(fine, n=3, axis=0)).max() < 1e-7  # no jump in the second derivative


def test_missing_numbers_lie_among_the_others_with_an_indicator():
    people = pd.DataFrame({"age": [1.0, 20.0, 40.0, 70.0, 90.0, None]})
    design = build_design(people, ["age"], splines={"age": 3})
    assert design.names == ("age", "age:bend1", "age:missing")
    assert design.to_dense()[-1].tolist() == [44.2, 0, 1]
    knots = place_knots(people["age"], 3)
    assert design.to_dense()[2, 1] == bend([40.0], knots)[0, 0] > 0


def test_knots_that_coincide_leave_a_line():
    people = pd.DataFrame({"n": [0.0] * 20 + [1.0, 2.0]})
    assert build_design(people, ["n"], splines={"n": 4}).names == ("n",)


@for_each(
    ("splines", "said"),
    [({"sex": 3}, "no number"), ({"height": 3}, "no term"), ({"age": 9}, "3 to 7 knots")],
)
def test_faults_are_told(splines, said):
    people = pd.DataFrame({"sex": ["a", "b"], "age": [1.0, 2.0], "height": [1.0, 2.0]})
    with pytest.raises(ValueError, match=said):
        build_design(people, ["sex", "age"], splines=splines)
