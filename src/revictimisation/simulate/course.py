"""One simulated county before it is written down, and the ways to date and name things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.dictionary import Table, load_dictionary
from revictimisation.simulate.process import Setting, prepare_setting, run_setting
from revictimisation.simulate.randoms import Integers, draw_bits, draw_chance, draw_days
from revictimisation.simulate.scenarios import Scenario

DAY_SHIFT = 4000  # makes days before the index report positive in a unit number
DAYS_PER_UNIT = 20_000
STREAM_IDS = "id_"
NO_DATE = np.datetime64("NaT")


@dataclass(frozen=True)
class Course:
    """A county's victims and everything that happens to them, in days since the index report.

    ``events`` holds a row per event as ``run_setting`` returns it; ``new_identity_day`` the day
    from which a victim is in the registers under another pseudonym, or a day beyond all data.
    """

    scenario: Scenario
    seed: int
    setting: Setting
    events: pd.DataFrame
    new_identity_day: Integers

    @property
    def first_unit(self) -> int:
        """The number of the first victim; not 0 where the county is made in parts."""
        return int(self.setting.victims["unit"].iloc[0])


def run_course(scenario: Scenario, n_people: int, seed: int, first_unit: int = 0) -> Course:
    """Draw the victims of a county and run their natural course to the end of the data."""
    setting = prepare_setting(scenario, n_people, seed, first_unit)
    events, _ = run_setting(setting, scenario)
    events = events.drop_duplicates(["victim", "kind", "index", "day"], ignore_index=True)
    return Course(scenario, seed, setting, events, _draw_new_identity(scenario, seed, setting))


def _draw_new_identity(scenario: Scenario, seed: int, setting: Setting) -> Integers:
    """Draw who gets a new identity, after the accrual so that nobody becomes two index victims."""
    units = setting.victims["unit"].to_numpy()
    index_on = setting.victims["index_on"].to_numpy().astype("datetime64[D]")
    first = (np.datetime64(scenario.accrual_to_on) - index_on).astype(np.int64)
    day = first + draw_days(seed, units, "new_identity_day", 1, 1000)
    is_new = draw_chance(seed, units, "new_identity", scenario.new_identity_share)
    return np.where(is_new & (day < setting.last_day), day, 10**6)


def date_days(course: Course, victims: Integers, days: np.ndarray) -> np.ndarray:
    """Turn days since the victim's index report into dates; NaN becomes no date."""
    index_on = course.setting.victims["index_on"].to_numpy().astype("datetime64[D]")[victims]
    is_known = ~np.isnan(np.asarray(days, dtype=np.float64))
    whole = np.where(is_known, days, 0).astype(np.int64).astype("timedelta64[D]")
    return np.where(is_known, index_on + whole, NO_DATE)


def make_ids(prefix: str, seed: int, units: Integers, stream: str = "") -> np.ndarray:
    """Make opaque pseudonyms: a letter and 14 hexadecimal digits that carry no order."""
    bits = draw_bits(seed, units, STREAM_IDS + prefix + stream) >> np.uint64(8)
    return np.array([f"{prefix}{value:014x}" for value in bits.tolist()], dtype=object)


def name_victims(course: Course, victims: Integers, days: np.ndarray) -> np.ndarray:
    """Name the victim of each row as the registers knew the person on that day."""
    units = course.setting.victims["unit"].to_numpy()
    old = make_ids("p", course.seed, units)
    named = old[victims]
    is_new = np.asarray(days) >= course.new_identity_day[victims]
    if is_new.any():
        named[is_new] = make_ids("p", course.seed, units[victims[is_new]], "new")
    return named


def blank_unless(is_kept: np.ndarray | pd.Series[bool], values: np.ndarray) -> np.ndarray:
    """Keep values where they are to stand and leave the others empty."""
    kept = np.asarray(values).astype(object)
    kept[~np.asarray(is_kept, dtype=bool)] = None
    return kept


def number_filings(units: Integers, days: np.ndarray, is_other: bool) -> Integers:
    """Number a report by victim, day and whether it is against somebody else."""
    shifted = (np.asarray(days, dtype=np.int64) + DAY_SHIFT) * 2 + int(is_other)
    return units * DAYS_PER_UNIT + shifted


def finish_table(frame: pd.DataFrame, of: str | Table) -> pd.DataFrame:
    """Order columns and rows as the dictionary has them; dates get one type.

    The order of the rows, by the table's key of pseudonyms, then carries no time order.
    """
    known = of if isinstance(of, Table) else load_dictionary().tables[of]
    table = frame[list(known.field_names)].sort_values([*known.primary_key], ignore_index=True)
    for name in table.columns:
        if name.endswith("_on"):
            table[name] = pd.to_datetime(table[name]).astype("datetime64[ns]")
    return table
