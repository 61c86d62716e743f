"""No value from the data is ever told: not in a finding, not in an exception, not left behind."""

from __future__ import annotations

import random
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revictimisation.core.engine import connect
from revictimisation.core.errors import DataError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import frame_findings, load_extract, render_findings
from tests.cases import for_each
from tests.validation.extracts import REQUIRED, TODAY, VALID, load, write_extract

# Recognisable, and unlike any word of ours.
SECRET = "Hemligberg"
SECRET_NUMBER = "19790229-4711"


def describe_all(extract) -> str:
    """Everything that a user may come to see of the findings."""
    parts = [render_findings(extract.findings), frame_findings(extract.findings).to_csv()]
    try:
        extract.raise_for_errors()
    except DataError as fault:
        parts += [str(fault), repr(fault)]
    return "\n".join(parts)


def assert_secret(text: str) -> None:
    for word in (SECRET, SECRET.lower(), SECRET_NUMBER, "4711", "790229"):
        assert word not in text


def plant(secret: str, tables=VALID):
    """Each column of each table in turn with a planted value in its first row."""
    for name, text in tables.items():
        head, first, *rest = text.splitlines()
        for place, column in enumerate(head.split(",")):
            cells = first.split(",")
            cells[place] = secret
            yield f"{name}.{column}", {**tables, name: "\n".join([head, ",".join(cells), *rest])}


PLANTED = {
    f"{place} {secret}": tables
    for secret in (SECRET, SECRET_NUMBER)
    for place, tables in plant(secret, {key: VALID[key] for key in ("persons", "reports")})
}


@for_each("case", PLANTED)
def test_a_planted_value_is_found_fault_with_but_not_told(tmp_path, case):
    extract = load(tmp_path, {**REQUIRED, **PLANTED[case]})
    assert extract.findings
    assert_secret(describe_all(extract))


@for_each(
    "row",
    [
        f"{SECRET},{SECRET_NUMBER}",
        ",".join([SECRET] * 15),
        f'{SECRET},"{SECRET_NUMBER}',
        f'"{SECRET}"{SECRET},1980,female,0126,,,none',
    ],
)
def test_a_malformed_row_is_not_told_nor_kept(tmp_path, row):
    con = connect(threads=1)
    write_extract(tmp_path, {**VALID, "persons": f"{VALID['persons']}{row}\n"})
    extract = load_extract(con, tmp_path, load_dictionary(), today=TODAY)
    assert ("persons", "ragged_row") in {(one.table, one.rule) for one in extract.errors}
    assert_secret(describe_all(extract))
    kept = con.con.execute("SELECT table_name FROM information_schema.tables").fetchall()
    assert not [name for (name,) in kept if "reject" in name]


def test_a_first_row_of_data_is_not_told_as_headings(tmp_path):
    row = f"{SECRET_NUMBER},1980,{SECRET},0126,,,none,{SECRET_NUMBER}"
    extract = load(tmp_path, {**VALID, "persons": f"{row}\nv1,1980,female,0126,,,none,1\n"})
    assert_secret(describe_all(extract))


def test_a_heading_that_is_a_number_is_not_told(tmp_path):
    lines = VALID["persons"].splitlines()
    for name in (SECRET_NUMBER, f"x_{SECRET_NUMBER}"):
        text = "\n".join([f"{lines[0]},{name}", *(f"{line},1" for line in lines[1:])])
        extract = load(tmp_path / name, {**VALID, "persons": text})
        assert [one.rule for one in extract.findings] == ["extra_columns"]
        assert_secret(describe_all(extract))


def test_what_the_engine_says_of_a_file_is_not_told(tmp_path):
    content = f"PAR1{SECRET}{SECRET_NUMBER}PAR1"
    tables = {key: text for key, text in VALID.items() if key != "persons"}
    extract = load(tmp_path, {**tables, "persons.parquet": content})
    assert_secret(describe_all(extract))


def mutate(content: bytes, seed: int) -> bytes:
    """Flip, drop, double and cut bytes, as careless hands and bad disks do."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data) or 1)
        kind = rng.randrange(5)
        if kind == 0:
            data[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del data[place : place + rng.randint(1, 30)]
        elif kind == 2:
            data[place:place] = data[place : place + rng.randint(1, 60)]
        elif kind == 3:
            data[place:place] = rng.choice([b'"', b";", b",", b"\n", b"\r", b"\xe5", b"\xff\xfe"])
        else:
            del data[place + rng.randint(0, 200) :]
        if not data:
            break
    return bytes(data)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_mutated_files_end_in_findings_and_tell_nothing(tmp_path, seed):
    """Two files of each extract: the same words are looked for, whatever they are mutated to."""
    planted = {key: text.replace("v1", SECRET) for key, text in REQUIRED.items()}
    for more, name in enumerate(("persons", "reports")):
        planted[name] = mutate(planted[name].encode(), seed + more)
    extract = load(tmp_path / str(seed), planted)
    told = describe_all(extract)
    shown = set(re.findall(re.escape(SECRET[:6]), told, re.IGNORECASE))
    assert not shown
