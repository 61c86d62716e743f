"""The officer's page: every number by its name in words, the smallest first, counts as counts."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from revictimisation.core.codes import MISSING
from revictimisation.dictionary import load_dictionary
from revictimisation.report.names import name_any_measure
from revictimisation.report.review import (
    Review,
    Sheet,
    describe_row,
    list_numbers,
    measure_size,
    render_review,
)
from revictimisation.report.verdicts import name_measure
from tests.report.conftest import LANGUAGES, make_page

FACTS = {"study": "county", "run": "1", "tables": "2", "released_on": "2026-01-01", "version": "0",
         "code": "c0de" * 4, "is_synthetic": True,
         "rules": {"threshold": 5, "rounding": 5}}  # fmt: skip
BESIDE = pd.DataFrame(columns=["earlier", "n_common", "is_same", "n_suppressed"])
JOINT = "name: mini\nmeasures: {near: {joint_within_days: 30}}"


@pytest.fixture(scope="module")
def review(content) -> Review:
    tables = {name: getattr(content, name) for name in ("estimates", "attrition", "diagnostics")}
    numbers = list_numbers(tables, load_dictionary())
    return Review(content.plan, FACTS, numbers, BESIDE, {"release/estimates.csv": "0" * 64})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_is_described_in_words(review, language):
    sheet = Sheet(review, load_dictionary(), language)
    keys = [*review.numbers.columns[: review.numbers.columns.get_loc("estimate")]]
    rows = review.numbers.drop_duplicates([key for key in keys if key != "time_days"])
    told = {describe_row(sheet, row) for row in rows.itertuples()}
    assert len(told) > 1000
    assert not [text for text in told if re.search(r"[a-z0-9]_[a-z0-9]|=|:\w", text)]
    words = {word for text in told for word in re.split(r"[,:] |→ ", text)}
    codes = {*review.plan.measure_names, "both", "neither", "any", "none", "main", "one"}
    assert not words & {code for code in codes if language == "sv" or code == "joint"}
    assert all(MISSING not in words for _ in [language] if language == "sv")


def test_the_smallest_come_first_and_counts_have_no_decimals(review):
    for _, part in review.numbers.groupby(["table", "question"]):
        first = part.loc[measure_size(part).idxmin()]
        fewest = first["estimate" if first["table"] != "estimates" else "n_events"]
        assert not (part["n_events"].dropna() < fewest).any() or first["table"] == "attrition"
    page = render_review(review, load_dictionary())
    rows = [re.sub("<[^>]+>", "|", row) for row in page.split("<tr>") if "avrundat antal" in row]
    assert rows and not [row for row in rows if re.search(r"\d[.,]\d{3}\|.*\|\|.*\|\|.*\|\|.*", row)
                         and "," in row.split("||")[1]]  # fmt: skip


def test_another_checkers_view_stands_there_where_it_was_asked(review):
    assert "ACRO" not in render_review(review, load_dictionary())
    told = {"version": "1.0.2", "n_tables": 9, "n_cells": 80, "hidden_by_us": 32,
            "hidden_by_both": None, "hidden_by_acro_alone": 0}  # fmt: skip
    for alone, both, sentence in ((0, None, "inte dolt något"), (2, 15, "Se efter varför")):
        acro = {**told, "hidden_by_acro_alone": alone, "hidden_by_both": both}
        page = render_review(replace(review, facts={**FACTS, "acro": acro}), load_dictionary())
        assert sentence in page
        assert ("då sägs det inte" in page) == (both is None)


def test_rows_that_dropped_out_stand_on_the_page(review):
    steps = review.numbers[review.numbers["table"].eq("attrition")]
    assert steps["estimate"].notna().any()
    page = render_review(review, load_dictionary())
    assert "Bortfallna rader" in page and "Rows dropped" in page
    assert "in_extract" not in page


def test_one_measure_has_one_name_on_pages_and_on_the_officers(review):
    page = make_page(study=JOINT)
    sheet = Sheet(Review(page.plan, FACTS, review.numbers, BESIDE, {}), load_dictionary(), "sv")
    assert name_measure(sheet, "near") == name_measure(page, "near") != "near"
    assert name_any_measure(sheet, "police_only") == "bara polisen"
