"""The answer for those in whom both choices occur stands by itself, and only where it may."""

from __future__ import annotations

import dataclasses

import pytest

from revictimisation.report.page import Page
from revictimisation.report.sections import measure, overlap

from .conftest import LANGUAGES, make_page
from .test_answers import ALARM, STUDY, add_checks, hidden, trial, words

OVERLAP = {"analysis": "overlap_population"}
UNLIKE = hidden(ALARM, "withheld", "share_outside_support")
# people by risk level: 200 of 1000 at high, the rest low; and those in whom both choices occur
PROFILE = [(*OVERLAP.values(), ALARM, f"share_weighted:risk_level={level}", share, None, "ok")
           for level, share in (("high", 0.47), ("low", 0.53))]  # fmt: skip


def make_alarm(rows: list[dict], language: str = "en") -> Page:
    page = add_checks(make_page(language, rows, STUDY), PROFILE)
    return dataclasses.replace(page, measure=ALARM)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_apart_where_everyones_is_withheld(language):
    people = {"question": "q3", "subgroup": "risk_level", "analysis": "treatment_share",
              "outcome": "started", "estimator": "description", "estimand": "share",
              "time_days": None}  # fmt: skip
    levels = [{**trial(ALARM, 0.3, 0.4)[0], **people, "level": level, "n_people": n, "n_events": 50}
              for level, n in (("high", 200), ("low", 800))]  # fmt: skip
    rows = [UNLIKE, *trial(ALARM, 0.31, 0.42, **OVERLAP), *levels]
    page = make_alarm(rows, language)
    told = words(measure.show_effect(page).html)
    assert overlap.describe_overlap(page, ALARM) in told and "11" in told
    table = words(overlap.show_overlap(page).html)
    assert all(one in table for one in ("31", "42", "47", "20"))


def test_it_is_silent_where_everyones_stands_or_its_own_is_withheld():
    of_them = trial(ALARM, 0.31, 0.42, **OVERLAP)
    own = {**hidden(ALARM, "withheld", "effective_sample_size"), **OVERLAP}
    for rows in ([*trial(ALARM, 0.3, 0.4), *of_them], [UNLIKE, own], [UNLIKE]):
        assert overlap.describe_overlap(make_alarm(rows), ALARM) == ""
    assert overlap.show_overlap(make_alarm([UNLIKE])).html == ""
