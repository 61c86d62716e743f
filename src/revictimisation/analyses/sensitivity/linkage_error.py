"""Question 2, sensitivity: what links missed and links made wrongly do to the main differences.

A victim whose file with the social services was not found seems to have had none of its measures,
nor to have been assessed there, which leaves less to adjust for; one joined to somebody else's file
seems to have had that person's measures. Both blur the comparison. More of either is made, and how
the differences move is extrapolated back to none at all (simulation extrapolation,
`estimators.simulation_extrapolation`). Nobody is drawn for that: the study with one link in k
erring is k - 1 copies of it beside one in which all err, which is the mean over all whom it might
befall; drawn, a few replicates would move rare measures by chance more than by the error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found
from revictimisation.analyses.trial_inputs import build_trial
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Floats, Whole
from revictimisation.core.codes import OUTCOME
from revictimisation.core.results import OK, make_estimates
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.simulation_extrapolation import Extrapolated, extrapolate
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies

ANALYSIS = "linkage_error"
TRIAL, DIFFERENCE = "clone_censor_weight", "risk_difference"
SOURCE = "social_interventions"
LEAST_VICTIMS = 0.5

BY_ENTRY = ("entries", "covariates", "starts", "spells", "renewals")


@dataclass(frozen=True)
class Rate:
    """A share of links with 95 % limits; without any, all three are alike."""

    value: float
    low: float
    high: float


def estimate_linkage_error(data: StudyData, trials: Found) -> pd.DataFrame:
    """Each risk difference of the social services' measures as it would be without linkage error.

    `trials`: the study's results by `clone_censor_weight`, gates applied; what is not `ok` there is
    the same here. A row per measure and report day, analysis `linkage_error`; joint measures among
    them. The rates are the study file's (`linkage`), else those that `link` estimated; no rows
    where none are known or both are 0. A missed link is held to be as likely for all who have a
    file with the social services, a wrong one for all who have none: where it hangs on risk, this
    does not help. The interval holds the rates' own limits, where `link` gave any; not whether the
    curve that is extrapolated has the right form.
    """
    missed, false = find_rates(data)
    same = {"analysis": "main", "estimator": TRIAL, "estimand": DIFFERENCE}
    same |= {"outcome": data.plan.outcome.who, "subgroup": ""}
    main = trials.estimates
    rows = main[np.logical_and.reduce([main[name].eq(value) for name, value in same.items()])]
    names = list_affected(data)
    rows = rows[rows["measure"].isin(names)]
    if rows.empty or not (missed.high or false.high):
        return make_estimates([])
    parts = [
        _correct(data, names, str(measure), mine, missed, false)
        for measure, mine in rows.groupby("measure", sort=False)
    ]
    return make_estimates(pd.concat(parts, ignore_index=True), analysis=ANALYSIS)


def find_rates(data: StudyData) -> tuple[Rate, Rate]:
    """The shares of missed and of false links: told in the study file, else estimated by `link`."""
    rules = data.plan.linkage
    return (
        _find_rate(data, "missed_link_rate", rules.missed_link_rate),
        _find_rate(data, "false_link_rate", rules.false_link_rate),
    )


def _find_rate(data: StudyData, name: str, told: float | None) -> Rate:
    if told is not None:
        return Rate(told, told, told)
    value = float(data.linkage.get(name, 0.0))
    low, high = (float(data.linkage.get(f"{name}_{end}", value)) for end in ("low", "high"))
    return Rate(value, low, high)


def list_affected(data: StudyData) -> list[str]:
    """The study's measures that rest on the social services' files, in order, joint ones too."""
    decisions = data.decisions
    codes = set(decisions.loc[decisions["source"].eq(SOURCE), "code"])
    measures = data.plan.measures
    return [name for name, one in measures.items() if one.is_joint or codes & set(one.codes)]


def _correct(
    data: StudyData, names: list[str], measure: str, rows: pd.DataFrame, missed: Rate, false: Rate
) -> pd.DataFrame:
    days = [int(day) for day in rows["time_days"] if day <= data.plan.horizon_days]
    out = rows.copy()
    is_ok = rows["status"].eq(OK) & rows["time_days"].isin(days)
    changes = _list_changes(data, names, measure, missed, false) if is_ok.any() else []
    if not changes:
        return out
    try:
        first = _difference(data, measure, days)
        found = [
            (target, *_list_differences(data, changed, measure, days, first))
            for changed, target in changes
        ]
    except NotEstimableError as fault:
        lost = {"estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan, "se": np.nan}
        out.loc[is_ok, list(lost)] = np.nan
        return out.assign(status=rows["status"].mask(is_ok, "not_estimable"),
                          reason=rows["reason"].mask(is_ok, str(fault)))  # fmt: skip
    # the shares of links that err on trial
    amounts = (0.0, *sorted(1 / one for one in data.plan.linkage.error_one_in))
    for index, row in rows[is_ok].iterrows():
        place = days.index(int(row["time_days"]))
        moves = [_extrapolate(amounts, target, numbers[:, place], errors[:, place])
                 for target, numbers, errors in found]  # fmt: skip
        for name, value in _move(row, moves).items():
            out.loc[index, name] = value
    return out


def _list_changes(
    data: StudyData, names: list[str], measure: str, missed: Rate, false: Rate
) -> list[tuple[StudyData, Rate]]:
    """The study with every link erring, and how much of that must be undone, below 0.

    Of missed links, of the links that are left; of wrong ones, of the victims without a file. An
    error that befalls less than half a victim, even at its upper limit, is left alone.
    """
    found = []
    n_filed, n_without = count_files(data, names)
    if missed.high * n_filed >= LEAST_VICTIMS:
        found.append((drop_links(data, names), _undo_missed(missed)))
    if false.high * n_filed >= LEAST_VICTIMS and n_without:
        draws = np.random.default_rng(
            [data.plan.bootstrap.seed, data.plan.measure_names.index(measure)]
        )
        ratio = -n_filed / n_without
        undone = Rate(*(one * ratio for one in (false.value, false.low, false.high)))
        found.append((add_links(data, names, n_without / n_filed, draws), undone))
    return found


def _undo_missed(missed: Rate) -> Rate:
    """What must be undone of the links that are left to have all of them; half of them at most."""
    ends = (min(one, 0.5) for one in (missed.value, missed.low, missed.high))
    return Rate(*(-end / (1 - end) for end in ends))


def _extrapolate(
    amounts: tuple[float, ...], target: Rate, numbers: Floats, errors: Floats
) -> Extrapolated:
    """The move to no error; its noise is how it differs between the rate's two limits."""
    moves = [extrapolate(amounts, end, numbers[None], errors[None])
             for end in (target.value, target.low, target.high)]  # fmt: skip
    of_rate = (moves[2].move - moves[1].move) / (2 * normal_quantile())
    return replace(moves[0], noise=of_rate**2)


