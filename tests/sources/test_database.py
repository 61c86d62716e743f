"""A database is read, never written, and its password never told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("the server is started as Debian has it", allow_module_level=True)
psycopg = pytest.importorskip("psycopg")

from revictimisation.commands import map as preparation  # noqa: E402
from revictimisation.core.errors import DataError, RevictimisationError  # noqa: E402
from revictimisation.extract.sources import database  # noqa: E402
from revictimisation.extract.sources.faults import UnreadableFileError  # noqa: E402
from tests.cases import for_each  # noqa: E402
from tests.sources.postgres import PASSWORD, find_binaries, run_server  # noqa: E402

pytestmark = pytest.mark.xdist_group("postgres")
N_ROWS = 2_500


@pytest.fixture(scope="module")
def host():
    if find_binaries() is None:
        if os.environ.get("REVICTIMISATION_REQUIRE_POSTGRES"):
            pytest.fail("no PostgreSQL server here: install Debian's package postgresql")
        pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")
    with run_server() as folder:
        fill(folder)
        yield folder


def fill(host: str) -> None:
    """A table of reports, one that a second user may not read, and a view."""
    with psycopg.connect(
        host=host, user="analytiker", password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("CREATE DATABASE vardag")
        connection.execute(f"CREATE USER lasare PASSWORD '{PASSWORD}'")
    with psycopg.connect(
        host=host, user="analytiker", password=PASSWORD, dbname="vardag"
    ) as connection:
        connection.execute(
            "CREATE TABLE anmalan AS SELECT 'K' || n AS diarienummer, 'p' || n % 99 AS malsagande,"
            " DATE '2013-01-01' + (n % 365)::int AS anmalningsdatum, n % 2 = 0 AS heder,"
            " CASE WHEN n % 3 = 0 THEN 'Make' ELSE 'Förälder' END AS relation,"
            " (n / 10.0)::numeric(10, 2) AS belopp"
            f" FROM generate_series(1, {N_ROWS}) AS n"
        )
        connection.execute("CREATE TABLE hemlig (a int)")
        connection.execute("CREATE SEQUENCE raknare")
        connection.execute("GRANT SELECT ON anmalan TO lasare")


@pytest.fixture
def source(host, monkeypatch) -> str:
    """A connection string without a password, which stands in the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return f"postgresql://analytiker@/vardag?host={host}"


MAPPING = """\
tables:
  reports:
    - table: public.anmalan
      columns:
        report_id: diarienummer
        victim_id: malsagande
        reported_on: anmalningsdatum
        is_honour: heder
        relation: {from: relation, codes: {Make: current_partner, Förälder: parent}}
"""


def test_rows_come_in_chunks_as_text(source, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setattr(database, "CHUNK_ROWS", 1000)
    query = "SELECT * FROM anmalan ORDER BY length(diarienummer), diarienummer;"
    staged = database.stage_database(source, query, "", tmp_path / "rows.parquet")
    assert staged.names[:3] == ("diarienummer", "malsagande", "anmalningsdatum")
    rows = pq.read_table(staged.path)
    assert (staged.n_rows, rows.num_rows) == (N_ROWS, N_ROWS)
    assert pq.ParquetFile(staged.path).num_row_groups == 3
    first = {name: rows.column(name)[0].as_py() for name in rows.column_names}
    assert list(first.values()) == ["K1", "p1", "2013-01-02", "false", "Förälder", "0.10"]


def test_a_draft_and_an_extract_from_a_database(source, tmp_path):
    text = preparation.draft_to(source, tmp_path, 2).read_text(encoding="utf-8")
    assert "table: public.anmalan" in text and "report_id: diarienummer" in text
    assert PASSWORD not in text
    (tmp_path / "m.yaml").write_text(MAPPING, encoding="utf-8")
    report, is_complete = preparation.map_to(
        source, tmp_path / "out", tmp_path / "m.yaml", "csv", 2
    )
    assert is_complete and f"{N_ROWS} rader in, {N_ROWS} ut" in report
    lines = (tmp_path / "out" / "reports.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == N_ROWS + 1
    assert lines[1].startswith("K1,p1,,2013-01-02,,,parent,false")
    told = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("m_*"))
    assert PASSWORD not in report + told


WRITES = (
    "INSERT INTO hemlig VALUES (1) RETURNING a",
    "SELECT nextval('raknare')",
    "WITH new AS (INSERT INTO hemlig VALUES (1) RETURNING a) SELECT * FROM new",
    "SELECT 1) AS asked; DROP TABLE hemlig; --",
)


@for_each("query", WRITES)
def test_nothing_can_be_written(source, tmp_path, query):
    with pytest.raises(UnreadableFileError) as fault:
        database.stage_database(source, query, "", tmp_path / "rows.parquet")
    assert fault.value.kind in ("database_read_only", "database_query")


def test_the_server_itself_refuses_to_write(source):
    for statement in ("INSERT INTO hemlig VALUES (1)", "CREATE TABLE ny (a int)"):
        with (
            pytest.raises(UnreadableFileError) as fault,
            database.open_database(source) as connection,
        ):
            connection.execute(statement)
        assert fault.value.kind == "database_read_only"


def test_a_password_file_is_read(host, monkeypatch, tmp_path):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    path = tmp_path / "pgpass"
    path.write_text(f"*:*:vardag:analytiker:{PASSWORD}\n")
    path.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(path))
    tables = database.list_database_tables(f"host={host} dbname=vardag user=analytiker")
    assert tables == ["public.anmalan", "public.hemlig"]


