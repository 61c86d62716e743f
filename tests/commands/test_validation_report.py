"""`validate --report` leaves findings, counts and a page per language, and never a value."""

from __future__ import annotations

import os
import re

import pandas as pd
import pytest

from revictimisation.commands.validate import validate_folder
from revictimisation.core.errors import UsageError
from tests.cases import for_each
from tests.validation.extracts import VALID, write_extract

FAULTY = {
    **VALID,
    "persons": VALID["persons"].replace("v2,1990,male", "v2,1990,Hemligkod"),
    "reports": VALID["reports"].replace("2013-03-01,,0412", "1899-07-13,,0412"),
    "police_measures": VALID["police_measures"].replace("2012-09-06", "2012-02-28"),
}
SECRETS = ("Hemligkod", "1899-07-13", "1899", "2012-02-28", ">v1<", ">r1<", "v1,", "r1,")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    data = write_extract(folder / "data", FAULTY)
    accepted = validate_folder(data, None, folder / "out", None, jobs=1)
    return folder, accepted


def test_files_and_verdict(made):
    folder, accepted = made
    assert not accepted.is_conforming
    assert accepted.page == folder / "out" / "validation.html"
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "findings.csv", "profile.csv", "profile.parquet", "validation.html",
        "validation_en.html", "volumes.csv",
    ]  # fmt: skip
    assert {path.name for path in (folder / "data").iterdir()} == {f"{name}.csv" for name in FAULTY}


def test_a_finding_is_a_row_in_both_languages(made):
    findings = pd.read_csv(made[0] / "out" / "findings.csv", dtype={"rows": str})
    one = findings[findings["rule"] == "end_before_start"].iloc[0]
    assert [one["table"], one["column"], one["severity"], one["count"], one["rows"]] == [
        "police_measures", "end_on", "error", 1, "2",
    ]  # fmt: skip
    assert "städregel" in one["repair_sv"] and "cleaning rule" in one["repair_en"]


def test_no_value_of_the_data_is_in_any_file(made):
    for path in (made[0] / "out").iterdir():
        if path.suffix != ".parquet":
            text = path.read_text(encoding="utf-8")
            assert [one for one in SECRETS if one in text] == [], path.name


@for_each(
    ("name", "answer", "who"),
    [
        ("validation.html", "Nej, uttaget kan inte användas ännu.", "Den som sätter samman"),
        ("validation_en.html", "No, the extract cannot be used yet.", "Whoever puts"),
    ],
)
def test_a_page_begins_with_the_answer_and_loads_nothing(made, name, answer, who):
    text = (made[0] / "out" / name).read_text(encoding="utf-8")
    assert text.index(answer) < text.index(who) < text.index("<table")
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//|<script|@import", text)
    assert "&lt;5" in text


def test_the_page_does_not_claim_what_it_denies(made):
    """It has not passed disclosure control, at its top as in its footer, and counts are exact."""
    for name, passed, no in (
        ("validation.html", "har passerat röjandekontroll", "inte gått igenom röjandekontrollen"),
        ("validation_en.html", "has passed disclosure control", "not passed disclosure control"),
    ):
        text = (made[0] / "out" / name).read_text(encoding="utf-8")
        assert passed not in text and text.count(no) == 2
        assert no in text.split("<footer>")[1]
    swedish = (made[0] / "out" / "validation.html").read_text(encoding="utf-8")
    assert "Antalen är exakta" in swedish


