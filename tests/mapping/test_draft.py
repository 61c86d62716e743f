"""A draft names what it sees in the dictionary's words, marks what is unsure, shows no one."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from revictimisation.commands import map as preparation
from revictimisation.core.errors import DataError, UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.mapping import read_mapping
from revictimisation.extract.mapping.matching import match_code
from tests.cases import for_each
from tests.mapping.raw_files import (
    SECRET_NAME,
    STREET,
    identity_number,
    write_municipality,
    write_police,
    write_register,
)

DICTIONARY = load_dictionary()


def beside(folder: Path) -> Path:
    """A folder to write to, which never lies inside the source."""
    return folder.with_name(f"{folder.name}-out")


@pytest.fixture(scope="module")
def drafts(tmp_path_factory) -> dict[str, str]:
    """The drafts of the three raw sources."""
    folder = tmp_path_factory.mktemp("raw")
    sources = {
        "police": write_police(folder),
        "municipality": write_municipality(tmp_path_factory.mktemp("excel") / "insatser.xlsx"),
        "register": write_register(tmp_path_factory.mktemp("spss") / "personer.sav"),
    }
    return {
        name: preparation.draft_to(str(source), beside(folder) / name, 1).read_text(
            encoding="utf-8"
        )
        for name, source in sources.items()
    }


def test_a_draft_is_a_mapping_file(drafts):
    found = {name: read_mapping(text, DICTIONARY) for name, text in drafts.items()}
    police = found["police"].tables
    assert list(police) == ["reports", "police_measures"]
    (reports,) = police["reports"]
    assert reports.file == "anmalningar_2013.csv"
    assert {name: one.source for name, one in reports.columns.items()} == {
        "report_id": "Diarienummer",
        "victim_id": "Målsägande",
        "suspect_id": "Misstänkt",
        "reported_on": "Anmälningsdatum",
        "offence_code": "Brottskod",
        "relation": "Relation",
        "is_honour": "Heder",
        "municipality_code": "Kommun",
    }
    assert reports.columns["is_honour"].codes == {"Ja": "true", "Nej": "false"}
    (insatser,) = found["municipality"].tables["social_interventions"]
    assert (insatser.file, insatser.sheet, insatser.header_row) == ("", "Insatser", 3)
    assert insatser.columns["end_on"].date == "day_month_year"
    assert insatser.columns["municipality_code"].zeros == 4
    (people,) = found["register"].tables["persons"]
    assert people.columns["sex"].codes == {"1": "male", "2": "female"}


def test_a_draft_shows_no_one(drafts):
    for text in drafts.values():
        assert SECRET_NAME not in text and STREET not in text
        assert not re.search(r"\d{6,8}[-+]?\d{4}", text)
    assert "left out: Målsägande namn" in drafts["police"]
    assert "left out: Anteckning" in drafts["police"]
    assert "left out: Adress" in drafts["municipality"]


def draft(tmp_path, text: str, name: str = "reports.csv") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return preparation.draft_to(str(tmp_path), beside(tmp_path), 1).read_text(encoding="utf-8")


def test_only_codes_that_occur_often_are_shown(tmp_path):
    cells = ["Make"] * 5 + ["Annasmamma"] * 4 + ["Bertilsfar"] + ["Kollega"] * 6
    rows = "".join(f"r{one};v{one};{cell}\n" for one, cell in enumerate(cells))
    text = draft(tmp_path, f"report_id;victim_id;Relation\n{rows}")
    assert "Make: current_partner  # 5" in text
    assert "# Kollega: ?  # 6  utan motsvarighet / no match" in text
    assert "2 värden i 5 rader visas inte" in text
    assert "Annasmamma" not in text and "Bertilsfar" not in text
    assert "r1" not in text.replace("tables:", "") and "v1" not in text


def test_a_column_of_many_values_or_of_numbers_of_people_shows_none(tmp_path):
    rows = "".join(f"r{one};Namn{one % 61};19790229-4711\n" for one in range(61 * 5))
    text = draft(tmp_path, f"report_id;relation;sex\n{rows}")
    assert "Namn1" not in text and "4711" not in text


@for_each(
    ("days", "told"),
    [
        (["27.4.2013", "3.4.2013"], "\n          date: day_month_year"),
        (["4/27/2013", "4/3/2013"], "\n          date: month_day_year"),
        (["3.4.2013", "4.5.2013"], "\n          # date: day_month_year eller / or month_day_year"),
        (["2013-04-27", "20130427"], "\n        reported_on: Anmälningsdatum\n"),
    ],
)
def test_the_order_of_day_and_month_is_told_only_where_it_shows(tmp_path, days, told):
    rows = "".join(f"r{one};v{one};{day}\n" for one, day in enumerate(days * 5))
    assert told in draft(tmp_path, f"report_id;victim_id;Anmälningsdatum\n{rows}")


def test_a_figure_alone_is_never_sure():
    sex = DICTIONARY.tables["persons"].field("sex")
    assert match_code("2", "", sex, DICTIONARY) == ("female", False)
    assert match_code("2", "Kvinna", sex, DICTIONARY) == ("female", True)
    assert match_code("K", "", sex, DICTIONARY) == ("female", True)
    assert match_code("Ordförande", "", sex, DICTIONARY) == ("", False)


def test_what_can_not_be_read_or_belongs_nowhere_is_told(tmp_path):
    (tmp_path / "lager.csv").write_text("artikel;pris\n1;2\n")
    (tmp_path / "last.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    text = draft(tmp_path, "report_id;victim_id;reported_on\nr;v;2013-04-27\n")
    assert "# lager.csv: hör inte till någon tabell" in text
    assert "kolumner / columns:\n#   artikel\n#   pris\n" in text
    assert "# last.xlsx: Arbetsboken är låst" in text
    assert "# persons behövs också" in text


def test_no_draft_is_made_of_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "brev.docx").write_bytes(b"x")
    with pytest.raises(UsageError, match="inga filer som kan läsas"):
        preparation.draft_to(str(tmp_path / "empty"), tmp_path / "out", 1)
    (tmp_path / "last.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(DataError, match="locked_file"):
        preparation.draft_to(str(tmp_path), beside(tmp_path), 1)
    assert not (tmp_path / "out").exists() and not beside(tmp_path).exists()


def test_headings_that_are_data_are_not_told(tmp_path):
    text = draft(tmp_path, "report_id;victim_id;reported_on;19790229-4711\nr;v;2013-04-27;x\n")
    assert "4711" not in text and "left out: #4" in text


def test_a_draft_is_never_written_over(tmp_path):
    draft(tmp_path, "report_id;victim_id;reported_on\nr;v;2013-04-27\n")
    with pytest.raises(UsageError, match=r"mapping\.yaml"):
        preparation.draft_to(str(tmp_path), beside(tmp_path), 1)


def test_a_source_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="finns inte"):
        preparation.draft_to(str(tmp_path / "none"), tmp_path / "out", 1)
    (tmp_path / "last.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(DataError, match="locked_file"):
        preparation.draft_to(str(tmp_path / "last.xlsx"), tmp_path / "out", 1)


def test_columns_are_found_by_what_they_hold(tmp_path):
    relations = ["NUVARANDE PARTNER", "FÖRÄLDER", "OKÄND"]
    rows = "".join(
        f"r{one};{identity_number(one)};2013-04-{1 + one % 28:02d};{relations[one % 3]};"
        f"{'city' if one % 2 else 'NORD'}\n"
        for one in range(30)
    )
    text = draft(tmp_path, f"Diarienummer;Målsägande;Anmälningsdatum;Kol A;Kol B\n{rows}")
    assert "relation:  # kontrollera / check\n          from: Kol A" in text
    assert "FÖRÄLDER: parent  # 10" in text
    assert "police_district:  # kontrollera / check\n          from: Kol B" in text
    assert "NORD: nord  # 15" in text and "missing:" not in text


def test_long_names_of_codes_are_found_however_rare(tmp_path):
    field = DICTIONARY.tables["social_interventions"].field("intervention")
    labels = [DICTIONARY.label("measures", one, "sv") for one in DICTIONARY.allowed_codes(field)]
    rows = "".join(f"{one};{identity_number(one)};{label}\n" for one, label in enumerate(labels))
    text = draft(tmp_path, f"Beslut id;Personnummer;Insatstyp\n{rows}", "insatser.csv")
    (part,) = read_mapping(text, DICTIONARY).tables["social_interventions"]
    assert part.columns["intervention"].codes == dict(
        zip(labels, DICTIONARY.allowed_codes(field), strict=True)
    )
    assert "visas inte" not in text


def test_the_only_numbers_of_people_and_the_only_unique_column_are_guessed(tmp_path):
    rows = "".join(
        f"{one};{identity_number(one // 2)};Kontaktförbud;2013-04-27;9999-12-31\n"
        for one in range(30)
    )
    heading = "Kol A;Kol B;Åtgärdstyp;Beslutad;Slutdatum"
    text = draft(tmp_path, f"{heading}\n{rows}", "skyddsåtgärder.csv")
    assert "measure_id: Kol A  # kontrollera / check" in text
    assert "victim_id: Kol B  # kontrollera / check" in text
    assert 'missing: ["9999-12-31"]' in text


def test_what_is_needed_and_not_found_is_marked_and_counted(tmp_path):
    rows = "".join(f"Kontaktförbud;2013-04-{1 + one % 9:02d};x\n" for one in range(30))
    text = draft(tmp_path, f"Åtgärdstyp;Beslutad;Utfall\n{rows}", "skyddsåtgärder.csv")
    assert re.search(r"# victim_id: .* not found  KRÄVS / required", text)
    assert re.search(r"# report_id: .* not found\n", text)
    told = preparation.describe_draft("ra/polisen", beside(tmp_path) / "mapping.yaml")
    assert "2 kolumner som krävs men inte hittades" in told
    assert "revictimisation map ra/polisen --to MAPP --mapping" in told
    told = preparation.describe_draft(
        "postgresql://a:hemligt@b/c", beside(tmp_path) / "mapping.yaml"
    )
    assert "hemligt" not in told


def test_names_that_an_spss_file_gives_its_codes_are_matched_and_shown(tmp_path):
    frame = pd.DataFrame(
        {
            "PNR": [identity_number(one) for one in range(30)],
            "FODAR": [1950.0 + one for one in range(30)],
            "UTVDATUM": [dt.date(2013, 4, 27) if one == 3 else None for one in range(30)],
            "SKYDD": [2.0 if one == 5 else 0.0 for one in range(30)],
        }
    )
    labels = {0.0: "Ingen", 1.0: "Sekretessmarkering", 2.0: "Skyddad folkbokföring"}
    path = tmp_path / "rtb.sav"
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"SKYDD": labels})
    text = preparation.draft_to(str(path), tmp_path / "out", 1).read_text(encoding="utf-8")
    (part,) = read_mapping(text, DICTIONARY).tables["persons"]
    assert part.columns["emigrated_on"].source == "UTVDATUM"
    assert part.columns["protected_identity"].codes == {
        "0": "none",
        "1": "confidentiality_mark",
        "2": "protected_registration",
    }
    assert "# Sekretessmarkering" in text and "# Skyddad folkbokföring\n" in text


TITLED = "report_id;victim_id;Anmälningsdatum;Relation\nK1;v1;2013-04-10;Förälder\n"
TITLES = {
    "lines of one cell": ("Uttag ur RAR 2013\nKörd av: Svensson\n\n", 4),
    "padded by a spreadsheet": ("Uttag;;;\n;;;\n", 3),
    "with commas": ("Uttag ur RAR, kört av Svensson, Nilsson, Ek, 2013\n", 2),
    "with a quotation mark": ('Uttag ur "RAR\n\n', 3),
    "none": ("", None),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
@pytest.mark.parametrize("title", TITLES)
def test_headings_below_a_title_are_found_in_text(tmp_path, title, encoding):
    above, number = TITLES[title]
    (tmp_path / "anm.csv").write_bytes(f"{above}{TITLED}".encode(encoding))
    text = preparation.draft_to(str(tmp_path), beside(tmp_path), 1).read_text(encoding="utf-8")
    (part,) = read_mapping(text, DICTIONARY).tables["reports"]
    assert part.header_row == number
    assert part.columns["reported_on"].source == "Anmälningsdatum"


def test_headings_far_down_are_found_where_one_says_so(tmp_path):
    (tmp_path / "anm.csv").write_text("Om uttaget\n" * 30 + TITLED, encoding="utf-8")
    target = preparation.draft_to(str(tmp_path), beside(tmp_path), 1, 31)
    (part,) = read_mapping(target.read_text(encoding="utf-8"), DICTIONARY).tables["reports"]
    assert part.header_row == 31


def test_a_note_or_a_name_in_the_place_of_headings_is_not_quoted(tmp_path):
    (tmp_path / "brev.csv").write_text("Anna ringde\nigen\n", encoding="utf-8")
    text = draft(tmp_path, "Anna Andersson;färg\nx;y\n", "lager.csv")
    assert "# brev.csv: hör inte" in text and "columns:\n#   #1\n#   färg\n" in text
    assert "Anna" not in text


def test_until_further_notice_is_found_as_no_date(tmp_path):
    ends = ["2013-06-01", "tills vidare", "Tills vidare"]
    rows = "".join(f"{one};v{one};Kontaktförbud;2013-04-27;{ends[one % 3]}\n" for one in range(9))
    text = draft(tmp_path, f"Beslutsnummer;Målsägande;Åtgärd;Från;Till\n{rows}", "atgarder.csv")
    mapping = read_mapping(text, DICTIONARY)
    assert {one.lower() for one in mapping.missing} == {"tills vidare"}
    assert mapping.tables["police_measures"][0].columns["end_on"].source == "Till"
