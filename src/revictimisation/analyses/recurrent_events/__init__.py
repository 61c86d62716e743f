"""Question 2 past the first new report, and what competes with it.

Hazards of recurrent outcomes (Prentice-Williams-Peterson, beside Andersen-Gill's in `effects`), how
many outcomes a person has had by each day, and the two hazards of each event side by side.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.recurrent_events.competing import estimate_competing_hazards
from revictimisation.analyses.recurrent_events.counts import estimate_mean_counts
from revictimisation.analyses.recurrent_events.ordered_hazards import estimate_ordered_hazards
from revictimisation.analyses.recurrent_events.strategies import estimate_strategy_counts
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine

__all__ = ["estimate_recurrent_events"]


def estimate_recurrent_events(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate all there is on recurrent and competing events; also the diagnostics."""
    ordered, notes = estimate_ordered_hazards(data)
    strategies, checks = estimate_strategy_counts(data)
    rest = [estimate_mean_counts(data), estimate_competing_hazards(data)]
    diagnostics = pd.concat([one for one in (notes, checks) if len(one)], ignore_index=True)
    return combine([ordered, strategies, *rest]), diagnostics
