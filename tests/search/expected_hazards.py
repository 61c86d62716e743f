"""What an extract's rows must be, from the entries alone: hazard ratios of question 2."""

from __future__ import annotations

import numpy as np

from tests.search.expected import CAUSES, NO_ANSWER, Answer, Expected, Reading, Rows, key
from tests.search.fitting import Fit, fit_cox
from tests.search.following import BANDS, cut_episodes, keep_independent

LAST_STRATUM = 4  # of Prentice, Williams & Peterson's, as the plan has it


def expect_hazards(reading: Reading) -> Expected:
    """All rows that are counted here."""
    if not reading.entries:
        return {}
    parts = (_hazards, _bands, _landmarks)
    return {name: answer for part in parts for name, answer in part(reading)}


def _hazards(reading: Reading) -> Rows:
    """Cox to the first outcome; Andersen-Gill; Prentice, Williams & Peterson by both clocks."""
    if not reading.measures:
        return
    first = cut_episodes(reading.entries, reading.measures, is_first=True)
    every = cut_episodes(reading.entries, reading.measures, is_first=False)
    stratum = np.minimum(every.number, LAST_STRATUM)
    models = {
        "cox_time_varying": (first, first.start, first.stop, None),
        "andersen_gill": (every, every.start, every.stop, None),
        "pwp_total_time": (every, every.start, every.stop, stratum),
        "pwp_gap_time": (every, every.start - every.since, every.stop - every.since, stratum),
    }
    for estimator, (episodes, start, stop, strata) in models.items():
        exposed = np.array([episodes.is_on(one) for one in reading.measures], float).T
        cluster = reading.victim[episodes.entry]
        for analysis, x in (
            ("main", reading.covariates[episodes.entry]),
            ("unadjusted", np.zeros((len(start), 0))),
        ):
            fit = None
            if episodes.is_event.any():
                x = np.column_stack([x, exposed])
                fit = fit_cox(x, start, stop, episodes.is_event, cluster, strata)
            for place, measure in enumerate(reading.measures):
                is_on = episodes.is_on(measure)
                counts = (
                    len(set(episodes.entry[is_on])),
                    int((is_on & episodes.is_event).sum()),
                )
                keys = {"analysis": analysis, "measure": measure, "outcome": reading.who}
                at = place - len(reading.measures)
                yield from build_hazard("q2", estimator, keys, fit, at, counts)


def _bands(reading: Reading) -> Rows:
    """Cox to the first outcome, a measure at a time split by days since its start."""
    episodes = cut_episodes(reading.entries, reading.measures, is_first=True)
    base = reading.covariates[episodes.entry]
    for measure in reading.measures:
        others = [episodes.is_on(one) for one in reading.measures if one != measure]
        split = [episodes.is_on(measure, days) for days in BANDS.values()]
        x = np.column_stack([base, *others, *split]).astype(float)
        fit = None
        if episodes.is_event.any():
            cluster = reading.victim[episodes.entry]
            fit = fit_cox(x, episodes.start, episodes.stop, episodes.is_event, cluster)
        for place, (level, is_on) in enumerate(zip(BANDS, split, strict=True)):
            counts = len(set(episodes.entry[is_on])), int((is_on & episodes.is_event).sum())
            keys = {"analysis": "time_since_start", "measure": measure, "outcome": reading.who,
                    "subgroup": "time_since_start", "level": level}  # fmt: skip
            at = place - len(BANDS)
            yield from build_hazard("q2", "cox_time_varying", keys, fit, at, counts)


def build_hazard(
    question: str, estimator: str, keys: dict, fit: Fit | None, place: int, counts=(None, None)
) -> Rows:
    """The log hazard ratio and the hazard ratio of a column, or that there is none."""
    found = (NO_ANSWER, None)
    if fit is not None and fit.is_finite[place]:
        found = (float(fit.coef[place]), None if fit.se is None else float(fit.se[place]))
    yield key(question, estimator, "log_hazard_ratio", **keys), Answer(*found, *counts)
    ratio = float(np.exp(found[0]))
    error = None if found[1] is None else ratio * found[1]
    yield key(question, estimator, "hazard_ratio", **keys), Answer(ratio, error, *counts)


def _landmarks(reading: Reading) -> Rows:
    """Both hazards of each event from the end of the grace time on: started by then or not.

    Beside the covariates (if there are any) stands which other measures had started by then.
    """
    names = (reading.who, *CAUSES[1:])
    kinds = {name: (number,) for number, name in enumerate(names, start=1)}
    kinds["death_or_emigration"] = (2, 3)
    for measure in reading.measures:
        grace = reading.study["measures"][measure]["grace_days"]
        is_in = ~reading.ran_before(measure) & (reading.stop > grace)
        is_started = (reading.starts(measure) <= grace)[is_in]
        stop, cause = reading.stop[is_in] - grace, reading.cause[is_in]
        others = reading.started_by(grace, measure) if reading.study["adjust_for"] else []
        beside = keep_independent(np.column_stack([reading.covariates, *others])[is_in])
        for outcome, causes in kinds.items():
            is_event = np.isin(cause, causes)
            if not is_event.any() or is_started.all() or not is_started.any():
                continue
            x = np.column_stack([beside, is_started])
            keys = {"measure": measure, "outcome": outcome}
            counts = (int(is_started.sum()), int((is_event & is_started).sum()))
            begin, cluster = np.zeros(len(stop)), reading.victim[is_in]
            fit = fit_cox(x, begin, stop, is_event, cluster)
            yield from build_hazard("q2", "cause_specific_hazard", keys, fit, -1, counts)
            rows = stay_at_risk(stop, np.where(is_event, 1, np.where(cause > 0, 2, 0)))
            who, start, until, happened, weight = rows
            fit = fit_cox(x[who], start, until, happened, cluster[who], weights=weight)
            yield from build_hazard("q2", "fine_gray", keys, fit, -1, counts)


def stay_at_risk(stop, cause) -> tuple[np.ndarray, ...]:
    """Fine & Gray's rows: after a competing event on T at risk on t with weight G(t-) / G(T-)."""
    days = np.unique(stop[cause == 1])

    def uncensored_before(day: float) -> float:
        left = 1.0
        for when in np.unique(stop[(cause == 0) & (stop < day)]):
            # on a day the events come before the censored leave
            at_risk = ((stop > when) | ((stop == when) & (cause == 0))).sum()
            left *= 1 - ((stop == when) & (cause == 0)).sum() / at_risk
        return left

    curve = {day: uncensored_before(day) for day in {*days, *stop}}
    rows = [(i, 0.0, float(stop[i]), cause[i] == 1, 1.0) for i in range(len(stop))]
    for i in np.flatnonzero(cause == 2):
        begin = float(stop[i])
        for day in days[days > begin]:
            weight = curve[day] / curve[stop[i]]
            if weight > 0:
                rows.append((i, begin, float(day), False, weight))
            begin = float(day)
    who, start, until, happened, weight = (np.array(one) for one in zip(*rows, strict=True))
    return who, start, until, happened, weight
