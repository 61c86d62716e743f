"""Secondary suppression: what else must be hidden, so that no hidden number follows from others.

All tables of a release that share margins are one system (`bounds`): levels add up to the whole
population, states to everybody, events are some of the people and grow with time. An intruder knows
the margins and every rounded count. A hidden small count must not follow within an interval
narrower than the threshold, and no shown count be told more exactly than it was rounded to; where
one does, the smallest number that stands in the same sum is hidden too, until none does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from revictimisation.core.packing import find_wholes
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.bounds import Constraints, Flags, Floats, Ints
from revictimisation.disclosure.kinds import AGENCIES, WIDER, name_counted
from revictimisation.plan import Disclosure

# What tells of the same people's outcomes, whichever estimator or analysis it comes from.
SITE = ["question", "measure", "subgroup", "level", "outcome", "time_days"]
# What has levels that may be added up, but for the subgroup and the level.
FAMILY = ["analysis", "measure", "outcome", "estimator", "estimand", "time_days"]
SERIES = ["question", "analysis", "measure", "subgroup", "level", "outcome", "estimator",
          "estimand"]  # fmt: skip
LEVEL, WHOLE = ["subgroup", "level"], ["whole_subgroup", "whole_level"]
NOBODY = -1
TABLES = {"police_measures": "any_police", "social_interventions": "any_social_services"}
OFFERED, DECIDED = "offered", ("granted", "denied", "declined")


@dataclass(frozen=True)
class Cells:
    """The counts behind every row as variables of one system.

    `events`, `people`: the variable of each row (-1: no count); `site`: the rows that are hidden
    together. `value`: what each variable is.
    """

    rows: pd.DataFrame
    site: Ints
    events: Ints
    people: Ints
    value: Floats

    @cached_property
    def n_sites(self) -> int:
        """How many sites there are."""
        return int(self.site.max()) + 1 if len(self.site) else 0

    def find_shown(self, is_shown_row: Flags) -> Flags:
        """Which variables some row shows."""
        shown = np.zeros(len(self.value), bool)
        for of in (self.events, self.people):
            shown[of[is_shown_row & (of >= 0)]] = True
        return shown

    def is_people(self, n_variables: int) -> Flags:
        """Which variables count people, not events."""
        found = np.zeros(n_variables, bool)
        found[self.people[self.people >= 0]] = True
        return found

    def find_sites(self, variable: int) -> Ints:
        """The sites that tell of a variable."""
        return np.unique(self.site[(self.events == variable) | (self.people == variable)])


def build_cells(frame: pd.DataFrame) -> Cells:
    """Name the variables behind the rows of `estimates`.

    Events are one variable in all rows of a site that have as many; people in all rows of a level
    that have as many. Measures with the same counts everywhere are one (a measure of a single
    code stands among the codes, too).
    """
    rows = name_counted(frame).assign(
        time_days=frame["time_days"].fillna(NOBODY).astype(np.int64),
        measure=_name_alike(frame),
        named=frame["measure"],  # what an agency's sums go by
        n_people=frame["n_people"].astype(float),
        n_events=frame["n_events"].astype(float),
    )
    site = np.asarray(rows.groupby(SITE, sort=False).ngroup(), np.int64)
    keyed = rows.assign(site=site)
    events, n_events = _number(keyed, ["site", "n_events"], "n_events")
    people, n_people = _number(keyed, ["subgroup", "level", "n_people"], "n_people")
    value = np.zeros(n_events + n_people)
    people = np.where(people >= 0, people + n_events, NOBODY).astype(np.int64)
    for of, name in ((events, "n_events"), (people, "n_people")):
        value[of[of >= 0]] = rows[name].to_numpy()[of >= 0]
    return Cells(rows, site, events, people, value)


def _name_alike(frame: pd.DataFrame) -> pd.Series:
    """Each row's measure, or the first one of question 1 with the same counts in every group."""
    used = frame["question"].eq("q1") & frame["estimand"].eq("count") & frame["n_events"].notna()
    rows = frame[used].sort_values(["outcome", "subgroup", "level"], kind="stable")
    counted = zip(rows["outcome"], rows["subgroup"], rows["level"], rows["n_events"], strict=True)
    told = pd.Series([*counted], index=rows.index, dtype=object)
    by_measure = told.groupby([rows["analysis"], rows["measure"]], sort=False).agg(tuple)
    named = by_measure.reset_index(name="told")
    first = named.groupby("told", sort=False)["measure"].transform("first")
    known = dict(zip(named["measure"], first, strict=True))
    alike = frame["measure"].replace(known)
    return frame["measure"].where(frame["question"].ne("q1"), alike)


