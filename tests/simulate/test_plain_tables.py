"""A table that the dictionary has and no module makes: drawn by its columns, and it conforms."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.simulate.county import find_scenario, make_tables
from revictimisation.simulate.course import run_course
from revictimisation.simulate.plain_tables import draw_plain_table

DICTIONARY = load_dictionary()
NAMES = ("risk_assessments", "suspect_interventions", "centre_contacts")


def test_a_table_without_a_maker_is_in_the_county_and_moves_no_other():
    course = run_course(find_scenario("small"), 40, 3)
    made = make_tables(course)
    own = replace(DICTIONARY.tables["centre_contacts"], name="school_contacts")
    wider = replace(DICTIONARY, tables={**DICTIONARY.tables, own.name: own})
    with_own = make_tables(course, wider)
    assert {*with_own} - {*made} == {"school_contacts"}
    for name, table in made.items():
        pd.testing.assert_frame_equal(table, with_own[name])
    drawn = with_own["school_contacts"]
    assert list(drawn.columns) == list(own.field_names) and 5 < len(drawn) < 40
    assert set(drawn["person_id"]) <= set(made["persons"]["person_id"])


def test_what_is_drawn_by_the_dictionary_conforms_to_it(tmp_path):
    course = run_course(find_scenario("small"), 200, 3)
    made = make_tables(course)
    for name in NAMES:
        drawn = draw_plain_table(DICTIONARY, DICTIONARY.tables[name], course)
        assert len(drawn) > 50
        made[name] = drawn
    for name, table in made.items():
        files.write_table(table, tmp_path, name, ("csv",))
    findings = load_extract(connect(), tmp_path, DICTIONARY).findings
    assert [one for one in findings if one.severity != "notice"] == []
