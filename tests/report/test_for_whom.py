"""Question 3 in words: what is called, what cannot be told, and for referees."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from revictimisation.core.results import DIAGNOSTIC_COLUMNS
from revictimisation.report.group_effects import (
    describe_missing,
    find_difference,
    list_detectable,
    list_differences,
    list_groupings,
    list_pairs,
    name_division,
    name_level,
    name_row,
    widen_for_family,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections import exploration, for_whom, group_numbers
from tests.cases import for_each

from .conftest import make_page

STUDY = """name: mini
measures: {contact_person: {grace_days: 60}, safety_talk: {grace_days: 0}}
subgroups: [risk_level, is_honour]
for_whom: {combined: {men_over_18: {title: {sv: Män över 18 år, en: Men over 18},
                                    levels: {sex: [male], age_group: [18-26]}}}}
negative_controls: {measures: [safety_talk]}
"""
PERSON, TALK = "contact_person", "safety_talk"
TRIAL = {"question": "q3", "outcome": "same_suspect", "estimator": "clone_censor_weight"}
COX = {**TRIAL, "estimator": "cox_time_varying"}
LEVELS = {"risk_level": ("low", "moderate", "high", "missing"), "is_honour": ("true", "false"),
          "men_over_18": ("true", "false")}  # fmt: skip
DAY = 365


def effect(measure: str, group: str, level: str, mid: float, half: float = 0.03, **more) -> dict:
    """A group's risk difference on the tested day."""
    return {**TRIAL, "measure": measure, "subgroup": group, "level": level,
            "estimand": "risk_difference", "time_days": DAY, "estimate": mid, "ci_low": mid - half,
            "ci_high": mid + half, "n_people": 500, "n_events": 150, **more}  # fmt: skip


def hidden(measure: str, group: str, level: str, status: str, reason: str) -> dict:
    keys = dict.fromkeys(("estimate", "ci_low", "ci_high", "n_people", "n_events"))
    return effect(measure, group, level, 0.0, **keys, status=status, reason=reason)


def ratio(measure: str, group: str, level: str, mid: float, times: float) -> dict:
    return {**COX, "measure": measure, "subgroup": group, "level": level, "estimate": mid,
            "estimand": "hazard_ratio", "ci_low": mid / times, "ci_high": mid * times,
            "n_people": 200, "n_events": 30}  # fmt: skip


def drawn(row: dict, share: float) -> dict:
    """The same number drawn so far towards no difference, on its own scale."""
    same = 0.0 if row["estimand"] == "risk_difference" else 1.0
    moved = {name: same + (row[name] - same) * (1 - share)
             for name in ("estimate", "ci_low", "ci_high")}  # fmt: skip
    return {**row, **moved, "analysis": "partially_pooled"}


def p_values(measure: str, group: str, raw: float, holm: float, scale: dict = TRIAL) -> list[dict]:
    """The test that all groups are alike, and its adjusted p-value."""
    day = {"time_days": DAY} if scale is TRIAL else {}
    same = {**scale, "analysis": "contrast", "measure": measure, "subgroup": group, **day}
    return [{**same, "estimand": "p_value", "estimate": raw},
            {**same, "estimand": "p_value_holm", "estimate": holm}]  # fmt: skip


def add_detectable(page: Page, values: dict[tuple[str, str], float]) -> Page:
    """What would have been seen, by measure and `grouping=level`."""
    rows = [
        ("subgroup_effects", measure, f"minimum_detectable_difference:{DAY}:{level}", value,
         None, "ok")
        for (measure, level), value in values.items()
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS))
    return Page(
        dataclasses.replace(page.release, diagnostics=frame), page.dictionary, page.language
    )


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text)).replace("\xa0", " ")


def all_rows() -> list[dict]:
    """Two measures in three groupings: one difference called by risk, one while in force only."""
    found = [effect(PERSON, "risk_level", level, mid) for level, mid in
             (("high", -0.1), ("moderate", -0.02), ("low", 0.01), ("missing", 0.2))]  # fmt: skip
    found += [effect(PERSON, "is_honour", level, mid) for level, mid in
              (("true", -0.03), ("false", 0.0))]  # fmt: skip
    found += [hidden(PERSON, "men_over_18", "true", "withheld", "effective_sample_size"),
              effect(PERSON, "men_over_18", "false", -0.01)]  # fmt: skip
    found += [ratio(PERSON, "is_honour", "true", 0.5, 1.2),
              ratio(PERSON, "is_honour", "false", 1.0, 1.1)]  # fmt: skip
    found += [drawn(row, 0.1) for row in found if row.get("status") is None]
    found += p_values(PERSON, "risk_level", 0.0, 0.004) + p_values(PERSON, "is_honour", 0.2, 1.0)
    found += p_values(PERSON, "is_honour", 0.0, 0.001, COX)
    found += [effect(TALK, "is_honour", level, 0.0, 0.05) for level in ("true", "false")]
    found += p_values(TALK, "is_honour", 0.3, 1.0)
    return [*found, *(answer(measure) for measure in (PERSON, TALK))]


