"""Disclosure control: the one last function that every number passes before anyone reads it.

Restricted tables hold exact numbers and never leave the secure room. What is released has small
cells suppressed (a status and a null, never a 0), their complements too, and all counts rounded;
risks and shares move in steps of the rounding, so that no count can be worked out from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

import numpy as np
import pandas as pd

from revictimisation.core.errors import DisclosureError
from revictimisation.core.packing import unpack_check, unpack_contrast
from revictimisation.core.results import (
    COLUMNS,
    COUNTS,
    KEPT_BACK,
    KEYS,
    NUMBERS,
    OK,
    SUPPRESSED,
)
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.e_value import find_e_value, find_e_value_limit
from revictimisation.estimators.intervals import difference_interval
from revictimisation.plan import Disclosure

PLACES = ("police_district", "municipality_group", "municipality_code")
# One comparison at one time: its estimands follow from each other.
FAMILY = [key for key in KEYS if key != "estimand"]
# What stands or falls together: other estimators and analyses of the same people's outcomes, too.
TWINS = [key for key in FAMILY if key not in ("analysis", "estimator")]
CORRECTED = "linkage_error"
# Kinds of estimands (`codes/estimand.csv`): of these the people with the event are a part of all;
COUNT_LIKE = ("share", "mean_count", "count")
# of these they are not: outcomes per person may exceed 1, days are no people.
NOT_OF_PEOPLE = ("days", "mean_count", "mean_count_difference")
# All kinds (data_dictionary/README.md says what each is): what has another is not released.
KINDS = {
    "estimand": {*COUNT_LIKE, *NOT_OF_PEOPLE, "difference", "ratio", "statistic"},
    "check": {"count", "share", "statistic", "detectable", "extreme", "plain", "rate", "rate_low",
              "rate_high"},
}  # fmt: skip
DECIMALS = 3
EFFECTS = ("risk_difference", "mean_count_difference")
COARSE = 0.05  # steps of a share of nobody knows how many


@cache
def read_facts(codes: str, column: str) -> Mapping[str, str]:
    """What the dictionary says of each estimand, analysis or check: a column of its code list."""
    table = load_dictionary().codes(codes)
    return dict(zip(table["code"], table[column], strict=True))


def name_kind(names: pd.Series, codes: str) -> pd.Series:
    """The kind of each estimand or check; `DisclosureError` for one of no kind that we protect."""
    kinds = names.map(read_facts(codes, "kind"))
    refuse_unknown(names[~kinds.isin(KINDS[codes])], codes)
    return kinds


def refuse_unknown(names: pd.Series, codes: str) -> None:
    """Raise `DisclosureError` if there is any: nobody has said how to protect it."""
    if len(names):
        raise DisclosureError(
            f"{', '.join(sorted(set(names)))}: står inte i data_dictionary/codes/{codes}.csv, eller"
            " där utan känt slag (kind), så ingen vet hur det ska skyddas. / The dictionary lacks"
            " it, or its kind is none that is known, so nobody knows how to protect it."
        )


def name_origin(analyses: pd.Series) -> pd.Series:
    """The analysis that each one's numbers follow from, by the dictionary; else its own name."""
    known = read_facts("analysis", "follows")
    return analyses.replace({name: origin for name, origin in known.items() if origin})


