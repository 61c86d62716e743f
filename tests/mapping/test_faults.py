"""A mapping file's faults are told all at once, in both languages, with the nearest known word."""

from __future__ import annotations

import pytest

from revictimisation.core.errors import MappingError, StudyError
from revictimisation.core.plain_yaml import load_keys
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.mapping import read_mapping
from tests.cases import for_each

DICTIONARY = load_dictionary()


def refuse(text: str) -> str:
    with pytest.raises(MappingError) as fault:
        read_mapping(text, DICTIONARY)
    return str(fault.value)


def column(table: str, name: str, settings: str) -> str:
    return f"tables: {{{table}: {{columns: {{{name}: {{{settings}}}}}}}}}"


@for_each(
    ("table", "name", "settings", "nearest"),
    [
        ("police_measures", "measure", "from: A, codes: {x: safty_talk}", "safety_talk"),
        ("reports", "relation", "from: A, codes: {x: ex_partner}", "former_partner"),
        ("reports", "relation", "from: A, others: unknwn", "unknown"),
        ("police_measures", "decision", "constant: grantd", "granted"),
        ("reports", "is_honour", "from: A, codes: {Ja: True}", "true"),
    ],
)
def test_a_misspelt_code_of_ours_is_refused(table, name, settings, nearest):
    told = refuse(column(table, name, settings))
    assert f"menade du {nearest}?" in told and f"did you mean {nearest}?" in told
    assert f"tables.{table}.0.columns.{name}: okänd kod" in told


def test_a_code_like_none_of_a_closed_list_is_told_with_all():
    told = refuse(column("reports", "relation", "from: A, codes: {x: qqq}"))
    assert "kända: current_partner" in told and "revictimisation codes relation" in told


@for_each(
    ("table", "name", "settings"),
    [
        ("police_measures", "measure", "from: A, codes: {Chatt: online_chat, y: ''}"),
        ("persons", "municipality_code", "from: A, codes: {x: 0199}"),
        ("persons", "x_income", "from: A, codes: {x: hgh}"),
        ("reports", "is_honour", "from: A, codes: {Ja: true, Nej: 0}"),
    ],
)
def test_codes_of_the_owners_own_stay_possible_where_a_list_is_open(table, name, settings):
    assert read_mapping(column(table, name, settings), DICTIONARY)


def test_all_faults_are_told_at_once():
    told = refuse(
        "mising: '-'\ntables:\n  reports:\n    columns:\n      sexx: A\n      relation:"
        " {from: R, code: {}, codes: {x: parnt, y: sibbling}}\n      is_honour: {constant: 'true',"
        " from: A}\n      reported_on: {from: D, date: dmy}\n  persns: {columns: {sex: A}}\n"
    )
    for word in ("missing", "codes", "parent", "sibling", "persons", "day_month_year"):
        assert word in told
    assert "okänd kolumn" in told and "antingen from eller constant" in told
    assert "date: ska vara något av: iso, day_month_year" in told
    assert told.count("\n- ") == 8


BROKEN = {
    "deeper": ("a:\n  b: 1\n   c: 2\n", 3, "indraget"),
    "less deep": ("a:\n    b: 1\n  c: 2\nd: 3\n", 3, "indraget"),
    "no colon": ("a:\n  from A\n  b: 1\nc: 2\n", 3, "på raden före, och dess kolon"),
    "less deep before": ("a:\n   b: 1\n    c: 2\n", 3, "på raden före"),
    "no colon, last": ("a: 1\nb\nc: 2\n", 2, "kolon"),
    "a tab": ("a:\n\tb: 1\n", 2, "tabb"),
    "no end of a quotation": ("a: 1\nb: 'x\nc: 2\n", 2, "citattecken"),
}


@for_each("case", BROKEN)
def test_a_fault_of_the_text_is_told_by_its_line_in_both_languages(case):
    text, line, cause = BROKEN[case]
    with pytest.raises(StudyError) as fault:
        load_keys(text)
    told = str(fault.value)
    assert f"nära rad {line}:" in told and f"near line {line}:" in told and cause in told
    told = refuse(text)
    assert "Mappningsfilen går inte att läsa" in told and "tudie" not in told