def answer(measure: str) -> dict:
    """An answer to the main question; without one there is none for groups."""
    keys = {"question": "q2", "subgroup": "", "level": "", "time_days": 1461}
    return effect(measure, "", "", -0.02, 0.05) | keys


def unanswered() -> list[dict]:
    return [row for row in all_rows() if row["question"] != "q2"]


def open_page(language: str = "sv") -> Page:
    return make_page(language, all_rows(), STUDY)


def test_what_is_called_comes_first_with_pooled_numbers_alone():
    page = open_page()
    lead, shown = words(for_whom.show_lead(page).html), words(for_whom.show_claims(page).html)
    assert "2 av 3 prövade skillnader mellan grupper är större än slumpen" in lead
    assert "över alla 4 prövningar i studien" in lead
    risk = "Kontaktperson, nya anmälningar inom 1 år av 100 ärenden. Hög risk: 9 färre. Låg risk: o"
    force = "Kontaktperson, ny anmälan medan åtgärden pågår. Hedersrelaterade ärenden: ungefär "
    assert 0 <= shown.index(risk) < shown.index(force)
    assert (
        "Inom 1 år från anmälan, också sedan åtgärden har slutat, syns ingen säker skill" in shown
    )
    # -10,0 and 0,50 are groups' own numbers; a group that is not stated is none of the ends
    assert "−9,0 −11,7 till −6,3" in shown and "0,55 0,48–0,64" in shown
    assert not re.search("−10,0|0,50|20 fler", shown)
    line = for_whom.describe_for_whom(page)
    assert line.startswith(risk[:-3]) and line.endswith("2 av 3 skillnader är större än slumpen.")


def test_more_claims_than_pictures_are_named(monkeypatch):
    monkeypatch.setattr(for_whom, "MOST_CLAIMS", 1)
    shown = words(for_whom.show_claims(open_page()).html)
    named = "Också större än slumpen: kontaktperson, hedersrelaterade ärenden mot övriga."
    assert named in shown and "medan åtgärden pågår" not in shown


def test_a_difference_called_for_a_placebo_measure_is_a_warning():
    assert "misstar sig metoden" not in for_whom.show_claims(open_page()).html
    rows = [*all_rows(), *p_values(TALK, "is_honour", 0.0, 0.01, COX)]
    rows += [ratio(TALK, "is_honour", "true", 0.5, 1.2), ratio(TALK, "is_honour", "false", 1, 1.1)]
    warned = make_page("sv", rows, STUDY)
    assert "studiefilen antar att skyddssamtal inte" in words(for_whom.show_claims(warned).html)


def none_called(language: str = "sv") -> Page:
    rows = [row | ({"estimate": 0.4} if row["estimand"] == "p_value_holm" else {})
            for row in all_rows()]  # fmt: skip
    page = make_page(language, rows, STUDY)
    return add_detectable(page, {
        (PERSON, "risk_level=high"): 0.08, (PERSON, "risk_level=low"): 0.3,
        (PERSON, "is_honour=true_less_false"): 0.2, (PERSON, "men_over_18=true"): 0.25,
        (TALK, "is_honour=true_less_false"): 0.1,
    })  # fmt: skip


def with_pairs(page: Page) -> Page:
    """The same with rows of the contrasts, which tell the pairs of groups there are."""
    pair = effect(PERSON, "is_honour", "true_less_false", -0.03, 0.1, analysis="contrast")
    more = make_page("sv", [pair]).release.estimates
    table = pd.concat([page.release.estimates, more], ignore_index=True)
    release = dataclasses.replace(page.release, estimates=table)
    return Page(release, page.dictionary, page.language)


