"""Numbers as they leave: counts rounded, all else in steps of the rounding or made of what is told.

A share that is its events over its people is told as the rounded events over the rounded people,
and its error and its limits are made anew of these: from exact ones the counts could be worked out.
Of the exact error there is left how much larger it is than that of a plain share, to a tenth.
Numbers of models move in steps of `rounding` people, their limits outwards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.packing import COVARIATE, TIPPING
from revictimisation.core.results import COUNTS, KEYS, NUMBERS, OK
from revictimisation.disclosure.bounds import Flags, Floats
from revictimisation.disclosure.kinds import (
    FAMILY,
    OF_PART_OF_OUTCOMES,
    name_kind,
    read_facts,
    split_contrasts,
)
from revictimisation.estimators.e_value import find_e_value, find_e_value_limit
from revictimisation.estimators.intervals import (
    count_interval,
    difference_interval,
    loglog_interval,
    normal_quantile,
    wilson_interval,
)
from revictimisation.estimators.target_trial.number_needed import invert_difference
from revictimisation.estimators.tipping_points import find_tipping_points
from revictimisation.plan import Disclosure

CORRECTED = "linkage_error"
DECIMALS = 3
ARMS = {"start": ("risk_start", "mean_count_start"),
        "no_start": ("risk_no_start", "mean_count_no_start")}  # fmt: skip
OF_ARMS = [estimand for estimands in ARMS.values() for estimand in estimands]
# Analyses that count measures, assessments or clients, no people who are followed.
OF_OTHERS = ("duration", "risk_assessment", "linkage")
# Curves of one kind of event, where censoring may move the estimate a little off its count.
NEAR = ("kaplan_meier", "aalen_johansen")


def round_counts(count: pd.Series, rounding: int) -> pd.Series:
    """Round to the nearest multiple (a half goes up); null stays null.

    >>> round_counts(pd.Series([7, 8, None], dtype="Int64"), 5).tolist()
    [5, 10, <NA>]
    """
    return ((count + rounding // 2) // rounding * rounding).astype("Int64")


def release_numbers(frame: pd.DataFrame, rules: Disclosure) -> pd.DataFrame:
    """The same rows with every number as it may leave, were the row shown."""
    out = frame.copy()
    out["n_people"] = round_counts(_tell_alike(frame, rules), rules.rounding)
    out["n_events"] = round_counts(frame["n_events"], rules.rounding)
    contrasts = split_contrasts(frame)
    out.loc[contrasts[0]["level"].notna(), list(COUNTS)] = pd.NA
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
    out["se"] = two_digits(frame["se"])
    is_plain = _find_plain(frame, is_share, rules)
    _rebuild_shares(out, frame, is_plain, is_mean)
    if frame["estimand"].isin(OF_ARMS).any():
        _recompute_contrasts(out, is_difference)
        _rebuild_contrasts(out, frame, is_plain)
        _add_arms(out, frame)
        _part_arms(out, rules)
    # beside those of the main analysis they would tell of the few whose outcome is of the one kind
    out.loc[frame["analysis"].isin(OF_PART_OF_OUTCOMES), list(COUNTS)] = pd.NA
    _recompute_level_gaps(out, contrasts)
    _recompute_corrected(out, frame)
    _recompute_needed(out)
    _recompute_e_values(out)
    _recompute_tipping_points(out)
    return out


def _tell_alike(frame: pd.DataFrame, rules: Disclosure) -> pd.Series:
    """The people of each row, or the most of the same level if more by fewer than the threshold.

    Populations of one level are mostly parts of each other (those in whom a measure ran before are
    left out of its comparison): of two that differ by few the difference would tell the few.
    """
    is_arm = frame["estimand"].isin(OF_ARMS)
    others = is_arm | frame["analysis"].isin(OF_OTHERS) | frame["n_people"].isna()
    rows = frame.loc[~others, ["subgroup", "level", "n_people"]]
    told: dict[tuple[object, ...], int] = {}
    ordered = rows.drop_duplicates().sort_values("n_people", ascending=False)
    most: dict[tuple[object, ...], int] = {}
    for subgroup, level, people in ordered.itertuples(index=False):
        group = (subgroup, level)
        if group not in most or most[group] - people >= rules.threshold:
            most[group] = people
        told[(*group, people)] = most[group]
    keys = zip(rows["subgroup"], rows["level"], rows["n_people"], strict=True)
    out = frame["n_people"].copy()
    out.loc[rows.index] = [told[key] for key in keys]
    return out


def _find_plain(frame: pd.DataFrame, is_share: pd.Series, rules: Disclosure) -> pd.Series:
    """Shares and means that are their events over their people, or nearly so."""
    events, people = (frame[name].astype(float) for name in ("n_events", "n_people"))
    apart = (frame["estimate"] * people - events).abs()
    most = frame["estimator"].isin(NEAR).map({True: rules.rounding / 2, False: 0.5})
    return is_share & (apart <= most) & people.gt(0)


def _rebuild_shares(
    out: pd.DataFrame, exact: pd.DataFrame, is_plain: pd.Series, is_mean: pd.Series
) -> None:
    """Plain shares and means from rounded counts, on the scale that the exact limits have."""
    rows = exact[is_plain]
    if rows.empty:
        return
    mean = is_mean[is_plain].to_numpy(bool)
    people, share = rows["n_people"].to_numpy(float), rows["estimate"].to_numpy(float)
    told_people = out.loc[is_plain, "n_people"].to_numpy(float)
    told_events = out.loc[is_plain, "n_events"].to_numpy(float)
    told = np.divide(told_events, told_people, out=np.full(len(rows), np.nan),
                     where=told_people > 0)  # fmt: skip
    se = rows["se"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = se / _plain_error(share, people, mean)
        factor = np.where(np.isfinite(factor), np.maximum(factor, 1.0), 1.0)
        told_factor = factor.round(1)
        told_se = _plain_error(told, told_people, mean) * told_factor
        given = rows[["ci_low", "ci_high"]].to_numpy(float).T
        scales = _list_limits(share, people, se, factor)
        told_scales = _list_limits(told, told_people, told_se, told_factor)
        apart = np.array([abs(low - given[0]) + abs(high - given[1]) for low, high in scales])
    nearest = np.where(np.isnan(apart), np.inf, apart).argmin(axis=0)
    limits = np.array(told_scales)[nearest, :, np.arange(len(rows))].T
    out.loc[is_plain, "estimate"] = told.round(6)
    out.loc[is_plain, "se"] = np.where(np.isnan(se), np.nan, two_digits(pd.Series(told_se)))
    for name, limit, known in zip(("ci_low", "ci_high"), limits, given, strict=True):
        out.loc[is_plain, name] = np.where(np.isnan(known), np.nan, limit.round(6))


def _plain_error(share: Floats, people: Floats, is_mean: Flags) -> Floats:
    """The error of a share of people, and of a mean count that is a Poisson's."""
    return np.sqrt(np.where(is_mean, share, share * (1 - share)) / people)


