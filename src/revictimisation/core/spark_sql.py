"""The embedded engine's SQL in Spark's: one text of every statement, two engines that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import sqlglot
import sqlglot.expressions as exp
from sqlglot.optimizer.scope import Scope, traverse_scope

Columns = Callable[[str], Sequence[str]]  # the names of a table's columns
PLACE = "rowid"  # of a row in its file or table, from 0; no `*` shows it


def parse(statement: str) -> exp.Expression:
    """A statement of the embedded engine."""
    return sqlglot.parse_one(statement, read="duckdb")


def translate(query: exp.Expression, columns: Columns) -> str:
    """A query in Spark's SQL; each `*` is written out, as Spark has no REPLACE and no BY NAME.

    >>> translate(parse("SELECT * EXCLUDE (b) FROM t"), lambda name: ["a", "b"])
    'SELECT `t`.`a` FROM `t`'
    """
    query = query.copy()
    for scope in traverse_scope(query):
        if isinstance(scope.expression, exp.Select):
            scope.expression.set("expressions", [*_write_out(scope, columns)])
    for union in query.find_all(exp.Union):
        _align(union)
    for node in reversed([*query.walk()]):  # what a node holds before the node itself
        if (other := _replace(node)) is not node:
            node.replace(other)
    return query.sql("spark", identify=True)


def _write_out(scope: Scope, columns: Columns) -> Iterator[exp.Expression]:
    """What a SELECT gives, without stars."""
    select = scope.expression
    for one in select.expressions:
        star = one if isinstance(one, exp.Star) else one.this
        if not isinstance(star, exp.Star) or not isinstance(one, (exp.Star, exp.Column)):
            yield one
            continue
        only = one.table if isinstance(one, exp.Column) else ""
        gone = {column.name for column in star.args.get("except_") or ()}
        changed = {alias.alias: alias for alias in star.args.get("replace") or ()}
        for source in _list_sources(select):
            name = source.alias_or_name
            if only and name != only:
                continue
            for column in _name_columns(source, scope, columns):
                if column in changed:
                    yield changed[column].copy()
                elif column not in gone:
                    yield exp.column(column, table=name or None, quoted=True)


def _list_sources(select: exp.Select) -> Iterator[exp.Expression]:
    """What a SELECT reads, in order."""
    if select.args.get("from_"):
        yield select.args["from_"].this
    for join in select.args.get("joins") or ():
        yield join.this


def _name_columns(source: exp.Expression, scope: Scope, columns: Columns) -> Sequence[str]:
    if isinstance(source, exp.Subquery):
        return source.this.named_selects
    inner = scope.sources.get(source.name)
    if isinstance(inner, Scope):
        return inner.expression.named_selects
    return columns(source.name)


def _align(union: exp.Union) -> None:
    """Put the right side's columns in the order of the left side's, where they go by name."""
    if not union.args.get("by_name"):
        return
    right = union.expression
    places = dict(zip(right.named_selects, right.selects, strict=True))
    right.set("expressions", [places[name] for name in union.this.named_selects])
    union.set("by_name", False)


def _replace(node: exp.Expression) -> exp.Expression:
    """What Spark says in other words."""
    if isinstance(node, exp.RegexpFullMatch):
        pattern = exp.Literal.string(rf"\A(?:{node.expression.this})\z")
        return exp.RegexpLike(this=node.this, expression=pattern)
    if isinstance(node, (exp.RegexpLike, exp.RegexpExtract)) and node.expression.this[-1] == "$":
        node.set("expression", exp.Literal.string(node.expression.this[:-1] + r"\z"))
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.Min) and node.this.expressions:
        (most,) = node.this.expressions
        kept = exp.Filter(this=_call("collect_list", node.this.this), expression=node.expression)
        return _call("slice", _call("array_sort", kept), exp.Literal.number(1), most)
    if isinstance(node, exp.Bracket) and isinstance(node.expressions[0], exp.Slice):
        first, last = (int(end.name) for end in node.expressions[0].iter_expressions())
        return exp.Substring(
            this=node.this,
            start=exp.Literal.number(first),
            length=exp.Literal.number(last - first + 1),
        )
    if isinstance(node, exp.Anonymous):
        return _replace_call(node, node.name.lower(), node.expressions)
    return node


def _replace_call(
    node: exp.Expression, name: str, given: Sequence[exp.Expression]
) -> exp.Expression:
    if name == "isfinite":
        infinite = exp.cast(exp.Literal.string("Infinity"), "double")
        return exp.LT(this=exp.Abs(this=given[0]), expression=infinite)
    if name == "suffix":
        return _call("endswith", *given)
    if name == "to_minutes":
        none = exp.Literal.number(0)
        return _call("make_dt_interval", none, none.copy(), exp.cast(given[0], "int"))
    if name == "timezone":  # moments of Spark are in UTC
        zone, moment = given
        return moment if zone.name == "UTC" else _call("from_utc_timestamp", moment, zone)
    return node


def _call(name: str, *given: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[*given])
