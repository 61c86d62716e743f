"""How many victims have index reports against several suspects: violence that is shared."""

from __future__ import annotations

import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import make_estimates, not_estimable
from revictimisation.estimators.intervals import wilson_interval

SEVERAL = "several_suspects"


def count_suspects(data: StudyData) -> pd.DataFrame:
    """The share of victims with index reports against more than one suspect, and how many they are.

    Each victim counts once (`n_people`); Wilson's limits, as victims are independent.
    """
    same = {"question": "q1", "analysis": "suspects", "outcome": SEVERAL,
            "estimator": "description"}  # fmt: skip
    if data.entries.empty:
        return not_estimable("empty_cohort", estimand="share", **same)
    per_victim = data.entries["cluster_id"].value_counts()
    n_people, n_events = len(per_victim), int(per_victim.gt(1).sum())
    low, high = (float(end) for end in wilson_interval(n_events, n_people))
    counts = {"n_people": n_people, "n_events": n_events}
    share = {"estimand": "share", "estimate": n_events / n_people, "ci_low": low, "ci_high": high}
    count = {"estimand": "count", "estimate": n_events}
    return make_estimates([{**share, **counts}, {**count, **counts}], **same)