def _list_limits(
    share: Floats, people: Floats, se: Floats, factor: Floats
) -> list[tuple[Floats, Floats]]:
    """The limits of shares on each scale that the estimators use: Wilson, log-log, log, logit."""
    size = people / factor**2
    half = np.exp(normal_quantile() * se / (share * (1 - share)))
    odds = share / (1 - share)
    return [
        wilson_interval(share * size, size),
        loglog_interval(share, se, people),
        count_interval(share, se, people),
        (odds / half / (1 + odds / half), odds * half / (1 + odds * half)),
    ]


def _join_arms(frame: pd.DataFrame, chosen: pd.Series, names: list[str]) -> pd.DataFrame:
    """Of each row's comparison the numbers of both arms (`*_start`, `*_no_start`), if chosen."""
    start, no_start = (
        frame.loc[chosen & frame["estimand"].isin(named), [*FAMILY, *names]]
        for named in ARMS.values()
    )
    both = start.merge(no_start, on=FAMILY, suffixes=("_start", "_no_start"))
    return frame[FAMILY].merge(both, on=FAMILY, how="left").set_axis(frame.index)


def _combine_errors(arms: pd.DataFrame, estimand: str) -> pd.Series:
    """The error of a difference, or of a ratio's logarithm, of arms of different people."""
    square = pd.Series(0.0, arms.index)
    for arm in ARMS:
        share, error = arms[f"estimate_{arm}"], arms[f"se_{arm}"]
        scale = {"risk_ratio": share, "odds_ratio": share * (1 - share)}.get(estimand, 1.0)
        square += (error / scale) ** 2
    return square**0.5


