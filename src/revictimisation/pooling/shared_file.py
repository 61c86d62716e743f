"""One small file that a county may give others: tables as CSV, what they are, and who vouches.

A ZIP of `README.txt` (plain words, in two languages, made of the data dictionary), `about.json`
(which run, which rules, which question, and the hash of every other file) and a CSV a table. The
same tables give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import yaml

from revictimisation.core import files
from revictimisation.core.errors import DataError
from revictimisation.dictionary import Dictionary
from revictimisation.disclosure.hazard_ratios import read_moments
from revictimisation.estimators.cox_moments import Moments
from revictimisation.pooling.shared_tables import TABLES

README, ABOUT = "README.txt", "about.json"
FORMAT = 1
KNOWN = ("format", "place", "study", "run", "code", "version", "rules", "question", "files")
MOST_BYTES = 16 << 20
LANGUAGES = ("sv", "en")
TEXTS = ("measure", "reason", "level")  # which may be empty in every row
COUNTS = ("time_days", "n_people", "n_events", "from_day", "to_day")
WIDTH = 78


@dataclass(frozen=True, eq=False)
class Shared:
    """A shared file that was read: what it says of itself, and its tables by name."""

    about: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @property
    def place(self) -> str:
        """What the county calls itself."""
        return str(self.about["place"])

    @cached_property
    def moments(self) -> Moments:
        """Those of the Cox model that its tables stand for."""
        return read_moments(self.tables["hazard_ratios"], self.tables["hazard_correlations"])


def pack_shared(
    tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any], dictionary: Dictionary
) -> bytes:
    """The bytes of a shared file; `facts` are all of `about.json` but `format` and `files`."""
    contents = {f"{name}.csv": files.pack_table(tables[name]) for name in TABLES}
    contents[README] = write_readme(facts, dictionary).encode("utf-8-sig")
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(contents.items())}
    about = {"format": FORMAT, **facts, "files": hashes}
    contents[ABOUT] = f"{json.dumps(about, ensure_ascii=False, indent=2)}\n".encode()
    order = (README, ABOUT, *(f"{table}.csv" for table in TABLES))
    return files.pack_archive({name: contents[name] for name in order})


def unpack_shared(data: bytes, name: str, *, is_checked: bool = True) -> Shared:
    """What a shared file holds; `name` is what faults call it.

    Not checked: whatever has such tables, also where a part is not as its hash says.

    Raises:
        DataError: it is none, it is of another format, or a part is not as its hash says.
    """
    contents = read_contents(data, name)
    try:
        about = json.loads(contents[ABOUT])
        known = all(key in about for key in KNOWN) and about["format"] == FORMAT
        hashes = dict(about["files"])
    except (KeyError, ValueError, TypeError):
        known, about, hashes = False, {}, {}
    if not known:
        raise DataError(
            f"{name}: ingen fil från revictimisation share, eller från en annan version. / It is no"
            " file of revictimisation share, or one of another version."
        )
    asked = {README, *(f"{table}.csv" for table in TABLES)}
    changed = [one for one in sorted(asked | hashes.keys())
               if one not in contents
               or hashlib.sha256(contents[one]).hexdigest() != hashes.get(one)]  # fmt: skip
    if not asked <= contents.keys() or (
        is_checked and (changed or contents.keys() - asked - {ABOUT})
    ):
        listed = ", ".join(changed or sorted(contents.keys() - asked - {ABOUT}))
        raise DataError(
            f"{name} har ändrats sedan den skrevs ({listed}). Be om filen på nytt. / It was changed"
            " after it was written: ask for it again."
        )
    return Shared(about, {table: parse_table(contents[f"{table}.csv"]) for table in TABLES})


def read_contents(data: bytes, name: str) -> dict[str, bytes]:
    """The parts of a ZIP by their names; `DataError` for what is none, or far too large."""
    contents = files.unpack_archive(data, MOST_BYTES)
    if contents is None:
        raise DataError(
            f"{name} går inte att läsa som en ZIP-fil från share. Be om filen på nytt. / It can't"
            " be read as a ZIP file of share: ask for it again."
        )
    return contents


def parse_table(data: bytes) -> pd.DataFrame:
    """A table of a shared file: text is never missing, counts are whole or missing."""
    table = files.unpack_table(data)
    for name in table.columns:
        if name in COUNTS:
            table[name] = table[name].astype("Int64")
        elif not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].fillna("").astype(str)
        elif name in TEXTS:
            table[name] = ""
    return table


def write_readme(facts: Mapping[str, Any], dictionary: Dictionary) -> str:
    """What the file is and what each table holds, for who must decide whether it may leave."""
    texts = yaml.safe_load(files.read_text(files.package_file("pooling", "readme.yaml")))
    parts = []
    for language in LANGUAGES:
        words = texts[language]
        known = {**facts, **facts["rules"]}
        known["state"] = words["draft" if facts["is_draft"] else "released"].strip().format(**known)
        lines = [part.strip().format(**known) for part in words["opening"]]
        if facts["is_synthetic"]:
            lines.insert(1, words["synthetic"].strip())
        for name in TABLES:
            table = dictionary.tables[f"shared_{name}"]
            fields = [
                f"  {field.name}: {field.text[language]}"
                + (f" [{field.unit[language]}]" if field.unit else "")
                for field in table.fields
            ]
            head = f"{name}.csv – {table.label[language]}"
            told = f"{table.text[language]} {words['row']} {table.row[language]}."
            lines.append("\n".join([head, told, *fields]))
        lines += [part.strip().format(**known) for part in words["closing"]]
        parts.append("\n\n".join(lines))
    return wrap_lines(f"\n\n{'-' * WIDTH}\n\n".join(parts).split("\n"))


def wrap_lines(lines: Sequence[str]) -> str:
    """Lines broken at words, further ones of an item indented."""
    import textwrap

    out: list[str] = []
    for line in lines:
        indent = "      " if line.startswith("  ") else ""
        out += textwrap.wrap(
            line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\r\n".join(out) + "\r\n"
