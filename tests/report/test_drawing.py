"""Words in pictures: how wide they are, whatever a study file or an extract calls its groups."""

from __future__ import annotations

from revictimisation.report.drawing import Drawing, measure
from revictimisation.report.frames import Row, draw_rows


def test_words_are_as_wide_as_their_widest_line():
    assert measure("a\nbbb", 10) == measure("bbb", 10) > measure("a", 10)
    assert measure("", 10) == 0.0


def test_a_letter_that_the_font_lacks_has_a_width():
    assert measure("\u6f22\u5b57", 10) == 20.0


def test_a_name_of_several_lines_stands_above_its_row_on_a_phone():
    """No page was made where a group's name needed two lines on a phone."""
    long = "Annan kommun, också grupper som bara är en enda kommun i länet"
    for is_narrow in (True, False):
        drawing = Drawing(is_narrow)
        laid = draw_rows(drawing, [Row(long, 20.0, "3 färre"), Row("kort", 20.0, "oklart")], 0.0)
        assert 0 < laid.places[0] < laid.places[1] <= laid.bottom
