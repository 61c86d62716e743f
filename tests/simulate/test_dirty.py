"""The dirty county is the calibrated one spoilt as told: every fault is found, every link known."""

import pandas as pd
import pytest
from personnummer.personnummer import Personnummer, PersonnummerException

from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.simulate import simulate_county
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.dirty import soil_county
from revictimisation.simulate.faults import MEANINGS
from revictimisation.simulate.identities import FIRST_BIRTH_NUMBER, number_people

N_PEOPLE = 700
SPELLS = ("police_measures", "social_interventions")


@pytest.fixture(scope="module")
def county():
    return simulate_county("dirty", N_PEOPLE, seed=11)


@pytest.fixture(scope="module")
def clean():
    return simulate_county("calibrated", N_PEOPLE, seed=11)


@pytest.fixture(scope="module")
def findings(county, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dirty")
    for name, table in county.items():
        if "/" not in name:
            files.write_table(table, folder, name, ("csv",))
    return load_extract(connect(), folder, load_dictionary()).findings


@pytest.fixture(scope="module")
def put_in(county):
    return county["truth_faults"].set_index(["rule", "table"])["count"]


def count_found(findings, rule, table, column=None):
    return sum(
        one.count for one in findings
        if (one.rule, one.table) == (rule, table) and column in (None, one.column)
    )  # fmt: skip


def test_every_kind_of_fault_is_there_and_told(put_in):
    rules = put_in[put_in > 0].reset_index()["rule"]
    told = {"other_birth_year", "other_municipality", "name_misspelt", "name_changed",
            "other_clients"}  # fmt: skip
    assert set(rules) == set(MEANINGS) - told


def test_a_check_of_the_extract_finds_what_was_put_in(findings, put_in):
    for table in ("reports", "risk_assessments", *SPELLS):
        doubled = count_found(findings, "doubled_key", table)
        assert doubled == put_in["exact_duplicate", table], table
    for table in SPELLS:
        turned = put_in["end_before_start", table] + put_in["swapped_dates", table]
        assert count_found(findings, "end_before_start", table) == turned
        assert count_found(findings, "out_of_range", table) == put_in["far_end", table]
    for table in ("persons", "reports", "risk_assessments", *SPELLS):
        # blanks around a code are no fault to the reader
        assert count_found(findings, "unknown_code", table) == sum(
            put_in.get((rule, table), 0)
            for rule in ("code_other_case", "unknown_offence_code", "unknown_municipality")
        ), table
    blank = count_found(findings, "missing_expected_value", "persons", "birth_year")
    assert blank == put_in["missing_birth_year", "persons"]
    assert count_found(findings, "unknown_reference", "reports", "victim_id") > 0


def test_nothing_else_is_wrong(findings):
    errors = {one.rule for one in findings if one.severity == "error"}
    known = {"doubled_key", "end_before_start", "out_of_range", "unknown_code", "unknown_reference"}
    assert errors == known


def test_what_happens_is_as_in_the_clean_county(county, clean):
    pd.testing.assert_frame_equal(county["truth"], clean["truth"])
    days = clean["reports"].set_index("report_id")["reported_on"].dt.strftime("%Y-%m-%d")
    mine = county["reports"].drop_duplicates("report_id").set_index("report_id")["reported_on"]
    old = mine[mine.index.isin(days.index)]
    assert len(old) == days.index.nunique()
    assert (old == days[~days.index.duplicated()].reindex(old.index)).all()
    for name in ("suspect_interventions", "municipality_years"):
        assert len(county[name]) == len(clean[name])


def test_links_say_who_is_who(county, clean):
    links, persons = county["truth_links"], set(county["persons"]["person_id"])
    clients = set(clean["social_interventions"]["person_id"])
    by_number, shared = (links[links["link"] == kind] for kind in ("number", "shared"))
    assert (by_number["social_id"] == by_number["person_id"]).all()
    assert (by_number["number"] == "valid").all()
    assert len(shared) > 5
    assert (shared["number"] != "valid").all()
    assert not set(shared["social_id"]) & set(shared["person_id"])
    assert clients <= set(links["person_id"])
    assert set(links["social_id"]) <= persons | set(by_number["social_id"])
    social = set(county["social_interventions"]["person_id"])
    assert not social & set(shared["person_id"])
    assert social <= set(links["social_id"])


def test_raw_files_lead_back_to_the_links(county):
    links = county["truth_links"]
    police = county["raw/police/persons"].set_index("post_id")
    social = county["raw/municipality/persons"].set_index("post_id")
    assert set(links["social_record"]) == set(social.index)
    both = links[(links["link"] == "number") & links["police_record"].notna()]
    ten = [frame.loc[both[key], "personnummer"].str.replace("-", "").str[-10:].to_numpy()
           for frame, key in ((police, "police_record"), (social, "social_record"))]  # fmt: skip
    assert (ten[0] == ten[1]).all()
    numbers = set(social["personnummer"]) | set(social.index)
    assert set(county["raw/municipality/social_interventions"]["personnummer"]) <= numbers
    apart = links[links["link"] == "shared"]
    same_name = [social.loc[s, "fornamn"] == police.loc[p, "fornamn"]
                 for s, p in zip(apart["social_record"], apart["police_record"], strict=True)
                 if isinstance(p, str)]  # fmt: skip
    assert sum(same_name) > 0.8 * len(same_name)


def is_valid(number):
    try:
        Personnummer(number)
    except PersonnummerException:
        return False
    return True


def test_numbers_are_of_the_test_series_and_mistyped_ones_are_none(county):
    """Against the package `personnummer`, which knows nothing of ours."""
    social = county["raw/municipality/persons"].set_index("post_id")["personnummer"]
    kinds = county["truth_links"].drop_duplicates("social_record").set_index("social_record")
    kinds = kinds["number"].reindex(social.index)
    for number in social[kinds == "valid"]:
        assert is_valid(number)
        assert int(number[-4:-1]) >= FIRST_BIRTH_NUMBER
    assert not any(is_valid(number) for number in social[kinds == "mistyped"])
    assert not any(is_valid(number) for number in social[kinds == "reserve"])
    assert (social[kinds == "missing"] == "").all()
    assert all(is_valid(number) for number in county["raw/police/persons"]["personnummer"])


def test_no_two_people_have_one_number():
    people = pd.DataFrame({"birth_year": [1990] * 3650, "sex": ["female"] * 3650})
    numbers = number_people(people)
    assert len(set(numbers)) == 3650
    assert all(int(number[10]) % 2 == 0 for number in numbers)
    with pytest.raises(ValueError, match="too short"):
        number_people(pd.concat([people, people.head(1)], ignore_index=True))


def test_the_same_seed_gives_the_same_dirt(county):
    again = simulate_county("dirty", N_PEOPLE, seed=11)
    assert list(again) == list(county)
    for name, table in county.items():
        pd.testing.assert_frame_equal(table, again[name])


def test_a_county_of_one_and_a_county_without_faults(clean):
    assert len(simulate_county("dirty", 1, 1)["persons"]) >= 1
    from revictimisation.simulate.course import run_course

    course = run_course(SCENARIOS["dirty"], N_PEOPLE, 11)
    none = dict.fromkeys(MEANINGS, 0.0)
    plain = {name: table for name, table in clean.items() if name != "truth"}
    made = soil_county(course, plain, none)
    assert made["truth_faults"]["count"].sum() == 0
    for name, table in plain.items():
        assert len(made[name]) == len(table), name
    assert set(made["truth_links"]["link"]) <= {"number", "never"}


def test_a_new_identity_is_never_to_be_linked():
    from revictimisation.simulate.clients import list_links

    clients = pd.DataFrame({
        "social_id": ["new", "b"], "person_id": ["new", "b"], "number": ["valid", "valid"],
    })  # fmt: skip
    links = list_links(clients, {"new": "old"})
    found = set(links[["social_id", "person_id", "link"]].itertuples(index=False, name=None))
    assert found == {("new", "new", "number"), ("new", "old", "never"), ("b", "b", "number")}
