"""Numbers and shares of those who were offered, granted ... and got each measure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.measure_use.hits import AGENCY_OF, DECISIONS, OUTCOMES, SUSPECTS
from revictimisation.analyses.subgroup_effects.groupings import is_level, mark_combined
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import POLICE, SOCIAL_SERVICES
from revictimisation.core.results import choose, combine, make_estimates, mark_not_estimable
from revictimisation.estimators.intervals import wilson_interval

NEITHER = "neither"


def count_and_share(counts: pd.DataFrame, **keys: str) -> pd.DataFrame:
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

    A row per analysis x measure x outcome x level, also where the count is 0. What the extract does
    not register is no 0: `not_estimable`, reason `not_registered` (`list_unregistered`).
    """
    cells = hits[["analysis", "measure"]].drop_duplicates()
    cells = cells.merge(pd.Series(OUTCOMES, name="outcome"), how="cross")
    composed = [name for name, one in data.plan.measures.items() if one.is_composed]
    cells = cells[~cells["measure"].isin(composed) | (cells["outcome"] == "carried_out")]
    found = _count_by_group(data, hits, cells)
    unregistered = list_unregistered(data)
    keys = zip(found["analysis"], found["measure"], found["outcome"], strict=True)
    return mark_not_estimable(found, [key in unregistered for key in keys], "not_registered")


def list_unregistered(data: StudyData) -> set[tuple[str, str, str]]:
    """Which analysis x measure x outcome the extract does not register.

    `granted`, `denied`, `declined` where no row of the measure says what was decided, or some are
    towards a suspect (that table holds no decisions); `carried_out` where the table has no start.
    """
    rows = data.decisions[["code", "source"]].assign(
        has_decision=data.decisions["decision"].notna(),
        is_towards_suspect=data.decisions["source"].eq(SUSPECTS),
        has_start=[f"{source}.start_on" not in data.absent for source in data.decisions["source"]],
    )
    groups = {("by_code", str(code)): mine for code, mine in rows.groupby("code")}
    for source, mine in rows[rows["source"].isin(AGENCY_OF)].groupby("source"):
        groups["by_agency", f"any_{AGENCY_OF[str(source)]}"] = mine
    for name, measure in data.plan.measures.items():
        groups["main", name] = rows[rows["code"].isin(measure.codes)]
    found = set()
    for (analysis, name), mine in groups.items():
        if mine["is_towards_suspect"].any() or not mine["has_decision"].any():
            found |= {(analysis, name, outcome) for outcome in DECISIONS}
        if len(mine) and not mine["has_start"].all():
            found.add((analysis, name, "carried_out"))
    return found


def _count_by_group(data: StudyData, hits: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Each cell in all, within the levels of each group that the extract knows, and of those that
    a claim is about (`for_whom.combined`).
    """
    groups: dict[str, pd.Series | None] = {"": pd.Series("", index=data.entries.index)}
    groups |= {name: data.subgroup(name) for name in data.plan.shown_groups}
    groups |= {
        name: mark_combined(data, group)
        for name, group in data.plan.for_whom.combined.items()
        if not is_level(group, groups)
    }
    return combine(
        count_and_share(_count_cells(hits, _choose_cells(data, cells, name), levels, name))
        for name, levels in groups.items()
        if levels is not None
    )


def _choose_cells(data: StudyData, cells: pd.DataFrame, group: str) -> pd.DataFrame:
    """Of a group that a claim is about only who got each measure, and who got nothing.

    It lies across other groups: whatever is told of it may hide as much of those.
    """
    if group not in data.plan.for_whom.combined:
        return cells
    is_told = cells["analysis"].eq("main") | cells["measure"].eq(NEITHER)
    return cells[is_told & cells["outcome"].eq("carried_out")]


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


def count_agencies(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count who got measures carried out by police only, social services only, both, none.

    Of those with both, `joint` started something together within the study's days (if the study
    has a joint measure), `both_apart` did not. Whole population and by group.
    """

    def has(analysis: str, names: list[str]) -> np.ndarray:
        chosen = choose(hits, outcome="carried_out", analysis=analysis, measure=names)
        return data.entries["entry_id"].isin(chosen["entry_id"]).to_numpy()

    police = has("by_agency", [f"any_{POLICE}"])
    social = has("by_agency", [f"any_{SOCIAL_SERVICES}"])
    joint = has("main", [*filter(data.plan.is_joint, data.plan.measure_names)])
    kind = np.select(
        [joint & police & social, police & social, police, social],
        ["joint", "both_apart", "police_only", "social_services_only"],
        NEITHER,
    )
    found = pd.DataFrame(
        {"measure": kind, "entry_id": data.entries["entry_id"], "outcome": "carried_out"}
    ).assign(analysis="agencies")
    cells = found[["analysis", "measure", "outcome"]].drop_duplicates().sort_values("measure")
    return _count_by_group(data, found, cells)
