"""Frictionless, an independent validator, finds the same faults in small dirty tables.

It knows types, required values, code lists, limits, keys and references; rules across columns are
ours alone. Its row numbers count the header as row 1, as ours do.
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import frictionless

from revictimisation.dictionary import Dictionary, Field, Table, load_dictionary
from tests.cases import for_each
from tests.validation.extracts import TODAY, load

TABLES = ("persons", "reports", "police_measures")
# What each of its error types is called by us; `enum`, `minimum` and so on are its constraints.
RULES = {
    "type-error": "wrong_type",
    "required": "missing_value",
    "enum": "unknown_code",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "primary-key": "doubled_key",
    "foreign-key": "unknown_reference",
}
GOOD = {
    "persons": ["v1", "v2", "s1", "s2"],
    "date": ["2012-03-01", "2013-12-31", "2014-02-28"],
    "integer": ["1980", "2001"],
    "boolean": ["true", "false"],
}
BAD = {
    # 2012-3-1 is a date to frictionless, but not to ISO 8601, nor to us
    "date": ["2012-02-30", "yesterday", "1899-12-31", "2027-01-01"],
    "integer": ["eighty", "19.5", "1850", "2030"],
    "boolean": ["maybe", "2"],
    "string": ["no_such_code"],
}


def make_cell(rng: random.Random, field: Field, dictionary: Dictionary) -> str:
    if rng.random() < 0.12:
        return ""
    if rng.random() < 0.12 and (field.type != "string" or field.codes):
        return rng.choice(BAD[field.type])
    if field.codes:
        return rng.choice(dictionary.allowed_codes(field))
    if field.name in ("person_id", "victim_id", "suspect_id"):
        return rng.choice(["v1", "v2", "v3", "s1"])
    if field.type == "string":
        return rng.choice(["a", "b", "c", "d", "e", "f", "g"])
    return rng.choice(GOOD[field.type])


def make_table(rng: random.Random, table: Table, dictionary: Dictionary) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.field_names)
    for _ in range(rng.randint(1, 8)):
        writer.writerow([make_cell(rng, field, dictionary) for field in table.fields])
    return out.getvalue()


def describe(table: Table, dictionary: Dictionary) -> dict[str, Any]:
    """The dictionary's table as a Frictionless resource."""
    fields = []
    for field in table.fields:
        constraints: dict[str, Any] = {}
        if field.is_required:
            constraints["required"] = True
        if field.codes:
            constraints["enum"] = list(dictionary.allowed_codes(field))
        limits = {"today": TODAY.isoformat(), "this_year": str(TODAY.year)}
        for key in ("minimum", "maximum"):
            limit = getattr(field, key)
            if limit is not None:
                limit = limits.get(limit, limit)
                constraints[key] = int(limit) if field.type == "integer" else limit
        fields.append({"name": field.name, "type": field.type, "constraints": constraints})
    keys = [
        {
            "fields": list(key.fields),
            "reference": {"resource": key.resource, "fields": list(key.reference_fields)},
        }
        for key in table.foreign_keys
        if key.resource in TABLES
    ]
    schema = {"fields": fields, "primaryKey": list(table.primary_key), "foreignKeys": keys}
    return {"name": table.name, "path": f"{table.name}.csv", "schema": schema}


def ask_oracle(folder: Path, dictionary: Dictionary) -> set[tuple[str, str, int]]:
    """(table, its rule, row) of every fault that frictionless finds."""
    resources = [describe(dictionary.tables[name], dictionary) for name in TABLES]
    package = frictionless.Package({"name": "extract", "resources": resources})
    package.basepath = str(folder)
    found = set()
    for task in package.validate().tasks:
        for error in task.errors:
            rule = error.type
            if rule == "primary-key" and 'all "None"' in error.note:
                continue  # an empty key; to us a missing value and nothing else
            if rule == "constraint-error":
                rule = error.note.split('"')[1]
            found.add((task.name, rule, error.row_number))
    return found


def as_ours(oracle: set[tuple[str, str, int]]) -> dict[tuple[str, int], set[str]]:
    """The faults by place, under our names."""
    places: dict[tuple[str, int], set[str]] = {}
    for table, rule, row in oracle:
        places.setdefault((table, row), set()).add(RULES[rule])
    return places


def ours(extract) -> dict[tuple[str, int], set[str]]:
    places: dict[tuple[str, int], set[str]] = {}
    for one in extract.findings:
        rule = "wrong_type" if one.rule.startswith("wrong_type") else one.rule
        if rule not in RULES.values():
            continue
        assert one.count == len(one.rows), "tables must be small enough to name every row"
        for row in one.rows:
            places.setdefault((one.table, row), set()).add(rule)
    return places


@for_each("seed", range(12))
def test_the_same_faults_in_the_same_rows(tmp_path, seed):
    rng = random.Random(seed)
    dictionary = load_dictionary()
    tables = {name: make_table(rng, dictionary.tables[name], dictionary) for name in TABLES}
    tables["social_interventions"] = ",".join(dictionary.tables["social_interventions"].field_names)
    extract = load(tmp_path, tables)
    mine = ours(extract)
    assert mine == as_ours(ask_oracle(tmp_path, dictionary))
    assert mine, "a table without any fault asks nothing"