def disclose_estimates(
    estimates: pd.DataFrame,
    rules: Disclosure,
    classes: Mapping[str, str],
    places: Collection[str] = PLACES,
    before: pd.Series | None = None,
) -> pd.DataFrame:
    """Make the releasable form of `estimates`: the same rows in the same order.

    `classes` gives a measure's disclosure class: `never` (always suppressed), `no_place` (never by
    district or municipality: the subgroups `places`), `open`. A cell is suppressed when its people,
    its events or its people without an event are fewer than the threshold, none of them or all
    included; a mean count also where the risk beside it is, as a few people may have many events.
    With it goes all that other estimands, estimators and analyses tell of the same outcome in the
    same people; and of the levels beside a single suppressed one the smallest, so that none follows
    from the total. A row without a released number has no counts either. `before`: rows that would
    tell of few people beside what was released before; they are suppressed as small ones are.
    Raises `DisclosureError` for columns, analyses and estimands it does not know.
    """
    if tuple(estimates.columns) != COLUMNS:
        raise DisclosureError("estimates has columns that disclosure control does not know.")
    known = read_facts("analysis", "follows")
    refuse_unknown(estimates.loc[~estimates["analysis"].isin([*known]), "analysis"], "analysis")
    frame = estimates.copy()
    is_small = _is_small(frame, rules)
    is_kept_back = _is_kept_back(frame["measure"], frame["subgroup"], classes, places)
    if before is not None:
        is_small |= before
    primary = (is_small | is_kept_back) & frame["status"].eq(OK)
    primary = _with_twins(frame, primary)
    hidden = _with_twins(frame, primary | _complements(frame, primary))
    hidden |= _of_hidden_levels(frame, hidden)
    hidden &= frame["status"].eq(OK)
    rounded = _round(frame, rules)
    rounded.loc[hidden, [*NUMBERS, *COUNTS]] = pd.NA
    rounded.loc[hidden, "status"] = SUPPRESSED
    rounded.loc[hidden, "reason"] = np.where(primary[hidden], "small_number", "complement")
    rounded.loc[is_kept_back, ["status", "reason"]] = [SUPPRESSED, KEPT_BACK]
    rounded.loc[rounded["status"].ne(OK), [*NUMBERS, *COUNTS]] = pd.NA
    return rounded


def _is_kept_back(
    measure: pd.Series, subgroup: pd.Series, classes: Mapping[str, str], places: Collection[str]
) -> pd.Series:
    kind = measure.map(classes)
    return kind.eq("never") | (kind.eq("no_place") & subgroup.isin(list(places)))


def _is_few(count: pd.Series, rules: Disclosure) -> pd.Series:
    return count.between(1, rules.threshold - 1).fillna(False).astype(bool)


def _is_small(frame: pd.DataFrame, rules: Disclosure) -> pd.Series:
    people, events = frame["n_people"], frame["n_events"]
    kind = name_kind(frame["estimand"], "estimand")
    none_or_all = (events.eq(0) | events.eq(people)).fillna(False) & kind.isin(COUNT_LIKE)
    rest = _is_few(people - events, rules) & ~kind.isin(NOT_OF_PEOPLE)
    found = _is_few(people, rules) | _is_few(events, rules) | rest | none_or_all
    return _add_mean_counts(frame, found.astype(bool))


def _add_mean_counts(frame: pd.DataFrame, is_small: pd.Series) -> pd.Series:
    """Mean counts beside whom a risk is small: few people may have many outcomes."""
    names = [key for key in KEYS if key != "estimator"]
    risks = {name: risk for name, risk in read_facts("estimand", "risk_beside").items() if risk}
    is_risk = is_small & frame["estimand"].isin(list(risks.values()))
    small = pd.MultiIndex.from_frame(frame.loc[is_risk, names])
    beside = frame[names].assign(estimand=frame["estimand"].map(risks).fillna(""))
    return is_small | pd.MultiIndex.from_frame(beside).isin(small)


