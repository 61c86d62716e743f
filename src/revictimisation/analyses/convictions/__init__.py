"""Question 4: what followed in court, and how measures go together with it. Association, no more.

Everything here is of the index reports' own cases (`court_cases`). Estimates and diagnostics in the
usual formats; where a table that is optional is absent the rows say so.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.analysis import no_checks
from revictimisation.analyses.convictions.association import describe_absence, estimate_association
from revictimisation.analyses.convictions.case_states import build_paths, find_reasons
from revictimisation.analyses.convictions.decision_time import estimate_decision_time
from revictimisation.analyses.convictions.denominators import estimate_denominators
from revictimisation.analyses.convictions.ladder import estimate_ladder
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, not_estimable

__all__ = ["estimate_convictions"]

TABLES = frozenset({"investigations", "case_decisions"})


def estimate_convictions(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate question 4: ladder, denominators, association, time to decision; and diagnostics.

    With neither investigations nor decisions there is one row that says so.
    """
    nothing = no_checks()
    same = {"question": "q4", "analysis": "ladder", "estimator": "aalen_johansen",
            "estimand": "cumulative_incidence", "outcome": "convicted"}  # fmt: skip
    if data.entries.empty:
        return not_estimable("empty_cohort", **same), nothing
    if data.absent >= TABLES:
        return not_estimable("table_absent", **same), nothing
    paths = build_paths(data.case_steps, data.entries["data_end_day"])
    reasons = find_reasons(data.case_steps, len(data.entries))
    parts = [estimate_ladder(data, paths, reasons), estimate_denominators(data, paths)]
    if not data.plan.measure_names:
        return combine(parts), nothing
    if data.absent & TABLES:  # both evidence and decisions are needed
        return combine([*parts, describe_absence(data)]), nothing
    association, diagnostics = estimate_association(data, paths)
    parts += [association, estimate_decision_time(data, paths)]
    return combine(parts), diagnostics
