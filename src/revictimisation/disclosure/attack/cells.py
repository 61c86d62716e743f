"""The people and events that the rows of a release count: rows that count the same are one cell.

An intruder knows from the software which rows count the same: other estimands, estimators and
analyses of one comparison; and which counts are parts of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.packing import FOLLOWED, find_wholes, unpack_contrast
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack.ranges import MOST, Relations
from revictimisation.disclosure.kinds import AGENCIES, is_grouped_by, name_counted
from revictimisation.estimators.intervals import wilson_interval
from revictimisation.plan import Disclosure, StudyPlan

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Step = Callable[[Floats], Floats]
# Analyses of the same people and outcomes as another, and estimators that count the same.
SAME_PEOPLE = {
    **dict.fromkeys(("curve", "influence_interval", "weights_truncated", "calibrated_weights",
                     "fitted_weights", "overlap_population", "calibrated", "partially_pooled",
                     "linkage_error", "unadjusted", "with_participation"), "main"),
    **dict.fromkeys(("ladder_curve", "of_reports"), "ladder"),
}  # fmt: skip
SAME_COUNTS = {
    **dict.fromkeys(("clone_censor_weight", "g_formula", "doubly_robust"), "trial"),
    **dict.fromkeys(("andersen_gill", "pwp_total_time", "pwp_gap_time"), "recurrent"),
    **dict.fromkeys(("cause_specific_hazard", "fine_gray"), "landmark"),
    **dict.fromkeys(("aalen_johansen", "kaplan_meier"), "risk"),
    **dict.fromkeys(("standardised_logistic", "firth_logistic"), "conviction"),
}
# Where all who are followed are the denominator, whatever the measure.
EVERYBODY = {
    ("q1", "main", "description"), ("q1", "by_code", "description"),
    ("q1", "by_agency", "description"), ("q1", "agencies", "description"),
    ("q2", "main", "risk"), ("q2", "main", "mean_cumulative_count"), ("q4", "ladder", "risk"),
}  # fmt: skip
# Levels that are not people of a kind: they overlap, or are what became of all.
NO_PARTITION = ("combined_with", "sequence", "case_state", "closing_reason", "predicted_effect",
                "path")  # fmt: skip
COUNTED = {"description", "risk"}  # of these an event is a person, once
PART = ["question", "analysis", "group", "measure", "outcome", "time_days", "arm"]
ROUNDED_SHARE = 2e-6  # as far as a share with six decimals may be from what it is made of
EXCEPTIONS = 0.02
WHOLE = ["whole_subgroup", "whole_level"]
ARMED = ("trial", "sequential_trial", "crude", "conviction", "mean_cumulative_count")
ADDING = {"description", "risk", "mean_cumulative_count"}
CELL = [*PART, "subgroup", "level"]


@dataclass(frozen=True)
class Cells:
    """The cells of a release. `rows`: the released rows with their cells, `people` and `events`.

    `table`: a row per cell: `kind` (people, events), its keys, whether a row of it is suppressed
    and whether one shows it; `low`, `high`: what its shown rows leave by themselves.
    """

    rows: pd.DataFrame
    table: pd.DataFrame
    relations: Relations


def list_cells(
    estimates: pd.DataFrame, rules: Disclosure, plan: StudyPlan | None, n_alike: int | None = None
) -> Cells:
    """The cells of all rows but those that could not be estimated, and how they hang together.

    `n_alike`: populations that differ by so few may be told as the largest of them; the threshold
    less 1 if not given, as disclosure control does.
    """
    alike = rules.threshold - 1 if n_alike is None else n_alike
    is_told = estimates["status"].ne("not_estimable")
    rows = name_cells(estimates[~mark_contrasts(estimates)])
    untold, rows = (rows[is_told[rows.index].eq(told)] for told in (False, True))
    parts = [_gather(rows, "people", "n_people", rules, alike)]
    parts.append(_gather(rows, "events", "n_events", rules, 0))
    table = pd.concat(parts, ignore_index=True)
    places = pd.Series(table.index, index=pd.MultiIndex.from_frame(table[["kind", "key"]]))
    for kind in ("people", "events"):
        rows[kind] = places.loc[kind].reindex(rows[f"{kind}_key"]).to_numpy()
    narrow_by_shares(rows, table, rules)
    return Cells(rows, table, relate(rows, table, plan, find_partial(untold, table)))


def mark_contrasts(estimates: pd.DataFrame) -> pd.Series:
    """Rows of the difference of two levels, which is no level: it counts both."""
    is_level = estimates["estimand"].isin(["share", "count", "cumulative_incidence"])
    own = {*estimates.loc[is_level, "level"]}
    gaps = {level for level in {*estimates["level"]} - own if unpack_contrast(level)}
    return estimates["level"].isin(gaps)


def name_cells(estimates: pd.DataFrame) -> pd.DataFrame:
    """Rows with what they count: `group` of estimators, `arm`, `people_key`, `events_key`."""
    rows = name_counted(estimates)
    rows["own_analysis"] = rows["analysis"]
    rows["analysis"] = rows["analysis"].replace(SAME_PEOPLE)
    rows["group"] = rows["estimator"].replace(SAME_COUNTS)
    is_crude = rows["question"].eq("q4") & rows["estimator"].eq("crude")
    rows.loc[is_crude, "group"] = "conviction"
    arm = rows["estimand"].str.extract("_(no_start|start)(?:_days)?$")[0].fillna("")
    rows["arm"] = arm
    # a contrast counts what is behind both levels: no cell of a level
    rows["time_days"] = rows["time_days"].astype("Int64").astype(str).replace("<NA>", "")
    rows["events_key"] = _join(rows, CELL)
    head = pd.MultiIndex.from_frame(rows[["question", "analysis", "group"]])
    is_all = head.isin(EVERYBODY) & (rows["question"].eq("q1") | rows["measure"].eq(""))
    own = _join(rows, ["question", "analysis", "group", "measure", "outcome", "arm", "subgroup",
                       "level"])  # fmt: skip
    is_all &= ~is_grouped_by(rows["subgroup"], FOLLOWED)
    has_level = is_all & ~rows["subgroup"].isin(NO_PARTITION)
    level = rows["subgroup"].where(has_level, "") + "|" + rows["level"].where(has_level, "")
    rows["people_key"] = own.mask(is_all, "everybody|" + level)
    return rows


def count_exactly(exact: pd.DataFrame) -> pd.Series:
    """The true count of each cell, by kind and key, from exact estimates.

    Raises `ValueError` where rows that are taken for one cell count different things.
    """
    rows = name_cells(exact[~mark_contrasts(exact)])
    is_sum = _is_sum(rows)
    parts = [
        rows.assign(kind=kind, key=rows[f"{kind}_key"], value=rows[f"n_{kind}"].astype(float))
        for kind in ("people", "events")
    ]
    counted = pd.concat(parts)[["kind", "key", "value"]]
    counted = counted[~pd.concat([is_sum, is_sum]).to_numpy()].dropna(subset=["value"])
    of_cell = counted.groupby(["kind", "key"])["value"]
    if (of_cell.nunique() > 1).any():
        raise ValueError("rows of one cell count different things")
    return of_cell.first()


def _is_sum(rows: pd.DataFrame) -> pd.Series:
    """Rows of a comparison whose counts are the sums of its arms', each rounded by itself."""
    return rows["arm"].eq("") & rows["group"].isin(ARMED) & rows["estimand"].ne("mean_count")


