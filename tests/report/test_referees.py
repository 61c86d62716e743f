"""Pages 06 and 07: lists, works, graphs, table 1 and balance, by hand on small releases."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest
import yaml

from revictimisation.core.results import DIAGNOSTIC_COLUMNS
from revictimisation.plan import read_plan
from revictimisation.report.checklists import ANOTHER, JOINED, PROTOCOL, load_checklists
from revictimisation.report.described import LovePlot
from revictimisation.report.page import Page
from revictimisation.report.pages import list_outlines
from revictimisation.report.rendering import draw, render
from revictimisation.report.sections import (
    baseline,
    citing,
    cohort,
    graphs,
    lists,
    method,
    protocol,
)
from revictimisation.report.takeaway import taking
from revictimisation.report.trials import WEIGHTING
from tests.cases import for_each

from .conftest import LANGUAGES, make_page

STUDY = """name: mini
measures:
  sheltered_housing: {grace_days: 30}
  safety_talk: {grace_days: 0}
  alarm_package: {grace_days: 14}
"""
SHELTER = "sheltered_housing"
SHARE = {"question": "q3", "analysis": "treatment_share", "estimator": "description",
         "estimand": "share", "outcome": "started", "measure": SHELTER}  # fmt: skip
SEXES = STUDY + "subgroups: [sex]\nadjust_for: [sex, relation]\n"
ITEMS = [item for one in load_checklists().values() for item in one.items]


def words(html: str) -> str:
    bare = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare).replace("\xa0", " "))


def share(n_events: int | None, n_people: int | None, **keys) -> dict:
    status = {"status": "ok"} if n_people else {"status": "suppressed", "reason": "small_number"}
    estimate = n_events / n_people if n_people and n_events is not None else None
    return {**SHARE, **keys, "n_people": n_people, "n_events": n_events, "estimate": estimate,
            **status}  # fmt: skip


def add_checks(page: Page, checks: dict[str, tuple[float, float | None, str]]) -> Page:
    rows = [(WEIGHTING, SHELTER, name, *told) for name, told in checks.items()]
    table = pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS))
    return dataclasses.replace(page, release=dataclasses.replace(page.release, diagnostics=table))


@for_each("item", ITEMS)
def test_every_item_of_a_list_has_a_place_that_is_there(item):
    place = item.place.removeprefix(JOINED)
    if place.startswith(PROTOCOL):
        assert hasattr(read_plan("name: mini").protocol, place.removeprefix(PROTOCOL))
    elif place and place != ANOTHER:
        name, _, anchor = place.partition("#")
        (outline,) = (one for one in list_outlines() if one.name == name)
        sections = {one.name.replace(".", "-").replace("_", "-") for one in outline.sections}
        assert not anchor or anchor in sections


def test_the_lists_are_whole_and_those_of_their_year():
    numbers = {name: [item.number for item in one.items] for name, one in load_checklists().items()}
    assert len(numbers["target"]) == 39 and numbers["target"][-1] == "21"
    assert len(numbers["strobe"]) == 34 and numbers["strobe"][-1] == "22"
    assert len(numbers["record"]) == 13 and numbers["record"][-1] == "22.1"
    works = set(re.findall(r"@\w+\{(\w+),", citing.read_bibliography()))
    assert {one.reference for one in load_checklists().values()} <= works
    assert len(works) == len(citing.load_works())


def test_what_a_person_fills_in_is_counted_no_more():
    bare = words(lists.show_lists(make_page("en", study=STUDY)).html)
    assert "29 of 39 items filled in; 10 must be filled in by a person" in bare
    filled = STUDY + "protocol: {ethics_approval: 2026-01234, funding: {en: The county board}}\n"
    page = make_page("en", study=filled)
    told = words(lists.show_lists(page).html)
    assert "31 of 39 items filled in; 8 must be filled in by a person" in told
    assert "2026-01234" in told and "The county board" in told
    assert "2026-01234" in words(citing.show_citing(page).html)


@for_each("language", LANGUAGES)
def test_the_day_and_the_changes_of_the_protocol_are_told_or_missed(language):
    told = words(protocol.show_record(make_page(language, study=STUDY)).html)
    assert {"sv": "Ingen dag är angiven", "en": "No day is given"}[language] in told
    change = "{made_on: 2026-04-02, what: {sv: Kortare tid, en: A shorter time}}"
    study = STUDY + f"protocol:\n  decided_on: 2026-03-01\n  amendments: [{change}]\n"
    told = words(protocol.show_record(make_page(language, study=study)).html)
    assert "1 mars 2026" in told or "1 March 2026" in told
    assert {"sv": "2 april 2026: Kortare tid", "en": "2 April 2026: A shorter time"}[
        language
    ] in told


def test_the_study_file_is_told_as_it_can_be_read_again():
    page = make_page("sv", study=SEXES)
    written = protocol.write_plan(page)
    assert read_plan(written) == page.plan and "bootstrap" not in yaml.safe_load(written)
    with taking("07") as taken:
        assert 'href="figures/07-study.yaml"' in render(protocol.show_record(page))
    assert taken.files["figures/07-study.yaml"] == written


def test_the_graph_has_an_arrow_for_all_that_is_adjusted_for():
    page = make_page("en", study=SEXES)
    first, second = graphs.show_graphs(page).tables
    told = [tuple(row) for row in first.rows]
    for covariate in ("sex", "suspect's relationship to the victim", "other measures in force"):
        assert (covariate, "the measure") in told
    assert ("the measure", "new report against the same suspect") in told
    assert any("not measured" in start for start, _ in told)
    assert ("the measure", "the victim's participation") in [tuple(row) for row in second.rows]
    wide, narrow = (svg.decode() for svg in draw(graphs.show_graphs(page).parts[1].picture))
    assert wide.count(">sex<") == narrow.count(">sex<") == 1


def test_table_one_is_reckoned_from_what_is_released():
    """Of 100 women 30 started, of 100 men 10; the weights make both halves."""
    rows = [share(40, 200), share(30, 100, subgroup="sex", level="female"),
            share(10, 100, subgroup="sex", level="male")]  # fmt: skip
    checks = {f"share_weighted:{arm}:sex={sex}": (0.5, None, "ok")
              for arm in ("start", "no_start") for sex in ("female", "male")}  # fmt: skip
    told = words(baseline.show_table_one(add_checks(make_page("en", rows, SEXES), checks)).html)
    assert "Sex: woman 50% 75% 44% 50% 50%" in told
    hidden = [*rows[:2], share(None, None, subgroup="sex", level="male")]
    told = words(baseline.show_table_one(make_page("en", hidden, SEXES)).html)
    assert "75%" not in told and "no checks to show" in told


def test_the_love_plot_holds_what_is_known_before_and_the_worse_arm_after():
    rows = [share(40, 200), share(30, 100, subgroup="sex", level="female"),
            share(10, 100, subgroup="sex", level="male")]  # fmt: skip
    checks = {"standardised_difference:start:30:sex": (0.04, None, "ok"),
              "standardised_difference:no_start:30:sex": (0.11, None, "ok"),
              "standardised_difference:start:30:relation": (0.02, None, "ok")}  # fmt: skip
    shown = baseline.show_balance(add_checks(make_page("en", rows, SEXES), checks))
    figure = shown.parts[0]
    assert isinstance(figure.picture, LovePlot)
    sex, relation = figure.picture.rows
    assert sex.before == pytest.approx([0.5]) and sex.after == [0.11]
    assert (relation.before, relation.after) == ([], [0.02])
    assert "After weighting <strong>1 of 2</strong>" in figure.html
    wide, narrow = draw(figure.picture)
    assert wide.count(b"<circle") - 1 == narrow.count(b"<circle") - 1 == 2


def test_the_grid_says_of_each_check_whether_it_holds_and_where_not():
    checks = {"n_events:start:182": (40, 10, "ok"), "n_events:no_start:182": (5, 10, "failed"),
              "share_outside_support": (0.01, 0.05, "ok"),
              "minimum_detectable_difference:182": (None, 0.15, "suppressed"),
              "weight_mean:start": (1.0, None, "ok")}  # fmt: skip
    page = add_checks(make_page("en", study=STUDY), checks)
    (table,) = method.show_grid(page).tables
    told = {row[0]: str(row[1]) for row in table.rows}
    assert told["Events"] == "✗ 1 of 2" and told["Share outside the common support"] == "✓"
    assert told["Minimum detectable difference"] == "–" and len(told) == 3
    assert table.rows[0][0] == "Events"  # what fails stands first, and in the title
    assert str(table.caption).endswith(f"Fails: Events ({table.columns[1]})")
    held = add_checks(make_page("en", study=STUDY), {"n_events:start:182": (40, 10, "ok")})
    assert str(method.show_grid(held).tables[0].caption).startswith("Every check")
    assert "standard errors of the main answer. Risk differences no more than 0.01 apart" in str(
        table.notes
    )
    (every,) = method.show_all_checks(page).tables
    assert every.rows[0][2].startswith("events, does not start")


def test_the_flow_ends_in_each_measures_clones():
    page = make_page("sv", [share(280, 3175)], STUDY)
    steps = pd.DataFrame([("reports", "in_extract", 3360, 11120, 0, "ok"),
                          ("reports", "no_follow_up", 3000, 3220, 0, "ok")],
                         columns=list(page.release.attrition.columns))  # fmt: skip
    page = dataclasses.replace(page, release=dataclasses.replace(page.release, attrition=steps))
    page = add_checks(page, {"share_censored:start": (0.85, None, "ok"),
                             "n_events:start:1461": (340.0, 10, "ok"),
                             "n_at_risk:start:1461": (95.0, None, "ok")})  # fmt: skip
    told = words(cohort.show_measure_flow(page).html)
    assert "skyddat boende 45 3 175 280" in told and "skyddssamtal – – –" in told
    assert "skyddat boende, börjar – – – 95 85 % 340" in words(cohort.show_at_risk(page).html)
