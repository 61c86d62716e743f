"""Tables that no other module makes, drawn from what the dictionary says of their columns.

So a table of the dictionary is in every county before a line is written about it; a maker of its
own (`county.make_tables`) comes when its rows are to follow from what happens to people.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.dictionary import Dictionary, Field, Table
from revictimisation.simulate.course import (
    Course,
    date_days,
    finish_table,
    make_ids,
    name_victims,
)
from revictimisation.simulate.randoms import Integers, draw_chance, draw_days, draw_uniform

ROWS_SHARE = 0.5  # of the index victims: each has one row or none
MOST = 100  # of a number without a maximum


def draw_plain_table(dictionary: Dictionary, table: Table, course: Course) -> pd.DataFrame:
    """Draw a row each for some of the index victims, on one day of their follow-up.

    People are the victim, dates that day, codes and truth values equally likely, numbers from their
    minimum to their maximum; what refers to other tables and free text are empty. No draw moves
    another table's.
    """
    units = course.setting.victims["unit"].to_numpy()
    mine = np.flatnonzero(draw_chance(course.seed, units, table.name, ROWS_SHARE))
    ends = course.setting.last_day[mine]
    day = np.floor(draw_uniform(course.seed, units[mine], f"{table.name}_day") * ends)
    known = {
        field.name: name_victims(course, mine, day)
        if field.identifies
        else date_days(course, mine, day)
        if field.type == "date"
        else _draw_column(dictionary, table, field, course.seed, units[mine])
        for field in table.fields
    }
    return finish_table(pd.DataFrame(known, index=range(len(mine))), table)


def _draw_column(
    dictionary: Dictionary, table: Table, field: Field, seed: int, units: Integers
) -> object:
    stream = f"{table.name}.{field.name}"
    if field.codes:
        codes = np.array(dictionary.allowed_codes(field), dtype=object)
        return codes[draw_days(seed, units, stream, 0, len(codes) - 1)]
    if field.type == "boolean":
        return pd.array(draw_chance(seed, units, stream, 0.5), "boolean")
    if field.type in ("integer", "number"):
        least, most = (_read(one) for one in (field.minimum, field.maximum))
        return draw_days(
            seed, units, stream, least or 0, (least or 0) + MOST if most is None else most
        )
    if field.is_unique:
        return make_ids("x", seed, units, stream)
    return None


def _read(limit: str | None) -> int | None:
    """A limit that is a number; `this_year` is none."""
    return int(limit) if limit and limit.isdecimal() else None
