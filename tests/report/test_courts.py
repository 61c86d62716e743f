"""Page 5 answers first: whether any measure goes with a conviction, and what would have shown."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from revictimisation.report.described import Figure
from revictimisation.report.page import Page
from revictimisation.report.rendering import draw
from revictimisation.report.sections import courts
from revictimisation.report.sections.court_numbers import list_decision_tests, show_decisions
from revictimisation.report.sections.courts import describe_answer, describe_convictions

from .conftest import make_page

STUDY = """
name: mini
measures: {contact_person: {}, safety_talk: {}}
report_at_days: [1461]
"""


def rows(p_holm: float, se: float = 0.02) -> list[dict]:
    """Two measures' differences; the first is called by Holm if `p_holm` is below 0.05."""
    same = {"question": "q4", "outcome": "convicted", "estimator": "standardised_logistic",
            "time_days": 1461}  # fmt: skip
    made = []
    for measure, p_value in (("contact_person", p_holm), ("safety_talk", 1.0)):
        gap = {"estimate": 0.1, "ci_low": 0.1 - 2 * se, "ci_high": 0.1 + 2 * se, "se": se}
        made.append({**same, "measure": measure, "estimand": "risk_difference", **gap})
        made.append({**same, "measure": measure, "estimand": "p_value_holm", "estimate": p_value})
    return made


def test_none_is_no_proof_of_none():
    told = describe_answer(make_page("sv", rows(0.4), STUDY))
    assert "**Inget säkert samband.** Av 2 åtgärder" in told
    # of two tests (2.241 + 0.842) standard errors of 0.02
    assert "ungefär 6 fällande domar" in told


def test_those_beyond_chance_are_named():
    told = describe_answer(make_page("sv", rows(0.01), STUDY))
    assert "**Ja, 1 av 2 som gick att pröva**: kontaktperson." in told
    assert "skyddssamtal" not in told.lower()


def test_with_nothing_to_show_it_says_so():
    assert "ärendena är för få" in describe_answer(make_page("sv", [], STUDY))


def hazards(cleared: tuple[float, float, float]) -> list[dict]:
    """Hazard ratios of the decisions of two measures; one of them stands out or not."""
    same = {"question": "q4", "estimator": "cox_time_varying", "estimand": "hazard_ratio"}
    flat = (1.0, 0.8, 1.25)
    return [
        {**same, "measure": measure, "outcome": outcome,
         **dict(zip(("estimate", "ci_low", "ci_high"),
                    cleared if (measure, outcome) == ("contact_person", "cleared") else flat,
                    strict=True))}
        for measure in ("contact_person", "safety_talk") for outcome in ("decided", "cleared")
    ]  # fmt: skip


def test_decisions_that_stand_when_tested_together_are_told_to_referees():
    page = make_page("sv", [*rows(0.4), *hazards((1.5, 1.2, 1.875))], STUDY)
    found = [one.p_holm for one in list_decision_tests(page)]
    # log(1.5) / (log(1.5625) / 3.919928) = 3.5613 errors: p 0.000369, of four tests 0.001476
    assert [round(one, 5) for one in found] == [1.0, 0.00148, 1.0, 1.0]
    told = "oftare eller tidigare personuppklarad efter kontaktperson (1,50, osäkerhet 1,20–1,88"
    assert told in show_decisions(page).html


def test_a_decision_that_one_test_alone_would_call_is_not_called():
    page = make_page("sv", [*rows(0.4), *hazards((1.25, 1.02, 1.53))], STUDY)
    assert "inget av dem mer än slumpen" in show_decisions(page).html


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text)).replace("\xa0", " ")


def test_an_interval_apart_from_none_is_called_only_with_all_tested_together():
    for p_holm, told in ((0.4, "kan vara slumpen"), (0.01, "10 fler, mellan 6 och 14 fler")):
        shown = words(courts.show_association(make_page("sv", rows(p_holm), STUDY)).html)
        assert f"Kontaktperson: {told[:1].upper()}{told[1:]}" in shown or (
            f"Kontaktperson: {told}" in shown
        )


def reached(outcome: str, share: float, **keys) -> dict:
    same = {"question": "q4", "analysis": "ladder", "outcome": outcome, "time_days": 1461,
            "estimator": "aalen_johansen", "estimand": "cumulative_incidence"}  # fmt: skip
    ends = {"ci_low": share - 0.01, "ci_high": share + 0.01}
    return {**same, "estimate": share, **ends, "n_people": 1000, **keys}


def test_the_line_for_the_first_page_says_how_many_and_never_effect():
    share = reached("convicted", 0.11)
    told = describe_convictions(make_page("sv", [*rows(0.4), share], STUDY))
    assert told == (
        "11 av 100 ärenden ledde till fällande dom inom 4 år. "
        "Inget säkert samband med någon av 2 åtgärder."
    )
    some = describe_convictions(make_page("sv", [*rows(0.01), share], STUDY))
    assert "Samband, inte bevisad effekt, med 1 av 2 åtgärder" in some


def standing(state: str, day: int, share: float) -> dict:
    return reached("case_state", share, analysis="ladder_curve", subgroup="case_state",
                   level=state, time_days=day, estimand="share")  # fmt: skip