def _move(row: pd.Series, moves: list[Extrapolated]) -> dict[str, float]:
    """The row's number, error and interval after all moves, the interval normal."""
    estimate = float(row["estimate"]) + sum(move.move for move in moves)
    variance = float(row["se"]) ** 2 + sum(move.variance + move.noise for move in moves)
    se = float(np.sqrt(variance))
    reach = normal_quantile() * se
    return {"estimate": estimate, "se": se, "ci_low": max(-1.0, estimate - reach),
            "ci_high": min(1.0, estimate + reach)}  # fmt: skip


def _list_differences(
    data: StudyData,
    changed: StudyData,
    measure: str,
    days: list[int],
    first: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """Differences and their errors, amounts x days; `first` are those of the study as it is."""
    found = [first]
    for one_in in sorted(set(data.plan.linkage.error_one_in), reverse=True):
        mixed = mix([data] * (one_in - 1) + [changed])
        found.append(_difference(mixed, measure, days, one_in))
    return np.array([one[0] for one in found]), np.array([one[1] for one in found])


def mix(parts: list[StudyData]) -> StudyData:
    """Several versions of one study below each other: what erring in one of so many gives, on
    average over whom it befalls. The entries are numbered on; the victims are the same ones.
    """
    n = len(parts[0].entries)

    def stack(name: str) -> pd.DataFrame:
        tables = [getattr(part, name) for part in parts]
        if "entry_id" not in tables[0]:
            return tables[0]
        moved = [table.assign(entry_id=table["entry_id"] + n * at)
                 for at, table in enumerate(tables)]  # fmt: skip
        return pd.concat(moved, ignore_index=True)

    stacked: dict[str, Any] = {name: stack(name) for name in BY_ENTRY}
    return replace(parts[0], **stacked)


def _difference(
    data: StudyData, measure: str, days: list[int], n_copies: int = 1
) -> tuple[Floats, Floats]:
    entries = data.entries
    stop, cause = entries["stop_day"].to_numpy(), entries["cause"].to_numpy()
    trial = build_trial(data, measure, stop, cause, n_copies=n_copies)
    weighted = weigh_clones(trial, grace_law=data.plan.weights.grace_law)
    table = estimate_strategies(weighted, days)
    is_it = table["cause"].eq(OUTCOME) & table["estimand"].eq(DIFFERENCE)
    mine = table[is_it].set_index("time_days").reindex(days)
    return mine["estimate"].to_numpy(float), mine["se"].to_numpy(float)


def drop_links(
    data: StudyData,
    names: list[str],
    share: float = 1.0,
    draws: np.random.Generator | None = None,
) -> StudyData:
    """The study as if a share of the victims' files with the social services had not been found.

    The share of 1 is all of them; of less, `draws` chooses. With a file its risk assessments go.
    """
    clusters = np.unique(data.entries["cluster_id"].to_numpy())
    lost = clusters if draws is None else clusters[draws.random(len(clusters)) < share]
    gone = data.entries.loc[data.entries["cluster_id"].isin(lost), "entry_id"]

    def keep(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[~(rows["measure"].isin(names) & rows["entry_id"].isin(gone))]

    left = replace(data, starts=keep(data.starts), spells=keep(data.spells))
    return _drop_assessments(left, gone) if len(data.police_levels) else left


def _drop_assessments(data: StudyData, gone: pd.Series) -> StudyData:
    """Risk levels of these entries as the police alone know them."""
    covariates, renewals = data.covariates, data.renewals
    levels = data.police_levels.set_index("entry_id")["risk_level"]
    ids = covariates["entry_id"]
    known = ids.map(levels).where(ids.isin(gone), covariates["risk_level"])
    return replace(
        data,
        covariates=covariates.assign(risk_level=known),
        renewals=pd.concat(
            [renewals[~renewals["entry_id"].isin(gone)],
             data.police_renewals[data.police_renewals["entry_id"].isin(gone)]],
            ignore_index=True,
        ).sort_values(["entry_id", "day"], kind="stable", ignore_index=True),
    )  # fmt: skip


def count_files(data: StudyData, names: list[str]) -> tuple[int, int]:
    """How many victims of the cohort have a file with the social services, and how many have none.

    A file is seen where it holds a measure of the study's.
    """
    filed, without = _split_files(data, names)[1:]
    return len(filed), len(without)


def _split_files(data: StudyData, names: list[str]) -> tuple[Whole, set[int], Whole]:
    """Entries with measures of the files; victims with a file; an entry of each victim without."""
    has_file = data.starts.loc[data.starts["measure"].isin(names), "entry_id"].unique()
    cluster = data.entries.set_index("entry_id")["cluster_id"]
    filed = set(cluster.reindex(has_file))
    without = cluster[~cluster.isin(filed)].drop_duplicates().index.to_numpy()
    return np.sort(has_file), filed, without


def add_links(
    data: StudyData, names: list[str], share: float, draws: np.random.Generator
) -> StudyData:
    """The study as if so many victims without a file, as a share of those who have one, had been
    joined to somebody else's: one entry of theirs gets what another entry had, each equally often.
    """
    has_file, filed, without = _split_files(data, names)
    n_wrong = min(round(share * len(filed)), len(without))
    to = draws.permutation(without)[:n_wrong]
    given = pd.DataFrame({"entry_id": np.resize(draws.permutation(has_file), n_wrong), "to": to})

    def copy(rows: pd.DataFrame) -> pd.DataFrame:
        foreign = rows[rows["measure"].isin(names)].merge(given, on="entry_id")
        foreign = foreign.assign(entry_id=foreign["to"]).drop(columns="to")
        return pd.concat([rows, foreign], ignore_index=True)

    return replace(data, starts=copy(data.starts), spells=copy(data.spells))
