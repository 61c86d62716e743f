"""One searchable site of all documents, without a network: `python3 do.py docs`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

project, author = "revictimisation", "revictimisation"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "estimand_tables"]
html_theme = "furo"
html_title = "revictimisation"
html_static_path: list[str] = []
html_show_sourcelink = False
html_show_copyright = False
language = "en"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "inherited-members": False}
# files that are no page here, such as README; tests/project/test_documents.py holds all links
suppress_warnings = ["myst.xref_missing"]
