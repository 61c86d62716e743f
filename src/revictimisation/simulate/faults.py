"""How often real systems spoil what they record, as the scenario ``dirty`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revictimisation.core import files
from revictimisation.core.plain_yaml import load_keys

FaultRates = Mapping[str, float]  # the share that a fault befalls, of what it means

_KNOWN: dict[str, Any] = load_keys(files.read_text(files.package_file("simulate", "faults.yaml")))
DIRTY_RATES: FaultRates = {name: float(one["rate"]) for name, one in _KNOWN.items()}
MEANINGS: Mapping[str, str] = {name: one["meaning"] for name, one in _KNOWN.items()}
