"""Page 02: who is reached; kinds counted together, days told by day, what is hidden left hidden."""

from __future__ import annotations

import re

from revictimisation.report.described import Figure
from revictimisation.report.measure_use import find_any, find_start_by, list_used
from revictimisation.report.release import Number
from revictimisation.report.sections import reach

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


def test_the_most_used_are_counted_with_their_kinds():
    none = share("", 270, analysis="sequence", subgroup="sequence", level="none")
    page = make_page("en", [*list_rows(), none], STUDY)
    assert [name for name, _ in list_used(page)] == [ORDER, "safety_talk", "arrest"]
    told = words(reach.show_lead(page).html)
    assert (
        "Most common: non-contact order in 39 in 100, safety talk in 35 in 100 and arrest" in told
    )
    assert "At least one measure was carried out in 90 in 100 cases" in told
    assert "arrest included. 73 in 100 received one of the study's measures" in told


def test_a_kind_by_itself_is_called_so_and_the_sum_is_told():
    page = make_page("en", list_rows(), STUDY)
    told = words(reach.show_codes(page).html)
    assert "Non-contact order (this kind only) police and prosecutor 300" in told
    assert "Everywhere else they are counted together: 390 cases." in told
    alone = make_page("en", list_rows(), "name: mini\nmeasures: {non_contact_order: {}}\n")
    assert "this kind only" not in words(reach.show_codes(alone).html)


def test_why_a_joint_measure_counts_more_is_told_where_it_does():
    told = words(reach.show_together(make_page("en", list_rows(), STUDY)).html)
    assert "For measures near in time the figure is 29 in 100" in told
    same = [one for one in list_rows() if one["measure"] != "joint"]
    # what differs but not as it is written is not explained
    same += [share("joint", 282), share("joint", 280, analysis="agencies")]
    assert "near in time count" not in words(reach.show_together(make_page("en", same, STUDY)).html)


def test_anything_is_what_is_left_of_those_with_nothing():
    found = find_any(make_page("en", list_rows(), STUDY))
    assert (found.estimate, round(found.ci_low, 6), round(found.ci_high, 6)) == (0.9, 0.89, 0.91)


def by_group(group: str, level: str, none: int, **more) -> list[dict]:
    """A level in which so many of 1,000 got nothing, and 200 an order."""
    keys = {"subgroup": group, "level": level, **more}
    return [share("neither", none, analysis="agencies", **keys), share(ORDER, 200, **keys)]


def read_heat(page) -> str:
    (table,) = [one for one in reach.show_who(page).tables if one.kind == "heat"]
    return table


def test_groups_are_rows_and_shades_follow_the_number():
    rows = [*list_rows(), *by_group("risk_level", "high", 10), *by_group("risk_level", "low", 300),
            *by_group("men_over_18", "true", 170), *by_group("men_over_18", "false", 100),
            *by_group("is_honour", "true", 101), *by_group("is_honour", "false", 100)]  # fmt: skip
    page = make_page("en", rows, STUDY)
    table = read_heat(page)
    assert table.caption.startswith(
        "At high assessed risk 99 in 100 received something, at low 70 in"
    )
    high = next(row for row in table.rows if str(row[0]) == "High risk")
    assert [(str(one), one.kind) for one in high[1:3]] == [("99", "shade s9"), ("20", "shade s2")]
    assert (str(high[3]), high[3].kind) == ("–", "shade none")
    assert sum(str(row[0]) == "Men aged 18 or over" for row in table.rows) == 1
    told = words(reach.show_who(page).html)
    assert "Men aged 18 or over receive something less often: 83 in 100, compared with 90" in told
    assert "Honour-related cases : no clear difference, 90 in 100 compared with 90 in 100" in told


def test_of_more_levels_than_a_page_holds_whole_groupings_are_left_out():
    rows = [*list_rows(), *by_group("risk_level", "high", 10)]
    for year in range(2001, 2046):
        rows += by_group("index_year", str(year), 100)
    table = read_heat(make_page("en", rows, STUDY))
    assert len(table.rows) == 3  # everyone, the heading and high risk


def starts(days: dict[int, int], **more) -> list[dict]:
    same = {"question": "q1", "analysis": "first_start", "measure": "any", "n_people": 1000,
            "outcome": "measure_start", "estimator": "aalen_johansen",
            "estimand": "cumulative_incidence", **more}  # fmt: skip
    return [{**same, "time_days": day, "estimate": n / 1000, "ci_low": n / 1000 - 0.01,
             "ci_high": n / 1000 + 0.01, "n_events": n} for day, n in days.items()]  # fmt: skip


