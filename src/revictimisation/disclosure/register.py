"""The register of releases: what each held, and which numbers of a new one would tell of a few
people when it is laid beside an earlier one.

Two releases of nearly the same people tell of those who are in only one of them: a count less the
same count, and every fit that moves when one person leaves it. The difference of two cells is
therefore held to the rule of a cell: its people, its events and its people without an event are
neither few nor none nor all. Of an earlier release of our own the exact counts are known; of one
that only its released tables are left of, the range that each rounded count can stand for.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.packing import unpack_check
from revictimisation.core.results import COUNTS, KEYS, NUMBERS, OK, SUPPRESSED
from revictimisation.disclosure.kinds import NOT_OF_PEOPLE, name_kind
from revictimisation.plan import Disclosure

Flags = npt.NDArray[np.bool_]
Group = tuple[str, str]
GROUP = ["subgroup", "level"]
WHOLE: Group = ("", "")  # the group that is everybody
BLOCK = [key for key in KEYS if key not in GROUP]  # one number of everybody and of every group
STEP, CHECK = ["step", "reason"], ["analysis", "measure", "check"]
STEP_COUNTS = ["n_people", "n_reports", "n_dropped"]
LINKAGE = "linkage"  # the analysis that is of all people of two agencies, not of the cohort
NO_DAY = -1  # of a number that is of no day: null is equal to nothing
# What the register keeps of each table: who it is about, exact counts, and whether it was shown.
KEPT = {
    "estimates": [*KEYS, *COUNTS, "status"],
    "attrition": [*STEP, *STEP_COUNTS],
    "diagnostics": [*CHECK, "value"],
}


@dataclass(frozen=True)
class Earlier:
    """A release that was made before: `low` and `high`, tables of the least and the most that each
    count can have been (the same where they are known exactly), with the released status.

    `released`: its released tables where nothing else is left of it, else None.
    """

    name: str
    rules: Disclosure
    low: Mapping[str, pd.DataFrame]
    high: Mapping[str, pd.DataFrame]
    released: Mapping[str, pd.DataFrame] | None = None

    @property
    def is_exact(self) -> bool:
        """Whether its exact counts are known."""
        return self.released is None


def make_entry(
    restricted: Mapping[str, pd.DataFrame], release: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """What the register keeps of a release: its exact counts and what was shown, by table."""
    exact = dict(restricted)
    exact["estimates"] = exact["estimates"].assign(status=release["estimates"]["status"].array)
    return {name: exact[name][columns] for name, columns in KEPT.items()}


def take_exact(name: str, rules: Disclosure, entry: Mapping[str, pd.DataFrame]) -> Earlier:
    """An earlier release by what the register kept of it."""
    return Earlier(name, rules, entry, entry)


def take_rounded(name: str, rules: Disclosure, release: Mapping[str, pd.DataFrame]) -> Earlier:
    """An earlier release of which only the released tables are left.

    A count that was rounded to 20 in fives was 18 to 22; one that is not shown can be any.
    """
    counted = {"estimates": [*COUNTS], "attrition": STEP_COUNTS, "diagnostics": ["value"]}
    half = rules.rounding // 2
    low, high = {}, {}
    for table, columns in KEPT.items():
        frame = release[table][columns]
        counts = frame[counted[table]].astype(float)
        least, most = counts - half, counts + rules.rounding - 1 - half
        low[table] = frame.assign(**least.clip(lower=0).fillna(0.0))
        high[table] = frame.assign(**most.fillna(np.inf))
    return Earlier(name, rules, low, high, release)


class Gap(NamedTuple):
    """How many more than before, at the least and at the most; equal where that is known."""

    least: npt.NDArray[np.float64]
    most: npt.NDArray[np.float64]

    def may_be_few(self, threshold: int) -> Flags:
        """It can be 1 to the threshold - 1 more or fewer."""
        more = np.maximum(self.least, 1) <= np.minimum(self.most, threshold - 1)
        fewer = np.maximum(self.least, 1 - threshold) <= np.minimum(self.most, -1)
        return more | fewer

    def may_be_none(self) -> Flags:
        """It can be nought."""
        return (self.least <= 0) & (self.most >= 0)

    def may_be_near(self, threshold: int) -> Flags:
        """It can be none or few."""
        return (self.least < threshold) & (self.most > -threshold)

    def less(self, other: Gap) -> Gap:
        """How many more of the one than of the other."""
        return Gap(self.least - other.most, self.most - other.least)


def _find_gap(now: pd.Series, low: pd.Series, high: pd.Series) -> Gap:
    """A count and the range of the same count before; one that is not known is no gap at all."""
    exact = now.astype(float).to_numpy()
    gap = [exact - limit.astype(float).to_numpy() for limit in (high, low)]
    return Gap(*(np.nan_to_num(found, nan=0.0, posinf=np.inf, neginf=-np.inf) for found in gap))


class Beside(NamedTuple):
    """The rows that two releases have in common: of the new one, which; how both counts differ."""

    rows: pd.DataFrame
    people: Gap
    events: Gap
    was_hidden: Flags
    was_shown: Flags
    is_changed: Flags

    @property
    def has_changed(self) -> bool:
        """Whether any number differs."""
        return bool(self.is_changed.any())

    def list_telling(
        self,
        threshold: int,
        is_other_cohort: bool,
        is_other_rounding: bool,
        same: Collection[Group] = (),
    ) -> npt.NDArray[Any]:
        """The new rows whose number, with the earlier one, tells of few people, of none or of all.

        Where neither the cohorts nor a row of the block differ the same people are meant, and
        nothing is told. What was suppressed before stays so as long as nearly the same people are
        meant; a count rounded in two ways is told too well. `same`: groups that are the whole of
        one of the two releases; that nobody else is in them goes without saying.
        """
        people, events, without = self.people, self.events, self.people.less(self.events)
        is_near = people.may_be_near(threshold) & events.may_be_near(threshold)
        few = people.may_be_few(threshold) | events.may_be_few(threshold) | events.may_be_none()
        kind = name_kind(self.rows["estimand"], "estimand")
        of_people = ~kind.isin(NOT_OF_PEOPLE).to_numpy()
        few |= of_people & (without.may_be_few(threshold) | without.may_be_none())
        groups = zip(self.rows["subgroup"], self.rows["level"], strict=True)
        few &= self.is_changed | ~np.array([group in same for group in groups], dtype=bool)
        changed = pd.Series(self.is_changed, index=self.rows.index)
        blocks = [self.rows[name] for name in BLOCK]
        in_changed = changed.groupby(blocks).transform("any").to_numpy(dtype=bool)
        in_changed |= is_other_cohort & self.rows["analysis"].ne(LINKAGE).to_numpy()
        found = is_near & self.was_hidden
        found |= in_changed & few & (self.was_shown | self.was_hidden)
        found |= is_near & self.was_shown & is_other_rounding
        return self.rows.loc[found, "row"].to_numpy()


@dataclass(frozen=True)
class Comparison:
    """A new release beside an earlier one.

    `rows`: of the new estimates, those that must not be shown. `steps`, `checks`: the same of
    attrition and diagnostics. `n_common`: numbers that both have. `is_same`: no count differs.
    `refusal`: why the new one must not be released at all (`release.REFUSALS`), or nothing.
    """

    earlier: str
    n_common: int
    is_same: bool
    rows: pd.Series
    steps: pd.Series
    checks: pd.Series
    refusal: str = ""


def compare(
    earlier: Earlier,
    restricted: Mapping[str, pd.DataFrame],
    release: Mapping[str, pd.DataFrame],
    rules: Disclosure,
) -> Comparison:
    """Lay a new release, exact and as it would be released alone, beside an earlier one."""
    threshold = max(rules.threshold, earlier.rules.threshold)
    is_other_rounding = rules.rounding != earlier.rules.rounding
    estimates = restricted["estimates"]
    named = _lay_beside(estimates, release["estimates"], earlier)
    people = _find_gap_of_people(restricted, earlier)
    is_other_cohort = bool((people.least != 0).any()) if earlier.is_exact else named.has_changed
    found: list[npt.NDArray[Any]] = []
    same: set[Group] = set()
    for pair in _pair_others(estimates, earlier, threshold):
        groups = _lay_groups_beside(estimates, earlier, *pair)
        found.append(groups.list_telling(threshold, groups.has_changed, is_other_rounding))
        if WHOLE in pair and not groups.has_changed:
            same.update(pair)
    found.append(named.list_telling(threshold, is_other_cohort, is_other_rounding, same))
    return Comparison(
        earlier.name,
        n_common=len(named.rows),
        is_same=not named.has_changed,
        rows=pd.Series(estimates.index.isin(np.concatenate(found)), index=estimates.index),
        steps=_find_steps(restricted, release, earlier, threshold),
        checks=_find_checks(restricted, release, earlier, threshold),
        refusal=_find_refusal(named, people, earlier, threshold, is_other_rounding),
    )


def find_sums(
    restricted: Mapping[str, pd.DataFrame], rules: Disclosure, earlier: Sequence[Earlier]
) -> list[tuple[Earlier, Earlier]]:
    """Pairs of earlier releases with which a new one makes a sum that is off by a few people.

    One of the three is then the two others together, but for fewer people or follow-ups than the
    threshold, who are in neither of these or in both; and so is every count of question 1. Where
    all counts are exactly the sum nobody is left to tell of. Levels are not looked at: what is a
    rare level of one study, put under others, may not be one of another.
    """
    sides = [restricted, *(one.low for one in earlier)]
    cohorts = pd.DataFrame([_count_cohort(side["attrition"]) for side in sides]).to_numpy(float)
    profile = functools.cache(lambda place: _profile_whole(sides[place]["estimates"]))
    found = []
    for pair in combinations([n for n, one in enumerate(earlier, 1) if one.is_exact], 2):
        two, three = tuple(earlier[n - 1] for n in pair), (0, *pair)
        threshold = max(rules.threshold, two[0].rules.threshold, two[1].rules.threshold)
        left = np.abs(2 * cohorts[[*three]] - cohorts[[*three]].sum(axis=0))
        for whole, off in zip(three, left, strict=True):
            if not off.min(initial=np.inf) < threshold:
                continue
            gaps = 2 * profile(whole) - sum(profile(place) for place in three)
            most, n_left = gaps.abs().max(), off.max()
            if most < max(threshold, n_left + 1) and max(most, n_left) > 0:
                found.append((two[0], two[1]))
                break
    return found


def _profile_whole(estimates: pd.DataFrame) -> pd.Series:
    """Question 1's counts of everybody."""
    return _profile_groups(estimates)[1].get(WHOLE, pd.Series(dtype=float))


