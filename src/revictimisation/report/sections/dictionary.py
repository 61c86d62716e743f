"""The data dictionary as a page that a data owner can read and review.

Tables first, then code lists, then what is checked. Every table, list and rule has an anchor:
`table-<name>`, `codes-<name>`, `rule-<name>`.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from revictimisation.dictionary import Field, Rule, Table, Text
from revictimisation.report import described
from revictimisation.report.described import (
    MOST_ROWS,
    Cell,
    Content,
    Folded,
    Heading,
    Item,
    Items,
    Piece,
    Written,
    join,
)
from revictimisation.report.page import Page

DIRECTIONS = ("in", "between", "out")
# Columns that are in Swedish whatever the page: names of laws and of sources.
SWEDISH = ("legal_basis", "source", "note_sv")
# Longer lists are folded, so that the page can be read from top to bottom.
FOLD_FROM = 12
BLANKS = ("table", "column", "other", "count", "periods")


def show_dictionary(page: Page) -> Content:
    """The whole dictionary below its title."""
    dictionary = page.dictionary
    links = [Item((f"{_link('table', one.name)} {one.label[page.language]}",))
             for one in dictionary.tables.values()]  # fmt: skip
    needed = [f"{_link('table', one.name)} ({one.label[page.language].lower()})"
              for one in dictionary.tables.values()
              if one.direction == "in" and not one.is_optional]  # fmt: skip
    must_bring = page.text("dictionary.must_bring", tables=", ".join(needed))
    parts: list[Piece] = [must_bring, page.text("dictionary.intro"), Items(tuple(links), "columns")]
    for direction in DIRECTIONS:
        parts.append(Heading(page.say(f"dictionary.{direction}"), 2))
        parts += [_show_table(page, one) for one in dictionary.tables.values()
                  if one.direction == direction]  # fmt: skip
    parts += [Heading(page.say("dictionary.lists"), 2), page.text("dictionary.how_sure")]
    parts += [_show_codes(page, *one) for one in dictionary.code_lists.items()]
    return join([*parts, Heading(page.say("dictionary.rules"), 2), _show_rules(page)])


def _tell(page: Page, text: Text | None) -> str:
    return text[page.language] if text else ""


def _link(kind: str, name: str) -> str:
    return f"[`{name}`](#{kind}-{name})"


def _show_table(page: Page, table: Table) -> Piece:
    need = page.say(f"dictionary.{'optional' if table.is_optional else 'required'}")
    label = table.label[page.language]
    row = f"{page.say('dictionary.row')} {table.row[page.language]}"
    row += f" · {need}" if table.direction == "in" else ""
    heads = [
        page.say(f"dictionary.{one}")
        for one in ("column", "meaning", "type", "values", "protection")
    ]
    rows = [_describe_field(page, field) for field in table.fields]
    extra = table.extra_columns
    if extra is not None:
        own = described.Text(f"**{page.say('dictionary.own')}**\n\n{_tell(page, extra.text)}")
        name = f"`{extra.prefix}…`" if extra.prefix else "…"
        rows.append([name, own, "", "", _protect(page, extra.sensitivity, extra.disclosure)])
    rules = "\n".join(f"- {rule}" for rule in _list_rules(page, table))
    return join([
        Heading(f"`{table.name}` {label}", 3, f"table-{table.name}"),
        described.Text(_tell(page, table.text)),
        described.Text(row, "note"),
        described.Table(label, heads, rows, kind="words stacked"),
        described.Text(rules),
    ])  # fmt: skip


def _describe_field(page: Page, field: Field) -> list[Written]:
    meaning = f"**{_tell(page, field.label)}**\n\n{_tell(page, field.text)}".strip()
    unit = f" ({_tell(page, field.unit)})" if field.unit else ""
    return [
        f"`{field.name}`",
        described.Text(meaning),
        page.say(f"dictionary.type_{field.type}") + unit,
        "; ".join(_list_allowed(page, field)),
        _protect(page, field.sensitivity, field.disclosure),
    ]


def _protect(page: Page, sensitivity: str, disclosure: str) -> str:
    kept = page.say(f"dictionary.sensitivity_{sensitivity}")
    return f"{kept}, {page.say(f'dictionary.disclosure_{disclosure}')}"


def _list_allowed(page: Page, field: Field) -> Iterable[str]:
    marks = {"filled": field.is_required, "expected": field.is_expected, "unique": field.is_unique}
    yield from (page.say(f"dictionary.{key}") for key, is_so in marks.items() if is_so)
    if field.codes:
        codes = page.dictionary.allowed_codes(field)
        listed = ", ".join(f"`{code}`" for code in codes)
        if len(codes) >= FOLD_FROM:
            listed = f"{len(codes)} {page.say('dictionary.n_codes')}"
        rule = page.say(f"dictionary.{'closed' if field.is_closed else 'open'}")
        yield f"{page.say('dictionary.codes')} {_link('codes', field.codes)}: {listed}; {rule}"
    limits = [("from", field.minimum), ("until", field.maximum)]
    told = [
        f"{page.say('dictionary.' + key)} {_limit(page, limit)}" for key, limit in limits if limit
    ]
    if told:
        yield " ".join(told)


def _limit(page: Page, limit: str) -> str:
    return page.say(f"dictionary.{limit}") if limit in ("today", "this_year") else limit


def _list_rules(page: Page, table: Table) -> Iterable[str]:
    """The key of a table, what its columns refer to, and what is checked of it."""
    if table.primary_key:
        yield f"{page.say('dictionary.key')}: {', '.join(f'`{one}`' for one in table.primary_key)}"
    for one in table.foreign_keys:
        mine = ", ".join(f"`{name}`" for name in one.fields)
        target = _link("table", one.resource)
        yield f"{mine} {page.say('dictionary.refers')} {target} {_grade(page, one.severity)}"
    yield from (_describe_rule(page, rule) for rule in table.rules)


def _describe_rule(page: Page, rule: Rule) -> str:
    label = _tell(page, page.dictionary.rules[rule.kind].label)
    columns = ", ".join(f"`{name}`" for name in rule.columns)
    return f"[{label}](#rule-{rule.kind}): {columns} {_grade(page, rule.severity)}"


def _grade(page: Page, severity: str) -> str:
    return f"({page.say(f'dictionary.severity_{severity}')})"


def _show_codes(page: Page, name: str, frame: pd.DataFrame) -> Piece:
    other = "_en" if page.language == "sv" else "_sv"
    columns = [
        one for one in frame.columns
        if (f"{one}_{page.language}" not in frame if one in SWEDISH else not one.endswith(other))
    ]  # fmt: skip
    heads = [page.say(f"dictionary.head_{column}") for column in columns]
    marks = ["sv" if page.language != "sv" and one in SWEDISH else "" for one in columns]
    rows = [
        [Cell(str(cell), language=mark) for cell, mark in zip(row, marks, strict=True)]
        for row in frame[columns].itertuples(index=False)
    ]
    table: Piece = page.table(name, heads, rows, kind="words")
    if len(frame) >= FOLD_FROM:
        table = Folded(f"{len(frame)} {page.say('dictionary.n_codes')}", table)
    return join([Heading(f"`{name}`", 3, f"codes-{name}"), table])


def _show_rules(page: Page) -> Piece:
    heads = [page.say(f"dictionary.{one}") for one in ("rule", "meaning", "repair")]
    rows = [
        [Cell(f"`{name}`", anchor=f"rule-{name}").above(_tell(page, one.label)),
         _name_blanks(page, one.text), _name_blanks(page, one.repair)]
        for name, one in page.dictionary.rules.items()
    ]  # fmt: skip
    caption = page.say("dictionary.rules")
    return join(described.Table(caption, heads, rows[at : at + MOST_ROWS], kind="words")
                for at in range(0, len(rows), MOST_ROWS))  # fmt: skip


def _name_blanks(page: Page, text: Text) -> str:
    """A rule's words with its blanks named instead of filled."""
    told = text[page.language]
    for blank in BLANKS:
        told = told.replace(f"{{{blank}}}", page.say(f"dictionary.blank_{blank}"))
    return told
