"""Who is compared on how a measure goes with conviction: the cases still undecided at a landmark.

Who gets a measure late must have had a case that was open till then, and a measure that starts
after the decision cannot have led to it. So measure and case are read at one day, the *landmark*:
the measure's own (`landmark_days`), by default the last of its grace time (Anderson, Cain & Gelber
1983, J Clin Oncol 1:710; van Houwelingen 2007, Scand J Stat 34:70). Only entries whose case has no
decision by then are compared, and what happens later is no exposure: so neither reverse nor
immortal time. The price is told in the diagnostics: how many had been decided before. Of these the
comparison says nothing; the hazards (`decision_time`) hold them as well.

Not compared: entries in whom the measure ran before day 0 (as in question 2), and those whose
victim died, emigrated or left the data by the landmark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.analyses.convictions.case_states import REACHED, Paths
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.codes import EVIDENCE, MISSING, PARTICIPATION
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError

THIS = "this_measure"


@dataclass(frozen=True, eq=False)
class Landmark:
    """The entries compared for one measure.

    Attributes:
        day: the landmark. is_in: by entry of the cohort, who is compared; all else by those.
        is_started: the measure started by the landmark.
        stop, cause: the day of conviction (1), of another end of the case (2), or of the end of
            the data (0).
        cluster: the victim.
        n_decided: how many others would be compared had their case not been decided by then.
    """

    day: int
    is_in: Flags
    is_started: Flags
    stop: Whole
    cause: Whole
    cluster: Whole
    n_decided: int


def build_landmark(data: StudyData, paths: Paths, measure: str) -> Landmark:
    """Lay out who is compared for a measure.

    A case that was discontinued and ended in conviction after all counts as convicted on that day.

    Raises:
        NotEstimableError: nobody is left (`no_open_cases`), nobody started, everybody started.
    """
    day = data.plan.measures[measure].landmark_day
    starts = data.starts_of(measure)
    decided = paths.first_day_in(REACHED["decided"])
    entries = data.entries
    has_left = (entries["end_day"] <= day) & entries["end_cause"].isin([2, 3])
    is_there = ~starts["is_running_before"].to_numpy() & ~has_left.to_numpy()
    is_there &= paths.end_day > day
    is_in = is_there & ~(decided <= day)
    if not is_in.any():
        raise NotEstimableError("no_open_cases")
    is_started = data.has_started(measure, day)[is_in]
    if not is_started.any():
        raise NotEstimableError("nobody_started")
    if is_started.all():
        raise NotEstimableError("everybody_started")
    stop, cause = find_ends(paths)
    return Landmark(
        day, is_in, is_started, stop[is_in], cause[is_in],
        entries["cluster_id"].to_numpy(np.int64)[is_in], int((is_there & ~is_in).sum()),
    )  # fmt: skip


def find_ends(paths: Paths) -> tuple[Whole, Whole]:
    """When each case ended and how: 1 convicted, 2 otherwise, 0 open at the end of the data."""
    convicted = paths.first_day_in(["convicted"])
    ended = paths.first_day_in(
        ["not_investigated", "discontinued", "summary_penalty", "prosecution_waived",
         "prosecution_dropped", "acquitted"]
    )  # fmt: skip
    is_convicted, has_ended = ~np.isnan(convicted), ~np.isnan(ended)
    stop = np.where(is_convicted, convicted, np.where(has_ended, ended, paths.end_day))
    return stop.astype(np.int64), np.where(is_convicted, 1, np.where(has_ended, 2, 0))


def design_landmark(data: StudyData, landmark: Landmark, measure: str) -> dict[str, Design]:
    """The columns of the models, by analysis; `this_measure` stands in each.

    `unadjusted`: the measure alone. `main`: the study's covariates; evidence (witness, documented
    injury, admission); the suspect's earlier reports and convictions; whether the victim has
    reported the suspect anew, and which other measures have started, by the landmark (none for
    joint measures, which are made of them). `with_participation`: also whether the victim takes
    part in the investigation, in columns after those of `main`.
    """
    chosen = landmark.is_in
    rows = np.arange(int(chosen.sum()))
    own: dict[str, npt.ArrayLike] = {THIS: landmark.is_started.astype(np.float64)}
    facts = build_facts(data, EVIDENCE)
    facts |= {
        name: mark.astype(np.float64)
        for name, mark in data.mark_started_by(landmark.day, measure).items()
    }
    facts["reported_again"] = _mark_reported(data, landmark.day)
    main = {**{name: value[chosen] for name, value in facts.items()}, **own}
    part = {name: value[chosen] for name, value in build_facts(data, (PARTICIPATION,), ()).items()}
    return {
        "unadjusted": data.design(rows, own, chosen=chosen, is_adjusted=False),
        "main": data.design(rows, main, chosen=chosen),
        "with_participation": data.design(rows, {**main, **part}, chosen=chosen),
    }


def build_facts(
    data: StudyData,
    truths: tuple[str, ...],
    numbers: tuple[str, ...] = ("n_suspect_reports", "n_suspect_convictions"),
) -> dict[str, Floats]:
    """Columns by entry of what the case is like: yes and not stated of each truth, and numbers."""
    columns: dict[str, Floats] = {}
    for name in truths:
        said = data.cases[name].to_numpy()
        columns[f"{name}=true"] = (said == "true").astype(np.float64)
        columns[f"{name}={MISSING}"] = (said == MISSING).astype(np.float64)
    return columns | {name: data.cases[name].to_numpy(np.float64) for name in numbers}


def _mark_reported(data: StudyData, day: int) -> Floats:
    events = data.episodes[data.episodes["is_event"].to_numpy(bool)]
    who = events.loc[events["stop_day"] <= day, "entry_id"].unique()
    return data.entries["entry_id"].isin(who).to_numpy().astype(np.float64)


def mark_participation(data: StudyData, landmark: Landmark) -> tuple[Flags, Flags]:
    """Of those compared: whether the victim takes part, and whether that is known."""
    said = data.cases[PARTICIPATION].to_numpy()[landmark.is_in]
    return said == "true", said != MISSING
