"""Who the index victims are: traits, suspects and index report, before anything follows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.simulate.geography import draw_district, draw_municipality
from revictimisation.simulate.kernel import MOST_SUSPECTS
from revictimisation.simulate.offences import GROUP_SHARES, settle_groups
from revictimisation.simulate.randoms import (
    Floats,
    Integers,
    draw_category,
    draw_chance,
    draw_exponential,
    draw_uniform,
)
from revictimisation.simulate.scenarios import Linear, Scenario

AGE_BOUNDS = (0, 13, 18, 27, 45, 65, 100)
AGE_GROUPS = ("0-12", "13-17", "18-26", "27-44", "45-64", "65+")
RELATIONS = ("current_partner", "former_partner", "parent", "sibling", "child", "other_relative")
KINDS = ("partner", "family", "honour")
KIND_SHARES = (0.68, 0.17, 0.15)
AGE_SHARES = {
    "partner": (0.0, 0.01, 0.22, 0.46, 0.26, 0.05),
    "family": (0.30, 0.20, 0.12, 0.14, 0.14, 0.10),
    "honour": (0.05, 0.28, 0.42, 0.20, 0.05, 0.0),
}
RELATION_SHARES = {  # of an adult's first suspect; children have no partner
    "partner": (0.47, 0.53, 0.0, 0.0, 0.0, 0.0),
    "family": (0.0, 0.0, 0.30, 0.18, 0.30, 0.22),
    "honour": (0.20, 0.18, 0.34, 0.17, 0.0, 0.11),
}
SECOND_RELATION_SHARES = (0.0, 0.0, 0.40, 0.35, 0.0, 0.25)
MALE_SHARES = {"partner": 0.13, "family": 0.35, "honour": 0.17}
EARLIER_SHARES = (0.58, 0.20, 0.09, 0.05, 0.035, 0.025, 0.02)
MOST_EARLIER_COUNTED = 5
RISK_LEVELS = ("low", "moderate", "high")


def draw_index_days(scenario: Scenario, seed: int, units: Integers) -> Integers:
    """Draw the day of the index report in days since accrual began; reports grow by the year."""
    first = np.datetime64(scenario.accrual_from_on)
    n_days = int((np.datetime64(scenario.accrual_to_on) - first).astype(int)) + 1
    uniform = draw_uniform(seed, units, "index_day")
    growth = np.log1p(scenario.grow_per_year) * n_days / 365.25
    share = uniform if growth == 0 else np.log1p(uniform * np.expm1(growth)) / growth
    return np.minimum(np.floor(share * n_days).astype(np.int64), n_days - 1)


def draw_ages(seed: int, units: Integers, kinds: np.ndarray) -> Integers:
    """Draw the age (index year less birth year) by kind of case."""
    shares = np.array([AGE_SHARES[kind] for kind in KINDS])[kinds]
    group = draw_category(seed, units, "age_group", shares)
    bounds = np.array(AGE_BOUNDS)
    low, high = bounds[group], np.minimum(bounds[group + 1], 92)
    within = draw_uniform(seed, units, "age_within")
    skewed = np.where(group == 5, within**2, within)  # few are very old
    return (low + np.floor(skewed * (high - low))).astype(np.int64)


def group_ages(ages: Integers) -> np.ndarray:
    """Name the contract's age groups."""
    return np.array(AGE_GROUPS)[np.searchsorted(AGE_BOUNDS[1:-1], ages, side="right")]


def draw_risk_levels(seed: int, victims: pd.DataFrame, missing_share: float) -> np.ndarray:
    """Draw the recorded risk level: higher with earlier reports and honour, missing for a share."""
    units = victims["unit"].to_numpy()
    push = 0.22 * victims["n_earlier_reports"].to_numpy() + np.where(
        victims["kind"] == 2, 0.35, 0.0
    )
    push = push + np.where(
        victims["offence_group"].isin(["gross_violation_of_integrity"]), 0.4, 0.0
    )
    shares = np.column_stack(
        [np.full(len(units), 0.42), 0.40 * np.exp(push / 2), 0.20 * np.exp(push)]
    )
    level = np.array(RISK_LEVELS)[draw_category(seed, units, "risk_level", shares)]
    return np.where(draw_chance(seed, units, "risk_missing", missing_share), "missing", level)


