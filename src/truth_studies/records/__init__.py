"""Readers of the kept tables (`tables/`, a folder a study); what is not kept is empty."""

from __future__ import annotations

from pathlib import Path

TABLES = Path(__file__).parent.parent / "tables"
