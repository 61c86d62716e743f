"""What a scenario is: every number of the process, as frozen data.

A new scenario changes parameters and nothing else: a hidden confounder (``HiddenTrait``), support
that raises the propensity to report (``StudyMeasure.log_reporting_ratio``), starts that hardly vary
within a stratum (``StudyMeasure.start_terms``), a larger county (``Scenario.default_people``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator

# read-only, also where they were read from a file
Numbers = Annotated[Mapping[str, float], AfterValidator(MappingProxyType)]
Terms = Annotated[Mapping[str, Numbers], AfterValidator(MappingProxyType)]


def no_numbers() -> Numbers:
    """None of any name."""
    return MappingProxyType({})


def freeze_terms(terms: Mapping[str, Mapping[str, float]]) -> Terms:
    """Make a nested mapping covariate -> level -> coefficient read-only."""
    return MappingProxyType({name: MappingProxyType(dict(of)) for name, of in terms.items()})


@dataclass(frozen=True)
class Linear:
    """A linear predictor: intercept, a coefficient per level, a slope per earlier report day."""

    intercept: float
    terms: Terms = field(default_factory=lambda: freeze_terms({}))
    per_earlier_report: float = 0.0


@dataclass(frozen=True)
class Length:
    """Days in force: Weibull with this shape and mean, cut at ``largest_days``."""

    shape: float
    mean_days: float
    largest_days: int


@dataclass(frozen=True)
class StartClock:
    """When measures start: a share exp(intercept) of early starts, and a slow trickle after."""

    shape: float
    scale_days: float
    trickle_per_year: float


@dataclass(frozen=True)
class Effect:
    """Log hazard ratio of a new report while the measure is in force.

    ``by`` and ``per_level`` give the levels of one covariate their own number (an interaction);
    ``carry_share`` of it stays for ``carry_days`` after the end.
    """

    log_hazard_ratio: float = 0.0
    by: str = ""
    per_level: Numbers = field(default_factory=no_numbers)
    carry_share: float = 0.0
    carry_days: int = 0


@dataclass(frozen=True)
class StudyMeasure:
    """One of the measures the study asks about, as the process has it."""

    name: str
    table: str
    codes: Numbers
    grace_days: int
    start: Linear
    clock: StartClock
    length: Length
    effect: Effect
    log_start_when_in_force: Numbers = field(default_factory=no_numbers)
    log_restart: float = 0.0
    running_share: float = 0.0
    log_reporting_ratio: float = 0.0
    denied_share: float = 0.0
    declined_share: float = 0.0
    not_carried_out_share: float = 0.0


@dataclass(frozen=True)
class SideMeasure:
    """A further code without effect on reports: a start on top of the process, at most once."""

    name: str
    table: str
    start: Linear
    mean_start_days: float
    length: Length
    declined_share: float = 0.1
    min_age: int = 0
    max_age: int = 120


@dataclass(frozen=True)
class HiddenTrait:
    """An unrecorded trait of the victim that drives reports and measures."""

    share: float = 0.0
    log_event: float = 0.0
    log_start: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """All parameters of a synthetic county. Days count from the index report."""

    name: str
    default_people: int
    accrual_from_on: str
    accrual_to_on: str
    data_end_on: str
    horizon_days: int
    report_at_days: tuple[int, ...]
    grow_per_year: float
    weibull_shape: float
    weibull_scale_days: float
    event: Linear
    other_event: Linear
    shared_share: float
    breach_share: float
    measures: tuple[StudyMeasure, ...]
    side_measures: tuple[SideMeasure, ...]
    hidden: HiddenTrait = HiddenTrait()
    missing_honour_share: float = 0.08
    missing_risk_share: float = 0.25
    new_identity_share: float = 0.002
    extra_victims_share: float = 0.12
    truth_of: str = ""  # another scenario with the same parameters, whose truth it shares


def remove_effects(scenario: Scenario, name: str) -> Scenario:
    """Return the same county in which no measure does anything."""
    measures = tuple(
        replace(measure, effect=Effect(), log_reporting_ratio=0.0) for measure in scenario.measures
    )
    return replace(scenario, name=name, measures=measures)


def resize(scenario: Scenario, name: str, default_people: int) -> Scenario:
    """Return the same county under another name and with another usual number of people."""
    return replace(scenario, name=name, default_people=default_people, truth_of=scenario.name)
