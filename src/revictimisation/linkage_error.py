"""Question 2, sensitivity: what links missed and links made wrongly do to the main differences.

A victim whose file with the social services was not found seems to have had none of its measures;
one joined to somebody else's file seems to have had that person's. Both blur the comparison. More
of either is made at random, and how the differences move is extrapolated back to none at all
(simulation extrapolation, `estimators.simulation_extrapolation`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.codes import OUTCOME
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.simulation_extrapolation import Extrapolated, extrapolate
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.results import OK, make_estimates
from revictimisation.trial_inputs import build_trial

ANALYSIS = "linkage_error"
TRIAL, DIFFERENCE = "clone_censor_weight", "risk_difference"
SOURCE = "social_interventions"

Floats = npt.NDArray[np.float64]
Change = Callable[[StudyData, list[str], float, np.random.Generator], StudyData]


def estimate_linkage_error(data: StudyData, main: pd.DataFrame) -> pd.DataFrame:
    """Each risk difference of the social services' measures as it would be without linkage error.

    `main`: the study's results by `clone_censor_weight`, gates applied; what is not `ok` there is
    the same here. A row per measure and report day, analysis `linkage_error`; joint measures among
    them. The rates are the study file's (`linkage`), else those that `link` estimated; no rows
    where none are known or both are 0. A missed link is held to be as likely for all who have a
    file with the social services, a wrong one for all who have none: where it hangs on risk, this
    does not help. The interval holds the uncertainty of the extrapolation, not of the rates.
    """
    missed, false = find_rates(data)
    same = {"analysis": "main", "estimator": TRIAL, "estimand": DIFFERENCE}
    same["outcome"] = data.plan.outcome.who
    rows = main[np.logical_and.reduce([main[name].eq(value) for name, value in same.items()])]
    names = list_affected(data)
    rows = rows[rows["measure"].isin(names)]
    if rows.empty or not (missed or false):
        return make_estimates([])
    parts = [
        _correct(data, names, str(measure), mine, missed, false)
        for measure, mine in rows.groupby("measure", sort=False)
    ]
    return make_estimates(pd.concat(parts, ignore_index=True), analysis=ANALYSIS)


def find_rates(data: StudyData) -> tuple[float, float]:
    """The shares of missed and of false links: told in the study file, else estimated by `link`."""
    rules = data.plan.linkage
    told = (rules.missed_link_rate, rules.false_link_rate)
    known = (data.linkage.get(name, 0.0) for name in ("missed_link_rate", "false_link_rate"))
    missed, false = (
        float(found if one is None else one) for one, found in zip(told, known, strict=True)
    )
    return missed, false


def list_affected(data: StudyData) -> list[str]:
    """The study's measures that rest on the social services' files, in order, joint ones too."""
    decisions = data.decisions
    codes = set(decisions.loc[decisions["source"].eq(SOURCE), "code"])
    measures = data.plan.measures
    return [name for name, one in measures.items() if one.is_joint or codes & set(one.codes)]


def _correct(
    data: StudyData, names: list[str], measure: str, rows: pd.DataFrame, missed: float, false: float
) -> pd.DataFrame:
    days = [int(day) for day in rows["time_days"] if day <= data.plan.horizon_days]
    rules = data.plan.linkage
    # what is left of the links after missing some, and what must be undone to have all of them
    todo: list[tuple[Change, float]] = []
    todo += [(drop_links, -missed / (1 - missed))] if 0 < missed < 1 else []
    todo += [(add_links, -false)] if false > 0 else []
    shares = (0.0, *rules.error_shares)
    out = rows.copy()
    is_ok = rows["status"].eq(OK) & rows["time_days"].isin(days)
    if not is_ok.any():
        return out
    try:
        found = [
            (target, *_simulate(data, names, measure, change, shares, days))
            for change, target in todo
        ]
    except NotEstimableError as fault:
        lost = {"estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan, "se": np.nan}
        out.loc[is_ok, list(lost)] = np.nan
        return out.assign(status=rows["status"].mask(is_ok, "not_estimable"),
                          reason=rows["reason"].mask(is_ok, str(fault)))  # fmt: skip
    for index, row in rows[is_ok].iterrows():
        place = days.index(int(row["time_days"]))
        moves = [extrapolate(shares, target, numbers[:, :, place], errors[:, :, place])
                 for target, numbers, errors in found]  # fmt: skip
        for name, value in _move(row, moves).items():
            out.loc[index, name] = value
    return out


def _move(row: pd.Series, moves: list[Extrapolated]) -> dict[str, float]:
    """The row's number, error and interval after all moves, the interval normal."""
    estimate = float(row["estimate"]) + sum(one.move for one in moves)
    variance = float(row["se"]) ** 2 + sum(one.variance + one.noise for one in moves)
    se = float(np.sqrt(variance))
    reach = normal_quantile() * se
    return {"estimate": estimate, "se": se, "ci_low": max(-1.0, estimate - reach),
            "ci_high": min(1.0, estimate + reach)}  # fmt: skip