def _join(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    joined = rows[names[0]].astype(str)
    for name in names[1:]:
        joined = joined + "|" + rows[name].astype(str)
    return joined


def bound_counts(count: pd.Series, rounding: int) -> tuple[Whole, Whole]:
    """What a released count leaves: half a step around a multiple, itself otherwise.

    >>> bound_counts(pd.Series([5, 12, None], dtype="Int64"), 5)[1].tolist()[:2]
    [7, 12]
    """
    value = count.fillna(0).to_numpy(np.int64)
    is_round = value % rounding == 0
    low = np.maximum(np.where(is_round, value - rounding // 2, value), 0)
    high = np.where(is_round, value + (rounding - 1) // 2, value)
    return np.where(count.isna(), 0, low), np.where(count.isna(), MOST, high)


def _gather(
    rows: pd.DataFrame, kind: str, column: str, rules: Disclosure, n_alike: int
) -> pd.DataFrame:
    """A row per cell: the ranges that its shown rows have in common."""
    count = rows[column].astype("Int64")
    low, high = bound_counts(count.mask(_is_sum(rows)), rules.rounding)
    low = np.maximum(low - n_alike, 0)
    is_kept = rows["status"].eq("ok") & count.ge(rules.threshold).fillna(False) & (low > 0)
    low = np.where(is_kept, np.maximum(low, np.minimum(rules.threshold, high)), low)
    ok = rows["status"].eq("ok")
    is_small, is_complement = _read_reasons(rows)
    found = rows.assign(
        is_small=is_small, is_complement=is_complement,
        key=rows[f"{kind}_key"], low=low, high=high, is_shown=rows[column].notna() & ok,
        is_exact=(rows[column] % rules.rounding).fillna(0).ne(0),
        is_hidden=rows["status"].eq("suppressed"),
    )  # fmt: skip
    names = [*CELL, "estimator", "estimand"]
    cells = found.groupby("key", sort=False).agg(
        **{name: (name, "first") for name in names},
        low=("low", "max"), high=("high", "min"), is_shown=("is_shown", "max"),
        is_exact=("is_exact", "max"), is_small=("is_small", "max"),
        is_complement=("is_complement", "max"), is_hidden=("is_hidden", "max"),
    )  # fmt: skip
    return cells.reset_index().assign(kind=kind)


def _read_reasons(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Rows that are said to be suppressed as small, and to protect another; neither if unsure.

    A row goes with its twins: where these count something else as well, the small one may be any.
    """
    twins = [rows[name] for name in ("question", "measure", "subgroup", "level", "outcome",
                                     "time_days")]  # fmt: skip
    is_alone = rows["events_key"].groupby(twins).transform("nunique").eq(1)
    is_alone &= rows["group"].isin(COUNTED) & rows["analysis"].ne("treatment_share")
    is_hidden = rows["status"].eq("suppressed") & is_alone
    if not rows["reason"].eq("complement").any():
        is_hidden &= False  # one word for both tells nothing
    return (is_hidden & rows["reason"].eq("small_number"),
            is_hidden & rows["reason"].eq("complement"))  # fmt: skip


def narrow_by_shares(rows: pd.DataFrame, table: pd.DataFrame, rules: Disclosure) -> None:
    """Narrow the cells of plain shares by share and Wilson limits, each in the steps it shows.

    Every pair of people and events that rounds to what the row shows is tried.
    """
    is_share = rows["estimand"].eq("share") & rows["estimator"].eq("description")
    is_share &= rows["status"].eq("ok")
    shares = rows[is_share & rows[["n_people", "n_events", "estimate"]].notna().all(axis=1)]
    shares = shares[shares["n_people"].gt(0)]
    if shares.empty:
        return
    r = rules.rounding
    low, high = table["low"].to_numpy(np.int64).copy(), table["high"].to_numpy(np.int64).copy()
    people_at, events_at = (shares[name].to_numpy(np.int64) for name in ("people", "events"))
    people = low[people_at][:, None] + np.arange(r + rules.threshold - 1)
    events = low[events_at][:, None] + np.arange(r)
    n, k = people[:, :, None], events[:, None, :]
    is_possible = (n <= high[people_at][:, None, None]) & (k <= high[events_at][:, None, None])
    is_possible &= (k <= n) & (n > 0)
    safe = np.maximum(n, 1)
    step = (r / shares["n_people"].to_numpy(float))[:, None, None]
    ends = wilson_interval(np.minimum(k, safe).astype(float), safe * np.ones_like(k))
    shown = {name: shares[name].to_numpy(float)[:, None, None] for name in
             ("estimate", "ci_low", "ci_high")}  # fmt: skip
    exact: dict[str, tuple[Floats, Step]]
    exact = {"estimate": (k / safe, np.round), "ci_low": (ends[0], np.floor),
             "ci_high": (ends[1], np.ceil)}  # fmt: skip
    tells = find_telling(shares, r)
    for name, (value, to_step) in exact.items():
        is_match = _matches(value, shown[name], step, to_step)
        is_possible &= is_match | ~tells[name][:, None, None]
    is_known = is_possible.any(axis=(1, 2))
    for at, values, axis in ((people_at, people, 2), (events_at, events, 1)):
        is_left = is_possible.any(axis=axis)[is_known]
        least = np.where(is_left, values[is_known], MOST).min(axis=1)
        most = np.where(is_left, values[is_known], -1).max(axis=1)
        np.maximum.at(low, at[is_known], least)
        np.minimum.at(high, at[is_known], most)
    table["low"], table["high"] = low, high


def _matches(exact: Floats, shown: Floats, step: Floats, to_step: Step) -> Flags:
    """Where a number, put on its step as the software does, is what is shown; off it: as it is."""
    is_stepped = np.abs(shown / step - np.round(shown / step)) * step < ROUNDED_SHARE
    stepped = np.clip(to_step(np.round(exact / step, 9)) * step, 0.0, 1.0)
    off = np.where(is_stepped, np.abs(stepped - shown), np.abs(exact - shown))
    return (off < ROUNDED_SHARE) | np.isnan(shown)


def find_telling(shares: pd.DataFrame, rounding: int) -> dict[str, Flags]:
    """The rows whose share or limits come from exact counts, by column.

    Not those that follow from the released counts, in a release where nearly all do.
    """
    people, events = (shares[name].to_numpy(float) for name in ("n_people", "n_events"))
    events, step = np.minimum(events, people), rounding / people
    low, high = wilson_interval(events, people)
    made: dict[str, tuple[Floats, Step]]
    made = {"estimate": (events / people, np.round), "ci_low": (low, np.floor),
            "ci_high": (high, np.ceil)}  # fmt: skip
    told = {}
    for name, (value, to_step) in made.items():
        stepped = np.clip(to_step((value / step).round(9)) * step, 0.0, 1.0)
        shown = shares[name].to_numpy(float)
        off = np.minimum(np.abs(stepped - shown), np.abs(value - shown)) > ROUNDED_SHARE
        # of a share with an error of its own the limits are others
        is_plain = ~np.isnan(shown) & (shares["se"].isna().to_numpy() | (name == "estimate"))
        is_made = not is_plain.any() or off[is_plain].mean() <= EXCEPTIONS
        told[name] = is_plain & (off | (not is_made))
    return told


def find_partial(untold: pd.DataFrame, table: pd.DataFrame) -> pd.MultiIndex:
    """Wholes of which some part is in no row that was estimated: the others do not make them up.

    `untold`: the rows that were not. Of each whole its base (`_base`), the grouping and itself.
    """
    found: list[tuple[str, ...]] = []
    for kind in ("people", "events"):
        told = table.loc[table["kind"].eq(kind), "key"]
        rows = untold.loc[~untold[f"{kind}_key"].isin(told), [f"{kind}_key", "subgroup", "level"]]
        found += [
            (f"{kind}|{key.rsplit('|', 2)[0]}", group, *whole)
            for key, group, level in rows.drop_duplicates().itertuples(index=False)
            for whole in find_wholes(group, level)
        ]
    return pd.MultiIndex.from_tuples(found, names=["base", "subgroup", *WHOLE])


def relate(
    rows: pd.DataFrame, table: pd.DataFrame, plan: StudyPlan | None, partial: pd.MultiIndex
) -> Relations:
    """All that must add up: levels, parts of a whole, the events before later ones."""
    terms = [
        _levels(table, partial), _events_of_people(rows), _later_days(table), _use(table, plan),
        _reasons(table),
    ]  # fmt: skip
    found = pd.concat([part for part in terms if len(part)], ignore_index=True)
    relation, _ = pd.factorize(found["relation"])
    is_equal = np.zeros(relation.max(initial=-1) + 1, bool)
    is_equal[relation] = found["is_equal"].to_numpy(bool)
    return Relations(relation.astype(np.int64), found["count"].to_numpy(np.int64),
                     found["sign"].to_numpy(np.int64), is_equal)  # fmt: skip


def _terms(relation: pd.Series, count: object, sign: int, is_equal: bool, of: str) -> pd.DataFrame:
    return pd.DataFrame({"relation": of + relation.astype(str).to_numpy(), "count": count,
                         "sign": sign, "is_equal": is_equal})  # fmt: skip


def _levels(table: pd.DataFrame, partial: pd.MultiIndex) -> pd.DataFrame:
    """The levels of a grouping are all that they are parts of: its people, and its events."""
    cells = table.assign(base=_base(table), place=table.index)[table["group"].isin(ADDING)]
    cells = cells[["base", "subgroup", "level", "place"]]
    is_part = cells["subgroup"].ne("") & ~cells["subgroup"].isin(NO_PARTITION)
    is_part &= ~is_grouped_by(cells["subgroup"], FOLLOWED)
    each = cells.loc[is_part, ["subgroup", "level"]].drop_duplicates()
    parts = [(*own, *whole) for own in each.itertuples(index=False) for whole in find_wholes(*own)]
    margins = pd.DataFrame(parts, columns=["subgroup", "level", *WHOLE])
    wholes = cells.rename(columns={"subgroup": WHOLE[0], "level": WHOLE[1], "place": "whole"})
    found = cells[is_part].merge(margins, on=["subgroup", "level"])
    found = found.merge(wholes.drop_duplicates(["base", *WHOLE]), on=["base", *WHOLE])
    keys = pd.MultiIndex.from_frame(found[["base", "subgroup", *WHOLE]])
    found = found[~keys.isin(partial)]
    of = found["subgroup"] + ">" + found["whole"].astype(str)
    groups = found.assign(of=of).drop_duplicates("of")
    return pd.concat([
        _terms(of, found["place"].to_numpy(), 1, True, "levels"),
        _terms(groups["of"], groups["whole"].to_numpy(), -1, True, "levels"),
    ])  # fmt: skip


def _base(table: pd.DataFrame) -> pd.Series:
    """What the cells of all levels have in common."""
    return table["kind"] + "|" + table["key"].str.rsplit("|", n=2).str[0]


def _events_of_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Who has an event is one of the people."""
    pairs = rows[rows["group"].isin(COUNTED)][["events", "people"]].drop_duplicates()
    of = pairs["events"].astype(str) + "of" + pairs["people"].astype(str)
    return pd.concat([_terms(of, pairs["events"].to_numpy(), 1, False, "part"),
                      _terms(of, pairs["people"].to_numpy(), -1, False, "part")])  # fmt: skip


def _later_days(table: pd.DataFrame) -> pd.DataFrame:
    """Who has had an event by a day has had it by a later one."""
    is_curve = table["kind"].eq("events") & table["group"].eq("risk")
    is_curve &= table["estimand"].eq("cumulative_incidence") & table["time_days"].ne("")
    curves = table[is_curve].assign(day=table.loc[is_curve, "time_days"].astype(int))
    names = [name for name in CELL if name != "time_days"]
    curves = curves.sort_values([*names, "day"])
    is_next = curves[names].eq(curves[names].shift()).all(axis=1).to_numpy()
    now, before = curves.index[is_next], curves.index[np.flatnonzero(is_next) - 1]
    of = pd.Series(now)
    return pd.concat([_terms(of, before, 1, False, "day"), _terms(of, now, -1, False, "day")])


def _use(table: pd.DataFrame, plan: StudyPlan | None) -> pd.DataFrame:
    """Question 1: decisions are offers, codes are parts of measures and of what an agency did."""
    cells = table[table["question"].eq("q1") & table["group"].eq("description")
                  & table["kind"].eq("events")]  # fmt: skip
    names = ["analysis", "measure", "outcome", "subgroup", "level"]
    cells = cells.assign(place=cells.index)[[*names, "place"]]
    offered = cells[cells["outcome"].eq("offered")].drop(columns="outcome")
    decided = cells[cells["outcome"].isin(["granted", "denied", "declined"])]
    parts = [_within(decided, offered)]
    uses = _list_codes(plan)
    codes = cells[cells["analysis"].eq("by_code")].merge(uses, on="measure")
    wholes = cells[cells["analysis"].isin(["main", "by_agency"])]
    codes = codes.drop(columns=["analysis", "measure"]).rename(columns={"whole": "measure"})
    parts.append(_within(codes, wholes.drop(columns="analysis")))
    is_carried_out = cells["outcome"].eq("carried_out")
    kinds = cells[cells["analysis"].eq("agencies") & is_carried_out]
    agencies = cells[cells["analysis"].eq("by_agency") & is_carried_out]
    for agency, has in AGENCIES.items():
        whole = agencies[agencies["measure"].eq(agency)]
        mine = kinds[kinds["measure"].isin(has)].merge(
            whole[["subgroup", "level", "place"]], on=["subgroup", "level"], suffixes=("", "_whole")
        )
        both = mine.drop_duplicates("place_whole")
        parts += [
            _terms(mine["place_whole"], mine["place"].to_numpy(), 1, True, agency),
            _terms(both["place_whole"], both["place_whole"].to_numpy(), -1, True, agency),
        ]
    return pd.concat(parts)


def _within(parts: pd.DataFrame, wholes: pd.DataFrame) -> pd.DataFrame:
    """Each part is at most the whole that agrees in all columns that both have."""
    keys = [name for name in parts.columns if name in wholes.columns and name != "place"]
    found = parts.merge(wholes, on=keys, suffixes=("", "_whole"))
    of = found["place"].astype(str) + "<" + found["place_whole"].astype(str)
    return pd.concat([_terms(of, found["place"].to_numpy(), 1, False, "use"),
                      _terms(of, found["place_whole"].to_numpy(), -1, False, "use")])  # fmt: skip


def _list_codes(plan: StudyPlan | None) -> pd.DataFrame:
    """A row per code and a measure of the study, or an agency, that it is a part of."""
    known = load_dictionary().codes("measures")
    table = known["table"].map({"police_measures": "any_police",
                                "social_interventions": "any_social_services"})  # fmt: skip
    rows = pd.DataFrame({"measure": known["code"], "whole": table}).dropna()
    measures = plan.measures.items() if plan else ()
    named = [(code, name) for name, measure in measures for code in measure.codes]
    return pd.concat([rows, pd.DataFrame(named, columns=["measure", "whole"])])


def _reasons(table: pd.DataFrame) -> pd.DataFrame:
    """The reasons for discontinuation are all of the discontinued."""
    cells = table[table["kind"].eq("events") & table["analysis"].eq("ladder")
                  & table["outcome"].eq("discontinued")]  # fmt: skip
    reasons = cells[cells["subgroup"].eq("closing_reason")]
    whole = cells[cells["subgroup"].eq("") & cells["time_days"].isin(reasons["time_days"])]
    return pd.concat([_terms(reasons["time_days"], reasons.index, 1, True, "reason"),
                      _terms(whole["time_days"], whole.index, -1, True, "reason")])  # fmt: skip
