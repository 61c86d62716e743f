"""Reads the data dictionary (`data_dictionary/`) into frozen objects."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from revictimisation.core import files
from revictimisation.core.text import Text
from revictimisation.dictionary.model import (
    CodeList,
    Dictionary,
    ExtraColumns,
    Field,
    ForeignKey,
    Rule,
    RuleText,
    StudyKey,
    Table,
)

# The order in which tables are shown and validated: what others refer to comes first.
TABLE_ORDER = (
    "persons",
    "reports",
    "risk_assessments",
    "police_measures",
    "social_interventions",
    "suspect_interventions",
    "investigations",
    "case_decisions",
    "centre_contacts",
    "municipality_years",
    "linkage_fields",
    "grid",
    "index_reports",
    "spells",
    "covariates",
    "episodes",
    "people",
    "estimates",
    "attrition",
    "diagnostics",
    "comparison",
    "runs",
    "truth",
    "truth_links",
    "truth_faults",
)


@functools.cache
def load_dictionary() -> Dictionary:
    """Load the dictionary that comes with the project, once.

    >>> load_dictionary().tables["persons"].primary_key
    ('person_id',)
    >>> load_dictionary().label("sex", "female", "sv")
    'kvinna'
    """
    return read_dictionary(files.resource_dir("data_dictionary"))


def read_dictionary(folder: Path) -> Dictionary:
    """Read a dictionary from a folder with `tables/`, `codes/`, `rules.yaml`, `study_keys.yaml`."""
    tables = {path.stem: _read_table(path) for path in sorted((folder / "tables").glob("*.yaml"))}
    ordered = [name for name in TABLE_ORDER if name in tables]
    ordered += sorted(set(tables) - set(ordered))
    lists = {path.stem: _read_codes(path) for path in sorted((folder / "codes").glob("*.csv"))}
    rules = _read_yaml(folder / "rules.yaml")
    keys = _read_yaml(folder / "study_keys.yaml")
    return Dictionary(
        tables=MappingProxyType({name: tables[name] for name in ordered}),
        rules=MappingProxyType({name: _rule_text(name, given) for name, given in rules.items()}),
        lists=MappingProxyType(lists),
        study_keys=MappingProxyType({name: _study_key(given) for name, given in keys.items()}),
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    given = yaml.load(files.read_text(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(given, dict):
        raise ValueError(f"{path.name} is not a mapping")
    return given


def _read_codes(path: Path) -> CodeList:
    names, *rows = (tuple(row) for row in csv.reader(files.read_text(path).splitlines()) if row)
    if any(len(row) != len(names) for row in rows):
        raise ValueError(f"{path.name} has a row with more or fewer cells than its heading")
    return CodeList(names, tuple(rows))


def _text(given: Mapping[str, str] | None) -> Text:
    return Text(**given) if given else Text()


def _rule_text(name: str, given: Mapping[str, Any]) -> RuleText:
    return RuleText(name, *(_text(given[key]) for key in ("label", "text", "repair")))


def _study_key(given: Mapping[str, Any]) -> StudyKey:
    texts = {name: _text(given.get(name)) for name in ("text", "example", "source")}
    return StudyKey(**texts, minimum=given.get("minimum"), codes=given.get("codes", ""))


def _read_table(path: Path) -> Table:
    given = _read_yaml(path)
    extra = given.get("extra_columns")
    return Table(
        name=given["name"],
        direction=given["direction"],
        label=_text(given["label"]),
        text=_text(given["text"]),
        row=_text(given["row"]),
        fields=tuple(_field(one) for one in given["fields"]),
        primary_key=tuple(given.get("primaryKey", ())),
        foreign_keys=tuple(_foreign_key(one) for one in given.get("foreignKeys", ())),
        rules=tuple(
            Rule(one["kind"], tuple(one["columns"]), one["severity"])
            for one in given.get("rules", ())
        ),
        is_optional=bool(given.get("optional", False)),
        may_be_empty=bool(given.get("may_be_empty", True)),
        extra_columns=ExtraColumns(**{**extra, "text": _text(extra["text"])}) if extra else None,
        **{key: given.get(key, "") for key in ("dated_by", "placed_by", "delivered_by")},
    )


def _field(given: Mapping[str, Any]) -> Field:
    limits = given.get("constraints", {})
    return Field(
        name=given["name"],
        type=given["type"],
        label=_text(given["label"]),
        text=_text(given["text"]),
        unit=_text(given["unit"]) if "unit" in given else None,
        codes=given.get("codes"),
        codes_where=MappingProxyType(dict(given.get("codes_where", {}))),
        is_closed=bool(given.get("is_closed", False)),
        is_required=bool(limits.get("required", False)),
        is_unique=bool(limits.get("unique", False)),
        is_expected=bool(given.get("is_expected", False)),
        pattern=limits.get("pattern"),
        minimum=_limit(limits.get("minimum")),
        maximum=_limit(limits.get("maximum")),
        sensitivity=given["sensitivity"],
        disclosure=given["disclosure"],
        identifies=given.get("identifies", ""),
    )


def _limit(given: object) -> str | None:
    return None if given is None else str(given)


def _foreign_key(given: Mapping[str, Any]) -> ForeignKey:
    reference = given["reference"]
    return ForeignKey(
        tuple(given["fields"]),
        reference["resource"],
        tuple(reference["fields"]),
        given["severity"],
    )