def draw_victims(scenario: Scenario, n_people: int, seed: int, first_unit: int = 0) -> pd.DataFrame:
    """Draw the index victims, a row each, in the contract's derived categories.

    ``unit`` is the number that all draws of the victim hang on; ``index_on`` the date of day 0.
    """
    units = np.arange(first_unit, first_unit + n_people, dtype=np.int64)
    kinds = draw_category(seed, units, "kind", KIND_SHARES)
    victims = pd.DataFrame({"unit": units, "kind": kinds})
    days = draw_index_days(scenario, seed, units)
    victims["index_on"] = np.datetime64(scenario.accrual_from_on) + days.astype("timedelta64[D]")
    victims["index_year"] = victims["index_on"].dt.year.astype(str)
    victims["age"] = draw_ages(seed, units, kinds)
    victims["birth_year"] = victims["index_on"].dt.year - victims["age"]
    victims["age_group"] = group_ages(victims["age"].to_numpy())
    male = np.array([MALE_SHARES[kind] for kind in KINDS])[kinds]
    victims["sex"] = np.where(draw_chance(seed, units, "sex", male), "male", "female")
    honour = np.where(kinds == 2, "true", "false")
    is_blank = draw_chance(seed, units, "honour_missing", scenario.missing_honour_share)
    victims["is_honour"] = np.where(is_blank, "missing", honour)
    victims["n_earlier"] = draw_category(seed, units, "n_earlier", EARLIER_SHARES)
    victims["n_earlier_reports"] = victims["n_earlier"].clip(upper=MOST_EARLIER_COUNTED)
    groups, shares = zip(*GROUP_SHARES.items(), strict=True)
    victims["offence_group"] = np.array(groups)[draw_category(seed, units, "offence_group", shares)]
    victims["municipality_code"] = draw_municipality(seed, units, "home")
    homes = victims["municipality_code"].to_numpy()
    victims["police_district"] = draw_district(seed, units, "district", homes)
    victims["offence_group"] = settle_groups(
        victims["offence_group"].to_numpy(), victims["index_on"].to_numpy()
    )
    victims["risk_level"] = draw_risk_levels(seed, victims, scenario.missing_risk_share)
    victims["is_hidden"] = draw_chance(seed, units, "hidden", scenario.hidden.share)
    relations = draw_relations(seed, victims)
    victims["n_suspects"] = (relations != "").sum(axis=1)
    for j in range(MOST_SUSPECTS):
        victims[f"relation_{j}"] = relations[:, j]
    return victims


def draw_relations(seed: int, victims: pd.DataFrame) -> np.ndarray:
    """Draw the relation of each suspect, shape (n, 3); empty where there is no such suspect."""
    units, kinds = victims["unit"].to_numpy(), victims["kind"].to_numpy()
    shares = np.array([RELATION_SHARES[kind] for kind in KINDS])[kinds]
    is_child = victims["age"].to_numpy() < 15
    shares = np.where(is_child[:, None], np.array([0, 0, 0.8, 0.1, 0, 0.1]), shares)
    shares[:, 4] = np.where(victims["age"] < 35, 0.0, shares[:, 4])  # no child old enough
    first = np.array(RELATIONS)[draw_category(seed, units, "relation_0", shares)]
    second, third = (
        np.array(RELATIONS)[draw_category(seed, units, stream, SECOND_RELATION_SHARES)]
        for stream in ("relation_1", "relation_2")
    )
    n_more = draw_category(seed, units, "n_suspects", (0.60, 0.28, 0.12)) * (kinds == 2)
    return np.column_stack([
        first, np.where(n_more >= 1, second, ""), np.where(n_more >= 2, third, "")
    ])  # fmt: skip


def add_terms(frame: Mapping[str, pd.Series] | pd.DataFrame, linear: Linear) -> Floats:
    """Evaluate a linear predictor for each row; levels without a coefficient count 0."""
    total = linear.intercept + linear.per_earlier_report * frame["n_earlier_reports"].to_numpy(
        float
    )
    for covariate, levels in linear.terms.items():
        total = total + frame[covariate].map(levels).fillna(0.0).to_numpy(float)
    return total


def draw_exits(scenario: Scenario, seed: int, victims: pd.DataFrame) -> pd.DataFrame:
    """Draw death, emigration and the last day of follow-up in the data, in days since index.

    Columns: died_day, emigrated_day (NaN if never in the data), last_day. The hazards are constant,
    death by age, emigration by honour; no measure touches them. Nobody leaves before day 2.
    """
    units, ages = victims["unit"].to_numpy(), victims["age"].to_numpy()
    end_on = np.datetime64(scenario.data_end_on)
    until_end = (end_on - victims["index_on"].to_numpy().astype("datetime64[D]")).astype(np.int64)
    per_year = 0.0006 * np.exp(0.075 * np.maximum(ages - 25, 0)) + 0.0012
    died = 2 + np.floor(draw_exponential(seed, units, "death") / per_year * 365.25)
    leave_rate = np.where(victims["is_honour"] == "true", 0.012, 0.006)
    left = 2 + np.floor(draw_exponential(seed, units, "emigration") / leave_rate * 365.25)
    died = np.where(died <= until_end, died, np.nan)
    left = np.where((left <= until_end) & ~(left >= died), left, np.nan)
    last = np.fmin(np.fmin(died, left), until_end).astype(np.int64)
    # the emigrated may die abroad, unseen: their death is not in the register
    died = np.where(np.isnan(left), died, np.nan)
    return pd.DataFrame({"died_day": died, "emigrated_day": left, "last_day": last})