def _lay_beside(exact: pd.DataFrame, released: pd.DataFrame, earlier: Earlier) -> Beside:
    """The numbers of the same name in both releases."""
    low, high = (_key(side["estimates"]) for side in (earlier.low, earlier.high))
    before = low.assign(**{f"{name}_high": high[name] for name in COUNTS})
    if earlier.released is not None:
        told = _key(earlier.released["estimates"])
        before = before.merge(told, on=[*KEYS], suffixes=("", "_told"))
    now = _key(exact).assign(row=exact.index)[[*KEYS, *COUNTS, "row"]]
    both = now.merge(before, on=[*KEYS], suffixes=("", "_low"))
    return _measure(both, None if earlier.is_exact else released.loc[both["row"]])


def _key(estimates: pd.DataFrame) -> pd.DataFrame:
    return estimates.assign(time_days=estimates["time_days"].fillna(NO_DAY).astype(int))


def _measure(both: pd.DataFrame, told: pd.DataFrame | None = None) -> Beside:
    """How the counts of matched rows differ.

    Where the earlier ones are exact a row is changed if a count is; else if it was told then, is
    `told` now, and not with the same numbers.
    """
    people, events = (
        _find_gap(both[name], both[f"{name}_low"], both[f"{name}_high"]) for name in COUNTS
    )
    if told is None:
        is_changed = (people.least != 0) | (events.least != 0)
    else:
        names = [*NUMBERS, *COUNTS]
        before = both[[name if name in NUMBERS else f"{name}_told" for name in names]]
        now, then = (frame.astype(float).fillna(-1.0).to_numpy() for frame in (told[names], before))
        is_told = both["status"].eq(OK).to_numpy() & told["status"].eq(OK).to_numpy()
        is_changed = is_told & (now != then).any(axis=1)
    status = both["status"]
    shown, hidden = (status.eq(name).to_numpy() for name in (OK, SUPPRESSED))
    return Beside(both, people, events, hidden, shown, np.asarray(is_changed, dtype=bool))


