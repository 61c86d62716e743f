"""Page 07: what would have to be true for an answer to change, told of answers alone."""

from __future__ import annotations

import pytest

from revictimisation.report.sections import tipping

from .conftest import LANGUAGES, make_page
from .test_answers import ALARM, SHELTER, STUDY, TALK, hidden, row, trial, words

TIPPING = {"analysis": "tipping_point"}


def tip(measure: str, **numbers: float) -> list[dict]:
    """Tipping points of a measure, each by its estimand; and the bias of two covariates."""
    rows = [
        row(measure, None, value, None, estimand=name, **TIPPING,
            **({"outcome": "emigration"} if name.startswith("lost") else {}))
        for name, value in numbers.items()
    ]  # fmt: skip
    left_out = {"estimand": "left_out_bias", "subgroup": "covariate", **TIPPING}
    biases = {"sex": -0.01, "risk_level": 0.03}
    return rows + [row(measure, None, value, None, level=name, **left_out)
                   for name, value in biases.items()]  # fmt: skip


def clear_rows() -> list[dict]:
    """An answer of 8 fewer (4 to 12), unclear without reports of nothing but a breach."""
    return [
        *trial(SHELTER, 0.32, 0.4),
        row(SHELTER, -0.09, -0.03, 0.03, analysis="without_breach_only"),
        *tip(SHELTER, times_strongest=2.7, times_strongest_limit=1.3, even_gap=0.28,
             even_gap_limit=0.2, reporting_ratio=0.76, reporting_ratio_limit=0.88,
             lost_share=2.5, lost_share_limit=0.4),
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_row_says_what_is_enough_to_make_the_answer_another(language):
    told = words(tipping.show_tipping(make_page(language, clear_rows(), STUDY)).html)
    for said in {
        "sv": (
            "av samma slag som risknivå 1,3 gånger så starkt 2,7 gånger så starkt",
            "20 procentenheter vanligare utan åtgärden",
            "nya brott anmäls 12 % mer sällan nya brott anmäls 24 % mer sällan",
            "40 % av de utvandrade med åtgärden, ingen utan räcker inte ens om alla",
            "flyttas skillnaden 3,0 av 100",
            "svaret blir oklart .",
        ),
        "en": (
            "of the same kind as risk level 1.3 times as strong 2.7 times as strong",
            "20 percentage points more common without the measure",
            "new crimes are reported 12% less often new crimes are reported 24% less often",
            "40% of those who emigrated with the measure, none of those without not even if all",
            "the difference moves by 3.0 in 100",
            "the answer becomes unclear .",
        ),
    }[language]:
        assert said in told


def test_an_unclear_answer_is_told_what_would_make_it_clear():
    limits = {"times_strongest_limit": 0.7, "even_gap_limit": 0.14, "lost_share_limit": 1.4}
    rows = [row(TALK, -0.05, -0.01, 0.02), *tip(TALK, **limits)]
    told = words(tipping.show_tipping(make_page("sv", rows, STUDY)).html)
    assert "Svaret blir klart: färre" in told and "0,7 gånger" in told
    assert "14 procentenheter vanligare med åtgärden" in told
    assert "inte ens om alla utvandrade utan åtgärden" in told and "ingen ändring räcker" in told
    assert "Ingen skillnad är kvar" not in told


def test_of_a_measure_without_an_answer_nothing_is_told():
    rows = [
        *clear_rows(),
        hidden(ALARM, "withheld", "few_events"),
        row(ALARM, -0.99, -0.77, -0.55, analysis="without_breach_only"),
        *tip(ALARM, times_strongest=77.7, times_strongest_limit=7.7, even_gap_limit=0.77),
    ]
    told = words(tipping.show_tipping(make_page("sv", rows, STUDY)).html)
    assert "Utan svar finns inget att ändra: larm- eller skyddspaket" in told
    assert "77" not in told and "7,7" not in told
    assert not tipping.show_tipping(make_page("sv", trial(SHELTER, 0.3, 0.4), STUDY))
