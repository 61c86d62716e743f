"""Every byte searched for what names people, places, machines or days."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from revictimisation.core.packing import SHELTER_END
from revictimisation.core.results import KEYS, OK
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack.documents import read_document
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.release import TABLES, Release

Row = dict[str, Any]
NUMBER = re.compile(r"(?<![\w.+-])(?:19|20)?(\d{2})(\d{2})(\d{2})[-+]?(\d{3})(\d)(?![\w.])")
# Each pattern with what it is a trace of. No hash begins with the letter of a pseudonym.
PATTERNS = {
    "pseudonym": re.compile(r"(?<![\w#/+-])[g-z][a-z]{0,2}_?(?=[a-f]*\d)[0-9a-f]{12,37}(?![\w+/=-])"
                            r"|(?<![\w#/+-])(?=[a-f0-9]*[a-f])(?=[a-f0-9]*\d)[0-9a-f]{32}"
                            r"(?![\w+/=-])"),
    "path": re.compile(r"(?<![\w./:<])/(?:home|Users|root|tmp|mnt|srv|var|opt|media|private)/"
                       r"[\w.-]+"
                       r"|(?<!\w)[A-Za-z]:\\{1,2}(?:Users|Documents|Data|Temp)\b"),
    "email": re.compile(r"(?<![\w.])[\w.+-]{1,64}@[\w-]+\.[a-zA-Z]{2,}"),
    "password": re.compile(r"://[^\s/:@\"']+:[^\s/@\"']+@|(?:[Pp]ass(?:word|wd)|PASS(?:WORD|WD)|[Pp]wd"
                           r"|PWD|[Ll]ösenord)\s*[=:]\s*[\"']?[^\s\"'<>]{4,}"),
}  # fmt: skip
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?!\d)")
NAME = re.compile(
    r"[A-ZÅÄÖÉ][a-zåäöé]+(?: |-)[A-ZÅÄÖÉ][a-zåäöé]+|[A-ZÅÄÖ][a-zåäö]+(?:gatan|vägen|gränd) ?\d*"
)
FORMULA = re.compile(r"^[=+@\t\r]|^-(?!\d)")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff]")
TEXTS = (".csv", ".html", ".ipynb", ".json", ".svg", ".txt", ".md", ".css", ".yaml", "")
BINARY = re.compile(r'"(?:image/png|application/pdf)":\s*(?:"[^"]*"|\[[^\]]*\])')
IMAGE = re.compile(r"data:[\w/+.-]+;base64,([A-Za-z0-9+/=\\n]+)")
DRAWN = re.compile(r' d=\\?"[MLHVCSQTAZz\d\s.,e\\n-]*"')  # outlines: numbers alone
WORD = re.compile(r"[^\s\"'<>,;:()\[\]{}=&|\\]{4,}")
# Groups that no release may tell of, in any form (`codes/…`: never, no_place).
NEVER = ("protected_identity", "municipality_code")
PLACES = ("police_district", "municipality_group", "municipality_code")


def search_bytes(release: Release) -> pd.DataFrame:
    """Traces in every public file, one finding per file and kind; and in the tables' own texts.

    `pseudonym`, `identity_number`, `email`, `password`, `path`, `control`: by their form.
    `secret`: a pseudonym or free text of the extract itself. `date`, `formula`, `name`, `group`:
    in a text of a table.
    """
    rows: list[Row] = []
    words = _first_words(release.secrets)
    for path in release.paths:
        if (release.root / path).is_symlink():
            continue
        text = _to_text(path, release)
        if text is not None:
            rows += _search(path, text, release.secrets, words)
    for name in TABLES:
        table = release.tables.get(name)
        if table is not None:
            rows += _read_cells(name, table, release)
    rows += _read_groups(release)
    return make_findings(rows, kind="traces")


def _to_text(path: str, release: Release) -> str | None:
    """A file's text: pictures inside it decoded, those of dots left out."""
    data = release.read(path)
    if path.endswith(".parquet"):
        return _read_parquet(release, path, data)
    if path.endswith(".pdf"):
        return read_document(data)
    if path.endswith(".png"):  # dots; `carriers` reads what may lie beside them
        return None
    if not path.endswith(TEXTS) and "." in path.rpartition("/")[2]:
        return data.decode("latin-1")
    text = BINARY.sub("", data.decode("utf-8", "replace"))
    return DRAWN.sub("", IMAGE.sub(_decode, text))


def _decode(found: re.Match[str]) -> str:
    if not found[0].startswith("data:image/svg"):
        return ""
    try:
        return base64.b64decode(found[1].replace("\\n", "")).decode("utf-8", "replace")
    except ValueError:
        return ""


