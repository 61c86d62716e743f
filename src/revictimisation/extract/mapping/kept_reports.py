"""The reports that `map` left beside its tables: whose they are, and whether they are done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from revictimisation.core import files
from revictimisation.core.errors import DataError
from revictimisation.extract.sources.formats import TABLE_SUFFIXES

REPORT = "_report"


def find_reports(folder: Path) -> dict[str, dict[str, Any]]:
    """What each mapping file's last run said, by the mapping's name."""
    found = {}
    for path in sorted(folder.glob(f"*{REPORT}.json")):
        facts = files.read_json(path)
        if facts and isinstance(facts.get("is_complete"), bool) and "tables" in facts:
            found[path.stem.removesuffix(REPORT)] = facts
    return found


def check_complete(folder: Path) -> None:
    """Raise `DataError` where a mapping's last run failed or left values without a place."""
    names = [name for name, facts in find_reports(folder).items() if not facts["is_complete"]]
    if names:
        listed = ", ".join(f"{name} ({name}{REPORT}.txt)" for name in names)
        raise DataError(
            f"Uttaget i {folder} är inte klart: map slutade med fel för {listed}. Läs rapporten, "
            "rätta mappningsfilen eller källan och kör map igen, tills den slutar med 0.\n"
            f"The extract in {folder} is not complete: map ended with faults for {listed}. Read "
            "the report, correct the mapping file or the source and run map again until it ends "
            "with 0."
        )


def list_own(folder: Path, facts: Mapping[str, Any] | None) -> list[str]:
    """The files that a report says its run wrote and that are still there."""
    names = [one["name"] for one in (facts or {}).get("tables", ())]
    told = (facts or {}).get("files", [f"{name}{end}" for name in names for end in TABLE_SUFFIXES])
    return [name for name in told if (folder / name).exists()]


def leave_failure(folder: Path, name: str, told: str) -> str:
    """Replace the report of an earlier run by why this one failed; what to add to the message.

    Without an earlier report nothing is written. The tables of that run are not touched, but the
    report says that they are not this run's, and `pseudonymise` does not take them.
    """
    earlier = files.read_json(folder / f"{name}{REPORT}.json")
    if earlier is None:
        return ""
    own = list_own(folder, earlier)
    kept = ""
    if own:
        listed = ", ".join(own)
        kept = (
            f"Förra körningens tabeller ligger kvar i {folder}: {listed}. De är inte av denna"
            " körning, och pseudonymise tar dem inte."
            f"\nThe tables of the last run still lie in {folder}: {listed}. They are not of this"
            " run, and pseudonymise does not take them."
        )
    facts = {"is_complete": False, "has_failed": True, "remarks": []}
    tables = earlier.get("tables", [])
    files.write_text(folder / f"{name}{REPORT}.txt", "\n\n".join(filter(None, (told, kept))) + "\n")
    files.write_json(folder / f"{name}{REPORT}.json", {**facts, "tables": tables, "files": own})
    return kept


def remove_gone(
    folder: Path, name: str, earlier: Mapping[str, Any] | None, made: Collection[str]
) -> str:
    """Remove what the mapping's last run wrote and this one no longer makes; tells which.

    A file that another mapping's report claims stays.
    """
    others = [facts for other, facts in find_reports(folder).items() if other != name]
    claimed = {one for facts in others for one in list_own(folder, facts)}
    gone = [one for one in list_own(folder, earlier) if one not in made and one not in claimed]
    for one in gone:
        files.remove_file(folder / one)
    listed = ", ".join(gone)
    return (
        f"Borttaget, eftersom mappningen inte längre gör det: {listed}"
        f" / removed, as the mapping no longer makes it: {listed}"
        if gone
        else ""
    )
