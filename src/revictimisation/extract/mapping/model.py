"""The mapping file: which of a source's tables, columns and codes are which of the dictionary's."""

from __future__ import annotations

import codecs
import unicodedata
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from revictimisation.core.errors import MappingError, StudyError
from revictimisation.core.plain_yaml import load_texts
from revictimisation.dictionary import Dictionary
from revictimisation.extract.mapping.faults import find_faults
from revictimisation.extract.sources.local_day import TIME_ZONE
from revictimisation.extract.sources.opening import Place
from revictimisation.extract.sources.text_file import ENCODINGS
from revictimisation.plan.faults import describe_fault

DateForm = Literal["iso", "day_month_year", "month_day_year", "excel_number", "sas_number"]
Decimal = Literal[",", "."]
SEPARATORS = {"tab": "\t", "\\t": "\t"}


def _check_encoding(name: str) -> str:
    """An encoding by the name that Python gives it, whatever other it was called by."""
    try:
        found = codecs.lookup(name).name if name else ""
    except LookupError:
        found = "unknown"
    if found and found not in {codecs.lookup(known).name for known in ENCODINGS}:
        raise ValueError(f"kända / known: {', '.join(ENCODINGS)}")
    return found


def _check_zone(name: str) -> str:
    if name and name not in zoneinfo.available_timezones():
        raise ValueError("ska vara en tidszon / must be a time zone: Europe/Stockholm, UTC ...")
    return name


Encoding = Annotated[str, AfterValidator(_check_encoding)]
TimeZone = Annotated[str, AfterValidator(_check_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Part):
    """How one column of the dictionary is filled.

    `source` (`from` in the file) is the source's heading, or the column's place as a number.
    `codes` gives for each of the source's codes ours, compared without regard to case; an empty
    one means missing. `others` is what every code without a line becomes. `zeros` fills digits
    with leading zeros to this width, `times` is a factor between units, `constant` a value for
    every row.
    """

    source: str = Field(default="", alias="from")
    codes: dict[str, str] = {}
    others: str | None = None
    missing: tuple[str, ...] = ()
    date: DateForm | None = None
    decimal: Decimal | None = None
    times: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)] | None = None
    zeros: Annotated[int, Field(ge=1, le=30)] | None = None
    constant: str | None = None


class Part(_Part):
    """One place of the source whose rows become rows of a table, column by column."""

    file: str = ""
    sheet: str = ""
    table: str = ""
    query: str = ""
    header_row: Annotated[int, Field(ge=1, le=1_048_576)] | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Encoding = ""
    missing: tuple[str, ...] = ()
    date: DateForm | None = None
    timezone: TimeZone = ""
    decimal: Decimal | None = None
    unique_rows: bool = False
    columns: Annotated[dict[str, Column], Field(min_length=1)]

    @property
    def place(self) -> Place:
        """Where the rows stand, for the reader."""
        return Place(
            self.file, self.sheet, self.table, self.query,
            self.header_row, self.separator, self.encoding,
        )  # fmt: skip


class Mapping(_Part):
    """A mapping file: for each table of the dictionary its parts, one after another.

    `missing`, `date`, `timezone` and `decimal` hold for every part and column that says nothing
    else. A time with a zone counts as the day it then is in `timezone`.
    """

    name: str = ""
    missing: tuple[str, ...] = ()
    date: DateForm = "iso"
    timezone: TimeZone = TIME_ZONE
    decimal: Decimal = "."
    tables: Annotated[dict[str, tuple[Part, ...]], Field(min_length=1)]


def read_mapping(text: str, dictionary: Dictionary) -> Mapping:
    """Read the text of a mapping file.

    Raises `MappingError` with every fault at once; an unknown key, table, column or code of ours is
    told with the nearest known one. A column may be given as its source's heading alone, a table
    as one part without a list. Letters written as two signs (as on a Mac) are the same as one.
    """
    try:
        given = _spell_out(load_texts(unicodedata.normalize("NFC", text)))
    except StudyError as fault:
        raise _refuse([_of_mapping(str(fault))]) from None
    faults, mapping = [], None
    try:
        mapping = Mapping.model_validate(given)
    except ValidationError as fault:
        faults = [describe_fault(error, Mapping) for error in fault.errors()]
    faults += find_faults(given.get("tables"), dictionary)
    if mapping is None or faults:
        raise _refuse(faults)
    return mapping


def _of_mapping(told: str) -> str:
    """A fault of a study file's text as one of a mapping file's."""
    renamed = told.replace("study file", "mapping file").replace("Studiefilen", "Mappningsfilen")
    return renamed.replace("`name`", "`tables`")


def _refuse(faults: list[str]) -> MappingError:
    head = "Mappningsfilen följer inte formen. / The mapping file does not conform:"
    return MappingError("\n".join([head, *(f"- {line}" for line in faults)]))


def _spell_out(given: dict[str, Any]) -> dict[str, Any]:
    """The short forms written out: a heading alone for a column, a table without a list."""
    tables = given.get("tables")
    if not isinstance(tables, dict):
        return _with_lists(given)
    parts = {
        name: tuple(_spell_part(one) for one in (some if isinstance(some, tuple) else (some,)))
        for name, some in tables.items()
    }
    return _with_lists({**given, "tables": parts})


def _spell_part(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    part = _with_lists(given)
    if part.get("separator") in SEPARATORS:
        part["separator"] = SEPARATORS[part["separator"]]
    if isinstance(part.get("columns"), dict):
        part["columns"] = {
            name: _with_lists(one) if isinstance(one, dict) else {"from": one}
            for name, one in part["columns"].items()
        }
    return part


def _with_lists(given: dict[str, Any]) -> dict[str, Any]:
    """A single missing marker as a list of one; an empty key as not given."""
    filled = {key: one for key, one in given.items() if one != "" or key == "constant"}
    if isinstance(filled.get("missing"), str):
        filled["missing"] = (filled["missing"],)
    return filled
