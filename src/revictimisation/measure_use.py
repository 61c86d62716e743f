"""Question 1: which measures are used, for whom, how soon, together with what, for how long.

People are entries: a victim is counted once per suspect. A decision belongs to an entry's
follow-up when it was made on days 0 to `end_day`, a measure was carried out when it started on one
of them before `end_day`.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from revictimisation.codes import POLICE, SOCIAL_SERVICES
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.curves import aalen_johansen, kaplan_meier
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.results import combine, make_estimates, not_estimable

GROUPS = (
    "risk_level",
    "is_honour",
    "relation",
    "sex",
    "age_group",
    "police_district",
    "index_year",
)
OUTCOMES = ("offered", "granted", "denied", "declined", "carried_out")
AGENCY_OF = {"police_measures": POLICE, "social_interventions": SOCIAL_SERVICES}
Z_95 = normal_quantile()


def estimate_use(data: StudyData) -> pd.DataFrame:
    """Estimate everything of question 1; see the functions it calls for the rows."""
    if data.entries.empty:
        return not_estimable("empty_cohort", question="q1", estimator="description")
    hits = find_hits(data)
    parts = [
        count_use(data, hits),
        count_combinations(data, hits),
        count_sequences(data),
        count_agencies(data, hits),
        estimate_first_start(data, hits),
        estimate_durations(data),
        estimate_sharing(data),
    ]
    return combine(parts)


def find_hits(data: StudyData) -> pd.DataFrame:
    """Find who was offered, granted ... what: a row per analysis, measure, outcome and entry.

    `analysis` is `by_code` (each code by itself), `main` (the study's measures) or `by_agency`
    (any measure of police, of social services). `day` is the first such day.
    """
    decisions = data.decisions
    end_day = data.entries["end_day"].to_numpy()[decisions["entry_id"].to_numpy(dtype=int)]
    decided = decisions["decided_day"].fillna(decisions["start_day"]).astype(float)
    start = decisions["start_day"].astype(float)
    is_decided = (decided >= 0) & (decided <= end_day)
    is_carried_out = (start >= 0) & (start < end_day)
    found = [("offered", is_decided, decided)]
    found += [(name, is_decided & (decisions["decision"] == name), decided) for name in OUTCOMES[1:4]]
    found += [("carried_out", is_carried_out, start)]
    long = pd.concat(
        [
            decisions.loc[is_it, ["entry_id", "code", "source"]].assign(outcome=name, day=day[is_it])
            for name, is_it, day in found
        ]
    )
    parts = [long.assign(analysis="by_code", measure=long["code"])]
    agency = long["source"].map(AGENCY_OF)
    parts.append(long[agency.notna()].assign(analysis="by_agency", measure="any_" + agency.dropna()))
    for name, measure in data.plan.measures.items():
        if not measure.is_joint:
            chosen = long[long["code"].isin(measure.codes)]
            parts.append(chosen.assign(analysis="main", measure=name))
    hits = pd.concat(parts)[["analysis", "measure", "outcome", "entry_id", "day"]]
    keys = ["analysis", "measure", "outcome", "entry_id"]
    hits = hits.groupby(keys, as_index=False, sort=True)["day"].min()
    return pd.concat([hits, _joint_hits(data)], ignore_index=True)


def _joint_hits(data: StudyData) -> pd.DataFrame:
    """First starts of the study's joint measures, which no single decision makes."""
    joint = [name for name, measure in data.plan.measures.items() if measure.is_joint]
    starts = data.starts[data.starts["measure"].isin(joint)]
    end_day = data.entries["end_day"].to_numpy()[starts["entry_id"].to_numpy(dtype=int)]
    day = starts["first_start_day"].astype(float)
    found = starts[(day < end_day).to_numpy()]
    return pd.DataFrame(
        {
            "analysis": "main",
            "measure": found["measure"],
            "outcome": "carried_out",
            "entry_id": found["entry_id"],
            "day": found["first_start_day"].astype(float),
        }
    )


def wilson_interval(n_events: pd.Series, n_people: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give the 95 % interval of a share (Wilson 1927); within 0..1, also for 0 and all.

    >>> low, high = wilson_interval(pd.Series([0, 8]), pd.Series([10, 10]))
    >>> [round(x, 4) for x in (*low, *high)]
    [0.0, 0.4902, 0.2775, 0.9433]
    """
    share, square = n_events / n_people, Z_95**2
    centre = (share + square / (2 * n_people)) / (1 + square / n_people)
    inside = share * (1 - share) / n_people + square / (4 * n_people**2)
    half = Z_95 / (1 + square / n_people) * np.sqrt(inside)
    return (centre - half).clip(lower=0), (centre + half).clip(upper=1)


def _count_and_share(counts: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Rows `count` and `share` from n_events of n_people (groups of nobody are left out)."""
    counts = counts[counts["n_people"] > 0]
    low, high = wilson_interval(counts["n_events"], counts["n_people"])
    same = {"question": "q1", "estimator": "description", **keys}
    number = counts.assign(estimand="count", estimate=counts["n_events"])
    share = counts.assign(
        estimand="share",
        estimate=counts["n_events"] / counts["n_people"],
        ci_low=low,
        ci_high=high,
    )
    return make_estimates(pd.concat([number, share]), **same)


def count_use(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count offered, granted, denied, declined and carried out, in all and by each group.

    A row per analysis x measure x outcome x level, also where the count is 0.
    """
    cells = hits[["analysis", "measure"]].drop_duplicates()
    cells = cells.merge(pd.Series(OUTCOMES, name="outcome"), how="cross")
    is_joint = cells["measure"].map(lambda name: _is_joint(data, name))
    cells = cells[~is_joint | (cells["outcome"] == "carried_out")]
    parts = [_count_cells(hits, cells, pd.Series("", index=data.entries.index), "")]
    for name in GROUPS:
        levels = data.subgroup(name)
        if levels is not None:
            parts.append(_count_cells(hits, cells, levels, name))
    return combine([_count_and_share(part) for part in parts])


def _is_joint(data: StudyData, name: str) -> bool:
    return name in data.plan.measures and data.plan.measures[name].is_joint


def _count_cells(
    hits: pd.DataFrame, cells: pd.DataFrame, levels: pd.Series, subgroup: str
) -> pd.DataFrame:
    people = levels.value_counts().rename_axis("level").reset_index(name="n_people")
    level = levels.to_numpy()[hits["entry_id"].to_numpy(dtype=int)]
    keys = ["analysis", "measure", "outcome", "level"]
    counted = hits.assign(level=level).groupby(keys).size().reset_index(name="n_events")
    crossed = cells.merge(people.sort_values("level"), how="cross")
    crossed = crossed.merge(counted, on=keys, how="left").fillna({"n_events": 0})
    return crossed.assign(subgroup=subgroup)


def count_combinations(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count which of the study's measures the same people got, and which came first.

    Analysis `combination`: measure, level (the other measure), outcome `together` (both carried
    out), `before` (measure started before the other), `same_day`.
    """
    starts = _first_starts(data, hits)
    rows = []
    for one, other in itertools.permutations(starts.columns, 2):
        both = starts[[one, other]].dropna()
        found = {
            "together": len(both),
            "before": int((both[one] < both[other]).sum()),
            "same_day": int((both[one] == both[other]).sum()),
        }
        rows += [
            {"measure": one, "level": other, "outcome": name, "n_events": n}
            for name, n in found.items()
        ]
    columns = ["measure", "level", "outcome", "n_events"]
    counts = pd.DataFrame(rows, columns=columns).assign(n_people=len(data.entries))
    return _count_and_share(counts, analysis="combination", subgroup="combined_with")


def _first_starts(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """A row per entry with any, a column per study measure that is a set of codes: first start."""
    chosen = hits[(hits["analysis"] == "main") & (hits["outcome"] == "carried_out")]
    chosen = chosen[~chosen["measure"].map(lambda name: _is_joint(data, name))]
    return chosen.pivot(index="entry_id", columns="measure", values="day")


def count_sequences(data: StudyData) -> pd.DataFrame:
    """Count in which order people got the study's measures: the commonest sequences.

    Analysis `sequence`, level such as `safety_talk > support_talks` (the first three measures, in
    the order of their first start, same-day starts in alphabetical order) or `none`.
    """
    hits = find_hits(data)
    chosen = hits[(hits["analysis"] == "main") & (hits["outcome"] == "carried_out")]
    chosen = chosen[~chosen["measure"].map(lambda name: _is_joint(data, name))]
    ordered = chosen.sort_values(["entry_id", "day", "measure"])
    first_three = ordered[ordered.groupby("entry_id").cumcount() < 3]
    sequences = first_three.groupby("entry_id")["measure"].agg(" > ".join)
    counts = sequences.value_counts()
    none = pd.Series({"none": len(data.entries) - len(sequences)})
    top = counts.sort_index().sort_values(ascending=False, kind="stable").head(data.plan.n_sequences)
    top = pd.concat([none, top])
    frame = pd.DataFrame({"level": top.index, "n_events": top.to_numpy()})
    frame = frame.assign(n_people=len(data.entries))
    keys = {"analysis": "sequence", "subgroup": "sequence", "outcome": "carried_out"}
    return _count_and_share(frame, **keys)


def count_agencies(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count who got measures carried out by police only, social services only, both, none.

    Of those with both, `joint` started something together within the study's days (if the study
    has a joint measure), `both_apart` did not. Whole population and by group.
    """
    carried_out = hits[hits["outcome"] == "carried_out"]

    def has(analysis: str, names: list[str]) -> np.ndarray:
        chosen = carried_out[
            (carried_out["analysis"] == analysis) & carried_out["measure"].isin(names)
        ]
        return data.entries["entry_id"].isin(chosen["entry_id"]).to_numpy()

    joint_names = [name for name, measure in data.plan.measures.items() if measure.is_joint]
    police = has("by_agency", [f"any_{POLICE}"])
    social = has("by_agency", [f"any_{SOCIAL_SERVICES}"])
    joint = has("main", joint_names)
    kind = np.select(
        [joint & police & social, police & social, police, social],
        ["joint", "both_apart", "police_only", "social_services_only"],
        "neither",
    )
    found = pd.DataFrame(
        {"measure": kind, "entry_id": data.entries["entry_id"], "outcome": "carried_out"}
    ).assign(analysis="agencies")
    cells = found[["analysis", "measure", "outcome"]].drop_duplicates().sort_values("measure")
    parts = [_count_cells(found, cells, pd.Series("", index=data.entries.index), "")]
    for name in GROUPS:
        levels = data.subgroup(name)
        if levels is not None:
            parts.append(_count_cells(found, cells, levels, name))
    return combine([_count_and_share(part) for part in parts])


def estimate_first_start(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Estimate time to the first measure, competing with a new report, death and emigration.

    Aalen-Johansen along the curve days, outcome `measure_start`; for each study measure (entries
    in which it ran before day 0 left out) and for any measure of either agency, the latter also by
    risk level. On one day a new report comes before a start.
    """
    carried_out = hits[hits["outcome"] == "carried_out"]
    any_start = carried_out[carried_out["analysis"] == "by_agency"]
    any_day = any_start.groupby("entry_id")["day"].min().reindex(data.entries["entry_id"])
    everyone = np.ones(len(data.entries), bool)
    parts = [_first_start_rows(data, any_day.to_numpy(), everyone, measure="any")]
    levels = data.subgroup("risk_level")
    if levels is not None:
        for level in sorted(levels.unique()):
            chosen = (levels == level).to_numpy()
            keys = {"measure": "any", "subgroup": "risk_level", "level": level}
            parts.append(_first_start_rows(data, any_day.to_numpy(), chosen, **keys))
    for measure in data.plan.measure_names:
        starts = data.starts_of(measure)
        is_eligible = ~starts["is_running_before"].to_numpy()
        day = starts["first_start_day"].to_numpy()
        parts.append(_first_start_rows(data, day, is_eligible, measure=measure))
    return combine(parts)


def _first_start_rows(
    data: StudyData, start_day: np.ndarray, chosen: np.ndarray, **keys: str
) -> pd.DataFrame:
    entries = data.entries[chosen]
    if entries.empty:
        return make_estimates([])
    start = start_day[chosen]
    is_start = start < entries["stop_day"].to_numpy()
    stop = np.where(is_start, start, entries["stop_day"].to_numpy()).astype(int)
    cause = np.where(is_start, 1, np.where(entries["cause"] > 0, 2, 0))
    curve = aalen_johansen(
        stop,
        cause,
        at_days=data.plan.curve_days,
        cluster=entries["cluster_id"].to_numpy(),
        n_causes=2,
    )
    curve = curve[curve["cause"] == 1].drop(columns=["cause", "n_at_risk"])
    return make_estimates(
        curve.assign(n_people=len(entries)),
        question="q1",
        analysis="first_start",
        outcome="measure_start",
        estimator="aalen_johansen",
        estimand="cumulative_incidence",
        **keys,
    )


def estimate_durations(data: StudyData) -> pd.DataFrame:
    """Estimate how long each code's measures last, in days, each measure counted once.

    `duration_mean_days` over measures that ended within the data, `duration_median_days` by
    Kaplan-Meier with those still in force censored at the end of the data.
    """
    decisions = data.decisions
    entries = data.entries.iloc[decisions["entry_id"].to_numpy(dtype=int)]
    start = decisions["start_day"].astype(float).to_numpy()
    is_in = (start >= 0) & (start < entries["end_day"].to_numpy())
    spells = decisions[is_in].assign(last_day=entries["data_end_day"].to_numpy()[is_in])
    spells = spells.drop_duplicates(["source", "row_number"])
    rows = []
    for code, one in spells.groupby("code", sort=True):
        stop = np.minimum(one["stop_day"], one["last_day"]).astype(float)
        is_ended = (one["stop_day"] <= one["last_day"]).to_numpy()
        length = np.maximum((stop - one["start_day"].astype(float)).to_numpy(), 0).astype(int)
        rows += _duration_rows(str(code), length, is_ended)
    same = {"question": "q1", "analysis": "duration", "estimator": "description"}
    return make_estimates(rows, **same)


def _duration_rows(code: str, length: np.ndarray, is_ended: np.ndarray) -> list[dict[str, object]]:
    keys = {"measure": code, "outcome": "carried_out", "n_people": len(length)}
    keys["n_events"] = int(is_ended.sum())
    if not is_ended.any():
        why = {"status": "not_estimable", "reason": "none_ended"}
        return [{**keys, "estimand": "duration_mean_days", **why}]
    ended = length[is_ended]
    mean = float(ended.mean())
    se = float(ended.std(ddof=1) / np.sqrt(len(ended))) if len(ended) > 1 else np.nan
    interval = {"se": se, "ci_low": mean - Z_95 * se, "ci_high": mean + Z_95 * se}
    rows = [{**keys, "estimand": "duration_mean_days", "estimate": mean, **interval}]
    median = median_days(length, is_ended)
    if median is not None:
        rows.append({**keys, "estimand": "duration_median_days", "estimate": median})
    return rows


def median_days(length: np.ndarray, is_ended: np.ndarray) -> float | None:
    """Give the Kaplan-Meier median: the first day by which half have ended, or None."""
    days = np.arange(int(length.max()) + 1)
    ended = kaplan_meier(length, is_ended, at_days=days)
    reached = ended.loc[ended["estimate"] >= 0.5 - 1e-12, "time_days"]
    return float(reached.iloc[0]) if len(reached) else None


def estimate_sharing(data: StudyData) -> pd.DataFrame:
    """Estimate how often, and how fast, a risk assessment reached the other agency.

    Analysis `risk_assessment`, measure empty; in all, by agency and by risk level: number and
    share ever shared, Kaplan-Meier share shared within 7 and 30 days (open ones censored at the
    end of the data). People here are assessments.
    """
    if "risk_assessments" in data.absent:
        keys = {"question": "q1", "analysis": "risk_assessment", "estimator": "description"}
        return not_estimable("table_absent", estimand="share", outcome="shared", **keys)
    within = data.plan.shared_within_days
    parts = [_sharing_rows(data.assessments, within, "", "")]
    for name in ("agency", "risk_level"):
        for level, chosen in data.assessments.groupby(name, sort=True):
            parts.append(_sharing_rows(chosen, within, name, str(level)))
    return combine(parts)


def _sharing_rows(
    assessments: pd.DataFrame, within_days: tuple[int, ...], subgroup: str, level: str
) -> pd.DataFrame:
    if assessments.empty:
        return make_estimates([])
    is_shared = assessments["shared_days"].notna().to_numpy()
    keys = {"analysis": "risk_assessment", "outcome": "shared", "subgroup": subgroup}
    counts = pd.DataFrame({"n_events": [int(is_shared.sum())], "n_people": [len(assessments)]})
    ever = _count_and_share(counts, level=level, **keys)
    days = assessments["shared_days"].where(is_shared, assessments["open_days"])
    days = np.maximum(days.to_numpy(dtype=float), 0).astype(int)
    within = kaplan_meier(days, is_shared, at_days=within_days)
    within = within.drop(columns=["n_at_risk", "cause"]).assign(n_people=len(assessments))
    same = {"question": "q1", "estimator": "kaplan_meier", "estimand": "cumulative_incidence"}
    return combine([ever, make_estimates(within, level=level, **same, **keys)])
