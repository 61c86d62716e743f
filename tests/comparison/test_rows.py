"""Rows of `comparison`: what they must say, and how they come by their lights."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.comparison.rows import (
    CANNOT_TELL,
    COLUMNS,
    FITS,
    cannot_compare,
    combine_rows,
    give_lights,
    make_rows,
    read_checks,
    read_severity,
)
from revictimisation.dictionary import load_dictionary
from tests.cases import for_each

ROW = {"check": "incidence", "cohort": "B", "limit": 0.2}


def test_columns_are_those_of_the_dictionary():
    table = load_dictionary().tables["comparison"]
    assert table.field_names == COLUMNS
    assert tuple(make_rows([]).columns) == COLUMNS


def test_every_check_has_a_topic_a_scale_and_a_known_light():
    topics = load_dictionary().codes("comparison_topic")["code"].tolist()
    scales = {"count", "log_ratio", "difference", "share", "standardised_difference", "months",
              "coefficient"}  # fmt: skip
    for name, check in read_checks().items():
        assert check["topic"] in topics and check["scale"] in scales, name
        assert check["light"] in ("", *read_severity()), name
        assert all(check[key] for key in ("definition_sv", "definition_en")), name


LIGHTS = [
    (0.1, 1e-9, FITS),  # within the limit, however sure
    (-0.3, 1e-9, "recalibrate"),  # beyond it in the other direction
    (0.3, 0.3, CANNOT_TELL),  # beyond it, but chance may do it
    (0.3, np.nan, "recalibrate"),  # nothing is left to chance
]


@for_each("difference, p_value, light", LIGHTS)
def test_a_light_takes_both_size_and_certainty(difference, p_value, light):
    rows = give_lights(make_rows([{**ROW, "difference": difference, "p_value": p_value}]), 0.05)
    assert rows["light"].tolist() == [light]


def test_p_values_of_one_cohort_are_adjusted_together():
    rows = make_rows([{**ROW, "difference": 0.3, "p_value": 0.02, "subject": str(at)}
                      for at in range(4)])  # fmt: skip
    told = give_lights(rows, 0.05)
    assert told["p_value_holm"].tolist() == pytest.approx([0.08] * 4)
    assert set(told["light"]) == {CANNOT_TELL}
    apart = rows.assign(cohort=["B", "C", "D", "E"])
    assert set(give_lights(apart, 0.05)["light"]) == {"recalibrate"}


def test_a_check_of_many_rows_takes_no_more_than_one_of_a_single_row():
    """Weights 1 and four of a quarter: 0.02 of each makes 0.04 of the one, 0.08 of the four."""
    many = [{**ROW, "check": "case_mix", "difference": 0.3, "p_value": 0.02, "subject": str(at)}
            for at in range(4)]  # fmt: skip
    told = give_lights(make_rows([*many, {**ROW, "difference": 0.3, "p_value": 0.02}]), 0.05)
    assert told["p_value_holm"].tolist() == pytest.approx([0.08] * 4 + [0.04])


def test_what_is_only_shown_is_neither_judged_nor_counted():
    shown = {"check": "incidence_at_day", "cohort": "B", "difference": 9.0, "p_value": 1e-9}
    rows = give_lights(make_rows([shown, {**ROW, "difference": 0.3, "p_value": 0.04}]), 0.05)
    assert rows["light"].tolist() == ["", "recalibrate"]
    assert rows["rule"].tolist() == ["shown_only", "beyond_limit_and_chance"]


def test_what_is_not_known_is_said_with_its_reason():
    rows = give_lights(cannot_compare("too_few", **ROW), 0.05)
    assert rows[["light", "reason"]].values.tolist() == [[CANNOT_TELL, "too_few"]]


FAULTS = [
    ([{"check": "incidence"}], "no value and no reason"),
    ([{"check": "incidense", "difference": 1.0}], "no check"),
    ([{**ROW, "difference": 1.0, "amount": 2}], "no column"),
]


@for_each("rows, told", FAULTS)
def test_rows_that_say_nothing_are_a_fault(rows, told):
    with pytest.raises(ValueError, match=told):
        make_rows(rows)


def test_two_rows_with_one_key_are_a_fault():
    row = make_rows([{**ROW, "difference": 0.1}])
    with pytest.raises(ValueError, match="twice"):
        combine_rows([row, row])
