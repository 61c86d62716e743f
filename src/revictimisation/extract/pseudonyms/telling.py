"""Tells what pseudonymising found: counts by table, column and row, never a value or the key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from revictimisation.dictionary import Dictionary
from revictimisation.extract.identity_numbers import COMPLETED, PERSON, VALID
from revictimisation.extract.pseudonyms.columns import ColumnChoice
from revictimisation.extract.pseudonyms.keys import StudyKey
from revictimisation.extract.pseudonyms.records import RECORD_PREFIX
from revictimisation.extract.pseudonyms.replacing import PREFIXES, Pseudonymised
from revictimisation.extract.sources.faults import list_rows

FLAGS = {
    "n_coordination": ("samordningsnummer", "coordination numbers"),
    "n_test": ("möjliga testnummer (serier i ordlistan)", "possible test numbers"),
    "n_born_after": ("födda efter referensdagen", "born after the reference day"),
    "n_words": (
        "utan en enda siffra; betyder de okänd räknas alla som samma person: skriv orden under "
        "missing i mappningsfilen",
        "without any digit; if they mean unknown all count as one person: put the words under "
        "missing in the mapping file",
    ),
}


def describe_run(
    made: Pseudonymised,
    choices: Collection[ColumnChoice],
    key: StudyKey,
    source: str,
    n_unknown_files: int,
) -> dict[str, Any]:
    """What stands in `pseudonymisation.json` beside the tables; the key's check, not the key."""
    return {
        "study": key.study,
        "rotation": key.rotation,
        "key_check": key.check,
        "source": source,
        "reference_on": made.reference_on.isoformat(),
        "prefixes": {**PREFIXES, "record": RECORD_PREFIX},
        "columns": made.counts.to_dict("records"),
        "keyed": list(made.keyed),
        "after_reference": list(made.late),
        "unlike_number": list(made.unlike),
        "texts_among_codes": list(made.texts),
        "left_out": [{"column": choice.shown, "why": choice.reason} for choice in choices
                     if choice.action == "drop"],
        "unknown_files": n_unknown_files,
    }  # fmt: skip


def render_run(facts: dict[str, Any], dictionary: Dictionary) -> str:
    """The same for a terminal, in Swedish and English."""
    lines = [
        f"Nyckelns kontrolltecken / key check: {facts['key_check']} "
        f"({facts['study']}, rotation {facts['rotation']})",
        f"Referensdag för tiosiffriga nummer / reference day: {facts['reference_on']}",
    ]
    for fact in facts["columns"]:
        lines.append(_render_count(fact, dictionary))
        for flag, (sv, en) in FLAGS.items():
            if fact[flag]:
                lines.append(f"    {int(fact[flag])} {sv} / {en}")
    for fact in facts["keyed"]:
        lines.append(
            f"  {fact['table']}.{fact['column']}: {fact['n_cells']} beteckningar nycklade "
            "/ identifiers keyed"
        )
    for fact in facts["left_out"]:
        lines.append(f"  {fact['column']}: lämnas bort / left out")
    if facts["unknown_files"]:
        lines.append(
            f"  {facts['unknown_files']} filer hör inte till uttaget och lämnas bort / "
            "files are not of the extract and are left out"
        )
    return "\n".join(lines + _warn(facts))


def _render_count(one: dict[str, Any], dictionary: Dictionary) -> str:
    sv, en = (dictionary.label("identity_status", one["status"], x) for x in ("sv", "en"))
    line = f"  {one['table']}.{one['column']}: {int(one['n_cells'])} {sv} / {en}"
    if one["status"] in (VALID, "empty"):
        return line
    return f"{line}; rader / rows {list_rows(one['rows'], one['n_cells'])}"


def _warn(facts: dict[str, Any]) -> list[str]:
    found = {fact["status"] for fact in facts["columns"]}
    lines = []
    if facts["after_reference"]:
        listed = ", ".join(
            f"{fact['table']}.{fact['column']} {fact['n_rows']} rader / rows"
            for fact in facts["after_reference"]
        )
        lines.append(
            f"OBS: händelser efter referensdagen {facts['reference_on']} / events after the "
            f"reference day: {listed}. Tiosiffriga nummer kan få fel århundrade; ange uttagets "
            "sista dag, lika hos alla: --reference-date. / Ten-digit numbers may get the wrong "
            "century; give the extract's last day, the same for all."
        )
    for fact in facts["unlike_number"]:
        lines.append(
            f"OBS: {fact['column']} stämmer inte med personnumret i {fact['n_rows']} av "
            f"{fact['n_asked']} rader; är koder eller kolumner förväxlade? / differs from the "
            f"identity number in {fact['n_rows']} of {fact['n_asked']} rows: "
            f"{list_rows(fact['rows'], fact['n_rows'])}"
        )
    for fact in facts["texts_among_codes"]:
        lines.append(
            f"OBS: {fact['column']} har text med blanksteg i stället för koder; står där namn "
            "eller anteckningar? / has texts with blanks instead of codes: "
            f"{fact['n_cells']} rader / "
            f"rows {list_rows(fact['rows'], fact['n_cells'])}"
        )
    if found and not found & set(PERSON):
        lines.append(
            "OBS: inga personnummer alls; är uttaget redan pseudonymiserat? / No identity numbers "
            "at all; has the extract been pseudonymised before?"
        )
    if found - {VALID, COMPLETED, "empty"} and not facts["source"]:
        lines.append(
            "OBS: två myndigheter kan ha samma interna id; ange --source POLIS (eller liknande) "
            "innan uttagen förs samman. / Name the agency by --source before extracts are joined."
        )
    return lines
