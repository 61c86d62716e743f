"""A nation is the same however it is made: in which parts, in which order, by how many."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.county_figures import find_index_pairs
from revictimisation.commands.simulate import simulate_to
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.simulate import nation
from revictimisation.simulate.nation import Part, simulate_part

N_PEOPLE = 80
KEYS = {
    "persons": ["person_id"], "reports": ["report_id", "suspect_id", "offence_code"],
    "risk_assessments": ["assessment_id"], "police_measures": ["measure_id"],
    "social_interventions": ["intervention_id"], "suspect_interventions": ["intervention_id"],
    "investigations": ["report_id", "suspect_id"],
    "case_decisions": ["report_id", "suspect_id", "decided_on"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A nation of four parts, by one process and by two."""
    folder = tmp_path_factory.mktemp("nation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nation, "PART_SIZE", 24)
        for jobs in (1, 2):
            simulate_to(folder / str(jobs), N_PEOPLE, 5, "national", "csv", jobs)
    return folder


def read(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


def test_a_nation_is_the_same_by_any_number_of_processes(made):
    one, two = (files.hash_files(made / jobs) for jobs in ("1", "2"))
    assert one == two
    assert set(one) == {f"{table}.parquet" for table in (*KEYS, "centre_contacts",
                        "municipality_years")} | {"truth.csv", "simulation.json"}  # fmt: skip


def test_parts_in_any_order_are_the_whole(made):
    later = simulate_part(Part(2, nation.FIRST_UNIT + 48, 24), 5)  # the third, made first and alone
    whole = simulate_part(Part(0, nation.FIRST_UNIT, N_PEOPLE), 5)
    for name, key in KEYS.items():
        there = read(made / "1", name).sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(there.convert_dtypes(), whole[name].convert_dtypes())
        mine = there.merge(later[name][key], on=key).reset_index(drop=True)
        pd.testing.assert_frame_equal(mine.convert_dtypes(), later[name].convert_dtypes())
    contacts = read(made / "1", "centre_contacts")
    assert set(contacts["contact_id"]) == set(whole["centre_contacts"]["contact_id"])


def test_a_nation_has_its_people_and_places(made):
    persons, years = read(made / "1", "persons"), read(made / "1", "municipality_years")
    assert find_index_pairs({"reports": read(made / "1", "reports")})["victim_id"].nunique() == (
        N_PEOPLE
    )
    per_victim = nation.INHABITANTS / nation.NATION.default_people
    assert len(persons) == pytest.approx(N_PEOPLE * per_victim, rel=0.02)
    assert persons["person_id"].is_unique
    inhabitants = years[years["year"] == 2013]["population"]
    assert len(inhabitants) == 290
    assert inhabitants.sum() == pytest.approx(nation.INHABITANTS, rel=1e-4)
    assert persons["municipality_code"].nunique() > 200


def test_the_nation_conforms(made):
    found = load_extract(connect(), made / "1", load_dictionary()).findings
    assert [one for one in found if one.severity in ("error", "warning")] == []
