"""The rows of ``dirty``: the same county's rows, spoilt at known rates and counted.

Each function takes tables and gives them spoilt; ``Tally`` counts what was done. One row gets at
most one fault of dates, and only rows that nothing befell are written twice, so that what is
counted here is what a check of the extract finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from revictimisation.simulate.course import NO_DATE, make_ids
from revictimisation.simulate.faults import FaultRates
from revictimisation.simulate.randoms import draw_category, draw_chance, draw_days

Tables = dict[str, pd.DataFrame]
Bools = np.ndarray
IS_SPOILT = "is_spoilt"  # a column for the time of spoiling: a fault befell the row
SPELL_TABLES = {
    "police_measures": ("measure_id", "m"),
    "social_interventions": ("intervention_id", "i"),
}
DOUBLED = ("reports", "risk_assessments", *SPELL_TABLES)
TYPED = {
    "persons": ("sex",), "reports": ("relation",), "risk_assessments": ("risk_level",),
    "police_measures": ("measure", "decision"),
    "social_interventions": ("intervention", "decision"),
}  # fmt: skip
CASES: tuple[Callable[[str], str], ...] = (
    str.upper, str.capitalize, lambda code: code.replace("_", " ").capitalize(),
)  # fmt: skip
FAR_END = "9999-12-31"  # what some systems write for: still in force
LEAST_TO_SPLIT = 4  # days a spell must last to be registered as two
LONGEST_OVERLAP = 10
UNKNOWN_OFFENCE, UNKNOWN_MUNICIPALITY = "9999", "9999"


@dataclass
class Tally:
    """How many rows (cells, people) each fault befell, by table, in the order of being done."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, rule: str, table: str, count: int) -> None:
        """Count more of one fault."""
        self.counts[rule, table] = self.counts.get((rule, table), 0) + int(count)

    def frame(self) -> pd.DataFrame:
        """The counts as ``truth_faults``: rule, table, count."""
        rows = [(rule, table, count) for (rule, table), count in self.counts.items()]
        return pd.DataFrame(rows, columns=["rule", "table", "count"])


def spoil_rows(tables: Tables, rates: FaultRates, seed: int, tally: Tally) -> Tables:
    """Spoil the rows of a county's tables; dates become text, as some are no possible dates."""
    made = {name: table.assign(**{IS_SPOILT: False}) for name, table in tables.items()}
    made["persons"] = _spoil_persons(made["persons"], made["reports"], rates, seed, tally)
    made["reports"] = _spoil_reports(made["reports"], rates, seed, tally)
    blank = _pick(seed, made["police_measures"], "no_report", rates["no_report"])
    blank &= made["police_measures"]["report_id"].notna().to_numpy()
    made["police_measures"].loc[blank, "report_id"] = None
    tally.add("no_report", "police_measures", blank.sum())
    for name in SPELL_TABLES:
        made[name] = _spoil_spells(name, made[name], rates, seed, tally)
    for name, columns in TYPED.items():
        for column in columns:
            made[name] = _retype(name, made[name], column, rates, seed, tally)
    for name in DOUBLED:
        made[name] = _double(name, made[name], rates, seed, tally)
    return {name: table.drop(columns=IS_SPOILT) for name, table in made.items()}


def _pick(seed: int, table: pd.DataFrame, stream: str, share: float) -> Bools:
    """Draw the rows that a fault befalls, by their place in the table."""
    return draw_chance(seed, np.arange(len(table), dtype=np.int64), f"fault_{stream}", share)


