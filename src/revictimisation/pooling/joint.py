"""What several counties say together, from the files that they shared: the table `pooled`.

Each released effect is pooled by itself (`estimators/random_effects.py`), on the scale on which it
is normal; hazard ratios of all measures also in one Cox model of all counties
(`estimators/cox_moments.py`). Nothing but what the files hold is read. Counties that may not tell
an effect have few who had the outcome with the measure, which is no chance; where those who may
have a smaller share of all people than `gates.pooled_share` (the strictest of the files'), what
they say together is withheld.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.core.errors import UsageError
from revictimisation.core.results import NOT_ESTIMABLE, OK, WITHHELD
from revictimisation.disclosure.hazard_ratios import CORRELATION_DECIMALS, read_moments
from revictimisation.disclosure.rounding import DECIMALS
from revictimisation.estimators.cox_moments import Moments, PooledCox, pool_moments
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.random_effects import leave_one_out, pool_estimates
from revictimisation.plan import Gates
from revictimisation.pooling.shared_file import Shared
from revictimisation.pooling.shared_tables import QUESTION

KEYS = ("measure", "outcome", "estimator", "estimand", "time_days")
COLUMNS = (
    *KEYS, "method", "place", "estimate", "ci_low", "ci_high", "se", "weight", "n_places",
    "n_people", "n_events", "status", "reason",
)  # fmt: skip
RATIO, LOG_RATIO, INCIDENCE = "hazard_ratio", "log_hazard_ratio", "cumulative_incidence"
COX = {"estimator": "cox_time_varying", "estimand": LOG_RATIO}
# Estimands pooled, and whether on the scale of log odds: risks lie between 0 and 1.
POOLED = {LOG_RATIO: False, "risk_difference": False, INCIDENCE: True}
ALONE, FEW_TELL = "one_place", "few_tell"
NUMBERS = ("estimate", "ci_low", "ci_high", "se")
DRAWS, SEED = 200, 1  # of what rounding may have hidden
Row = dict[str, Any]


def pool_shared(shared: Sequence[Shared]) -> pd.DataFrame:
    """The table `pooled`: a row per number, every county's own beside the joint ones.

    Raises:
        UsageError: two files of one run or one name, or files that ask different questions.
    """
    check_alike(shared)
    effects = gather_effects(shared)
    rows: list[Row] = []
    for key, part in effects.groupby(list(KEYS), sort=False, dropna=False):
        same = dict(zip(KEYS, key, strict=True))
        if same["estimand"] in POOLED:
            rows += pool_effect(part, same, is_odds=POOLED[same["estimand"]])
    rows += pool_hazards(shared, effects)
    table = withhold_selected(pd.DataFrame(rows, columns=list(COLUMNS)), shared)
    table = pd.concat([table, _raise_ratios(table)], ignore_index=True)
    counts = ["time_days", "n_places", "n_people", "n_events"]
    table[counts] = table[counts].apply(pd.to_numeric).astype("Int64")
    numbers = ["estimate", "ci_low", "ci_high", "se", "weight"]
    table[numbers] = table[numbers].astype(float)
    return table.fillna({"place": "", "reason": "", "status": OK})


def withhold_selected(table: pd.DataFrame, shared: Sequence[Shared]) -> pd.DataFrame:
    """Withhold what counties say together where too few of their people are of those that tell."""
    out, limit = table.copy(), find_limit(shared)
    is_joint = out["method"].ne("place").to_numpy()
    for places in out.groupby(list(KEYS), sort=False, dropna=False).indices.values():
        mine = out.iloc[places]
        measure = str(mine["measure"].iloc[0])
        telling = mine.loc[mine["method"].eq("place") & mine["status"].eq(OK), "place"]
        if find_told_share(shared, measure, {*telling}) < limit:
            chosen = places[is_joint[places] & mine["status"].ne(NOT_ESTIMABLE).to_numpy()]
            rows = out.index[chosen]
            out.loc[rows, [*NUMBERS, "weight"]] = np.nan
            out.loc[rows, "status"], out.loc[rows, "reason"] = WITHHELD, FEW_TELL
    return out


def find_limit(shared: Sequence[Shared]) -> float:
    """The strictest of the counties' limits; of a file that says none, the default."""
    usual = Gates().pooled_share
    return max(float(one.about.get("pooled_share", usual)) for one in shared)


def find_told_share(shared: Sequence[Shared], measure: str, telling: Collection[str]) -> float:
    """The share of all who are followed in counties that ask of a measure, who are of `telling`.

    A county that does not show how many it follows counts as nobody: it has very few.
    """
    asking = [one for one in shared if not measure or measure in _ask(one, "measures")]
    people = {one.place: _count_people(one) for one in asking}
    told = sum(n for place, n in people.items() if place in telling)
    return told / sum(people.values()) if any(people.values()) else 1.0


