"""A picture is drawn once in a run, for its page and for the notebook that shows it too."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import ParamSpec

from revictimisation.core import files

P = ParamSpec("P")
Drawn = tuple[bytes, bytes]
# the folder, in the environment of the processes of one run; without it everything is drawn
KEPT_IN = "REVICTIMISATION_DRAWN"
# what is written of these tells apart all ways in which we write numbers
TOLD = (0.0, 0.0123, 1.0, 1.5, 12.3456)


def drawn_once(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """The same function of the same data, which takes its picture from what the run has drawn."""

    @functools.wraps(draw)
    def find(*given: P.args, **named: P.kwargs) -> Drawn:
        folder = os.environ.get(KEPT_IN)
        if not folder:
            return draw(*given, **named)
        try:
            whole = repr([draw.__name__, describe(given), describe(named)])
        except LookupError:  # what writes only some numbers can't be told from another: drawn anew
            return draw(*given, **named)
        name = hashlib.sha256(whole.encode()).hexdigest()
        paths = [Path(folder) / f"{name}-{width}.svg" for width in ("wide", "narrow")]
        if not all(path.is_file() for path in paths):
            for path, picture in zip(paths, draw(*given, **named), strict=True):
                files.write_shared(path, picture)
        wide, narrow = map(files.read_bytes, paths)
        return wide, narrow

    return find


def describe(value: object, numbers: Sequence[float] = TOLD) -> object:
    """All that is drawn of a value: its fields, its items; of a function what it writes.

    Of what stands beside numbers (an axis and its ticks) what it writes of them, too.
    """
    if callable(value):
        return [value(number) for number in numbers]
    if is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
        beside = [item for part in parts if isinstance(part, tuple | list) for item in part
                  if isinstance(item, int | float)]  # fmt: skip
        return [describe(part, (*TOLD, *beside)) for part in parts]
    if isinstance(value, Mapping):
        return [(key, describe(item)) for key, item in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [describe(item) for item in value]
    return value
