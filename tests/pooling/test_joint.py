"""What several counties say together, by the rules of pooling and from their files alone."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from revictimisation.core.errors import UsageError
from revictimisation.core.results import OK, choose
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.cox_moments import pool_moments
from revictimisation.estimators.random_effects import pool_estimates
from revictimisation.pooling.joint import COLUMNS, find_point, pool_shared
from revictimisation.pooling.shared_file import Shared
from revictimisation.report.pooled import render_pooled

LOG = {"estimator": "cox_time_varying", "estimand": "log_hazard_ratio"}


@pytest.fixture(scope="module")
def table(counties):
    return pool_shared(counties)


def test_columns_and_methods_are_the_dictionarys(table):
    dictionary = load_dictionary()
    assert tuple(table.columns) == dictionary.tables["pooled"].field_names == COLUMNS
    assert set(table["method"]) == set(dictionary.codes("pooling_method")["code"])
    keys = ["measure", "outcome", "estimator", "estimand", "time_days", "method", "place"]
    assert not table.duplicated(keys).any()


def test_pooled_effects_are_those_of_the_counties_numbers(table, counties):
    keys = {**LOG, "measure": "non_contact_order"}
    rows = [choose(one.tables["effects"], **keys).iloc[0] for one in counties]
    known = pool_estimates([row["estimate"] for row in rows], [row["se"] for row in rows])
    told = {row.method: row for row in choose(table, place="", **keys).itertuples()}
    assert told["random_effects"].estimate == pytest.approx(known.random.estimate)
    assert told["random_effects"].ci_low == pytest.approx(known.random.ci_low)
    assert told["prediction"].ci_high == pytest.approx(known.prediction_high)
    assert told["between_variance"].ci_high == pytest.approx(known.tau2_high)
    assert told["heterogeneity"].estimate == pytest.approx(known.q_p)
    assert told["random_effects"].n_events == sum(row["n_events"] for row in rows)
    ratio = choose(table, **{**keys, "estimand": "hazard_ratio"}, method="random_effects").iloc[0]
    assert ratio["ci_high"] == pytest.approx(np.exp(known.random.ci_high))


def test_one_model_is_of_all_measures_together_and_its_rounding_is_told(table, counties):
    whole = pool_moments([one.moments for one in counties])
    rows = choose(table, method="one_step", **LOG).set_index("measure")
    for k, measure in enumerate(whole.names):
        assert rows.at[measure, "estimate"] == pytest.approx(whole.coef[k])
        assert rows.at[measure, "se"] == pytest.approx(whole.se_robust[k])
    noise = choose(table, method="rounding", **LOG).set_index("measure")["estimate"]
    assert (noise > 0).all() and (noise / rows["se"] < 0.2).all()
    assert find_point(counties) == dict(zip(whole.names, whole.coef, strict=True))


def test_a_measure_that_one_county_alone_can_show_has_no_mean(counties):
    def hide(one: Shared) -> Shared:
        effects = one.tables["effects"].copy()
        mine = effects["measure"].eq("alarm_package")
        effects.loc[mine, "status"] = "suppressed"
        ratios = one.tables["hazard_ratios"]
        ratios = ratios[ratios["measure"].ne("alarm_package")].reset_index(drop=True)
        pairs = one.tables["hazard_correlations"]
        pairs = pairs[pairs[["measure", "other"]].ne("alarm_package").all(axis=1)]
        pairs = pairs.reset_index(drop=True)
        more = {"effects": effects, "hazard_ratios": ratios, "hazard_correlations": pairs}
        return replace(one, tables={**one.tables, **more})

    table = pool_shared([counties[0], hide(counties[1]), hide(counties[2])])
    mine = choose(table, measure="alarm_package", **LOG)
    mean = choose(mine, method="random_effects").iloc[0]
    assert (mean["status"], mean["reason"], mean["n_places"]) == ("not_estimable", "one_place", 1)
    assert np.isnan(mean["estimate"])
    assert len(choose(mine, method="place", status=OK)) == 1
    assert choose(mine, method="one_step")["n_places"].tolist() == [1]


def test_what_the_smaller_part_of_the_people_tells_is_no_joint_answer(counties):
    def hide(one: Shared) -> Shared:
        effects = one.tables["effects"].copy()
        is_ratio = effects["estimand"].eq("log_hazard_ratio")
        mine = effects["measure"].eq("non_contact_order") & is_ratio
        effects.loc[mine, ["status", "estimate", "se"]] = ["suppressed", np.nan, np.nan]
        return replace(one, tables={**one.tables, "effects": effects})

    sizes = {one.place: one.tables["effects"]["n_people"].max() for one in counties}
    largest = max(sizes, key=sizes.get)
    hidden = [hide(one) if one.place == largest else one for one in counties]
    told = 1 - sizes[largest] / sum(sizes.values())
    for limit, status in ((told + 0.01, "withheld"), (told - 0.01, OK)):
        shared = [replace(one, about={**one.about, "pooled_share": limit}) for one in hidden]
        table = pool_shared(shared)
        joint = table[table["measure"].eq("non_contact_order") & table["method"].ne("place")]
        for estimand in ("log_hazard_ratio", "hazard_ratio"):
            mine = choose(joint, estimand=estimand, method=["random_effects", "one_step"],
                          estimator="cox_time_varying")  # fmt: skip
            assert mine["status"].tolist() == [status] * 2, estimand
            assert mine["estimate"].isna().eq(status == "withheld").all()
        others = choose(table, measure="alarm_package", method="random_effects", **LOG)
        assert others["status"].tolist() == [OK]
        about = [one.about for one in shared]
        mix = {one.place: one.tables["case_mix"] for one in shared}
        page = render_pooled(table, about, mix, load_dictionary(), "en")
        assert ("too few counties can show" in page) == (status == "withheld")


def test_risks_stay_between_0_and_1(table):
    risks = choose(table, estimand="cumulative_incidence", method=["random_effects", "prediction"])
    assert len(risks)
    assert risks["ci_low"].ge(0).all() and risks["ci_high"].le(1).all()
    assert (risks["ci_low"] <= risks["estimate"]).all()


def test_a_county_counts_once_and_questions_must_be_the_same(counties):
    with pytest.raises(UsageError, match="samma run"):
        pool_shared([counties[0], replace(counties[0], about={**counties[0].about, "place": "X"})])
    with pytest.raises(UsageError, match="samma place"):
        pool_shared([counties[0], replace(counties[0], about={**counties[0].about, "run": "X"})])
    question = counties[1].about["question"]
    other = {**question, "horizon_days": 365}
    with pytest.raises(UsageError, match="horizon_days"):
        changed = replace(counties[1], about={**counties[1].about, "question": other})
        pool_shared([counties[0], changed])
    measures = {**question["measures"], "joint": {**question["measures"]["joint"], "grace_days": 1}}
    with pytest.raises(UsageError, match="joint"):
        changed = {**counties[1].about, "question": {**question, "measures": measures}}
        pool_shared([counties[0], replace(counties[1], about=changed)])


def test_the_page_tells_each_county_the_mean_and_who_drives_it(table, counties):
    about = [one.about for one in counties]
    mix = {one.place: one.tables["case_mix"] for one in counties}
    swedish, english = (
        render_pooled(table, about, mix, load_dictionary(), language) for language in ("sv", "en")
    )
    told = {
        swedish: ("Gemensam modell", "I ett län till", "Mest betyder"),
        english: ("One model", "In a further county", "matters most"),
    }
    for page, words in told.items():
        assert all(word in page for word in (*words, "Stor", "Flyttad", "Liten"))
        assert not re.search(r"\bnan\b", page.partition("</style>")[2])
    mean = choose(table, measure="non_contact_order", estimator="cox_time_varying",
                  estimand="hazard_ratio", method="random_effects").iloc[0]  # fmt: skip
    assert f"{mean['estimate']:.2f}" in english
    assert f"{mean['estimate']:.2f}".replace(".", ",") in swedish
