"""The page on linkage: nothing small on it, how answers move, in both languages; by hand."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from revictimisation.analyses.linkage_quality import list_rates, share_link_status
from revictimisation.commands import run as runner
from revictimisation.commands.folders import LINKAGE
from revictimisation.commands.manifest import open_run
from revictimisation.core.results import combine, make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import disclose_diagnostics, disclose_estimates
from revictimisation.plan import read_plan
from revictimisation.report.described import join
from revictimisation.report.page import Page
from revictimisation.report.pages import list_pages
from revictimisation.report.release import Release
from revictimisation.report.sections import linkage
from tests.cases import for_each
from tests.report.conftest import make_page

SHOWN = ("show_lead", "show_found", "show_errors", "show_moves", "show_who", "show_method")
STUDY = "name: mini\nmeasures: {support_talks: , contact_person: , alarm_package: }\n"
STATUSES = [("linked_by_number", 600), ("linked_by_probability", 30), ("unlinked_with_number", 350),
         ("no_number_unlinked", 20)]  # fmt: skip
GROUPS = [("sex", "female", 700, 450, 16), ("sex", "male", 300, 180, 3),
          ("municipality_code", "0180", 900, 600, 20), ("municipality_code", "0114", 3, 1, 0),
          ("municipality_code", "0115", 90, 29, 0),
          ("is_honour", "missing", 1000, 630, 20)]  # fmt: skip
RATES = {
    "n_clients": 1000, "n_new_identities": 3, "n_links_lost_to_new_identities": 1.8,
    "missed_link_rate": 0.0124, "missed_link_rate_low": 0.0, "missed_link_rate_high": 0.031,
    "false_link_rate": 0.0002, "false_link_rate_low": 0.0, "false_link_rate_high": 0.0009,
    "checked_missed_link_rate": 0.012, "checked_false_link_rate": 0.0,
}  # fmt: skip


def make_release(rates: dict[str, float], moved: float = -0.004) -> Release:
    counts = [(agency, "link_status", name, "", 1000, n) for agency in linkage.AGENCIES
              for name, n in STATUSES]  # fmt: skip
    for group, level, n, n_linked, n_missing in GROUPS:
        row = ("social_services", group, level)
        counts += [(*row, "linked", n, n_linked), (*row, "no_number_unlinked", n, n_missing)]
    names = ["agency", "subgroup", "level", "outcome", "n_people", "n_events"]
    keys = {"question": "q2", "outcome": "same_suspect", "estimator": "clone_censor_weight",
            "estimand": "risk_difference", "time_days": 1461, "n_people": 1000,
            "n_events": 300}  # fmt: skip
    answers = [("support_talks", -0.05, "ok"), ("contact_person", 0.02, "withheld"),
               ("alarm_package", 0.01, "ok")]  # fmt: skip
    rows = []
    for name, value, status in answers:
        analyses = ("main",) if name == "alarm_package" else ("main", "linkage_error")
        for analysis in analyses:
            shift = moved if analysis != "main" else 0.0
            rows.append({
                **keys, "measure": name, "analysis": analysis, "estimate": value + shift,
                "ci_low": value + shift - 0.049, "ci_high": value + shift + 0.049,
                "status": status, "reason": "" if status == "ok" else "positivity",
            })  # fmt: skip
    plan = read_plan(STUDY)
    link_statuses = share_link_status(pd.DataFrame(counts, columns=names))
    exact = combine([link_statuses, make_estimates(rows)]) if rates else make_estimates(rows)
    released = disclose_estimates(exact, plan.disclosure, {})
    return Release(
        plan=plan,
        is_synthetic=False,
        estimates=released,
        attrition=pd.DataFrame(),
        diagnostics=disclose_diagnostics(list_rates(rates), plan.disclosure, exact, released),
    )


def render(language: str, rates: dict[str, float] = RATES, **given: float) -> str:
    page = Page(make_release(rates, **given), load_dictionary(), language)
    whole = join(getattr(linkage, name)(page) for name in SHOWN).html
    text = re.sub(r'src(?:set)?="[^"]*"', "", whole)
    return text.replace("\xa0", " ")


@pytest.fixture(scope="module")
def swedish() -> str:
    return render("sv")


@pytest.fixture(scope="module")
def english() -> str:
    return render("en")


def test_the_first_lines_tell_what_matters(swedish, english):
    assert "<strong>1 000 personer</strong>" in swedish and "63,0 %" in swedish
    assert "<strong>1,2 % missade</strong> (osäkerhet 0,0–3,1 %)" in swedish
    assert "knyter under 0,1 % ihop två olika personer (osäkerhet 0,0–0,1 %)" in swedish
    assert "none of the answers by more than 0.4 people in 100" in english


def test_an_answer_that_becomes_another_is_named():
    """Its interval ends at -0.1 points, and at +0.3 without the errors."""
    assert "the answer becomes another for support talks" in render("en", moved=0.004)
    assert "no answer becomes another" in render("en", moved=-0.004)
    assert "as one person in a thousand" in render("en", moved=0.0)


def test_nothing_small_stands_on_the_page(english):
    """3 men who may be missing, and a municipality of 3."""
    row = re.search(r"<tr><th[^>]*>man</th>(.*?)</tr>", english).group(1)
    assert re.findall(r"<td>(.*?)</td>", row) == ["300", "60.0%", "–"]
    row = re.search(r"<tr><th[^>]*>Upplands Väsby</th>(.*?)</tr>", english).group(1)
    assert re.findall(r"<td>(.*?)</td>", row) == ["–", "–", "–"]
    assert "How many they are may not be shown" in english


def test_a_grouping_of_which_nothing_is_known_is_left_out(swedish):
    assert "Hedersrelaterat" not in swedish and "Kön" in swedish


def test_only_answers_on_the_social_services_measures_that_hold_are_moved(english):
    table = english[english.index("Difference in people in 100") :]
    table = table[: table.index("</table>")]
    assert "support talks" in table and "−0.4" in table
    assert "contact person" not in table and "alarm" not in table


def test_pictures_have_words_and_numbers(swedish, english):
    for text in (swedish, english):
        assert text.count("<figure>") == text.count("<figcaption>") == 2
        assert all(len(alt) > 40 for alt in re.findall(r'alt="([^"]*)"', text))
        assert not re.search(r"linkage\.[a-z]|[{}]|\bnan\b|None", re.sub(r"<[^>]*>", "", text))


def test_without_linkage_by_probability_the_page_says_so():
    rates = {name: value for name, value in RATES.items() if "checked" not in name}
    text = render("en", rates={**rates, "n_new_identities": 10})
    assert "are not linked in this study" in text and "On trial, those" not in text
    assert "not in their file of persons" not in text
    assert "10 people have been given a new identity" in text and "fewer than 5" in text
    few = "How many they are may not be shown"
    assert few in render("en", rates={**rates, "n_new_identities": 0})  # none as few


def test_who_is_in_no_file_of_persons_is_told():
    text = render("en", {**RATES, "n_not_in_persons": 17, "n_links_lost_to_not_in_persons": 10.2})
    assert "15 people in the agencies' cases are not in their file" in text
    assert "expected to cost 10 links" in text


def test_an_extract_that_was_not_joined_here_says_only_that():
    for language, told in (("sv", "Uttaget kom hopfört"), ("en", "already joined")):
        page = make_page(language)
        shown = [getattr(linkage, name)(page).html for name in SHOWN]
        assert told in shown[0] and not any(shown[1:])


def test_other_pages_are_not_told_the_levels_of_all_those_people():
    release = make_release(RATES)
    assert ("q1", "municipality_code") not in release.level_names
    assert ("q1", "sex") not in release.level_names


@for_each("is_joined", [True, False])
def test_only_an_extract_joined_by_link_has_the_page(tmp_path, is_joined):
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "data").mkdir()
    if is_joined:
        (tmp_path / "data" / LINKAGE).write_text("{}", encoding="utf-8")
    work = open_run(tmp_path / "study.yaml", tmp_path / "data", tmp_path / "out", "run", 1)
    found = {task.source.stem for task in runner.list_notebooks(work)}
    pages = [one.name for one in list_pages(work.plan, is_joined=is_joined)]
    assert ("09_linkage" in found) == ("09_linkage" in pages) == is_joined
