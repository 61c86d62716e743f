"""A fact has one number: pages whose tables or sentences contradict each other are found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revictimisation.core.errors import RevictimisationError
from revictimisation.report.described import Cell, Content, Table
from revictimisation.report.facts import check_facts, collect_facts, find_contradictions
from revictimisation.report.page import Page
from revictimisation.report.quantities import Heard, hearing, mark
from revictimisation.report.site import make_page as make_page_of

from .conftest import make_page

SHARE = {"question": "q1", "analysis": "main", "measure": "safety_talk", "estimand": "share",
         "estimator": "description", "outcome": "carried_out", "status": "ok", "n_people": 100,
         "n_events": 40, "estimate": 0.4}  # fmt: skip


def find(page: Page, **keys: str):
    asked = ("question", "measure", "estimand", "estimator", "outcome")
    return page.release.find(**{**{name: SHARE[name] for name in asked}, **keys})


def tell(page: Page, words: str, number, head: str = "share", caption: str = "T") -> Content:
    return Content((Table(caption, ["", head], [[words, page.show_share(number)]]),))


@pytest.fixture(scope="module")
def page() -> Page:
    in_time = {**SHARE, "outcome": "in_time", "estimate": 0.3, "n_events": 30}
    women = {**SHARE, "subgroup": "sex", "level": "female", "estimate": 0.2}
    return make_page("en", [SHARE, in_time, women])


def check(heard: dict[str, list[Heard]] | None = None, **bodies: Content) -> None:
    check_facts(collect_facts(bodies, heard or {}))


def hear_share(page: Page, number, write=None) -> list[Heard]:
    """What is heard where a page says a share."""
    with hearing() as heard:
        share = (write or page.formats.of_hundred)(number.estimate)
        assert page.say("measure.who_all", share=share)
    return heard


def test_pages_that_agree_pass(page):
    one, other = tell(page, "safety talk", find(page)), tell(page, "Safety talks", find(page))
    women = tell(page, "safety talk", find(page, subgroup="sex", level="female"))
    check({"d": hear_share(page, find(page))}, a=one, b=other, c=women)
    assert len(collect_facts({"a": one}, {"d": hear_share(page, find(page))})) == 2


def test_one_key_with_two_values_is_found(page):
    right = find(page)
    wrong = replace(right, estimate=mark(0.41, right.estimate.key))
    with pytest.raises(RevictimisationError, match=r"(?s)0\.4 \(a: T\), 0\.41 \(b: U\)"):
        check(a=tell(page, "talk", right), b=tell(page, "talks", wrong, caption="U"))


def test_another_definition_in_the_same_words_is_found(page):
    bodies = {"a": tell(page, "safety talk", find(page)),
              "b": tell(page, "safety talk", find(page, outcome="in_time"))}  # fmt: skip
    assert len(find_contradictions(collect_facts(bodies, {}))) == 1
    apart = tell(page, "safety talk", find(page, outcome="in_time"), head="in time")
    check(a=bodies["a"], b=apart)


def test_sentences_are_held_against_each_other_and_against_tables(page):
    """Planted: a sentence's number changed, rounded otherwise, and of another definition."""
    share, in_time = find(page), find(page, outcome="in_time")
    body = tell(page, "safety talk", share)
    changed = hear_share(
        page, share, lambda number: page.formats.of_hundred(number).replace("40", "41")
    )
    assert changed == []  # words that were changed afterwards are no longer the number's
    wrong = [replace(one, told="41 in 100") for one in hear_share(page, share)]
    with pytest.raises(RevictimisationError, match=r"0\.4 written as '41 in 100' \(b: measure"):
        check({"b": wrong}, a=body)
    half = replace(share, estimate=mark(0.405, share.estimate.key))
    said = [replace(hear_share(page, half)[0], told=told) for told in ("40 in 100", "41 in 100")]
    with pytest.raises(RevictimisationError, match=r"40 in 100 \(a: .*41 in 100 \(b:"):
        check({"a": said[:1], "b": said[1:]})
    with pytest.raises(RevictimisationError, match=r"share: 0\.4 \(a: .*0\.3 \(b:"):
        check({"a": hear_share(page, share), "b": hear_share(page, in_time)})


def test_what_is_only_a_bound_or_a_word_is_no_other_number(page):
    share = find(page)
    cells = [Cell(told, share.estimate) for told in ("< 0.5", "as many", "–")]
    check(a=Content((Table("T", ["", "share"], [["x", cell] for cell in cells]),)))


def test_what_is_computed_is_not_taken_for_a_released_number(page):
    with hearing() as heard:
        page.say("measure.who_all", share=page.formats.of_hundred(find(page).estimate * 0.5))
    assert heard == []


def test_the_sentences_of_a_site_are_held(content):
    """Most numbers of sentences are released ones: that they are heard does not come undone."""
    page = make_page_of(content, "en")
    for name, least in (("index", 15), ("measure_support_talks", 15), ("05_convictions", 15)):
        with hearing() as heard:
            content.outlines[name].describe(page)
        assert len(heard) >= least, name
