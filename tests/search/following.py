"""The contract read again, a person at a time in plain Python: who is followed, and for how long.

Shares no code with the package. Reads the tables of `extracts` (one relation, one offence, no
washout), and gives each entry's follow-up in days from its index report.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import numpy as np

from tests.search.extracts import Case

OUTCOME, DEATH, EMIGRATION = 1, 2, 3
ENDLESS = 10**6
NAN = float("nan")


@dataclass
class Entry:
    """A victim's follow-up against a suspect."""

    victim: str
    suspect: str
    index_on: dt.date
    stop_day: int  # to the first outcome or the end
    cause: int
    end_day: int  # past any outcome
    end_cause: int
    data_end_day: int
    outcomes: list[int]
    person: dict
    spells: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    decisions: list[dict] = field(default_factory=list)

    def first_start(self, measure: str) -> float:
        """The first start on day 0 or later; NaN: none."""
        return min((a for a, _ in self.spells[measure] if a >= 0), default=NAN)

    def ran_before(self, measure: str) -> bool:
        """In force before day 0 and still on it: not eligible for the comparison."""
        return any(a < 0 < b for a, b in self.spells[measure])

    def days_in_force(self, measure: str, day: int) -> int:
        """For how long the measure has acted on a day, from the day after its start; 0: not at all.

        The extracts have a spell of a measure at most.
        """
        return max((day - a for a, b in self.spells[measure] if a < day <= b), default=0)


def read_entries(case: Case) -> list[Entry]:
    """Everybody who is followed for a day at least, by victim and suspect."""
    study, tables = case.study, case.tables
    persons = {row["person_id"]: row for row in _rows(tables["persons"])}
    reports = _rows(tables["reports"])
    spells = _rows(tables["social_interventions"])
    by_pair: dict[tuple[str, str], set] = {}
    by_victim: dict[str, set] = {}
    for row in reports:
        by_pair.setdefault((row["victim_id"], row["suspect_id"]), set()).add(row["reported_on"])
        by_victim.setdefault(row["victim_id"], set()).add(row["reported_on"])
    is_any = study["outcome"]["who"] == "any_suspect"
    entries = []
    for (victim, suspect), days in sorted(by_pair.items()):
        mine = [row for row in spells if row["person_id"] == victim]
        outcomes = by_victim[victim] if is_any else days
        entry = _follow(study, persons[victim], suspect, min(days), outcomes)
        if entry is not None:
            _attach(entry, mine, list(study["measures"]))
            entries.append(entry)
    return entries


def _rows(table) -> list[dict]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _follow(study: dict, person: dict, suspect: str, index_on: dt.date, on: set) -> Entry | None:
    """To the horizon, the end of the data, death or emigration; on one day death comes first."""
    data_end = (dt.date.fromisoformat(study["data_end_on"]) - index_on).days
    ends = [(study["horizon_days"], 2, 0), (data_end, 2, 0)]
    for order, (column, cause) in enumerate((("died_on", DEATH), ("emigrated_on", EMIGRATION))):
        if person[column] is not None:
            day = (person[column] - index_on).days
            if day >= 0 or cause == DEATH:
                ends.append((day, order, cause))
    end_day, _, end_cause = min(ends)
    if end_day <= 0:
        return None
    days = sorted((one - index_on).days for one in on)
    outcomes = [day for day in days if study["outcome"]["lag_days"] < day <= end_day and day > 0]
    stop, cause = (outcomes[0], OUTCOME) if outcomes else (end_day, end_cause)
    return Entry(
        person["person_id"], suspect, index_on, stop, cause, end_day, end_cause, data_end, outcomes,
        person,
    )  # fmt: skip


def _attach(entry: Entry, rows: list[dict], measures: list[str]) -> None:
    entry.spells = {one: [] for one in measures}
    for row in rows:
        begin = (row["start_on"] - entry.index_on).days
        end = ENDLESS if row["end_on"] is None else (row["end_on"] - entry.index_on).days
        entry.spells[row["intervention"]].append((begin, end))
        decided = (row["decided_on"] - entry.index_on).days
        entry.decisions.append({"code": row["intervention"], "decided": decided, "start": begin})


