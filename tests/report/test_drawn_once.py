"""A picture is drawn once in a run, and never taken for another."""

from __future__ import annotations

from dataclasses import replace

from revictimisation.report import rendering
from revictimisation.report.described import Dots, DotSeries, Scale
from revictimisation.report.formats import Formats
from revictimisation.report.rendering import KEPT_IN, draw

EN, SV = Formats("en"), Formats("sv")
SCALE = Scale(EN.way("percent_short"), (0.0, 0.5, 1.0))
DOTS = DotSeries("risk", [(0.5, 0.25, 0.75), None])
PICTURE = Dots(["one", "two"], [DOTS], SCALE)


def test_the_same_picture_is_drawn_once_and_any_other_is_drawn(tmp_path, monkeypatch):
    drawn = []

    def count(picture):
        drawn.append(picture)
        return b"%d" % len(drawn), b"narrow"

    monkeypatch.setattr(rendering, "_draw", count)
    monkeypatch.delenv(KEPT_IN, raising=False)  # a test before may have begun a run
    assert draw(PICTURE) != draw(PICTURE)  # no run, nothing kept
    monkeypatch.setenv(KEPT_IN, str(tmp_path))
    same = Dots(["one", "two"], [replace(DOTS)], replace(SCALE, write=EN.way("percent_short")))
    assert draw(PICTURE) == draw(same)
    words = ((0.5, "half"),)
    others = [
        replace(PICTURE, labels=["one", "three"]),
        replace(PICTURE, series=[replace(DOTS, points=[(0.5, 0.25, 0.76), None])]),
        replace(PICTURE, series=[replace(DOTS, is_filled=False)]),
        *(replace(PICTURE, scale=replace(SCALE, write=write))
          for write in (SV.way("percent_short"), EN.way("percent"), EN.way("percent", 0),
                        EN.way("percent_short", words=words))),
        replace(PICTURE, scale=replace(SCALE, pad=0.1)),
    ]  # fmt: skip
    pictures = [draw(PICTURE), *map(draw, others)]
    assert len(set(pictures)) == 1 + len(others)
