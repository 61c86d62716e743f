"""Two releases laid beside each other tell nothing of a few people, whatever the second one is."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest

from revictimisation.core.errors import DisclosureError
from revictimisation.core.results import KEYS, OK, SUPPRESSED
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import register
from revictimisation.plan import Disclosure
from tests.cases import for_each

from .people import RULES, disclose, draw_people, make_restricted, release, remember

COUNTY = draw_people(600)


@functools.cache
def remember_county(is_exact: bool = True) -> register.Earlier:
    return remember(COUNTY, is_exact=is_exact)


def list_differences(people: pd.DataFrame, others: pd.DataFrame, shown: pd.DataFrame):
    """Of rows shown in both releases, how many people and events more there are, without sign."""
    before = disclose(make_restricted(others))["estimates"]
    exact, then = (make_restricted(part)["estimates"] for part in (people, others))
    keys = [*KEYS]
    told = exact[shown["status"].eq(OK)].merge(
        then[before["status"].eq(OK)], on=keys, suffixes=("", "_then")
    )
    gaps = pd.DataFrame({name: told[name] - told[f"{name}_then"] for name in register.COUNTS})
    gaps["n_without"] = gaps["n_people"] - gaps["n_events"]
    return gaps.abs().astype(int)


def test_the_same_people_are_released_with_the_same_bytes():
    alone, again = disclose(make_restricted(COUNTY)), release(COUNTY, remember_county())
    for name, table in alone.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    assert again.beside.loc[0, ["is_same", "n_suppressed"]].tolist() == [True, 0]
    assert alone["estimates"]["status"].eq(OK).sum() > 50


@for_each(("n_fewer", "is_exact"), [(1, True), (4, True), (1, False)])
def test_a_few_victims_fewer_are_refused(n_fewer, is_exact):
    with pytest.raises(DisclosureError) as refused:
        release(COUNTY.iloc[n_fewer:], remember_county(is_exact))
    assert "1 till 4" in str(refused.value) and "1 to 4" in str(refused.value)
    assert str(refused.value).index("tidigare") < str(refused.value).index("earlier")


def test_one_victim_more_is_refused():
    with pytest.raises(DisclosureError, match="1 till 4"):
        release(COUNTY, remember(COUNTY.iloc[1:]))


def test_a_victim_in_place_of_another_is_refused():
    other = COUNTY.copy()
    other.loc[0, ["sex", "age_group"]] = ["male", "65+"]
    with pytest.raises(DisclosureError):
        release(other, remember_county())


@for_each("n_left_out", [14, 200])
def test_no_number_of_a_nested_release_differs_by_few_none_or_all(n_left_out):
    fewer = COUNTY.iloc[n_left_out:]
    for people, others in ((fewer, COUNTY), (COUNTY, fewer)):
        made = release(people, remember(others))
        gaps = list_differences(people, others, made.tables["estimates"])
        assert len(gaps) > 0
        assert gaps["n_people"].ge(5).all()
        assert gaps["n_events"].ge(5).all()
        assert gaps["n_without"].ge(5).all()
        reasons = made.tables["estimates"]["reason"]
        assert set(reasons[made.tables["estimates"]["status"].eq(SUPPRESSED)]) == {
            "small_number",
            "earlier_release",
        }


def test_without_the_register_a_nested_release_would_tell():
    """What the rule is for: each by itself, the two tell counts of 1 to 4."""
    fewer = COUNTY.iloc[14:]
    gaps = list_differences(fewer, COUNTY, disclose(make_restricted(fewer))["estimates"])
    assert gaps["n_events"].between(1, 4).sum() > 20


def test_many_more_people_leave_most_numbers():
    more = pd.concat([COUNTY, draw_people(1500, seed=2)], ignore_index=True)
    alone = disclose(make_restricted(more))["estimates"]["status"].eq(OK)
    made = release(more, remember_county()).tables["estimates"]["status"].eq(OK)
    assert made.sum() > 0.8 * alone.sum()


def remember_as(name: str, people: pd.DataFrame) -> register.Earlier:
    return dataclasses.replace(remember(people), name=name)


@for_each("turn", [0, 1, 2])
def test_a_whole_that_is_two_others_but_for_a_few_is_refused(turn):
    """Three people of the county are neither in the north nor in the south, whichever comes last.

    Or one of them in both and two in neither.
    """
    county = draw_people(700, seed=3)
    for south in (county.iloc[420:697], county.iloc[419:698]):
        three = [county, county.iloc[:420], south]
        first, second, third = three[turn:] + three[:turn]
        earlier = (remember_as("spring", first), remember_as("summer", second))
        with pytest.raises(DisclosureError) as refused:
            release(third, *earlier)
        said = str(refused.value).splitlines()
        assert len(said) == 3 and all("spring" in line and "summer" in line for line in said[:2])
        assert "färre än 5" in said[0] and "fewer than 5" in said[1]


def test_sums_that_leave_nobody_or_many_and_unrelated_releases_are_released():
    county = draw_people(700, seed=3)
    districts = [county.iloc[:240], county.iloc[240:420], county.iloc[420:]]
    others = [draw_people(n, seed=n) for n in (500, 200)]
    for people in ([county.iloc[:420], districts[2]], districts, others):
        earlier = [remember_as(str(place), part) for place, part in enumerate(people)]
        made = release(county, *earlier).tables["estimates"]
        assert made["status"].eq(OK).any()


def test_of_a_sum_few_people_may_have_more_follow_ups_and_exact_counts_are_needed():
    county = draw_people(700, seed=3)
    new, south = make_restricted(county), remember(county.iloc[420:697])
    new["attrition"]["n_reports"] += 3
    for is_exact in (True, False):
        parts = [remember(county.iloc[:420], is_exact=is_exact), south]
        assert bool(register.find_sums(new, RULES, parts)) == is_exact
    new["attrition"]["n_people"] += 2
    assert not register.find_sums(new, RULES, [remember(county.iloc[:420]), south])


def test_a_few_new_events_of_the_same_people_are_refused():
    later = COUNTY.copy()
    quiet = later.index[np.isinf(later["event_day"])]
    later.loc[quiet[:1], "event_day"] = 1461
    with pytest.raises(DisclosureError, match="data_end_on"):
        release(later, remember_county())


def test_another_rounding_of_the_same_people_is_refused():
    with pytest.raises(DisclosureError, match=r"disclosure\.rounding"):
        release(COUNTY, remember_county(), rules=Disclosure(threshold=5, rounding=10))


def test_what_a_higher_threshold_hid_stays_hidden():
    strict = Disclosure(threshold=20, rounding=5)
    hidden = disclose(make_restricted(COUNTY), strict)["estimates"]["status"].eq(SUPPRESSED)
    alone = disclose(make_restricted(COUNTY))["estimates"]["status"].eq(SUPPRESSED)
    assert (hidden & ~alone).any()
    made = release(COUNTY, remember(COUNTY, strict)).tables["estimates"]
    assert made.loc[hidden, "status"].eq(SUPPRESSED).all()
    assert made.loc[hidden & ~alone, "reason"].eq("earlier_release").all()


def test_a_group_by_another_name_stays_hidden():
    """A study of women after a study in which the women of a measure were hidden."""
    women = COUNTY[COUNTY["sex"].eq("female")]
    before = remember(COUNTY)
    hidden = before.low["estimates"]["level"].eq("female")
    hidden &= before.low["estimates"]["measure"].eq("alarm_package")
    before.low["estimates"].loc[hidden, "status"] = SUPPRESSED
    for part in (women, women.iloc[1:]):
        made = release(part, before).tables["estimates"]
        asked = made["measure"].eq("alarm_package") & made["subgroup"].eq("")
        assert set(made.loc[asked, "reason"]) == {"earlier_release"}
        others = made["measure"].eq("safety_talk") & made["subgroup"].eq("")
        assert made.loc[others, "status"].eq(OK).any() == (part is women)


def test_a_bare_release_of_many_fewer_people_hides_what_may_differ_by_few():
    fewer = COUNTY.iloc[100:]
    exactly, roundly = (release(fewer, remember_county(known)).tables["estimates"]
                        for known in (True, False))  # fmt: skip
    assert (exactly["status"].eq(SUPPRESSED) & roundly["status"].eq(OK)).sum() == 0
    assert roundly["status"].eq(OK).any()


def test_steps_and_checks_that_differ_by_few_go_too():
    fewer = COUNTY.iloc[30:]
    restricted, before = make_restricted(fewer), remember_county()
    made = release(fewer, before).tables
    gaps = restricted["diagnostics"]["value"] - before.low["diagnostics"]["value"]
    assert gaps.abs().between(1, 4).any()
    assert made["diagnostics"].loc[gaps.abs().between(1, 4), "value"].isna().all()
    assert made["diagnostics"]["value"].notna().any()
    near = {**before.low, "attrition": restricted["attrition"].assign(
        n_dropped=restricted["attrition"]["n_dropped"] + 2)}  # fmt: skip
    steps = release(fewer, register.take_exact("e", RULES, near)).tables["attrition"]
    assert steps["status"].eq(SUPPRESSED).all()
    assert steps[register.STEP_COUNTS].isna().all().all()


@for_each(
    ("least", "most", "few", "none", "near"),
    [(0, 0, False, True, True), (1, 1, True, False, True), (-4, -4, True, False, True),
     (5, 5, False, False, False), (-9, 9, True, True, True), (4, 20, True, False, True),
     (5, np.inf, False, False, False), (-np.inf, -5, False, False, False),
     (-np.inf, 0, True, True, True)],
)  # fmt: skip
def test_what_a_gap_may_be(least, most, few, none, near):
    gap = register.Gap(np.array([float(least)]), np.array([float(most)]))
    found = gap.may_be_few(5)[0], gap.may_be_none()[0], gap.may_be_near(5)[0]
    assert found == (few, none, near)


def test_a_rounded_count_stands_for_a_range():
    """Every count from 20 to 59 lies in the range that its rounded value is taken for."""
    for rounding in (5, 6, 10):
        rules = Disclosure(threshold=5, rounding=rounding)
        counts = np.arange(20, 60)
        rows = pd.concat([make_restricted(COUNTY)["estimates"].iloc[[0]]] * len(counts))
        rows = rows.assign(n_people=200, n_events=counts, level=counts.astype(str), subgroup="sex")
        tables = {**make_restricted(COUNTY), "estimates": rows.reset_index(drop=True)}
        known = register.take_rounded("e", rules, disclose(tables, rules))
        low, high = (side["estimates"]["n_events"].to_numpy() for side in (known.low, known.high))
        assert (low <= counts).all() and (counts <= high).all()
        assert (high - low == rounding - 1).all()


def test_every_reason_of_suppression_is_named_in_both_languages():
    named = load_dictionary().codes("suppression").set_index("code")
    assert {"small_number", "kept_back", "earlier_release"} == set(named.index)
    assert named[["label_sv", "label_en"]].ne("").all().all()
