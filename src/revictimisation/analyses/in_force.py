"""A model of hazards with all measures while in force, and what it says of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from revictimisation.analyses.analysis import SETTLED
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Whole
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import Design
from revictimisation.estimators.hazard_rows import (
    count_exposed,
    describe_hazard,
    describe_no_answer,
)


@dataclass(frozen=True, eq=False)
class InForce:
    """Rows of `estimates` of each measure; the model, and its columns, where there is an event."""

    rows: list[dict[str, Any]]
    fit: CoxFit | None = None
    design: Design | None = None

    @property
    def checks(self) -> dict[str, float]:
        """What stands behind the rows."""
        if self.fit is None or self.design is None:
            return {"n_events": 0}
        return {
            "n_episodes": self.fit.n_rows,
            "n_events": self.fit.n_events,
            "n_coefficients": len(self.fit.names),
            "n_constant_columns_dropped": len(self.design.dropped),
            SETTLED: self.fit.is_converged,
        }


def fit_in_force(
    data: StudyData,
    episodes: pd.DataFrame,
    design: Callable[[Whole], Design],
    *,
    strata: Whole | None = None,
    shown: Sequence[str] | None = None,
    no_events: str = "no_events",
) -> InForce:
    """Fit a Cox model to episodes with a 0/1 column a measure, errors clustered by victim.

    Args:
        design: of the entry of each episode. strata: by episode.
        shown: measures with rows; the study's if not given.
        no_events: the reason of a row where there is no event at all.
    """
    entry, is_event = episodes["entry_id"].to_numpy(), episodes["is_event"].to_numpy(bool)
    victim = data.entries["cluster_id"].to_numpy()[entry]
    shown = data.plan.measure_names if shown is None else shown
    exposed = {name: count_exposed(entry, victim, is_event, episodes[name] == 1) for name in shown}
    if not is_event.any():
        rows = [{"measure": name, **describe_no_answer(no_events, exposed[name].counts)}
                for name in shown]  # fmt: skip
        return InForce(rows)
    columns = design(entry)
    days = (episodes["start_day"].to_numpy(), episodes["stop_day"].to_numpy())
    corrected = shown if data.plan.inference.small_sample else ()
    fit = fit_cox(columns, *days, is_event, strata=strata, cluster=victim, corrected=corrected)
    rows = [{"measure": name, **row} for name in shown
            for row in describe_hazard(fit, name, exposed[name], data.plan.gates)]  # fmt: skip
    return InForce(rows, fit, columns)
