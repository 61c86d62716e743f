"""How many report again, in each; and how many report somebody else, which tells of reporting."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import CURVES, Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.estimators.two_samples import to_gap
from revictimisation.plan.parts import Comparison

OTHER_SUSPECT = "other_suspect"


def compare_incidence(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """The share with a new report: judged on one day (`for_whom.tested_at_days`), told on all.

    The share with a report against somebody else is judged on the last day that both tell.
    """
    days = [day for day in reference.plan.days_within_horizon
            if day in new.plan.days_within_horizon]  # fmt: skip
    day = reference.plan.for_whom.choose_day(days)
    same = {"cohort": new.name}
    if day is None:
        return cannot_compare("beyond_horizon", check="incidence", **same)
    own = {"analysis": "main", "outcome": reference.plan.outcome.who}
    parts = [
        _compare_risks(reference, new, own, at,
                       check="incidence" if at == day else "incidence_at_day",
                       limit=float(np.log(limits.incidence_ratio)) if at == day else np.nan)
        for at in days
    ]  # fmt: skip
    others = {"analysis": "profile", "outcome": OTHER_SUSPECT}
    limit = float(np.log(limits.reporting_ratio))
    parts.append(_compare_risks(reference, new, others, max(days), check="reporting", limit=limit))
    return combine_rows(parts)


def _compare_risks(
    reference: Cohort, new: Cohort, keys: dict[str, str], day: int, **same: object
) -> pd.DataFrame:
    asked = {**CURVES, **keys, "subgroup": "", "time_days": day}
    told = {**same, "time_days": day, "cohort": new.name}
    rows = [one.find(**asked) for one in (reference, new)]
    lacking = [one for one, row in zip((reference, new), rows, strict=True) if row is None]
    first, second = rows
    if first is None or second is None:
        return cannot_compare(lacking[0].explain(**asked), **told)
    risk = [count(row["estimate"]) for row in (first, second)]
    relative = [count(row["se"]) / count(row["estimate"]) for row in (first, second)]
    gap = to_gap(float(np.log(risk[1] / risk[0])), math.hypot(*relative))
    if not np.isfinite(gap.value):
        return cannot_compare("too_few", **told)
    row = {"value_reference": risk[0], "value_new": risk[1],
           "n_reference": count(first["n_people"]), "n_new": count(second["n_people"]),
           "difference": gap.value, "ci_low": gap.ci_low, "ci_high": gap.ci_high}  # fmt: skip
    if told["check"] != "incidence_at_day":
        row["p_value"] = gap.p_value
    return make_rows([row], **told)
