"""A table of estimates has the columns and types of the contract, whatever rows it is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.core.results import COLUMNS, make_estimates

ROW = {"question": "q1", "estimator": "description", "estimand": "count", "estimate": 3}


def test_what_is_not_named_is_empty_or_null_and_of_its_type():
    given = pd.DataFrame([ROW, {**ROW, "n_people": 4, "level": None}], index=[7, 9])
    made = make_estimates(given, measure="alarm_package", time_days=None)
    assert tuple(made) == COLUMNS and list(made.index) == [0, 1]
    assert made["n_people"].dtype == "Int64" and made["n_people"].tolist() == [pd.NA, 4]
    assert made["time_days"].isna().all() and made["estimate"].dtype == np.float64
    assert made["level"].tolist() == ["", ""] and set(made["measure"]) == {"alarm_package"}


def test_no_part_of_a_person_is_cut_off():
    with pytest.raises(ValueError, match="whole numbers in n_people"):
        make_estimates([{**ROW, "n_people": 2.5}])
