"""The dictionary is whole, agrees with the contract, and holds together."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pandas as pd
import pytest

from revictimisation.dictionary import Text, load_dictionary
from revictimisation.extract.validation.checks import ROW_RULES
from revictimisation.extract.validation.links import FIRST_REPORT_RULE, LINK_RULES
from revictimisation.extract.validation.repeats import REPEAT_RULES
from tests.cases import for_each

DICTIONARY = load_dictionary()
TABLES = list(DICTIONARY.tables.values())
LISTS = DICTIONARY.code_lists
# The columns of the contract, section 1, in its order of words.
CONTRACT = {
    "persons": "person_id birth_year sex municipality_code died_on emigrated_on protected_identity",
    "reports": "report_id victim_id suspect_id reported_on offence_from_on offence_code relation"
    " is_honour police_district municipality_code",
    "risk_assessments": "assessment_id victim_id report_id agency instrument assessed_on"
    " risk_level shared_on",
    "police_measures": "measure_id victim_id report_id measure decided_on decision start_on end_on",
    "social_interventions": "intervention_id person_id intervention decided_on decision start_on"
    " end_on end_reason legal_basis municipality_code",
    "suspect_interventions": "intervention_id suspect_id intervention decided_on start_on end_on"
    " is_completed",
    "investigations": "report_id suspect_id opened_on closed_on closing_reason has_witness"
    " has_documented_injury has_victim_participation has_admission",
    "case_decisions": "report_id suspect_id decided_on decision custody_from_on custody_to_on",
    "centre_contacts": "contact_id person_id contacted_on contact_kind sex age municipality_code"
    " reason",
    "municipality_years": "municipality_code year population skr_group has_cooperation_agreement"
    " n_services_intimate n_services_honour n_services_perpetrator",
    "estimates": "question analysis measure subgroup level outcome estimator estimand time_days"
    " estimate ci_low ci_high se n_people n_events status reason",
    "attrition": "step reason n_people n_reports n_dropped status",
    "diagnostics": "analysis measure check value limit status",
    "truth": "measure subgroup level estimand time_days value",
}
CLOSED = {
    ("persons", "sex"): "female male unknown",
    ("persons", "protected_identity"): "none confidentiality_mark protected_registration"
    " new_identity",
    ("reports", "relation"): "current_partner former_partner parent sibling child other_relative"
    " acquaintance stranger unknown",
    ("risk_assessments", "agency"): "police social_services",
    ("risk_assessments", "instrument"): "sara_sv b_safer patriark sam check_15 freda other",
    ("risk_assessments", "risk_level"): "low moderate high",
    ("police_measures", "decision"): "granted denied declined",
    ("social_interventions", "decision"): "granted denied declined",
    ("social_interventions", "end_reason"): "completed moved exposed returned_home declined other",
    ("social_interventions", "legal_basis"): "sol lvu service",
    ("investigations", "closing_reason"): "no_evidence victim_withdrew suspect_unknown not_a_crime"
    " limited other",
    ("case_decisions", "decision"): "discontinued prosecuted summary_penalty prosecution_waived"
    " convicted acquitted",
    ("centre_contacts", "contact_kind"): "young_person professional outreach",
    ("centre_contacts", "reason"): "forced_marriage control violence threat genital_mutilation"
    " forced_travel other",
}
MEASURES = {
    "police_measures": "non_contact_order non_contact_order_shared_home"
    " non_contact_order_extended non_contact_order_electronic alarm_package safety_talk"
    " crime_victim_unit personal_security special_representative injured_party_counsel"
    " case_conference",
    "social_interventions": "sheltered_housing support_talks contact_person"
    " honour_contact_person special_contact_person financial_assistance permanent_housing"
    " placement compulsory_care coordinated_plan child_support_talks resource_centre"
    " network_support",
    "suspect_interventions": "arrest remand treatment_programme support_talks_perpetrator"
    " prison_programme",
}
OPTIONAL = {
    "risk_assessments",
    "suspect_interventions",
    "investigations",
    "case_decisions",
    "centre_contacts",
    "municipality_years",
}
# Lists in which a code may stand in several rows, each with its time.
DATED = {
    "offences": "code",
    "police_districts": "code",
    "municipalities": "code",
    "measures": "code",
    "skr_groups": "municipality_code",
    "municipality_districts": "municipality_code",
    "police_regions": "code",
    "county_police_regions": "county",
}


@for_each("table", CONTRACT)
def test_columns_are_the_contracts(table):
    assert list(DICTIONARY.tables[table].field_names) == CONTRACT[table].split()


def test_tables_in_are_the_contracts():
    tables = DICTIONARY.tables_by_direction("in")
    assert [one.name for one in tables][:10] == list(CONTRACT)[:10]
    further = {one.name for one in tables[10:]}  # tables of ours: no extract need bring them
    assert {one.name for one in tables if one.is_optional} == OPTIONAL | further
    assert {one.name for one in tables if not one.may_be_empty} == {"persons", "reports"}


@for_each(("table", "column"), CLOSED)
def test_closed_lists_are_the_contracts(table, column):
    field = DICTIONARY.tables[table].field(column)
    assert field.is_closed
    assert set(DICTIONARY.allowed_codes(field)) == set(CLOSED[table, column].split())


@for_each("table", MEASURES)
def test_measures_are_the_contracts_and_open(table):
    column = "measure" if table == "police_measures" else "intervention"
    field = DICTIONARY.tables[table].field(column)
    assert not field.is_closed
    assert set(DICTIONARY.allowed_codes(field)) == set(MEASURES[table].split())


def texts_of(thing) -> list[Text]:
    """Every text in a nest of dataclasses."""
    if isinstance(thing, Text):
        return [thing]
    if dataclasses.is_dataclass(thing):
        values = [getattr(thing, one.name) for one in dataclasses.fields(thing)]
        return [text for value in values for text in texts_of(value)]
    if isinstance(thing, tuple):
        return [text for value in thing for text in texts_of(value)]
    return []


@for_each("table", TABLES)
def test_every_text_is_in_both_languages(table):
    texts = texts_of(table)
    assert len(texts) >= 3 + 2 * len(table.fields)
    assert all(text.sv and text.en for text in texts)


@for_each("table", TABLES)
def test_what_a_table_refers_to_is_there(table):
    names = set(table.field_names)
    assert len(names) == len(table.fields)
    assert set(table.primary_key) <= names and table.primary_key
    for field in table.fields:
        assert field.codes is None or field.codes in LISTS
        assert field.sensitivity in ("identifier", "quasi_identifier", "sensitive", "plain")
        assert field.disclosure in ("never", "aggregate", "open")
    for key in table.foreign_keys:
        assert set(key.fields) <= names
        assert set(key.reference_fields) <= set(DICTIONARY.tables[key.resource].field_names)
    for rule in table.rules:
        assert set(rule.columns) <= names
        assert rule.kind in DICTIONARY.rules
        kinds = {*ROW_RULES, *LINK_RULES, *REPEAT_RULES, FIRST_REPORT_RULE, "valid_code_on"}
        assert rule.kind in kinds


def test_identifiers_are_never_disclosed():
    fields = [field for table in TABLES for field in table.fields]
    assert all(one.disclosure == "never" for one in fields if one.sensitivity == "identifier")


def test_every_column_of_people_refuses_identity_numbers():
    for table in DICTIONARY.tables_by_direction("in"):
        people = {"person_id", "victim_id", "suspect_id"} & set(table.field_names)
        refused = {
            name
            for rule in table.rules
            for name in rule.columns
            if rule.kind == "personal_identity_number" and rule.severity == "error"
        }
        assert refused == people


def test_every_date_of_the_extract_lies_between_1900_and_today():
    for table in DICTIONARY.tables_by_direction("in"):
        for field in table.fields:
            if field.type == "date":
                assert (field.minimum, field.maximum) == ("1900-01-01", "today")


def test_every_end_is_held_against_its_start():
    for table in DICTIONARY.tables_by_direction("in"):
        ends = {name for name in table.field_names if re.search(r"(end|closed|_to)_on$", name)}
        held = {rule.columns[1] for rule in table.rules if rule.kind == "end_before_start"}
        assert held == ends


@for_each("name", LISTS)
def test_code_lists_are_labelled_and_their_dates_in_order(name):
    frame = LISTS[name]
    labels = [one for one in frame.columns if one.startswith(("code", "label_"))]
    assert (frame[labels] != "").all().all()
    if "valid_from_on" in frame:
        for first, last in frame[["valid_from_on", "valid_to_on"]].itertuples(index=False):
            days = [dt.date.fromisoformat(day) for day in (first, last) if day]
            assert days == sorted(days)
    if "code" in frame and name not in DATED:
        assert frame["code"].is_unique


@for_each("name", DATED)
def test_a_code_has_one_row_at_a_time(name):
    frame = LISTS[name].replace({"valid_from_on": {"": "0"}, "valid_to_on": {"": "9"}})
    for _, rows in frame.groupby(DATED[name]):
        ordered = rows.sort_values("valid_from_on")
        assert (ordered["valid_to_on"][:-1].values < ordered["valid_from_on"][1:].values).all()


def test_every_municipality_has_a_group_and_a_district_at_all_times():
    """In the county; elsewhere from 2011 on, by three divisions that cover all 290."""
    municipalities = LISTS["municipalities"].set_index("code")["county"]
    assert len(municipalities) == 290 and (municipalities.index.str[:2] == municipalities).all()
    codes = set(municipalities.index[municipalities == "01"])
    assert len(codes) == 26
    # as SKL and SKR count them
    sizes = {
        "SKL 2011": [3, 16, 20, 20, 22, 31, 35, 38, 51, 54],
        "SKR 2017": [3, 15, 21, 29, 35, 40, 43, 52, 52],
        "SKR 2023": [3, 21, 23, 24, 27, 35, 43, 51, 63],
    }
    for division, known in sizes.items():
        rows = LISTS["skr_groups"][LISTS["skr_groups"]["classification"] == division]
        assert sorted(rows["municipality_code"]) == sorted(municipalities.index)
        assert sorted(rows["skr_group"].value_counts()) == known
        assert rows["confidence"].eq("V").all() and rows["source"].ne("").all()
    for name in ("skr_groups", "municipality_districts"):
        frame = LISTS[name][LISTS[name]["municipality_code"].isin(codes)]
        assert set(frame["municipality_code"]) == codes
        for _, rows in frame.groupby("municipality_code"):
            assert rows["valid_from_on"].iloc[0] == "" and rows["valid_to_on"].iloc[-1] == ""
            ends = pd.to_datetime(rows["valid_to_on"][:-1]) + pd.Timedelta(days=1)
            assert list(ends.dt.strftime("%Y-%m-%d")) == list(rows["valid_from_on"][1:])
    assert set(LISTS["skr_groups"]["skr_group"]) <= set(LISTS["municipality_group"]["code"])
    districts = set(LISTS["police_districts"]["code"])
    assert set(LISTS["municipality_districts"]["police_district"]) <= districts


def test_every_county_has_its_municipalities_and_a_police_region():
    counties = set(LISTS["counties"]["code"])
    assert len(counties) == 21
    assert counties == set(LISTS["municipalities"]["county"])
    regions = LISTS["county_police_regions"]
    assert set(regions["county"]) == counties
    assert set(regions["police_region"]) == set(LISTS["police_regions"]["code"])
    assert len(LISTS["police_regions"]) == 7
    jamtland = LISTS["municipalities"]["code"][LISTS["municipalities"]["county"].eq("23")]
    groups = LISTS["skr_groups"][LISTS["skr_groups"]["municipality_code"].isin(jamtland)]
    assert len(jamtland) == 8
    assert set(groups["classification"]) == {"SKL 2011", "SKR 2017", "SKR 2023"}


def test_offences_are_four_figures_of_a_known_group_and_say_how_sure_they_are():
    frame = LISTS["offences"]
    assert frame["code"].str.fullmatch(r"\d{4}").all()
    assert set(frame["offence_group"]) == set(LISTS["offence_groups"]["code"])
    for column in ("confidence", "confidence_dates"):
        assert set(frame[column]) <= {"V", "R-hi", "R-med", "R-lo"}


@for_each(
    ("code", "group"),
    [
        ("9349", "assault"),
        ("9353", "assault"),
        ("9356", "assault"),
        ("9357", "assault"),
        ("0412", "gross_violation_of_integrity"),
        ("0440", "unlawful_persecution"),
        ("0435", "honour_oppression"),
        ("9495", "child_witness"),
        ("0433", "forced_marriage"),
        ("4021", "breach_of_order"),
        ("9440", "threat"),
        ("9456", "molestation"),
        ("9635", "rape_sexual"),
    ],
)
def test_known_offences_have_their_group(code, group):
    frame = LISTS["offences"].set_index("code")
    assert frame.loc[code, "offence_group"] == group


@for_each(
    ("code", "first_day"),
    [("0442", "2011-10-01"), ("9495", "2021-07-01"), ("0437", "2022-06-01")],
)
def test_new_offences_begin_with_their_law(code, first_day):
    assert LISTS["offences"].set_index("code").loc[code, "valid_from_on"] == first_day


def test_measures_say_who_by_what_law_and_what_may_be_shown():
    frame = LISTS["measures"].set_index("code")
    assert frame.index.is_unique and len(frame) == 29
    assert set(frame["agency"]) <= set(LISTS["agency"]["code"])
    assert frame.loc["personal_security", "disclosure"] == "never"
    assert frame.loc["sheltered_housing", "disclosure"] == "no_place"
    assert set(frame["disclosure"]) == {"open", "no_place", "never"}
    assert (frame["legal_basis"] != "").all()


def test_relations_and_ages_are_grouped_as_the_contract_says():
    groups = LISTS["relation"].groupby("relation_group")["code"].apply(set)
    assert groups["partner"] == {"current_partner", "former_partner"}
    assert groups["kin"] == {"parent", "sibling", "child", "other_relative"}
    ages = LISTS["age_group"].astype({"from_age": int, "to_age": int})
    assert list(ages["code"]) == ["0-12", "13-17", "18-26", "27-44", "45-64", "65+"]
    assert list(ages["from_age"][1:]) == list(ages["to_age"][:-1] + 1)


def test_rules_speak_of_nothing_but_places():
    for rule in DICTIONARY.rules.values():
        for text in (rule.label, rule.text, rule.repair):
            for words in (text.sv, text.en):
                blanks = set(re.findall(r"{(.*?)}", words))
                assert words and blanks <= {"table", "column", "other", "count", "periods"}
        assert re.findall(r"{.*?}", rule.label.sv) == []


def test_labels_are_found_in_the_list_then_among_the_common_then_the_code():
    assert DICTIONARY.label("risk_level", "high", "sv") == "hög"
    assert DICTIONARY.label("risk_level", "missing", "en") == "not stated"
    assert DICTIONARY.label("measures", "street_patrol", "sv") == "street_patrol"
    assert DICTIONARY.label("no_such_list", "x", "sv") == "x"
    with pytest.raises(KeyError):
        DICTIONARY.label("sex", "female", "de")


def test_the_dictionary_can_not_be_changed_by_who_reads_it():
    mine = DICTIONARY.codes("sex")
    mine["code"] = "changed"
    assert "female" in set(DICTIONARY.codes("sex")["code"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        DICTIONARY.tables["persons"].name = "people"
    with pytest.raises(TypeError):
        DICTIONARY.tables["people"] = DICTIONARY.tables["persons"]
    with pytest.raises(KeyError, match="no code list"):
        DICTIONARY.codes("no_such_list")
    with pytest.raises(KeyError, match="has no column"):
        DICTIONARY.tables["persons"].field("name")
