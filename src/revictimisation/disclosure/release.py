"""What may leave, of all that a run left, beside all that left before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from revictimisation.core.errors import DisclosureError
from revictimisation.core.results import COUNTS, EARLIER_RELEASE, NUMBERS, OK, SUPPRESSED
from revictimisation.dictionary import Dictionary
from revictimisation.disclosure.control import disclose_tables
from revictimisation.disclosure.register import STEP_COUNTS, Earlier, compare, find_sums
from revictimisation.plan import Disclosure, StudyPlan

Tables = Mapping[str, pd.DataFrame]
BESIDE = ("earlier", "n_common", "is_same", "n_suppressed")
REFUSALS = {
    "few_people": (
        "De som ingår skiljer sig från dem i ett tidigare utlämnande, {earlier}, med 1 till"
        " {most} personer. Den som har båda kan räkna ut allt om dem. Ändra urvalet så att minst"
        " {threshold} personer skiljer, eller lämna ut samma urval som då.",
        "The people differ from those of an earlier release, {earlier}, by 1 to {most}. Who has"
        " both can work out everything about them. Change the selection so that {threshold} people"
        " or more differ, or release the same selection as then.",
    ),
    "few_people_of_sum": (
        "Av det här och två tidigare utlämnanden, {earlier} och {other}, är ett de båda andra"
        " tillsammans, så när som på färre än {threshold} personer. Den som har alla tre kan räkna"
        " ut nästan allt om dem. Ändra urvalet så att minst {threshold} personer skiljer, eller"
        " ingen.",
        "Of this and two earlier releases, {earlier} and {other}, one is the two others together"
        " but for fewer than {threshold} people. Who has all three can work out nearly everything"
        " about them. Change the selection so that {threshold} people or more differ, or none.",
    ),
    "few_people_rounded": (
        "De som ingår kan skilja sig från dem i ett tidigare utlämnande, {earlier}, med 1 till"
        " {most} personer. Bara avrundade antal finns av det: ange i stället hela mappen från"
        " körningen, med restricted/.",
        "The people may differ from those of an earlier release, {earlier}, by 1 to {most}. Only"
        " its rounded counts are here: name the whole folder of its run, with restricted/.",
    ),
    "few_events": (
        "Samma personer ingår som i ett tidigare utlämnande, {earlier}, men inget tal skiljer sig"
        " med mer än {most}: det som har hänt sedan dess rör bara några få. Vänta tills fler har"
        " tillkommit, eller ge data_end_on och utfallet som de var då.",
        "The people are those of an earlier release, {earlier}, and no number differs by more than"
        " {most}: what has happened since concerns but a few. Wait for more, or set data_end_on and"
        " the outcome as they were then.",
    ),
    "other_rounding": (
        "Samma personer ingår som i ett tidigare utlämnande, {earlier}, där talen avrundades till"
        " {rounding}. Ett antal som avrundas på två sätt går att räkna ut: ge disclosure.rounding"
        " samma värde som då.",
        "The people are those of an earlier release, {earlier}, whose counts were rounded to"
        " {rounding}. A count that is rounded in two ways can be worked out: set"
        " disclosure.rounding as it was then.",
    ),
}
WITHDRAWN = (
    "Lämnades det aldrig ut: ta bort dess mapp ur registret, och kör igen. / If that release never"
    " left the room: remove its folder from the register and try again."
)
NOTHING_LEFT = (
    "Inget tal kan visas: det som inte är för litet skulle röja några få personer tillsammans med"
    " ett tidigare utlämnande. / No number can be shown: what is not too small would tell of a few"
    " people beside an earlier release."
)


@dataclass(frozen=True)
class Protected:
    """The tables that may leave, and how they stand beside each earlier release.

    `beside` has a row per earlier release: `earlier` its name, `n_common` the numbers that both
    have, `is_same` whether none of them differs, `n_suppressed` how many would tell of few people.
    `is_as_drafted`: nothing is suppressed for the sake of an earlier release.
    """

    tables: dict[str, pd.DataFrame]
    beside: pd.DataFrame
    is_as_drafted: bool


def protect(
    restricted: Tables, plan: StudyPlan, dictionary: Dictionary, earlier: Sequence[Earlier]
) -> Protected:
    """Make the releasable form of a run's tables, beside what was released `earlier`.

    Raises `DisclosureError` where two releases differ by few people, and where nothing is left.
    """
    rules = plan.disclosure
    alone = disclose_tables(restricted, plan, dictionary)
    found = tuple(compare(one, restricted, alone, rules) for one in earlier)
    refused: list[tuple[str, Sequence[Earlier]]]
    refused = [(x.refusal, (one,)) for one, x in zip(earlier, found, strict=True) if x.refusal]
    refused += [("few_people_of_sum", two) for two in find_sums(restricted, rules, earlier)]
    _refuse(refused, rules)
    tables = alone
    is_shown = alone["estimates"]["status"].eq(OK)
    rows = _any_of([result.rows for result in found], alone["estimates"]) & is_shown
    if rows.any():
        tables = disclose_tables(restricted, plan, dictionary, rows)
        tables["estimates"] = _name_reasons(tables["estimates"], alone["estimates"])
    steps = _any_of([result.steps for result in found], tables["attrition"])
    checks = _any_of([result.checks for result in found], tables["diagnostics"])
    _hide(tables["attrition"], steps, STEP_COUNTS)
    _hide(tables["diagnostics"], checks, ["value"])
    if is_shown.any() and not tables["estimates"]["status"].eq(OK).any():
        raise DisclosureError(f"{NOTHING_LEFT}\n{WITHDRAWN}")
    told = [(one.earlier, one.n_common, one.is_same, int((one.rows & is_shown).sum()))
            for one in found]  # fmt: skip
    is_as_drafted = not (rows.any() or steps.any() or checks.any())
    return Protected(tables, pd.DataFrame(told, columns=list(BESIDE)), is_as_drafted)


def _any_of(found: Sequence[pd.Series], like: pd.DataFrame) -> pd.Series:
    """The rows that any of them has."""
    rows = pd.Series(False, index=like.index)
    for one in found:
        rows |= one
    return rows


def _refuse(refused: Sequence[tuple[str, Sequence[Earlier]]], rules: Disclosure) -> None:
    """Raise `DisclosureError` with every reason and the releases that it is of, Swedish first."""
    told = []
    for refusal, earlier in refused:
        threshold = max(rules.threshold, *(one.rules.threshold for one in earlier))
        words = {"earlier": earlier[0].name, "other": earlier[-1].name, "threshold": threshold,
                 "most": threshold - 1, "rounding": earlier[0].rules.rounding}  # fmt: skip
        told += [text.format(**words) for text in REFUSALS[refusal]]
    if told:
        raise DisclosureError("\n".join([*told, WITHDRAWN]))


def _name_reasons(released: pd.DataFrame, alone: pd.DataFrame) -> pd.DataFrame:
    """What is suppressed only because of an earlier release says so, complements included.

    What a release by itself would suppress stays so, for its own reason.
    """
    out = released.copy()
    own = alone["status"].eq(SUPPRESSED)
    out.loc[own, [*NUMBERS, *COUNTS]] = pd.NA
    out.loc[own, ["status", "reason"]] = alone.loc[own, ["status", "reason"]]
    new = out["status"].eq(SUPPRESSED) & ~own
    out.loc[new, "reason"] = EARLIER_RELEASE
    return out


def _hide(table: pd.DataFrame, rows: pd.Series, columns: Sequence[str]) -> None:
    table.loc[rows, list(columns)] = None
    table.loc[rows & table["status"].eq(OK), "status"] = SUPPRESSED
