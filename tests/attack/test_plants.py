"""Every planted leak is found and named; in the clean release there is nothing to find."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.core import files
from revictimisation.disclosure.attack import ATTACKS, attack, open_release
from revictimisation.disclosure.attack.cells import list_cells
from revictimisation.disclosure.attack.margins import bound_cells
from revictimisation.disclosure.attack.traces import search_bytes
from tests.attack.made import STUDY, add, make_out, put, seal
from tests.attack.plants import PAGE, PLANTS, SECRET, UNSEALED, rewrite, where
from tests.cases import for_each


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_out(tmp_path_factory.mktemp("clean") / "out")


SECRETS = frozenset([SECRET])


def test_nothing_is_found_in_a_clean_release(clean):
    for folder in (clean, clean / "release"):
        assert attack([open_release(folder, secrets=SECRETS)]).to_dict("records") == []


def test_what_a_picture_says_of_numbers_that_stand_on_its_page_is_not_hidden(clean, tmp_path):
    out = Path(shutil.copytree(clean, tmp_path / "out"))
    PLANTS["alternative text"][1](out)
    rewrite(PAGE, "</main>", "<p>Bias 0.11823.</p></main>")(out)
    seal(out)
    found = attack([open_release(out)])
    assert "hidden" not in set(found["what"])


def test_parts_of_which_one_could_not_be_estimated_are_no_sum(clean, tmp_path):
    """The other quarters do not make up the year, and nothing that follows from it is told."""
    out = tmp_path / "out"
    shutil.copytree(clean, out)
    for level in ("2014-Q1", "2014-Q2", "2014-Q3"):
        put(where(level=level), status="not_estimable", reason="follow_up_too_short",
            n_people=pd.NA, n_events=pd.NA, estimate=pd.NA, se=pd.NA)(out)  # fmt: skip
    seal(out)
    release = open_release(out)
    cells = list_cells(release.estimates, release.rules, release.plan)
    assert not bound_cells(cells, 5)["is_false"].any()
    assert attack([open_release(out)]).empty


@for_each(
    ("values", "is_found"),
    [
        ({"measure": "sheltered_housing"}, True),
        ({"measure": "safety_talk", "level": "sheltered_housing"}, True),
        ({"measure": "", "level": "safety_talk > sheltered_housing"}, True),
        ({"measure": "contact_person", "subgroup": "trial_start", "level": "shelter_end"}, True),
        ({"measure": "safety_talk", "level": "alarm_package"}, False),
    ],
)
def test_in_a_study_of_a_place_all_is_by_place(values, is_found, clean, tmp_path):
    out = Path(shutil.copytree(clean, tmp_path / "out", dirs_exist_ok=True))
    add("estimates", **{"subgroup": "sequence", "level": "", **values})(out)
    for of, counts in ("", False), ("eligibility: {districts: [city]}\n", is_found):
        files.write_json(out / "manifest.json", {"study_file": STUDY + of})
        found = search_bytes(open_release(out))
        assert ("group" in set(found["what"])) == counts


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_leak_is_found_and_named(name, clean, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(clean, out)
    (kind, what), plant = PLANTS[name]
    plant(out)
    if name not in UNSEALED:
        seal(out)
    mine = next(one for one in ATTACKS if kind in one.kinds)
    found = mine.find(open_release(out, secrets=SECRETS))
    assert (kind, what) in {*zip(found["kind"], found["what"], strict=True)}


def test_there_are_leaks_of_every_kind():
    kinds = {kind for (kind, _), _ in PLANTS.values()}
    assert kinds == {kind for one in ATTACKS for kind in one.kinds}
    assert len(PLANTS) > 60