def _count_people(one: Shared) -> float:
    effects = one.tables["effects"]
    whole = effects[effects["estimand"].eq(INCIDENCE) & effects["measure"].eq("")]
    return float(whole["n_people"].astype("Float64").fillna(0.0).max() if len(whole) else 0.0)


def check_alike(shared: Sequence[Shared]) -> None:
    """Raise `UsageError` where files can't be pooled: doubled, or of different questions."""
    for what, told in (("run", [one.about["run"] for one in shared]),
                       ("place", [one.place for one in shared])):  # fmt: skip
        doubled = sorted({str(one) for one in told if told.count(one) > 1})
        if doubled:
            raise UsageError(
                f"Två filer har samma {what}: {', '.join(doubled)}. Ett län räknas en gång; ge"
                " varje fil ett eget namn med share --place. / Two files have the same one. A"
                " county counts once: give each file a name of its own by share --place."
            )
    first = shared[0]
    for other in shared[1:]:
        differ = [name for name in QUESTION if _ask(other, name) != _ask(first, name)]
        if differ:
            raise UsageError(
                f"{first.place} och {other.place} ställer olika frågor: {', '.join(differ)} i"
                " studiefilen skiljer sig. Kör studierna med samma studiefil. / They ask different"
                " questions: these keys of their study files differ. Run both by one study file."
            )
    for name in sorted({name for one in shared for name in _ask(one, "measures")}):
        known = [one for one in shared if name in _ask(one, "measures")]
        apart = [one.place for one in known[1:]
                 if _ask(one, "measures")[name] != _ask(known[0], "measures")[name]]  # fmt: skip
        if apart:
            raise UsageError(
                f"Åtgärden {name} är inte densamma i {known[0].place} och {', '.join(apart)}. Kör"
                " studierna med samma studiefil. / The measure is not defined alike there: run all"
                " by one study file."
            )


def _ask(one: Shared, name: str) -> Any:
    return one.about["question"][name]


def gather_effects(shared: Sequence[Shared]) -> pd.DataFrame:
    """The released effects of all counties below each other, with their `place`."""
    parts = [one.tables["effects"].assign(place=one.place) for one in shared]
    found = pd.concat(parts, ignore_index=True)
    found["time_days"] = found["time_days"].astype("Int64")
    return found


def pool_effect(part: pd.DataFrame, same: Mapping[str, Any], *, is_odds: bool) -> Iterator[Row]:
    """The rows of one effect: each county's, the pooled ones, and those without each county.

    `is_odds`: pooled as log odds, told as risks again.
    """
    value, se = (part[name].to_numpy(float) for name in ("estimate", "se"))
    shown = part["status"].eq(OK).to_numpy()
    value, se = np.where(shown, value, np.nan), np.where(shown, se, np.nan)
    if is_odds:
        with np.errstate(divide="ignore", invalid="ignore"):
            value, se = np.log(value / (1 - value)), se / (value * (1 - value))
    back = _to_risk if is_odds else _keep
    try:
        found = pool_estimates(value, se)
    except NotEstimableError as fault:
        yield from _list_places(part, same, np.full(len(part), np.nan))
        yield {**same, "method": "random_effects", "status": NOT_ESTIMABLE, "reason": str(fault)}
        return
    yield from _list_places(part, same, found.weight)
    used = part[found.is_used]
    sums = {name: used[name].sum(min_count=1) for name in ("n_people", "n_events")}
    counted = {**same, "n_places": found.n_studies, **sums}
    if found.n_studies == 1:
        yield {**counted, "method": "random_effects", "status": NOT_ESTIMABLE, "reason": ALONE}
        return
    for method, answer in (("fixed_effect", found.fixed), ("random_effects", found.random)):
        yield {**counted, "method": method, **back(vars(answer))}
    ends = {"estimate": found.random.estimate, "ci_low": found.prediction_low,
            "ci_high": found.prediction_high}  # fmt: skip
    if np.isfinite(found.prediction_low):
        yield {**counted, "method": "prediction", **back(ends)}
    spread = {"estimate": found.tau2, "ci_low": found.tau2_low, "ci_high": found.tau2_high}
    yield {**counted, "method": "between_variance", **spread}
    yield {**counted, "method": "between_share", "estimate": found.i2}
    yield {**counted, "method": "heterogeneity", "estimate": found.q_p}
    if found.n_studies > 2:
        others = leave_one_out(value, se)
        rows: list[Row] = [{str(key): one for key, one in row.items()}
                           for row in others.to_dict("records")]  # fmt: skip
        for place, row in zip(part["place"], rows, strict=True):
            if row["is_used"]:
                told = {name: row[name] for name in ("estimate", "ci_low", "ci_high", "se")}
                yield {**same, "method": "random_without", "place": place, **back(told),
                       "weight": row["weight"], "n_places": found.n_studies - 1}  # fmt: skip