def test_a_day_that_is_not_told_stands_as_the_last_before_it_if_the_next_is_near():
    page = make_page("en", starts({0: 400, 20: 900, 31: 910, 1461: 960}), STUDY)
    assert find_start_by(page, "any", 20).estimate == 0.9
    assert find_start_by(page, "any", 25).estimate == 0.9
    assert not find_start_by(page, "any", 10).is_shown  # between 400 and 900
    assert not find_start_by(page, "any", 60).is_shown  # between 910 and 960
    assert not find_start_by(make_page("en", starts({0: 400}), STUDY), "any", 30).is_shown


def test_curves_go_day_by_day_and_in_the_ordered_colours_of_risk():
    rows = [*starts({0: 500, 1: 600, 7: 930, 60: 990}, subgroup="risk_level", level="high"),
            *starts({0: 100, 7: 400, 60: 500}, subgroup="risk_level", level="low"),
            *starts({0: 300, 7: 600, 60: 700, 1461: 705})]  # fmt: skip
    page = make_page("en", [*list_rows(), *rows], STUDY)
    (figure,) = [one for one in reach.show_soon(page).walk() if isinstance(one, Figure)]
    assert figure.caption == ("Within 7 days something had begun for 93 in 100 at "
                              "high risk and 40 in 100 at low")  # fmt: skip
    assert [(one.look, list(one.days)) for one in figure.picture.series] == [
        ("risks.low", [0, 7, 60]), ("risks.high", [0, 1, 7, 60])
    ]  # fmt: skip


def test_a_day_that_is_withheld_is_told_nowhere():
    """In words the last day of a curve is one that is told; a cell says whose number it borrows."""
    hidden = {"status": "suppressed", "estimate": None, "ci_low": None, "ci_high": None}
    keys = {"subgroup": "risk_level", "level": "low"}
    rows = [*starts({0: 100, 7: 400, 29: 690, 55: 700, 1461: 730}, **keys),
            *({**starts({day: 0}, **keys)[0], **hidden} for day in (30, 60)),
            *starts({0: 300, 7: 600, 29: 690, 60: 700, 1461: 705})]  # fmt: skip
    page = make_page("en", [*list_rows(), *rows], STUDY)
    (figure,) = [one for one in reach.show_soon(page).walk() if isinstance(one, Figure)]
    assert list(figure.picture.series[0].days) == [0, 7, 29, 55]
    assert figure.alt.endswith("Last figure shown: low risk 70% (day 55).")
    low = next(row for row in figure.table.rows if row[0] == "Any measure, low risk")
    heads = figure.table.columns
    told = dict(zip(heads[1:], low[1:], strict=True))
    assert str(told["60 days"]) == "–" and heads[-1] == "4 years"
    assert str(told["30 days"]) == "69.0%" and "day 29" in told["30 days"].below


def test_the_steps_name_what_is_denied_and_declined_most():
    """Of those considered: more orders are declined, but of fewer safety talks a larger part."""
    rows = [share(ORDER, 500, outcome="offered"), share("safety_talk", 400, outcome="offered"),
            share(ORDER, 70, outcome="denied"), share(ORDER, 80, outcome="declined"),
            share("safety_talk", 72, outcome="declined")]  # fmt: skip
    (table,) = reach.show_way(make_page("en", [*list_rows(), *rows], STUDY)).tables
    denied, declined, _ = table.caption.split(". ")
    assert denied == "Most often denied: non-contact order, 14 in 100 (of what is shown)"
    assert declined == "Most often declined: safety talk, 18 in 100"


def test_the_line_for_the_first_page_falls_back_where_few_got_nothing():
    shared = {"analysis": "risk_assessment", "outcome": "shared", "estimator": "kaplan_meier",
              "estimand": "cumulative_incidence", "time_days": 30}  # fmt: skip
    rows = [*list_rows(), share("", 370, **shared)]
    high = by_group("risk_level", "high", 10)
    told = reach.describe_reach(make_page("sv", [*rows, *high], STUDY))
    assert told == ("Vid hög risk fick 99 av 100 något, av alla 90 av 100. Av risk"
                    "bedömningarna delades 37 av 100 inom 30 dagar.").replace(" ", " ")  # fmt: skip
    hidden = {"status": "suppressed", "estimate": None, "ci_low": None, "ci_high": None}
    few = [{**high[0], **hidden}, *starts({30: 960}, subgroup="risk_level", level="high"),
           *starts({30: 810})]  # fmt: skip
    told = reach.describe_reach(make_page("sv", [*rows, *few], STUDY))
    assert told.startswith("Inom 30 dagar hade något börjat för 96 av 100 vid hög risk, 81 av 100")


def test_a_hundred_of_a_hundred_is_not_said_where_somebody_is_left():
    page = make_page("sv", [], STUDY)
    shown = [reach._hundred(page, Number(share, status="ok")) for share in (0.994, 0.996, 1.0)]
    assert shown == ["99 av 100", "nästan alla", "100 av 100"]
