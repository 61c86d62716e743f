"""What agencies do before their extracts meet: keys and pseudonyms, from files to files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation import files, folders
from revictimisation.errors import DataError, UsageError
from revictimisation.folders import FACTS, LINKAGE, SIMULATION
from revictimisation.keys import StudyKey, make_key, read_key, write_key

PEOPLE = "persons"

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.dictionary import Dictionary
    from revictimisation.plan import StudyPlan


@dataclass(frozen=True)
class Wishes:
    """What the command `pseudonymise` was asked for beside its folders and key."""

    reference_on: dt.date | None = None
    excluded: Collection[str] = ()
    source: str = ""
    is_emptied: bool = False
    has_linkage_fields: bool = False


def make_key_file(
    path: Path, study: str, rotation: int = 1, reference_on: dt.date | None = None
) -> str:
    """The command `make-key`: write a new key file; its check characters and a caution, as text."""
    key = make_key(study, rotation, reference_on)
    write_key(path, key)
    caution = (
        "\nOBS: utan --reference-date räknas sekel från varje uttags sista dag, och uttag med "
        "olika dag går inte att föra samman. / Extracts with different last days do not join."
    )
    return f"{path}: kontrolltecken / check {key.check}{'' if reference_on else caution}"


def pseudonymise(source: Path, out: Path, key_file: Path, wishes: Wishes) -> str:
    """The command `pseudonymise`: the extract in `source` with pseudonyms, in `out`.

    Returns what was found, as text. Nothing is written where something is refused. What an earlier
    run with the same key and for the same agency left in `out` is written over.
    """
    from revictimisation import pseudonyms
    from revictimisation.dictionary import load_dictionary
    from revictimisation.engine import connect
    from revictimisation.mapping.kept_reports import check_complete

    _check_folders(source, out, key_file)
    check_complete(source)
    key = read_key(key_file)
    dictionary, today = load_dictionary(), dt.date.today()
    tables, n_unknown = pseudonyms.read_raw_tables(connect(), source, dictionary)
    facts = files.read_json(source / SIMULATION)
    n_unknown -= any(source.glob("truth.*")) if facts else 0
    choices = pseudonyms.choose_columns(
        tables, dictionary, today, wishes.excluded, wishes.has_linkage_fields
    )
    made = pseudonyms.pseudonymise_tables(
        tables,
        choices,
        dictionary,
        key,
        reference_on=wishes.reference_on,
        today=today,
        source=wishes.source,
        is_emptied=wishes.is_emptied,
    )
    names = {f"{name}.{table.kind}" for name, table in made.tables.items()}
    _check_room(out, names, key, wishes.source)
    told = pseudonyms.describe_run(made, choices, key, wishes.source, n_unknown)
    with files.fill_folder(out, is_private=True) as stage:
        for name, table in made.tables.items():
            files.write_arrow(table.cells, stage, name, table.kind)
        files.write_json(stage / FACTS, told)
        if facts:
            files.write_json(stage / SIMULATION, facts)
        files.guard_files(stage)
    files.guard_files(out)
    return pseudonyms.render_run(told, dictionary)


def _check_folders(source: Path, out: Path, key_file: Path) -> None:
    """The key lies apart from the data, and what is written mixes with nothing else."""
    files.check_folder(source)
    for folder in (source, out):
        if folder.resolve() in key_file.resolve().parents:
            raise UsageError(
                f"Nyckelfilen ligger i {folder}; den får aldrig följa med uppgifterna. / "
                "The key file lies among the data; it must never travel with them."
            )
    folders.check_output(out, "pseudonymise", [source], folders.measure(source))


def _check_room(out: Path, names: Collection[str], key: StudyKey, source: str) -> None:
    """In `out` stands nothing, or what the same key made for the same agency, table by table."""
    facts = files.read_json(out / FACTS) or {}
    told = tuple(facts.get(name) for name in ("key_check", "study", "rotation", "source"))
    is_same = told == (key.check, key.study, key.rotation, source)
    _check_alone(out, {*names, SIMULATION, *([FACTS] if is_same else [])})


def _check_alone(out: Path, names: Collection[str]) -> None:
    """What stands in `out` is all written anew: nothing of another run stays among it."""
    others = {*files.list_entries(out)} - set(names)
    if others:
        listed = ", ".join(sorted(others))
        raise UsageError(
            f"{out} har redan {listed} från en annan nyckel, myndighet eller körning; välj en ny "
            "mapp eller ta bort det. / It holds files of another key, agency or run: name a new "
            "folder or remove them."
        )


def link(police: Path, social: Path, study: Path, out: Path) -> str:
    """The command `link`: two agencies' pseudonymised extracts as one, in `out`.

    What an earlier run left in `out` is written over. `out/linkage/` holds who was linked to whom,
    pairs to review and how good the linkage is; `out/linkage.json` what `estimate` needs of it.
    Without a table of people the social services' clients are linked by number only.
    Returns what was found, as text.
    """
    from revictimisation import disclosure, linkage
    from revictimisation.dictionary import load_dictionary
    from revictimisation.plan import read_plan

    plan = read_plan(files.read_text(study))
    for folder in (police, social):
        files.check_folder(folder)
    n_bytes = folders.measure(police) + folders.measure(social)
    folders.check_output(out, "link", [police, social], n_bytes)
    dictionary = load_dictionary()
    _check_order(police, social, dictionary)
    _check_same_key(police, social)
    both, alone = _read_both(police, social, plan, dictionary)
    people = [linkage.make_records(one, dictionary) for one in both]
    links = linkage.link_people(people[0], people[1], plan.linkage)
    probable = links.table[links.table["kind"].eq("probability")]
    renamed = dict(zip(probable["social_id"], probable["police_id"], strict=True))
    joined, lines = linkage.join_tables(both[0], both[1], renamed, dictionary)
    _check_alone(out, {*(f"{name}.csv" for name in joined), LINKAGE, SIMULATION, "linkage"})
    records = dict(zip(linkage.AGENCIES, people, strict=True))
    tables = dict(zip(linkage.AGENCIES, both, strict=True))
    counts = linkage.count_fates(records, tables, links, dictionary)
    quality = linkage.tell_fates(counts)
    released = disclosure.disclose_estimates(quality, plan.disclosure, {})
    parts = {"links": links.table, "review": links.review, "review_key": links.review_key}
    parts |= {"quality": quality, "quality_released": released}
    facts = {
        "is_on": plan.linkage.is_on,
        "reason": links.reason,
        "rates": links.rates,
        "attrition": lines.to_dict("records"),
        "fates": counts.to_dict("list"),
    }
    with files.fill_folder(out, is_private=True) as stage:
        for name, table in joined.items():
            files.write_table(table, stage, name, ("csv",))
        for name, table in parts.items():
            files.write_table(table, stage / "linkage", name, ("csv",))
        files.write_json(stage / LINKAGE, facts)
        if simulated := files.read_json(police / SIMULATION):
            files.write_json(stage / SIMULATION, simulated)
        files.guard_files(stage)
    files.guard_files(out)
    return "\n".join([_render_links(facts), *alone])


def _read_both(
    police: Path, social: Path, plan: StudyPlan, dictionary: Dictionary
) -> tuple[list[dict[str, pd.DataFrame]], list[str]]:
    """Both agencies' tables, and a word where the social services have no file of people."""
    import pandas as pd

    both = [_read_texts(folder, dictionary) for folder in (police, social)]
    if PEOPLE not in both[0]:
        raise DataError(
            f"{police} har ingen tabell persons. Lägg registrets persons bland polisens tabeller "
            "före pseudonymise. / It has no table persons: put the register's among the police's "
            "tables before pseudonymise."
        )
    if PEOPLE in both[1]:
        return both, []
    if plan.linkage.is_on:
        raise DataError(
            f"{social} har ingen tabell persons. Koppling på sannolikhet (linkage.is_on) behöver "
            "kommunens uppgifter om klienterna (födelseår, kön, kommun, helst namnens ljudkoder): "
            "för över dem till persons i kommunens mappningsfil, eller stäng av linkage.is_on, så "
            "kopplas på nummer. / It has no table persons. Linkage by probability needs what the "
            "municipality knows of its clients: map it to persons, or turn linkage.is_on off."
        )
    both[1][PEOPLE] = pd.DataFrame({"person_id": pd.Series(dtype=object)})
    return both, [
        "  Socialtjänsten har ingen tabell persons: kopplat bara på nummer; klienter som polisens "
        "persons inte känner räknas av validate. / The social services have no table persons: "
        "linked by number only; validate counts clients whom the police's persons do not know."
    ]


