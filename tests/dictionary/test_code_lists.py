"""The command `codes`: every list can be read where only the package is installed."""

from __future__ import annotations

import csv

import pytest

from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary, render_code_lists, render_codes

DICTIONARY = load_dictionary()


def test_every_list_is_named_with_its_columns():
    told = render_code_lists(DICTIONARY).splitlines()[1:]
    assert [line.split()[0] for line in told] == sorted(DICTIONARY.lists)
    assert f"offences  {len(DICTIONARY.lists['offences'].rows)}  reports.offence_code" in told
    rows = list(csv.DictReader(render_code_lists(DICTIONARY, is_csv=True).splitlines()))
    assert [row["list"] for row in rows] == [*DICTIONARY.lists]


def test_a_list_is_shown_with_labels_in_both_languages_and_its_dates():
    told = render_codes(DICTIONARY, "offences", "olaga HOT mot man")
    assert (
        "0405  Olaga hot mot man 18 år eller äldre / Threat, man 18 or older  (– 2016-12-31)"
        in told.splitlines()
    )
    for name in DICTIONARY.lists:
        n_rows = len(DICTIONARY.lists[name].rows)
        assert len(render_codes(DICTIONARY, name).splitlines()) == 1 + n_rows
        assert len([*csv.reader(render_codes(DICTIONARY, name, "", True).splitlines())]) > n_rows


def test_a_columns_name_stands_for_its_list_and_the_part_that_it_may_hold():
    assert render_codes(DICTIONARY, "offence_code") == render_codes(DICTIONARY, "Offences ")
    for table, name in (("police_measures", "measure"), ("suspect_interventions", "intervention")):
        field = DICTIONARY.tables[table].field(name)
        told = render_codes(DICTIONARY, f"{table}.{name}").splitlines()[1:]
        assert tuple(line.split()[0] for line in told) == DICTIONARY.allowed_codes(field)


def test_what_is_sought_is_found_in_code_and_label_in_any_case():
    assert render_codes(DICTIONARY, "sex", "KVINN").endswith("\nfemale  kvinna / woman")
    assert render_codes(DICTIONARY, "sex", "fEm").endswith("\nfemale  kvinna / woman")
    assert "No code or label" in render_codes(DICTIONARY, "sex", "zz")


@pytest.mark.parametrize(
    ("name", "nearest"), [("offnces", "offences"), ("offence_cod", "offence_code"), ("zz", "sex")]
)
def test_an_unknown_list_is_told_with_the_nearest(name, nearest):
    with pytest.raises(UsageError, match=f"no code list {name}.*{nearest}"):
        render_codes(DICTIONARY, name)
