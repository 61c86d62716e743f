"""Synthetic county registers with a known truth.

The heavy parts (numba, pandas) load when a name is first used, so that the command line starts
fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "simulate_county": "county",
    "DEFAULT_PEOPLE": "county",
    "SCENARIOS": "county",
}
__all__ = ["DEFAULT_PEOPLE", "SCENARIOS", "simulate_county"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
