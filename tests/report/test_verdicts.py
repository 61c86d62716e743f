"""What an interval allows to be said: at its boundaries, in both languages."""

from __future__ import annotations

from revictimisation.report.release import Number
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, describe_verdict, judge
from tests.cases import for_each

from .conftest import make_page


def ratio(estimate: float, low: float, high: float) -> Number:
    return Number(estimate, low, high, status="ok", reason="")


@for_each(
    ("number", "verdict"),
    [
        (ratio(0.4, 0.2, 0.999), FEWER),
        (ratio(0.4, 0.2, 1.0), OPEN),
        (ratio(1.5, 1.0, 2.0), OPEN),
        (ratio(1.5, 1.001, 2.0), MORE),
        (ratio(1.0, 0.5, 1.5), OPEN),
        (Number(0.4, None, None, status="ok"), HIDDEN),
        (Number(status="suppressed"), HIDDEN),
        (Number(0.4, 0.2, 0.6, status="withheld"), HIDDEN),
        (Number(), HIDDEN),
    ],
)
def test_a_verdict_needs_the_whole_interval(number, verdict):
    assert judge(number) == verdict


@for_each(
    ("number", "sv", "en"),
    [
        (
            ratio(0.382, 0.222, 0.658),
            "Ny anmälan var ungefär 60 procent mindre vanlig medan **skyddat boende** pågick"
            " (osäkerhet 34–78 procent).",
            "A new report was about 60 per cent less common while **sheltered housing** was in"
            " force (uncertainty 34–78 per cent).",
        ),
        (
            ratio(0.95, 0.91, 0.996),
            "Ny anmälan var ungefär 5 procent mindre vanlig medan **skyddat boende** pågick"
            " (osäkerhet under 1–9 procent).",
            "A new report was about 5 per cent less common while **sheltered housing** was in"
            " force (uncertainty less than 1–9 per cent).",
        ),
        (
            ratio(0.95, 0.7, 1.3),
            "Oklart åt båda håll: ny anmälan kan ha varit både mindre vanlig och vanligare medan"
            " **skyddat boende** pågick. Osäkerheten rymmer allt från 30 procent mindre vanlig"
            " till 30 procent vanligare.",
            "Unclear either way: a new report may have been both less and more common while"
            " **sheltered housing** was in force. The uncertainty holds everything from 30 per"
            " cent less common to 30 per cent more common.",
        ),
        (
            ratio(1.3, 0.8, 2.4),
            "till 2,4 gånger så vanlig.",
            "to 2.4 times as common.",
        ),
        (
            ratio(0.8, 0.64, 1.0),
            "från 36 procent mindre vanlig till ingen skillnad.",
            "from 36 per cent less common to no difference.",
        ),
        (
            ratio(1.4, 1.1, 1.8),
            "Ny anmälan var ungefär 40 procent vanligare medan **skyddat boende** pågick"
            " (osäkerhet 10–80 procent). Det kan betyda mer våld, större vilja att anmäla eller"
            " ett nytt brott.",
            "about 40 per cent more common",
        ),
        (
            ratio(2.3, 1.4, 3.6),
            "ungefär 2,3 gånger så vanlig medan **skyddat boende** pågick (osäkerhet 1,4–3,6"
            " gånger).",
            "about 2.3 times as common",
        ),
        (
            Number(status="suppressed", reason="small_number"),
            "Inget svar om **skyddat boende** medan den pågick: gruppen är för liten",
            "the group is too small to be shown.",
        ),
        (
            Number(status="not_estimable", reason="nobody_exposed"),
            "ingen fick åtgärden under uppföljningen.",
            "nobody received the measure during follow-up.",
        ),
    ],
)
def test_the_sentence_carries_its_uncertainty(number, sv, en):
    assert sv in describe_verdict(make_page("sv"), "sheltered_housing", number)
    assert en in describe_verdict(make_page("en"), "sheltered_housing", number)


def test_no_sentence_says_that_a_measure_does_not_work():
    for number in (ratio(1.0, 0.9, 1.1), ratio(1.0, 0.1, 9.0), ratio(1.2, 1.1, 1.4)):
        for language, words in (("sv", ("fungerar", "hjälper inte")), ("en", ("work", "not help"))):
            told = describe_verdict(make_page(language), "safety_talk", number)
            assert not any(word in told for word in words)