def _find_refusal(
    beside: Beside, people: Gap, earlier: Earlier, threshold: int, is_other_rounding: bool
) -> str:
    """Why nothing may be released beside an earlier release; empty if it may."""
    if not (beside.has_changed or is_other_rounding) or not people.may_be_near(threshold).all():
        return ""
    if people.may_be_few(threshold).any():
        return "few_people" if earlier.is_exact else "few_people_rounded"
    if is_other_rounding:
        return "other_rounding"
    of_all = beside.rows["measure"].eq("") & beside.rows["estimand"].eq("cumulative_incidence")
    events = Gap(*(part[of_all.to_numpy()] for part in beside.events))
    is_near = events.may_be_near(threshold).all() and events.may_be_few(threshold).any()
    return "few_events" if is_near else ""


def _find_gap_of_people(restricted: Mapping[str, pd.DataFrame], earlier: Earlier) -> Gap:
    """How many more victims and follow-ups there are, and how many more in each group."""
    sides = (restricted, earlier.low, earlier.high)
    sizes = [_count_people(side["estimates"], side["attrition"]) for side in sides]
    common = sizes[0].index.intersection(sizes[1].index)
    return _find_gap(*(size.reindex(common) for size in sizes))


def _count_people(estimates: pd.DataFrame, attrition: pd.DataFrame) -> pd.Series:
    """Victims and follow-ups left at the end of the selection of reports, and those of each group.

    The latter by what question 1 counts in it.
    """
    return pd.concat([_count_cohort(attrition), _count_groups(estimates)])


