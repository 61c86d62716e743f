"""Readers of the kept tables (`tables/`, a folder a study); what is not kept is empty."""

from __future__ import annotations

from pathlib import Path

from revictimisation.core import files

TABLES = Path(__file__).parent.parent / "tables"
TABLE = "table.csv"


def read_kept_texts(folder: Path = TABLES) -> dict[str, str]:
    """The tables as they are kept, by the name of their study."""
    return {
        name: files.read_text(folder / name / TABLE)
        for name in files.list_entries(folder)
        if (folder / name / TABLE).is_file()
    }
