"""Rules that look at a row by itself, or at whether another one or a person is there."""

from __future__ import annotations

from revictimisation.dictionary import Field
from revictimisation.extract.cleaning.work import SOUND, Selects, Work
from revictimisation.extract.sql import quote_name, quote_text

# Blanks, hyphens and underscores between the words of a typed code are one underscore.
BETWEEN_WORDS = r"[\s_-]+"


def lower_case_codes(work: Work) -> Selects:
    """Write codes as the dictionary does: `Former partner` as `former_partner`.

    Only where that gives a known code (of the list, or a measure code that the study names).
    """
    named = [code for measure in work.plan.measures.values() for code in measure.codes]
    selects = {}
    for name, table in work.tables():
        parts = []
        for field in table.fields:
            if field.codes is None or not work.has(name, [field.name]):
                continue
            codes = {*work.dictionary.allowed_codes(field)}
            codes |= {*named} if field.codes == "measures" else set()
            parts.append(f"{_retype(field, codes)} AS {quote_name(field.name)}")
        if parts:
            selects[name] = f"SELECT * REPLACE ({', '.join(parts)}) FROM {work.names[name]}"
    return selects


def _retype(field: Field, codes: set[str]) -> str:
    column = quote_name(field.name)
    typed = f"regexp_replace(lower(trim({column})), {quote_text(BETWEEN_WORDS)}, '_', 'g')"
    known = f"(SELECT unnest([{', '.join(quote_text(code) for code in sorted(codes))}]))"
    is_typed = f"{SOUND} AND {column} NOT IN {known} AND {typed} IN {known}"
    return f"CASE WHEN {is_typed} THEN {typed} ELSE {column} END"


def drop_exact_duplicates(work: Work) -> Selects:
    """Drop rows that equal an earlier one in every column that the study reads.

    An empty cell equals an empty one; columns of the file that are not in the dictionary are not
    read, so they are not compared.
    """
    return {
        name: f"SELECT * FROM {work.names[name]} QUALIFY NOT ({SOUND}) OR row_number() OVER"
        f" (PARTITION BY {', '.join(map(quote_name, work.columns(name)))} ORDER BY row_number) = 1"
        for name, _ in work.tables()
    }


def drop_dates_out_of_range(work: Work) -> Selects:
    """Drop rows with a date before or after what the dictionary allows (1900 to today)."""
    selects = {}
    for name, table in work.tables():
        outside = [
            f"{quote_name(field.name)} {sign} DATE {quote_text(_limit(work, limit))}"
            for field in table.fields
            if field.type == "date" and work.has(name, [field.name])
            for sign, limit in (("<", field.minimum), (">", field.maximum))
            if limit is not None
        ]
        if outside:
            selects[name] = _keep(work, name, " OR ".join(outside))
    return selects


def _limit(work: Work, limit: str) -> str:
    return work.today.isoformat() if limit == "today" else limit


def _keep(work: Work, name: str, is_dropped: str) -> str:
    """All rows but those of which a condition is known to hold."""
    dropped = f"{SOUND} AND ({is_dropped})"
    return f"SELECT * FROM {work.names[name]} WHERE NOT coalesce({dropped}, false)"


def drop_end_before_start(work: Work) -> Selects:
    """Drop rows whose end lies before their start; an end on the day of the start is none."""
    selects = {}
    for name, table in work.tables():
        turned = [
            f"{quote_name(rule.columns[1])} < {quote_name(rule.columns[0])}"
            for rule in table.rules
            if rule.kind == "end_before_start" and work.has(name, rule.columns)
        ]
        if turned:
            selects[name] = _keep(work, name, " OR ".join(turned))
    return selects


def drop_unknown_people(work: Work) -> Selects:
    """Drop rows of people who must be in `persons` and are not there."""
    selects = {}
    for name, table in work.tables():
        unknown = [
            f"{quote_name(mine)} IS NOT NULL AND {quote_name(mine)} NOT IN"
            f" (SELECT p.{its} FROM {work.names[key.resource]} p WHERE p.{its} IS NOT NULL)"
            for key in table.foreign_keys
            if key.resource == "persons" and key.severity == "error"
            for mine, its in zip(key.fields, key.reference_fields, strict=True)
            if work.has(name, [mine]) and work.has("persons", [its])
        ]
        if unknown:
            selects[name] = _keep(work, name, " OR ".join(f"({one})" for one in unknown))
    return selects