def _count_cohort(attrition: pd.DataFrame) -> pd.Series:
    end = attrition[attrition["step"].eq("reports")].tail(1)
    counts = {("cohort", name): end[name].sum() for name in ("n_people", "n_reports") if len(end)}
    return pd.Series(counts, dtype=float)


def _count_groups(estimates: pd.DataFrame) -> pd.Series:
    rows = estimates[estimates["question"].eq("q1") & estimates["estimand"].eq("count")]
    rows = rows[rows["analysis"].ne(LINKAGE)]
    return rows.groupby(GROUP)["n_people"].max().dropna().astype(float)


def _find_few(
    table: str,
    keys: list[str],
    counts: list[str],
    restricted: Mapping[str, pd.DataFrame],
    release: Mapping[str, pd.DataFrame],
    earlier: Earlier,
    threshold: int,
) -> pd.Series:
    """The rows of a table of which a count can differ by few from what it was before.

    Where the earlier counts are known as they were rounded alone, those that are told otherwise.
    """
    exact, low, high = restricted[table], earlier.low[table], earlier.high[table]
    before = low.assign(**{f"{name}_high": high[name] for name in counts}).drop_duplicates(keys)
    both = exact[keys].merge(before, on=keys, how="left", indicator=True)
    found = np.zeros(len(exact), dtype=bool)
    for name in counts:
        few = _find_gap(exact[name], both[name], both[f"{name}_high"]).may_be_few(threshold)
        if earlier.released is not None:
            told = earlier.released[table].drop_duplicates(keys)[[*keys, name]]
            now, then = release[table][name], exact[keys].merge(told, on=keys, how="left")[name]
            pair = [values.astype(float).fillna(-1.0).to_numpy() for values in (now, then)]
            few &= pair[0] != pair[1]
        found |= few
    return pd.Series(found & both["_merge"].eq("both").to_numpy(), index=exact.index)


