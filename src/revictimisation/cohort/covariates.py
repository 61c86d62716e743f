"""Baseline covariates: what was known of each entry at its index report (risk: by day 7)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.core.codes import MISSING, OTHER
from revictimisation.core.engine import days_since
from revictimisation.core.errors import StudyError
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan


def _risk_level(
    entries: ir.Table, assessments: ir.Table, levels: pd.DataFrame, by_day: int
) -> ir.Table:
    """The latest assessment on or before day `by_day`; of several that day the highest counts."""
    ranks = _rank_levels(levels)
    joined = assessments.join(entries, "victim_id")
    day = days_since(joined.assessed_on, joined.index_on)
    known = joined.select("entry_id", "risk_level", day=day).filter(lambda t: t.day <= by_day)
    ranked = known.join(ranks, known.risk_level == ranks.code)
    return ranked.group_by("entry_id").aggregate(
        risk_level=ranked.risk_level.argmax(ranked.day * len(levels) + ranked["rank"])
    )


def find_renewals(
    index_reports: ir.Table, assessments: ir.Table, dictionary: Dictionary, plan: StudyPlan
) -> pd.DataFrame:
    """Find what was assessed anew after the level that counts at baseline (`risk_level_by_day`).

    A row per entry x assessment up to the end of follow-up: entry_id, day, risk_level, by entry,
    day and level (of one day the highest comes last).
    """
    ranks = _rank_levels(dictionary.codes("risk_level"))
    entries = index_reports.select("entry_id", "victim_id", "index_on", "end_day")
    joined = assessments.join(entries, "victim_id")
    dated = joined.select(
        "entry_id", "risk_level", "end_day", day=days_since(joined.assessed_on, joined.index_on)
    )
    later = dated.filter(
        (dated.day > plan.definitions.risk_level_by_day) & (dated.day <= dated.end_day)
    )
    ranked = later.join(ranks, later.risk_level == ranks.code)
    rows = ranked.order_by(["entry_id", "day", "rank"]).select("entry_id", "day", "risk_level")
    return rows.to_pandas()


def _rank_levels(levels: pd.DataFrame) -> ir.Table:
    return ibis.memtable(levels.assign(rank=range(len(levels)))[["code", "rank"]])


def _earlier_reports(entries: ir.Table, events: ir.Table, cap: int) -> ir.Table:
    """Days with an earlier report by the victim against anyone, in the data, capped."""
    days = events.select("victim", "reported_on").distinct()
    joined = entries.join(days, "victim")
    earlier = joined.filter(joined.reported_on < joined.index_on)
    return earlier.group_by("entry_id").aggregate(
        n_earlier_reports=ibis.least(earlier.count(), cap).cast("int32")
    )


def _municipality_group(
    entries: ir.Table, municipality_years: ir.Table, dictionary: Dictionary
) -> ir.Table:
    """SKR group of the municipality in the index year: the extract's own, else the dictionary's."""
    own = municipality_years.select(
        code=municipality_years.municipality_code,
        year=municipality_years.year,
        own_group=municipality_years.skr_group,
    )
    dated = dictionary.codes("skr_groups")
    years = ibis.memtable(
        dated.assign(
            first=dated["valid_from_on"].str[:4].replace("", "0").astype("int32"),
            last=dated["valid_to_on"].fillna("").str[:4].replace("", "9999").astype("int32"),
        )[["municipality_code", "first", "last", "skr_group"]]
    )
    keyed = entries.select("entry_id", "municipality_code", year=entries.index_on.year())
    joined = keyed.left_join(
        own, [keyed.municipality_code == own.code, keyed.year == own.year]
    ).select(keyed, "own_group")
    joined = joined.left_join(
        years,
        [
            joined.municipality_code == years.municipality_code,
            joined.year >= years["first"],
            joined.year <= years["last"],
        ],
    ).select("entry_id", joined.municipality_code, "own_group", "skr_group")
    group = ibis.coalesce(joined.own_group, joined.skr_group)
    return joined.group_by("entry_id").aggregate(municipality_group=group.max())


def _age_group(age: ir.IntegerValue, groups: pd.DataFrame) -> ir.StringValue:
    bounds = groups[["code", "from_age", "to_age"]].itertuples(index=False)
    return ibis.cases(
        *[(age.between(int(first), int(last)), code) for code, first, last in bounds],
        else_=MISSING,
    )


def _known_district(district: ir.StringValue, dictionary: Dictionary) -> ir.StringValue:
    known = sorted(set(dictionary.codes("police_districts")["code"]))
    return ibis.cases((district.isnull(), MISSING), (district.isin(known), district), else_=OTHER)


def _join_sources(
    index_reports: ir.Table,
    tables: dict[str, ir.Table],
    events: ir.Table,
    dictionary: Dictionary,
    plan: StudyPlan,
) -> ir.Table:
    """Index reports with what other tables say of each: person, risk, earlier reports, place."""
    entries = index_reports.select("entry_id", "victim_id", "index_on", "municipality_code")
    risk = _risk_level(
        entries.select("entry_id", "victim_id", "index_on"),
        tables["risk_assessments"],
        dictionary.codes("risk_level"),
        plan.definitions.risk_level_by_day,
    )
    earlier = _earlier_reports(
        index_reports.select("entry_id", "victim", "index_on"),
        events,
        plan.definitions.earlier_reports_cap,
    )
    places = _municipality_group(entries, tables["municipality_years"], dictionary)
    persons = tables["persons"].select("person_id", "sex", "protected_identity", *plan.x_columns)
    return (
        index_reports.left_join(persons, index_reports.victim_id == persons.person_id)
        .left_join(risk, "entry_id", rname="{name}_risk")
        .left_join(earlier, "entry_id", rname="{name}_earlier")
        .left_join(places, "entry_id", rname="{name}_places")
    )


def derive_covariates(
    index_reports: ir.Table,
    tables: dict[str, ir.Table],
    events: ir.Table,
    dictionary: Dictionary,
    plan: StudyPlan,
) -> ir.Table:
    """Derive the baseline covariates: a row per entry, `entry_id` first, in its order.

    All text but the numbers `age`, `n_earlier_reports`, `index_year` and numeric `x_` columns;
    text that is missing is `missing`, a missing number stays null. Definitions: contract, section
    2. Age is the year of the report less the year of birth. Raises `StudyError` where the study
    bends (`splines`) an x_ column that is text in this extract.
    """
    joined = _join_sources(index_reports, tables, events, dictionary, plan)
    texts = sorted(
        name for name in plan.splines if name in plan.x_columns and joined[name].type().is_string()
    )
    if texts:
        raise StudyError(
            f"splines: {', '.join(texts)} är text i uttaget, inte tal"
            " / is text in this extract, not a number"
        )
    age = joined.index_on.year() - joined.birth_year
    relations = dictionary.codes("relation").set_index("code")["relation_group"]
    text = {
        "sex": joined.sex,
        "age_group": _age_group(age, dictionary.codes("age_group")),
        "relation": joined.relation,
        "relation_group": joined.relation.substitute(relations.to_dict(), else_=OTHER),
        "is_honour": ibis.cases((joined.is_honour == 1, "true"), (joined.is_honour == 0, "false")),
        "risk_level": joined.risk_level,
        "offence_group": joined.offence_group,
        "police_district": _known_district(joined.police_district, dictionary),
        "municipality_group": ibis.cases(
            (joined.municipality_code.isnull(), MISSING),
            (joined.municipality_group.notnull(), joined.municipality_group),
            else_=OTHER,
        ),
        "municipality_code": joined.municipality_code,
        "protected_identity": joined.protected_identity,
    }
    numbers = {
        "age": age.cast("int32"),
        "n_earlier_reports": joined.n_earlier_reports.fill_null(0),
        "index_year": joined.index_on.year().cast("int32"),
    }
    own = {
        name: joined[name].fill_null(MISSING) if joined[name].type().is_string() else joined[name]
        for name in plan.x_columns
    }
    filled = {name: value.fill_null(MISSING) for name, value in text.items()}
    return joined.select("entry_id", **filled, **numbers, **own).order_by("entry_id")
