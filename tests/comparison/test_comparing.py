"""What is planted is named by the right light, what is alike is called alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revictimisation.comparison.comparing import advise, compare_cohorts
from revictimisation.comparison.rows import CANNOT_TELL, FITS, read_severity
from revictimisation.plan import read_plan
from tests.cases import for_each
from tests.comparison.cohorts import CODES, HAZARDS, LEVELS, STUDY, make_cohort

LIMITS = read_plan("name: limits").comparison


def compare(new, reference=None):
    return compare_cohorts([reference or make_cohort(), replace(new, name="B")], LIMITS)


def find_remarks(rows) -> dict[str, str]:
    judged = rows[rows["light"].ne("") & rows["check"].ne("overall")]
    marked = judged[~judged["light"].isin([FITS, CANNOT_TELL])]
    return dict(zip(marked["check"], marked["light"], strict=True))


def test_cohorts_that_are_alike_get_no_remark():
    rows = compare(make_cohort(n=5000))
    assert find_remarks(rows) == {}
    overall = rows[rows["check"].eq("overall") & rows["subject"].eq("")]
    assert overall["light"].tolist() == [FITS]


def test_a_topic_with_few_answers_is_not_called_alike():
    rows = compare(make_cohort(n=5000))
    effects = rows["topic"].eq("effects") & rows["light"].ne("") & rows["check"].ne("overall")
    places = rows.index[effects]
    lights = {}
    for n_untold in (len(places) // 2, len(places) // 2 + 1):
        rows.loc[places, "light"] = FITS
        rows.loc[places[:n_untold], "light"] = CANNOT_TELL
        answers = advise(rows[rows["check"].ne("overall")])
        lights[n_untold] = answers.set_index("subject").loc["effects", "light"]
    assert [*lights.values()] == [FITS, CANNOT_TELL]


def move(group: str, **shares: float) -> dict:
    return {**LEVELS, group: shares}


DRIFTED = {"2012": {"assault": 0.35, "threat": 0.3, "molestation": 0.35},
           "2013": {"assault": 0.3, "threat": 0.3, "molestation": 0.4}}  # fmt: skip
# what is planted in one cohort, and what each is named: independent things are planted at once
PLANTED = [
    (
        {
            "levels": move("sex", female=0.6, male=0.4), "risk": 0.3, "other_risk": 0.07,
            "agencies": {"any_police": 0.5, "any_social_services": 0.2},
            "hazards": {**HAZARDS, "alarm": (0.4, 0.1)}, "followed": 0.4, "early": 9,
            "rows": {"2012-Q2": 2.0}, "codes": {**CODES, "alarm_package": 0.0}, "merged": 0.3,
            "filled": 0.5, "study": STUDY + "outcome: {lag_days: 8}",
        },
        {
            "case_mix": "recalibrate", "incidence": "recalibrate", "reporting": "look",
            "linkage": "do_not_join", "hazard_ratio": "look", "follow_up": "look",
            "data_end": "do_not_join", "volume_spike": "do_not_join", "code_lost": "do_not_join",
            "duplicates": "do_not_join", "completeness": "look", "definition": "do_not_join",
            "effects_together": "look",
        },
    ),
    (
        {"levels": move("police_district", city=0.55, norrort=0.45), "rows": {"2012-Q2": 0.4},
         "by_year": DRIFTED, "quarters": {"2012-Q2": 2.5}},
        {"missing_level": "do_not_join", "volume_spike": "do_not_join", "coding_drift": "look",
         "volume_shape": "look", "case_mix": "recalibrate"},
    ),
    (
        {"levels": move("offence_group", assault=0.4, threat=0.3, molestation=0.1, new=0.2)},
        {"new_level": "look", "case_mix": "recalibrate"},
    ),
]  # fmt: skip


@for_each("changes, lights", PLANTED)
def test_what_is_planted_is_named_and_nothing_else(changes, lights):
    rows = compare(make_cohort(**changes))
    assert find_remarks(rows) == lights
    marked = rows[rows["check"].isin(lights) & rows["light"].ne("")]
    assert marked["limit"].notna().all() and marked["rule"].ne("").all()
    overall = rows[rows["check"].eq("overall") & rows["subject"].eq("")].iloc[0]
    assert overall["light"] == max(lights.values(), key=read_severity().get)
    assert overall["difference"] >= len(lights)


def test_a_level_that_is_hidden_is_not_missing():
    """Of 80 people nobody can tell; and who of a place stands under `other` is not gone."""
    few = make_cohort(levels=move("sex", female=0.98, male=0.02))
    assert "missing_level" not in find_remarks(compare(make_cohort(levels=move("sex", female=1)),
                                                       few))  # fmt: skip
    pooled = move("police_district", city=0.4, norrort=0.35, other=0.25)
    assert find_remarks(compare(make_cohort(levels=pooled))) == {}


def test_a_place_is_missing_where_those_under_other_are_those_of_the_reference():
    both = {"city": 0.3, "norrort": 0.2, "nacka": 0.2, "other": 0.15}
    reference = make_cohort(levels=move("police_district", gone=0.15, **both))
    left = {place: share / 0.85 for place, share in both.items()}
    rows = compare(make_cohort(n=3400, levels=move("police_district", **left)), reference)
    row = rows[rows["check"].eq("missing_level")].iloc[0]
    assert (row["level"], row["light"]) == ("gone", "do_not_join")
    # one that the new one shows was under the reference's `other`: another may have gone there
    swapped = {"city": 0.3, "norrort": 0.2, "nacka": 0.2, "shown": 0.15, "other": 0.15}
    assert "missing_level" not in find_remarks(
        compare(make_cohort(levels=move("police_district", **swapped)), reference)
    )


def test_in_few_people_a_large_difference_may_be_chance():
    small = {"n": 60, "levels": move("sex", female=0.7, male=0.3)}
    rows = compare(make_cohort(**small), make_cohort(n=60))
    sex = rows[rows["check"].eq("case_mix") & rows["subject"].eq("sex")].iloc[0]
    assert sex["difference"] > sex["limit"] and sex["light"] == CANNOT_TELL


def test_what_an_old_run_does_not_hold_cannot_be_told():
    old = make_cohort()
    is_new = old.estimates["analysis"].isin(["profile", "volumes"])
    old = replace(old, estimates=old.estimates[~is_new], diagnostics=old.diagnostics.iloc[:0])
    rows = compare(make_cohort(), old)
    told = rows.set_index("check")
    for check in ("case_mix", "volume_spike", "follow_up", "completeness", "reporting"):
        assert told.loc[[check], "light"].eq(CANNOT_TELL).all(), check
    assert find_remarks(rows) == {}


def test_without_the_study_file_definitions_are_not_compared():
    rows = compare(make_cohort(has_study=False))
    row = rows[rows["check"].eq("definition")].iloc[0]
    assert (row["light"], row["reason"]) == (CANNOT_TELL, "no_study_file")


def test_other_counties_districts_are_not_compared():
    other = move("police_district", skane=0.6, blekinge=0.4)
    rows = compare(make_cohort(levels=other))
    mix = rows[rows["check"].eq("case_mix") & rows["subject"].eq("police_district")].iloc[0]
    assert (mix["light"], mix["reason"]) == (CANNOT_TELL, "other_levels")
    assert "missing_level" not in find_remarks(rows)


def test_three_cohorts_are_pooled_and_each_held_against_the_rest():
    others = [make_cohort(name, hazards={"alarm": (log, 0.1), "talks": (-0.2, 0.1)})
              for name, log in (("B", -0.4), ("C", 0.3))]  # fmt: skip
    rows = compare_cohorts([make_cohort(), *others], LIMITS)
    keys = rows["measure"].eq("alarm") & rows["cohort"].eq("")
    pooled = rows[keys & rows["check"].eq("pooled_hazard_ratio")].iloc[0]
    assert pooled["value_new"] == pytest.approx(np.exp(pooled["difference"]))
    assert -0.5 < pooled["difference"] < 0.3
    common = rows[keys & rows["check"].eq("common_hazard_ratio")].iloc[0]
    assert common["difference"] == pytest.approx(-0.2)  # the mean of three, errors being alike
    assert common["ci_high"] - common["ci_low"] == pytest.approx(2 * 1.96 * 0.1 / 3**0.5, rel=1e-4)
    predicted = rows[keys & rows["check"].eq("predicted_hazard_ratio")].iloc[0]
    assert predicted["ci_low"] < pooled["ci_low"] and predicted["ci_high"] > pooled["ci_high"]
    rest = rows[rows["check"].eq("against_rest") & rows["measure"].eq("alarm")]
    assert rest["cohort"].tolist() == ["A", "B", "C"]
    assert rest["difference"].iloc[2] == pytest.approx(0.3 + 0.45, abs=1e-6)
    assert rest["ci_high"].sub(rest["ci_low"]).gt(0).all()
    assert set(rows.loc[rows["check"].eq("overall"), "cohort"]) == {"B", "C"}


def test_exact_tables_tell_the_same_of_the_same():
    exact = [replace(make_cohort(), is_exact=True), replace(make_cohort(), is_exact=True, name="B")]
    assert find_remarks(compare_cohorts(exact, LIMITS)) == {}