def _rebuild_contrasts(out: pd.DataFrame, exact: pd.DataFrame, is_plain: pd.Series) -> None:
    """Errors, limits and p-values of differences and ratios of two plain shares follow from them.

    Of the exact error stays how much it differs from that of two groups of different people, to a
    tenth.
    """
    known, told = (_join_arms(frame, is_plain, ["estimate", "se"]) for frame in (exact, out))
    has_arms = known["se_start"].notna()
    for estimand in ("risk_difference", "mean_count_difference", "risk_ratio", "odds_ratio"):
        at = exact["estimand"].eq(estimand) & has_arms
        if not at.any():
            continue
        given, value = exact.loc[at, "se"], out.loc[at, "estimate"]
        if estimand == "odds_ratio":  # its error is on its own scale
            over, under = (told.loc[at, f"estimate_{arm}"] for arm in ARMS)
            value = (over / (1 - over) / (under / (1 - under))).round(DECIMALS)
            given = given / exact.loc[at, "estimate"]
        factor = (given / _combine_errors(known[at], estimand)).round(1).clip(lower=0.1)
        error = _combine_errors(told[at], estimand) * factor
        reach = normal_quantile() * error
        is_ratio = estimand.endswith("ratio")
        low, high = (
            (value * np.exp(-reach), value * np.exp(reach))
            if is_ratio
            else (value - reach, value + reach)
        )
        out.loc[at, "estimate"] = value
        out.loc[at, "se"] = two_digits(error * value if estimand == "odds_ratio" else error)
        out.loc[at, "ci_low"] = low.round(DECIMALS if is_ratio else 6)
        out.loc[at, "ci_high"] = high.round(DECIMALS if is_ratio else 6)
    _rebuild_tests(out, exact, has_arms)


def _rebuild_tests(out: pd.DataFrame, exact: pd.DataFrame, has_arms: pd.Series) -> None:
    """P-values of rebuilt differences; one adjusted for others is as many times the plain one."""
    tests = exact["estimand"].isin(["p_value", "p_value_holm"]) & has_arms
    if not tests.any():
        return
    gaps = out.loc[out["estimand"].eq("risk_difference"), [*FAMILY, "estimate", "se"]]
    plain = exact.loc[exact["estimand"].eq("p_value"), [*FAMILY, "estimate"]]
    rows = exact.loc[tests, FAMILY]
    gap = rows.merge(gaps, on=FAMILY, how="left").set_axis(rows.index)
    given = exact.loc[tests, "estimate"]
    alone = rows.merge(plain, on=FAMILY, how="left").set_axis(rows.index)["estimate"]
    times = (given / alone).round().where(given < 1, np.inf)
    value = pd.Series(2 * ndtr(-(gap["estimate"] / gap["se"]).abs()), rows.index) * times
    out.loc[tests, "estimate"] = value.clip(upper=1.0).round(DECIMALS)


def _add_arms(out: pd.DataFrame, exact: pd.DataFrame) -> None:
    """Counts of a comparison that are the sum of its arms' are the sum of the released ones."""
    every = pd.Series(True, exact.index)
    known, told = (_join_arms(frame, every, [*COUNTS]) for frame in (exact, out))
    is_arm = exact["estimand"].isin(OF_ARMS)
    for name in COUNTS:
        of_arms, released = (side[f"{name}_start"] + side[f"{name}_no_start"]
                             for side in (known, told))  # fmt: skip
        at = ~is_arm & of_arms.eq(exact[name]).fillna(False).astype(bool)
        out.loc[at, name] = released[at]


def _part_arms(out: pd.DataFrame, rules: Disclosure) -> None:
    """No counts of a comparison beside which an arm's tell that few are in the other alone.

    Where the arms have people in common: clones that neither strategy parts, or trials of many
    days, in which those alone never wait who start on the first.
    """
    told = _join_arms(out, pd.Series(True, out.index), [*COUNTS])
    is_whole = ~out["estimand"].str.contains("_start")
    for name in COUNTS:
        for arm in ARMS:
            alone = (out[name] - told[f"{name}_{arm}"]).astype(float)
            is_few = alone + rules.rounding - 1 < rules.threshold
            out.loc[is_whole & is_few, list(COUNTS)] = pd.NA


def _snap(
    out: pd.DataFrame,
    exact: pd.DataFrame,
    chosen: pd.Series,
    step: pd.Series,
    bounds: tuple[float, float],
) -> None:
    """Put an estimate on the nearest step, its interval's ends on the next ones outwards."""
    if not chosen.any():
        return
    step = step[chosen]
    for name, to_step in (("estimate", np.round), ("ci_low", np.floor), ("ci_high", np.ceil)):
        given = exact.loc[chosen, name]
        snapped = to_step((given / step).round(9)) * step
        value = snapped.clip(*bounds).round(6)
        out.loc[chosen, name] = value.where(step.notna(), given.round(DECIMALS))


def _recompute_contrasts(out: pd.DataFrame, is_difference: pd.Series) -> None:
    """A difference and a ratio follow from the released risks, so they add nothing to them."""
    arms = _join_arms(out, pd.Series(True, out.index), ["estimate"])
    start, no_start = arms["estimate_start"], arms["estimate_no_start"]
    has = start.notna() & no_start.notna()
    at = is_difference & has
    out.loc[at, "estimate"] = (start - no_start)[at].round(6)
    at = out["estimand"].eq("risk_ratio") & has & no_start.gt(0)
    out.loc[at, "estimate"] = (start[at] / no_start[at]).round(DECIMALS)


