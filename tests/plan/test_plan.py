"""The study file: defaults, and every fault told at once with what to do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from revictimisation.core.errors import StudyError
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.plan.keys import render_keys
from revictimisation.plan.kinds import list_places
from tests.cases import for_each

DICTIONARY = load_dictionary()


def test_every_key_but_name_has_the_default_of_the_contract():
    plan = read_plan("name: mini")
    assert (plan.accrual.from_on, plan.accrual.to_on) == (
        dt.date(2011, 1, 1),
        dt.date(2014, 12, 31),
    )
    assert plan.data_end_on == dt.date(2018, 12, 31)
    assert plan.eligibility.washout_days == 365
    assert plan.outcome.lag_days == 1
    assert plan.report_at_days == (182, 365, 730, 1461)
    assert plan.measures["joint"].joint_within_days == 30
    assert plan.disclosure.threshold == 5
    assert plan.languages == ("sv", "en")


def test_the_plan_is_frozen():
    plan = read_plan("name: mini")
    with pytest.raises(ValidationError):
        plan.horizon_days = 3


@for_each(
    ("text", "said"),
    [
        ("", "`name` is required"),
        ("accrual: {}", "name: krävs / required"),
        (
            "name: a\nhorizon_day: 3",
            "horizon_day: okänd nyckel / unknown key; menade du / did you mean horizon_days?",
        ),
        (
            "name: a\noutcome: {whoo: any_suspect}",
            "outcome.whoo: okänd nyckel / unknown key; menade du / did you mean who?",
        ),
        (
            "name: a\nmeasures: {m: {code: [x]}}",
            "measures.m.code: okänd nyckel / unknown key; menade du / did you mean codes",
        ),
        ("name: a\ngrace_day: 3", "did you mean measures.*.grace_days?"),
        ("name: a\nwashout: 3", "did you mean eligibility.washout_days?"),
        ("name: a\nelegibility: {}", "did you mean eligibility?"),
        ("name: a\ngates: {events_per_amr: 3}", "did you mean events_per_arm?"),
        ("name: a\ngates: {victims: 3}", "did you mean exposed_victims?"),
        ("name: a\nqwerty: 3", "kända / known: name, title, "),
        ("name: a\nmeasures: {M x: {}}", "lower-case"),
        (
            "name: a\naccrual: {from_on: 2013-04-31}",
            "accrual.from_on: ska vara ett datum som finns",
        ),
        ("name: a\naccrual: {from_on: 2014-01-01, to_on: 2013-01-01}", "to_on is before from_on"),
        ("name: a\nadjust_for: [sexx]", "unknown covariate 'sexx'; menade du / did you mean sex?"),
        ("name: a\nsubgroups: [index_year]", "is a number, not a group"),
        ("name: a\nsubgroups: [protected_identity]", "subgroups: 'protected_identity' redovisas"),
        ("name: a\nsubgroups: [municipality_code]", "never shown by the data dictionary"),
        (
            "name: a\nfor_whom: {combined: {few: {levels: {municipality_code: ['0180']}}}}",
            "for_whom.combined.few.levels: 'municipality_code'",
        ),
        (
            "name: a\nmeasures: {m: {codes: [alarm_package, personal_security]}}",
            "measures.m.codes: 'personal_security'",
        ),
        (
            "name: a\nsequential: {shelter: [personal_security]}",
            "sequential.shelter: 'personal_sec",
        ),
        ("name: a\nsequential: {after_shelter: [personal_security]}", "sequential.after_shelter:"),
        ("name: a\nsubgroup_levels: {x_area: [town]}", "must be an x_ column of subgroups"),
        ("name: a\nmeasures: {m: {codes: [a], joint_within_days: 3}}", "choose one"),
        ("name: a\nmeasures: {m: {joint_within_days: 3, shared_within_days: 3}}", "without codes"),
        ("name: a\nname: b", "key given twice"),
        ("name: [", "not readable as YAML"),
        ("name: a\n? [x]\n: 3", "not readable as YAML"),
        ("name: a\nhorizon_days: '30'", "horizon_days"),
        ("name: a\nlanguages: [de]", "languages"),
        ("name: a\nreport_at_days: []", "report_at_days"),
        ("name: a\nvariants: {since_start_days: [90, 30]}", "/ days must ascend"),
        ("name: a\nadjust_for: [sex]\nsplines: {age: 4}", "is not among adjust_for"),
        ("name: a\nadjust_for: [sex]\nstrata: [is_honour]", "one of adjust_for"),
        ("name: a\nstrata: [n_earlier_reports]", "no number"),
        ("name: a\nsplines: {sex: 4}", "is no number; kända / known: n_earlier_reports"),
        ("name: a\nsplines: {index_year: 8}", "splines.index_year"),
        ("name: a\nsplines: {index_year: 2}", "splines.index_year"),
        ("name: a\nvariants: {after_end_days: []}", "variants.after_end_days"),
        ("name: a\nvariants: {lasted_days: [0, 9]}", "variants.lasted_days"),
        ("name: a\nvariants: {dose_per_days: 0}", "variants.dose_per_days"),
    ],
)
def test_a_fault_is_told_in_words(text, said):
    with pytest.raises(StudyError) as fault:
        read_plan(text)
    assert said in str(fault.value)
    assert fault.value.exit_code == 4


REFUSED = {
    "an anchor": ("name: &a x", "rad 1: ankare"),
    "an alias of itself": ("name: a\nmeasures: &m\n  x: *m", "rad 2: ankare"),
    "a bomb": ("a: &a [x]\nb: [*a, *a]\nname: *b", "ankare"),
    "deep": (f"name: {'[' * 90_000}", "för många nivåer"),
    "deep, by keys": (f"name: {'{a: ' * 400}", "många nivåer"),
    "a tag": ("name: !!python/object/apply:os.getcwd []", "märken"),
    "a tag of YAML": ("name: a\nhorizon_days: !!int '30'", "märken"),
    "merged keys": ("name: a\n<<: {horizon_days: 30}", "<<: okänd nyckel"),
    "two documents": ("name: a\n---\nname: b", "går inte att läsa"),
    "an end of text": ("name: a\0b", "går inte att läsa"),
    "a tab": ("name: a\n\thorizon_days: 3", "tabb"),
    "a key that is a list": ("name: a\n? [x]\n: 3", "en nyckel är ett ord"),
    "too long": ("name: a\n#" + "x" * 300_000, "för stor"),
    "octal": ("name: a\nhorizon_days: 0365", "utan nolla först / must be"),
    "octal in a list": ("name: a\nreport_at_days: [0365]", "report_at_days.0: ska vara ett heltal"),
    "sexagesimal": ("name: a\nhorizon_days: 12:10", "horizon_days: ska vara ett heltal"),
    "hexadecimal": ("name: a\nhorizon_days: 0x16d", "horizon_days: ska vara ett heltal"),
    "binary": ("name: a\nhorizon_days: 0b11", "horizon_days: ska vara ett heltal"),
    "underscores": ("name: a\nhorizon_days: 1_000", "horizon_days: ska vara ett heltal"),
    "a fraction": ("name: a\nhorizon_days: 30.0", "horizon_days: ska vara ett heltal"),
    "a truth value": ("name: a\nhorizon_days: true", "horizon_days: ska vara ett heltal"),
    "yes": ("name: a\nexploration: {is_on: yes}", "is_on: ska vara true eller false"),
    "Norway": ("name: a\nlanguages: [no]", "languages.0: ska vara något av: sv, en"),
    "infinite": ("name: a\ngates: {events_per_arm: .inf}", "events_per_arm: ska vara ett tal"),
    "no number": ("name: a\ngates: {events_per_arm: .nan}", "events_per_arm: ska vara ett tal"),
    "overflow": ("name: a\ngates: {events_per_arm: 1e999}", "events_per_arm: ska vara ett tal"),
    "digits": (f"name: a\nhorizon_days: {'9' * 5000}", "horizon_days: ska vara ett heltal"),
    "replicates": ("name: a\nbootstrap: {replicates: 1000000000}", "från 0 till 10000"),
    "seed": (f"name: a\nbootstrap: {{seed: {'9' * 25}}}", "bootstrap.seed: ska vara ett heltal"),
    "grace": ("name: a\nmeasures: {m: {grace_days: 99999999999}}", "från 0 till 3652"),
    "no such day": ("name: a\ndata_end_on: 2014-02-30", "data_end_on: ska vara ett datum"),
    "the end of time": ("name: a\ndata_end_on: 9999-12-31", "från 1900 till i dag"),
    "far accrual": ("name: a\naccrual: {from_on: 2011-01-01, to_on: 2999-01-01}", "till i dag"),
    "long ago": ("name: a\naccrual: {from_on: 0011-01-01}", "från 1900 till i dag"),
    "nobody followed": ("name: a\ndata_end_on: 2010-12-31", "ska ligga före data_end_on"),
    "no threshold": ("name: a\ndisclosure: {threshold: 1}", "threshold: ska vara minst 5"),
    "no rounding": ("name: a\ndisclosure: {rounding: 1}", "rounding: ska vara minst 5"),
    "a relation": ("name: a\neligibility: {relations: [formr_partner]}", "mean former_partner?"),
    "a level": ("name: a\nfor_whom: {combined: {m: {levels: {sex: [mal]}}}}", "did you mean male?"),
    "a long key": (f"name: a\n{'k' * 500}: 3", "k: okänd nyckel"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_yaml_has_for_programs_and_what_has_no_end_is_refused_in_both_languages(case):
    text, said = REFUSED[case]
    with pytest.raises(StudyError) as fault:
        read_plan(text)
    assert said in str(fault.value) and " / " in str(fault.value)
    assert len(str(fault.value)) < 1000


def test_every_number_list_and_text_of_a_study_has_bounds():
    ends = {
        "integer": {"maximum"},
        "number": {"maximum", "exclusiveMaximum"},
        "array": {"maxItems"},
        "string": {"maxLength", "format", "enum", "const"},
    }
    endless, waiting = [], [("", StudyPlan.model_json_schema())]
    while waiting:
        where, at = waiting.pop()
        if isinstance(at, dict):
            kind = at.get("type")
            if isinstance(kind, str) and kind in ends and not ends[kind] & set(at):
                endless.append(where)
            names = {"patternProperties", "additionalProperties"} & set(at)
            if kind == "object" and any(at[one] for one in names) and "maxProperties" not in at:
                endless.append(where)
            waiting += [(f"{where}/{key}", one) for key, one in at.items() if key != "default"]
        elif isinstance(at, list):
            waiting += [(where, one) for one in at]
    assert endless == []


def test_the_page_on_keys_is_as_the_code_has_it_and_every_key_is_explained(repo_root: Path):
    kept = (repo_root / "docs" / "study_file.md").read_text(encoding="utf-8")
    assert kept == render_keys(StudyPlan, DICTIONARY) + "\n", "run: revictimisation study-keys"
    paths = [path for path, _ in list_places(StudyPlan)]
    assert paths == list(DICTIONARY.study_keys)
    for path, key in DICTIONARY.study_keys.items():
        assert key.text.sv and key.text.en, path
        assert kept.count(f"# `{path}`\n") == 2
    assert "`lag_days: 1` räknas en anmälan 2 mars (dag 1) till samma händelse" in kept


def test_all_faults_are_told_at_once():
    with pytest.raises(StudyError) as fault:
        read_plan("name: a\nhorizon_day: 3\noutcome: {whoo: 1}\ndata_end_on: never")
    for said in ("horizon_day:", "outcome.whoo:", "data_end_on:"):
        assert said in str(fault.value)


def test_dates_may_be_quoted_or_not():
    assert read_plan("name: a\ndata_end_on: '2017-01-02'") == read_plan(
        "name: a\ndata_end_on: 2017-01-02"
    )


def test_a_measure_without_codes_is_the_code_of_its_name():
    assert read_plan("name: a\nmeasures: {safety_talk: {}}").measures["safety_talk"].codes == (
        "safety_talk",
    )


def test_no_measures_and_no_covariates_is_legal():
    plan = read_plan("name: a\nmeasures: {}\nadjust_for: []\nsubgroups: []")
    assert plan.measure_names == ()


def test_curve_days_hold_the_days_reported_and_the_horizon():
    plan = read_plan("name: a\nhorizon_days: 400\nreport_at_days: [17, 365, 800]")
    assert {0, 17, 365, 400} <= set(plan.curve_days)
    assert max(plan.curve_days) == 400
    assert {*plan.start_days} == {*range(61), *plan.curve_days}
    short = read_plan("name: a\nhorizon_days: 40\ndefinitions: {daily_start_days: 3}")
    assert {*range(4)} <= {*short.start_days} and max(short.start_days) == 40


@for_each("name", ["county", "sodertorn", "norrort"])
def test_the_study_files_of_the_project_are_read(repo_root: Path, name):
    text = (repo_root / "pipelines" / "studies" / f"{name}.yaml").read_text(encoding="utf-8")
    plan = read_plan(text)
    assert plan.name == name
    assert plan.title.sv and plan.title.en