def _find_steps(
    restricted: Mapping[str, pd.DataFrame],
    release: Mapping[str, pd.DataFrame],
    earlier: Earlier,
    threshold: int,
) -> pd.Series:
    """Steps of the attrition of which a count differs by few, and the steps that follow them."""
    rows = _find_few("attrition", STEP, STEP_COUNTS, restricted, release, earlier, threshold)
    return rows | rows.groupby(restricted["attrition"]["step"]).shift(fill_value=False)


def _find_checks(
    restricted: Mapping[str, pd.DataFrame],
    release: Mapping[str, pd.DataFrame],
    earlier: Earlier,
    threshold: int,
) -> pd.Series:
    """Counts among the diagnostics that differ by few, and what is counted beside them."""
    diagnostics = restricted["diagnostics"]
    names = [unpack_check(text).name for text in diagnostics["check"]]
    named = pd.Series(names, diagnostics.index, object)
    is_count = name_kind(named, "check").eq("count")
    few = _find_few("diagnostics", CHECK, ["value"], restricted, release, earlier, threshold)
    keys = [diagnostics["analysis"], diagnostics["measure"], named]
    return is_count & (few & is_count).groupby(keys).transform("any").astype(bool)


def _pair_others(
    exact: pd.DataFrame, earlier: Earlier, threshold: int
) -> Iterator[tuple[Group, Group]]:
    """Groups of the two releases by other names of which one may be in the other, but for a few.

    Such are a study of women and the women of a study, or two divisions by age. Their people differ
    by few or none, and none of question 1's counts by more, or in the other direction.
    """
    if not earlier.is_exact:
        return
    then = earlier.low["estimates"]
    (sizes, counts), (old_sizes, old_counts) = map(_profile_groups, (exact, then))
    for (group, n_people), (other, n_before) in product(sizes.items(), old_sizes.items()):
        more = n_people - n_before
        if not n_people or abs(more) >= threshold or group[0] == other[0]:
            continue
        gaps = (counts[group] - old_counts[other]).dropna() * (np.sign(more) or 1.0)
        if len(gaps) and gaps.between(0, abs(more)).all():
            yield group, other


def _profile_groups(estimates: pd.DataFrame) -> tuple[dict[Group, float], pd.DataFrame]:
    """How many people are in every group, and question 1's counts: a row a count, a column a group.

    The groups are those that have such counts.
    """
    rows = _key(estimates)
    rows = rows[rows["question"].eq("q1") & rows["estimand"].eq("count")].dropna(subset=[*COUNTS])
    counts = rows.set_index([*KEYS])["n_events"].astype(float).unstack(GROUP)
    sizes = _count_groups(rows)
    return dict(zip(sizes.index, sizes.astype(float).tolist(), strict=True)), counts


def _lay_groups_beside(exact: pd.DataFrame, earlier: Earlier, group: Group, other: Group) -> Beside:
    """The numbers of a group, and of another group in an earlier release."""
    now, then = (
        _key(table)[table["subgroup"].eq(name) & table["level"].eq(level)]
        for table, (name, level) in ((exact, group), (earlier.low["estimates"], other))
    )
    now = now.assign(row=now.index)[[*KEYS, *COUNTS, "row"]]
    then = then[[*BLOCK, *COUNTS, "status"]]
    then = then.assign(**{f"{name}_high": then[name] for name in COUNTS})
    return _measure(now.merge(then, on=BLOCK, suffixes=("", "_low")))
