"""Disclosure control: the one last function that every number passes before anyone reads it.

Restricted tables hold exact numbers and never leave the secure room. What is released has small
cells suppressed (a status and a null, never a 0), their complements too, and all counts rounded;
risks and shares move in steps of the rounding, so that no count can be worked out from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.errors import DisclosureError
from revictimisation.core.packing import (
    AFTER_SHELTER,
    PER_PROTOCOL,
    SEQUENTIAL,
    STRATEGIES,
    SUSTAINED,
    find_level,
    unpack_check,
)
from revictimisation.core.results import (
    COLUMNS,
    COUNTS,
    KEPT_BACK,
    KEYS,
    NUMBERS,
    OK,
    SUPPRESSED,
)
from revictimisation.disclosure.bounds import Flags
from revictimisation.disclosure.kinds import (
    COUNT_LIKE,
    FAMILY,
    NOT_OF_PEOPLE,
    OF_FOLLOWED,
    OF_PART,
    is_grouped_by,
    name_kind,
    name_origin,
    read_facts,
    refuse_unknown,
    split_contrasts,
)
from revictimisation.disclosure.rounding import (
    ARMS,
    DECIMALS,
    release_numbers,
    round_counts,
    two_digits,
)
from revictimisation.disclosure.steps import find_short_steps
from revictimisation.disclosure.tables import (
    System,
    build_cells,
    build_system,
    find_complements,
    hide_in_chain,
)
from revictimisation.disclosure.texts import BETWEEN
from revictimisation.plan import Disclosure

PLACES = ("police_district", "municipality_group", "municipality_code")
CURVES = ("curve", "first_start", "ladder_curve")
# Why something is hidden: one word for all, as which of two is the small one would tell much of it.
SMALL = "small_number"
CAUSES = ("small", "short_step", "complement", "difference")
# Reasons that tell of none or all in a group: few, to those outside.
OF_EVENTS = {"no_events": "too_few_events", "no_events_in_a_group": "too_few_events",
             "no_events_while_exposed": "too_few_events",
             "nothing_but_events": "too_few_events"}  # fmt: skip
OF_PEOPLE = {"nobody_exposed": "few_exposed_victims", "nobody_started": "few_exposed_victims",
             "everybody_started": "few_exposed_victims",
             "everybody_always_exposed": "few_exposed_victims"}  # fmt: skip
# Detectable differences: of which effect, found how, each is the error times a number.
DETECTED = {"minimum_detectable_difference": "risk_difference",
            "minimum_detectable_count_difference": "mean_count_difference"}  # fmt: skip
DETECTED_IN = ("main", "contrast", STRATEGIES, SEQUENTIAL, AFTER_SHELTER, PER_PROTOCOL, SUSTAINED)
DETECTED_BY = ("clone_censor_weight", "mean_cumulative_count", "sequential_trial")
WEIGHTED = "share_weighted"
ARM_OF = {name: arm for arm, names in ARMS.items() for name in names}
# Analyses of the same levels whose checks are told apart by their own name.
BY_NAME = (SEQUENTIAL, PER_PROTOCOL)


def disclose_estimates(
    estimates: pd.DataFrame,
    rules: Disclosure,
    classes: Mapping[str, str],
    places: Collection[str] = PLACES,
    never: Collection[str] = (),
    before: pd.Series | None = None,
) -> pd.DataFrame:
    """Make the releasable form of `estimates`: the same rows in the same order.

    `classes` gives a measure's disclosure class: `never` (always suppressed), `no_place` (never by
    district or municipality: the subgroups `places`), `open`; `never`: subgroups that are none. A
    cell is suppressed when its people, its events or its people without an event are fewer than the
    threshold, none of them or all included; a mean count also where the risk beside it is, as a few
    people may have many events; means and medians of fewer than twice as many. With it goes all
    that other estimands, estimators and analyses tell of the same outcome in the same people. Then
    days of a curve between which too few events lie (`steps`), and what the others would follow
    from (`tables`). A row without a released number has no counts either. `before`: rows that would
    tell of few people beside an earlier release; they are suppressed as small ones are.
    Raises `DisclosureError` for columns, analyses and estimands it does not know.
    """
    if tuple(estimates.columns) != COLUMNS:
        raise DisclosureError("estimates has columns that disclosure control does not know.")
    known = read_facts("analysis", "follows")
    refuse_unknown(estimates.loc[~estimates["analysis"].isin([*known]), "analysis"], "analysis")
    frame = estimates.copy()
    is_kept_back = find_kept_back(frame, classes, places, never)
    hidden = find_hidden(frame, rules, is_kept_back, before).ne("")
    released = release_numbers(frame, rules)
    released.loc[hidden, ["status", "reason"]] = [SUPPRESSED, SMALL]
    released.loc[is_kept_back, ["status", "reason"]] = [SUPPRESSED, KEPT_BACK]
    released.loc[released["status"].ne(OK), [*NUMBERS, *COUNTS]] = pd.NA
    told = released["reason"].replace(OF_EVENTS)
    released["reason"] = told.mask(frame["level"].ne(""), told.replace(OF_PEOPLE))
    return released


def find_hidden(
    frame: pd.DataFrame,
    rules: Disclosure,
    is_kept_back: pd.Series,
    before: pd.Series | None = None,
) -> pd.Series:
    """Why each row of status `ok` may not be shown: a word of `CAUSES`; empty: it may.

    The word is for the data's keepers alone: which of two is the small one tells much of it.
    """
    is_ok = frame["status"].eq(OK)
    kind = name_kind(frame["estimand"], "estimand")
    is_of_people = ~kind.isin(NOT_OF_PEOPLE).to_numpy()
    cells = build_cells(frame)
    told = pd.Series(False, frame.index) if before is None else before
    small = (_is_small(frame, rules) | is_kept_back | is_small_cohort(frame, rules) | told) & is_ok
    few = np.bincount(cells.site, small, cells.n_sites) > 0
    may_show = is_ok.to_numpy() & ~few[cells.site]
    short = find_short_steps(
        cells,
        may_show & (kind.isin(COUNT_LIKE) | frame["estimand"].isin(OF_FOLLOWED)).to_numpy(),
        frame["analysis"].isin(CURVES).to_numpy(),
        (frame["measure"].ne("") & frame["subgroup"].eq("")).to_numpy(),
        rules.threshold,
    )
    contrasts = split_contrasts(frame)
    is_level = contrasts[0]["level"].isna().to_numpy()
    system = build_system(cells, is_level, is_of_people)
    sensitive = _find_sensitive(system, short, is_of_people, rules)
    sensitive[cells.events[(cells.events >= 0) & told.to_numpy()]] = True
    hidden = find_complements(system, is_ok.to_numpy() & is_level, few | short, sensitive, rules)
    found = pd.Series(np.select([few, short, hidden], CAUSES[:3], "")[cells.site], frame.index)
    beside = _of_hidden_levels(frame, found.ne(""), contrasts) | _is_nearly_main(frame, rules)
    found = found.mask(found.eq("") & beside, CAUSES[3])
    return found.where(is_ok, "")


def _find_sensitive(system: System, short: Flags, is_of_people: Flags, rules: Disclosure) -> Flags:
    """The variables that may not follow: few people or events, few without, a step of few."""
    cells, value = system.cells, system.value
    sensitive = value < rules.threshold
    has = (cells.events >= 0) & (cells.people >= 0) & is_of_people
    rest = value[cells.people] - value[cells.events]
    sensitive[cells.events[has & ((rest < rules.threshold) | short[cells.site])]] = True
    return sensitive


def is_small_cohort(frame: pd.DataFrame, rules: Disclosure) -> bool:
    """Whether fewer are followed than in a study of which anything is released."""
    of_study = frame["subgroup"].eq("") & frame["question"].isin(["q1", "q2"])
    n_people = frame.loc[of_study, "n_people"].max()
    return bool(not pd.isna(n_people) and n_people < rules.smallest_cohort)


def find_kept_back(
    frame: pd.DataFrame,
    classes: Mapping[str, str],
    places: Collection[str],
    never: Collection[str],
) -> pd.Series:
    """The rows that tell what is never told, whatever the number: see `disclose_estimates`.

    A row tells of its measure, and of the measures that its level is made of.
    """

    def is_told(kind: str) -> pd.Series:
        codes = {code for code, known in classes.items() if known == kind}
        levels = {text: not codes.isdisjoint([text, *BETWEEN.split(text)])
                  for text in frame["level"].unique()}  # fmt: skip
        return frame["measure"].isin(codes) | frame["level"].map(levels).astype(bool)

    by_place = is_told("no_place") & is_grouped_by(frame["subgroup"], places)
    return is_told("never") | by_place | is_grouped_by(frame["subgroup"], never)


def _is_few(count: pd.Series, rules: Disclosure) -> pd.Series:
    return count.between(1, rules.threshold - 1).fillna(False).astype(bool)


def _is_small(frame: pd.DataFrame, rules: Disclosure) -> pd.Series:
    people, events = frame["n_people"], frame["n_events"]
    kind = name_kind(frame["estimand"], "estimand")
    none_or_all = (events.eq(0) | events.eq(people)).fillna(False) & kind.isin(COUNT_LIKE)
    rest = _is_few(people - events, rules) & ~kind.isin(NOT_OF_PEOPLE)
    of_spells = kind.eq("days") & frame["estimator"].eq("description")
    few_spells = of_spells & events.lt(2 * rules.threshold).fillna(True)
    found = _is_few(people, rules) | _is_few(events, rules) | rest | none_or_all | few_spells
    return _add_mean_counts(frame, found.astype(bool))


def _add_mean_counts(frame: pd.DataFrame, is_small: pd.Series) -> pd.Series:
    """Mean counts beside whom a risk is small: few people may have many outcomes."""
    names = [key for key in KEYS if key != "estimator"]
    risks = {name: risk for name, risk in read_facts("estimand", "risk_beside").items() if risk}
    if not frame["estimand"].isin(list(risks)).any():
        return is_small
    is_risk = is_small & frame["estimand"].isin(list(risks.values()))
    small = pd.MultiIndex.from_frame(frame.loc[is_risk, names])
    beside = frame[names].assign(estimand=frame["estimand"].map(risks).fillna(""))
    return is_small | pd.MultiIndex.from_frame(beside).isin(small)


def _is_nearly_main(frame: pd.DataFrame, rules: Disclosure) -> pd.Series:
    """Rows of a part of the people who are nearly all of them: those who are not would be told."""
    keys, is_part = [key for key in KEYS if key != "analysis"], frame["analysis"].isin(OF_PART)
    main = frame.loc[frame["analysis"].eq("main"), [*keys, *COUNTS]]
    both = frame.loc[is_part, [*keys, *COUNTS]].merge(main, on=keys, how="left",
                                                      suffixes=("", "_main"))  # fmt: skip
    few = np.zeros(len(both), bool)
    for name in COUNTS:
        apart = (both[f"{name}_main"] - both[name]).abs().to_numpy(float, na_value=np.nan)
        few |= apart < rules.threshold
    found = pd.Series(False, frame.index)
    found.loc[is_part] = few
    return found


def _of_hidden_levels(
    frame: pd.DataFrame, hidden: pd.Series, contrasts: Sequence[pd.DataFrame]
) -> pd.Series:
    """Differences of which a level is hidden: with the other level they would tell it."""
    if not hidden.any() or contrasts[0]["level"].isna().all():
        return pd.Series(False, frame.index)

    def to_index(keys: pd.DataFrame) -> pd.MultiIndex:
        return pd.MultiIndex.from_frame(keys.assign(analysis=name_origin(keys["analysis"])))

    gone = to_index(frame.loc[hidden, FAMILY])
    found = [to_index(keys).isin(gone) for keys in contrasts]
    return pd.Series((found[0] | found[1]) & frame["level"].ne(""), index=frame.index)


def disclose_attrition(
    attrition: pd.DataFrame, rules: Disclosure, *, is_small_study: bool = False
) -> pd.DataFrame:
    """Make the releasable form of `attrition`: counts rounded, small ones null and `suppressed`.

    A row that drops few tells nothing, nor does one from which it would follow; none does where the
    study itself is too small.
    """
    out = attrition.copy()
    left, dropped = (attrition[name].to_numpy(float) for name in ("n_reports", "n_dropped"))
    is_first = attrition["step"].ne(attrition["step"].shift()).to_numpy()
    hidden = hide_in_chain(left, dropped, is_first, rules) | is_small_study
    is_small = pd.Series(hidden, index=out.index)
    for name in ("n_people", "n_reports", "n_dropped"):
        few = _is_few(attrition[name], rules)
        out[name] = round_counts(attrition[name], rules.rounding).mask(few | hidden)
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
    people = round_counts(n_people.astype("Int64"), rules.rounding).astype(float)
    step = (rules.rounding / people.where(people > 0)).clip(0.01, 1.0)
    return ((value / step).round() * step).clip(0.0, 1.0).round(6)


def disclose_diagnostics(
    diagnostics: pd.DataFrame,
    rules: Disclosure,
    exact: pd.DataFrame,
    released: pd.DataFrame,
) -> pd.DataFrame:
    """Make the releasable form of `diagnostics`: each check as its kind in the dictionary allows.

    `count`: rounded, null where fewer than the threshold. `share`: in steps of `rounding` people,
    null where it is of fewer than the threshold or of nobody knows how many.
    `statistic`, `detectable`: two digits. `rate`: of links, to a tenth of a per cent. `extreme`: of
    one person, never. `plain`: of a model, not of people, as it is. A level's check is null where
    that of another level of the grouping is, and whatever lies behind an effect that `released`
    suppresses; a detectable difference unless the effect is shown, whose error it tells.
    `exact`, `released`: `estimates` before and after disclosure control.
    """
    out = diagnostics.copy()
    checks = [unpack_check(text) for text in out["check"]]
    levels = [find_level(*one) for one in zip(checks, out["analysis"], strict=True)]
    name = pd.Series([check.name for check in checks], index=out.index, dtype=object)
    named = pd.DataFrame(
        {
            "measure": out["measure"],
            "own": out["analysis"].where(out["analysis"].isin(BY_NAME), ""),
            "name": name,
            "estimand": name.map(DETECTED).fillna(""),
            "subgroup": [group for group, _ in levels],
            "level": [level for _, level in levels],
            "arm": [check.arm for check in checks],
            "family": [check.family for check in checks],
            "time_days": pd.array([check.day for check in checks], dtype="Int64"),
        },
        index=out.index,
    )
    kind = name_kind(named["name"], "check")
    n_people = _count_people(named, out["analysis"], exact)
    few = kind.eq("count") & out["value"].lt(rules.threshold)
    gone = kind.eq("extreme") | (kind.eq("share") & ~n_people.ge(rules.threshold))
    family = [out["analysis"], out["measure"], named["family"]]
    of_levels = few.groupby(family, dropna=False).transform("any").astype(bool)
    gone |= few | (of_levels & named["level"].ne(""))
    gone |= _is_behind_hidden(named, kind, released) | is_small_cohort(exact, rules)
    value = out["value"]
    rounded = np.floor(value / rules.rounding + 0.5) * rules.rounding
    value = value.mask(kind.eq("count"), rounded)
    value = value.mask(kind.eq("share"), _round_shares(value, n_people, rules))
    value = value.mask(kind.isin(["statistic", "detectable"]), two_digits(value))
    out["value"] = value.mask(gone)
    _round_rates(out, kind)
    out.loc[gone & out["status"].eq(OK), "status"] = SUPPRESSED
    return out


def _is_behind_hidden(named: pd.DataFrame, kind: pd.Series, released: pd.DataFrame) -> pd.Series:
    """Checks behind an effect that is suppressed; detectable differences unless theirs is shown.

    A check of no day is behind the effects of all days: it is hidden where none of them is shown.
    Nothing is behind the effects on death and emigration, which have no checks of their own.
    """
    keys, at = ["measure", "subgroup", "level"], ["measure", "subgroup", "level", "time_days"]
    is_effect = released["estimand"].isin(list(DETECTED.values()))
    is_effect |= released["analysis"].eq(STRATEGIES)
    effects = released[is_effect & ~released["outcome"].isin(OTHER_CAUSES)]
    effects = effects.assign(own=effects["analysis"].where(effects["analysis"].isin(BY_NAME), ""))
    status = effects["status"]

    def is_among(names: list[str], chosen: pd.Series) -> pd.Series:
        if not chosen.any():
            return pd.Series(False, named.index)
        wanted = pd.MultiIndex.from_frame(effects.loc[chosen, names])
        return pd.Series(pd.MultiIndex.from_frame(named[names]).isin(wanted), index=named.index)

    is_dayless = named["time_days"].isna()
    unseen = is_among(keys, status.eq(SUPPRESSED)) & ~is_among(keys, status.eq(OK))
    behind = is_among(at, status.eq(SUPPRESSED)) | (is_dayless & unseen)
    is_own = effects["analysis"].isin(DETECTED_IN) & effects["estimator"].isin(DETECTED_BY)
    told = is_among([*at, "estimand", "own"], is_own & status.eq(OK))
    is_kept = released["reason"].eq(KEPT_BACK)
    all_kept = is_kept.groupby([released[name] for name in keys[:2]]).transform("all")
    kept_back = pd.Series(False, named.index)
    for names, chosen in (keys, is_kept), (keys[:2], all_kept):
        kept = pd.MultiIndex.from_frame(released.loc[chosen, names])
        kept_back |= pd.MultiIndex.from_frame(named[names]).isin(kept)
    return behind.mask(kind.eq("detectable"), ~told) | kept_back


def _count_people(named: pd.DataFrame, analyses: pd.Series, exact: pd.DataFrame) -> pd.Series:
    """The people that each check's share is of, by the shares of its measure that they are in.

    Those of its own analysis, else the fewest that any tells: with fewer people steps are coarser.
    Shares of an arm's weights are of all in the arm: of these or of the level, if they are fewer.
    """
    is_share = exact["estimand"].map(read_facts("estimand", "kind")).isin(["share", "difference"])
    shares = exact[is_share].assign(arm=exact["estimand"].map(ARM_OF).fillna(""))

    def find_people(rows: pd.DataFrame) -> pd.Series:
        keys, found = list(rows), pd.Series(np.nan, rows.index)
        for by, asked in (["analysis", *keys], rows.assign(analysis=analyses)), (keys, rows):
            known = shares.groupby(by, as_index=False)["n_people"].min()
            told = asked[by].merge(known, on=by, how="left")["n_people"].astype(float)
            found = found.fillna(told.set_axis(rows.index))
        return found

    rows = named[["measure", "subgroup", "level"]]
    of_level = find_people(rows.assign(arm=""))
    of_arm = find_people(rows.assign(subgroup="", level="", arm=named["arm"]))
    fewest = pd.Series(np.minimum(of_level, of_arm), rows.index)
    return of_level.mask(named["name"].eq(WEIGHTED), fewest)