def test_states_are_drawn_to_a_hundred_with_what_is_open():
    told = [standing("discontinued", 31, 0.4), standing("discontinued", 1461, 0.8),
            standing("convicted", 62, 0.05), standing("convicted", 1461, 0.11)]  # fmt: skip
    page = make_page("sv", told, STUDY)
    (figure,) = [one for one in courts.show_states(page).walk() if isinstance(one, Figure)]
    picture = figure.picture
    assert list(picture.days) == [0, 31, 62, 1461]
    for at in range(4):
        assert sum(one.shares[at] for one in picture.series) == pytest.approx(1.0)
    open_part = picture.series[-1]
    # 62 days: 0.4 + 31 / 1430 of 0.4 discontinued, 0.05 convicted
    assert open_part.shares[2] == pytest.approx(1 - 0.4 - 0.4 * 31 / 1430 - 0.05, abs=1e-6)
    assert [one.told for one in picture.series] == ["11\xa0%", "", "80\xa0%", ""]
    # what is open has no number of its own to tell
    assert figure.alt.endswith("Efter 4 år: fällande dom 11\xa0%, "
                               "nedlagda 80\xa0%.")  # fmt: skip
    wide, narrow = draw(picture)
    assert all(word in svg.decode() for svg in (wide, narrow) for word in ("öppna", "fällande dom"))
    # of a day that is not told no number is written
    assert courts._write_end(page, [[(31, 0.4), (400, 0.41)]], 365) == ""


def test_the_picture_ends_on_a_day_that_is_told_and_the_table_holds_no_empty_day():
    told = [standing("discontinued", day, share)
            for day, share in ((31, 0.5), (713, 0.995), (1461, 0.996))]  # fmt: skip
    page = make_page("sv", told, STUDY.replace("[1461]", "[365, 730, 1461]"))
    (figure,) = [one for one in courts.show_states(page).walk() if isinstance(one, Figure)]
    # by 730 days next to none are open, but no number of that day is told
    assert figure.picture.days[-1] == 1461 and figure.alt.count("Efter 4 år") == 1
    assert figure.table.columns == ["Läge", "4 år"]


def test_shares_of_rounded_counts_are_whole_and_the_days_of_the_change_are_named():
    share = {"question": "q4", "analysis": "of_tried", "outcome": "convicted",
             "estimator": "description", "estimand": "share"}  # fmt: skip
    periods = ({}, {"subgroup": "definition_period", "level": "before_change"},
               {"subgroup": "definition_period", "level": "from_change"})  # fmt: skip
    rows = [
        {**share, **keys, "estimate": n / of, "ci_low": 0.7, "ci_high": 0.84, "n_people": of}
        for keys, (n, of) in zip(periods, ((355, 450), (210, 270), (145, 185)), strict=True)
    ]
    shown = words(courts.show_denominators(make_page("sv", rows, STUDY)).html)
    assert "Före 2014 Från 2014" in shown
    assert "Dem som fick dom 79 % 70–84 % 78 % 70–84 % 78 % 70–84 %" in shown
    assert "avrundade till närmaste 5" in shown


def test_what_may_be_chance_is_explained_and_no_mark_that_is_not_there():
    shown = [words(courts.show_association(make_page("sv", rows(p), STUDY)).html)
             for p in (0.4, 0.01)]  # fmt: skip
    assert "”Kan vara slumpen”: ensamt" in shown[0] and "när 2 åtgärder prövas" in shown[0]
    assert "Fyllt tecken" not in shown[0] and "Fyllt tecken" in shown[1]


def with_rows(n_all: object, n_known: object) -> Page:
    """A page that knows how many rows of reports there were, and how many name a suspect."""
    page = make_page("sv", [reached("prosecuted", 0.14)], STUDY)
    told = pd.DataFrame({"step": "reports", "reason": ["in_extract", "suspect_unknown"],
                         "n_reports": pd.array([n_all, n_known], dtype="Int64")})  # fmt: skip
    return dataclasses.replace(page, release=dataclasses.replace(page.release, attrition=told))


def test_rows_with_a_known_suspect_stand_beside_the_ladder_where_that_is_told():
    shown = words(courts.show_ladder(with_rows(1000, 930)).html)
    assert "har 93 av 100 en känd misstänkt" in shown and "Åtal väckt 14 %" in shown
    assert "14 av 100 ärenden leder till åtal inom 4 år" in shown
    for counts in ((1000, None), (None, None), (0, 0)):
        assert "känd misstänkt" not in words(courts.show_ladder(with_rows(*counts)).html)


def test_published_shares_of_one_sex_do_not_stand_beside_a_share_of_both():
    shown = courts.show_denominators(make_page("sv", [], STUDY)).html
    assert "grov kvinnofridskränkning" in shown and not re.search(
        "misshandel av (?:kvinna|man)", shown
    )


def test_the_steps_are_explained_in_the_words_of_the_word_list():
    shown = courts.show_ladder(make_page("sv", [], STUDY)).html
    assert all(one in shown for one in ("Personuppklarad", "Lagförd", "Fällande dom"))


def test_the_alt_text_says_nothing_is_open_that_it_does_not_know_of():
    """Where not every ending is told of the day what is left is not what is open."""
    told = [standing("discontinued", 31, 0.4), standing("discontinued", 1461, 0.88),
            standing("convicted", 62, 0.05), standing("convicted", 730, 0.11)]  # fmt: skip
    page = make_page("en", told, STUDY)
    (figure,) = [one for one in courts.show_states(page).walk() if isinstance(one, Figure)]
    assert "open" not in figure.alt