def test_nothing_clear_is_no_proof_and_what_would_have_been_seen_stands_beside():
    page = with_pairs(none_called())
    shown = words(for_whom.show_lead(page).html)
    assert "Ingen säker skillnad. Av 3 prövade" in shown
    assert "inte samma sak som att åtgärderna verkar lika för alla" in shown
    # of four tests (2.498 + 0.842) / (1.960 + 0.842) standard errors more than of one
    factor = widen_for_family(4)
    assert factor == pytest.approx(3.3394 / 2.8016, abs=1e-3)
    found = list_detectable(page, is_tested=True)
    assert found == pytest.approx(
        {(PERSON, "is_honour"): 0.2 * factor, (TALK, "is_honour"): 0.1 * factor}
    )
    grid = words(for_whom.show_measures(page).html)
    assert (
        "hade sett är 12 av 100; i hälften av jämförelserna hade den behövt vara 24 eller mer"
        in grid
    )
    # of the person the risk levels are tested but without what would have been seen
    assert "Kontaktperson ○ 24 –" in grid and "Skyddssamtal – 12 –" in grid
    nearest = words(for_whom.show_claims(page).html)
    assert "Kan vara slumpen: kontaktperson, efter risknivå" in nearest
    assert "Ingen av 3 prövade skillnader" in for_whom.describe_for_whom(page)


def test_the_smallest_that_would_have_been_seen_is_of_measures_that_have_an_answer():
    """A measure without one has no number in the table, so none above it either."""
    page = with_pairs(none_called())
    assert "är 12 av 100" in words(for_whom.show_measures(page).html)
    table = page.release.estimates
    has_answer = table["question"].eq("q2") & table["measure"].eq(TALK)
    release = dataclasses.replace(page.release, estimates=table[~has_answer])
    shown = words(for_whom.show_measures(Page(release, page.dictionary, "sv")).html)
    assert "är 24 av 100" in shown and "12 av 100" not in shown


def test_a_difference_only_while_in_force_is_said_so_first_and_its_group_by_its_own_number():
    rows = [row | ({"estimate": 0.4} if row["estimand"] == "p_value_holm"
                   and row["subgroup"] == "risk_level" else {}) for row in all_rows()]  # fmt: skip
    # the own number of the honour-related (0.42 to 0.60) is apart, the pooled one no longer
    rows = [row | ({"ci_high": 1.2} if row.get("analysis") == "partially_pooled"
                   and row["estimand"] == "hazard_ratio" else {}) for row in rows]  # fmt: skip
    page = make_page("sv", rows, STUDY)
    lead = words(for_whom.show_lead(page).html)
    assert "medan åtgärden pågår – hedersrelaterade ärenden: oklart; övriga" in lead
    assert "Efter 1 år syns ingen säker skillnad. De övriga" in lead
    shown = words(for_whom.show_claims(page).html)
    assert "för hedersrelaterade ärenden: ungefär hälften så vanlig (hasardkvot 0,50" in shown
    assert "Personer som fått åtgärden" in shown
    grid = words(for_whom.show_measures(page).html)
    assert "◐ större än slumpen, men bara medan" in grid and "●" not in grid


def test_every_measure_has_its_sentence_and_its_row():
    page = with_pairs(none_called())
    told = for_whom.describe_measure_groups(page, PERSON)
    assert "(2 indelningar prövade). Skillnader under ungefär 24 av 100 hade" in told
    assert "Hög risk: 9 färre" in for_whom.describe_measure_groups(open_page(), PERSON)
    assert "Kontaktperson ● ◐ –" in words(for_whom.show_measures(open_page()).html)


def test_a_measure_without_an_answer_has_none_for_groups_either():
    page = make_page("sv", unanswered(), STUDY)
    assert "Kontaktperson – – –" in words(for_whom.show_measures(page).html)
    assert "finns inget svar" in for_whom.describe_measure_groups(page, PERSON)
    assert "Inget svar" in for_whom.describe_for_whom(page)
    # referees have them, hazards with the events they rest on
    shown = words(group_numbers.show_own_and_pooled(page).html)
    assert "Kontaktperson: Hög risk −10,0" in shown and "0,50 0,42–0,60 30 händelser" in shown


def test_a_group_is_clear_only_where_its_pooled_number_is():
    rows = [row if row.get("analysis") != "partially_pooled" else {**row, "ci_high": 0.2}
            for row in all_rows()]  # fmt: skip
    for page, told in ((open_page(), "Hög risk: 9 färre"),
                       (make_page("sv", rows, STUDY), "Hög risk: oklart")):  # fmt: skip
        assert told in words(for_whom.show_claims(page).html)