def _recompute_level_gaps(out: pd.DataFrame, contrasts: Sequence[pd.DataFrame]) -> None:
    """The difference of two levels (`contrasts`) follows from their released risks or shares.

    The interval of shares does too: from exact limits the counts behind them could be told.
    """
    names = ["estimate", "ci_low", "ci_high"]
    for kind, difference in (("cumulative_incidence", "risk_difference"),
                             ("share", "share_difference")):  # fmt: skip
        of_kind = out["estimand"].eq(difference).to_numpy()
        if not of_kind.any():
            continue
        known = out[out["estimand"].eq(kind)][[*FAMILY, *names]]
        over, under = (
            keys.merge(known, on=FAMILY, how="left")[names].to_numpy(dtype=float).T
            for keys in contrasts
        )
        at = of_kind & ~np.isnan(over[0] - under[0])
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


def _recompute_needed(out: pd.DataFrame) -> None:
    """Numbers needed to treat follow from the released differences and limits, and add nothing."""
    at = out["estimand"].eq("number_needed_to_treat")
    if not at.any():
        return
    gaps = out.loc[out["estimand"].eq("risk_difference"), [*FAMILY, *NUMBERS]]
    rows = out.loc[at, FAMILY].merge(gaps, on=FAMILY, how="left")
    needed = invert_difference(rows["estimate"], rows["se"], rows["ci_low"], rows["ci_high"])
    made = needed[[*NUMBERS, "status", "reason"]].set_axis(out.index[at])
    made = made[rows["estimate"].notna().to_numpy() & out.loc[at, "status"].eq(OK).to_numpy()]
    made[list(NUMBERS)] = made[list(NUMBERS)].round(DECIMALS)
    made["se"] = two_digits(made["se"])
    out.loc[made.index, list(made)] = made


def _recompute_e_values(out: pd.DataFrame) -> None:
    """E-values of a risk ratio follow from the released ratio and limits, and add nothing."""
    if not out["estimand"].isin(["e_value", "e_value_limit"]).any():
        return
    ratios = out[out["estimand"].eq("risk_ratio")]
    limits = ["estimate", "ci_low", "ci_high"]
    found = out[FAMILY].merge(ratios[[*FAMILY, *limits]], on=FAMILY, how="left")
    has = found["estimate"].notna().to_numpy()
    value = find_e_value(found["estimate"])
    limit = find_e_value_limit(found["ci_low"], found["ci_high"])
    for estimand, numbers in (("e_value", value), ("e_value_limit", limit)):
        at = out["estimand"].eq(estimand).to_numpy() & has
        out.loc[at, "estimate"] = np.round(numbers, DECIMALS)[at]


def _recompute_tipping_points(out: pd.DataFrame) -> None:
    """Tipping points follow from what is released of the main difference, and add nothing to it."""
    is_mine = out["analysis"].eq(TIPPING)
    if not is_mine.any():
        return
    main = out[out["analysis"].eq(read_facts("analysis", "follows")[TIPPING])]
    main = main[main["subgroup"].eq("") & ~main["outcome"].isin(OTHER_CAUSES[:1])]
    keys = ["question", "measure", "estimator", "time_days"]
    biases = out[is_mine & out["subgroup"].eq(COVARIATE)]
    strongest = biases["estimate"].abs().groupby([biases[name] for name in keys]).max()
    left, own = (main[main["outcome"].eq(OTHER_CAUSES[1]) == is_it] for is_it in (True, False))
    rows = own[own["estimand"].eq("risk_difference")].join(strongest.rename("strongest"), on=keys)
    for name, of, estimand in (("risk_start", own, "risk_start"),
                               ("lost_start", left, "risk_start"),
                               ("lost_no_start", left, "risk_no_start")):  # fmt: skip
        risks = of[of["estimand"].eq(estimand)].set_index(keys)["estimate"]
        rows = rows.join(risks.rename(name), on=keys)
    found = find_tipping_points(
        *(rows[name] for name in ("estimate", "ci_low", "ci_high", "risk_start", "strongest",
                                  "lost_start", "lost_no_start"))
    )  # fmt: skip
    for estimand, value in found.items():
        at = is_mine & out["estimand"].eq(estimand)
        told = rows[keys].assign(value=np.round(value, DECIMALS))
        mine = out.loc[at, keys].merge(told, on=keys, how="left")["value"].to_numpy()
        out.loc[at, "estimate"] = np.where(np.isnan(mine), out.loc[at, "estimate"], mine)


def two_digits(value: pd.Series) -> pd.Series:
    """Numbers to two digits, whatever their size."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(value.abs().where(value.abs() > 0)))
    scale = 10.0 ** (1 - size)
    return ((value * scale).round() / scale).where(size.notna(), value)
