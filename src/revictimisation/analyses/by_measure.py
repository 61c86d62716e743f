"""What analyses that ask the same of each measure do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.results import combine, make_estimates, not_estimable
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.plan import StudyPlan

BEYOND_HORIZON = "beyond_horizon"


def estimate_each(
    data: StudyData,
    measures: Iterable[str],
    estimate: Callable[[str, list[int]], Found],
    estimand: str,
    **same: str,
) -> Found:
    """Estimate each measure at the report days within the horizon; of all others say why not.

    Args:
        estimate: from a measure and days, one or more, to rows and diagnostics; where it raises
            `NotEstimableError` that is the reason of every report day.
        estimand, same: keys of the rows that say why there is no number.
    """
    plan = data.plan
    days, beyond = plan.days_within_horizon, plan.days_beyond_horizon
    parts, notes, scores = [make_estimates([])], [no_checks()], []
    for measure in measures:
        reasons = dict.fromkeys(beyond, BEYOND_HORIZON)
        try:
            if days:
                found = estimate(measure, days)
                parts.append(found.estimates)
                notes.append(found.diagnostics)
                if found.scores is not None:
                    scores.append(found.scores)
        except NotEstimableError as fault:
            reason = "empty_cohort" if data.entries.empty else str(fault)
            reasons = dict.fromkeys(plan.report_at_days, reason)
        keys = {**same, "measure": measure, "estimand": estimand, "outcome": plan.outcome.who}
        parts += [not_estimable(why, time_days=day, **keys) for day, why in reasons.items()]
    kept = [note for note in notes if len(note)]
    return Found(
        combine(parts),
        pd.concat(kept or notes[:1], ignore_index=True),
        pd.concat(scores, ignore_index=True) if scores else None,
    )


def name_outcomes(plan: StudyPlan) -> dict[int, str]:
    """How each cause of the end of follow-up is called: the study's outcome, death, emigration."""
    return dict(enumerate((plan.outcome.who, *OTHER_CAUSES), start=1))
