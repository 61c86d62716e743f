"""The data dictionary as a page that a data owner can read and review."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from revictimisation.core.text import Text
from revictimisation.dictionary.model import Dictionary, Direction, Field, Rule, Table

if TYPE_CHECKING:
    import pandas as pd

WORDS = {
    "intro": Text(
        "Ordlistan är projektets enda schema: kontrollen av uttag, simuleringen, resultaten och"
        " röjandekontrollen läser den. Fel stoppar en körning, varningar och upplysningar gör det"
        " inte.",
        "The dictionary is the project's only schema: validation, simulation, results and"
        " disclosure control read it. Errors stop a run, warnings and notices do not.",
    ),
    "contents": Text("Innehåll", "Contents"),
    "in": Text("Tabeller i uttaget", "Tables of the extract"),
    "between": Text("Tabeller mellan stegen", "Tables between stages"),
    "out": Text("Tabeller med resultat", "Tables of results"),
    "lists": Text("Kodlistor", "Code lists"),
    "rules": Text("Vad som kontrolleras", "What is checked"),
    "row": Text("En rad är", "A row is"),
    "optional": Text("frivillig", "optional"),
    "required": Text("måste finnas", "required"),
    "column": Text("Kolumn", "Column"),
    "meaning": Text("Betydelse", "Meaning"),
    "type": Text("Typ", "Type"),
    "values": Text("Tillåtna värden", "Allowed values"),
    "protection": Text("Skydd", "Protection"),
    "key": Text("Nyckel", "Key"),
    "filled": Text("måste vara ifylld", "must not be empty"),
    "unique": Text("unik", "unique"),
    "expected": Text("bör vara ifylld", "should not be empty"),
    "closed": Text("annan kod är ett fel", "any other code is an error"),
    "open": Text("annan kod ger en varning", "any other code is a warning"),
    "codes": Text("koder ur", "codes of"),
    "from": Text("från", "from"),
    "until": Text("till", "until"),
    "refers": Text("finns i", "is found in"),
    "own": Text("Egna kolumner", "Columns of your own"),
    "rule": Text("Regel", "Rule"),
    "repair": Text("Vad man gör", "What to do"),
    "n_codes": Text("koder", "codes"),
    "today": Text("i dag", "today"),
    "this_year": Text("i år", "this year"),
}
TYPES = {
    "string": Text("text", "text"),
    "integer": Text("heltal", "whole number"),
    "number": Text("tal", "number"),
    "boolean": Text("sant/falskt", "true/false"),
    "date": Text("datum", "date"),
}
SEVERITIES = {
    "error": Text("fel", "error"),
    "warning": Text("varning", "warning"),
    "notice": Text("upplysning", "notice"),
}
SENSITIVITIES = {
    "identifier": Text("identifierar", "identifies"),
    "quasi_identifier": Text("kan bidra till att identifiera", "may help to identify"),
    "sensitive": Text("känslig", "sensitive"),
    "plain": Text("inte känslig", "not sensitive"),
}
DISCLOSURES = {
    "never": Text("visas aldrig", "never shown"),
    "aggregate": Text("visas i grupp", "shown for groups"),
    "open": Text("får visas", "may be shown"),
}
HEADINGS = {
    "code": Text("Kod", "Code"),
    "label_sv": Text("Benämning", "Label"),
    "label_en": Text("Benämning", "Label"),
    "valid_from_on": Text("Gäller från", "Valid from"),
    "valid_to_on": Text("Gäller till", "Valid until"),
    "offence_group": Text("Brottsgrupp", "Offence group"),
    "confidence": Text("Säkerhet", "Confidence"),
    "confidence_dates": Text("Säkerhet, datum", "Confidence, dates"),
    "agency": Text("Myndighet", "Agency"),
    "legal_basis": Text("Laglig grund", "Legal basis"),
    "disclosure": Text("Röjandeklass", "Disclosure class"),
    "table": Text("Tabell", "Table"),
    "municipality_code": Text("Kommunkod", "Municipality code"),
    "police_district": Text("Polisdistrikt", "Police district"),
    "skr_group": Text("Kommungrupp", "Group of municipality"),
    "classification": Text("Indelning", "Classification"),
    "relation_group": Text("Relationsgrupp", "Group of relation"),
    "gravity": Text("Allvar", "Gravity"),
    "from_age": Text("Från ålder", "From age"),
    "to_age": Text("Till ålder", "Until age"),
    "county": Text("Län", "County"),
    "note_sv": Text("Anmärkning", "Note (in Swedish)"),
    "is_sanction_or_prosecution": Text("Åtal eller påföljd", "Prosecution or sanction"),
    "kind": Text("Slag", "Kind"),
    "has_error": Text("Ska ha medelfel", "Must have a standard error"),
    "risk_beside": Text("Risken bredvid", "The risk beside it"),
    "follows": Text("Följer av", "Follows from"),
    "definition_sv": Text("Vad det är", "What it is"),
    "definition_en": Text("Vad det är", "What it is"),
    "reference": Text("Litteratur", "Literature"),
    "column": Text("Kolumn", "Column"),
    "level": Text("Värde", "Value"),
    "minimum": Text("Minst", "At least"),
    "maximum": Text("Högst", "At most"),
    "source": Text("Källa", "Source (in Swedish)"),
    "pattern": Text("Mönster", "Pattern"),
    "born_from_year": Text("Födda från år", "Born from the year"),
    "name_pattern": Text("Mönster för namn", "Pattern of names"),
    "content_pattern": Text("Mönster för innehåll", "Pattern of contents"),
    "least_share": Text("Minsta andel", "Least share"),
    "victims": Text("Våldsutsatta", "Victims"),
    "measured": Text("Mått", "What is measured"),
    "share": Text("Andel", "Share"),
    "years": Text("År", "Years"),
    "area_sv": Text("Område", "Area"),
    "area_en": Text("Område", "Area"),
    "of_sv": Text("Andel av", "Share of"),
    "of_en": Text("Andel av", "Share of"),
}
# Columns that are in Swedish whatever the page: names of laws and of sources.
SWEDISH = ("legal_basis", "source", "note_sv")
# Longer lists are folded, so that the page can be read from top to bottom.
FOLD_FROM = 12
STYLE = """
.dictionary{max-width:70rem;line-height:1.5}
.dictionary section{margin:2.5rem 0}
.dictionary .scroll{overflow-x:auto}
.dictionary table{border-collapse:collapse;width:100%;font-size:.92rem}
.dictionary th,.dictionary td{text-align:left;vertical-align:top;padding:.45rem .7rem;
border-bottom:1px solid #d5dbe1}
.dictionary thead th{border-bottom:2px solid #51606e;white-space:nowrap}
.dictionary code{font-size:.92em;background:#f0f3f6;padding:.05em .3em;border-radius:.2em}
.dictionary .quiet{color:#51606e}
.dictionary .tag{display:inline-block;border:1px solid #51606e;border-radius:1em;
padding:0 .6em;font-size:.85em}
.dictionary .error{border-color:#a4262c;color:#a4262c}
.dictionary .warning{border-color:#8a5a00;color:#8a5a00}
.dictionary details summary{cursor:pointer;padding:.3rem 0}
.dictionary ul.columns{columns:18rem;padding-left:1.2rem}
"""


def render_dictionary(dictionary: Dictionary, language: str) -> str:
    """The dictionary as the body of an HTML page in `sv` or `en`; loads nothing from anywhere.

    Tables first, then code lists, then what is checked. Every table, list and rule has an anchor:
    `table-<name>`, `codes-<name>`, `rule-<name>`.
    """
    directions: tuple[Direction, ...] = ("in", "between", "out")
    parts = [f"<style>{STYLE}</style>", f"<p>{_word('intro', language)}</p>"]
    parts.append(_contents(dictionary, language))
    for direction in directions:
        parts.append(f"<h2>{_word(direction, language)}</h2>")
        tables = dictionary.tables_by_direction(direction)
        parts += [_table(table, dictionary, language) for table in tables]
    parts.append(f"<h2>{_word('lists', language)}</h2>")
    parts += [_codes(name, frame, language) for name, frame in dictionary.code_lists.items()]
    parts.append(f"<h2>{_word('rules', language)}</h2>")
    parts.append(_rules(dictionary, language))
    return f'<div class="dictionary" lang="{language}">{"".join(parts)}</div>'


def _word(name: str, language: str) -> str:
    return WORDS[name][language]


def _tell(text: Text | None, language: str) -> str:
    return escape(text[language]) if text else ""


def _link(kind: str, name: str) -> str:
    return f'<a href="#{kind}-{escape(name)}"><code>{escape(name)}</code></a>'


def _grid(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _contents(dictionary: Dictionary, language: str) -> str:
    items = "".join(
        f"<li>{_link('table', table.name)} {_tell(table.label, language)}</li>"
        for table in dictionary.tables.values()
    )
    heading = _word("contents", language)
    return f'<nav aria-label="{heading}"><ul class="columns">{items}</ul></nav>'


def _table(table: Table, dictionary: Dictionary, language: str) -> str:
    need = ""
    if table.direction == "in":
        word = _word("optional" if table.is_optional else "required", language)
        need = f' · <span class="tag">{word}</span>'
    heads = [_word(one, language) for one in ("column", "meaning", "type", "values", "protection")]
    rows = [_field(field, table, dictionary, language) for field in table.fields]
    if table.extra_columns:
        rows.append(_extra(table, language))
    return (
        f'<section id="table-{table.name}"><h3><code>{table.name}</code>'
        f" {_tell(table.label, language)}</h3><p>{_tell(table.text, language)}</p>"
        f'<p class="quiet">{_word("row", language)} {_tell(table.row, language)}{need}</p>'
        f"{_grid(heads, rows)}{_constraints(table, dictionary, language)}</section>"
    )


def _field(one: Field, table: Table, dictionary: Dictionary, language: str) -> list[str]:
    meaning = f"<strong>{_tell(one.label, language)}</strong><br>{_tell(one.text, language)}"
    kind = TYPES[one.type][language]
    unit = f" ({_tell(one.unit, language)})" if one.unit else ""
    protection = (
        f"{SENSITIVITIES[one.sensitivity][language]}, {DISCLOSURES[one.disclosure][language]}"
    )
    allowed = "; ".join(_allowed(one, dictionary, language))
    return [f"<code>{one.name}</code>", meaning, kind + unit, allowed, protection]


def _allowed(one: Field, dictionary: Dictionary, language: str) -> Iterable[str]:
    if one.is_required:
        yield _word("filled", language)
    if one.is_expected:
        yield _word("expected", language)
    if one.is_unique:
        yield _word("unique", language)
    if one.codes:
        codes = dictionary.allowed_codes(one)
        shown = ", ".join(f"<code>{escape(code)}</code>" for code in codes)
        listed = shown if len(codes) < FOLD_FROM else f"{len(codes)} {_word('n_codes', language)}"
        rule = _word("closed" if one.is_closed else "open", language)
        yield f"{_word('codes', language)} {_link('codes', one.codes)}: {listed}; {rule}"
    limits = [("from", one.minimum), ("until", one.maximum)]
    told = [f"{_word(key, language)} {_limit(limit, language)}" for key, limit in limits if limit]
    if told:
        yield " ".join(told)


def _limit(limit: str, language: str) -> str:
    return _word(limit, language) if limit in ("today", "this_year") else escape(limit)


def _extra(table: Table, language: str) -> list[str]:
    extra = table.extra_columns
    assert extra is not None
    protection = (
        f"{SENSITIVITIES[extra.sensitivity][language]}, {DISCLOSURES[extra.disclosure][language]}"
    )
    own = f"<strong>{_word('own', language)}</strong><br>{_tell(extra.text, language)}"
    name = f"<code>{extra.prefix}…</code>" if extra.prefix else "…"
    return [name, own, "", "", protection]


def _constraints(table: Table, dictionary: Dictionary, language: str) -> str:
    items = []
    if table.primary_key:
        key = ", ".join(f"<code>{one}</code>" for one in table.primary_key)
        items.append(f"{_word('key', language)}: {key}")
    for one in table.foreign_keys:
        mine = ", ".join(f"<code>{name}</code>" for name in one.fields)
        target = _link("table", one.resource)
        severity = _severity(one.severity, language)
        items.append(f"{mine} {_word('refers', language)} {target} {severity}")
    items += [_rule(rule, table, dictionary, language) for rule in table.rules]
    return f"<ul>{''.join(f'<li>{one}</li>' for one in items)}</ul>" if items else ""


def _rule(rule: Rule, table: Table, dictionary: Dictionary, language: str) -> str:
    words = dictionary.rules[rule.kind]
    columns = ", ".join(f"<code>{name}</code>" for name in rule.columns)
    link = f'<a href="#rule-{rule.kind}">{_tell(words.label, language)}</a>'
    return f"{link}: {columns} {_severity(rule.severity, language)}"


def _severity(severity: str, language: str) -> str:
    return f'<span class="tag {severity}">{SEVERITIES[severity][language]}</span>'


def _codes(name: str, frame: pd.DataFrame, language: str) -> str:
    other = "_en" if language == "sv" else "_sv"
    columns = [one for one in frame.columns if one in SWEDISH or not one.endswith(other)]
    heads = [HEADINGS[column][language] for column in columns]
    is_foreign = [language != "sv" and column in SWEDISH for column in columns]
    rows = [
        [
            f'<span lang="sv">{escape(str(cell))}</span>' if foreign else escape(str(cell))
            for cell, foreign in zip(row, is_foreign, strict=True)
        ]
        for row in frame[columns].itertuples(index=False)
    ]
    grid = _grid(heads, rows)
    if len(frame) >= FOLD_FROM:
        count = f"{len(frame)} {_word('n_codes', language)}"
        grid = f"<details><summary>{count}</summary>{grid}</details>"
    return f'<section id="codes-{name}"><h3><code>{name}</code></h3>{grid}</section>'


def _rules(dictionary: Dictionary, language: str) -> str:
    heads = [_word(one, language) for one in ("rule", "meaning", "repair")]
    rows = [
        [
            f'<span id="rule-{name}"><code>{name}</code><br>{_tell(one.label, language)}</span>',
            _plain(one.text, language),
            _plain(one.repair, language),
        ]
        for name, one in dictionary.rules.items()
    ]
    return _grid(heads, rows)


def _plain(text: Text, language: str) -> str:
    """A rule's words with its blanks named instead of filled."""
    blanks = {
        "{table}": Text("tabellen", "the table"),
        "{column}": Text("kolumnen", "the column"),
        "{other}": Text("den andra kolumnen eller tabellen", "the other column or table"),
        "{count}": Text("ett antal", "a number of"),
        "{periods}": Text("perioderna", "the periods"),
    }
    told = escape(text[language])
    for blank, words in blanks.items():
        told = told.replace(blank, f"<em>{words[language]}</em>")
    return told