def wrong(host: str) -> dict[str, tuple[str, str]]:
    """Connection strings with a password, and the fault of each."""
    end = f"/vardag?host={host}"
    return {
        "wrong password": (f"postgresql://analytiker:fel-{PASSWORD}@{end}", "database_refused"),
        "wrong user": (f"postgresql://ingen:{PASSWORD}@{end}", "database_refused"),
        "no such database": (
            f"postgresql://analytiker:{PASSWORD}@/finns_inte?host={host}",
            "database_missing",
        ),
        "server away": (
            f"postgresql://analytiker:{PASSWORD}@127.0.0.1:1/vardag",
            "database_away",
        ),
        "not an address": (f"postgresql://analytiker:{PASSWORD}@db:port/vardag", "database_a"),
        "no address at all": (f"postgresql://{PASSWORD}@[/vardag", "database_address"),
        "no right to read": (f"postgresql://lasare:{PASSWORD}@{end}", "database_forbidden"),
        "no such table": (f"postgresql://analytiker:{PASSWORD}@{end}", "database_no_table"),
    }


CASES = tuple(wrong(""))


@pytest.mark.parametrize("case", CASES)
def test_what_goes_wrong_is_told_without_the_password(host, tmp_path, monkeypatch, case, capsys):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    source, kind = wrong(host)[case]
    table = {"no right to read": "public.hemlig", "no such table": "public.saknas"}
    mapping = MAPPING.replace("public.anmalan", table.get(case, "public.anmalan"))
    (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
    with pytest.raises(RevictimisationError) as fault:
        preparation.map_to(source, tmp_path / "out", tmp_path / "m.yaml", "csv", 1)
    assert isinstance(fault.value, DataError) and kind in str(fault.value)
    if kind not in ("database_forbidden", "database_no_table"):
        with pytest.raises(DataError, match=kind) as drafted:
            preparation.draft_to(source, tmp_path / "draft", 1)
        assert PASSWORD not in str(drafted.value)
    captured = capsys.readouterr()
    assert PASSWORD not in str(fault.value) + captured.out + captured.err
    assert not any(PASSWORD in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_query_that_is_wrong_is_told(source, tmp_path):
    for query in ("SELECT nothing FROM anmalan", "SELEC 1", "SELECT 1/0"):
        with pytest.raises(UnreadableFileError) as fault:
            database.stage_database(source, query, "", tmp_path / "rows.parquet")
        assert fault.value.kind == "database_query"


def test_a_password_in_a_mapping_file_has_no_place(tmp_path):
    path = Path(tmp_path / "m.yaml")
    path.write_text(f"source: postgresql://a:{PASSWORD}@db/vardag\n{MAPPING}", encoding="utf-8")
    with pytest.raises(RevictimisationError, match="unknown key") as fault:
        preparation.map_to("dbname=vardag", tmp_path / "out", path, "csv", 1)
    assert PASSWORD not in str(fault.value)