def _number(rows: pd.DataFrame, keys: list[str], name: str) -> tuple[Ints, int]:
    found = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy(np.int64)
    return np.where(rows[name].notna(), found, NOBODY), int(found.max(initial=NOBODY)) + 1


class _Sums:
    """Constraints under construction; `rest`: the values of variables that no row tells."""

    def __init__(self, n_cells: int) -> None:
        self.n_cells, self.n_rows, self.n_rest = n_cells, 0, 0
        self.parts: list[tuple[Ints, Ints, Floats]] = []
        self.is_equal: list[Flags] = []
        self.rest: list[Floats] = []

    def add(self, row: Ints, part: Ints, margin: Ints, *, is_equal: bool = True) -> None:
        """The parts of each row (numbered from 0) make up its margin, or are no more than it."""
        n_rows = len(margin)
        rows, of = np.concatenate([row, np.arange(n_rows)]), np.concatenate([part, margin])
        sign = np.concatenate([np.ones(len(part)), -np.ones(n_rows)])
        self.parts.append((rows + self.n_rows, of, sign))
        self.is_equal.append(np.full(n_rows, is_equal))
        self.n_rows += n_rows

    def add_at_most(self, pairs: pd.DataFrame) -> None:
        """The first of each pair of variables is no more than the second."""
        each = pairs.drop_duplicates().to_numpy(np.int64)
        each = each[each[:, 0] != each[:, 1]]
        self.add(np.arange(len(each)), each[:, 0], each[:, 1], is_equal=False)

    def add_rest(self, value: Floats) -> Ints:
        """Variables of their own for what no row tells."""
        first = self.n_cells + self.n_rest
        self.rest.append(value)
        self.n_rest += len(value)
        return np.arange(first, first + len(value))

    def freeze(self) -> Constraints:
        """What was added, each sum once."""
        row, of, sign = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        order = np.lexsort((-sign, row))
        row, of, sign = row[order], of[order], sign[order]
        is_equal = np.concatenate(self.is_equal)
        # a number that only the same sum has
        spread = np.random.default_rng(1).random(self.n_cells + self.n_rest)
        mark = np.bincount(row, spread[of] * sign, self.n_rows)
        _, first = np.unique(np.column_stack([mark.round(9), is_equal]), axis=0, return_index=True)
        keep = np.zeros(self.n_rows, bool)
        keep[first] = True
        number = np.cumsum(keep) - 1
        inside = keep[row]
        return Constraints(number[row[inside]], of[inside], sign[inside], is_equal[keep])


@dataclass(frozen=True)
class System:
    """All tables of a release as one: their cells and what is known of their sums."""

    cells: Cells
    value: Floats
    constraints: Constraints

    def find_intervals(self, is_shown: Flags, rules: Disclosure) -> tuple[Floats, Floats]:
        """What an intruder can work out of each variable from those shown, rounded."""
        low, high = bound_rounded(self.value, is_shown, rules)
        return self.constraints.narrow(
            np.where(is_shown, np.maximum(low, rules.threshold), 0), high
        )


def bound_rounded(value: Floats, is_shown: Flags, rules: Disclosure) -> tuple[Floats, Floats]:
    """What rounds to the same number as each; of what is not shown nothing but that it counts."""
    down, up = rules.rounding // 2, rules.rounding - 1 - rules.rounding // 2
    known = (value + down) // rules.rounding * rules.rounding
    low = np.where(is_shown, np.maximum(known - down, 0.0), 0.0)
    return low, np.where(is_shown, known + up, np.inf)


def build_system(cells: Cells, is_level: Flags, is_of_people: Flags) -> System:
    """Find the sums that hold between the counts of `estimates`, whoever might know that they do.

    `is_level`: rows of a level of its own, no difference of two; `is_of_people`: rows whose events
    are some of its people.
    """
    sums = _Sums(len(cells.value))
    counted = (cells.events >= 0) & (cells.people >= 0)
    rows = cells.rows.assign(events=cells.events, people=cells.people)
    rows = rows.assign(family=rows.groupby(FAMILY, sort=False).ngroup())
    _add_levels(sums, rows[is_level & counted])
    _add_states(sums, rows[is_level & is_of_people & counted])
    _add_outcomes(sums, rows[is_level & is_of_people & counted])
    _add_decisions(sums, rows[is_level & is_of_people & counted])
    _add_agencies(sums, rows[is_level & is_of_people & counted])
    _add_uses(sums, rows[is_level & is_of_people & counted])
    sums.add_at_most(rows[["events", "people"]][is_of_people & counted])
    _add_time(sums, rows[is_level & counted & rows["time_days"].ge(0).to_numpy()])
    value = np.concatenate([cells.value, *sums.rest])
    return System(cells, value, sums.freeze())


