"""The scenarios in which one thing that the analysis relies on fails, all else as ``calibrated``.

``unmeasured``: a trait that no register holds raises both new reports and starts.
``reporting``: support makes victims report more of what happens to them.
``positivity``: at high risk nearly everybody gets the order and shelter, at low nearly nobody.
What each is for, and how its truth is defined, stands in docs/simulator.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.scenarios import (
    HiddenTrait,
    Linear,
    Scenario,
    StudyMeasure,
    freeze_terms,
)

TRAIT = HiddenTrait(share=0.3, log_event=1.0, log_start=1.0)
LOG_REPORTING = MappingProxyType({"support_talks": 0.40, "contact_person": 0.40})
# log start rates by risk level: at high 1 - exp(-exp(1.9)) = 99.9 % would start in the end, at
# low 0.2 %; who gets it within a level is left to chance, but for the few others
EXTREME_STARTS = Linear(
    intercept=-6.0,
    terms=freeze_terms({"risk_level": {"moderate": 4.6, "high": 7.9, "missing": 4.4}}),
)
EXTREME_MEASURES = ("non_contact_order", "sheltered_housing")


def _lower(linear: Linear, share: float, log_ratio: float) -> Linear:
    """Lower an intercept by what a trait of this share adds on average."""
    return replace(linear, intercept=linear.intercept - math.log1p(share * math.expm1(log_ratio)))


def hide_trait(scenario: Scenario, name: str, trait: HiddenTrait) -> Scenario:
    """Return the same county with a trait that nobody records, at the same mean rates.

    The trait multiplies the hazard of new reports, against the suspects and against others, by
    exp(log_event), and the start rate of every study measure by exp(log_start). Intercepts are
    lowered so that both have the same mean over victims on day 0 as before.
    """
    event = _lower(scenario.event, trait.share, trait.log_event)
    other = _lower(scenario.other_event, trait.share, trait.log_event)
    measures = tuple(
        replace(measure, start=_lower(measure.start, trait.share, trait.log_start))
        for measure in scenario.measures
    )
    return replace(
        scenario, name=name, hidden=trait, event=event, other_event=other, measures=measures
    )


def raise_reporting(
    scenario: Scenario, name: str, log_ratios: MappingProxyType[str, float]
) -> Scenario:
    """The same county in which some measures raise the propensity to report while in force."""
    measures = tuple(
        replace(measure, log_reporting_ratio=log_ratios.get(measure.name, 0.0))
        for measure in scenario.measures
    )
    return replace(scenario, name=name, measures=measures)


def fix_starts(
    scenario: Scenario, name: str, start: Linear, of: tuple[str, ...]
) -> Scenario:  # fmt: skip
    """Return the same county in which the start of some measures hardly varies within a level."""

    def fix(one: StudyMeasure) -> StudyMeasure:
        return replace(one, start=start) if one.name in of else one

    return replace(scenario, name=name, measures=tuple(map(fix, scenario.measures)))


UNMEASURED = hide_trait(CALIBRATED, "unmeasured", TRAIT)
REPORTING = raise_reporting(CALIBRATED, "reporting", LOG_REPORTING)
POSITIVITY = fix_starts(CALIBRATED, "positivity", EXTREME_STARTS, EXTREME_MEASURES)
