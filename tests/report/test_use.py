"""What is said of measures in use: kinds counted together, and apart by name."""

from __future__ import annotations

import re

from revictimisation.report.sections import durations, summary, use

from .conftest import make_page

STUDY = """name: mini
measures:
  non_contact_order: {codes: [non_contact_order, non_contact_order_extended], grace_days: 30}
  safety_talk: {grace_days: 14}
  joint: {joint_within_days: 30, grace_days: 60}
"""
ORDER, EXTENDED = "non_contact_order", "non_contact_order_extended"


def share(measure: str, n: int, **more) -> dict:
    keys = {"question": "q1", "measure": measure, "outcome": "carried_out",
            "estimator": "description", "estimand": "share"}  # fmt: skip
    numbers = {"estimate": n / 1000, "ci_low": n / 1000 - 0.01, "ci_high": n / 1000 + 0.01}
    return {**keys, **numbers, "n_people": 1000, "n_events": n, **more}


def list_rows() -> list[dict]:
    codes = {ORDER: 300, EXTENDED: 100, "safety_talk": 350, "arrest": 200}
    rows = [share(code, n, analysis="by_code") for code, n in codes.items()]
    kinds = [share(one, n, analysis="agencies") for one, n in (("joint", 280), ("neither", 100))]
    return [*rows, *kinds, share(ORDER, 390), share("safety_talk", 350), share("joint", 290)]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text)).replace("\xa0", " ")


def test_the_most_used_are_counted_as_on_the_cards():
    page = make_page("en", list_rows(), STUDY)
    assert [name for name, _ in use.list_used(page)] == [ORDER, "safety_talk", "arrest"]
    lead, front = words(use.show_lead(page).html), words(summary.show_findings(page).html)
    assert "Most common is non-contact order , carried out in 39.0%" in lead
    assert (
        "Used most: non-contact order , carried out in 39 in 100 follow-ups (uncertainty 38"
        in front
    )
    assert "Carried out in 39 in 100 follow-ups (390 of" in words(summary.show_cards(page).html)


def test_a_kind_by_itself_is_called_so_and_the_sum_is_told():
    page = make_page("en", list_rows(), STUDY)
    told = words(use.show_codes(page).html)
    assert "non-contact order (this kind only) police and prosecutor 300" in told
    assert "Everywhere else they are counted together: 390 follow-ups." in told
    alone = make_page("en", list_rows(), "name: mini\nmeasures: {non_contact_order: {}}\n")
    assert "this kind only" not in words(use.show_codes(alone).html)
    mean = {"analysis": "duration", "estimand": "duration_mean_days"}
    rows = [*list_rows(), share(ORDER, 300, **mean)]
    told = words(durations.show_durations(make_page("en", rows, STUDY)).html)
    assert "non-contact order (this kind only)" in told


def test_why_a_joint_measure_counts_more_is_told_where_it_does():
    told = words(use.show_agencies(make_page("en", list_rows(), STUDY)).html)
    assert "Elsewhere measures near in time count in 290 follow-ups" in told
    same = [one for one in list_rows() if one["measure"] != "joint"]
    same += [share("joint", 280), share("joint", 280, analysis="agencies")]
    assert "Elsewhere measures near" not in words(
        use.show_agencies(make_page("en", same, STUDY)).html
    )