def test_one_difference_is_told_in_the_singular():
    rows = [row | ({"estimate": 0.4} if row["estimand"] == "p_value_holm"
                   and row["subgroup"] == "is_honour" else {}) for row in all_rows()]  # fmt: skip
    page = make_page("sv", rows, STUDY)
    assert "Bara en av 3 prövade skillnader mellan grupper är" in words(
        for_whom.show_lead(page).html
    )
    assert "Hög risk: 9 färre" in for_whom.describe_for_whom(page)
    other = [row | ({"estimate": 0.4} if row["estimand"] == "p_value_holm"
                    and row["subgroup"] == "risk_level" else {}) for row in all_rows()]  # fmt: skip
    in_force = for_whom.describe_for_whom(make_page("sv", other, STUDY))
    assert in_force.startswith("Kontaktperson, nya anmälningar medan åtgärden pågår – ")
    assert "hedersrelaterade ärenden: färre;" in in_force
    assert in_force.endswith("Efter 1 år syns ingen säker skillnad.")


@for_each(
    ("number", "short"),
    [
        (Number(status="suppressed", reason="small_number"), "gruppen är för liten för att visas"),
        (Number(status="suppressed", reason="complement"), "gruppen är för liten för att visas"),
        (Number(status="suppressed", reason="kept_back"), "visas aldrig per ort"),
        (Number(status="withheld", reason="few_events"), "för få nya anmälningar"),
        (Number(reason="nobody_started"), "ingen började med åtgärden"),
        (Number(reason="beyond_horizon"), "tiden ligger bortom uppföljningen"),
    ],
)
def test_why_a_group_has_no_number(number, short):
    page = open_page()
    assert describe_missing(page, number, "short") == short
    assert len(describe_missing(page, number)) > 10


def test_groups_in_words():
    page = open_page()
    assert list_groupings(page) == ["risk_level", "is_honour", "men_over_18"]
    assert name_level(page, "men_over_18", "true") == "män över 18 år"
    assert name_level(page, "men_over_18", "false") == "övriga"
    assert name_row(page, "men_over_18", "true") == "Män över 18 år"
    assert name_row(page, "men_over_18", "false") == "Män över 18 år: övriga"
    assert name_row(page, "risk_level", "missing") == "Risknivå: uppgift saknas"
    assert name_level(page, "age_group", "65+") == "65 år eller äldre"
    assert name_level(page, "municipality_group", "commuting") == "pendlingskommun"
    assert name_division(page, "men_over_18") == "män över 18 år mot övriga"
    assert name_division(page, "x_ward") == "efter ward"
    assert list_pairs(with_pairs(page), "is_honour") == [("true", "false")]


def test_differences_in_their_order():
    order = [(one.measure, one.grouping, one.is_called) for one in list_differences(open_page())]
    assert order[:3] == [(PERSON, "risk_level", True), (PERSON, "is_honour", True),
                         (TALK, "is_honour", False)]  # fmt: skip
    first = find_difference(open_page(), PERSON, "risk_level")
    assert first.is_called_by_risk and first.unadjusted == 0 and first.adjusted == 0.004


def test_referees_see_own_and_pooled_side_by_side_and_the_family():
    page = with_pairs(none_called())
    shown = words(group_numbers.show_own_and_pooled(page).html)
    assert "Kontaktperson: Hög risk −10,0 −13,0 till −7,0 −9,0 −11,7 till −6,3 500 8" in shown
    assert "Kontaktperson: Hedersrelaterade ärenden −3,0" in shown
    assert "0,50 0,42–0,60 0,55 0,48–0,64" in shown
    # alone with a number among men over 18 and others: nothing to be drawn to
    assert "Män över 18 år: övriga −1,0 −4,0 till +2,0 – 500" in shown
    assert "Män över 18 år hålls inne –" in shown and "För få att jämföra." in shown
    tests = words(group_numbers.show_tests(open_page()).html)
    assert "tillsammans 12 test, av vilka 4 gick att göra" in tests
    assert "Kontaktperson: Hedersrelaterat 0,200 1,000 < 0,001 0,001" in tests.replace("&lt;", "<")
    contrasts = words(group_numbers.show_contrasts(page).html)
    assert "hedersrelaterade ärenden mot övriga ärenden −3,0" in contrasts


