"""What an extract's rows must be, from the entries alone: question 4."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from tests.search import counting
from tests.search.expected import NO_ANSWER, Answer, Expected, Reading, Rows, key
from tests.search.expected_hazards import build_hazard
from tests.search.fitting import FAR, fit_cox, fit_firth, fit_logistic
from tests.search.following import Entry, keep_independent
from tests.search.weighing import NEVER

RUNGS = {
    "investigated": {"investigated", "discontinued", "prosecuted", "convicted", "acquitted"},
    "decided": {"discontinued", "prosecuted", "convicted", "acquitted"},
    "discontinued": {"discontinued"},
    "cleared": {"prosecuted", "convicted", "acquitted"},
    "prosecuted": {"prosecuted", "convicted", "acquitted"},
    "tried": {"convicted", "acquitted"},
    "sanctioned": {"convicted"},
    "convicted": {"convicted"},
    "acquitted": {"acquitted"},
}
# "reported", and what no case of these extracts comes to
OTHER_STATES = ("reported", "not_investigated", "summary_penalty", "prosecution_waived",
                "prosecution_dropped")  # fmt: skip
# all lies after the change of definitions
PERIODS = ({}, {"subgroup": "definition_period", "level": "from_change"})
EVIDENCE = ("has_witness", "has_documented_injury", "has_admission")
PARTICIPATION = "has_victim_participation"
# Convictions, for any answer; for maximum likelihood so many, and as many without, in either group.
LEAST_EVENTS = 10
MODELS = ("standardised_logistic", "firth_logistic")
NEARLY = 1e-3  # foretold so near to what happened, for everybody: the columns part the groups


@dataclass
class Court:
    """The case of an entry: its states with their days, and what the investigation holds."""

    path: list[tuple[int, str]]
    facts: dict[str, str]

    def first(self, states: set[str]) -> float:
        """The first day in one of these states; `NEVER`."""
        return min((day for day, state in self.path if state in states), default=NEVER)


def expect_courts(reading: Reading) -> Expected:
    """All rows of question 4 that are counted here; none without the tables."""
    found: Expected = {}
    if not reading.entries or "case_decisions" not in reading.case.tables:
        return found
    courts = [_read_court(reading, one) for one in reading.entries]
    for part in (_ladder, _prosecuted, _tried, _decision_time, _association):
        for name, answer in part(reading, courts):
            found[name] = answer
    return found


def _read_court(reading: Reading, entry: Entry) -> Court:
    """The states of the case that the index report began, which ends in `n0`."""
    report, tables = f"r{entry.suspect}n0", reading.case.tables
    opened = tables["investigations"]
    opened = opened[opened["report_id"] == report].to_dict("records")
    decided = tables["case_decisions"]
    decided = decided[decided["report_id"] == report].to_dict("records")
    steps = [((row["opened_on"] - entry.index_on).days, "investigated") for row in opened]
    steps += [((row["decided_on"] - entry.index_on).days, row["decision"]) for row in decided]
    path = [(0, "reported")]
    for day, state in sorted(steps, key=lambda one: one[0]):
        path = path[:-1] if day == path[-1][0] else path
        path.append((day, state))
    facts = {name: opened[0][name] if opened else "missing" for name in (*EVIDENCE, PARTICIPATION)}
    return Court(path, facts)


def _ladder(reading: Reading, courts: list[Court]) -> Rows:
    """How many have come to each rung, and where the cases stand."""
    end = np.array([one.data_end_day for one in reading.entries])
    weights = counting.perturb(reading.victim)
    paths = [one.path for one in courts]
    groups = ({}, {"subgroup": "is_honour", "level": "false"},
              {"subgroup": "relation_group", "level": "partner"})  # fmt: skip
    for analysis, days in (("ladder", reading.days), ("ladder_curve", reading.curve_days)):
        shares = counting.state_shares(paths, end, weights, days)
        for place, day in enumerate(days):
            is_seen = bool((end >= day).any())
            standing = [counting.state_on(path, day) for path in paths]
            for state in (*RUNGS["investigated"], *OTHER_STATES):
                share = shares[state][place] if state in shares else 0 * weights[0]
                n = sum(
                    one == state and last >= day for one, last in zip(standing, end, strict=True)
                )
                named = {"analysis": analysis, "outcome": "case_state", "subgroup": "case_state",
                         "level": state, "time_days": day}  # fmt: skip
                yield key("q4", "aalen_johansen", "share", **named), _answer(share, is_seen, n)
            if analysis == "ladder_curve":
                continue
            for rung, states in RUNGS.items():
                share = sum((shares[one][place] for one in states if one in shares), 0 * weights[0])
                n = sum(one.first(states) <= day for one in courts)
                for group in groups:
                    named = {**group, "analysis": "ladder", "outcome": rung, "time_days": day}
                    yield (
                        key("q4", "aalen_johansen", "cumulative_incidence", **named),
                        _answer(share, is_seen, n),
                    )
                for group in PERIODS if rung in ("cleared", "sanctioned", "convicted") else ():
                    named = {**group, "analysis": "of_reports", "outcome": rung, "time_days": day}
                    yield (
                        key("q4", "aalen_johansen", "cumulative_incidence", **named),
                        _answer(share, is_seen, n),
                    )


def _answer(curve: np.ndarray, is_seen: bool, n_events: int) -> Answer:
    if not is_seen:
        return Answer(NO_ANSWER)
    return Answer(*counting.read(curve), None, n_events)


def _prosecuted(reading: Reading, courts: list[Court]) -> Rows:
    """Of the prosecuted, by days from the prosecution."""
    began = np.array([one.first(RUNGS["prosecuted"]) for one in courts])
    chosen = np.flatnonzero(began < NEVER)
    if not len(chosen):
        return
    paths = []
    for one in chosen:
        later = [(day - began[one], state) for day, state in courts[one].path]
        first = counting.state_on(later, 0)
        paths.append([(0, first), *((day, state) for day, state in later if day > 0)])
    end = np.array([reading.entries[one].data_end_day for one in chosen]) - began[chosen]
    weights = counting.perturb(reading.victim[chosen])
    shares = counting.state_shares(paths, end, weights, reading.days)
    for place, day in enumerate(reading.days):
        for state in ("convicted", "acquitted"):
            share = shares[state][place] if state in shares else 0 * weights[0]
            n = sum(any(s == state and when <= day for when, s in path) for path in paths)
            for group in PERIODS:
                named = {**group, "analysis": "of_prosecuted", "outcome": state, "time_days": day}
                yield (
                    key("q4", "aalen_johansen", "cumulative_incidence", **named),
                    _answer(share, bool((end >= day).any()), n),
                )


def _tried(reading: Reading, courts: list[Court]) -> Rows:
    """Of those judged, the share convicted."""
    chosen = [i for i, one in enumerate(courts) if one.first(RUNGS["tried"]) < NEVER]
    if chosen:
        weights = counting.perturb(reading.victim[chosen])
        is_convicted = np.array([courts[one].path[-1][1] == "convicted" for one in chosen])
        share = weights[is_convicted].sum(axis=0) / weights.sum(axis=0)
        named = {"analysis": "of_tried", "outcome": "convicted"}
        answer = Answer(*counting.read(share), len(chosen), int(is_convicted.sum()))
        yield key("q4", "description", "share", **named), answer


def _decision_time(reading: Reading, courts: list[Court]) -> Rows:
    """Cox's model of the first decision; a measure counts from the day after its start on."""
    decided = np.array([one.first(RUNGS["decided"]) for one in courts])
    end = np.array([one.data_end_day for one in reading.entries])
    stop = np.minimum(decided, end)
    begun = np.array([np.where(reading.ran_before(m), 0, reading.starts(m))
                      for m in reading.measures])  # fmt: skip
    pieces = []
    for i in range(len(stop)):
        cuts = sorted({0, int(stop[i]), *(int(day) for day in begun[:, i] if day < stop[i])})
        pieces += [(i, a, b) for a, b in itertools.pairwise(cuts)]
    if not pieces:
        return
    who, start, until = np.array(pieces).T
    exposed = (begun[:, who] <= start).T
    facts = _build_facts(courts, EVIDENCE)
    base = keep_independent(np.column_stack([reading.covariates, facts])[who])
    x = np.column_stack([base, exposed.astype(float)])
    for outcome in ("decided", "cleared", "discontinued"):
        happened = np.array([one.first(RUNGS[outcome]) for one in courts]) == decided
        is_event = (until == stop[who]) & (happened & (decided < NEVER))[who]
        fit = None
        if is_event.any():
            fit = fit_cox(x, start, until, is_event, reading.victim[who])
        for place, measure in enumerate(reading.measures):
            on = exposed[:, place]
            counts = (len(set(who[on])), int((on & is_event).sum()))
            keys = {"measure": measure, "outcome": outcome}
            at = place - len(reading.measures)
            yield from build_hazard("q4", "cox_time_varying", keys, fit, at, counts)


