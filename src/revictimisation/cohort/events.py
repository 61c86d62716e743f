"""Events: a victim's reports against a suspect on one day, as whole numbers.

Text is read once. Victims, victims x suspects and what a report says become numbers in the order
of the text, and all that follows groups, joins and sorts those.
"""

from __future__ import annotations

from collections.abc import Collection

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from revictimisation.core.codes import BREACH_GROUP, KIN, OTHER, OUTSIDERS
from revictimisation.dictionary import Dictionary

# What a report says, in the order in which it is compared: the graver, then the code.
SAID = (
    "gravity",
    "offence_code",
    "relation",
    "police_district",
    "municipality_code",
    "offence_group",
)
# What an event needs to know of the victim.
PERSON = ("birth_year", "died_on", "emigrated_on")


def with_offence_group(reports: ir.Table, dictionary: Dictionary) -> ir.Table:
    """Add `offence_group` and `gravity` to reports, by the dated code list.

    A code has the group of its entry valid on the day of the report; an entry also serves the days
    up to the next one, the first those before it. An unknown code belongs to `other`.
    """
    gravity = dictionary.codes("offence_groups").set_index("code")["gravity"].astype("int32")
    codes = dictionary.codes("offences").sort_values(["code", "valid_from_on"], kind="stable")
    begin = codes["valid_from_on"].where(codes["code"].duplicated(), "0001-01-01")
    end = codes.groupby("code")["valid_from_on"].shift(-1).fillna("9999-12-31")
    entries = ibis.memtable(
        pd.DataFrame(
            {
                "code": codes["code"],
                "begin_on": begin,
                "end_on": end,
                "offence_group": codes["offence_group"],
                "gravity": codes["offence_group"].map(gravity).fillna(0).astype("int32"),
            }
        )
    ).mutate(begin_on=_.begin_on.cast("date"), end_on=_.end_on.cast("date"))
    joined = reports.left_join(
        entries,
        [
            reports.offence_code == entries.code,
            reports.reported_on >= entries.begin_on,
            reports.reported_on < entries.end_on,
        ],
    )
    return joined.drop("code", "begin_on", "end_on").mutate(
        offence_group=joined.offence_group.fill_null(OTHER), gravity=joined.gravity.fill_null(0)
    )


def list_kin(dictionary: Dictionary) -> list[str]:
    """The relations that are kin, by the dictionary."""
    relations = dictionary.codes("relation")
    return relations.loc[relations["relation_group"].eq(KIN), "code"].tolist()


def rank_report_profiles(reports: ir.Table) -> ir.Table:
    """Number what reports (with offence groups) say, the gravest first: a row per distinct one."""
    order = ibis.window(order_by=[ibis.desc("gravity"), *SAID[1:]])
    said = reports.select(*SAID).distinct()
    return said.mutate(report_profile=ibis.row_number().over(order).cast("int32"))


def gather_events(
    reports: ir.Table, report_profiles: ir.Table, persons: ir.Table, kin: Collection[str]
) -> ir.Table:
    """Collapse reports (with offence groups) to a row per victim x suspect x day.

    `victim` and `pair` (victim x suspect, an unknown one too) number the texts in their order;
    `report_profile` is the gravest of the day's; an event is honour-related if any of its rows is,
    and `is_breach_only` if all are, and `is_outsider` if all of the victim's against the suspect,
    on any day, call the suspect an acquaintance or a stranger; `is_kin` if any of these calls the
    suspect one of `kin` (of an unknown suspect: the day's own). `row_number` is one of its rows in
    reports, `n_rows` how many it has. `PERSON` are the victim's.
    """
    is_same = [reports[name].identical_to(report_profiles[name]) for name in SAID]
    said = reports.join(report_profiles, is_same).select(reports, "report_profile")
    people = persons.select("person_id", *PERSON)
    joined = said.left_join(people, [("victim_id", "person_id")])
    pair = ["victim_id", "suspect_id"]
    numbered = joined.select(
        "report_profile",
        "reported_on",
        "row_number",
        *PERSON,
        victim=ibis.dense_rank().over(order_by=pair[:1]).cast("int32"),
        pair=ibis.dense_rank().over(order_by=pair).cast("int32"),
        is_known=joined.suspect_id.notnull(),
        is_honour=joined.is_honour.cast("int8"),
        is_breach=(joined.offence_group == BREACH_GROUP).cast("int8"),
        is_outsider=joined.relation.isin(OUTSIDERS).fill_null(False).cast("int8"),
        is_kin=joined.relation.isin(list(kin)).fill_null(False).cast("int8"),
    )
    events = numbered.group_by(["victim", "pair", "is_known", "reported_on", *PERSON]).aggregate(
        report_profile=_.report_profile.min(),
        row_number=_.row_number.min(),
        n_rows=_.count(),
        is_honour=_.is_honour.max(),
        is_breach_only=_.is_breach.min() == 1,
        is_outsider=_.is_outsider.min(),
        is_kin=_.is_kin.max(),
    )
    of_pair = ibis.window(group_by="pair")
    return events.mutate(
        is_outsider=_.is_outsider.min().over(of_pair) == 1,
        is_kin=ibis.ifelse(_.is_known, _.is_kin.max().over(of_pair), _.is_kin) == 1,
    )
