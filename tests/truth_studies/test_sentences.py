"""What the kept tables say on the pages of a study, and what stands there without them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from revictimisation.commands.manifest import hash_code, open_run
from revictimisation.commands.run import list_notebooks
from revictimisation.core import files
from revictimisation.report.described import Text
from revictimisation.report.known_truth import describe_known_truth
from revictimisation.report.sections import how_we_know, start
from tests.report import conftest
from truth_studies.pages import limits
from truth_studies.pages.sentences import SENTENCES, describe_exploration, describe_group_tests
from truth_studies.records.controls import read_alarms
from truth_studies.records.exploration import read_records
from truth_studies.records.subgroups import read_family
from truth_studies.records.truth import read_truth_study

from .made import make_page
from .test_pages import words

STUDY = "name: mini\nmeasures: {sheltered_housing: {}, alarm_package: {}}\n"


def test_what_matters_most_stands_on_the_first_page_with_the_numbers_of_the_kept_study():
    page = make_page("sv", study=STUDY)
    trust = how_we_know.describe_trust(page)
    assert trust.startswith("Ja.") and "av påhittade län" in trust
    english = how_we_know.describe_trust(make_page("en", study=STUDY))
    assert max(len(told.replace("\xa0", " ").split()) for told in (trust, english)) <= 25
    assert words(Text(trust)).strip() in words(start.show_questions(page))
    kept = limits.list_plain_limits(page, read_truth_study(), read_alarms())
    shown = words(how_we_know.show_limits(page))
    assert len(kept) == 4 and all(words(Text(one)).strip() in shown for one in kept)


def test_how_often_the_tests_are_wrong_is_told_where_it_is_known(tmp_path):
    (tmp_path / "family.csv").write_text(
        "scenario,what,n_counties,rejection_rate\nnull,any,50,0.06\nnull,adjusted,9,0.5\n"
        "calibrated,any,40,0.25\n",
        encoding="utf-8",
    )
    runs = [{"scenario": one, "people_per_county": 3000} for one in ("null", "calibrated")]
    (tmp_path / "provenance.json").write_text(json.dumps({"runs": runs}), encoding="utf-8")
    page = make_page("sv")
    shown = describe_group_tests(page, read_family(tmp_path)).replace("\xa0", " ")
    assert "50 påhittade län med 3 000 personer" in shown and "i 3 av dem såg" in shown
    assert "I 40 andra" in shown and "en skillnad bara i 10" in shown
    nothing = describe_group_tests(page, read_family(tmp_path / "none"))
    assert "slår fel är inte prövat" in nothing
    assert {"null", "calibrated"} <= set(read_family())


def test_how_often_the_search_is_wrong_is_told_where_it_is_known(tmp_path):
    (tmp_path / "table.csv").write_text(
        "scenario,people,measure,n_counties,n_tested,rejection_rate_holm\n"
        "null,3000,,40,40,0.05\nnull,3000,contact_person,40,0,\n"
        "calibrated,3000,,20,20,0.35\ncalibrated,3000,non_contact_order,20,20,0.25\n"
        "calibrated,3000,contact_person,20,18,0.1\n",
        encoding="utf-8",
    )
    records = read_records(tmp_path)
    page = make_page("sv")
    shown = describe_exploration(page, records).replace("\xa0", " ")
    assert "Av 40 län med 3 000 personer" in shown and "ett mönster i 2." in shown
    assert "kontaktförbudets mönster i 5 och kontaktpersonens i 2, och något mönster alls i 7" in (
        shown
    )
    assert describe_exploration(page, read_records(tmp_path / "none")) == ""


def test_a_page_of_a_study_has_the_texts_of_the_truth_studies_where_they_are():
    page = conftest.make_page("en", study="name: mini\nmeasures: {support_talks: {}}\n")
    page = replace(page, measure="support_talks")  # whose intervals are too narrow at 4 years
    for about in SENTENCES:
        assert "counties" in describe_known_truth(page, about)


@pytest.fixture
def without_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.split(".")[0] == "truth_studies"]:
        monkeypatch.delitem(sys.modules, name)
    paths = [one for one in sys.path if not (Path(one) / "truth_studies").is_dir()]
    monkeypatch.setattr(sys, "path", paths)


def test_without_the_truth_studies_a_page_says_that_nothing_is_kept(without_studies):
    page = conftest.make_page("sv", study=STUDY)
    assert "inga prövningar mot känd sanning finns sparade" in words(how_we_know.show_limits(page))
    assert "this installation holds no trials against a known truth" in describe_known_truth(
        conftest.make_page("en"), "group_tests"
    )


def list_pages(folder: Path) -> set[str]:
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    work = open_run(folder / "study.yaml", folder / "data", folder / "out", "run", 1)
    return {task.source.stem for task in list_notebooks(work)}


def test_without_the_truth_studies_a_run_has_every_page_but_theirs(tmp_path, request):
    every = list_pages(tmp_path)
    request.getfixturevalue("without_studies")
    assert every - list_pages(tmp_path) == {"08_validation"}


def test_a_fault_inside_the_truth_studies_is_no_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "truth_studies.pages.sentences", None)
    with pytest.raises(ModuleNotFoundError, match="sentences"):
        describe_known_truth(conftest.make_page("sv"), "exploration")


def test_a_run_is_done_anew_where_the_truth_studies_have_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "package_file", lambda: tmp_path / "revictimisation")
    monkeypatch.setattr(files, "resource_dir", lambda name: tmp_path / name)
    hashes = [hash_code()]
    for name in ("pages/answer.py", "pages/texts/truth_study.yaml", "tables/truth_study/table.csv"):
        files.write_text(tmp_path / "truth_studies" / name, "")
        hashes.append(hash_code())
    assert len(set(hashes)) == 4
