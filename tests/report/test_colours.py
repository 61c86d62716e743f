"""Colours by what they stand for: seen on white, told apart by colour-blind eyes and in grey."""

from __future__ import annotations

import itertools

import numpy as np

from revictimisation.report.colours import LISTS, RISKS, Look, find_look
from tests.cases import for_each

LEAST_CONTRAST = 3.0  # WCAG 2.2, 1.4.11
LEAST_APART = 15.0  # CIE 1976, where 2.3 is just seen
LEAST_LIGHTER = 12.0
# Viénot, Brettel & Mollon 1999, of linear red, green, blue
SEEN = {
    "normal": np.eye(3),
    "deuteranopia": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0],
                              [-0.02234, 0.02234, 1]]),
    "protanopia": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ @ np.ones(3)


def read(colour: str) -> np.ndarray:
    """Linear red, green and blue (sRGB)."""
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def find_contrast(colour: str) -> float:
    """The contrast with white (WCAG)."""
    return 1.05 / (float(TO_XYZ[1] @ read(colour)) + 0.05)


def find_lab(colour: str, eye: str = "normal") -> np.ndarray:
    """Lightness and two colours (CIE 1976) as an eye sees them."""
    share = TO_XYZ @ np.clip(SEEN[eye] @ read(colour), 0, 1) / WHITE
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def list_pairs() -> list[tuple[str, Look, Look]]:
    return [(name, one, other) for name, looks in LISTS.items()
            for one, other in itertools.combinations(looks.values(), 2)]  # fmt: skip


def test_known_colours_are_reckoned_as_published():
    assert round(find_contrast("#767676"), 2) == 4.54  # the lightest grey of 4.5:1
    assert np.allclose(find_lab("#ff0000"), [53.24, 80.09, 67.2], atol=0.05)
    red, green = (find_lab(colour, "deuteranopia") for colour in ("#d01010", "#5f7a00"))
    assert np.linalg.norm(red - green) < np.linalg.norm(
        find_lab("#d01010") - find_lab("#5f7a00")
    ) / 3  # fmt: skip


def test_every_mark_is_seen_on_white():
    faint = {look.colour for looks in LISTS.values() for look in looks.values()
             if find_contrast(look.colour) < LEAST_CONTRAST}  # fmt: skip
    assert faint == set()


@for_each("eye", SEEN)
def test_colours_of_one_list_are_told_apart(eye):
    near = [(name, one.colour, other.colour) for name, one, other in list_pairs()
            if np.linalg.norm(find_lab(one.colour, eye) - find_lab(other.colour, eye))
            < LEAST_APART]  # fmt: skip
    assert near == []


def test_marks_of_one_list_are_told_apart_in_grey():
    """By shape and line; bars, which have neither, by lightness or by being open."""
    for name, one, other in list_pairs():
        assert one.shape != other.shape, (name, one, other)
        assert one.dashes != other.dashes or name == "verdicts"  # which are dots
    for name in ("agencies", "strategies", "risks"):
        for one, other in itertools.combinations(LISTS[name].values(), 2):
            lighter = abs(find_lab(one.colour)[0] - find_lab(other.colour)[0])
            assert lighter >= LEAST_LIGHTER or one.is_filled != other.is_filled, (name, one, other)


def test_risk_is_the_darker_the_higher():
    light = [find_lab(RISKS[level].colour)[0] for level in ("high", "moderate", "low")]
    assert light == sorted(light)


def test_a_meaning_has_one_look_whatever_its_place():
    assert {find_look("methods.doubly_robust", place) for place in range(9)} == {
        LISTS["methods"]["doubly_robust"]
    }
    assert find_look("", 7) == find_look("", 1)
