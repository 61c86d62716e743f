"""Identity numbers of an extract to keyed pseudonyms; names and addresses are refused."""

from revictimisation.extract.pseudonyms.columns import ColumnChoice, choose_columns
from revictimisation.extract.pseudonyms.reading import RawTable, read_raw_tables, to_texts
from revictimisation.extract.pseudonyms.replacing import Pseudonymised, pseudonymise_tables
from revictimisation.extract.pseudonyms.telling import describe_run, render_run

__all__ = [
    "ColumnChoice",
    "Pseudonymised",
    "RawTable",
    "choose_columns",
    "describe_run",
    "pseudonymise_tables",
    "read_raw_tables",
    "render_run",
    "to_texts",
]
