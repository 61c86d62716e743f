"""The command `link`, from two pseudonymised folders to one extract, and what it refuses."""

from __future__ import annotations

import datetime as dt
import json
import sys

import pandas as pd
import pytest

from revictimisation.commands.link import link_folders
from revictimisation.commands.pseudonymise import PseudonymOptions, pseudonymise_folder
from revictimisation.core.engine import connect
from revictimisation.core.errors import DataError, UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.pseudonyms.keys import make_key, write_key
from revictimisation.extract.validation import load_extract
from tests.pseudonyms.test_pseudonymise import raw_tables
from tests.validation.extracts import TODAY, write_extract

SOCIAL = ("persons", "social_interventions")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Both agencies' folders, pseudonymised; s1 is unknown to the social services."""
    root = tmp_path_factory.mktemp("link")
    key = root / "custody" / "key"
    write_key(key, make_key("county"))
    tables = raw_tables()
    people = tables["persons"].splitlines()
    client = people[1].replace("198001011231", "klient 1")
    social = {
        "persons": "\n".join([people[0], people[2], client]) + "\n",
        "social_interventions": tables["social_interventions"].replace("800101-1231", "klient 1"),
    }
    police = {name: text for name, text in tables.items() if name != SOCIAL[1]}
    for name, raw in (("police", police), ("social", social), ("other", social)):
        write_extract(root / f"{name}_raw", raw)
        source = "police" if name == "other" else name
        pseudonymise_folder(root / f"{name}_raw", root / name, key, PseudonymOptions(source=source))
    (root / "study.yaml").write_text("name: county\nlinkage: {is_on: true}\n")
    return root


def test_two_folders_become_one_extract_that_conforms(folders):
    out = folders / "joined"
    told = link_folders(folders / "police", folders / "social", folders / "study.yaml", out)
    assert "1 utan giltigt nummer" in told and "Too few links" in told
    extract = load_extract(connect(threads=1), out, load_dictionary(), today=TODAY)
    assert extract.errors == ()
    people = pd.read_csv(out / "persons.csv", dtype=str)
    assert len(people) == 4 and people["person_id"].is_unique
    facts = json.loads((out / "linkage.json").read_text())
    assert facts["reason"] == "too_few_known_links"
    # v2 is in both files of people, but nobody of the social services helped her
    assert facts["rates"]["n_linked_by_number"] == 0
    assert [one["n_reports"] for one in facts["attrition"]] == [5, 4, 4]
    released = pd.read_csv(out / "linkage" / "quality_released.csv")
    assert set(released["status"]) == {"suppressed"}


def test_folders_in_the_wrong_order_or_named_twice_are_told(folders, tmp_path):
    police, social, study = (folders / name for name in ("police", "social", "study.yaml"))
    with pytest.raises(UsageError, match=r"i fel ordning: .*reports.* ligger i .*police, men inte"):
        link_folders(social, police, study, tmp_path / "out")
    for twice in (police, social):
        with pytest.raises(UsageError, match="står två gånger"):
            link_folders(twice, police / ".." / twice.name, study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_social_services_need_no_table_of_people(folders, tmp_path):
    """Clients with a number are linked; linkage by probability says what it needs."""
    tables = raw_tables()
    write_extract(tmp_path / "raw", {SOCIAL[1]: tables[SOCIAL[1]]})
    key = folders / "custody" / "key"
    for _ in range(2):
        wishes = PseudonymOptions(source="social", reference_on=dt.date(2018, 12, 31))
        pseudonymise_folder(tmp_path / "raw", tmp_path / "social", key, wishes)
    (tmp_path / "study.yaml").write_text("name: county\n")
    police = tmp_path / "police"
    wishes = PseudonymOptions(source="police", reference_on=dt.date(2018, 12, 31))
    pseudonymise_folder(folders / "police_raw", police, key, wishes)
    out = tmp_path / "joined"
    for _ in range(2):
        told = link_folders(police, tmp_path / "social", tmp_path / "study.yaml", out)
    assert "1 länkade på nummer" in told and "kopplat bara på nummer" in told
    assert len(pd.read_csv(out / "persons.csv")) == 3
    assert load_extract(connect(threads=1), out, load_dictionary(), today=TODAY).errors == ()
    if sys.platform != "win32":
        rights = {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()}
        assert rights == {0o600} and (out / "linkage").stat().st_mode & 0o777 == 0o700
    with pytest.raises(DataError, match=r"linkage\.is_on"):
        link_folders(police, tmp_path / "social", folders / "study.yaml", tmp_path / "x")
    (police / "persons.csv").unlink()
    with pytest.raises(DataError, match="Lägg registrets persons"):
        link_folders(police, tmp_path / "social", tmp_path / "study.yaml", tmp_path / "x")


def test_extracts_that_do_not_belong_together_are_refused(folders, tmp_path):
    def link(police, social, name):
        return link_folders(police, social, folders / "study.yaml", tmp_path / name)

    with pytest.raises(DataError, match="same --source"):
        link(folders / "police", folders / "other", "a")
    with pytest.raises(DataError, match="Run pseudonymise first"):
        link(folders / "police_raw", folders / "social", "b")
    write_key(tmp_path / "custody" / "key", make_key("county"))
    pseudonymise_folder(
        folders / "social_raw", tmp_path / "foreign", tmp_path / "custody" / "key",
        PseudonymOptions(source="social"),
    )  # fmt: skip
    with pytest.raises(DataError, match="different keys"):
        link(folders / "police", tmp_path / "foreign", "c")
    (tmp_path / "study.yaml").write_text("name: other\n")
    with pytest.raises(DataError, match="may not join two studies"):
        link_folders(
            folders / "police", folders / "social", tmp_path / "study.yaml", tmp_path / "d"
        )
    assert not any((tmp_path / name).exists() for name in "abcd")
