"""In each of these counties one thing fails, that thing only, and as strongly as is said."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.county_truth import (
    NO_EVENT,
    draw_start_days,
    find_first_days,
    keep_usual,
    list_built_in,
    list_pairs,
)
from revictimisation.cohort.preparation import prepare
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from revictimisation.simulate import kernel, simulate_county
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.county import SCENARIOS, make_tables
from revictimisation.simulate.course import make_ids, run_course
from revictimisation.simulate.departures import LOG_REPORTING, raise_reporting
from revictimisation.simulate.population import draw_victims
from revictimisation.simulate.process import Force, prepare_setting, run_setting, tabulate_event
from revictimisation.simulate.scenarios import Effect, remove_effects
from revictimisation.simulate.truth import read_truth
from tests.cases import for_each

N_PEOPLE = 20_000
PLACES = {measure.name: place for place, measure in enumerate(CALIBRATED.measures)}
SUPPORT = PLACES["support_talks"]
NAMES = ("unmeasured", "reporting", "positivity")


def only_reporting(scenario, *names):
    """The scenario with these measures raising the will to report, and no others."""
    return raise_reporting(scenario, "one", {name: LOG_REPORTING[name] for name in names})


@pytest.fixture(scope="module")
def unmeasured():
    """The setting and events of the county with a hidden trait."""
    setting = prepare_setting(SCENARIOS["unmeasured"], N_PEOPLE, 7)
    return setting, run_setting(setting, SCENARIOS["unmeasured"])[0]


@pytest.fixture(scope="module")
def reporting():
    """The same where support talks alone raise the will to report."""
    scenario = only_reporting(CALIBRATED, "support_talks")
    setting = prepare_setting(scenario, N_PEOPLE, 7)
    return scenario, setting, run_setting(setting, scenario)[0]


@pytest.fixture(scope="module")
def positivity():
    setting = prepare_setting(SCENARIOS["positivity"], N_PEOPLE, 7)
    return setting, run_setting(setting, SCENARIOS["positivity"])[0]


def whole_truth(name, day=1461):
    """Whole-population truth: a row per measure, a column per estimand."""
    truth = read_truth(SCENARIOS[name])
    whole = truth[(truth["subgroup"] == "") & (truth["measure"] != "")]
    whole = whole[whole["time_days"].isna() | (whole["time_days"] == day)]
    return whole.pivot_table(index="measure", columns="estimand", values="value")


@for_each("name", NAMES)
def test_one_thing_differs_from_the_calibrated_county(name):
    """All that this module does not test is as in the county that the estimators are proved on."""
    scenario = SCENARIOS[name]
    undone = replace(
        scenario, name="calibrated", hidden=CALIBRATED.hidden, event=CALIBRATED.event,
        other_event=CALIBRATED.other_event,
        measures=tuple(
            replace(one, start=as_is.start, log_reporting_ratio=0.0)
            for one, as_is in zip(scenario.measures, CALIBRATED.measures, strict=True)
        ),
    )  # fmt: skip
    assert scenario != CALIBRATED
    assert undone == CALIBRATED


@pytest.mark.parametrize("name", NAMES)
def test_ever_against_never_misleads_there_too(name, request):
    *_, setting, events = request.getfixturevalue(name)
    reports = events[(events["kind"] == kernel.KIND_REPORT) & (events["index"] == 0)]
    first = reports.groupby("victim")["day"].min().reindex(range(N_PEOPLE))
    is_again = first <= 1461
    end = first.where(is_again, np.minimum(setting.last_day, 1461))
    starts = events[events["kind"] == kernel.KIND_MEASURE].groupby(["index", "victim"])["day"].min()
    truth = whole_truth(name)["risk_difference"]
    for measure, place in PLACES.items():
        is_ever = starts[place].reindex(range(N_PEOPLE)) < end
        naive = is_again[is_ever].mean() - is_again[~is_ever].mean()
        assert naive > truth[measure] + 0.04, measure


# ---- unmeasured


def test_no_table_holds_the_hidden_trait():
    tables = simulate_county("unmeasured", 50, seed=7)
    fields = {
        t.name: [f.name for f in t.fields] for t in load_dictionary().tables_by_direction("in")
    }
    assert {name: list(tables[name].columns) for name in fields} == fields


def test_nothing_recorded_at_the_index_report_tells_of_the_trait(unmeasured):
    victims = unmeasured[0].victims
    has_trait = victims["is_hidden"]
    assert has_trait.mean() == pytest.approx(SCENARIOS["unmeasured"].hidden.share, abs=0.012)
    for name in ("sex", "age_group", "relation_0", "is_honour", "risk_level", "n_earlier_reports",
                 "offence_group", "index_year", "police_district"):  # fmt: skip
        shares = has_trait.groupby(victims[name]).agg(["mean", "size"])
        far = (shares["mean"] - has_trait.mean()).abs() / np.sqrt(0.21 / shares["size"])
        assert far.max() < 4, name
    # the trait itself does not hang on the scenario's other draws
    same = draw_victims(CALIBRATED, 500, 7).drop(columns="is_hidden")
    assert same.equals(victims.head(500).drop(columns="is_hidden"))


@for_each("kind", [kernel.KIND_REPORT, kernel.KIND_OTHER])
def test_those_with_the_trait_report_more_of_everybody(unmeasured, kind):
    setting, events = unmeasured
    has_trait = setting.victims["is_hidden"].to_numpy()
    counts = np.bincount(events.loc[events["kind"] == kind, "victim"], minlength=N_PEOPLE)
    ratio = counts[has_trait].mean() / counts[~has_trait].mean()
    log_ratio = SCENARIOS["unmeasured"].hidden.log_event
    # against the suspects their measures take a little off
    assert np.log(ratio) == pytest.approx(log_ratio, abs=0.12)


def test_those_with_the_trait_get_more_of_every_measure(unmeasured):
    setting, events = unmeasured
    has_trait = setting.victims["is_hidden"].to_numpy()
    for name, place in PLACES.items():
        mine = events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == place)]
        grace = SCENARIOS["unmeasured"].measures[place].grace_days
        started = np.isin(np.arange(N_PEOPLE), mine.loc[mine["day"] <= grace, "victim"])
        eligible = setting.given.running[:, place] == 0
        with_it, without = started[eligible & has_trait], started[eligible & ~has_trait]
        assert with_it.mean() > 1.6 * without.mean(), name


def test_what_is_hidden_is_in_the_truth_as_everything_else():
    truth = whole_truth("unmeasured")
    assert (truth.loc["safety_talk", ["risk_difference", "rmst_difference_days"]] == 0).all()
    helps = ["non_contact_order", "alarm_package", "sheltered_housing", "support_talks"]
    assert (truth.loc[helps, "risk_difference"] < 0).all()
    mean = read_truth(SCENARIOS["unmeasured"]).query("estimand == 'cumulative_incidence'")
    risk = mean[(mean["subgroup"] == "") & (mean["time_days"] == 1461)]["value"].item()
    assert risk == pytest.approx(0.40, abs=0.03)


def test_a_model_that_cannot_see_the_trait_tends_to_another_number():
    truth = read_truth(SCENARIOS["unmeasured"], with_error=True)
    told = truth[truth["estimand"] == "log_hazard_ratio_limit"].set_index("measure")
    untold = truth[truth["estimand"] == "log_hazard_ratio_untold"].set_index("measure")
    assert set(told.index) == set(untold.index) == {*PLACES, "joint"}
    # from the same counties, so that their difference is surer than either of them
    assert ((untold["value"] - told["value"])[list(PLACES)] > 0.05).all()
    # told the trait, the model finds what is built in (but for what the interactions leak)
    assert told.loc["safety_talk", "value"] == pytest.approx(0, abs=0.05)
    assert told.loc["alarm_package", "value"] == pytest.approx(-0.35, abs=0.12)
    assert told.loc["sheltered_housing", "value"] == pytest.approx(-0.9, abs=0.12)
    for name in ("calibrated", "reporting", "positivity"):
        assert "log_hazard_ratio_untold" not in set(read_truth(SCENARIOS[name])["estimand"])


# ---- reporting


def count_reports(setting, events, spells, kind):
    """Reports within the spells (start, end], and those expected at the usual rate."""
    given, victim = setting.given, spells["victim"].to_numpy()
    if kind == kernel.KIND_OTHER:
        rate, table = np.exp(given.log_other), given.other_table
    else:
        named = np.arange(3) < given.n_suspects[:, None]
        rate = np.where(named, np.exp(given.log_event), 0).sum(axis=1)
        table = tabulate_event(CALIBRATED)
    start = spells["day"].to_numpy()
    end = np.minimum(spells["end_day"], setting.last_day[victim])
    expected = (rate[victim] * (table[end + 1] - table[np.minimum(start, end) + 1])).sum()
    reports = events[events["kind"] == kind][["victim", "day"]]
    joined = reports.merge(spells, on="victim", suffixes=("", "_start"))
    is_in = (joined["day_start"] < joined["day"]) & (joined["day"] <= joined["end_day"])
    return is_in.sum(), expected


def find_support(events):
    return events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == SUPPORT)]


def test_reports_against_others_rise_while_support_is_in_force_and_only_then(reporting):
    _, setting, events = reporting
    spells = find_support(events)
    observed, expected = count_reports(setting, events, spells, kernel.KIND_OTHER)
    margin = 4 / np.sqrt(observed)
    assert abs(np.log(observed / expected) - LOG_REPORTING["support_talks"]) < margin < 0.3
    following = spells.groupby("victim")["day"].shift(-1).fillna(10**6).astype(int)
    after = spells.assign(day=spells["end_day"], end_day=following)
    after = after[after["day"] < setting.last_day[after["victim"]]]
    observed, expected = count_reports(setting, events, after, kernel.KIND_OTHER)
    assert abs(np.log(observed / expected)) < 4 / np.sqrt(observed) < 0.15


def test_what_would_be_filed_at_the_usual_will_comes_at_the_usual_rate():
    scenario = only_reporting(remove_effects(CALIBRATED, "none"), "support_talks")
    setting = prepare_setting(scenario, N_PEOPLE, 7)
    events, _ = run_setting(setting, scenario)
    usual = keep_usual(setting, scenario, events, seed=7)
    spells = find_support(events)
    for kind in (kernel.KIND_REPORT, kernel.KIND_OTHER):
        filed, expected = count_reports(setting, events, spells, kind)
        kept, _ = count_reports(setting, usual, spells, kind)
        margin = 4 * 1.15 / np.sqrt(kept)
        assert abs(np.log(filed / expected) - LOG_REPORTING["support_talks"]) < margin
        assert abs(np.log(kept / expected)) < margin
    outside = len(events) - len(usual)
    assert outside == sum(
        count_reports(setting, events, spells, kind)[0]
        - count_reports(setting, usual, spells, kind)[0]
        for kind in (kernel.KIND_REPORT, kernel.KIND_OTHER)
    ) + _count_dropped_in_running(setting, events, usual)


def _count_dropped_in_running(setting, events, usual):
    """Reports dropped while support from before day 0 was still in force."""
    dropped = events.loc[events.index.difference(usual.index)]
    return int((dropped["day"] <= setting.given.running[dropped["victim"], SUPPORT]).sum())


def test_where_support_does_nothing_to_crime_only_reports_differ_between_strategies():
    scenario = only_reporting(remove_effects(CALIBRATED, "none"), "support_talks")
    setting = prepare_setting(scenario, N_PEOPLE, 7)
    pairs, grace = list_pairs(setting), scenario.measures[SUPPORT].grace_days
    days = draw_start_days(setting, scenario, SUPPORT, grace, seed=7)
    is_eligible = (setting.given.running[:, SUPPORT] == 0)[pairs.victim]
    start, other = (
        find_first_days(setting, scenario, pairs, Force(SUPPORT, mode, grace, days), 7)
        for mode in (kernel.FORCE_START, kernel.FORCE_NO_START)
    )
    gaps = {}
    for outcome in start:
        gap = (start[outcome] <= 365).astype(float) - (other[outcome] <= 365)
        gap = gap[is_eligible]
        gaps[outcome] = gap.mean(), 1.15 * gap.std() / np.sqrt(len(gap))
    assert abs(gaps["crime"][0]) < 4 * gaps["crime"][1] < 0.01
    assert gaps[""][0] > 0.01
    assert gaps["other_suspect"][0] > 0.003


def test_support_that_helps_looks_harmful_in_reports():
    truth, calibrated = whole_truth("reporting"), whole_truth("calibrated")
    assert truth.loc["contact_person", "risk_difference"] > 0.01
    assert truth.loc["contact_person", "crime_risk_difference"] < -0.005
    assert (
        truth.loc["support_talks", "risk_difference"]
        > truth.loc["support_talks"]["crime_risk_difference"]
    )
    # the adjusted Cox model tends to effect and reporting together
    for name, log_effect in (("support_talks", -0.24), ("contact_person", -0.28)):
        both = log_effect + LOG_REPORTING[name]
        assert truth.loc[name, "log_hazard_ratio_limit"] == pytest.approx(both, abs=0.06)
    # but for reports that make agencies take measures up again, crime is that of `calibrated`
    gap = truth["crime_risk_difference"] - calibrated["risk_difference"]
    assert gap.abs().max() < 0.005
    assert truth.loc["safety_talk", "other_suspect_risk_difference"] == 0
    assert (truth.loc[list(LOG_REPORTING), "other_suspect_risk_difference"] > 0.003).all()


def test_the_truth_counts_reports_as_the_study_does(repo_root, tmp_path):
    """The days that the truth is made of, against those the study finds in the tables."""
    scenario, seed = SCENARIOS["reporting"], 5
    course = run_course(scenario, 600, seed)
    for name, table in make_tables(course).items():
        files.write_table(table, tmp_path, name, ("parquet",))
    study = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    plan, dictionary = read_plan(study), load_dictionary()
    extract = load_extract(connect(), tmp_path, dictionary, plan)
    data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    pairs = list_pairs(course.setting)
    found = find_first_days(course.setting, scenario, pairs, None, seed)
    # clusters are numbered in the order of the victims' pseudonyms
    names = make_ids("p", seed, course.setting.victims["unit"].to_numpy())
    cluster = names.argsort().argsort()[pairs.victim]
    entries = data.entries
    studied = {
        "": entries["stop_day"].where(entries["cause"] == 1, NO_EVENT),
        "other_suspect": entries["control_day"].fillna(NO_EVENT),
    }
    for outcome, days in studied.items():
        of_study = sorted(zip(entries["cluster_id"] - entries["cluster_id"].min(), days,
                              strict=True))  # fmt: skip
        assert sorted(zip(cluster, found[outcome], strict=True)) == of_study
        assert (days < NO_EVENT).sum() > 50


def test_the_built_in_ratio_of_reports_holds_effect_and_reporting():
    built_in = list_built_in(SCENARIOS["reporting"]).set_index(["estimand", "measure", "level"])
    value = built_in["value"]
    assert value["log_hazard_ratio", "contact_person", "true"] == pytest.approx(-0.7 + 0.4)
    assert value["crime_log_hazard_ratio", "contact_person", "true"] == -0.7
    assert value["log_hazard_ratio", "alarm_package", ""] == -0.35
    assert not set(list_built_in(CALIBRATED)["estimand"]) - {"log_hazard_ratio"}


def test_reporting_alone_is_no_null_county():
    scenario = only_reporting(remove_effects(CALIBRATED, "none"), "support_talks")
    built_in = list_built_in(scenario)
    assert all(measure.effect == Effect() for measure in scenario.measures)
    assert "joint" not in set(built_in.loc[built_in["estimand"] == "log_hazard_ratio", "measure"])


# ---- positivity


@for_each("name", ["non_contact_order", "sheltered_housing"])
def test_at_high_risk_nearly_all_start_and_at_low_nearly_none(positivity, name):
    setting, events = positivity
    place, level = PLACES[name], setting.victims["risk_level"]
    grace = CALIBRATED.measures[place].grace_days
    mine = events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == place)]
    started = np.isin(np.arange(N_PEOPLE), mine.loc[mine["day"] <= grace, "victim"])
    share = {one: started[(level == one) & (setting.given.running[:, place] == 0)].mean()
             for one in level.unique()}  # fmt: skip
    assert share["high"] > 0.99
    assert share["low"] < 0.01
    assert 0.1 < share["moderate"] < 0.4
    assert level.isin(["high", "low"]).mean() > 0.4


def test_other_measures_start_as_ever(positivity):
    _, events = positivity
    calibrated = prepare_setting(CALIBRATED, N_PEOPLE, 7)
    usual, _ = run_setting(calibrated, CALIBRATED)
    place = PLACES["safety_talk"]
    early = [
        len(one[(one["kind"] == kernel.KIND_MEASURE) & (one["index"] == place) & (one["day"] < 2)])
        for one in (events, usual)
    ]
    assert early[0] == early[1] > 500