def _simulate(
    data: StudyData,
    names: list[str],
    measure: str,
    change: Change,
    shares: tuple[float, ...],
    days: list[int],
) -> tuple[Floats, Floats]:
    """Differences and their errors, replicates x shares x days; the first share is 0."""
    n_replicates = data.plan.linkage.error_replicates
    numbers = np.empty((n_replicates, len(shares), len(days)))
    errors = np.empty_like(numbers)
    numbers[:, 0], errors[:, 0] = _difference(data, measure, days)
    place = data.plan.measure_names.index(measure)
    for number in range(n_replicates):
        # the same victims in all shares, the more the larger it is: less noise between them
        for at, share in enumerate(shares[1:], start=1):
            draws = np.random.default_rng([data.plan.bootstrap.seed, place, number])
            changed = change(data, names, share, draws)
            numbers[number, at], errors[number, at] = _difference(changed, measure, days)
    return numbers, errors


def _difference(data: StudyData, measure: str, days: list[int]) -> tuple[Floats, Floats]:
    entries = data.entries
    trial = build_trial(data, measure, entries["stop_day"].to_numpy(), entries["cause"].to_numpy())
    weighted = weigh_clones(trial, grace_law=data.plan.weights.grace_law)
    table = estimate_strategies(weighted, days)
    is_it = table["cause"].eq(OUTCOME) & table["estimand"].eq(DIFFERENCE)
    mine = table[is_it].set_index("time_days").reindex(days)
    return mine["estimate"].to_numpy(float), mine["se"].to_numpy(float)


def drop_links(
    data: StudyData, names: list[str], share: float, draws: np.random.Generator
) -> StudyData:
    """The study as if a share of the victims' files with the social services had not been found."""
    clusters = np.unique(data.entries["cluster_id"].to_numpy())
    lost = set(clusters[draws.random(len(clusters)) < share])
    gone = data.entries.loc[data.entries["cluster_id"].isin(lost), "entry_id"]

    def keep(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[~(rows["measure"].isin(names) & rows["entry_id"].isin(gone))]

    return replace(data, starts=keep(data.starts), spells=keep(data.spells))


def add_links(
    data: StudyData, names: list[str], share: float, draws: np.random.Generator
) -> StudyData:
    """The study as if so many victims without a file, as a share of those who have one, had been
    joined to somebody else's: one entry of theirs gets what another entry had.
    """
    has_file = data.starts.loc[data.starts["measure"].isin(names), "entry_id"].unique()
    cluster = data.entries.set_index("entry_id")["cluster_id"]
    filed = set(cluster.reindex(has_file))
    without = cluster[~cluster.isin(filed)].drop_duplicates().index.to_numpy()
    n_wrong = min(round(share * len(filed)), len(without), len(has_file))
    to = draws.permutation(without)[:n_wrong]
    given = pd.DataFrame({"entry_id": draws.permutation(np.sort(has_file))[:n_wrong], "to": to})

    def copy(rows: pd.DataFrame) -> pd.DataFrame:
        foreign = rows[rows["measure"].isin(names)].merge(given, on="entry_id")
        foreign = foreign.assign(entry_id=foreign["to"]).drop(columns="to")
        return pd.concat([rows, foreign], ignore_index=True)

    return replace(data, starts=copy(data.starts), spells=copy(data.spells))
