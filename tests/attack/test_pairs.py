"""What two releases tell together: who left, what only one shows, what each hides of the other.

And three: whom one holds beside the two others.
"""

from __future__ import annotations

import shutil

import pandas as pd

from revictimisation.core import files
from revictimisation.disclosure.attack import attack, open_release
from revictimisation.disclosure.attack.differences import subtract_releases
from revictimisation.disclosure.attack.margins import recover_counts
from revictimisation.plan import Disclosure
from tests.attack.made import make_exact, make_out, without_a_victim
from tests.attack.plants import ALL, WOMEN, hide, show, where
from tests.cases import for_each
from tests.disclosure.people import disclose, draw_people, make_restricted


def find(*outs):
    return subtract_releases([open_release(out) for out in outs])


def test_a_victim_who_left_is_told_by_her_group(tmp_path):
    whole = make_out(tmp_path / "whole")
    less = make_out(tmp_path / "less", without_a_victim)
    found = find(whole, less)
    assert {*found["what"]} == {"differ"}
    assert any("female" in row for row in found["row"])
    assert not any(row.endswith("· male") for row in found["row"])
    gap = make_exact()["n_people"] - without_a_victim(make_exact())["n_people"]
    assert gap.max() == 1
    assert found["low"].le(1).all()
    assert found["high"].between(1, 4).all()
    again = attack([open_release(out) for out in (less, whole)])
    assert {*again.loc[again["kind"].eq("differences"), "row"]} == {*found["row"]}


def test_the_same_release_twice_tells_nothing_more(tmp_path):
    out = make_out(tmp_path / "out")
    shutil.copytree(out, tmp_path / "copy")
    assert find(out, tmp_path / "copy").empty


def test_a_number_that_only_one_of_two_shows(tmp_path):
    whole = make_out(tmp_path / "whole")
    less = make_out(tmp_path / "less", without_a_victim)
    hide(where(measure="safety_talk", outcome="offered", level="male", estimand="share"))(less)
    found = find(whole, less)
    assert found.loc[found["what"].eq("crossed"), "row"].str.contains("male").all()
    assert "crossed" in {*found["what"]}


def test_two_releases_that_each_hide_what_the_other_shows(tmp_path):
    one, other = (make_out(tmp_path / name) for name in ("one", "other"))
    hide(ALL)(other)
    hide(where(measure="alarm_package", subgroup="", estimand="share"))(other)
    show(WOMEN, estimate=25, n_events=25, n_people=205)(other)
    shares = where(measure="alarm_package", level="female", estimand="share")
    show(shares, estimate=0.121951, n_events=25, n_people=205)(other)
    for out in (one, other):
        assert recover_counts(open_release(out)).empty
    found = find(one, other)
    assert {*found["what"]} == {"joined"}
    men = found[found["row"].str.endswith("male") & ~found["row"].str.contains("female")]
    assert len(men) == 1
    assert men[["low", "high"]].to_numpy().tolist() == [[0.0, 4.0]]


def test_a_release_is_larger_whatever_its_place(tmp_path):
    outs = [make_out(tmp_path / "whole"), make_out(tmp_path / "less", without_a_victim)]
    both = [find(*outs), find(*outs[::-1])]
    pd.testing.assert_frame_equal(
        *(found.drop(columns="place").reset_index(drop=True) for found in both)
    )


@for_each(("n_left", "is_found"), [(8, True), (0, False), (200, False)])
def test_few_who_are_in_one_of_three_and_in_neither_other(tmp_path, n_left, is_found):
    """What three counts rounded to fives leave is narrower than a threshold of 20."""
    rules, county = Disclosure(threshold=20, rounding=5), draw_people(700)
    names = ("north", "south", "county")
    for name, people in zip(names, (county[:420], county[420 : 700 - n_left], county), strict=True):
        for table, frame in disclose(make_restricted(people), rules).items():
            files.write_table(frame, tmp_path / name / "release", table, ("parquet",))
    opened = [open_release(tmp_path / name, rules.threshold, rules.rounding) for name in names]
    found = subtract_releases(opened)
    found = found[found["what"].eq("sum")]
    assert found.empty != is_found
    if is_found:
        assert {*found["place"]} == {"county − north − south"}
        everybody = found[found["row"].eq("everybody")].iloc[0]
        assert 1 <= everybody["low"] <= n_left <= everybody["high"] < 20
