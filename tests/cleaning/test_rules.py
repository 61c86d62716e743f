"""Each rule on a few rows small enough to reckon by hand: with it a notice, without it an error."""

import pytest

from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from revictimisation.plan.parts import CLEANING_RULES
from tests.cleaning.made import errors, load_cleaned, rows_of, tell


def test_nothing_is_mended_that_is_not_named(tmp_path):
    doubled = {"police_measures": ["m2,v2,r3,safety_talk,2014-03-02,declined,,"]}
    extract = load_cleaned(tmp_path, doubled)
    assert extract.cleaned == ()
    assert errors(extract) == {("police_measures", "doubled_key")}
    others = [name for name in CLEANING_RULES if name != "drop_exact_duplicates"]
    assert errors(load_cleaned(tmp_path, doubled, *others)) == {("police_measures", "doubled_key")}


def test_exact_duplicates(tmp_path):
    rule = "drop_exact_duplicates"
    same = "m1,v1,r1,non_contact_order,2012-03-05,granted,2012-03-06,2012-09-06"
    extract = load_cleaned(tmp_path, {"police_measures": [same, same]}, rule)
    assert not extract.errors
    assert tell(extract, rule) == {"police_measures": (2, 0)}
    assert [one[0] for one in rows_of(extract, "police_measures", "measure_id")] == ["m1", "m2"]
    other = "m1,v1,r1,non_contact_order,2012-03-05,granted,2012-03-07,2012-09-06"
    assert errors(load_cleaned(tmp_path, {"police_measures": [other]}, rule)) == {
        ("police_measures", "doubled_key")
    }


def test_a_row_with_a_cell_of_another_type_is_never_mended(tmp_path):
    """Two cells that cannot be read are not the same cell."""
    rows = [
        "m3,v1,,alarm_package,2012-13-01,granted,,",
        "m3,v1,,alarm_package,2012-14-01,granted,,",
    ]
    extract = load_cleaned(tmp_path, {"police_measures": rows}, *CLEANING_RULES)
    assert errors(extract) == {
        ("police_measures", "doubled_key"), ("police_measures", "wrong_type_date"),
    }  # fmt: skip
    assert tell(extract, "drop_exact_duplicates") == {}


def test_codes_in_another_case(tmp_path):
    rule = "lower_case_codes"
    rows = {"reports": ["r9,v1,s1,2013-05-01,,9353,Former  Partner,,sodertorn,0126"],
            "police_measures": ["m3,v1,r9,Non-Contact Order,2013-05-02,GRANTED,,"]}  # fmt: skip
    assert errors(load_cleaned(tmp_path, rows)) == {
        ("reports", "unknown_code"), ("police_measures", "unknown_code"),
    }  # fmt: skip
    extract = load_cleaned(tmp_path, rows, rule)
    assert not extract.errors
    assert rows_of(extract, "reports", "relation")[-1] == ("former_par",)
    assert rows_of(extract, "police_measures", "decision")[-1] == ("granted",)
    assert tell(extract, rule) == {"reports": (0, 1), "police_measures": (0, 1)}
    odd = {"reports": ["r9,v1,s1,2013-05-01,,9353,Ex-Husband,,sodertorn,0126"]}
    assert errors(load_cleaned(tmp_path, odd, rule)) == {("reports", "unknown_code")}


def test_ends_after_today_and_dates_out_of_range(tmp_path):
    rows = {"police_measures": [
        "m3,v1,,alarm_package,2013-05-02,granted,2013-05-03,9999-12-31",
        "m4,v1,,alarm_package,1013-05-02,granted,2014-05-03,2014-06-01",
    ]}  # fmt: skip
    only = load_cleaned(tmp_path, rows, "empty_ends_after_today")
    assert tell(only, "empty_ends_after_today") == {"police_measures": (0, 1)}
    assert rows_of(only, "police_measures", "end_on")[2] == ("",)
    assert errors(only) == {("police_measures", "out_of_range")}
    both = load_cleaned(tmp_path, rows, "empty_ends_after_today", "drop_dates_out_of_range")
    assert not both.errors
    assert tell(both, "drop_dates_out_of_range") == {"police_measures": (1, 0)}
    # without the first rule the row with the far end falls as well
    assert tell(load_cleaned(tmp_path, rows, "drop_dates_out_of_range"),
                "drop_dates_out_of_range") == {"police_measures": (2, 0)}  # fmt: skip


def test_end_before_start_and_people_who_are_missing(tmp_path):
    rows = {"police_measures": [
        "m3,v1,,alarm_package,2013-05-02,granted,2013-05-03,2013-05-02",
        "m4,v1,,alarm_package,2013-05-02,granted,2013-05-03,2013-05-03",
        "m5,nobody,,alarm_package,2013-05-02,granted,,",
    ]}  # fmt: skip
    rules = ("drop_end_before_start", "drop_unknown_people")
    extract = load_cleaned(tmp_path, rows, *rules)
    assert not extract.errors
    assert [tell(extract, rule) for rule in rules] == [{"police_measures": (1, 0)}] * 2
    assert [one[0] for one in rows_of(extract, "police_measures", "measure_id")] == [
        "m1",
        "m2",
        "m4",
    ]


