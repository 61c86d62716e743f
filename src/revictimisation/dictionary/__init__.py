"""The data dictionary: the only schema of the project.

It declares every table that crosses a stage. Validation, simulator, documentation and disclosure
control read it; the data stand in `data_dictionary/`, where a data owner can review them.
"""

from revictimisation.core.text import Text
from revictimisation.dictionary.code_lists import render_code_lists, render_codes
from revictimisation.dictionary.load import load_dictionary, read_dictionary
from revictimisation.dictionary.model import (
    Dictionary,
    Field,
    ForeignKey,
    Rule,
    RuleText,
    StudyKey,
    Table,
)

__all__ = [
    "Dictionary",
    "Field",
    "ForeignKey",
    "Rule",
    "RuleText",
    "StudyKey",
    "Table",
    "Text",
    "load_dictionary",
    "read_dictionary",
    "render_code_lists",
    "render_codes",
]
