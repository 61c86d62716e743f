"""The design matrix: names, references, missing, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revictimisation.estimators.design import build_design, design_from_array
from tests.cases import for_each


def as_frame(design) -> pd.DataFrame:
    return pd.DataFrame(design.to_dense(), columns=list(design.names))


@for_each("kind", ["object", "category", "string"])
def test_text_becomes_indicators_with_the_first_as_reference(kind):
    frame = pd.DataFrame({"risk": pd.Series(["low", "high", "low", "moderate"]).astype(kind)})
    columns = as_frame(build_design(frame, ["risk"]))
    assert columns.to_dict("list") == {"risk=low": [1, 0, 1, 0], "risk=moderate": [0, 0, 0, 1]}


@for_each("missing", [None, "", " ", "missing", np.nan])
def test_missing_text_is_a_category_and_not_the_reference(missing):
    frame = pd.DataFrame({"risk": ["zero", missing, "ordinary", missing]})
    columns = as_frame(build_design(frame, ["risk"]))
    assert columns.to_dict("list") == {"risk=zero": [1, 0, 0, 0], "risk=missing": [0, 1, 0, 1]}


def test_true_and_false_with_nulls_are_categories():
    frame = pd.DataFrame({"is_honour": pd.array([True, None, False], dtype="boolean")})
    columns = as_frame(build_design(frame, ["is_honour"]))
    expected = {"is_honour=true": [1, 0, 0], "is_honour=missing": [0, 1, 0]}
    assert columns.to_dict("list") == expected


@for_each("kind", ["float64", "Int64", "Float64"])
def test_numbers_enter_linearly_and_missing_ones_are_marked(kind):
    frame = pd.DataFrame({"n": pd.array([0, 3, None, 3], dtype=kind.replace("f", "F"))}).astype(
        kind
    )
    columns = as_frame(build_design(frame, ["n"]))
    assert columns.to_dict("list") == {"n": [0, 3, 1.5, 3], "n:missing": [0, 0, 1, 0]}


def test_columns_of_one_value_are_dropped_and_listed():
    frame = pd.DataFrame(
        {"sex": ["f", "f"], "n": [2, 2], "half": [5.0, None], "none": [np.nan, np.nan]}
    )
    measures = {"never": [0, 0], "always": [1, 1], "some": [0, 1]}
    design = build_design(frame, list(frame), measures=measures)
    assert design.names == ("half:missing", "some")
    assert design.dropped == ("sex=f", "n", "half", "none", "never", "always")


def test_people_without_episodes_do_not_count():
    frame = pd.DataFrame({"sex": ["a", "f", "m"], "n": [7.0, 1.0, None]})
    design = build_design(frame, ["sex", "n"], [2, 1, 1])
    assert design.names == ("sex=m", "n:missing")
    assert design.to_dense().tolist() == [[1, 1], [0, 0], [0, 0]]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([0.0, 1.5, None])), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_people_alike_share_a_row_and_keep_their_values(people, random):
    frame = pd.DataFrame(people, columns=["text", "number"]).astype({"number": float})
    rows = [random.randrange(len(people)) for _ in range(2 * len(people))]
    design = build_design(frame, ["text", "number"], rows)
    assert design.base.n_rows == len(frame.iloc[sorted(set(rows))].drop_duplicates())
    wide = build_design(frame.iloc[rows].reset_index(drop=True), ["text", "number"])
    pd.testing.assert_frame_equal(as_frame(design), as_frame(wide))


def test_measures_may_be_numbers_and_come_last():
    frame = pd.DataFrame({"sex": ["f", "m"]})
    design = build_design(frame, ["sex"], [0, 0, 1], measures=pd.DataFrame({"dose": [0.5, 0, -2]}))
    assert design.names == ("sex=m", "dose")
    assert design.to_dense().tolist() == [[0, 0.5], [0, 0], [1, -2]]


def test_nothing_at_all_is_legal():
    design = build_design(pd.DataFrame(index=range(3)), [])
    assert (design.names, design.n_rows, design.to_dense().shape) == ((), 3, (3, 0))


@for_each(
    ("arguments", "message"),
    [
        ({"terms": ["age", "sex"]}, "no column sex"),
        ({"terms": ["age", "age"]}, "more than once: age"),
        ({"terms": ["age"], "measures": {"age": [0, 1]}}, "more than once: age"),
        ({"terms": [], "rows": [0, 2]}, "outside the frame"),
        ({"terms": [], "rows": [-1]}, "outside the frame"),
        ({"terms": [], "measures": {"a": [0, 1, 1]}}, "3 values for 2 episodes"),
        ({"terms": [], "measures": {"a": [0, np.nan]}}, "a holds missing"),
        ({"terms": ["wide"]}, "wide holds missing or infinite"),
    ],
)
def test_wrong_use_is_refused(arguments, message):
    frame = pd.DataFrame({"age": [1, 2], "wide": [1, np.inf]})
    with pytest.raises(ValueError, match=message):
        build_design(frame, **arguments)


def test_a_matrix_is_used_as_it_stands():
    values = np.array([[0.0, 2.0], [1.0, 0.0]])
    assert (design_from_array(values, ["a", "b"]).to_dense() == values).all()
    with pytest.raises(ValueError, match="one column for each name"):
        design_from_array(values, ["a"])
