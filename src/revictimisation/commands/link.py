"""The command `link`: two agencies' pseudonymised extracts as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.folders import FACTS, LINKAGE, SIMULATION
from revictimisation.commands.options import FOLDER
from revictimisation.core import files
from revictimisation.core.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.dictionary import Dictionary
    from revictimisation.plan import StudyPlan

PEOPLE = "persons"


@click.command("link")
@click.argument("police", metavar="POLICE", type=FOLDER)
@click.argument("social", metavar="SOCIAL", type=FOLDER)
@click.option("--study", type=FOLDER, required=True, help="Studiefil. / Study file.")
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Mapp för uttaget: ny, tom, eller den som link "
    "lämnade förra gången (skrivs över). / Folder for the extract: new, empty, or what link left "
    "last time (written over).",
)
def command(police: Path, social: Path, study: Path, out: Path) -> None:
    """För samman polisens och socialtjänstens pseudonymiserade uttag.

    Join the pseudonymised extracts of police and social services: by number and, if the study file
    asks for it (linkage), by probability where there is none.
    """
    click.echo(link_folders(police, social, study, out))
    click.echo(f"Klart / done: {out}")


def link_folders(police: Path, social: Path, study: Path, out: Path) -> str:
    """Two agencies' pseudonymised extracts as one, in `out`.

    What an earlier run left in `out` is written over. `out/linkage/` holds who was linked to whom,
    pairs to review and how good the linkage is; `out/linkage.json` what `estimate` needs of it.
    Without a table of people the social services' clients are linked by number only.
    Returns what was found, as text.
    """
    from revictimisation.plan import read_plan

    plan = read_plan(files.read_text(study))
    for folder in (police, social):
        files.check_folder(folder)
    n_bytes = folders.measure(police) + folders.measure(social)
    with folders.reserved(out, "link", [police, social], n_bytes):
        return _link(police, social, plan, out)


def _link(police: Path, social: Path, plan: StudyPlan, out: Path) -> str:
    from revictimisation import disclosure
    from revictimisation.analyses.linkage_quality import share_link_status
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract import linkage
    from revictimisation.extract.pseudonyms.order import sort_rows

    dictionary = load_dictionary()
    _check_order(police, social, dictionary)
    noted = _check_same_key(police, social, plan)
    both, alone = _read_both(police, social, plan, dictionary)
    people = [linkage.make_records(one, dictionary) for one in both]
    links = linkage.link_people(people[0], people[1], plan.linkage)
    probable = links.table[links.table["kind"].eq("probability")]
    renamed = dict(zip(probable["social_id"], probable["police_id"], strict=True))
    joined, lines = linkage.join_tables(both[0], both[1], renamed, dictionary)
    joined = {name: sort_rows(table, name, dictionary) for name, table in joined.items()}
    folders.check_alone(out, {*(f"{name}.csv" for name in joined), LINKAGE, SIMULATION, "linkage"})
    records = dict(zip(linkage.AGENCIES, people, strict=True))
    tables = dict(zip(linkage.AGENCIES, both, strict=True))
    counts = linkage.count_link_status(records, tables, links, dictionary)
    quality = share_link_status(counts)
    released = disclosure.disclose_estimates(quality, plan.disclosure, {})
    parts = {"links": links.table, "review": links.review, "review_key": links.review_key}
    parts |= {"quality": quality, "quality_released": released}
    facts = {
        "is_on": plan.linkage.is_on,
        "reason": links.reason,
        "rates": links.rates,
        "attrition": lines.to_dict("records"),
        "link_statuses": counts.to_dict("list"),
    }
    with files.fill_folder(out, is_private=True) as stage:
        for name, table in joined.items():
            files.write_table(table, stage, name, ("csv",))
        for name, table in parts.items():
            files.write_table(table, stage / "linkage", name, ("csv",))
        files.write_json(stage / LINKAGE, facts)
        if simulated := files.read_json(police / SIMULATION):
            files.write_json(stage / SIMULATION, simulated)
    return "\n".join([_render_links(facts), *alone, *filter(None, [noted])])


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
    from revictimisation.core.engine import connect
    from revictimisation.extract import pseudonyms

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
        tables = {
            table.name for table in dictionary.tables.values() if table.delivered_by == agency
        }
        if tables & other and not tables & own:
            listed = ", ".join(sorted(tables & other))
            found, lacking = (social, police) if agency == "police" else (police, social)
            raise UsageError(
                f"Mapparna står i fel ordning: {listed} ligger i {found}, men inte i {lacking}. "
                "Ange först polisens mapp, sedan socialtjänstens. / The folders stand in the wrong "
                f"order: {listed} stand in {found} and not in {lacking}. Name the police's folder "
                "first, then the social services'."
            )


def _check_same_key(police: Path, social: Path, plan: StudyPlan) -> str:
    """Both extracts were pseudonymised with one key, the study's, each under its own source.

    Gives a word on a key that is no particular study's.
    """
    from revictimisation.extract.pseudonyms.keys import check_study

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
    return check_study(str(first.get("study")), plan.name)


def _has_short(*told: dict[str, Any]) -> bool:
    return any(fact["n_without_century"] for facts in told for fact in facts["columns"])


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
