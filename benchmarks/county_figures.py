"""How near a synthetic county comes to the published figures: a table that a page can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.dictionary import load_dictionary
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.justice_tables import CLEARED_KINDS
from revictimisation.simulate.population import RELATIONS

Tables = Mapping[str, pd.DataFrame]
COLUMNS = ["figure_sv", "figure_en", "source", "published", "achieved"]
WASHOUT_DAYS, HORIZON_DAYS = 365, 1461
FOUR_YEARS, ONE_YEAR, HALF_YEAR, MONTH = 1461, 365, 182, 30
STRAND = "Strand 2012 (214 män/men)"
NATIONAL = "Sverige, handlagda brott/Sweden, handled crimes 2022-24"
REFERENCE = "216 kvinnor/women, Operation Kvinnofrid 2011"
DERIVED = "härlett ur referensen/derived from the reference"


@dataclass(frozen=True)
class Figure:
    """One published figure and how to find the county's own in the index pairs."""

    figure_sv: str
    figure_en: str
    source: str
    published: float
    achieve: Callable[[pd.DataFrame, Tables], float]


def find_index_pairs(tables: Tables) -> pd.DataFrame:
    """Find the index reports by the default study: a row per victim and suspect, plainly in pandas.

    Columns: victim_id, suspect_id, index_on, is_honour, repeat_days (to the first later report
    against the same suspect beyond day 1; NaN if none within the horizon).
    """
    reports = tables["reports"].dropna(subset="suspect_id")
    keys = ["victim_id", "suspect_id"]
    days = reports.drop_duplicates([*keys, "reported_on"]).sort_values([*keys, "reported_on"])
    gap = days.groupby(keys)["reported_on"].diff().dt.days
    is_in = days["reported_on"].between(CALIBRATED.accrual_from_on, CALIBRATED.accrual_to_on)
    is_new = gap.isna() | (gap > WASHOUT_DAYS)
    eligible = days[is_in & is_new & days["relation"].isin(RELATIONS)]
    index = eligible.drop_duplicates(keys)[[*keys, "reported_on", "is_honour"]]
    index = index.rename(columns={"reported_on": "index_on"})
    later = days[[*keys, "reported_on"]].merge(index, on=keys)
    since = (later["reported_on"] - later["index_on"]).dt.days
    later = later.assign(repeat_days=since)[(since > 1) & (since <= HORIZON_DAYS)]
    first = later.groupby(keys, as_index=False)["repeat_days"].min()
    return index.merge(first, on=keys, how="left")


def find_first_start(pairs: pd.DataFrame, tables: Tables, name: str) -> pd.Series:
    """Find the first start of a study measure on or after day 0, in days; NaN if there is none."""
    measure = next(one for one in CALIBRATED.measures if one.name == name)
    is_police = measure.table == "police_measures"
    who, what = ("victim_id", "measure") if is_police else ("person_id", "intervention")
    table = tables[measure.table]
    mine = table[table[what].isin(list(measure.codes)) & table["start_on"].notna()]
    joined = pairs.reset_index(names="pair").merge(mine, left_on="victim_id", right_on=who)
    since = (joined["start_on"] - joined["index_on"]).dt.days
    first = joined.assign(since=since)[since >= 0].groupby("pair")["since"].min()
    return first.reindex(pairs.index)


def _share_within(days: int) -> Callable[..., float]:
    def achieve(pairs: pd.DataFrame, tables: Tables) -> float:
        return float((pairs["repeat_days"] <= days).mean())

    return achieve


def _share_started(measure: str) -> Callable[..., float]:
    def achieve(pairs: pd.DataFrame, tables: Tables) -> float:
        end = pairs["repeat_days"].fillna(HORIZON_DAYS)
        return float((find_first_start(pairs, tables, measure) < end).mean())

    return achieve


def _mean_shelter_days(pairs: pd.DataFrame, tables: Tables) -> float:
    table = tables["social_interventions"]
    mine = table[(table["intervention"] == "sheltered_housing") & table["end_on"].notna()]
    return float((mine["end_on"] - mine["start_on"]).dt.days.mean())