def _read_texts(folder: Path, dictionary: Dictionary) -> dict[str, pd.DataFrame]:
    from revictimisation import pseudonyms
    from revictimisation.engine import connect

    raw, _ = pseudonyms.read_raw_tables(connect(), folder, dictionary, ("linkage_fields",))
    if PEOPLE in raw and "person_id" not in raw[PEOPLE].cells.column_names:
        raise DataError(
            f"{folder}: persons saknar kolumnen person_id. Nämn den i mappningsfilen och gör om "
            "map och pseudonymise. / persons has no column person_id: name it in the mapping file "
            "and run map and pseudonymise again."
        )
    return {name: pseudonyms.to_texts(table) for name, table in raw.items()}


def _check_order(police: Path, social: Path, dictionary: Dictionary) -> None:
    """Each folder is named once, the police's first, as far as the tables in them say."""
    if police.resolve() == social.resolve():
        raise UsageError(
            f"{police} står två gånger. Ange först polisens mapp, sedan socialtjänstens. / It is "
            "named twice. Name the police's folder first, then the social services'."
        )
    both = [{path.stem for path in folder.glob("*.*")} for folder in (police, social)]
    for agency, (own, other) in (("police", both), ("social_services", both[::-1])):
        tables = {one.name for one in dictionary.tables.values() if one.delivered_by == agency}
        if tables & other and not tables & own:
            listed = ", ".join(sorted(tables & other))
            found, lacking = (social, police) if agency == "police" else (police, social)
            raise UsageError(
                f"Mapparna står i fel ordning: {listed} ligger i {found}, men inte i {lacking}. "
                "Ange först polisens mapp, sedan socialtjänstens. / The folders stand in the wrong "
                f"order: {listed} stand in {found} and not in {lacking}. Name the police's folder "
                "first, then the social services'."
            )