def _build_facts(courts: list[Court], names: tuple[str, ...]) -> np.ndarray:
    return np.array(
        [[one.facts[name] == said for name in names for said in ("true", "missing")]
         for one in courts], float,
    )  # fmt: skip


def _association(reading: Reading, courts: list[Court]) -> Rows:
    """Among cases undecided at the landmark: chances of conviction, standardised."""
    for measure in reading.measures:
        landmark = reading.study["measures"][measure]["grace_days"]
        is_in = ~reading.ran_before(measure)
        for place, (entry, court) in enumerate(zip(reading.entries, courts, strict=True)):
            has_left = entry.end_day <= landmark and entry.end_cause in (2, 3)
            is_decided = court.first(RUNGS["decided"]) <= landmark
            is_in[place] &= not (has_left or is_decided) and entry.data_end_day > landmark
        is_started = (reading.starts(measure) <= landmark)[is_in]
        if not is_started.any() or is_started.all():
            continue
        mine = [court for court, chosen in zip(courts, is_in, strict=True) if chosen]
        convicted = np.array([one.first({"convicted"}) for one in mine])
        ended = np.array([one.first({"discontinued", "acquitted"}) for one in mine])
        last = np.array([one.data_end_day for one in reading.entries])[is_in]
        stop = np.minimum(np.minimum(convicted, ended), last)
        cause = np.where(convicted < NEVER, 1, np.where(ended < NEVER, 2, 0))
        columns = _build_columns(reading, courts, measure, landmark, is_in)
        for day in reading.days:
            if day > landmark:
                yield from _standardise(
                    reading.victim[is_in], measure, day, (stop, cause), is_started, columns
                )


