"""What is packed into one text of a result, and taken apart again: checks, levels, differences.

A check is `name:arm:day:group=level`, each part but the name only where it has one; a difference of
two levels is `a_less_b`; a level of one grouping within that of another is `a:b`, of the grouping
`one:other`. Nobody else puts these together or takes them apart.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

PART, OF, LESS = ":", "=", "_less_"
DAY = "day_"
Level = tuple[str, str]  # a grouping and a level of it; ("", ""): everybody
QUARTER, YEAR = "index_quarter", "index_year"
STRATEGIES = "three_strategies"  # the analysis whose arms are levels of the next
STRATEGY = "strategy"
TIPPING = "tipping_point"  # the analysis whose numbers are made anew of what is released
COVARIATE = "covariate"  # the grouping whose levels are what is adjusted for
SEQUENTIAL = "sequential_trials"  # the analysis of trials that begin later; its groupings:
TRIAL_START, LANDMARK, ALL_STARTS = "trial_start", "landmark", "all"
AFTER_SHELTER, SHELTER_END = "after_shelter", "shelter_end"
PER_PROTOCOL = "per_protocol"  # the same trials, the measure kept for so many days
SUSTAINED, KEPT, CONTINUED = "sustained_strategies", "kept", "continued"
FOLLOWED: Level = ("is_followed", "true")  # those of periods that are followed long enough
EVERYBODY: Level = ("", "")


@dataclass(frozen=True)
class CheckName:
    """A check's name and what it is of: `parts` before the grouping (arms, days, tables, rules)."""

    name: str
    parts: tuple[str, ...] = ()
    group: str = ""
    level: str = ""

    @property
    def day(self) -> int | None:
        """The day up to which it counts; None: it concerns every day."""
        return next((int(part) for part in self.parts if part.isdigit()), None)

    @property
    def arm(self) -> str:
        """The arm or strategy that it is of; empty: all."""
        return next((part for part in self.parts if not part.isdigit()), "")

    @property
    def family(self) -> str:
        """What the checks of all levels of a grouping have in common."""
        return pack_check(self.name, *self.parts, self.group)


def pack_check(name: str, *parts: object, group: str = "", level: str = "") -> str:
    """Put a check's text together; empty parts and None are left out.

    A check of a whole grouping, without a level, has its name as the last part.

    >>> pack_check("n_events", "start", 182, group="sex", level="female")
    'n_events:start:182:sex=female'
    """
    told = [name, *(str(part) for part in parts if part not in (None, ""))]
    of = f"{group}{OF}{level}" if level else group
    return PART.join([*told, of] if of else told)


@cache
def unpack_check(text: str) -> CheckName:
    """Take a check's text apart; a level may hold any sign, all else no `:` and no `=`.

    >>> unpack_check("n_events:start:182:x_area=a=b:c")
    CheckName(name='n_events', parts=('start', '182'), group='x_area', level='a=b:c')
    """
    before, is_grouped, level = text.partition(OF)
    name, *parts = before.split(PART)
    group = parts.pop() if is_grouped and parts else ""
    return CheckName(name, tuple(parts), group, level)


def find_level(check: CheckName, analysis: str) -> Level:
    """The grouping and the level that a check is of; an arm of three strategies is one, too.

    >>> find_level(unpack_check("n_events:both:182"), "three_strategies")
    ('strategy', 'both')
    """
    is_strategy = analysis == STRATEGIES and check.arm and not check.group
    return (STRATEGY, check.arm) if is_strategy else (check.group, check.level)


def pack_contrast(level: str, reference: str) -> str:
    """What the difference between a level and another is called.

    >>> pack_contrast("true", "false")
    'true_less_false'
    """
    return f"{level}{LESS}{reference}"


def unpack_contrast(text: str, levels: Collection[str] = ()) -> tuple[str, str] | None:
    """The two levels that a text tells the difference of; None: it is a level itself.

    `levels` are the known ones: with them a level may itself hold what stands between two. Where
    they are not known (withheld, say), the first place where the text may be parted counts.

    >>> unpack_contrast("more_less_often_less_seldom", {"more_less_often", "seldom"})
    ('more_less_often', 'seldom')
    >>> unpack_contrast("more_less_often", {"more_less_often", "seldom"}) is None
    True
    """
    if text in levels or LESS not in text:
        return None
    words = text.split(LESS)
    pairs = [(LESS.join(words[:k]), LESS.join(words[k:])) for k in range(1, len(words))]
    return next((pair for pair in pairs if {*pair} <= {*levels}), pairs[0])


def pack_within(*parts: str) -> str:
    """What a grouping within others, or a level of it, is called: the wider first.

    >>> pack_within("is_honour", "index_year"), pack_within("true", "2013")
    ('is_honour:index_year', 'true:2013')
    """
    return PART.join(parts)


def unpack_within(subgroup: str, level: str) -> tuple[Level, ...]:
    """The levels that a level is where all of them meet: itself, if of one grouping.

    The last grouping's levels hold no `:`; of two groupings the first one's may.

    >>> unpack_within("is_honour:index_year", "true:2013")
    (('is_honour', 'true'), ('index_year', '2013'))
    """
    groups = subgroup.split(PART)
    levels = level.rsplit(PART, len(groups) - 1)
    return tuple(zip(groups, levels, strict=False))


def pack_score(arm: str, measure: str) -> str:
    """What the column of people's scores of an arm of a measure is called (`cohort.people`).

    >>> pack_score("start", "alarm_package")
    'start:alarm_package'
    """
    return f"{arm}{PART}{measure}"


def pack_quarter(year: int, quarter: int) -> str:
    """What a quarter of a year is called.

    >>> pack_quarter(2013, 2)
    '2013-Q2'
    """
    return f"{year}-Q{quarter}"


def pack_day(day: int) -> str:
    """What the level of a landmark is called.

    >>> pack_day(90), unpack_day("day_90"), unpack_day("all")
    ('day_90', 90, None)
    """
    return f"{DAY}{day}"


def unpack_day(level: str) -> int | None:
    """The day of a landmark's level; None: it is none."""
    day = level.removeprefix(DAY)
    return int(day) if level.startswith(DAY) and day.isdigit() else None


def find_wholes(subgroup: str, level: str) -> tuple[Level, ...]:
    """What a level is a part of, so that all levels like it make that up: the margins of tables.

    Everybody; for one where several groupings meet each of these; for a quarter its year. Of trials
    that begin in a phase, or at a landmark, all.

    >>> find_wholes("is_honour:index_year", "true:2013")
    (('', ''), ('is_honour', 'true'), ('index_year', '2013'))
    >>> find_wholes("index_quarter", "2013-Q2"), find_wholes("", "")
    ((('', ''), ('index_year', '2013')), ())
    """
    alone = (ALL_STARTS, SHELTER_END, KEPT, CONTINUED)
    if (subgroup, level) in (EVERYBODY, *((TRIAL_START, one) for one in alone)):
        return ()
    if subgroup in (TRIAL_START, LANDMARK):
        return ((TRIAL_START, ALL_STARTS),)
    parts = unpack_within(subgroup, level)
    wholes = [EVERYBODY, *(parts if len(parts) > 1 else ())]
    if subgroup == QUARTER:
        wholes.append((YEAR, level.partition("-")[0]))
    return tuple(wholes)
