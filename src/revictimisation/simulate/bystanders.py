"""People in the registers who are no index victims: what eligibility has to sort out.

Three kinds: a suspect whom the study does not ask about, an eligible relation only after the
accrual, and a report in the accrual that an earlier one washes out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.course import DAYS_PER_UNIT
from revictimisation.simulate.geography import draw_district, draw_municipality
from revictimisation.simulate.randoms import count_share, draw_category, draw_chance, draw_days
from revictimisation.simulate.scenarios import Scenario

FIRST_UNIT = 2**40
KIND_OUTSIDE, KIND_LATE, KIND_WASHED_OUT = 0, 1, 2
KIND_SHARES = (0.6, 0.25, 0.15)
OUTSIDE = np.array(["acquaintance", "stranger", "unknown"])
CLOSE = np.array(["current_partner", "former_partner", "sibling"])


def draw_bystanders(
    scenario: Scenario, n_people: int, seed: int, first_unit: int = 0
) -> pd.DataFrame:
    """Draw the bystanders, a row each: traits, kind and the date of their report.

    They are those beside the `n_people` index victims that begin with `first_unit`.
    """
    units = FIRST_UNIT + count_share(n_people, scenario.extra_victims_share, first_unit)
    frame = pd.DataFrame({"unit": units, "kind": draw_category(seed, units, "x_kind", KIND_SHARES)})
    first, last = np.datetime64(scenario.accrual_from_on), np.datetime64(scenario.accrual_to_on)
    n_days = int((last - first).astype(int))
    within = first + draw_days(seed, units, "x_day", 0, n_days).astype("timedelta64[D]")
    late = last + draw_days(seed, units, "x_late", 1, 1200).astype("timedelta64[D]")
    soon = first + draw_days(seed, units, "x_soon", 0, 150).astype("timedelta64[D]")
    frame["reported_on"] = np.select([frame["kind"] == 0, frame["kind"] == 1], [within, late], soon)
    frame["age"] = draw_days(seed, units, "x_age", 15, 70)
    frame["sex"] = np.where(draw_chance(seed, units, "x_sex", 0.35), "male", "female")
    frame["birth_year"] = frame["reported_on"].dt.year - frame["age"]
    outside = OUTSIDE[draw_category(seed, units, "x_outside", (0.5, 0.3, 0.2))]
    close = CLOSE[draw_category(seed, units, "x_close", (0.4, 0.4, 0.2))]
    frame["relation"] = np.where(frame["kind"] == KIND_OUTSIDE, outside, close)
    frame["municipality_code"] = draw_municipality(seed, units, "x_home")
    homes = frame["municipality_code"].to_numpy()
    frame["police_district"] = draw_district(seed, units, "x_district", homes)
    return frame


def file_bystanders(bystanders: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per report of the bystanders, as ``collect_filings`` lays them out, with its date."""
    rows = bystanders.assign(filing=bystanders["unit"] * DAYS_PER_UNIT % 2**62, source="bystander")
    rows["suspect"] = np.where(rows["relation"] == "unknown", -1, rows["filing"])
    groups = draw_category(seed, rows["unit"].to_numpy(), "x_group", (5, 3, 2))
    rows["offence_group"] = np.array(["assault", "threat", "molestation"])[groups]
    earlier = rows[rows["kind"] == KIND_WASHED_OUT].copy()
    first = pd.Timestamp("2011-01-01")
    gap = draw_days(seed, earlier["unit"].to_numpy(), "x_before", 5, 150)
    earlier["reported_on"] = first - pd.to_timedelta(gap, unit="D")
    earlier["filing"] += 1
    return pd.concat([rows, earlier], ignore_index=True) if len(earlier) else rows