def _build_columns(
    reading: Reading, courts: list[Court], measure: str, landmark: int, is_in: np.ndarray
) -> dict[str, np.ndarray]:
    """By analysis the columns beside the measure."""
    again = np.array([any(d <= landmark for d in one.outcomes) for one in reading.entries])
    main = np.column_stack(
        [
            reading.covariates,
            _build_facts(courts, EVIDENCE),
            *reading.started_by(landmark, measure),
            again,
        ]
    ).astype(float)[is_in]
    part = _build_facts(courts, (PARTICIPATION,))[is_in]
    return {
        "unadjusted": np.zeros((int(is_in.sum()), 0)),
        "main": keep_independent(main),
        "with_participation": keep_independent(np.column_stack([main, part])),
    }


def _standardise(victim, measure: str, day: int, follow_up, is_started, columns) -> Rows:
    stop, cause = follow_up
    is_convicted = (cause == 1) & (stop <= day)
    weights = counting.perturb(victim)
    known = _weigh_known(stop, cause, day, weights)
    names = ("risk_start", "risk_no_start", "risk_difference", "odds_ratio")
    is_free = ~is_convicted & ~((cause == 0) & (stop < day))
    counts = [
        (kind & arm).sum() for kind in (is_convicted, is_free) for arm in (is_started, ~is_started)
    ]
    is_few = min(counts) < LEAST_EVENTS
    is_estimable = known is not None and is_convicted.sum() >= LEAST_EVENTS
    for analysis, beside in columns.items():
        x = np.column_stack([np.ones(len(beside)), beside, is_started])
        beta = fit_logistic(x, is_convicted, known) if is_estimable else np.zeros((x.shape[1], 1))
        chance = 1 / (1 + np.exp(-np.real(x @ beta[:, 0])))
        is_parted = bool((np.abs(chance - is_convicted) < NEARLY).all())
        has_end = not is_few and not is_parted and abs(beta[-1, 0]) < FAR
        right = "standardised_logistic" if has_end else "firth_logistic"
        right = "crude" if analysis == "unadjusted" else right
        keys = {"analysis": analysis, "measure": measure, "outcome": "convicted", "time_days": day}
        answers = [Answer(NO_ANSWER)] * 4
        if is_estimable:
            if not has_end:
                beta = fit_firth(x, is_convicted, np.real(known[:, 0]))[:, None]
            answers = _compare(x, beta, weights, has_error=has_end)
        for estimator in ("crude",) if right == "crude" else MODELS:
            for name, answer in zip(names, answers, strict=True):
                mine = answer if estimator == right else Answer(NO_ANSWER)
                yield key("q4", estimator, name, **keys), mine


def _compare(x, beta, weights, *, has_error: bool) -> list[Answer]:
    """Mean chances with the measure (the last column) and without, difference and odds ratio."""
    risks = []
    for value in (1.0, 0.0):
        chance = 1 / (1 + np.exp(-(np.column_stack([x[:, :-1], np.full(len(x), value)]) @ beta)))
        risks.append((weights * chance).sum(axis=0) / weights.sum(axis=0))
    start, others = risks
    ratio = start / (1 - start) * (1 - others) / others
    found = [counting.read(one) for one in (start, others, start - others, ratio)]
    # errors of the package allow for few people, so they are the larger
    return [Answer(value, least_se=error if has_error else None) for value, error in found]


def _weigh_known(stop, cause, day: int, weights) -> np.ndarray | None:
    """Who is known by the day, times one over the chance of being followed so long."""
    is_lost = (cause == 0) & (stop < day)
    curve, left = [(-1, 1.0 + 0 * weights[0])], 1.0 + 0 * weights[0]
    for when in np.unique(stop[is_lost]):
        at_risk = weights[(stop > when) | ((stop == when) & (cause == 0))].sum(axis=0)
        left = left * (1 - weights[is_lost & (stop == when)].sum(axis=0) / at_risk)
        curve.append((when, left))
    if np.real(left[0]) < counting.NOTHING:
        return None
    before = [[g for when, g in curve if when < min(t, day)][-1] for t in stop]
    return np.where(is_lost[:, None], 0.0, weights / np.array(before))
