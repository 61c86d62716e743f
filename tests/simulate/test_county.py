"""A simulated county has the contract's shape and nothing in it is impossible."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.county_figures import find_index_pairs
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.simulate import DEFAULT_PEOPLE, simulate_county
from revictimisation.simulate.justice_tables import _collect_prison
from tests.cases import for_each

N_PEOPLE = 1200
TRUTH_COLUMNS = ["measure", "subgroup", "level", "estimand", "time_days", "value"]


@pytest.fixture(scope="module")
def county():
    return simulate_county("calibrated", N_PEOPLE, seed=11)


@pytest.fixture(scope="module")
def measures(county):
    """Both agencies' decisions in one shape."""
    police = county["police_measures"].rename(columns={"victim_id": "person_id"})
    social = county["social_interventions"].rename(columns={"intervention": "measure"})
    return pd.concat([police, social], ignore_index=True)


def test_every_table_has_the_columns_of_the_dictionary(county):
    tables = {t.name: t for t in load_dictionary().tables_by_direction("in")}
    assert set(county) - {"truth"} == set(tables)
    for name, table in tables.items():
        assert list(county[name].columns) == [field.name for field in table.fields], name
    assert list(county["truth"].columns) == TRUTH_COLUMNS


def test_the_extract_conforms(county, tmp_path):
    for name, table in county.items():
        if name != "truth":
            files.write_table(table, tmp_path, name, ("csv",))
    findings = load_extract(connect(), tmp_path, load_dictionary()).findings
    assert [f for f in findings if f.severity in ("error", "warning")] == []
    # suspects who are in no population register are there on purpose; the rest is improbable only:
    # infants who are reported as victims before their first birthday, two reports on one day
    assert {f.rule for f in findings} <= {
        "unknown_reference",
        "registered_twice",
        "overlapping_spells",
        "not_before_birth",
        "not_long_before_report",
    }


def test_the_same_seed_gives_the_same_county(county):
    again = simulate_county("calibrated", N_PEOPLE, seed=11)
    for name, table in county.items():
        pd.testing.assert_frame_equal(table, again[name])


def test_another_seed_gives_another_county(county):
    other = simulate_county("calibrated", N_PEOPLE, seed=12)
    ids = set(county["persons"]["person_id"])
    assert not ids & set(other["persons"]["person_id"])
    assert len(other["reports"]) != len(county["reports"])


def test_a_larger_county_holds_the_smaller(county):
    small = simulate_county("calibrated", 100, seed=11)
    victims = find_index_pairs(small)["victim_id"]
    keys = ["report_id", "suspect_id", "offence_code", "reported_on"]
    mine = small["reports"][small["reports"]["victim_id"].isin(victims)][keys]
    whole = county["reports"][county["reports"]["victim_id"].isin(victims)][keys]
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), whole.reset_index(drop=True))


@for_each(("scenario", "n_people"), [("small", 216), ("null", 300)])
def test_there_are_as_many_index_victims_as_asked_for(scenario, n_people):
    tables = simulate_county(scenario, n_people, seed=3)
    assert find_index_pairs(tables)["victim_id"].nunique() == n_people


def test_usual_sizes_and_wrong_use():
    departures = {"unmeasured": 3000, "reporting": 3000, "positivity": 3000, "dirty": 3000}
    assert dict(DEFAULT_PEOPLE) == {"calibrated": 3000, "null": 3000, "small": 216, **departures}
    with pytest.raises(ValueError, match="small, unmeasured, reporting, positivity"):
        simulate_county("sunny", 10, 1)
    with pytest.raises(ValueError, match="at least one"):
        simulate_county("calibrated", 0, 1)


def test_even_one_person_makes_a_county():
    assert find_index_pairs(simulate_county("calibrated", 1, 1))["victim_id"].nunique() == 1


