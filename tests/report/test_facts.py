"""A fact has one number: two pages that contradict each other are found, with both places."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revictimisation.core.errors import RevictimisationError
from revictimisation.report.described import Content, Table
from revictimisation.report.facts import check_facts, find_contradictions, list_facts
from revictimisation.report.page import Page

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


def test_pages_that_agree_pass(page):
    one, other = tell(page, "safety talk", find(page)), tell(page, "Safety talks", find(page))
    women = tell(page, "safety talk", find(page, subgroup="sex", level="female"))
    check_facts({"a": one, "b": other, "c": women})
    assert len(list(list_facts("a", one))) == 1


def test_one_key_with_two_values_is_found(page):
    wrong = replace(find(page), estimate=0.41)
    with pytest.raises(RevictimisationError, match=r"(?s)0\.4 \(a: T\), 0\.41 \(b: U\)"):
        check_facts({"a": tell(page, "talk", find(page)),
                     "b": tell(page, "talks", wrong, caption="U")})  # fmt: skip


def test_another_definition_in_the_same_words_is_found(page):
    bodies = {"a": tell(page, "safety talk", find(page)),
              "b": tell(page, "safety talk", find(page, outcome="in_time"))}  # fmt: skip
    facts = [fact for name, body in bodies.items() for fact in list_facts(name, body)]
    assert len(find_contradictions(facts)) == 1
    apart = tell(page, "safety talk", find(page, outcome="in_time"), head="in time")
    check_facts({"a": bodies["a"], "b": apart})
