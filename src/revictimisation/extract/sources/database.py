"""Reads from PostgreSQL over a connection string, in a transaction that can't write.

The password comes from PGPASSWORD, a PGPASSFILE or the connection string. Nothing the server or
its library says is passed on: it may quote the string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.core.errors import UsageError
from revictimisation.extract.sources.faults import UnreadableFileError
from revictimisation.extract.sources.staging import CHUNK_ROWS, Staged, stage_chunks, transpose

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
# An address or settings, whether they can be used or not; a path has neither.
CONNECTION = re.compile(
    r"(?i)\s*([a-z][a-z0-9+]+://|(host|hostaddr|port|user|uid|password|pwd|server|service|"
    r"database)\s*=|[^/\\]*dbname\s*=)"
)
# What a server's error code means to the one who asks; codes begin with their class.
KINDS = {
    "28": "database_refused",
    "3D": "database_missing",
    "42501": "database_forbidden",
    "42P01": "database_no_table",
    "3F": "database_no_table",
    "25006": "database_read_only",
    "42": "database_query",
    "22": "database_query",
    "0A": "database_query",
}
WORDS = {
    r"password|lösenord|pg_hba": "database_refused",
    r"(database|databasen) .*(does not exist|existerar inte|finns inte)": "database_missing",
}
LIST_TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2
"""


def is_database(source: str) -> bool:
    """Whether a source is a connection string, also a wrong one, and not a path.

    >>> is_database("postgresql://analytiker@db/vardag"), is_database("host=db dbname=vardag")
    (True, True)
    >>> is_database("uttag/2013"), is_database("C:/uttag"), is_database("uttag/ar=2013")
    (False, False, False)
    """
    return CONNECTION.match(source) is not None


def describe_database(source: str) -> str:
    """Where a connection string leads: server and database, never the password.

    >>> describe_database("postgresql://analytiker:hemligt@db:5433/vardag")
    'vardag@db'
    """
    given = _parse(source)
    return f"{given.get('dbname', '')}@{given.get('host', 'localhost')}"


def list_database_tables(source: str) -> list[str]:
    """The tables and views that may be read, as `schema.name`, in order."""
    with open_database(source) as connection:
        return [".".join(found) for found in connection.execute(LIST_TABLES).fetchall()]


@contextmanager
def open_database(source: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Open a connection whose one transaction is read-only; it is undone at the end.

    Raises `UnreadableFileError` with the kind of what went wrong, also within the block.
    """
    try:
        import psycopg
    except ImportError:
        raise UsageError(
            "För databaser behövs paketet psycopg: installera revictimisation[database].\n"
            "Databases need the package psycopg: install revictimisation[database]."
        ) from None
    settings = {
        **_parse(source),
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "revictimisation",
        "options": "-c default_transaction_read_only=on -c datestyle=ISO",
    }
    try:
        with psycopg.connect(**settings) as connection:
            connection.execute("SET TRANSACTION READ ONLY")
            yield connection
            connection.rollback()
    except psycopg.Error as fault:
        raise UnreadableFileError(_find_kind(fault)) from None


def stage_database(source: str, query: str, table: str, target: Path) -> Staged:
    """Stage what a table or a query gives, by a cursor on the server, a chunk at a time.

    Rows are numbered from 1 as the server gave them. The query is one statement that reads.
    """
    if ";" in query.rstrip().rstrip(";"):
        raise UnreadableFileError("database_query")
    with open_database(source) as connection:
        asked = query.rstrip().rstrip(";") if query else _select_all(connection, table)
        names = _read_names(connection, asked)
        written, n_rows = stage_chunks(
            _list_chunks(connection, asked, len(names)), len(names), target
        )
    return Staged(written, names, 1, n_rows=n_rows)


def _parse(source: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(source.strip()).items()}
    except ProgrammingError:
        raise UnreadableFileError("database_address") from None
    # A password that is not percent-encoded spills over into what comes after it.
    told = "".join(given.get(name, "") for name in ("host", "port", "dbname"))
    if re.search(r"[@?#]", told) or not re.fullmatch(r"[\d,]*", given.get("port", "")):
        raise UnreadableFileError("database_address")
    return dict(given)


def _find_kind(fault: psycopg.Error) -> str:
    code = fault.sqlstate or ""
    for length in (5, 2):
        if code[:length] in KINDS:
            return KINDS[code[:length]]
    # A connection that was not made has no code, only words.
    said = "" if code else str(fault).lower()
    found = [kind for words, kind in WORDS.items() if re.search(words, said)]
    return found[0] if found else "database_away"


def _select_all(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> str:
    from psycopg import sql

    named = sql.Identifier(*table.split("."))
    return sql.SQL("SELECT * FROM {}").format(named).as_string(connection)


def _read_names(connection: psycopg.Connection[tuple[Any, ...]], asked: str) -> tuple[str, ...]:
    cursor = connection.execute(_wrap("*", asked, "") + " LIMIT 0")
    return tuple(column.name for column in cursor.description or ())


def _list_chunks(
    connection: psycopg.Connection[tuple[Any, ...]], asked: str, n_columns: int
) -> Iterator[Sequence[Any]]:
    """Columns are named by place, so that no name of theirs gets into the statement."""
    import pyarrow as pa

    places = [f"c{place}" for place in range(n_columns)]
    cells = ", ".join(f"{place}::text" for place in places)
    with connection.cursor(name="extract") as cursor:
        cursor.execute(_wrap(cells, asked, f"({', '.join(places)})"))
        while rows := cursor.fetchmany(CHUNK_ROWS):
            columns = transpose(rows, n_columns)
            yield [pa.array(column, pa.string()) for column in columns]


def _wrap(cells: str, asked: str, places: str) -> Any:
    # The line break ends a comment that the query may end with.
    return f"SELECT {cells} FROM ({asked}\n) AS asked{places}"
