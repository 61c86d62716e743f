"""The study plan: the only place for a study's dates, windows, thresholds and constants."""

from revictimisation.plan.study_plan import (
    NUMBER_COVARIATES,
    Disclosure,
    Gates,
    Measure,
    StudyPlan,
    Variants,
    make_plan,
    read_plan,
)

__all__ = [
    "NUMBER_COVARIATES",
    "Disclosure",
    "Gates",
    "Measure",
    "StudyPlan",
    "Variants",
    "make_plan",
    "read_plan",
]
