"""A column of a draft: which of the source's it is, how it is written, and its codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from revictimisation.dictionary import Dictionary
from revictimisation.extract.mapping.matching import Match, match_code
from revictimisation.extract.mapping.profile import ColumnProfile
from revictimisation.extract.mapping.secrecy import is_prose, may_tell
from revictimisation.extract.mapping.words import code_words, known_words, load_words
from revictimisation.extract.sources.faults import show_name

CHECK = "# kontrollera / check"
NEEDED = "KRÄVS / required"
# Code lists of figures of one width, whose leading zeros spreadsheets drop.
DIGIT_LISTS = {"municipalities": 4, "offences": 4}
PLAIN = re.compile(
    r"[A-Za-zÅÄÖåäö_][A-Za-zÅÄÖåäö0-9_/.-]*( [A-Za-zÅÄÖåäö0-9_/.(-][A-Za-zÅÄÖåäö0-9_/.()-]*)*"
)


def draft_column(match: Match, dictionary: Dictionary, threshold: int) -> Iterator[str]:
    """The lines of one column; `# kontrollera / check` marks a guess."""
    field, profile = match.field, match.profile
    check = "" if match.is_sure else f"  {CHECK}"
    heading = show_name(profile.name, profile.place)
    source = quote_text(heading) if not heading.startswith("#") else heading[1:]
    settings = list(_draft_settings(match))
    codes = list(_draft_codes(match, dictionary, threshold))
    if not settings and not codes:
        yield f"        {field.name}: {source}{check}"
        return
    yield f"        {field.name}:{check}"
    yield f"          from: {source}"
    yield from (f"          {line}" for line in (*settings, *codes))


def _draft_settings(match: Match) -> Iterator[str]:
    """How dates, numbers and codes of figures are written, where that is not the usual way."""
    field, profile = match.field, match.profile
    if field.type == "date" and profile.mostly(profile.n_year_last):
        yield _describe_order(profile)
    if field.type == "date" and not profile.is_date and profile.is_number:
        yield "# date: excel_number eller / or sas_number (dagar / days): välj / choose"
    if field.type in ("integer", "number") and profile.n_commas:
        yield 'decimal: ","'
    if field.codes in DIGIT_LISTS and profile.mostly(profile.n_numbers):
        yield f"zeros: {DIGIT_LISTS[field.codes]}"


def _describe_order(profile: ColumnProfile) -> str:
    """The order of day and month, only where the days themselves show it."""
    if profile.n_first_over_12 and not profile.n_second_over_12:
        return "date: day_month_year  # tal över 12 står först / numbers above 12 stand first"
    if profile.n_second_over_12 and not profile.n_first_over_12:
        return "date: month_day_year  # tal över 12 står sedan / numbers above 12 stand second"
    return "# date: day_month_year eller / or month_day_year: välj / choose"


def _draft_codes(match: Match, dictionary: Dictionary, threshold: int) -> Iterator[str]:
    """A line for each code that may be shown, ours beside it where one is near."""
    known = code_words(match.field, dictionary)
    profile = match.profile
    is_figures = match.field.codes in DIGIT_LISTS and profile.mostly(profile.n_numbers)
    if not known or is_figures or not profile.is_coded:
        return
    words, marks = known_words(match.field, dictionary), load_words().missing
    given = [
        value for value in profile.values if value[0].lower() not in marks or value[0] in known
    ]
    shown = [one for one in given if _may_show(one, profile, words, threshold)]
    hidden = [n for code, n in given if (code, n) not in shown]
    lines = [line for one in shown for line in _draft_code(*one, match, dictionary, threshold)]
    lines += _describe_hidden(hidden)
    is_ours = str.lower if match.field.type == "boolean" else str
    is_plain = not hidden and all(is_ours(code) in known for code, _ in shown)
    if lines and not is_plain:
        yield "codes:"
        yield from lines
        yield from _draft_unseen(match, dictionary)


def _may_show(
    given: tuple[str, int], profile: ColumnProfile, words: frozenset[str], threshold: int
) -> bool:
    """Common codes, and in any number those that the dictionary or the source's labels know."""
    code, n = given
    label = profile.labels.get(code, "")
    is_known = code.lower() in words or (bool(label) and not is_prose(code))
    return is_known or (n >= threshold and may_tell(code, words))


def _draft_code(
    code: str, n: int, match: Match, dictionary: Dictionary, threshold: int
) -> Iterator[str]:
    label = _label(match.profile.labels.get(code, ""), match, dictionary)
    ours, is_sure = match_code(code, match.profile.labels.get(code, ""), match.field, dictionary)
    told = ", ".join(one for one in (label, str(n) if n >= threshold else "") if one)
    told = f"  # {told}" if told else ""
    if not ours:
        yield f"  # {quote_text(code)}: ?{told}  utan motsvarighet / no match"
        return
    sign = "" if is_sure else f"  {CHECK[2:] if told else CHECK}"
    yield f"  {quote_text(code)}: {ours}{told}{sign}"


def _draft_unseen(match: Match, dictionary: Dictionary) -> Iterator[str]:
    """Codes that the source's own labels name but no row has: next year may."""
    seen = {code for code, _ in match.profile.values}
    for code, label in match.profile.labels.items():
        ours, is_sure = match_code(code, label, match.field, dictionary)
        if code not in seen and ours and is_sure and may_tell(code, ()):
            yield f"  {quote_text(code)}: {ours}  # {_label(label, match, dictionary)}, 0"


def _label(label: str, match: Match, dictionary: Dictionary) -> str:
    """A source's own name of a code; one that looks like a person's is not told."""
    is_known = label.lower() in known_words(match.field, dictionary)
    return label if is_known or not is_prose(label) else "…"


def _describe_hidden(hidden: list[int]) -> list[str]:
    if not hidden:
        return []
    return [
        f"  # {len(hidden)} värden i {sum(hidden)} rader visas inte (ovanliga, eller som namn och"
        f" meningar) / {len(hidden)} values in {sum(hidden)} rows not shown"
    ]


def quote_text(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