def _with_twins(frame: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    keys = [frame[name] for name in TWINS]
    return hidden.groupby(keys, dropna=False).transform("any").astype(bool)


def _complements(frame: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    """The smallest shown level beside a level that is alone in being suppressed."""
    is_level = frame["subgroup"].ne("") & name_kind(frame["estimand"], "estimand").isin(COUNT_LIKE)
    rows = frame[is_level & frame["status"].eq(OK)]
    rows = rows.assign(is_hidden=hidden[rows.index])  # a frame without rows would take all of them
    keys = [key for key in KEYS if key != "level"]
    rows["n_hidden"] = rows.groupby(keys, dropna=False)["is_hidden"].transform("sum")
    shown = rows[~rows["is_hidden"] & rows["n_hidden"].eq(1)]
    shown = shown.assign(has_events=shown["n_events"].gt(0))
    order = ["has_events", "n_events", "n_people", "level"]
    shown = shown.sort_values(order, ascending=[False, True, True, True], kind="stable")
    chosen = shown[~shown.duplicated(keys)].index
    return pd.Series(frame.index.isin(chosen), index=frame.index)


def _split_contrasts(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The keys of the two levels that a row `a_less_b` tells the difference of (else level null).

    Of each: all keys but the estimand. A level is known by its own share or count.
    """
    is_level = name_kind(frame["estimand"], "estimand").isin(COUNT_LIKE)
    known = frame[is_level].groupby("subgroup")["level"].agg(set).to_dict()
    named = frame[["subgroup", "level"]].drop_duplicates()
    pairs = {
        (group, level): unpack_contrast(level, known.get(group, ())) or (pd.NA, pd.NA)
        for group, level in named.itertuples(index=False)
    }
    found = [pairs[key] for key in zip(frame["subgroup"], frame["level"], strict=True)]
    parts = [pd.Series([pair[part] for pair in found], index=frame.index) for part in (0, 1)]
    return [frame[FAMILY].assign(level=part) for part in parts]


def _of_hidden_levels(frame: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    """Differences of which a level is hidden: with the other level they would tell it."""

    def to_index(keys: pd.DataFrame) -> pd.MultiIndex:
        return pd.MultiIndex.from_frame(keys.assign(analysis=name_origin(keys["analysis"])))

    gone = to_index(frame.loc[hidden, FAMILY])
    found = [to_index(keys).isin(gone) for keys in _split_contrasts(frame)]
    return pd.Series((found[0] | found[1]) & frame["level"].ne(""), index=frame.index)


def round_counts(count: pd.Series, rounding: int) -> pd.Series:
    """Round to the nearest multiple (a half goes up); null stays null.

    >>> round_counts(pd.Series([7, 8, None], dtype="Int64"), 5).tolist()
    [5, 10, <NA>]
    """
    return ((count + rounding // 2) // rounding * rounding).astype("Int64")


def _round(frame: pd.DataFrame, rules: Disclosure) -> pd.DataFrame:
    """Round counts; move shares, risks and their intervals in steps of `rounding` people."""
    out = frame.copy()
    for name in COUNTS:
        out[name] = round_counts(frame[name], rules.rounding)
    kind = name_kind(frame["estimand"], "estimand")
    is_mean = kind.eq("mean_count")
    is_share = kind.eq("share") | is_mean
    is_gap = kind.eq("mean_count_difference")
    is_difference = kind.eq("difference") | is_gap
    step = rules.rounding / out["n_people"].astype(float).where(out["n_people"] > 0)
    family = [frame[name] for name in FAMILY]
    coarsest = step.where(is_share).groupby(family, dropna=False).transform("max")
    _snap(out, frame, is_share & ~is_mean, step, bounds=(0.0, 1.0))
    _snap(out, frame, is_mean, step, bounds=(0.0, np.inf))
    _snap(out, frame, is_difference & ~is_gap, coarsest, bounds=(-1.0, 1.0))
    _snap(out, frame, is_gap, coarsest, bounds=(-np.inf, np.inf))
    is_count = kind.eq("count")
    out.loc[is_count, "estimate"] = out.loc[is_count, "n_events"].astype(float)
    other = ~(is_share | is_difference | is_count)
    is_days = kind.eq("days")
    for name in NUMBERS:
        out.loc[other & ~is_days, name] = frame[name].round(DECIMALS)
        out.loc[is_days, name] = frame[name].round(0)
    out["se"] = _two_digits(frame["se"])
    _recompute_contrasts(out, is_difference)
    _recompute_level_gaps(out)
    _recompute_corrected(out, frame)
    _recompute_e_values(out)
    return out


def _snap(
    out: pd.DataFrame,
    exact: pd.DataFrame,
    chosen: pd.Series,
    step: pd.Series,
    bounds: tuple[float, float],
) -> None:
    """Put an estimate on the nearest step, its interval's ends on the next ones outwards."""
    for name, to_step in (("estimate", np.round), ("ci_low", np.floor), ("ci_high", np.ceil)):
        snapped = to_step((exact[name] / step).round(9)) * step
        value = snapped.clip(*bounds).round(6)
        out.loc[chosen, name] = value[chosen].where(
            step[chosen].notna(), exact[name].round(DECIMALS)
        )


def _recompute_contrasts(out: pd.DataFrame, is_difference: pd.Series) -> None:
    """A difference and a ratio follow from the released risks, so they add nothing to them."""
    keys = [*FAMILY]
    over, under = (
        out.loc[out["estimand"].isin([risk, count]), [*keys, "estimate"]]
        for risk, count in (("risk_start", "mean_count_start"),
                            ("risk_no_start", "mean_count_no_start"))
    )  # fmt: skip
    wide = over.merge(under, on=keys, suffixes=("_start", "_no_start")).dropna(
        subset=["estimate_start", "estimate_no_start"]
    )
    if wide.empty:
        return
    is_ratio = out["estimand"].eq("risk_ratio")
    found = out[keys].merge(wide, on=keys, how="left")
    start, no_start = (found[name].to_numpy() for name in ("estimate_start", "estimate_no_start"))
    has = ~np.isnan(start) & ~np.isnan(no_start)
    at = (is_difference & has).to_numpy()
    out.loc[at, "estimate"] = np.round(start - no_start, 6)[at]
    at = (is_ratio & has).to_numpy() & (no_start > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        out.loc[at, "estimate"] = np.round(start / no_start, DECIMALS)[at]


def _recompute_level_gaps(out: pd.DataFrame) -> None:
    """The difference of two levels follows from their released risks or shares.

    The interval of shares does too: from exact limits the counts behind them could be told.
    """
    names = ["estimate", "ci_low", "ci_high"]
    for kind, difference in (("cumulative_incidence", "risk_difference"),
                             ("share", "share_difference")):  # fmt: skip
        known = out[out["estimand"].eq(kind)][[*FAMILY, *names]]
        over, under = (
            keys.merge(known, on=FAMILY, how="left")[names].to_numpy(dtype=float).T
            for keys in _split_contrasts(out)
        )
        at = out["estimand"].eq(difference).to_numpy() & ~np.isnan(over[0] - under[0])
        found = [over[0] - under[0]]
        if kind == "share":
            other = (under[0], under[1], under[2])
            found += difference_interval(over[0], over[1], over[2], other)
        for name, value in zip(names, found, strict=False):
            out.loc[at, name] = np.round(value, 6)[at]


def _recompute_corrected(out: pd.DataFrame, exact: pd.DataFrame) -> None:
    """A difference without linkage error is the released one and how far it moved.

    Each rounded by itself, the two would seem to differ by what the rounding did.
    """
    at = exact["analysis"].eq(CORRECTED) & exact["estimand"].eq("risk_difference")
    if not at.any():
        return
    keys, names = list(KEYS), ["estimate", "ci_low", "ci_high"]
    corrected = exact[at]
    mine = corrected[keys].assign(analysis=read_facts("analysis", "follows")[CORRECTED])
    released, found = (
        mine.merge(frame[[*keys, *names]], on=keys, how="left")[names].to_numpy(dtype=float)
        for frame in (out, exact)
    )
    moved = corrected[names].to_numpy(dtype=float) - found
    value = np.clip(released + moved.round(DECIMALS), -1.0, 1.0).round(6)
    out.loc[at, names] = np.where(np.isnan(value), out[at][names].to_numpy(dtype=float), value)


def _recompute_e_values(out: pd.DataFrame) -> None:
    """E-values of a risk ratio follow from the released ratio and limits, and add nothing."""
    ratios = out[out["estimand"].eq("risk_ratio")]
    limits = ["estimate", "ci_low", "ci_high"]
    found = out[FAMILY].merge(ratios[[*FAMILY, *limits]], on=FAMILY, how="left")
    has = found["estimate"].notna().to_numpy()
    value = find_e_value(found["estimate"])
    limit = find_e_value_limit(found["ci_low"], found["ci_high"])
    for estimand, numbers in (("e_value", value), ("e_value_limit", limit)):
        at = out["estimand"].eq(estimand).to_numpy() & has
        out.loc[at, "estimate"] = np.round(numbers, DECIMALS)[at]


def _two_digits(value: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(value.abs().where(value.abs() > 0)))
    scale = 10.0 ** (1 - size)
    return ((value * scale).round() / scale).where(size.notna(), value)


def disclose_attrition(attrition: pd.DataFrame, rules: Disclosure) -> pd.DataFrame:
    """Make the releasable form of `attrition`: counts rounded, small ones null and `suppressed`."""
    out = attrition.copy()
    is_small = pd.Series(False, index=out.index)
    for name in ("n_people", "n_reports", "n_dropped"):
        few = _is_few(attrition[name], rules)
        out[name] = round_counts(attrition[name], rules.rounding).mask(few)
        is_small |= few
    out["status"] = np.where(is_small, SUPPRESSED, OK)
    return out


def _round_rates(out: pd.DataFrame, kind: pd.Series) -> None:
    """Put shares of links on whole tenths of a per cent, their limits on the next ones outwards."""
    step = 10.0**-DECIMALS
    for name, to_step in (("rate", np.round), ("rate_low", np.floor), ("rate_high", np.ceil)):
        at = kind.eq(name)
        whole = to_step((out.loc[at, "value"] / step).round(9)) * step
        out.loc[at, "value"] = whole.round(DECIMALS)


def _round_shares(value: pd.Series, n_people: pd.Series, rules: Disclosure) -> pd.Series:
    """Shares of people in steps of `rounding` people, of a hundredth at least."""
    step = (rules.rounding / n_people.where(n_people > 0)).clip(0.01, 1.0).fillna(COARSE)
    return ((value / step).round() * step).clip(0.0, 1.0).round(6)


def disclose_diagnostics(
    diagnostics: pd.DataFrame,
    rules: Disclosure,
    exact: pd.DataFrame,
    released: pd.DataFrame,
) -> pd.DataFrame:
    """Make the releasable form of `diagnostics`: each check as its kind in the dictionary allows.

    `count`: rounded, null where fewer than the threshold. `share`: in steps of `rounding` people.
    `statistic`, `detectable`: two digits. `rate`: of links, to a tenth of a per cent. `extreme`: of
    one person, never. `plain`: of a model, not of people, as it is. A level's check is null where
    that of another level of the grouping is, and whatever lies behind an effect that `released`
    suppresses; a detectable difference also where the effect is withheld, whose error it would
    tell. `exact`, `released`: `estimates` before and after disclosure control.
    """
    out = diagnostics.copy()
    checks = [unpack_check(text) for text in out["check"]]
    named = pd.DataFrame(
        {
            "measure": out["measure"],
            "name": pd.Series([check.name for check in checks], index=out.index, dtype=object),
            "subgroup": [check.group for check in checks],
            "level": [check.level for check in checks],
            "family": [check.family for check in checks],
            "time_days": pd.array([check.day for check in checks], dtype="Int64"),
        },
        index=out.index,
    )
    kind = name_kind(named["name"], "check")
    few = kind.eq("count") & out["value"].lt(rules.threshold)
    family = [out["analysis"], out["measure"], named["family"]]
    of_levels = few.groupby(family, dropna=False).transform("any").astype(bool)
    gone = few | kind.eq("extreme") | (of_levels & named["level"].ne(""))
    gone |= _is_behind_hidden(named, kind, released)
    n_people = _count_people(named, exact, rules.rounding)
    value = out["value"]
    rounded = (value / rules.rounding).round() * rules.rounding
    value = value.mask(kind.eq("count"), rounded)
    value = value.mask(kind.eq("share"), _round_shares(value, n_people, rules))
    value = value.mask(kind.isin(["statistic", "detectable"]), _two_digits(value))
    out["value"] = value.mask(gone)
    _round_rates(out, kind)
    out.loc[gone & out["status"].eq(OK), "status"] = SUPPRESSED
    return out


def _is_behind_hidden(named: pd.DataFrame, kind: pd.Series, released: pd.DataFrame) -> pd.Series:
    """Checks behind an effect that is suppressed; detectable differences of any that is hidden.

    A check of no day is behind the effects of all days: it is hidden where none of them is shown.
    """
    keys, at = ["measure", "subgroup", "level"], ["measure", "subgroup", "level", "time_days"]
    effects = released[released["estimand"].isin(EFFECTS)]
    status = effects["status"]

    def is_among(names: list[str], chosen: pd.Series) -> pd.Series:
        wanted = pd.MultiIndex.from_frame(effects.loc[chosen, names])
        return pd.Series(pd.MultiIndex.from_frame(named[names]).isin(wanted), index=named.index)

    is_dayless = named["time_days"].isna()
    unseen = is_among(keys, status.eq(SUPPRESSED)) & ~is_among(keys, status.eq(OK))
    behind = is_among(at, status.eq(SUPPRESSED)) | (is_dayless & unseen)
    return behind | (is_among(at, status.ne(OK)) & kind.eq("detectable"))


def _count_people(named: pd.DataFrame, exact: pd.DataFrame, rounding: int) -> pd.Series:
    """The people of each check's measure and level, rounded, by the numbers that they are in."""
    keys = ["measure", "subgroup", "level"]
    known = exact.groupby(keys, as_index=False)["n_people"].max()
    found = named[keys].merge(known, on=keys, how="left")["n_people"]
    return pd.Series(round_counts(found, rounding).astype(float).to_numpy(), index=named.index)
