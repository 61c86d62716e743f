"""Question 3: do measures have different effects for different victims, and who gets them.

For every measure and every grouping (the study's `subgroups` and its combined groups), rows of
question q3:

- analysis `main`: within each level, estimators `clone_censor_weight` (risk_start, risk_no_start,
  risk_difference, risk_ratio) and `cox_time_varying` (log_hazard_ratio, hazard_ratio);
- `contrast`: level `a_less_b` is level a less the reference b, the largest known level of the
  cohort: risk_difference (the difference of two risk differences), log_hazard_ratio and
  hazard_ratio (the ratio of two), `p_value`; with level empty `p_value` of the test that all levels
  are equal, and `p_value_holm`, adjusted for the family;
- `partially_pooled`: risk_difference, log_hazard_ratio, hazard_ratio drawn towards the mean of the
  grouping, where two levels of it have a number;
- `treatment_share`: share of the eligible of each level who started (outcome `started`), and whose
  chance of a start lies outside the common support (`outside_support`), also where no effect can be
  estimated; of `started` the share of level a less that of the reference (`share_difference`).

The smallest difference that would have been seen (`minimum_detectable_difference`) is among the
diagnostics: of the risks within each level, and of two levels (`subgroup=a_less_b`).

The family of Holm's adjustment is declared by the study file: every measure x grouping x scale
(difference of risks at the day tested, ratio of hazards) that can be tested. Whether it can
be is decided by the gates, never by the effects. On the other days the tests are told unadjusted.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.analysis import no_checks
from revictimisation.analyses.subgroup_effects.family import adjust_family, pool_levels
from revictimisation.analyses.subgroup_effects.groupings import extend_study, list_groupings
from revictimisation.analyses.subgroup_effects.hazards import estimate_level_hazards
from revictimisation.analyses.subgroup_effects.risks import estimate_level_risks
from revictimisation.analyses.subgroup_effects.shares import (
    describe_absent,
    estimate_treatment_shares,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, make_estimates

__all__ = ["estimate_subgroup_effects"]


def estimate_subgroup_effects(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate every measure's effect within each level and what parts the levels; diagnostics.

    A level is `withheld` where one of the study's gates fails in it, `not_estimable` where nobody
    or everybody started, or too few events are there for a hazard ratio. Intervals by the influence
    of each victim, for hazard ratios by the robust error.
    """
    groupings = list_groupings(data)
    nothing = make_estimates([]), no_checks()
    if data.entries.empty or not data.plan.measure_names:
        return nothing
    wider = extend_study(data, groupings)
    risks, checks = estimate_level_risks(wider, groupings)
    hazards, notes = estimate_level_hazards(wider, groupings)
    found = combine([risks, hazards])
    parts = [
        found,
        adjust_family(data.plan, found),
        pool_levels(found),
        estimate_treatment_shares(data, groupings),
        describe_absent(data),
    ]
    kept = [table for table in (checks, notes) if len(table)]
    return combine(parts), pd.concat(kept, ignore_index=True) if kept else nothing[1]
