"""Where people live and report: 26 municipalities, their police districts, rough population sizes.

Population sizes (thousands, about 2013) only weight the draw of a home; they are no statistics.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from revictimisation.simulate.randoms import Integers, draw_category, draw_uniform

# municipality -> (thousands of people, police districts before 2015, police area from 2015)
PLACES: MappingProxyType[str, tuple[float, tuple[str, ...], str]] = MappingProxyType({
    "0114": (41, ("norrort",), "nord"), "0115": (31, ("norrort",), "nord"),
    "0117": (40, ("norrort",), "nord"), "0120": (40, ("nacka",), "syd"),
    "0123": (69, ("vasterort",), "nord"), "0125": (26, ("vasterort",), "nord"),
    "0126": (102, ("sodertorn",), "syd"), "0127": (87, ("sodertorn",), "syd"),
    "0128": (16, ("sodertorn",), "syd"), "0136": (80, ("sodertorn",), "syd"),
    "0138": (44, ("sodertorn",), "syd"), "0139": (24, ("vasterort",), "nord"),
    "0140": (9, ("sodertalje",), "syd"), "0160": (66, ("norrort",), "nord"),
    "0162": (32, ("norrort",), "nord"), "0163": (67, ("norrort",), "nord"),
    "0180": (890, ("city", "vasterort", "soderort"), "city"),
    "0181": (91, ("sodertalje",), "syd"), "0182": (94, ("nacka",), "syd"),
    "0183": (42, ("vasterort",), "nord"), "0184": (72, ("vasterort",), "nord"),
    "0186": (45, ("norrort",), "nord"), "0187": (11, ("norrort",), "nord"),
    "0188": (57, ("roslagen",), "nord"), "0191": (43, ("norrort",), "nord"),
    "0192": (27, ("sodertorn",), "syd"),
})  # fmt: skip
CODES = np.array(list(PLACES))
SIZES = MappingProxyType({code: size for code, (size, _, _) in PLACES.items()})
REFORM_ON = np.datetime64("2015-01-01")  # eight districts became three areas
# Södertörn and Södertälje report more per head; the extra weight is invented
REPORTS_PER_HEAD = MappingProxyType({"sodertorn": 1.25, "sodertalje": 1.15, "nacka": 0.8})


def draw_municipality(seed: int, units: Integers, stream: str) -> np.ndarray:
    """Draw a home municipality (four digits) for each unit, by population and reports per head."""
    weights = [size * REPORTS_PER_HEAD.get(of[0], 1.0) for size, of, _ in PLACES.values()]
    return CODES[draw_category(seed, units, stream, weights)]


def draw_district(seed: int, units: Integers, stream: str, homes: np.ndarray) -> np.ndarray:
    """Draw the police district before 2015 of each home; a city district keeps its people."""
    uniform = draw_uniform(seed, units, stream)
    parts = np.array([len(PLACES[code][1]) for code in CODES])
    place = np.searchsorted(CODES, homes)
    part = np.floor(uniform * parts[place]).astype(int)
    table = np.array([(of * 3)[:3] for _, of, _ in PLACES.values()])
    return table[place, part]


def find_district(on: np.ndarray, homes: np.ndarray, before_2015: np.ndarray) -> np.ndarray:
    """Name the district in charge on a date: the old one before 2015, the area from then on."""
    areas = np.array([area for _, _, area in PLACES.values()])[np.searchsorted(CODES, homes)]
    return np.where(on < REFORM_ON, before_2015, areas)
