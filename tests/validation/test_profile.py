"""Counts of a delivery against counting by hand; volumes and comparisons against made series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.extract.validation.plausibility import (
    compare_deliveries,
    hide_small,
    hold_against_expected,
)
from revictimisation.extract.validation.profile import profile_extract
from revictimisation.extract.validation.volumes import find_early_ends, find_volumes, mark_unusual
from revictimisation.plan.parts import ValidationLimits
from tests.cases import for_each
from tests.validation.extracts import TODAY, VALID, write_extract

LIMITS = ValidationLimits()
KEYS = ["table", "kind", "column", "level"]


def profile(folder, tables=VALID, least=1) -> pd.DataFrame:
    con = connect(threads=1)
    extract = load_extract(con, write_extract(folder, tables), load_dictionary(), today=TODAY)
    return profile_extract(extract, load_dictionary(), least)


def look_up(facts: pd.DataFrame) -> dict[tuple[str, ...], tuple[int, int]]:
    return {
        tuple(getattr(one, key) for key in KEYS): (one.n, one.total) for one in facts.itertuples()
    }


def test_counts_are_those_of_a_hand(tmp_path):
    facts = look_up(profile(tmp_path))
    assert facts["reports", "rows", "", ""] == (3, 3)
    assert facts["reports", "filled", "suspect_id", ""] == (2, 3)
    assert facts["reports", "filled_year", "offence_from_on", "2012"] == (1, 1)
    assert facts["reports", "filled_place", "is_honour", "city"] == (0, 1)
    assert facts["reports", "code", "relation", "former_partner"] == (2, 3)
    assert facts["reports", "code", "is_honour", "true"] == (1, 2)
    assert facts["reports", "month", "", "2013-03"] == (1, 3)
    # the district comes from the report, and for social services from the municipality that year
    assert facts["police_measures", "filled_place", "start_on", "sodertorn"] == (1, 1)
    assert facts["social_interventions", "filled_place", "end_on", "sodertorn"] == (1, 1)
    assert facts["social_interventions", "days", "intervention", "sheltered_housing"] == (79, 1)
    assert facts["centre_contacts", "mean", "age", ""] == (19, 1)


def test_no_value_of_the_data_becomes_a_level(tmp_path):
    """Unknown codes are one level, rare years are other years, protected identity is not told."""
    odd = VALID["reports"].replace("former_partner", "Anna Andersson").replace("city", "Kista")
    facts = profile(tmp_path, {**VALID, "reports": odd})
    levels = set(facts["level"])
    assert not levels & {"Anna Andersson", "Kista", "v1", "r1"}
    assert "other" in levels
    assert not (facts["column"] == "protected_identity")[facts["kind"] == "code"].any()


def test_a_date_before_or_after_all_others_is_not_told(tmp_path):
    head, first, *_ = VALID["reports"].splitlines(keepends=True)
    rows = [first.replace("r1,", f"r{at},") for at in range(10)]
    rows[3] = rows[3].replace("2012-03-01", "1931-07-13")
    facts = profile(tmp_path, {**VALID, "reports": head + "".join(rows)}, least=5)
    dated = facts[(facts["table"] == "reports") & facts["kind"].isin(["month", "filled_year"])]
    assert set(dated["level"]) == {"2012-03", "2012", "other"}


def test_small_counts_and_what_is_left_of_a_total_are_hidden():
    facts = pd.DataFrame(
        [("t", "filled", "a", "", n, total) for n, total in ((4, 90), (86, 90), (5, 90), (85, 90),
                                                          (0, 90), (90, 90), (2, 4))],
        columns=[*KEYS, "n", "total"],
    )  # fmt: skip
    hidden = hide_small(facts, 5)
    assert list(hidden["n"].isna()) == [True, True, False, False, False, False, True]
    assert hidden["total"].isna().sum() == 1


@for_each("seed", range(5))
def test_even_volumes_are_not_marked_and_planted_ones_are(seed):
    values = np.random.default_rng(seed).poisson(100, 72).astype(float)
    assert set(mark_unusual(values, LIMITS)[2]) == {""}
    planted = values.copy()
    planted[20], planted[50] = 20, 260
    marks = mark_unusual(planted, LIMITS)[2]
    assert {at: mark for at, mark in enumerate(marks) if mark} == {20: "drop", 50: "jump"}
    halved = np.concatenate([values[:40], np.round(values[40:] * 0.3)])
    found = [(at, mark) for at, mark in enumerate(mark_unusual(halved, LIMITS)[2]) if mark]
    assert [mark for _, mark in found] == ["fell"] and abs(found[0][0] - 40) <= 2


# Rows by quarter of an extract made by hand (small counts filled in), where a system was changed.
POLICE = [27, 18, 27, 23, 46, 29, 38, 23, 32, 40, 15, 32, 33, 26, 35, 22, 9, 8, 4, 4, 9, 11, 5, 5,
          4, 3, 8, 9, 4, 5, 3, 4]  # fmt: skip
SOCIAL = [17, 6, 9, 10, 26, 21, 29, 20, 21, 20, 9, 14, 30, 20, 24, 10, 6, 7, 4, 3, 3, 9, 4, 4,
          3, 6, 2, 6, 4, 5, 2, 1]  # fmt: skip


@for_each(("counts", "places"), [(POLICE, {16}), (SOCIAL, {15, 16})])
def test_a_fall_is_marked_where_it_comes(counts, places):
    marks = mark_unusual(np.array(counts, dtype=float), LIMITS)[2]
    assert [mark for mark in marks if mark in ("fell", "rose")] == ["fell"]
    assert marks.index("fell") in places


@for_each(("mean", "dispersion"), [(6, 1), (15, 2.5), (30, 2.5), (100, 5)])
def test_steady_noise_seldom_has_a_new_level(mean, dispersion):
    """Negative binomial counts of 8 years by quarter; planted falls are found within a period."""
    rng = np.random.default_rng(7)

    def draw(level: float, n: int) -> np.ndarray:
        if dispersion == 1:
            return rng.poisson(level, n).astype(float)
        shape = level / (dispersion - 1)
        return rng.poisson(rng.gamma(shape, dispersion - 1, n)).astype(float)

    steady = [mark_unusual(draw(mean, 32), LIMITS)[2] for _ in range(100)]
    assert sum(bool({"fell", "rose"} & set(marks)) for marks in steady) <= 6
    if mean < 30:
        return
    fallen = [np.concatenate([draw(mean, 16), draw(0.3 * mean, 16)]) for _ in range(50)]
    found = [mark_unusual(one, LIMITS)[2] for one in fallen]
    near = [any(marks[at] == "fell" for at in (15, 16, 17)) for marks in found]
    assert sum(near) >= 40


def test_one_odd_period_is_no_level():
    values = np.full(40, 100.0)
    values[20] = 1000
    assert {mark for mark in mark_unusual(values, LIMITS)[2] if mark} == {"jump"}


def months(table: str, first_year: int, counts: list[int]) -> pd.DataFrame:
    rows = [
        (table, "month", "", f"{first_year + at // 12}-{at % 12 + 1:02d}", n, sum(counts))
        for at, n in enumerate(counts)
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "n", "total"])


def test_volumes_have_empty_months_and_small_tables_quarters():
    counts = [50] * 24
    gap = months("reports", 2012, counts).drop(index=10)
    volumes = find_volumes(pd.concat([gap, months("persons", 2012, [3] * 24)]), LIMITS)
    by_month = volumes[volumes["table"] == "reports"].set_index("period")
    assert by_month.loc["2012-11", ["n_rows", "mark"]].tolist() == [0, "drop"]
    small = volumes[volumes["table"] == "persons"]
    assert list(small["period"][:2]) == ["2012 Q1", "2012 Q2"]
    assert set(small["n_rows"]) == {9}


def test_a_table_that_ends_before_the_reports_is_told():
    facts = pd.concat([months("reports", 2012, [50] * 24), months("persons", 2012, [50] * 20)])
    assert find_early_ends(facts, LIMITS) == {"persons": 4}


def share(n: int, total: int) -> pd.DataFrame:
    rows = [("reports", "code", "relation", "unknown", n, total)]
    return pd.DataFrame(rows, columns=[*KEYS, "n", "total"])


def test_a_share_has_changed_if_by_more_than_chance_and_the_limit():
    def is_changed(now, before):
        return bool(compare_deliveries(share(*now), share(*before), LIMITS)["is_changed"].iloc[0])

    assert is_changed((1600, 10000), (1000, 10000))
    assert not is_changed((1400, 10000), (1000, 10000))  # sure, but within the limit
    assert not is_changed((8, 50), (5, 50))  # beyond the limit, but chance does as much
    hidden = hide_small(share(3, 90), 5)
    assert compare_deliveries(share(30, 90), hidden, LIMITS).empty


def test_what_the_dictionary_expects_is_held_against_the_counts():
    dictionary = load_dictionary()
    found = hold_against_expected(share(40, 100), dictionary)
    assert found[["now", "maximum", "is_outside"]].values.tolist() == [[0.4, 0.25, True]]
    assert not hold_against_expected(share(20, 100), dictionary)["is_outside"].any()


def test_expected_ranges_name_what_is_there():
    dictionary = load_dictionary()
    ranges = dictionary.codes("expected_ranges")
    assert set(ranges["confidence"]) <= {"V", "R-hi", "R-med", "R-lo"}
    for one in ranges.itertuples():
        field = dictionary.tables[one.table].field(one.column)
        assert float(one.minimum) < float(one.maximum)
        if one.kind in ("code", "days") and field.codes:
            assert one.level in dictionary.allowed_codes(field)
