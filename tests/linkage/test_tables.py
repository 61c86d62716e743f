"""Records from tables, the joined extract, and the table of who is linked: reckoned by hand."""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.linkage_quality import share_link_status
from revictimisation.cohort.attrition import add_joined
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.linkage import count_link_status, join_tables, make_records
from revictimisation.extract.linkage.linking import Links

DICTIONARY = load_dictionary()


def frame(text: str) -> pd.DataFrame:
    rows = [line.split("|") for line in text.strip().splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows]
    return pd.DataFrame(cells[1:], columns=cells[0])


POLICE = {
    "persons": frame("""
        person_id | birth_year | sex    | municipality_code | protected_identity
        p1        | 1980       | Female | 0180              | none
        p2        |            | male   | 0126              | new_identity
        p9        | 1970       | male   | 0126              | none
    """),
    "reports": frame("""
        report_id | victim_id | suspect_id | reported_on | is_honour
        r1        | p1        | p9         | 2012-03-01  | false
        r2        | p1        | p9         | 20120101    | true
        r3        | p2        |            | 2013-05-05  |
        r4        | u7        | p9         |             | false
    """),
}
SOCIAL = {
    "persons": frame("""
        person_id | birth_year | sex    | municipality_code
        p2        | 1990       | male   |
        u1        | 1980       | female | 0180
        u2        | 1999       | female | 0127
    """),
    "social_interventions": frame("""
        intervention_id | person_id | decided_on
        i1              | p2        | 2013-06-01
        i2              | u1        | 2012-03-02
        i3              | u1        | 2012-04-02
        i4              | u2        | 2014-01-01
    """),
    "linkage_fields": frame("""
        person_id | given_name_code | family_name_code
        u1        | na              |
    """),
}


def test_records_hold_the_people_helped_and_not_the_suspects():
    police = make_records(POLICE, DICTIONARY).set_index("unique_id")
    assert list(police.index) == ["p1", "p2", "u7"]
    assert police.loc["p1", "contact_days"] == [15340, 15400]
    assert police.loc["u7", "contact_days"] == []
    assert police["sex"].tolist() == ["female", "male", None]
    assert police["birth_year"].tolist()[0] == 1980 and police["birth_year"].isna().sum() == 2
    assert police["has_number"].tolist() == [True, True, False]
    assert police["is_hidden"].tolist() == [False, True, False]
    assert police["is_listed"].tolist() == [True, True, False]
    social = make_records(SOCIAL, DICTIONARY).set_index("unique_id")
    assert social["given_name_code"].tolist() == [None, "na", None]
    assert social["family_name_code"].tolist() == [None, None, None]


def test_the_joined_extract_loses_no_row_and_has_each_person_once():
    joined, lines = join_tables(POLICE, SOCIAL, {"u1": "p1"}, DICTIONARY)
    assert list(joined) == ["persons", "reports", "social_interventions"]
    people = joined["persons"].set_index("person_id")
    assert list(people.index) == ["p1", "p2", "p9", "u2"]
    assert people.loc["p2", ["birth_year", "municipality_code"]].tolist() == ["1990", "0126"]
    assert people.loc["u2", "protected_identity"] == ""
    assert joined["social_interventions"]["person_id"].tolist() == ["p2", "p1", "p1", "u2"]
    assert joined["reports"].equals(POLICE["reports"])
    assert lines[["reason", "n_reports", "n_dropped"]].values.tolist() == [
        ["in_extract", 6, 0],
        ["same_person_by_number", 5, 1],
        ["same_person_by_linkage", 4, 1],
    ]


def test_who_is_linked_is_told_by_agency_and_group():
    tables = {"police": POLICE, "social_services": SOCIAL}
    records = {name: make_records(one, DICTIONARY) for name, one in tables.items()}
    table = pd.DataFrame(
        [("p2", "p2", "number", 1.0), ("u1", "p1", "probability", 0.95)],
        columns=["social_id", "police_id", "kind", "probability"],
    )
    links = Links(table, pd.DataFrame(), pd.DataFrame())
    counts = count_link_status(records, tables, links, DICTIONARY)
    told = counts.set_index(["agency", "subgroup", "level", "outcome"])
    expected = {
        ("police", "link_status", "linked_by_number", ""): [3, 1],
        ("police", "link_status", "linked_by_probability", ""): [3, 1],
        ("police", "link_status", "unlinked_with_number", ""): [3, 0],
        ("police", "link_status", "no_number_unlinked", ""): [3, 1],
        ("police", "is_honour", "true", "linked"): [1, 1],
        ("police", "is_honour", "false", "linked"): [1, 0],
        ("police", "index_year", "2013", "linked"): [1, 1],
        ("police", "age_group", "27-44", "linked"): [1, 1],
        ("police", "age_group", "missing", "no_number_unlinked"): [2, 1],
        ("police", "municipality_code", "0126", "linked"): [1, 1],
        ("police", "municipality_code", "missing", "no_number_unlinked"): [1, 1],
        ("social_services", "link_status", "linked_by_number", ""): [3, 1],
        ("social_services", "link_status", "no_number_unlinked", ""): [3, 1],
        ("social_services", "sex", "female", "no_number_unlinked"): [2, 1],
        ("social_services", "age_group", "13-17", "no_number_unlinked"): [1, 1],
        ("social_services", "is_honour", "missing", "linked"): [3, 2],
    }
    for key, numbers in expected.items():
        assert told.loc[key].tolist() == numbers, key
    link_statuses = counts[counts["subgroup"].eq("link_status")].groupby("agency")
    assert (link_statuses["n_events"].sum() == link_statuses["n_people"].first()).all()
    groups = counts[counts["subgroup"].eq("municipality_group")]
    assert groups["level"].isin({*DICTIONARY.codes("municipality_group")["code"], "missing"}).all()


def test_fates_are_told_as_shares():
    counts = pd.DataFrame(
        [("police", "link_status", "linked_by_number", "", 40, 10),
         ("police", "sex", "male", "linked", 0, 0)],
        columns=["agency", "subgroup", "level", "outcome", "n_people", "n_events"],
    )  # fmt: skip
    rows = share_link_status(counts)
    assert rows["estimate"].tolist()[0] == 0.25 and pd.isna(rows["estimate"][1])
    assert rows["status"].tolist() == ["ok", "not_estimable"]
    assert share_link_status(pd.DataFrame()).empty


def test_the_attrition_of_people_begins_with_the_joining():
    joined = join_tables(POLICE, SOCIAL, {"u1": "p1"}, DICTIONARY)[1]
    made = pd.DataFrame(
        [("reports", "in_extract", 3, 4, 0), ("persons", "in_extract", 4, 4, 0),
         ("persons", "not_a_victim_of_the_cohort", 2, 2, 2)],
        columns=["step", "reason", "n_people", "n_reports", "n_dropped"],
    )  # fmt: skip
    whole = add_joined(made, joined)
    assert whole["reason"].tolist() == [
        "in_extract", "in_extract", "same_person_by_number", "same_person_by_linkage",
        "not_a_victim_of_the_cohort",
    ]  # fmt: skip
    people = whole[whole["step"].eq("persons")]
    left = people["n_reports"].to_numpy()
    assert (left[1:] == left[:-1] - people["n_dropped"].to_numpy()[1:]).all()
    stale = made.assign(n_reports=made["n_reports"] + 1)
    assert add_joined(stale, joined).equals(stale)
    assert add_joined(made, pd.DataFrame()).equals(made)