def _share_cleared(group: str, sex: str = "") -> Callable[..., float]:
    """Share of reports x suspects of an offence group that were prosecuted, fined or waived."""

    def achieve(pairs: pd.DataFrame, tables: Tables) -> float:
        codes = load_dictionary().codes("offences")
        groups = dict(zip(codes["code"], codes["offence_group"], strict=True))
        reports = tables["reports"].merge(
            tables["persons"][["person_id", "sex"]], left_on="victim_id", right_on="person_id"
        )
        chosen = reports["offence_code"].map(groups).eq(group)
        if sex:
            chosen &= reports["sex"].eq(sex)
        cases = reports[chosen].drop_duplicates(["report_id", "suspect_id"])
        decided = tables["case_decisions"]
        cleared = decided[decided["decision"].isin(CLEARED_KINDS)]
        closed = decided.drop_duplicates(["report_id", "suspect_id"])
        keys = ["report_id", "suspect_id"]
        cases = cases[keys].merge(closed[keys], on=keys)
        hit = cases.merge(cleared[keys].drop_duplicates(), on=keys)
        return len(hit) / len(cases) if len(cases) else np.nan

    return achieve


def _mean_contact_age(pairs: pd.DataFrame, tables: Tables) -> float:
    return float(tables["centre_contacts"]["age"].astype("Float64").mean())


STAYS = (
    "kommunernas svar till länsstyrelserna, vistelser som avslutades 2021/"
    "municipalities to the county boards, stays that ended in 2021"
)
FIGURES = (
    Figure("Ny anmälan mot samma person inom fyra år", "New report against the same person within "
           "four years", REFERENCE, 0.40, _share_within(FOUR_YEARS)),
    Figure("… inom ett år", "… within one year", f"{REFERENCE} (R-med)", 0.22,
           _share_within(ONE_YEAR)),
    Figure("… inom ett halvår", "… within half a year", DERIVED, 0.16, _share_within(HALF_YEAR)),
    Figure("… inom 30 dagar", "… within 30 days", DERIVED, 0.066, _share_within(MONTH)),
    Figure("… inom ett år, annan studie", "… within one year, another study",
           "Petersson & Strand 2017 (628)", 0.20, _share_within(ONE_YEAR)),
    Figure("Kontaktförbud börjar under uppföljningen", "Non-contact order starts in follow-up",
           STRAND, 0.31, _share_started("non_contact_order")),
    Figure("Medeltid i skyddat boende, dagar", "Mean stay in sheltered housing, days",
           STAYS, 82.0, _mean_shelter_days),
    Figure("Lagföring: misshandel av kvinna", "Cleared: assault on a woman", NATIONAL, 0.16,
           _share_cleared("assault", "female")),
    Figure("Lagföring: misshandel av man", "Cleared: assault on a man", NATIONAL, 0.08,
           _share_cleared("assault", "male")),
    Figure("Lagföring: grov (kvinno)fridskränkning", "Cleared: gross violation of integrity",
           NATIONAL, 0.23, _share_cleared("gross_violation_of_integrity")),
    Figure("Lagföring: hot", "Cleared: threat", NATIONAL, 0.17, _share_cleared("threat")),
    Figure("Lagföring: olaga förföljelse", "Cleared: unlawful persecution", NATIONAL, 0.40,
           _share_cleared("unlawful_persecution")),
    Figure("Lagföring: överträdelse av kontaktförbud", "Cleared: breach of a non-contact order",
           NATIONAL, 0.31, _share_cleared("breach_of_order")),
    Figure("Medelålder i kontakt med resurscentrum", "Mean age in contact with the resource centre",
           "Origo", 19.0, _mean_contact_age),
)  # fmt: skip


def calibration_table(tables: Tables) -> pd.DataFrame:
    """Hold a synthetic county against the published figures it is calibrated to.

    ``tables`` are those of ``simulate_county``. A row per figure: figure_sv, figure_en, source,
    published, achieved; shares are 0..1, stays in days, ages in years. Follow-up is taken as whole
    for everybody (deaths and emigrations up to four years are about 3 %), which is how the
    reference figure was counted.
    """
    pairs = find_index_pairs(tables)
    rows = [
        (
            figure.figure_sv,
            figure.figure_en,
            figure.source,
            figure.published,
            figure.achieve(pairs, tables),
        )
        for figure in FIGURES
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def naive_table(tables: Tables) -> pd.DataFrame:
    """Show what *ever against never* makes of each study measure in a synthetic county.

    A row per measure: measure, naive_difference (four-year share who report again, those in whom it
    starts before the new report less the others). The scenario is made so that each lies 0.05 to
    0.10 above 0 although no measure raises the risk of everybody.
    """
    pairs = find_index_pairs(tables)
    end, is_again = pairs["repeat_days"].fillna(HORIZON_DAYS), pairs["repeat_days"].notna()
    rows = []
    for measure in CALIBRATED.measures:
        is_ever = find_first_start(pairs, tables, measure.name) < end
        rows.append((measure.name, is_again[is_ever].mean() - is_again[~is_ever].mean()))
    return pd.DataFrame(rows, columns=["measure", "naive_difference"])