def _check_same_key(police: Path, social: Path) -> None:
    """Both extracts were pseudonymised with one key, each under its own source."""
    told = [files.read_json(folder / FACTS) for folder in (police, social)]
    for folder, facts in zip((police, social), told, strict=True):
        if not facts:
            raise DataError(
                f"{folder} har ingen {FACTS}: kör pseudonymise först. / Run pseudonymise first."
            )
    first, second = (facts or {} for facts in told)
    if any(first.get(name) != second.get(name) for name in ("key_check", "study", "rotation")):
        raise DataError(
            "Uttagen är pseudonymiserade med olika nycklar och kan inte föras samman. / "
            "The extracts were made with different keys and can't be joined."
        )
    if first.get("reference_on") != second.get("reference_on") and _has_short(first, second):
        raise DataError(
            "Tiosiffriga nummers sekel räknades från olika dagar; ange samma --reference-date. / "
            "Centuries were told from different days; give the same --reference-date."
        )
    if first.get("source") == second.get("source"):
        raise DataError(
            "Uttagen har samma --source; myndigheternas egna id kan då förväxlas. / The extracts "
            "have the same --source: ids of the agencies' own might be confused."
        )


def _has_short(*told: dict[str, Any]) -> bool:
    return any(one["n_without_century"] for facts in told for one in facts["columns"])


def _render_links(facts: dict[str, Any]) -> str:
    rates = facts["rates"]
    lines = [
        f"  {int(rates['n_clients'])} klienter hos socialtjänsten / clients; "
        f"{int(rates['n_clients_without_number'])} utan giltigt nummer / without a valid number",
        f"  {int(rates['n_linked_by_number'])} länkade på nummer / linked by number; "
        f"{int(rates['n_linked_by_probability'])} på sannolikhet / by probability",
        f"  {rates['n_expected_without_number']:.0f} av dem utan nummer väntas finnas hos polisen "
        "/ of those without a number are expected among the police's",
        f"  missade länkar / missed links: {rates['missed_link_rate']:.2%}; "
        f"felaktiga / false: {rates['false_link_rate']:.2%} (skattade / estimated)",
    ]
    if rates["n_new_identities"]:
        lines.append(
            f"  {int(rates['n_new_identities'])} med fingerade personuppgifter länkas inte / "
            "people with a new identity are not linked"
        )
    if rates["n_not_in_persons"]:
        lines.append(
            f"  {int(rates['n_not_in_persons'])} utan nummer saknas i personfilen och kan inte "
            "länkas / without a number are not in persons and can't be linked"
        )
    reasons = {
        "off": "Länkning på sannolikhet är avstängd (linkage.is_on i studiefilen). / Linkage by "
        "probability is off (linkage.is_on in the study file).",
        "too_few_known_links": "För få länkar på nummer att lära modellen av. / Too few links by "
        "number to learn from.",
        "nobody_without_number": "Ingen saknar nummer. / Nobody lacks a number.",
    }
    return "\n".join([*lines, *filter(None, [reasons.get(facts["reason"])])])