def test_nothing_happens_after_death_or_emigration(county, measures):
    persons = county["persons"].set_index("person_id")
    left_on = persons[["died_on", "emigrated_on"]].min(axis=1)
    assert left_on.notna().sum() > 20
    dated = {
        "reports": ("victim_id", ["reported_on"]),
        "risk_assessments": ("victim_id", ["assessed_on", "shared_on"]),
        "police_measures": ("victim_id", ["decided_on", "start_on", "end_on"]),
        "social_interventions": ("person_id", ["decided_on", "start_on", "end_on"]),
        "centre_contacts": ("person_id", ["contacted_on"]),
    }
    for name, (who, columns) in dated.items():
        limit = county[name][who].map(left_on)
        for column in columns:
            assert not (county[name][column] > limit).any(), f"{name}.{column}"


def test_decisions_come_before_starts_and_only_what_was_granted_starts(measures):
    started = measures[measures["start_on"].notna()]
    assert (started["decided_on"] <= started["start_on"]).all()
    assert (started["decision"] == "granted").all()
    assert not (measures["end_on"] <= measures["start_on"]).any()
    assert {"granted", "denied", "declined"} == set(measures["decision"])
    granted = measures[measures["decision"] == "granted"]
    assert granted["start_on"].isna().any()  # granted, never carried out
    still = started[started["end_on"].isna()]
    assert len(still) > 0
    assert (still["start_on"] > pd.Timestamp("2014-12-31")).all()


def test_the_reports_hold_what_makes_registers_hard(county):
    reports = county["reports"]
    groups = load_dictionary().codes("offences").set_index("code")["offence_group"]
    by_report = reports.groupby("report_id")
    assert by_report["suspect_id"].nunique().max() > 1
    assert by_report["offence_code"].nunique().max() > 1
    assert reports["suspect_id"].isna().any()
    assert set(reports["is_honour"].dropna()) == {True, False}
    assert reports["is_honour"].isna().any()
    same_day = reports.groupby(["victim_id", "suspect_id", "reported_on"])["report_id"].nunique()
    assert same_day.max() > 1
    assert (reports["offence_code"].map(groups) == "breach_of_order").any()
    assert (reports["offence_from_on"] < reports["reported_on"]).any()
    assert set(county["persons"]["protected_identity"]) >= {"none", "confidentiality_mark"}


def test_breaches_happen_only_during_an_order(county):
    groups = load_dictionary().codes("offences").set_index("code")["offence_group"]
    reports = county["reports"]
    breaches = reports[reports["offence_code"].map(groups) == "breach_of_order"]
    table = county["police_measures"]
    orders = table[table["measure"].str.startswith("non_contact") & table["start_on"].notna()]
    joined = breaches.merge(orders[["victim_id", "start_on", "end_on"]], on="victim_id")
    end_on = joined["end_on"].fillna(pd.Timestamp("2019-01-01"))
    is_in = (joined["start_on"] < joined["reported_on"]) & (joined["reported_on"] <= end_on)
    assert len(breaches) > 20
    assert set(joined.loc[is_in, "report_id"]) == set(breaches["report_id"])


def test_ids_carry_no_order(county):
    reports = county["reports"].drop_duplicates("report_id")
    rank = reports["reported_on"].rank()
    assert abs(np.corrcoef(np.arange(len(reports)), rank)[0, 1]) < 0.06
    assert county["persons"]["person_id"].str.fullmatch(r"[ps][0-9a-f]{14}").all()


def test_two_suspects_of_one_report_in_prison_have_programmes_of_their_own():
    from_on = pd.Timestamp("2014-05-01")
    ids = [f"r{number}" for number in range(40)]
    decisions = pd.DataFrame({
        "report_id": [*ids, *ids], "suspect_id": [f"s{number}" for number in range(80)],
        "custody_from_on": from_on, "custody_to_on": from_on + pd.Timedelta(days=90),
    })  # fmt: skip
    made = _collect_prison(decisions, seed=1)
    assert made["suspect_id"].isin([f"s{number}" for number in range(40, 80)]).any()
    assert made["number"].is_unique
    first = _collect_prison(decisions.head(40), seed=1)
    assert set(first["number"]) <= set(made["number"])
