"""What the kept tables say on the pages of a study: how often its tests and answers are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from revictimisation.report.page import Page
from truth_studies.pages import add_texts
from truth_studies.pages.limits import (
    describe_hidden,
    describe_trust,
    list_plain_limits,
)
from truth_studies.records.controls import read_alarms
from truth_studies.records.exploration import Record, read_records
from truth_studies.records.subgroups import FamilyRecord, read_family
from truth_studies.records.truth import CALIBRATED, NULL, read_truth_study

# Where the calibrated county's effects truly differ: by risk level, and by honour.
BUILT_IN = {"order": "non_contact_order", "person": "contact_person"}


def describe_group_tests(page: Page, records: Mapping[str, FamilyRecord]) -> str:
    """How often tests of named groups have called what is not there, and what is."""
    if NULL not in records:
        return page.say("truth_study.group_tests_unknown")
    return " ".join(
        page.say(f"truth_study.group_tests_{name}", n=page.formats.count(one.n_counties),
                 called=page.formats.count(one.n_called), people=page.formats.count(one.people))
        for name in (NULL, CALIBRATED)
        for one in [records.get(name)] if one is not None
    )  # fmt: skip


def describe_exploration(page: Page, records: Mapping[str, Sequence[Record]]) -> str:
    """How often the exploration has found what is not there, and what is; empty if not kept."""
    told = [
        page.say(f"truth_study.exploration_{name}", n=page.formats.count(one.n_counties),
                 found=page.formats.count(one.n_found), people=page.formats.count(one.people),
                 **_count_built_in(page, one, name))
        for name in (NULL, CALIBRATED)
        for one in records.get(name, ())
    ]  # fmt: skip
    return " ".join([page.say("truth_study.exploration"), *told]) if told else ""


def _count_built_in(page: Page, record: Record, scenario: str) -> dict[str, str]:
    """In how many counties a pattern was found of the measures that have one built in."""
    if scenario != CALIBRATED:
        return {}
    return {name: page.formats.count(record.by_measure.get(measure, 0))
            for name, measure in BUILT_IN.items()}  # fmt: skip


def list_known_limits(page: Page) -> list[str]:
    """Where the answers hold and where they do not, in plain words."""
    return list_plain_limits(add_texts(page), read_truth_study(), read_alarms())


# by what it is about: the sentence of the tables that are kept
SENTENCES: dict[str, Callable[[Page], str]] = {
    "trust": lambda page: describe_trust(add_texts(page), read_truth_study()),
    "hidden_difference": lambda page: describe_hidden(
        add_texts(page), read_truth_study(), read_alarms()
    ),
    "group_tests": lambda page: describe_group_tests(add_texts(page), read_family()),
    "exploration": lambda page: describe_exploration(add_texts(page), read_records()),
}
