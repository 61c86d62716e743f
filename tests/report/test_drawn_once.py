"""A picture is drawn once in a run, and never taken for another."""

from __future__ import annotations

from dataclasses import replace

from revictimisation.report import charts
from revictimisation.report.drawn_once import KEPT_IN, drawn_once
from revictimisation.report.formats import Formats

SCALE = charts.Scale(Formats("en").percent_short, (0.0, 0.5, 1.0))
DOTS = charts.DotSeries("risk", [(0.5, 0.25, 0.75), None])


def test_the_same_picture_is_drawn_once_and_any_other_is_drawn(tmp_path, monkeypatch):
    drawn = []

    @drawn_once
    def draw(labels, series, scale):
        drawn.append((labels, series, scale))
        return b"%d" % len(drawn), b"narrow"

    monkeypatch.delenv(KEPT_IN, raising=False)  # a test before may have begun a run
    first = draw(["one", "two"], [DOTS], SCALE)
    assert draw(["one", "two"], [DOTS], SCALE) != first  # no run, nothing kept
    monkeypatch.setenv(KEPT_IN, str(tmp_path))
    first = draw(["one", "two"], [DOTS], SCALE)
    again = replace(SCALE, write=Formats("en").percent_short)
    assert draw(["one", "two"], [replace(DOTS)], again) == first
    others = [
        (["one", "three"], [DOTS], SCALE),
        (["one", "two"], [replace(DOTS, points=[(0.5, 0.25, 0.76), None])], SCALE),
        (["one", "two"], [replace(DOTS, is_filled=False)], SCALE),
        (["one", "two"], [DOTS], replace(SCALE, write=Formats("sv").percent_short)),
        (["one", "two"], [DOTS], replace(SCALE, write=Formats("en").percent)),
        (["one", "two"], [DOTS], replace(SCALE, pad=0.1)),
    ]
    pictures = [draw(*other) for other in others]
    assert len({first, *pictures}) == 1 + len(others)


def test_an_axis_is_told_by_what_it_writes_at_its_own_ticks(tmp_path, monkeypatch):
    """Alike at all numbers that are tried of every axis, and different at one of its own."""
    monkeypatch.setenv(KEPT_IN, str(tmp_path))
    pictures = iter(range(9))
    draw = drawn_once(lambda scale: (b"%d" % next(pictures), b"narrow"))
    ticks = (0.0, 7.0)
    plain = charts.Scale(lambda tick: f"{tick:.1f}", ticks)
    named = charts.Scale(lambda tick: "a week" if tick == 7 else f"{tick:.1f}", ticks)
    assert draw(plain) != draw(named)


def test_a_picture_whose_labels_are_of_some_numbers_only_is_drawn_anew(tmp_path, monkeypatch):
    """Found by the main job: an axis of names knows nothing of any other number."""
    monkeypatch.setenv(KEPT_IN, str(tmp_path))
    pictures = iter(range(9))
    draw = drawn_once(lambda scale: (b"%d" % next(pictures), b"narrow"))
    scale = charts.Scale({1.0: "low", 2.0: "high"}.__getitem__, (1.0, 2.0))
    assert draw(scale) == (b"0", b"narrow")
    assert draw(scale) == (b"1", b"narrow")
