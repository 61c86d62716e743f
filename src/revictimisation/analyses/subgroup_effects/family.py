"""What concerns all measures and groupings together: Holm's adjustment, partial pooling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.subgroup_effects.rows import CONTRAST
from revictimisation.core.results import OK, combine, make_estimates
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.level_contrasts import adjust_holm
from revictimisation.estimators.partial_pooling import pool_partially
from revictimisation.plan import StudyPlan

POOLED = "partially_pooled"
SCALES = ("risk_difference", "log_hazard_ratio")


def adjust_family(plan: StudyPlan, found: pd.DataFrame) -> pd.DataFrame:
    """Rows `p_value_holm` beside the tests of whether all levels of a grouping are equal.

    The family is every such test of the study, on both scales; of the risks that of one day
    (`for_whom: tested_at_days`). A test that could not be made is none of the family and says why
    again.
    """
    days = plan.days_within_horizon
    tested = plan.for_whom.choose_day(days)
    is_test = found["analysis"].eq(CONTRAST) & found["level"].eq("")
    is_test &= found["estimand"].eq("p_value")
    is_main = found["time_days"].isna() | found["time_days"].eq(tested or -1)
    family = found[is_test & is_main.fillna(False).astype(bool)]
    adjusted = adjust_holm(family["estimate"].to_numpy())
    return make_estimates(family.assign(estimand="p_value_holm", estimate=adjusted))


def pool_levels(found: pd.DataFrame) -> pd.DataFrame:
    """Rows `partially_pooled` of what is `ok` within levels, on each scale and day by themselves.

    A family is a measure within a grouping, whose mean its levels are drawn to; how much truths
    differ is estimated from all groupings of the measure together. A level alone in its grouping
    has nothing to be drawn to and no row: its own number again, which disclosure control would
    round in another way, and so show more of.
    """
    parts = [make_estimates([])]
    is_main = found["analysis"].eq("main") & found["estimand"].isin(SCALES)
    known = found[is_main & found["status"].eq(OK) & found["se"].gt(0)]
    for _, rows in known.groupby(["estimand", "time_days", "measure"], dropna=False, sort=False):
        family = rows.groupby("subgroup", sort=False).ngroup().to_numpy().astype(np.int64)
        estimate, variance = rows["estimate"].to_numpy(), rows["se"].to_numpy() ** 2
        pooled = pool_partially(estimate, variance, family)
        numbers = Estimate.with_error(pooled.estimate, pooled.se).interval().numbers
        is_among_others = np.bincount(family)[family] > 1
        parts.append(rows.assign(analysis=POOLED, **numbers)[is_among_others])
    table = combine(parts)
    logs = table[table["estimand"].eq("log_hazard_ratio")]
    ratios = Estimate.with_error(logs["estimate"], logs["se"]).interval().exp().numbers
    return combine([table, make_estimates(logs.assign(estimand="hazard_ratio", **ratios))])
