"""One generated extract through the whole stage `estimate`, and what is wrong with its rows."""

from __future__ import annotations

import tempfile
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.cohort.preparation import prepare
from revictimisation.commands.pipeline import analyse
from revictimisation.core.engine import connect
from revictimisation.core.errors import RevictimisationError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from tests.search.expected import KEYS, expect, read_case
from tests.search.expected_courts import expect_courts
from tests.search.expected_hazards import expect_hazards
from tests.search.extracts import Case, disguise
from tests.search.judging import Fault, Judge, name_key, tell

NUMBERS = ("estimate", "se", "ci_low", "ci_high", "n_people", "n_events")


@dataclass
class Outcome:
    """What came of a case: how many rows were looked at, how many had an answer to be held to."""

    number: int
    kind: str
    rows: dict[str, int] = field(default_factory=dict)  # by status
    n_counted: int = 0
    n_disguised: int = 0
    refused: str = ""
    faults: list[Fault] = field(default_factory=list)


def estimate(case: Case) -> pd.DataFrame:
    """The exact estimates of a case, as the command has them, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder) / "case")
        plan = read_plan((Path(folder) / "case" / "study.yaml").read_text("utf-8"))
        dictionary, con = load_dictionary(), connect(threads=1)
        try:
            data = Path(folder) / "case" / "extract"
            extract = load_extract(con, data, dictionary, plan)
            extract.raise_for_errors()
            ready, attrition = prepare(extract.tables, extract.absent, dictionary, plan)
            return analyse(ready, attrition, dictionary).restricted["estimates"]
        finally:
            con.disconnect()


def prepare_judge(case: Case, rows: pd.DataFrame) -> Judge:
    """A judge of a case's rows, with every answer that is counted by hand."""
    reading = read_case(case)
    answers = {**expect(reading), **expect_hazards(reading), **expect_courts(reading)}
    return Judge(reading, rows, answers)


def try_case(case: Case, seed: int, *, is_disguised: bool) -> Outcome:
    """Run a case, hold its rows against the answers; once more in disguise where asked."""
    outcome = Outcome(case.number, case.kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            rows = estimate(case)
    except RevictimisationError as refusal:
        outcome.refused = str(refusal)
        return outcome
    except Exception as fault:
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno} {fault}"
        outcome.faults.append(_whole(case, "crash", f"{type(fault).__name__} {place}"))
        return outcome
    judge = prepare_judge(case, rows)
    for row in rows.to_dict("records"):
        outcome.faults += judge.look(row)
    outcome.rows = {str(k): int(v) for k, v in rows["status"].value_counts().items()}
    outcome.n_counted = judge.n_counted
    if is_disguised:
        outcome.faults += compare(case, rows, estimate(disguise(case, seed)))
        outcome.n_disguised = len(rows)
    return outcome


def compare(case: Case, rows: pd.DataFrame, others: pd.DataFrame) -> list[Fault]:
    """Where the same facts otherwise told give another row: another number, or another status."""
    found = {name_key(row): row for row in others.to_dict("records")}
    faults = []
    for row in rows.to_dict("records"):
        key = name_key(row)
        other = found.pop(key, None)
        name = " | ".join("" if one is None else str(one) for one in key)
        if other is None or (row["status"], row["reason"]) != (other["status"], other["reason"]):
            got = "no row" if other is None else f"{other['status']} {other['reason']}"
            right = f"{row['status']} {row['reason']}"
            faults.append(Fault(case.number, case.kind, "status in disguise", name, got, right))
            continue
        if row["status"] != "ok":
            continue
        numbers = np.array([[one[n] for n in NUMBERS] for one in (row, other)], object)
        values = pd.to_numeric(pd.Series(numbers.ravel())).to_numpy(float).reshape(2, -1)
        apart = ~np.isclose(values[0], values[1], rtol=1e-5, atol=1e-8, equal_nan=True)
        if apart.any():
            got, right = (", ".join(tell(float(v)) for v in one[apart]) for one in values[::-1])
            check = f"other {' '.join(np.array(NUMBERS)[apart])} in disguise"
            faults.append(Fault(case.number, case.kind, check, name, got, right))
    return faults


def _whole(case: Case, check: str, got: str) -> Fault:
    return Fault(case.number, case.kind, check, " | ".join([""] * len(KEYS)), got, "an answer")


def summarise(outcomes: Sequence[Outcome]) -> list[dict]:
    """The faults by family, the most frequent first, each with its first case."""
    families: dict[str, list[Fault]] = {}
    for outcome in outcomes:
        for fault in outcome.faults:
            families.setdefault(fault.family, []).append(fault)
    return [
        {"family": name, "n_rows": len(faults), "n_extracts": len({one.number for one in faults}),
         "first": faults[0].record()}
        for name, faults in sorted(families.items(), key=lambda one: -len(one[1]))
    ]  # fmt: skip