BANDS = {"0_30": (1, 30), "31_90": (31, 90), "91_plus": (91, ENDLESS)}  # days since the start


@dataclass
class Episodes:
    """Stretches (start, stop] in which nothing changes; `entry`: whose."""

    entry: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    is_event: np.ndarray
    elapsed: dict[str, np.ndarray]  # days in force by the end of the stretch, 0: not in force
    number: np.ndarray  # 1 + outcomes before
    since: np.ndarray  # day of the outcome before, 0: none

    def is_on(self, measure: str, band: tuple[int, int] = (1, ENDLESS)) -> np.ndarray:
        """Stretches in which the measure is in force, and has been for so long."""
        return (self.elapsed[measure] >= band[0]) & (self.elapsed[measure] <= band[1])


def cut_episodes(entries: list[Entry], measures: list[str], *, is_first: bool) -> Episodes:
    """Cut follow-up (to the first outcome, or past all) at outcomes, starts, bands and ends."""
    found: list[tuple] = []
    for place, entry in enumerate(entries):
        end = entry.stop_day if is_first else entry.end_day
        cuts = {0, end, *entry.outcomes}
        for begin, stop in (spell for one in measures for spell in entry.spells[one]):
            cuts |= {begin, stop, *(begin + last for _, last in BANDS.values())}
        for begin, stop in itertools.pairwise(sorted(day for day in cuts if 0 <= day <= end)):
            before = [day for day in entry.outcomes if day <= begin]
            elapsed = [entry.days_in_force(one, stop) for one in measures]
            found.append((place, begin, stop, stop in entry.outcomes, len(before) + 1,
                          max(before, default=0), *elapsed))  # fmt: skip
    table = np.array(found, dtype=float).reshape(len(found), 6 + len(measures)).T
    entry, start, stop, event, number, since = table[:6]
    elapsed = {one: table[6 + k] for k, one in enumerate(measures)}
    return Episodes(entry.astype(int), start, stop, event > 0, elapsed, number, since)


def build_covariates(case: Case, entries: list[Entry]) -> np.ndarray:
    """The columns of `adjust_for`, a row per entry: numbers, categories, missing by itself."""
    columns: list[list[float]] = []
    for name in case.study["adjust_for"]:
        values = [_read_covariate(entry, name) for entry in entries]
        is_number = any(isinstance(one, int | float) for one in values)
        if is_number:
            known = [one for one in values if one is not None]
            middle = float(np.mean(known)) if known else 0.0
            columns.append([0.0 if one is None else float(one) - middle for one in values])
            columns.append([float(one is None) for one in values])
        else:
            levels = sorted({str(one) for one in values})[1:]
            columns += [[float(str(one) == level) for one in values] for level in levels]
    matrix = np.array(columns, dtype=float).reshape(len(columns), len(entries)).T
    return keep_independent(matrix)


def _read_covariate(entry: Entry, name: str) -> object:
    if name == "index_year":
        return entry.index_on.year
    if name == "n_earlier_reports":
        return 0
    return entry.person[name]


def keep_independent(matrix: np.ndarray) -> np.ndarray:
    """Columns that tell something beside a constant and those before them, in units of their own.

    Each is centred and divided by its standard deviation: units change no answer.
    """
    kept: list[np.ndarray] = []
    for column in matrix.T:
        spread = column.std()
        if spread <= 1e-12 * max(1.0, float(np.abs(column).max())):
            continue
        column = (column - column.mean()) / spread
        basis = np.array(kept).T if kept else np.zeros((len(column), 0))
        rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0] if kept else column
        if np.sqrt(np.mean(rest**2)) > 1e-7:
            kept.append(column)
    return np.array(kept).T if kept else np.zeros((len(matrix), 0))
