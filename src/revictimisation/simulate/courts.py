"""What the courts of a synthetic county go by: every number, as frozen data.

Kept apart from `Scenario`, whose process of reports and measures nothing here touches: cases are
drawn afterwards, from streams of their own. What it does to a case that a measure started is told
by `Court.participation` and `Court.cleared`; in `null` nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from revictimisation.simulate.scenarios import Linear, Scenario, freeze_terms

Numbers = Mapping[str, float]
ASSAULT_ON_MEN = "assault_men"


def _no_numbers() -> Numbers:
    return MappingProxyType({})


@dataclass(frozen=True)
class Court:
    """Parameters of a case.

    Attributes:
        evidence: share of cases that have it. weight: log odds of prosecution, fine or waiver
            (`cleared`) for each kind, the victim's participation among them.
        injury: what raises the log odds of a documented injury; takes_part: of participation.
        strength: what else raises the log odds of being cleared, which also drives measures
            (confounding).
        base: intercept of the log odds of being cleared by offence group, tuned to what was
            published; of groups that are not named nobody is cleared.
        measures_part: log odds of participation by measure started (see
            `justice_tables.mark_started`); measures_cleared: log odds of being cleared, past
            participation.
    """

    evidence: Numbers
    weight: Numbers
    injury: Linear
    takes_part: Linear
    strength: Linear
    base: Numbers
    measures_part: Numbers = field(default_factory=_no_numbers)
    measures_cleared: Numbers = field(default_factory=_no_numbers)


CALIBRATED_COURT = Court(
    evidence=MappingProxyType({
        "has_witness": 0.30, "has_documented_injury": 0.28, "has_victim_participation": 0.46,
        "has_admission": 0.08,
    }),
    weight=MappingProxyType({
        "has_witness": 0.6, "has_documented_injury": 0.7, "has_victim_participation": 1.1,
        "has_admission": 1.8,
    }),
    injury=Linear(0.0, freeze_terms({"risk_level": {"high": 0.5, "moderate": 0.2}})),
    takes_part=Linear(
        0.0,
        freeze_terms({
            "risk_level": {"high": -0.2}, "is_honour": {"true": -0.4}, "sex": {"male": -0.2},
        }),
    ),
    strength=Linear(
        0.0,
        freeze_terms({
            "risk_level": {"high": 0.6, "moderate": 0.3, "missing": 0.2},
            "is_honour": {"true": -0.4},
            "police_district": {"sodertorn": -0.2, "norrort": 0.1},
        }),
        per_earlier_report=0.10,
    ),
    base=MappingProxyType({
        "assault": -3.49, ASSAULT_ON_MEN: -4.22, "gross_violation_of_integrity": -3.01,
        "threat": -3.38, "unlawful_persecution": -2.06, "breach_of_order": -2.95,
        "rape_sexual": -3.91, "molestation": -4.07, "damage": -4.38, "homicide_attempt": -2.55,
    }),
    measures_part=MappingProxyType({
        "support_talks": 0.9, "contact_person": 0.6, "sheltered_housing": 0.5,
    }),
    measures_cleared=MappingProxyType({"non_contact_order": 0.45}),
)  # fmt: skip
NULL_COURT = replace(CALIBRATED_COURT, measures_part=_no_numbers(), measures_cleared=_no_numbers())


def find_court(scenario: Scenario) -> Court:
    """The courts of a scenario: in `null` no measure does anything there either."""
    return NULL_COURT if (scenario.truth_of or scenario.name) == "null" else CALIBRATED_COURT
