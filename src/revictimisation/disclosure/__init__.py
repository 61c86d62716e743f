"""Disclosure control: what may leave the secure room."""

from revictimisation.disclosure.control import (
    disclose_tables,
    list_causes,
    list_places,
    measure_classes,
)
from revictimisation.disclosure.rules import (
    PLACES,
    disclose_attrition,
    disclose_diagnostics,
    disclose_estimates,
)

__all__ = [
    "PLACES",
    "disclose_attrition",
    "disclose_diagnostics",
    "disclose_estimates",
    "disclose_tables",
    "list_causes",
    "list_places",
    "measure_classes",
]