SECTIONS = [for_whom.show_lead, for_whom.show_claims, for_whom.show_measures, for_whom.show_limits,
            for_whom.show_exploration, group_numbers.show_tests, group_numbers.show_own_and_pooled,
            group_numbers.show_contrasts, exploration.show_exploration_numbers]  # fmt: skip


def read_all(page: Page) -> str:
    shown = " ".join(section(page).html for section in SECTIONS)
    assert not re.search(r"\bnan\b|None|[{}]", re.sub(r'base64,[^"]+', "", shown))
    return words(shown)


@for_each("language", ["sv", "en"])
def test_a_study_without_groups_says_so(language):
    study = "name: mini\nsubgroups: []\nfor_whom: {combined: {}}"
    shown = read_all(make_page(language, [], study))
    assert {"sv": "nämner inga grupper", "en": "names no groups"}[language] in shown


@for_each("language", ["sv", "en"])
def test_where_all_is_suppressed_the_page_says_so(language):
    rows = [{**row, "status": "suppressed", "reason": "small_number", "estimate": None,
             "ci_low": None, "ci_high": None, "n_people": None, "n_events": None}
            for row in all_rows()]  # fmt: skip
    page = make_page(language, rows, STUDY)
    shown = read_all(page)
    told = {"sv": ("Inget svar.", "gruppen är för liten för att visas"),
            "en": ("No answer.", "the group is too small to be shown")}  # fmt: skip
    assert all(one.lower() in shown.lower() for one in told[language])
    assert for_whom.show_claims(page).html == ""


def test_both_languages_show_the_same_numbers():
    digits = [re.sub(r"\D+", " ", read_all(with_pairs(open_page(one)))).split()
              for one in ("sv", "en")]  # fmt: skip
    assert digits[0] == digits[1] and len(digits[0]) > 100


def explored(measure: str, holm: float) -> list[dict]:
    same = {"question": "q3", "analysis": "exploration", "measure": measure, "time_days": DAY,
            "estimator": "effect_learner"}  # fmt: skip
    rows = [
        {"estimand": "p_value", "estimate": holm / 2},
        {"estimand": "p_value_holm", "estimate": holm},
        {"estimand": "effect_spread", "estimate": 0.02, "ci_low": 0.01, "ci_high": 0.03},
    ]
    ends = (("most_helped", -0.09), ("least_helped", 0.01), ("most_helped_less_least_helped", -0.1))
    group = {"estimand": "risk_difference", "subgroup": "predicted_effect"}
    rows += [
        {**group, "level": level, "estimate": mid, "ci_low": mid - 0.03, "ci_high": mid + 0.03}
        for level, mid in ends
    ]
    rows = [{**same, "outcome": "same_suspect", **row} for row in rows]
    return rows + [
        {**same, "estimand": "share", "subgroup": "risk_level", "level": "high", "outcome": end,
         "estimate": share, "ci_low": share - 0.05, "ci_high": share + 0.05}
        for end, share in (("most_helped", 0.6), ("least_helped", 0.1))
    ]  # fmt: skip


def test_exploration_is_told_as_such():
    rows = [*all_rows(), *explored(PERSON, 0.01), *explored(TALK, 0.5)]
    page = make_page("sv", rows, STUDY)
    shown = words(for_whom.show_exploration(page).html)
    assert shown.strip().startswith("Utforskning: bara uppslag")
    assert "Kontaktperson : ett mönster höll" in shown and "9 färre, mellan 6 och 12 färre" in shown
    assert "Inget säkert mönster: skyddssamtal." in shown
    # the family of named groups is another
    assert "av vilka 4 gick att göra" in words(group_numbers.show_tests(page).html)
    shown = words(exploration.show_exploration_numbers(page).html)
    # who they are only where it was more than chance
    assert "Kontaktperson: vilka som" in shown and "Skyddssamtal: vilka som" not in shown
    assert "Hög risk 60,0 % 55,0–65,0 % 10,0 %" in shown


def test_exploration_that_could_not_be_done_says_why():
    row = {"question": "q3", "analysis": "exploration", "measure": PERSON, "time_days": DAY,
           "estimator": "effect_learner", "outcome": "same_suspect", "estimand": "p_value",
           "status": "not_estimable", "reason": "no_finite_answer"}  # fmt: skip
    page = make_page("sv", [*all_rows(), row, {**row, "measure": TALK}], STUDY)
    shown = words(for_whom.show_exploration(page).html)
    assert "Gick inte att söka i: kontaktperson och skyddssamtal. För få personer" in shown
    assert for_whom.show_exploration(open_page()).html == ""