def test_a_report_registered_twice(tmp_path):
    """What belongs to the second goes to the first, unless the first has the same."""
    rule = "merge_reports_registered_twice"
    twice = {
        "reports": ["r8,v1,s1,2012-03-01,2012-02-01,9353,former_partner,false,sodertorn,0126",
                    "r9,v1,,2012-03-01,,9353,unknown,,sodertorn,0126",
                    "r7,v1,s1,2013-03-01,,0412,former_partner,true,sodertorn,0126",
                    "r7,v1,s1,2013-03-01,,0365,former_partner,true,sodertorn,0126"],
        "police_measures": ["m3,v1,r8,alarm_package,2012-03-02,granted,,"],
        "investigations": ["r8,s1,2012-03-02,,,,,,", "r8,,2012-03-02,,,,,,"],
    }  # fmt: skip
    extract = load_cleaned(tmp_path, twice, rule)
    assert not extract.errors
    # r8 is r1 again; of r7 one offence is r2's and the other is not, so r7 stays
    left = rows_of(extract, "reports", "report_id", "offence_code")
    assert left == [("r1", "9353"), ("r2", "0412"), ("r3", "9353"), ("r9", "9353"), ("r7", "0365")]
    assert rows_of(extract, "police_measures", "report_id")[-1] == ("r1",)
    assert rows_of(extract, "investigations", "report_id", "suspect_id") == [
        ("r1", "s1"),
        ("r1", ""),
    ]
    assert tell(extract, rule) == {
        "reports": (2, 0), "police_measures": (0, 1), "investigations": (1, 1),
    }  # fmt: skip


def test_overlapping_and_touching_spells(tmp_path):
    rule = "merge_overlapping_spells"
    start = "m{},v1,r1,alarm_package,{},granted,{},{}"
    days = [
        ("2013-01-01", "2013-02-01"),
        ("2013-02-01", "2013-03-01"),
        ("2013-02-10", "2013-02-20"),
        ("2013-03-02", "2013-04-01"),
        ("2014-01-01", ""),
        ("2015-01-01", "2015-02-01"),
    ]
    rows = [start.format(at, first, first, last) for at, (first, last) in enumerate(days, 10)]
    rows += [
        "m20,v1,r1,alarm_package,2013-01-05,denied,,",
        "m21,v2,,alarm_package,2013-01-05,granted,2013-01-05,2013-02-05",
    ]
    extract = load_cleaned(tmp_path, {"police_measures": rows}, rule)
    found = rows_of(extract, "police_measures", "measure_id", "start_on", "end_on")[2:]
    assert found == [
        ("m10", "2013-01-01", "2013-03-01"), ("m13", "2013-03-02", "2013-04-01"),
        ("m14", "2014-01-01", ""), ("m20", "", ""), ("m21", "2013-01-05", "2013-02-05"),
    ]  # fmt: skip
    assert tell(extract, rule) == {"police_measures": (3, 1)}


def test_how_a_merged_spell_ended_is_what_its_last_row_says(tmp_path):
    rows = [
        "i2,v1,support_talks,2013-01-01,granted,2013-01-01,2013-02-01,moved,sol,0126",
        "i3,v1,support_talks,2013-02-01,granted,2013-02-01,2013-03-01,completed,sol,0126",
    ]
    extract = load_cleaned(tmp_path, {"social_interventions": rows}, "merge_overlapping_spells")
    last = rows_of(extract, "social_interventions", "intervention_id", "end_on", "end_reason")[-1]
    assert last == ("i2", "2013-03-01", "completed")


def test_open_ends(tmp_path):
    rule = "close_open_ends"
    rows = ["m3,v1,,alarm_package,2013-01-01,granted,2013-01-01,",
            "m4,v1,,safety_talk,2013-01-01,granted,2013-01-01,",
            "m5,v1,,alarm_package,2018-12-01,granted,2018-12-01,"]  # fmt: skip
    extract = load_cleaned(tmp_path, {"police_measures": rows}, rule, after_days=100,
                           by_code={"safety_talk": 1})  # fmt: skip
    found = rows_of(extract, "police_measures", "measure_id", "end_on")[2:]
    assert found == [("m3", "2013-04-11"), ("m4", "2013-01-02"), ("m5", "")]
    assert tell(extract, rule) == {"police_measures": (0, 2)}


def test_rules_are_done_in_their_own_order(tmp_path):
    """A typed code and its double are alike only once the code is rewritten."""
    row = "m3,v1,,{},2013-01-01,granted,2013-01-01,2013-02-01"
    rows = {"police_measures": [row.format("alarm_package"), row.format("Alarm package")]}
    rules = ("drop_exact_duplicates", "lower_case_codes")
    first, second = (load_cleaned(tmp_path, rows, *given) for given in (rules, rules[::-1]))
    assert first.cleaned == second.cleaned
    assert not first.errors
    assert tell(first, "drop_exact_duplicates") == {"police_measures": (1, 0)}


def test_every_rule_has_words_and_a_fault_names_the_rule_that_mends_it():
    rules = load_dictionary().rules
    assert set(CLEANING_RULES) <= set(rules)
    mends = {
        "doubled_key": "drop_exact_duplicates", "unknown_code": "lower_case_codes",
        "out_of_range": "drop_dates_out_of_range", "end_before_start": "drop_end_before_start",
        "unknown_reference": "drop_unknown_people",
    }  # fmt: skip
    for fault, rule in mends.items():
        assert rule in rules[fault].repair.sv and rule in rules[fault].repair.en


def test_an_unknown_rule_is_told_with_the_nearest():
    from revictimisation.core.errors import StudyError

    with pytest.raises(StudyError, match="did you mean drop_exact_duplicates"):
        read_plan("name: mini\ncleaning: [drop_duplicates_exact]")
    with pytest.raises(StudyError, match="named twice"):
        read_plan("name: mini\ncleaning: [close_open_ends, close_open_ends]")
    with pytest.raises(StudyError, match=r"after_day.*did you mean after_days"):
        read_plan("name: mini\nopen_ends: {after_day: 3}")
