"""Studies with nothing to show still give pages that say so."""

from __future__ import annotations

from revictimisation.commands.estimate import estimate_study
from revictimisation.report.site import render_site
from tests.cases import for_each

from .conftest import Study, read_content

STUDIES = {
    "no_measures": "measures: {}\nadjust_for: []\nsubgroups: []\n",
}


@for_each("name", STUDIES)
def test_a_study_with_nothing_to_show_says_so(small_run, tmp_path, name):
    study, out = tmp_path / "study.yaml", tmp_path / "out"
    study.write_text(f"name: {name}\nlanguages: [sv]\n{STUDIES[name]}", encoding="utf-8")
    estimate_study(study, small_run / "data", out, "test", jobs=2)
    pages = render_site(read_content(Study(study, out)))
    assert "index.html" in pages
    for text in (text for text in pages.values() if isinstance(text, str)):
        for rubbish in (">nan<", ">None<", "None…", "{why}"):
            assert rubbish not in text
    assert "studiefilen nämner inga åtgärder" in pages["02_reach.html"].lower()
