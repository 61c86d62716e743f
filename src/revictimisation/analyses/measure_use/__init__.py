"""Question 1: which measures are used, for whom, how soon, together with what, for how long.

People are entries: a victim is counted once per suspect. A decision belongs to an entry's
follow-up when it was made on days 0 to `end_day`, a measure was carried out when it started on one
of them before `end_day`.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.measure_use.counts import count_agencies, count_use
from revictimisation.analyses.measure_use.hits import find_hits
from revictimisation.analyses.measure_use.order import count_combinations, count_sequences
from revictimisation.analyses.measure_use.sharing import estimate_sharing
from revictimisation.analyses.measure_use.timing import estimate_durations, estimate_first_start
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, not_estimable


def estimate_use(data: StudyData) -> pd.DataFrame:
    """Estimate everything of question 1; see the functions it calls for the rows."""
    if data.entries.empty:
        return not_estimable("empty_cohort", question="q1", estimator="description")
    hits = find_hits(data)
    parts = [
        count_use(data, hits),
        count_combinations(data, hits),
        count_sequences(data, hits),
        count_agencies(data, hits),
        estimate_first_start(data, hits),
        estimate_durations(data),
        estimate_sharing(data),
    ]
    return combine(parts)