def _read_parquet(release: Release, path: str, data: bytes) -> str:
    """The texts of a Parquet file: its columns and its metadata, which may be compressed."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(release.root / path)
    metadata = (file.schema_arrow.metadata or {}).items()
    said = [value.decode("utf-8", "replace") for key, value in metadata if key != b"ARROW:schema"]
    table = file.read().to_pandas()
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            said += [str(value) for value in table[name].dropna().unique()]
    return "\n".join(said)


def _search(
    path: str, text: str, secrets: Iterable[str], words: dict[str, list[str]]
) -> Iterator[Row]:
    for what, pattern in PATTERNS.items():
        n_found = sum(1 for _ in pattern.finditer(text))
        if n_found:
            yield {"what": what, "place": path, "row": f"{n_found}"}
    n_numbers = sum(_is_identity_number(found) for found in NUMBER.finditer(text))
    if n_numbers:
        yield {"what": "identity_number", "place": path, "row": f"{n_numbers}"}
    if CONTROL.search(text.lstrip("\ufeff")):
        yield {"what": "control", "place": path}
    if words:
        held = {*WORD.findall(text)} & words.keys()
        n_secrets = sum(secret in text for word in held for secret in words[word])
        if n_secrets:
            yield {"what": "secret", "place": path, "row": f"{n_secrets}"}


def _first_words(secrets: Iterable[str]) -> dict[str, list[str]]:
    """The secrets by a word of each, so that only those whose word is there are looked for."""
    found: dict[str, list[str]] = {}
    for secret in secrets:
        words = WORD.findall(secret)
        if words:
            found.setdefault(max(words, key=len), []).append(secret)
    return found


def _is_identity_number(found: re.Match[str]) -> bool:
    """A day that exists (coordination numbers add 60) and a check digit that fits (Luhn)."""
    year, month, day, serial, check = found.groups()
    try:
        dt.date(2000 + int(year), int(month), int(day) - 60 * (int(day) > 60))
    except ValueError:
        return False
    digits = [int(digit) for digit in year + month + day + serial]
    doubled = [digit * 2 if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    return (sum(digit // 10 + digit % 10 for digit in doubled) + int(check)) % 10 == 0


def _read_cells(name: str, table: pd.DataFrame, release: Release) -> Iterator[Row]:
    """Texts of a table that are a date, a formula of a spreadsheet, or a name or address."""
    known = _list_known(release)
    for column in table.columns:
        if pd.api.types.is_numeric_dtype(table[column].dtype):
            continue
        for text in table[column].unique():
            if text in known:
                continue
            for what, pattern in (("date", DATE), ("formula", FORMULA), ("name", NAME)):
                if pattern.search(text):
                    yield {"what": what, "place": name, "column": column,
                           "row": f"{int(table[column].eq(text).sum())}"}  # fmt: skip


def _list_known(release: Release) -> set[str]:
    """Codes of the dictionary and words of the study file."""
    dictionary = load_dictionary()
    found = {"", OK}
    for name in ("measures", "offence_groups", "municipality_group", "relation", "common"):
        found |= {str(code) for code in dictionary.codes(name)["code"]}
    return found


def _read_groups(release: Release) -> Iterator[Row]:
    """Shown rows of a measure or group that may never be shown, or not by place.

    A row tells of the measures in its level, too; what follows a stay in shelter tells of the stay.
    In a study of chosen places all is by place.
    """
    rows, plan = release.estimates, release.plan
    table = load_dictionary().codes("measures")
    named: dict[str, tuple[str, ...]] = {code: (code,) for code in table["code"]}
    named[SHELTER_END] = ("sheltered_housing",)
    is_of_place = False
    if plan:
        named |= {name: measure.codes for name, measure in plan.measures.items()}
        named[SHELTER_END] = plan.sequential.shelter
        is_of_place = bool(plan.eligibility.districts or plan.eligibility.municipalities)
    of_kind = table.groupby("disclosure")["code"].agg(set)

    def is_told(kind: str) -> pd.Series:
        codes = {name for name, made_of in named.items() if of_kind[kind].intersection(made_of)}
        levels = {text: bool(codes.intersection(re.split(r" > |_less_|[ :+]", text)))
                  for text in rows["level"].unique()}  # fmt: skip
        return rows["measure"].isin(codes) | rows["level"].map(levels).astype(bool)

    is_never = is_told("never") | rows["subgroup"].isin(NEVER)
    is_never |= rows["subgroup"].str.startswith("x_")
    is_placed = is_told("no_place") & (rows["subgroup"].isin(PLACES) | is_of_place)
    found = rows[rows["status"].eq(OK) & (is_never | is_placed)]
    for text in name_rows(found, KEYS):
        yield {"what": "group", "place": "estimates", "row": text}