def test_advice_fits_and_a_question_that_could_not_be_asked_says_so(tmp_path):
    """An empty column points at the mapping; a fall names its period; notices need nothing."""
    rows = [
        (at, f"{year}-{month:02d}-15")
        for year in range(2010, 2018)
        for month in range(1, 13)
        for at in range(10 if year < 2015 else 3)
    ]
    head, first, *_ = VALID["reports"].splitlines(keepends=True)
    reports = [
        first.replace("r1,", f"r{place},").replace("2012-03-01", day).replace("9353", "")
        for place, (_, day) in enumerate(rows)
    ]
    more = "".join(f"p{at},1980,female,0126,,,none\n" for at in range(9))
    people = VALID["persons"].replace("2016-05-01", "") + more
    tables = {name: VALID[name] for name in ("police_measures", "social_interventions")}
    data = {**tables, "persons": people, "reports": head + "".join(reports)}
    folder = write_extract(tmp_path / "data", data)
    accepted = validate_folder(folder, None, tmp_path / "out", None, jobs=1)
    assert "från 2015 kv 1" in accepted.text and "from 2015 Q1" in accepted.text
    findings = pd.read_csv(tmp_path / "out" / "findings.csv").set_index(["rule", "column"])
    empty = findings.loc[[one for one in findings.index if one[1] == "offence_code"]]
    assert len(empty) == 1 and "mappningsfilen" in empty["repair_sv"].iloc[0]
    assert "2015 kv 1" in findings.loc["volume_drop", "text_sv"].iloc[0]
    page = (tmp_path / "out" / "validation.html").read_text("utf-8")
    assert "kunde inte frågas: persons.died_on är tom" in page
    assert "– (får saknas)" in page and "Upplysningar behöver ingen" in page
    assert "Plötsligt färre rader (" in page.split("<table")[0]


def test_the_report_does_not_lie_among_the_files_of_the_extract(tmp_path):
    data = write_extract(tmp_path / "data")
    with pytest.raises(UsageError, match="inside, or around, what is read"):
        validate_folder(data, None, tmp_path / "x" / ".." / "data", None, jobs=1)
    assert {path.name for path in data.iterdir()} == {f"{name}.csv" for name in VALID}
    validate_folder(data, None, tmp_path / "out", None, jobs=1)
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_nobody_is_told_to_drop_suspects_whom_the_register_does_not_know(
    tmp_path,
):
    reports = VALID["reports"].replace(",s1,", ",s9,")
    notice = validate_folder(
        write_extract(tmp_path / "data", {**VALID, "reports": reports}), None, None, None, jobs=1
    ).text
    assert "unknown_reference" in notice and "räknas ändå" in notice
    assert "drop_unknown_people" not in notice
    victims = VALID["reports"].replace(",v1,", ",v9,")
    fault = validate_folder(
        write_extract(tmp_path / "other", {**VALID, "reports": victims}), None, None, None, jobs=1
    ).text
    assert "drop_unknown_people" in fault


def test_without_report_nothing_is_written(tmp_path):
    data = write_extract(tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    accepted = validate_folder(data, None, None, None, jobs=1)
    assert accepted.is_conforming and accepted.page is None
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def grow(n_rows: int, n_unknown: int) -> dict[str, str]:
    """An extract with that many reports, some of them of an unknown relation."""
    head, first, *_ = VALID["reports"].splitlines(keepends=True)
    rows = [
        first.replace("r1,", f"r{at},").replace(
            "former_partner", "unknown" if at < n_unknown else "former_partner"
        )
        for at in range(n_rows)
    ]
    return {**VALID, "reports": head + "".join(rows)}


def test_the_last_delivery_is_its_folder_or_the_report_on_it(tmp_path):
    last = write_extract(tmp_path / "last", grow(1000, 50))
    now = write_extract(tmp_path / "now", grow(1000, 400))
    validate_folder(last, None, tmp_path / "last_report", None, jobs=1)
    for number, previous in enumerate((last, tmp_path / "last_report")):
        out = tmp_path / f"out{number}"
        validate_folder(now, None, out, previous, jobs=1)
        changes = pd.read_csv(out / "changes.csv")
        told = set(changes.loc[changes["is_changed"], "level"].dropna())
        assert told == {"unknown", "former_partner"}
        findings = pd.read_csv(out / "findings.csv")
        assert "changed_since_last" in set(findings["rule"])
        assert "Annorlunda än förra leveransen" in (out / "validation.html").read_text("utf-8")


def test_what_cannot_be_held_against_is_refused(tmp_path):
    data = write_extract(tmp_path / "data")
    with pytest.raises(UsageError, match="--report"):
        validate_folder(data, None, None, data, jobs=1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="neither an extract"):
        validate_folder(data, None, tmp_path / "out", tmp_path / "empty", jobs=1)
