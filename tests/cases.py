"""Cases tried one after the other in one test, where each is too small to be a test of its own."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def for_each(names: str | Iterable[str], cases: Iterable[Any]) -> Callable[..., Any]:
    """As `pytest.mark.parametrize` in a single test: all that fail are told at once, by case.

    A test that writes files gets a `tmp_path` of its own for each case.
    """
    names = names.replace(" ", "").split(",") if isinstance(names, str) else list(names)
    cases = list(cases)
    assert cases, "no cases"

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def try_all(**fixtures: Any) -> None:
            failed = []
            for number, case in enumerate(cases):
                given = dict(zip(names, case if len(names) > 1 else [case], strict=True))
                own = dict(fixtures)
                if "tmp_path" in fixtures:
                    own["tmp_path"] = fixtures["tmp_path"] / f"case_{number}"
                    own["tmp_path"].mkdir()
                try:
                    test(**own, **given)
                except pytest.fail.Exception as fault:
                    failed.append(AssertionError(f"{reprlib.repr(case)}: {fault}"))
                except Exception as fault:
                    fault.add_note(f"case {number}: {reprlib.repr(case)}")
                    failed.append(fault)
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(cases)} cases fail", failed)

        known = inspect.signature(test)
        left = [one for name, one in known.parameters.items() if name not in names]
        try_all.__signature__ = known.replace(parameters=left)
        del try_all.__wrapped__
        return try_all

    return decorate
