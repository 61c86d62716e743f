"""The study plan: the only place for a study's dates, windows, thresholds and constants."""

from revictimisation.plan.study_plan import (
    COVARIATES,
    NUMBER_COVARIATES,
    Disclosure,
    EvidenceLimits,
    Gates,
    Measure,
    StudyPlan,
    Variants,
    make_plan,
    read_plan,
)

__all__ = [
    "COVARIATES",
    "NUMBER_COVARIATES",
    "Disclosure",
    "EvidenceLimits",
    "Gates",
    "Measure",
    "StudyPlan",
    "Variants",
    "make_plan",
    "read_plan",
]