def _add_levels(sums: _Sums, rows: pd.DataFrame) -> None:
    """Levels make up what they are parts of (`find_wholes`); who is in none told is the rest.

    An estimand that only some of the levels have says nothing that those with more do not.
    """
    each = rows.drop_duplicates(["family", *LEVEL])
    known = each.set_index(["family", *LEVEL])
    levels = each.drop(columns=LEVEL).join(_list_parts(each), how="inner")
    levels = levels[pd.MultiIndex.from_frame(levels[["family", *WHOLE]]).isin(known.index)]
    if levels.empty:
        return
    groups = levels.groupby(["family", *WHOLE, "grouping"], sort=False)
    group = np.asarray(groups.ngroup(), np.int64)
    size = groups.size()
    key = size.index.to_frame(index=False)
    whole = known.loc[pd.MultiIndex.from_frame(key[["family", *WHOLE]])]
    alike = [whole["events"].to_numpy(), *(key[name].to_numpy() for name in (*WHOLE, "grouping"))]
    is_full = (size == size.groupby(alike).transform("max")).to_numpy()
    for of_whole, count in (("events", "n_events"), ("people", "n_people")):
        rest = whole[count].to_numpy() - groups[count].sum().to_numpy()
        margin = whole[of_whole].to_numpy(np.int64)
        unseen = np.flatnonzero(is_full & (rest > 0))
        part = np.concatenate([levels[of_whole].to_numpy(np.int64), sums.add_rest(rest[unseen])])
        _add_some(sums, np.concatenate([group, unseen]), part, margin, is_full & (rest >= 0))


