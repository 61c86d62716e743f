"""The scenario ``calibrated``, read from its numbers (``calibrated.yaml``)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from revictimisation.core import files
from revictimisation.core.plain_yaml import load_keys
from revictimisation.simulate.courts import Court
from revictimisation.simulate.scenarios import (
    Length,
    Linear,
    Scenario,
    SideMeasure,
    freeze_terms,
    no_numbers,
)


def _side(
    name: str, table: str, log_share: float, start_days: float, mean_days: float,
    *, high: float = 0.6, honour: float = 0.0, min_age: int = 0, max_age: int = 120,
    declined: float = 0.1,
) -> SideMeasure:  # fmt: skip
    terms = freeze_terms(
        {
            "risk_level": {"moderate": high / 2, "high": high, "missing": high / 3},
            "is_honour": {"true": honour},
        }
    )
    return SideMeasure(
        name, table, Linear(log_share, terms, 0.1), start_days,
        Length(1.2, mean_days, 900), declined, min_age, max_age,
    )  # fmt: skip


def _read() -> tuple[Scenario, Court]:
    path = files.package_file("simulate", "calibrated.yaml")
    given: dict[str, Any] = load_keys(files.read_text(path))
    court = TypeAdapter(Court).validate_python(given.pop("court"))
    sides = tuple(_side(**one) for one in given.pop("side_measures"))
    return TypeAdapter(Scenario).validate_python({**given, "side_measures": sides}), court


CALIBRATED, _COURT = _read()


def find_court(scenario: Scenario) -> Court:
    """The courts of a scenario: in `null` no measure does anything there either."""
    if (scenario.truth_of or scenario.name) != "null":
        return _COURT
    return replace(_COURT, measures_part=no_numbers(), measures_cleared=no_numbers())