def _list_places(part: pd.DataFrame, same: Mapping[str, Any], weight: Floats) -> Iterator[Row]:
    names = ["place", "estimate", "ci_low", "ci_high", "se", "n_people", "n_events", "status",
             "reason"]  # fmt: skip
    for row, share in zip(part[names].to_dict("records"), weight, strict=True):
        told = {str(key): one for key, one in row.items()}
        yield {**same, "method": "place", **told, "weight": share, "n_places": 1}


def _keep(numbers: Mapping[str, float]) -> Row:
    return dict(numbers)


def _to_risk(numbers: Mapping[str, float]) -> Row:
    """From log odds to risks; the error by the delta method."""
    out = {name: float(1 / (1 + np.exp(-numbers[name])))
           for name in ("estimate", "ci_low", "ci_high")}  # fmt: skip
    risk = out["estimate"]
    return {**out, "se": numbers["se"] * risk * (1 - risk)} if "se" in numbers else out


def pool_hazards(shared: Sequence[Shared], effects: pd.DataFrame) -> Iterator[Row]:
    """Rows of one Cox model of all counties, and of it without each of them."""
    told = [one for one in shared if one.moments.names]
    if len(told) < 2:
        return
    whole = pool_moments([one.moments for one in told])
    noise = measure_rounding(told)
    outcome = _ask(shared[0], "outcome")["who"]
    counts = effects[effects["estimator"].eq(COX["estimator"]) & effects["status"].eq(OK)]
    sums = counts.groupby("measure")[["n_people", "n_events"]].sum()
    for k, measure in enumerate(whole.names):
        same = {**COX, "measure": measure, "outcome": outcome, "n_places": int(whole.n_places[k])}
        people = {name: sums[name].get(measure) for name in ("n_people", "n_events")}
        yield {**same, "method": "one_step", **people, **_describe(whole, k)}
        yield {**same, "method": "rounding", "estimate": noise[k]}
        yield {**same, "method": "step", "estimate": whole.steps[k]}
    for one in told:
        rest = pool_moments([other.moments for other in told if other is not one])
        for k, measure in enumerate(rest.names):
            if measure in one.moments.names:
                yield {**COX, "measure": measure, "outcome": outcome, "method": "one_step_without",
                       "place": one.place, "n_places": int(rest.n_places[k]),
                       **_describe(rest, k)}  # fmt: skip


def _describe(pooled: PooledCox, k: int) -> Row:
    estimate, se = float(pooled.coef[k]), float(pooled.se_robust[k])
    half = normal_quantile() * se
    return {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half}


def measure_rounding(shared: Sequence[Shared]) -> Floats:
    """How far rounding in the files may move each column of the joint Cox model.

    The standard deviation over draws of numbers that would have been rounded to those in the
    files, each as likely as any.
    """
    rng = np.random.default_rng(SEED)
    draws = [pool_moments([_draw_unrounded(one, rng) for one in shared]).coef for _ in range(DRAWS)]
    spread: Floats = np.std(draws, axis=0)
    return spread


def _draw_unrounded(one: Shared, rng: np.random.Generator) -> Moments:
    ratios, correlations = (one.tables[name].copy() for name in
                            ("hazard_ratios", "hazard_correlations"))  # fmt: skip

    def shake(values: pd.Series, step: float | Floats) -> pd.Series:
        return values + rng.uniform(-0.5, 0.5, len(values)) * step

    ratios["log_hazard_ratio"] = shake(ratios["log_hazard_ratio"], 10.0**-DECIMALS)
    for kind in ("model", "robust"):
        error = ratios[f"se_{kind}"]
        ratios[f"se_{kind}"] = shake(error, 10.0 ** (np.floor(np.log10(error.to_numpy(float))) - 1))
        correlations[kind] = shake(correlations[kind], 10.0**-CORRELATION_DECIMALS).clip(-1, 1)
    return read_moments(ratios, correlations)


def find_point(shared: Sequence[Shared]) -> dict[str, float]:
    """Where counties may be asked next: the log hazard ratios of the joint Cox model, by measure.

    Empty where fewer than two counties tell of any; without those that are withheld.
    """
    told = [one.moments for one in shared if one.moments.names]
    if len(told) < 2:
        return {}
    whole = pool_moments(told)
    limit = find_limit(shared)

    def may_tell(name: str) -> bool:
        places = {one.place for one in shared if name in one.moments.names}
        return find_told_share(shared, name, places) >= limit

    return {name: float(value) for name, value in zip(whole.names, whole.coef, strict=True)
            if np.isfinite(value) and may_tell(name)}  # fmt: skip


def _raise_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios from their logarithms, errors by the delta method."""
    of = ("place", "one_step", "one_step_without", "fixed_effect", "random_effects",
          "random_without", "prediction")  # fmt: skip
    rows = table[table["estimand"].eq(LOG_RATIO) & table["method"].isin(of)].copy()
    numbers = ["estimate", "ci_low", "ci_high"]
    rows[numbers] = np.exp(rows[numbers].astype(float))
    return rows.assign(estimand=RATIO, se=rows["se"].astype(float) * rows["estimate"])
