"""One mutant through `validate` and, where it conforms, `estimate`: what came of it."""

from __future__ import annotations

import csv
import io
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from unittest import mock

import pandas as pd

from revictimisation.commands.estimate import estimate_study
from revictimisation.core.engine import Engine, connect
from revictimisation.core.errors import RevictimisationError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract import validation
from revictimisation.extract.validation import LoadedExtract, load_extract, render_findings
from revictimisation.plan import read_plan
from revictimisation.plan.parts import CLEANING_RULES
from revictimisation.simulate import simulate_county
from tests.fuzz.mutations import Extract, mutate

STUDY = """\
name: fuzz
measures: {non_contact_order: , joint: {joint_within_days: 30, grace_days: 60}}
adjust_for: [sex, age_group, risk_level]
subgroups: [sex]
for_whom: {combined: {}}
report_at_days: [365, 1461]
bootstrap: {replicates: 0, seed: 1}
"""
DOCUMENTED = (0, 2, 3, 4, 5)
# Rows left out of a table, told as a finding: their number is not that of the table.
LEFT_OUT = {"ragged_row", "unreadable_file", "two_files", "empty_file", "missing_column"}


@dataclass
class Outcome:
    """What came of a mutant: exit codes of the two commands, and every fault of ours."""

    number: int
    mutations: list[str]
    validate: int = -1
    estimate: int | None = None
    faults: list[str] = field(default_factory=list)

    def record(self) -> dict[str, object]:
        """As data."""
        return asdict(self)


def make_extract(n_people: int, seed: int) -> Extract:
    """A small county as CSV files."""
    tables = simulate_county("calibrated", n_people, seed)
    return {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n").encode()
        for name, table in tables.items()
        if name != "truth"
    }


def write_study(folder: Path, number: int) -> Path:
    """The study: of every four mutants one is not cleaned, the others by all rules."""
    path = folder / "study.yaml"
    rules = f"cleaning: [{', '.join(CLEANING_RULES)}]\n" if number % 4 else ""
    path.write_text(STUDY + rules, encoding="utf-8")
    return path


def try_mutant(
    folder: Path, seed: int, number: int, extract: Extract, is_estimated: bool = True
) -> Outcome:
    """Write a mutant, do in this process what both commands do, and look at what they left.

    A fault of ours is: an exception that is not a documented one, a numerical warning, rows that
    are not accounted for. Messages of exceptions are left out, their place is kept.
    """
    made, done = mutate(seed, number, extract)
    data, study = folder / "data", write_study(folder, number)
    data.mkdir()
    for name, content in made.items():
        (data / name).write_bytes(content)
    outcome = Outcome(number, done)
    loaded: list[LoadedExtract] = []
    with warnings.catch_warnings(record=True) as seen, _open() as con:
        warnings.simplefilter("always")
        outcome.validate = _run(
            outcome, "validate", lambda: _validate(outcome, con, data, study, loaded)
        )
        if outcome.validate == 0 and is_estimated:
            out = folder / "out"
            outcome.estimate = _run(
                outcome, "estimate", lambda: _estimate(data, study, out, loaded[0])
            )
            if outcome.estimate == 0:
                _run(outcome, "accounts", lambda: _check_attrition(outcome, data, out))
    for one in seen:
        if issubclass(one.category, RuntimeWarning | FutureWarning):
            place = f"{Path(one.filename).name}:{one.lineno}"
            outcome.faults.append(f"{one.category.__name__} {place} {one.message}")
    return outcome


@contextmanager
def _open() -> Iterator[Engine]:
    con = connect(threads=1)
    try:
        yield con
    finally:
        con.disconnect()


def _run(outcome: Outcome, name: str, command) -> int:
    """The exit code that the command line would give."""
    try:
        return command()
    except RevictimisationError as fault:
        return fault.exit_code
    except Exception as fault:
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        outcome.faults.append(f"{name}: {type(fault).__name__} {place}")
        return 1


def _validate(
    outcome: Outcome, con: Engine, data: Path, study: Path, loaded: list[LoadedExtract]
) -> int:
    """As `acceptance.validate_folder`, which does not give the tables that are looked at here."""
    plan = read_plan(study.read_text(encoding="utf-8"))
    extract = load_extract(con, data, load_dictionary(), plan)
    loaded.append(extract)
    _check_rows(outcome, data, extract)
    if not render_findings(extract.findings):
        outcome.faults.append("validate: says nothing")
    return 3 if extract.errors else 0


def _estimate(data: Path, study: Path, out: Path, extract: LoadedExtract) -> int:
    """The command, but for its reading of the extract, which was done the same way before."""
    with mock.patch.object(validation, "load_extract", lambda *given, **more: extract):
        estimate_study(study, data, out, "fuzz", jobs=1)
    return 0


def count_rows(path: Path) -> int | None:
    """Data rows of a CSV file as Python's own reader counts them; None where it can't tell."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    csv.field_size_limit(10_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return sum(1 for row in rows if row) - 1


def _check_rows(outcome: Outcome, data: Path, extract: LoadedExtract) -> None:
    """Rows in the file are rows read, ragged ones (told) or rows that cleaning dropped (told)."""
    dropped: dict[str, int] = {}
    for line in extract.cleaned:
        dropped[line.table] = dropped.get(line.table, 0) + line.n_dropped
    for path in sorted(data.iterdir()):
        table = path.stem
        told = {one.rule: one.count for one in extract.findings if one.table == table}
        n_rows = count_rows(path) if table in extract.row_counts else None
        if n_rows is None or set(told) & LEFT_OUT:
            continue
        found = extract.row_counts[table] + dropped.get(table, 0)
        if found != n_rows:
            outcome.faults.append(f"rows: {table} has {n_rows}, accounted for {found}")


def _check_attrition(outcome: Outcome, data: Path, out: Path) -> int:
    attrition = pd.read_parquet(out / "restricted" / "attrition.parquet")
    for step, lines in attrition.groupby("step", sort=False):
        left, dropped = lines["n_reports"].to_numpy(), lines["n_dropped"].to_numpy()
        path = data / f"{step}.csv"
        n_rows = count_rows(path) if path.exists() else 0
        if n_rows is not None and left[0] != n_rows:
            outcome.faults.append(f"attrition: {step} begins with {left[0]} of {n_rows} rows")
        if (left[1:] != left[:-1] - dropped[1:]).any() or (dropped < 0).any():
            outcome.faults.append(f"attrition: {step} does not add up")
    return 0
