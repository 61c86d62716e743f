"""The table ``risk_assessments``: the one that counts at the index report, and others around it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.course import (
    Course,
    blank_unless,
    date_days,
    finish_table,
    make_ids,
    name_victims,
    number_filings,
)
from revictimisation.simulate.population import RISK_LEVELS
from revictimisation.simulate.randoms import (
    Floats,
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
    draw_uniform,
)

LAST_COUNTING_DAY = 7
POLICE_SHARE = 0.82
FREDA_FROM_ON = np.datetime64("2012-10-01")
INSTRUMENTS = np.array(["sara_sv", "b_safer", "patriark", "sam", "check_15", "other"], dtype=object)
SHARES = {
    "partner": (0.30, 0.38, 0.0, 0.10, 0.18, 0.04),
    "family": (0.0, 0.15, 0.05, 0.15, 0.55, 0.10),
    "honour": (0.05, 0.10, 0.62, 0.03, 0.18, 0.02),
}
SHARED_SHARES = {"police": 0.38, "social_services": 0.22}
SHARING_DAYS = {"police": 11.0, "social_services": 18.0}
RENEWED_AFTER_REPORT_SHARE = 0.45
ROW_COLUMNS = ["victim", "day", "risk_level", "turn", "report_day"]


def collect_counting(course: Course) -> pd.DataFrame:
    """A row per index victim with a level: the latest assessment on or before day 7."""
    victims, seed = course.setting.victims, course.seed
    mine = np.flatnonzero(victims["risk_level"] != "missing")
    units = victims["unit"].to_numpy()[mine]
    squeezed = np.floor(draw_uniform(seed, units, "assessed") ** 2 * (LAST_COUNTING_DAY + 1))
    last = course.setting.last_day[mine] - 1
    return pd.DataFrame({
        "victim": mine, "day": np.minimum(squeezed.astype(np.int64), last),
        "risk_level": victims["risk_level"].to_numpy()[mine], "turn": 0, "report_day": 0,
    })  # fmt: skip


def collect_superseded(course: Course, counting: pd.DataFrame) -> pd.DataFrame:
    """A row per assessment before the counting one: some at once, some from an earlier report."""
    units = course.setting.victims["unit"].to_numpy()[counting["victim"]]
    is_quick = draw_chance(course.seed, units, "quick", 0.12) & (counting["day"] >= 2)
    has_earlier = course.setting.victims["n_earlier"].to_numpy()[counting["victim"]] > 0
    is_old = has_earlier & draw_chance(course.seed, units, "old_assessment", 0.35) & ~is_quick
    old_day = -draw_days(course.seed, units, "old_assessed", 10, 500)
    rows = counting.assign(day=np.where(is_quick, 0, old_day), turn=1)
    rows["report_day"] = np.where(is_quick, 0.0, np.nan)
    level = _shift_levels(course, units, rows["risk_level"].to_numpy(), "superseded")
    return rows.assign(risk_level=level).loc[is_quick | is_old]


def _shift_levels(course: Course, units: np.ndarray, levels: np.ndarray, stream: str) -> np.ndarray:
    """Assess anew: mostly the same level, else one beside it."""
    place = pd.Series(levels).map({level: i for i, level in enumerate(RISK_LEVELS)}).fillna(1)
    step = draw_category(course.seed, units, f"{stream}_step", (0.2, 0.55, 0.25)) - 1
    return np.array(RISK_LEVELS)[np.clip(place.to_numpy(int) + step, 0, 2)]


def collect_renewed(course: Course, filings: pd.DataFrame) -> pd.DataFrame:
    """A row per assessment after day 7: after repeat reports, and some for no such reason."""
    victims, seed = course.setting.victims, course.seed
    repeats = filings[filings["source"] == "repeat"].drop_duplicates("filing")
    numbers = repeats["filing"].to_numpy()
    day = repeats["day"].to_numpy() + draw_days(seed, numbers, "renewed_day", 0, 10)
    is_mine = draw_chance(seed, numbers, "renewed", RENEWED_AFTER_REPORT_SHARE)
    after = pd.DataFrame({
        "victim": repeats["victim"], "day": day, "turn": 2, "report_day": repeats["day"],
    })[is_mine]  # fmt: skip
    units = victims["unit"].to_numpy()
    routine = np.flatnonzero(draw_chance(seed, units, "routine", 0.12))
    wait = 20 + np.floor(draw_exponential(seed, units[routine], "routine_day", 120))
    plain = pd.DataFrame({"victim": routine, "day": wait, "turn": 3, "report_day": np.nan})
    rows = pd.concat([after, plain], ignore_index=True)
    rows["day"] = np.maximum(rows["day"], LAST_COUNTING_DAY + 1).astype(np.int64)
    rows = rows[rows["day"] < course.setting.last_day[rows["victim"]]].reset_index(drop=True)
    serial = units[rows["victim"]] * 4000 + rows["day"].to_numpy()
    before = victims["risk_level"].to_numpy()[rows["victim"]]
    return rows.assign(risk_level=_shift_levels(course, serial, before, "renewed"))


def _draw_instruments(course: Course, rows: pd.DataFrame) -> np.ndarray:
    kinds = course.setting.victims["kind"].to_numpy()[rows["victim"]]
    shares: Floats = np.array([SHARES[kind] for kind in ("partner", "family", "honour")])[kinds]
    drawn = INSTRUMENTS[draw_category(course.seed, rows["number"].to_numpy(), "tool", shares)]
    is_social = (rows["agency"] == "social_services").to_numpy()
    is_freda = rows["assessed_on"].to_numpy().astype("datetime64[D]") >= FREDA_FROM_ON
    return np.where(is_social, np.where(is_freda, "freda", "other"), drawn)


def _draw_sharing(course: Course, rows: pd.DataFrame) -> np.ndarray:
    """Draw the day the assessment reached the other agency; NaN where it never did."""
    numbers = rows["number"].to_numpy()
    shares = rows["agency"].map(SHARED_SHARES).to_numpy(float)
    shares = shares + np.where(rows["risk_level"] == "high", 0.15, 0.0)
    waits = draw_exponential(course.seed, numbers, "sharing") * rows["agency"].map(SHARING_DAYS)
    day = rows["day"] + np.floor(waits)
    is_shared = draw_chance(course.seed, numbers, "shared", shares)
    is_shared &= (day < course.setting.last_day[rows["victim"]]).to_numpy()
    return np.where(is_shared, day, np.nan)


def make_risk_assessments(course: Course, filings: pd.DataFrame) -> pd.DataFrame:
    """Write the contract's table ``risk_assessments``: a row per assessment of a victim."""
    counting = collect_counting(course)
    parts = [counting, collect_superseded(course, counting), collect_renewed(course, filings)]
    rows = pd.concat(parts, ignore_index=True)
    victims = rows["victim"].to_numpy()
    units = course.setting.victims["unit"].to_numpy()[victims]
    days = rows["day"].to_numpy().astype(np.int64)
    rows["number"] = (units * 8 + rows["turn"].to_numpy()) * 10_000 + days + 4000
    rows = rows.drop_duplicates("number").reset_index(drop=True)
    victims, numbers = rows["victim"].to_numpy(), rows["number"].to_numpy()
    units = course.setting.victims["unit"].to_numpy()[victims]
    is_police = draw_chance(course.seed, numbers, "agency", POLICE_SHARE)
    rows["agency"] = np.where(is_police, "police", "social_services")
    rows["assessed_on"] = date_days(course, victims, rows["day"].to_numpy())
    rows["instrument"] = _draw_instruments(course, rows)
    rows["shared_on"] = date_days(course, victims, _draw_sharing(course, rows))
    filing = number_filings(units, rows["report_day"].fillna(0).to_numpy(), False)
    report = make_ids("r", course.seed, filing)
    is_linked = is_police & rows["report_day"].notna().to_numpy()
    rows["report_id"] = blank_unless(is_linked, report)
    rows["assessment_id"] = make_ids("a", course.seed, numbers)
    rows["victim_id"] = name_victims(course, victims, rows["day"].to_numpy())
    return finish_table(rows, "risk_assessments")
