"""Question 2, reporting: the main differences with breach-only reports in, and with them out.

A non-contact order makes a new offence, its breach: more reports may then mean an order that is
watched over, not more violence. So the same comparison is made again with reports of nothing but a
breach counted where the study drops them, and dropped where it counts them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found
from revictimisation.analyses.sensitivity.beside import estimate_beside, hold, weigh_and_check
from revictimisation.analyses.trial_inputs import build_trial
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import OUTCOME
from revictimisation.core.results import make_estimates

WITHOUT, WITH = "without_breach_only", "with_breach_only"


def estimate_without_breaches(data: StudyData, trials: Found) -> pd.DataFrame:
    """Each main difference with breach-only reports counted the other way.

    Analysis `without_breach_only` where the study counts them, else `with_breach_only`; intervals
    by influence. No rows where that changes nobody's first outcome. Rows as of `estimate_beside`.
    """
    day, entries = data.entries["turned_day"], data.entries
    has_event = day.notna().to_numpy()
    stop = day.fillna(entries["end_day"]).to_numpy(np.int64)
    cause = np.where(has_event, OUTCOME, entries["end_cause"].to_numpy())
    if (stop == entries["stop_day"]).all() and (cause == entries["cause"]).all():
        return make_estimates([])

    def estimate(measure: str, days: list[int]) -> pd.DataFrame:
        trial = build_trial(data, measure, stop, cause)
        return hold(data.plan, measure, *weigh_and_check(data.plan, trial, days))

    analysis = WITH if data.plan.outcome.drop_breach_only else WITHOUT
    return estimate_beside(data.plan, trials, analysis, estimate)
