"""Small extracts with faults, loaded with some cleaning rules named."""

from __future__ import annotations

from pathlib import Path

from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import LoadedExtract, load_extract
from revictimisation.plan import StudyPlan
from revictimisation.plan.parts import OpenEnds
from tests.validation.extracts import REQUIRED, TODAY, VALID, write_extract

POLICE, SOCIAL, REPORTS = (
    VALID[name].splitlines()[0] for name in ("police_measures", "social_interventions", "reports")
)


def load_cleaned(folder: Path, changed: dict[str, list[str]], *rules: str, **more) -> LoadedExtract:
    """Load the small extract with rows put behind those of some tables, cleaned by rules."""
    tables = {name: VALID[name] + "".join(f"{row}\n" for row in changed.get(name, ()))
              for name in {**REQUIRED, **changed}}  # fmt: skip
    plan = StudyPlan(name="mini", cleaning=rules, open_ends=OpenEnds(**more))
    return load_extract(connect(), write_extract(folder, tables), load_dictionary(), plan,
                        today=TODAY)  # fmt: skip


def rows_of(extract: LoadedExtract, table: str, *columns: str) -> list[tuple]:
    """Cells of a table as text, by row number; empty for null."""
    found = extract.tables[table].order_by("row_number").select(*columns).to_pandas()
    cells = found.astype(object).where(found.notna(), "")
    return [tuple(str(cell)[:10] for cell in row) for row in cells.itertuples(index=False)]


def tell(extract: LoadedExtract, rule: str) -> dict[str, tuple[int, int]]:
    """What a rule dropped and changed, by table; tables it left alone are not named."""
    return {
        one.table: (one.n_dropped, one.n_changed)
        for one in extract.cleaned
        if one.rule == rule and (one.n_dropped or one.n_changed)
    }


def errors(extract: LoadedExtract) -> set[tuple[str, str]]:
    return {(one.table, one.rule) for one in extract.errors}
