"""How often real systems spoil what they record, as the scenario ``dirty`` has it.

No register that the study knows of publishes these rates; each is **assumed**, on the generous
side of what such rates are thought to be, so that every fault occurs in a county of 3,000 and the
county is still recognisable. What the analysis does about them must hold at any rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class FaultRates:
    """Shares that a fault befalls, of what ``MEANINGS`` names. All are assumed."""

    exact_duplicate: float = 0.005
    code_other_case: float = 0.006
    code_with_blanks: float = 0.006
    report_registered_twice: float = 0.010
    unknown_offence_code: float = 0.003
    unknown_municipality: float = 0.003
    overlapping_spell: float = 0.025
    touching_spell: float = 0.025
    end_before_start: float = 0.004
    swapped_dates: float = 0.003
    open_end: float = 0.020
    far_end: float = 0.300
    no_report: float = 0.100
    missing_birth_year: float = 0.015
    missing_person: float = 0.003
    missing_number: float = 0.020
    reserve_number: float = 0.012
    mistyped_number: float = 0.012
    other_birth_year: float = 0.010
    other_municipality: float = 0.050
    name_misspelt: float = 0.040
    name_changed: float = 0.030
    other_clients: float = 0.600


MEANINGS: Mapping[str, str] = MappingProxyType({
    "exact_duplicate": "rows of reports, assessments, measures, interventions written twice",
    "code_other_case": "cells of a typed code in another case: FORMER_PARTNER, Former partner",
    "code_with_blanks": "cells of a typed code with blanks around it",
    "report_registered_twice": "reports registered again under another number",
    "unknown_offence_code": "rows of reports with an offence code that no list has",
    "unknown_municipality": "rows of reports with a municipality that no list has",
    "overlapping_spell": "measures registered as two, the second before the first ran out",
    "touching_spell": "measures registered as two, the second when the first ran out",
    "end_before_start": "measures that end up to 400 days before they start",
    "swapped_dates": "measures with start and end in each other's place",
    "open_end": "ended measures whose end nobody registered",
    "far_end": "measures that still go on: their end is 9999-12-31",
    "no_report": "measures of the police that name no report, of those that did",
    "missing_birth_year": "people without a year of birth",
    "missing_person": "victims who are not in persons",
    "missing_number": "the municipality's clients without a number",
    "reserve_number": "clients with a reserve number",
    "mistyped_number": "clients whose number is mistyped",
    "other_birth_year": "clients a year older or younger than with the police",
    "other_municipality": "clients who have moved between the two agencies' contacts",
    "name_misspelt": "clients whose first or family name is misspelt",
    "name_changed": "clients with another family name than with the police",
    "other_clients": "clients whom the police do not know, per client they know",
})  # fmt: skip
DIRTY_RATES = FaultRates()
