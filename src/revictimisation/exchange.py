"""What agencies do before their extracts meet: keys and pseudonyms, from files to files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from revictimisation import files
from revictimisation.errors import UsageError
from revictimisation.keys import make_key, read_key, write_key

FACTS = "pseudonymisation.json"
SIMULATION = "simulation.json"


@dataclass(frozen=True)
class Wishes:
    """What the command `pseudonymise` was asked for beside its folders and key."""

    reference_on: dt.date | None = None
    excluded: Collection[str] = ()
    source: str = ""
    is_emptied: bool = False
    has_linkage_fields: bool = False


def make_key_file(
    path: Path, study: str, rotation: int = 1, reference_on: dt.date | None = None
) -> str:
    """The command `make-key`: write a new key file; returns its check characters."""
    key = make_key(study, rotation, reference_on)
    write_key(path, key)
    return key.check


def pseudonymise(source: Path, out: Path, key_file: Path, wishes: Wishes) -> str:
    """The command `pseudonymise`: the extract in `source` with pseudonyms, in `out`.

    Returns what was found, as text. Nothing is written where something is refused.
    """
    from revictimisation import pseudonyms
    from revictimisation.dictionary import load_dictionary
    from revictimisation.engine import connect

    _check_folders(source, out, key_file)
    key = read_key(key_file)
    dictionary, today = load_dictionary(), dt.date.today()
    tables, n_unknown = pseudonyms.read_raw_tables(connect(), source, dictionary)
    facts = files.read_json(source / SIMULATION)
    n_unknown -= any(source.glob("truth.*")) if facts else 0
    choices = pseudonyms.choose_columns(
        tables, dictionary, today, wishes.excluded, wishes.has_linkage_fields
    )
    made = pseudonyms.pseudonymise_tables(
        tables,
        choices,
        dictionary,
        key,
        reference_on=wishes.reference_on,
        today=today,
        source=wishes.source,
        is_emptied=wishes.is_emptied,
    )
    for name, table in made.tables.items():
        files.write_arrow(table.cells, out, name, table.kind)
    told = pseudonyms.describe_run(made, choices, key, wishes.source, n_unknown)
    files.write_json(out / FACTS, told)
    if facts:
        files.write_json(out / SIMULATION, facts)
    return pseudonyms.render_run(told, dictionary)


def _check_folders(source: Path, out: Path, key_file: Path) -> None:
    """The key lies apart from the data, and what is written mixes with nothing else."""
    for folder in (source, out):
        if folder.resolve() in key_file.resolve().parents:
            raise UsageError(
                f"Nyckelfilen ligger i {folder}; den får aldrig följa med uppgifterna. / "
                "The key file lies among the data; it must never travel with them."
            )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"{out} finns och är inte tom; välj en ny mapp. / It is not empty; name a new folder."
        )