def _list_parts(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per row and whole that its level is a part of: `WHOLE`, and its own `grouping`."""
    each = rows[LEVEL].drop_duplicates()
    found = [
        (subgroup, level, *whole)
        for subgroup, level in each.itertuples(index=False)
        for whole in find_wholes(subgroup, level)
    ]
    parts = pd.DataFrame(found, columns=[*LEVEL, *WHOLE])
    joined = rows[LEVEL].reset_index(names="row").merge(parts, on=LEVEL)
    return joined.set_index("row").rename(columns={"subgroup": "grouping"}).drop(columns="level")


def _add_some(sums: _Sums, row: Ints, part: Ints, margin: Ints, chosen: Flags) -> None:
    """Add the sums that are chosen among those given."""
    number = np.cumsum(chosen) - 1
    inside = chosen[row]
    sums.add(number[row[inside]], part[inside], margin[chosen])


def _add_states(sums: _Sums, rows: pd.DataFrame) -> None:
    """Levels, or measures, of which everybody has one: their events make up the people."""
    for one, others in (
        ("level", ["family", "subgroup"]),
        ("measure", [*(name for name in FAMILY if name != "measure"), "subgroup", "level"]),
    ):
        mine = rows[rows[one].ne("")]
        if mine.empty:
            continue
        groups = mine.groupby(others, sort=False)
        people = groups["n_people"]
        is_whole = people.min().eq(people.max()) & groups["n_events"].sum().eq(people.max())
        chosen = (is_whole & groups.size().gt(1)).to_numpy()
        margin = groups["people"].first().to_numpy(np.int64)
        group = np.asarray(groups.ngroup(), np.int64)
        _add_some(sums, group, mine["events"].to_numpy(), margin, chosen)


def _add_outcomes(sums: _Sums, rows: pd.DataFrame) -> None:
    """Who has an outcome has any wider one too; who has the wider one alone is the rest."""
    keys = [*(name for name in FAMILY if name != "outcome"), *LEVEL, "people"]
    each = rows.drop_duplicates([*keys, "outcome"])
    for part, wider in WIDER.items():
        mine = each.loc[each["outcome"].eq(part), [*keys, "events", "n_events"]]
        wholes = each.loc[each["outcome"].isin(wider), [*keys, "events", "n_events"]]
        if mine.empty or wholes.empty:
            continue
        both = mine.merge(wholes, on=keys, suffixes=("", "_whole"))
        rest = (both["n_events_whole"] - both["n_events"]).to_numpy()
        unseen = np.flatnonzero(rest > 0)
        group = np.concatenate([np.arange(len(both)), unseen])
        of = np.concatenate([both["events"].to_numpy(np.int64), sums.add_rest(rest[unseen])])
        _add_some(sums, group, of, both["events_whole"].to_numpy(np.int64), rest >= 0)


def _add_decisions(sums: _Sums, rows: pd.DataFrame) -> None:
    """Everybody who was offered a measure was granted, denied it or declined, if each only once."""
    keys = [*(name for name in FAMILY if name != "outcome"), "subgroup", "level"]
    mine = rows[rows["outcome"].isin([OFFERED, *DECIDED])]
    if mine.empty:
        return
    groups = mine.groupby(keys, sort=False)
    signed = mine["n_events"].where(mine["outcome"].ne(OFFERED), -mine["n_events"])
    is_sum = signed.groupby(groups.ngroup()).sum().eq(0) & groups.size().eq(4).to_numpy()
    group = np.asarray(groups.ngroup(), np.int64)
    is_part = mine["outcome"].ne(OFFERED).to_numpy()
    offered = np.zeros(len(is_sum), np.int64)
    offered[group[~is_part]] = mine["events"].to_numpy()[~is_part]
    part = mine["events"].to_numpy()[is_part]
    _add_some(sums, group[is_part], part, offered, is_sum.to_numpy())


def _add_uses(sums: _Sums, rows: pd.DataFrame) -> None:
    """Who was granted a measure was offered it; who got a code of an agency got something of it."""
    use = rows[rows["question"].eq("q1")]
    keys = ["measure", "subgroup", "level", "estimator", "estimand", "time_days"]
    mine = ["analysis", *keys]
    offered = use.loc[use["outcome"].eq(OFFERED), [*mine, "events"]]
    decided = use.loc[use["outcome"].isin(DECIDED), [*mine, "events"]]
    codes = load_dictionary().codes("measures")
    agency = dict(zip(codes["code"], codes["table"].map(TABLES), strict=True))
    use = use.assign(measure=use["named"])
    of_code = use.loc[use["analysis"].eq("by_code"), [*keys, "outcome", "events"]]
    of_code = of_code.assign(measure=of_code["measure"].map(agency)).dropna(subset=["measure"])
    whole = use.loc[use["analysis"].eq("by_agency"), [*keys, "outcome", "events"]]
    for parts, wholes, same in ((decided, offered, mine), (of_code, whole, [*keys, "outcome"])):
        if len(parts) and len(wholes):
            found = parts.merge(wholes, on=same, suffixes=("", "_whole"))
            sums.add_at_most(found[["events", "events_whole"]])


def _add_agencies(sums: _Sums, rows: pd.DataFrame) -> None:
    """Whoever an agency did something for had it from that one alone, or from both."""
    keys = [*(name for name in FAMILY if name not in ("analysis", "measure")), "subgroup", "level"]
    rows = rows.assign(measure=rows["named"])
    wholes, kinds = (rows[rows["analysis"].eq(one)] for one in ("by_agency", "agencies"))
    if wholes.empty or kinds.empty:
        return
    wholes, kinds = (of.drop_duplicates([*keys, "measure"]) for of in (wholes, kinds))
    told = set(kinds["measure"])  # a study of no measures near in time has no `joint`
    for agency, kinds_of in AGENCIES.items():
        has = told.intersection(kinds_of)
        whole = wholes[wholes["measure"].eq(agency)].reset_index(drop=True)
        whole["number"] = whole.index
        parts = kinds[kinds["measure"].isin(has)].merge(
            whole[[*keys, "number", "n_events"]], on=keys, suffixes=("", "_whole")
        )
        groups = parts.groupby("number")
        total = groups["n_events"].sum().reindex(whole.index)
        is_sum = total.eq(whole["n_events"]) & groups.size().reindex(whole.index).eq(len(has))
        number, of = (parts[name].to_numpy(np.int64) for name in ("number", "events"))
        _add_some(sums, number, of, whole["events"].to_numpy(np.int64), is_sum.to_numpy())


def _add_time(sums: _Sums, rows: pd.DataFrame) -> None:
    """Events so far never grow fewer."""
    series = rows.groupby(SERIES, sort=False).ngroup().to_numpy()
    order = np.lexsort((rows["time_days"].to_numpy(), series))
    series, of = series[order], rows["events"].to_numpy()[order]
    count = rows["n_events"].to_numpy()[order]
    is_next = series[1:] == series[:-1]
    falls = np.bincount(series[1:], is_next & (count[1:] < count[:-1]), series.max(initial=0) + 1)
    is_next &= falls[series[1:]] == 0
    sums.add_at_most(pd.DataFrame({"less": of[:-1], "more": of[1:]})[is_next])


def find_complements(
    system: System, is_open: Flags, hidden_sites: Flags, sensitive: Flags, rules: Disclosure
) -> Flags:
    """The sites that must be hidden, those given (`hidden_sites`) among them.

    `is_open`: rows that would be shown; none of them may follow where it is hidden, as nobody knows
    which of two is the small one, nor may what else is `sensitive`.
    """
    cells, hidden = system.cells, hidden_sites.copy()
    counted = np.zeros(len(system.value), bool)
    counted[: len(cells.value)] = cells.find_shown(is_open)
    while True:
        shown = np.zeros(len(system.value), bool)
        shown[: len(cells.value)] = cells.find_shown(is_open & ~hidden[cells.site])
        low, high = system.find_intervals(shown, rules)
        told = (sensitive | counted) & ~shown & (high - low < rules.threshold)
        told |= shown & (high - low < 1) & (rules.rounding > 1)
        chosen = _choose(system, told, shown, low, high)
        if not chosen:
            return hidden
        for variable in chosen:
            hidden[cells.find_sites(variable)] = True


def _choose(system: System, told: Flags, shown: Flags, low: Floats, high: Floats) -> set[int]:
    """For each variable that is told, the one to hide with it; of each sum one at a time."""
    sums, chosen = system.constraints, set()
    is_people = system.cells.is_people(len(system.value))
    below, above = sums.find_implied(low, high)
    width = np.minimum(above, high[sums.of]) - np.maximum(below, low[sums.of])
    entries = np.flatnonzero(told[sums.of])
    # sums before inequalities, the narrowest first
    order = np.lexsort((width[entries], ~sums.is_equal[sums.of_row[entries]]))
    starts = np.searchsorted(sums.of_row, np.arange(len(sums.is_equal) + 1))
    settled: set[int] = set()
    used: set[int] = set()
    for entry in entries[order]:
        variable, row = int(sums.of[entry]), int(sums.of_row[entry])
        if variable in settled:
            continue
        if row in used:
            settled.add(variable)
            continue
        inside = np.arange(starts[row], starts[row + 1])
        may = inside[shown[sums.of[inside]]]
        # events tell too much: hide other events, not a whole level with all that is told of it
        may = may[is_people[sums.of[may]] <= is_people[variable]]
        if not len(may):
            continue
        rank = np.lexsort((system.value[sums.of[may]], sums.sign[may] < 0))
        chosen.add(int(sums.of[may[rank[0]]]))
        settled.add(variable)
        used.add(row)
    return chosen


def hide_in_chain(left: Floats, dropped: Floats, is_first: Flags, rules: Disclosure) -> Flags:
    """The rows of a count-down that are hidden: those that drop few, and others that would tell it.

    `left`: how many are left after each row's drop; `is_first`: rows that begin anew. How many are
    left at last is known from other tables. The row before a small drop is hidden with it, then the
    one before that.
    """
    after = np.flatnonzero(~is_first)
    n_rows = len(left)
    value = np.concatenate([left, dropped])
    row = np.tile(np.arange(len(after)), 3)
    of = np.concatenate([after, after + n_rows, after - 1])
    order = np.argsort(row, kind="stable")
    sign = np.repeat([1.0, 1.0, -1.0], len(after))
    sums = Constraints(row[order], of[order], sign[order], np.ones(len(after), bool))
    small = (dropped > 0) & (dropped < rules.threshold)
    is_last = np.append(is_first[1:], True)
    hidden = small.copy()
    while True:
        shown = np.concatenate([~hidden | is_last, ~hidden])
        low, high = sums.narrow(*bound_rounded(value, shown, rules))
        told = small & (high - low < rules.threshold)[n_rows:]
        more = hidden.copy()
        for place in np.flatnonzero(told):
            more[np.flatnonzero(~hidden[:place])[-1:]] = True
        if (more == hidden).all():
            return hidden
        hidden = more
