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
