"""Linkage on made people with known truth: what is found, what is expected, what must not be."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from revictimisation.extract.linkage.linking import check_on_numbers, find_blank, link_people
from revictimisation.extract.linkage.model import train_model
from revictimisation.plan.parts import Linkage
from tests.linkage.made import make_pair

ON = Linkage(is_on=True)


@pytest.fixture(scope="module")
def pair():
    return make_pair()


@pytest.fixture(scope="module")
def linked(pair):
    police, social, _ = pair
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return link_people(police, social, ON)


def test_who_has_no_number_is_found_and_hardly_anybody_wrongly(pair, linked):
    *_, truth = pair
    found = linked.table[linked.table["kind"].eq("probability")]
    right = sum(
        truth.get(a) == b for a, b in zip(found["social_id"], found["police_id"], strict=True)
    )
    assert len(truth) > 50
    assert right / len(found) > 0.98
    assert right / len(truth) > 0.9


def test_the_expected_errors_lie_near_the_true_ones(pair, linked):
    *_, truth = pair
    rates = linked.rates
    assert rates["n_expected_without_number"] == pytest.approx(len(truth), rel=0.06)
    assert rates["false_link_rate_by_probability"] < 0.02
    true_missed = 1 - (rates["n_linked_by_number"] + rates["n_linked_by_probability"]) / (
        rates["n_linked_by_number"] + len(truth)
    )
    assert rates["missed_link_rate"] == pytest.approx(true_missed, abs=0.01)
    assert rates["checked_missed_link_rate"] == pytest.approx(
        rates["expected_missed_link_rate"], abs=0.04
    )
    assert rates["checked_false_link_rate"] < 0.02


def test_each_person_is_linked_once(linked):
    assert linked.table["social_id"].is_unique and linked.table["police_id"].is_unique
    both = linked.table["kind"].eq("number")
    assert linked.table.loc[both, "social_id"].eq(linked.table.loc[both, "police_id"]).all()


def test_the_order_of_rows_does_not_matter(pair, linked):
    police, social, _ = pair
    mixed = [one.sample(frac=1, random_state=3).reset_index(drop=True) for one in (police, social)]
    again = link_people(*mixed, ON)
    keys = ["social_id", "police_id", "kind"]
    pd.testing.assert_frame_equal(
        again.table[keys].sort_values(keys, ignore_index=True),
        linked.table[keys].sort_values(keys, ignore_index=True),
    )


def test_it_is_off_by_default_and_what_is_missed_is_still_told(pair):
    police, social, truth = pair
    links = link_people(police, social, Linkage())
    assert set(links.table["kind"]) == {"number"} and links.reason == "off"
    n_same = len(links.table)
    assert links.rates["missed_link_rate"] == pytest.approx(
        len(truth) / (n_same + len(truth)), abs=0.02
    )
    assert links.rates["false_link_rate"] == 0


def test_a_new_identity_is_never_linked_and_its_loss_is_told(pair):
    police, social, truth = pair
    chosen = list(truth)[:12]
    hidden = social.assign(is_hidden=social["unique_id"].isin(chosen))
    links = link_people(police, hidden, ON)
    assert not set(chosen) & set(links.table["social_id"])
    assert links.rates["n_new_identities"] == 12
    share = links.rates["n_linked_by_number"] / social["has_number"].sum()
    assert links.rates["n_links_lost_to_new_identities"] == pytest.approx(12 * share, abs=0.01)
    assert links.rates["missed_link_rate"] > 0.01


def test_the_reviewers_see_what_agrees_and_nobody(linked):
    assert len(linked.review) == len(linked.review_key) > 0
    assert not {"social_id", "police_id"} & set(linked.review)
    text = linked.review.to_csv()
    assert not any(one in text for one in linked.review_key["social_id"])
    assert linked.review["probability"].between(0.1, 0.99).all()
    assert linked.review["decision"].eq("").all()


def test_too_few_known_links_teach_nothing(pair):
    police, social, _ = pair
    few = social[~social["has_number"]]
    links = link_people(police, pd.concat([few, social[social["has_number"]].head(20)]), ON)
    assert links.reason == "too_few_known_links"
    assert "probability" not in set(links.table["kind"])


def test_the_police_may_lack_the_number_too(pair):
    police, social, _ = pair
    both = set(police["unique_id"]) & set(social["unique_id"])
    chosen = sorted(both)[:40]
    unnumbered = police.assign(
        unique_id=police["unique_id"].where(
            ~police["unique_id"].isin(chosen), "x" + police["unique_id"]
        ),
        has_number=~police["unique_id"].isin(chosen),
    )
    links = link_people(unnumbered, social, ON)
    found = links.table[links.table["police_id"].str.startswith("xp")]
    assert (found["police_id"].str[1:] == found["social_id"]).mean() > 0.95
    assert len(found) > 34


def test_how_the_model_is_learnt_is_the_studys_to_say(pair):
    police, social, _ = pair
    few = link_people(police, social, ON.model_copy(update={"least_known_links": 10**6}))
    assert few.reason == "too_few_known_links"
    model = train_model(police, social, ON.model_copy(update={"contact_gap_days": (30,)}))
    named = {field["output_column_name"]: field for field in model["comparisons"]}
    contact = named["contact_days"]
    told = [level["sql_condition"] for level in contact["comparison_levels"]]
    assert len(told) == 3 and told[1].endswith("<= 30")


def test_the_check_on_numbers_is_the_truth(pair):
    """What is missed among people with numbers, counted here another way."""
    police, social, _ = pair
    model = train_model(police, social, ON)
    check = check_on_numbers(police, social, model, 0.9)
    both = set(police["unique_id"]) & set(social.loc[social["has_number"], "unique_id"])
    assert check.n_true == len(both)
    assert 0.97 < check.seen <= 1
    assert check.n_right <= check.n_links and check.n_right > 0.9 * check.n_true
    told = check.tell()
    assert told["checked_missed_link_rate"] == 1 - check.n_right / len(both)
    assert told["checked_false_link_rate"] == 1 - check.n_right / check.n_links


def test_who_has_nothing_to_be_found_by():
    """No number, and in each block something is unknown."""
    rows = pd.DataFrame({
        "has_number": [True, False, False, False],
        "birth_year": [None, 1980, 1980, None], "sex": [None, "female", None, "female"],
        "municipality_code": [None, "0180", "0180", "0180"],
        "given_name_code": [None, None, None, "a"], "family_name_code": [None, None, None, None],
    })  # fmt: skip
    assert find_blank(rows).tolist() == [False, False, True, True]