def _spoil_persons(
    persons: pd.DataFrame, reports: pd.DataFrame, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Forget some years of birth, and some victims altogether (whoever draws it)."""
    persons = persons.astype({"birth_year": "Int64"})
    blank = _pick(seed, persons, "birth_year", rates["missing_birth_year"])
    persons.loc[blank, "birth_year"] = pd.NA
    persons.loc[blank, IS_SPOILT] = True
    gone = _pick(seed, persons, "person", rates["missing_person"])
    gone &= persons["person_id"].isin(reports["victim_id"]).to_numpy()
    tally.add("missing_birth_year", "persons", (blank & ~gone).sum())
    tally.add("missing_person", "persons", gone.sum())
    return persons[~gone].reset_index(drop=True)


def _spoil_reports(
    reports: pd.DataFrame, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Write unknown codes, and some reports again under another number."""
    known = {"offence_code": ("unknown_offence_code", UNKNOWN_OFFENCE),
             "municipality_code": ("unknown_municipality", UNKNOWN_MUNICIPALITY)}  # fmt: skip
    for column, (rule, code) in known.items():
        is_other = _pick(seed, reports, rule, rates[rule])
        reports.loc[is_other, [column, IS_SPOILT]] = (code, True)
        tally.add(rule, "reports", is_other.sum())
    numbers, first = np.unique(reports["report_id"], return_inverse=True)
    places = np.arange(len(numbers), dtype=np.int64)
    again = draw_chance(seed, places, "fault_twice", rates["report_registered_twice"])
    copies = reports[again[first]].assign(**{IS_SPOILT: True})
    copies["report_id"] = make_ids("r", seed, first[again[first]].astype(np.int64), "twice")
    tally.add("report_registered_twice", "reports", len(copies))
    return pd.concat([reports, copies], ignore_index=True)


def _spoil_spells(
    name: str, table: pd.DataFrame, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Spoil the dates of decisions on measures: each row at most once."""
    start, end = (
        table[column].to_numpy().astype("datetime64[D]") for column in ("start_on", "end_on")
    )
    n_days = np.where(np.isnat(start) | np.isnat(end), -1, (end - start).astype(np.int64))
    kinds = ("overlapping_spell", "touching_spell", "end_before_start", "swapped_dates", "open_end")
    least = (LEAST_TO_SPLIT, LEAST_TO_SPLIT, 0, 1, 0)
    shares = [rates[kind] for kind in kinds]
    places = np.arange(len(table), dtype=np.int64)
    drawn = draw_category(seed, places, f"fault_dates_{name}", (1 - sum(shares), *shares))
    picked = {kind: (drawn == place + 1) & (n_days >= least[place])
              for place, kind in enumerate(kinds)}  # fmt: skip
    early = start - draw_days(seed, places, f"fault_early_{name}", 1, 400).astype("timedelta64[D]")
    is_split = picked["overlapping_spell"] | picked["touching_spell"]
    middle = start + (np.maximum(n_days, 0) // 2).astype("timedelta64[D]")
    more = np.clip(n_days - n_days // 2 - 1, 1, LONGEST_OVERLAP).astype("timedelta64[D]")
    second = table[is_split].assign(start_on=middle[is_split], decided_on=middle[is_split])
    key, prefix = SPELL_TABLES[name]
    second[key] = make_ids(prefix, seed, places[is_split], f"second_{name}")
    ends = [middle + more, middle, early, start, np.full(len(end), NO_DATE)]
    made = table.assign(
        start_on=np.where(picked["swapped_dates"], end, start),
        end_on=np.select([picked[kind] for kind in kinds], ends, end),
    )
    made[IS_SPOILT] |= drawn > 0
    for kind in kinds:
        tally.add(kind, name, picked[kind].sum())
    parts = [write_dates(made), write_dates(second.assign(**{IS_SPOILT: True}))]
    return _write_far_ends(name, pd.concat(parts, ignore_index=True), rates, seed, tally)


def write_dates(table: pd.DataFrame) -> pd.DataFrame:
    """Dates as ISO text, None where there is none; columns that are text already stay."""
    texts = {
        name: np.where(table[name].notna(), table[name].dt.strftime("%Y-%m-%d"), None)
        for name in table.columns
        if pd.api.types.is_datetime64_any_dtype(table[name])
    }
    for name, text in texts.items():
        table = table.assign(**{name: pd.Series(text, table.index, dtype=object)})
    return table


def _write_far_ends(
    name: str, table: pd.DataFrame, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Give some of what still goes on a last day beyond all calendars."""
    is_far = _pick(seed, table, f"far_{name}", rates["far_end"])
    is_far &= (table["start_on"].notna() & table["end_on"].isna()).to_numpy()
    is_far &= ~table[IS_SPOILT].to_numpy()
    table.loc[is_far, ["end_on", IS_SPOILT]] = (FAR_END, True)
    tally.add("far_end", name, is_far.sum())
    return table


def _retype(
    name: str, table: pd.DataFrame, column: str, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Write some codes as a person types them: in another case, with blanks around them."""
    stream = f"{name}_{column}"
    shares = (rates["code_other_case"], rates["code_with_blanks"])
    places = np.arange(len(table), dtype=np.int64)
    drawn = draw_category(seed, places, f"fault_typed_{stream}", (1 - sum(shares), *shares))
    turns = draw_days(seed, places, f"fault_case_{stream}", 0, len(CASES) - 1)
    codes = table[column].astype(object).to_numpy()
    is_filled = table[column].notna().to_numpy()
    ways: tuple[tuple[str, Callable[[str, int], str]], ...] = (
        ("code_other_case", lambda code, turn: CASES[turn](code)),
        ("code_with_blanks", lambda code, turn: f" {code} "),
    )
    for place, (rule, spoil) in enumerate(ways):
        mine = (drawn == place + 1) & is_filled
        codes[mine] = [spoil(*one) for one in zip(codes[mine], turns[mine].tolist(), strict=True)]
        tally.add(rule, name, mine.sum())
    table[column] = codes
    table[IS_SPOILT] |= drawn > 0
    return table


def _double(
    name: str, table: pd.DataFrame, rates: FaultRates, seed: int, tally: Tally
) -> pd.DataFrame:
    """Write some rows twice, the second one anywhere below."""
    is_double = _pick(seed, table, f"double_{name}", rates["exact_duplicate"])
    is_double &= ~table[IS_SPOILT].to_numpy()
    tally.add("exact_duplicate", name, is_double.sum())
    return pd.concat([table, table[is_double]], ignore_index=True)
