"""Whether, and how fast, a risk assessment reached the other agency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.measure_use.counts import count_and_share
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, hold_to_follow_up, make_estimates, not_estimable
from revictimisation.estimators.curves import kaplan_meier


def estimate_sharing(data: StudyData) -> pd.DataFrame:
    """Estimate how often, and how fast, a risk assessment reached the other agency.

    Analysis `risk_assessment`, measure empty; in all, by agency and by risk level: number and
    share ever shared, Kaplan-Meier share shared within 7 and 30 days (open ones censored at the
    end of the data). People here are assessments.
    """
    reasons = {"risk_assessments": "table_absent", "risk_assessments.shared_on": "not_registered"}
    for name, reason in reasons.items():
        if name in data.absent:
            keys = {"question": "q1", "analysis": "risk_assessment", "estimator": "description"}
            return not_estimable(reason, estimand="share", outcome="shared", **keys)
    within = data.plan.definitions.shared_within_days
    parts = [_sharing_rows(data.assessments, within, "", "")]
    for name in ("agency", "risk_level"):
        for level, chosen in data.assessments.groupby(name, sort=True):
            parts.append(_sharing_rows(chosen, within, name, str(level)))
    return combine(parts)


def _sharing_rows(
    assessments: pd.DataFrame, within_days: tuple[int, ...], subgroup: str, level: str
) -> pd.DataFrame:
    if assessments.empty:
        return make_estimates([])
    is_shared = assessments["shared_days"].notna().to_numpy()
    keys = {"analysis": "risk_assessment", "outcome": "shared", "subgroup": subgroup}
    counts = pd.DataFrame({"n_events": [int(is_shared.sum())], "n_people": [len(assessments)]})
    ever = count_and_share(counts, level=level, **keys)
    days = assessments["shared_days"].where(is_shared, assessments["open_days"])
    days = np.maximum(days.to_numpy(dtype=float), 0).astype(int)
    within = kaplan_meier(days, is_shared, at_days=within_days)
    within = hold_to_follow_up(within.drop(columns=["n_at_risk", "cause"]))
    within = within.assign(n_people=len(assessments))
    same = {"question": "q1", "estimator": "kaplan_meier", "estimand": "cumulative_incidence"}
    return combine([ever, make_estimates(within, level=level, **same, **keys)])
