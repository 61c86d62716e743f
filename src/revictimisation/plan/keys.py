"""The keys of a study file against the dictionary: what each means, and what it may not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from revictimisation.core.text import name_nearest
from revictimisation.dictionary import Dictionary, StudyKey, Text
from revictimisation.plan.kinds import ANY_NAME, describe_kind, list_places, read_schema

# Keys whose codes of measures are told of.
TELLING = ("measures.*.codes", "sequential.shelter", "sequential.after_shelter")
Value = tuple[str, Any]  # where it stands in the study file, and what stands there


def find_values(plan: Any, path: str) -> list[Value]:
    """What stands at a key of a study file; where names are the user's own, under each of them.

    >>> from revictimisation.plan import read_plan
    >>> find_values(read_plan("name: a\\nmeasures: {m: {}}"), "measures.*.codes")
    [('measures.m.codes', ('m',))]
    """
    found: list[Value] = [("", plan)]
    for part in path.split("."):
        found = [
            (f"{where}.{name}" if where else name, value)
            for where, at in found
            for name, value in _open(at, part)
        ]
    return found


def _open(at: Any, part: str) -> list[tuple[str, Any]]:
    return list(at.items()) if part == ANY_NAME else [(part, getattr(at, part))]


def list_codes(plan: Any, dictionary: Dictionary) -> Iterator[tuple[str, str, str]]:
    """Every code that a study file names: where, of which code list, the code."""
    for path, key in dictionary.study_keys.items():
        for where, value in find_values(plan, path) if key.codes else ():
            yield from ((where, key.codes, code) for code in value or ())


def find_key_faults(plan: Any, dictionary: Dictionary) -> list[str]:
    """What the dictionary does not allow: numbers below its floor, codes of no closed list."""
    faults = []
    for path, key in dictionary.study_keys.items():
        for where, value in find_values(plan, path) if key.minimum is not None else ():
            if value < key.minimum:
                faults.append(
                    f"{where}: ska vara minst {key.minimum}, som dataordlistan kräver"
                    f" / must be at least {key.minimum}, as the data dictionary asks"
                )
    faults += _find_revealing(plan, dictionary)
    closed = {field.codes for table in dictionary.tables.values()
              for field in table.fields if field.is_closed and field.codes}  # fmt: skip
    named = [*list_codes(plan, dictionary), *_list_levels(plan, dictionary)]
    common = dictionary.lists["common"].codes
    for where, list_name, code in named:
        known = dictionary.lists[list_name].codes
        if list_name in closed and code not in {*known, *common}:
            faults.append(f"{where}: okänd kod / unknown code {code!r}{name_nearest(code, known)}")
    return faults


def _find_revealing(plan: Any, dictionary: Dictionary) -> list[str]:
    """Groups and measures that by the dictionary are never shown, whatever a study file asks."""
    fields = dictionary.tables["covariates"].fields
    hidden = {field.name for field in fields if field.disclosure == "never"}
    groups = [("subgroups", name) for name in plan.subgroups]
    groups += [("course.groups", name) for name in plan.course.groups]
    for where, levels in find_values(plan, "for_whom.combined.*.levels"):
        groups += [(where, name) for name in levels]
    kept = dictionary.lists["measures"].hidden
    asked = [pair for path in TELLING for pair in find_values(plan, path)]
    named = [(where, code) for where, codes in asked for code in codes if code in kept]
    named += [(where, name) for where, name in groups if name in hidden]
    told = "redovisas aldrig enligt dataordlistan / is never shown by the data dictionary"
    return [f"{where}: {name!r} {told}" for where, name in named]


def _list_levels(plan: Any, dictionary: Dictionary) -> Iterator[tuple[str, str, str]]:
    """The levels that combined groups are made of: where, of which code list, the code."""
    lists = {
        field.name: field.codes for field in dictionary.tables["covariates"].fields if field.codes
    }
    for where, levels in find_values(plan, "for_whom.combined.*.levels"):
        for name, codes in levels.items():
            yield from ((f"{where}.{name}", lists[name], code) for code in codes if name in lists)


WORDS = {
    "title": Text("Studiefilens nycklar", "The keys of a study file"),
    "intro": Text(
        "Varje nyckel utom `name` har ett förval: det som inte står i filen gäller ändå. En okänd"
        " nyckel är ett fel, och den närmaste kända nämns. Nycklar i varandra skrivs med indrag;"
        " här står de med punkt, och `*` är ett namn som man väljer själv. Filen är enkel YAML:"
        " utan ankare, märken och hopslagna nycklar; tal skrivs med siffror utan nolla först,"
        " datum ÅÅÅÅ-MM-DD, och sant och falskt som true och false.",
        "Every key but `name` has a default: what the file does not hold is valid all the same. An"
        " unknown key is an error, and the nearest known one is named. Keys inside each other are"
        " indented; here they have a dot, and `*` is a name of your own. The file is plain YAML:"
        " no anchors, tags and merged keys; numbers are digits without a leading zero, dates"
        " YYYY-MM-DD, and truth values are true and false.",
    ),
    "check": Text(
        "Prova filen med `revictimisation validate UTTAG --study FIL`. Sidan är gjord med"
        " `revictimisation study-keys`.",
        "Try the file by `revictimisation validate EXTRACT --study FILE`. This page is made by"
        " `revictimisation study-keys`.",
    ),
    "must": Text("Ska vara", "Must be"),
    "floor": Text("minst {} enligt dataordlistan", "at least {} by the data dictionary"),
    "codes": Text("koder ur listan {}", "codes of the list {}"),
    "default": Text("Förval", "Default"),
    "example": Text("Exempel", "Example"),
    "source": Text("Källa", "Source"),
}


def render_keys(model: type[BaseModel], dictionary: Dictionary) -> str:
    """Every key of a study file as Markdown, in Swedish and then in English."""
    parts = [_render_language(model, dictionary, language) for language in ("sv", "en")]
    return "\n".join(parts)


def _render_language(model: type[BaseModel], dictionary: Dictionary, language: str) -> str:
    lines = [f"# {WORDS['title'][language]}", ""]
    for name in ("intro", "check"):
        lines += [WORDS[name][language], ""]
    for path, schema in list_places(model):
        key = dictionary.study_keys.get(path, StudyKey())
        is_part = "default" not in schema or isinstance(schema["default"], dict)
        depth = "##" if "." not in path else "###"
        lines += [f"{depth} `{path}`", "", key.text[language], ""]
        facts = [("must", _describe(model, schema, key, language))]
        facts += [] if is_part else [("default", f"`{_write(schema['default'])}`")]
        facts += [(name, told[language]) for name, told in (("example", key.example),
                  ("source", key.source)) if told[language]]  # fmt: skip
        lines += [*(f"- {WORDS[name][language]}: {told}" for name, told in facts), ""]
    return "\n".join(lines)


def _describe(model: type[BaseModel], schema: Any, key: StudyKey, language: str) -> str:
    told = [describe_kind(schema, read_schema(model))[language]]
    if key.minimum is not None:
        told.append(WORDS["floor"][language].format(key.minimum))
    if key.codes:
        told.append(WORDS["codes"][language].format(f"`{key.codes}`"))
    return "; ".join(told)


def _write(value: Any) -> str:
    """A default as it would stand in the file."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_write, value))}]"
    return str(value) or "''"
