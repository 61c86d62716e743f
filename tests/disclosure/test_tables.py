"""No hidden count follows from what is told: an intruder with linear programmes tries."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from revictimisation.core.results import make_estimates, not_estimable
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import disclose_estimates, disclose_tables
from revictimisation.disclosure.rounding import release_numbers
from revictimisation.disclosure.steps import choose_days, order_days
from revictimisation.disclosure.texts import find_unknown, neutralise
from revictimisation.estimators.intervals import loglog_interval, wilson_interval
from revictimisation.plan import Disclosure, read_plan

RULES = Disclosure(threshold=5, rounding=5)
GROUPS = {"sex": 2, "age_group": 5, "is_honour": 3, "relation_group": 4}


def count(cells: list[dict], **keys) -> pd.DataFrame:
    """Count and share of each cell (level, n_events, n_people ...), with Wilson's limits."""
    same = {"question": "q1", "estimator": "description", "outcome": "carried_out", "measure": "m"}
    rows = []
    for cell in cells:
        row = same | keys | cell
        low, high = (float(end) for end in wilson_interval(row["n_events"], row["n_people"]))
        rows.append({**row, "estimand": "count", "estimate": row["n_events"]})
        rows.append({**row, "estimand": "share", "estimate": row["n_events"] / row["n_people"],
                     "ci_low": low, "ci_high": high})  # fmt: skip
    return make_estimates(rows)


def release(frame: pd.DataFrame) -> pd.DataFrame:
    return disclose_estimates(frame, RULES, {})


def make_tables(seed: int, n_people: int = 300) -> pd.DataFrame:
    """Who got which of four measures, in all and by four groupings."""
    random = np.random.default_rng(seed)
    groups = {name: random.choice(n, n_people, p=random.dirichlet(np.full(n, 0.8)))
              for name, n in GROUPS.items()}  # fmt: skip
    cells = []
    for measure in ("m1", "m2", "m3", "m4"):
        has = random.random(n_people) < random.choice([0.01, 0.03, 0.1, 0.4])
        cells.append({"measure": measure, "n_events": int(has.sum()), "n_people": n_people})
        for name, level in groups.items():
            cells += [
                {"measure": measure, "subgroup": name, "level": f"l{one}",
                 "n_events": int(has[level == one].sum()), "n_people": int((level == one).sum())}
                for one in np.unique(level)
            ]  # fmt: skip
    return count(cells)


def intrude(released: pd.DataFrame, exact: pd.DataFrame) -> list[tuple[float, float, float]]:
    """The least and the most that each small hidden number of events may be, and what it is.

    From the rounded counts, the margins and the threshold alone. Exact numbers choose whom to try.
    """
    found = []
    is_count = released["estimand"].eq("count")
    for _, mine in released[is_count].groupby("measure"):
        mine = mine.reset_index()
        n = len(mine)
        bounds, sums = [], []
        for name, low in (("n_events", 0), ("n_people", 0)):
            told = mine[name].to_numpy(dtype=float, na_value=np.nan)
            if name == "n_people":  # known from the other measures, too
                others = released[is_count].groupby(["subgroup", "level"])["n_people"].max()
                keys = pd.MultiIndex.from_frame(mine[["subgroup", "level"]])
                told = others.reindex(keys).to_numpy(dtype=float, na_value=np.nan)
            bounds += [(low, None) if np.isnan(one) else (max(one - 2, 5), one + 2) for one in told]
        whole = int(mine.index[mine["subgroup"].eq("")][0])
        for name, shift in itertools.product({*mine["subgroup"]} - {""}, (0, n)):
            row = np.zeros(2 * n)
            row[mine.index[mine["subgroup"].eq(name)] + shift] = 1
            row[whole + shift] = -1
            sums.append(row)
        within = np.hstack([np.eye(n), -np.eye(n)])
        small = exact.loc[mine["index"], ["n_events", "n_people"]].astype(float)
        rest = small["n_people"] - small["n_events"]
        few = (small["n_events"].lt(5) | rest.lt(5)).to_numpy() & mine["n_events"].isna().to_numpy()
        for place in np.flatnonzero(few):
            ends = []
            for sign in (1, -1):
                goal = np.zeros(2 * n)
                goal[place] = sign
                got = linprog(goal, A_ub=within, b_ub=np.zeros(n), A_eq=np.array(sums),
                              b_eq=np.zeros(len(sums)), bounds=bounds)  # fmt: skip
                # unbounded: nothing is known
                ends.append(sign * got.fun if got.status == 0 else np.inf)
            found.append((*ends, float(small["n_events"].iloc[place])))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_intruder_knows_no_hidden_count_within_the_threshold(seed):
    exact = make_tables(seed)
    found = intrude(release(exact), exact)
    assert len(found) > 5
    for low, high, is_it in found:
        assert low <= is_it <= high  # the intruder is right
        assert high - low >= RULES.threshold


COURSE = {"question": "course", "outcome": "same_suspect", "analysis": "unadjusted",
          "estimator": "aalen_johansen", "estimand": "share", "time_days": 365}  # fmt: skip


def follow(group: str, levels: dict[str, tuple[int, int]], **keys) -> list[dict]:
    """Rows of the course: of each level how many, and with how many outcomes."""
    return [
        {**COURSE, "subgroup": group, "level": level, "estimate": k / n, "se": 0.03, "n_people": n,
         "n_events": k, **keys}
        for level, (n, k) in levels.items()
    ]  # fmt: skip


def test_a_hidden_quarter_follows_neither_from_its_year_nor_from_everybody():
    """Of 32 in 2013 told as 30, three quarters told as 20, 5 and 5 would leave at most 2."""
    quarters = {"2013-Q1": (40, 20), "2013-Q2": (38, 6), "2013-Q3": (37, 5), "2013-Q4": (36, 1)}
    later = {f"2014-Q{k}": (60, 20) for k in range(1, 5)}
    years = {"2013": (151, 32), "2014": (240, 80)}
    whole = {"question": "q2", "analysis": "main", "estimand": "cumulative_incidence"}
    rows = follow("index_quarter", quarters | later) + follow("index_year", years)
    out = release(make_estimates([*rows, *follow("", {"": (391, 112)}, **whole)]))
    status = out.set_index("level")["status"]
    assert status["2013-Q4"] == status["2013-Q3"] == "suppressed"
    assert status[["2013-Q1", "2013", "2014", "2014-Q1", ""]].eq("ok").all()
    alone = release(make_estimates(follow("index_quarter", quarters)))
    assert alone["status"].tolist() == ["ok", "ok", "ok", "suppressed"]


def test_a_hidden_group_of_a_year_follows_neither_from_the_year_nor_from_the_group():
    cells = {"false:2013": (120, 26), "false:2014": (105, 28), "true:2013": (31, 6),
             "true:2014": (45, 4)}  # fmt: skip
    whole = {"question": "q2", "analysis": "main", "estimand": "cumulative_incidence"}
    rows = follow("is_honour:index_year", cells)
    rows += follow("index_year", {"2013": (151, 32), "2014": (150, 32)})
    rows += follow("is_honour", {"false": (225, 54), "true": (76, 10)}, **whole)
    status = release(make_estimates(rows)).set_index("level")["status"]
    assert status[["false:2014", "true:2014"]].eq("suppressed").all()
    assert status[["2013", "2014", "false", "true"]].eq("ok").all()


def test_those_of_periods_that_are_followed_are_a_part_of_all():
    """Of 40 with an outcome 38 are of followed periods: two are of the others."""
    whole = {"question": "q2", "analysis": "main", "estimand": "cumulative_incidence"}
    rows = follow("", {"": (300, 40)}, **whole)
    rows += follow("", {"": (280, 38)}, estimand="yearly_change", estimate=-0.01)
    assert "suppressed" in release(make_estimates(rows))["status"].tolist()
    rows[1] |= {"n_people": 300, "n_events": 40}
    assert release(make_estimates(rows))["status"].eq("ok").all()


def test_who_has_only_the_wider_outcome_does_not_follow():
    """Of 62 against anyone of the family 60 are against the suspect: two are not."""
    same = {"question": "q2", "analysis": "main", "estimand": "cumulative_incidence"}
    rows = follow("", {"": (300, 62)}, **same, outcome="any_kin")
    rows += follow("", {"": (300, 60)}, **same)
    assert "suppressed" in release(make_estimates(rows))["status"].tolist()
    rows[1]["n_events"] = 40
    assert release(make_estimates(rows))["status"].eq("ok").all()


def test_the_intruder_finds_what_the_rule_for_single_rows_leaves():
    """Without secondary suppression: three of 100, beside 60, of 63 in all."""
    exact = count([{"n_events": 62, "n_people": 300},
                   {"subgroup": "sex", "level": "a", "n_events": 60, "n_people": 150},
                   {"subgroup": "sex", "level": "b", "n_events": 2, "n_people": 150}])  # fmt: skip
    naive = exact.assign(**{name: exact[name].where(exact["n_events"] >= 5) for name in
                            ("n_events", "n_people")})  # fmt: skip
    for name in ("n_events", "n_people"):
        naive[name] = (naive[name] + 2) // 5 * 5
    (low, high, is_it), = (one for one in intrude(naive, exact))  # fmt: skip
    assert (low, high, is_it) == (0, 4, 2)
    out = release(exact)
    assert out.loc[out["level"].ne(""), "status"].eq("suppressed").all()
    assert out.loc[out["level"].eq(""), "status"].eq("ok").all()


def test_what_rounding_hides_enough_is_shown():
    """Of 63 told as 65 beside 60 the other is 1 to 9."""
    exact = count([{"n_events": 63, "n_people": 300},
                   {"subgroup": "sex", "level": "a", "n_events": 60, "n_people": 150},
                   {"subgroup": "sex", "level": "b", "n_events": 3, "n_people": 150}])  # fmt: skip
    out = release(exact).drop_duplicates("level").set_index("level")
    assert out["status"].to_dict() == {"": "ok", "a": "ok", "b": "suppressed"}


def test_which_of_two_hidden_is_the_small_one_is_not_told():
    exact = count([{"n_events": 90, "n_people": 400},
                   {"subgroup": "sex", "level": "a", "n_events": 60, "n_people": 150},
                   {"subgroup": "sex", "level": "b", "n_events": 2, "n_people": 150},
                   {"subgroup": "sex", "level": "c", "n_events": 28, "n_people": 100}])  # fmt: skip
    out = release(exact)
    assert set(out.loc[out["status"].eq("suppressed"), "reason"]) == {"small_number"}


def test_rounded_counts_are_not_told_exactly_by_their_sum():
    """Four of 12 are told as 10 each, their sum 48 as 50: nothing else rounds so."""
    cells = [{"subgroup": "age_group", "level": str(i), "n_events": 12, "n_people": 101}
             for i in range(4)]  # fmt: skip
    out = release(count([{"n_events": 48, "n_people": 404}, *cells]))
    assert out.loc[out["level"].ne(""), "status"].eq("suppressed").any()
    cells[0]["n_events"] = 11
    out = release(count([{"n_events": 47, "n_people": 404}, *cells]))
    assert out["status"].eq("ok").all()


def test_a_state_follows_from_all_others():
    """Everybody is in one state: of 302, told as 300, told 155 and 150 leave one at most."""
    counts = {"a": (153, 153), "b": (148, 148), "c": (1, 3)}
    for which, is_b_shown in ((0, False), (1, True)):
        cells = [{"subgroup": "case_state", "level": level, "n_events": n[which],
                  "n_people": sum(each[which] for each in counts.values())}
                 for level, n in counts.items()]  # fmt: skip
        out = release(count(cells, question="q4", measure="", outcome="case_state"))
        out = out.drop_duplicates("level").set_index("level")
        assert out.loc["c", "status"] == "suppressed"
        assert (out.loc["b", "status"] == "ok") == is_b_shown


def test_a_measure_of_one_code_is_hidden_with_the_code():
    cells = [{"n_events": 61, "n_people": 300},
             {"subgroup": "sex", "level": "a", "n_events": 58, "n_people": 150},
             {"subgroup": "sex", "level": "b", "n_events": 3, "n_people": 150}]  # fmt: skip
    parts = [count(cells, analysis="by_code", measure="alarm_package"),
             count(cells, analysis="main", measure="alarm")]  # fmt: skip
    out = release(pd.concat(parts, ignore_index=True))
    by_measure = [mine["status"].tolist() for _, mine in out.groupby("measure")]
    assert by_measure[0] == by_measure[1]


def count_agencies(is_one_code: bool) -> pd.DataFrame:
    """Who did something for 150 women and 50 men, in a study of no measures near in time."""
    levels = {"female": (90, 31, 13, 16), "male": (24, 12, 2, 12)}
    sums = {"": tuple(map(sum, zip(*levels.values(), strict=True))), **levels}
    kinds, wholes, codes = [], [], []
    for level, numbers in sums.items():
        both, police, social, _ = numbers
        keys = {"subgroup": "sex" if level else "", "level": level, "n_people": sum(numbers)}
        names = ("both_apart", "police_only", "social_services_only", "neither")
        kinds += [{**keys, "measure": name, "n_events": n}
                  for name, n in zip(names, numbers, strict=True)]  # fmt: skip
        wholes.append({**keys, "measure": "any_police", "n_events": both + police})
        wholes.append({**keys, "measure": "any_social_services", "n_events": both + social})
        codes.append({**keys, "measure": "support_talks", "n_events": both + social})
    parts = [count(codes, analysis="by_code")] if is_one_code else []
    parts += [count(wholes, analysis="by_agency"), count(kinds, analysis="agencies")]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("is_one_code", [False, True])
def test_an_agencys_sum_is_known_where_no_measures_are_near_in_time(is_one_code):
    out = release(count_agencies(is_one_code))
    out = out[out["estimand"].eq("count") & out["level"].eq("male")].set_index("measure")
    few = out.loc["social_services_only", "status"]
    assert few == "suppressed"
    assert not out.loc[["both_apart", "any_social_services"], "status"].eq("ok").all()


def curve(counts: list[int], days: list[int], n_people: int, **keys) -> pd.DataFrame:
    """Aalen-Johansen without censoring, errors as of plain shares."""
    share = np.array(counts) / n_people
    se = np.sqrt(share * (1 - share) / n_people)
    low, high = loglog_interval(share, se, np.full(len(share), n_people))
    same = {"question": "q2", "analysis": "curve", "outcome": "same_suspect",
            "estimator": "aalen_johansen", "estimand": "cumulative_incidence"}  # fmt: skip
    rows = {"time_days": days, "n_events": counts, "estimate": share, "se": se, "ci_low": low,
            "ci_high": high, "n_people": n_people}  # fmt: skip
    return make_estimates(pd.DataFrame(rows), **(same | keys))


def test_no_step_of_a_curve_holds_fewer_than_the_threshold():
    random = np.random.default_rng(1)
    days = list(range(0, 1470, 31))
    for n_people in (80, 300, 3000):
        steps = random.poisson(np.linspace(0.02, 0.002, len(days)) * n_people)
        counts = np.cumsum(steps).tolist()
        exact = curve(counts, days, n_people)
        told = exact.loc[release(exact)["status"].eq("ok"), "n_events"].astype(int)
        assert len(told) and np.diff([0, *told]).min() >= RULES.threshold
    assert len(told) > 20  # of many people nearly all days are told


def test_days_are_tried_in_an_order_of_their_own():
    days = list(range(0, 100, 10))
    assert sorted(order_days(days)) == days
    assert order_days(days, first=[30])[:2] == [30, 90]
    few = {day: [float(day >= 50)] for day in days}
    assert len(choose_days(few, order_days(days), 5)) == 1


def test_numbers_are_the_same_for_all_counts_that_round_alike():
    """Nothing tells which of the counts it was: neither estimate, nor error, nor limits."""
    cells = [(group, k + i, n + j) for group, (k, n) in enumerate([(10, 60), (25, 125), (60, 1000)])
             for i in range(-2, 3) for j in (-2, 2)]  # fmt: skip
    for make in (lambda k, n: count([{"n_events": k, "n_people": n}]),
                 lambda k, n: curve([k], [365], n)):  # fmt: skip
        exact = [make(k, n).assign(measure=f"{place}") for place, (_, k, n) in enumerate(cells)]
        told = release_numbers(pd.concat(exact, ignore_index=True), RULES)
        told["place"] = told["measure"].astype(int)
        told["group"] = told["place"].map(lambda place: cells[place][0])
        first = told.drop_duplicates(["group", "estimand"])
        pairs = told[["group", "estimand"]].merge(first, on=["group", "estimand"])
        own = ["measure", "place"]
        pd.testing.assert_frame_equal(told.drop(columns=own), pairs[told.columns].drop(columns=own))


def test_populations_that_differ_by_few_are_told_as_one():
    """Of 300 people 297 had no order before: three had, which nobody is told."""
    rows = [count([{"n_events": 60, "n_people": n}], measure=f"m{n}") for n in (300, 297, 290)]
    out = release(pd.concat(rows, ignore_index=True)).drop_duplicates("measure")
    assert out["n_people"].tolist() == [300, 300, 290]


def test_why_a_number_is_missing_does_not_tell_of_none_or_all():
    keys = {"question": "q3", "measure": "m", "subgroup": "sex", "level": "male",
            "estimand": "hazard_ratio"}  # fmt: skip
    reasons = ["no_events_while_exposed", "nobody_exposed", "fewer_than_two_levels"]
    out = release(
        pd.concat([not_estimable(reason, **keys) for reason in reasons], ignore_index=True)
    )
    assert out["reason"].tolist() == [
        "too_few_events", "few_exposed_victims", "fewer_than_two_levels"]  # fmt: skip


def test_a_study_of_few_releases_nothing():
    frame = count([{"n_events": 20, "n_people": 49}])
    assert release(frame)["status"].eq("suppressed").all()
    assert release(count([{"n_events": 20, "n_people": 50}]))["status"].eq("ok").all()


def test_means_and_medians_of_few_are_hidden():
    rows = [{"estimand": "duration_median_days", "estimate": 30.0, "n_people": 60, "n_events": n}
            for n in (9, 10)]  # fmt: skip
    for row, status in zip(rows, ("suppressed", "ok"), strict=True):
        frame = make_estimates([row], question="q1", analysis="duration", estimator="description")
        assert release(frame)["status"].tolist() == [status]


STUDY = "name: a\nmeasures: {alarm_package: {}}\nsubgroups: [sex, x_how]\n"


def disclose(
    estimates: pd.DataFrame,
    checks: dict[str, float] | None = None,
    more: str = "",
    measure: str = "alarm_package",
):
    plan = read_plan(STUDY + "adjust_for: [sex]\n" + more)
    given = checks or {"is_converged": 1.0}
    diagnostics = pd.DataFrame(
        [{"analysis": "main", "measure": measure, "check": text, "value": value,
          "limit": np.nan, "status": "ok"} for text, value in given.items()],
    )  # fmt: skip
    attrition = pd.DataFrame({"step": [], "reason": [], "n_people": [], "n_reports": [],
                              "n_dropped": [], "status": []})  # fmt: skip
    tables = {"estimates": estimates, "diagnostics": diagnostics, "attrition": attrition}
    return disclose_tables(tables, plan, load_dictionary())


def test_texts_of_the_extract_leave_as_other():
    name = "Anna Ek, Storgatan 1"
    parts = [
        count([{"n_events": 60, "n_people": 300}], analysis="by_code", measure=name),
        count([{"subgroup": "x_how", "level": name, "n_events": 60, "n_people": 150}]),
        count([{"subgroup": "sex", "level": "female", "n_events": 60, "n_people": 150}]),
    ]
    exact = pd.concat(parts, ignore_index=True)
    out = disclose(exact, {f"n_events:start:365:x_how={name}": 60.0})
    for table in out.values():
        assert not table.astype(str).apply(lambda column: column.str.contains("Anna")).any().any()
    assert out["estimates"]["status"].tolist() == ["suppressed"] * 4 + ["ok"] * 2
    assert out["diagnostics"]["check"].tolist() == ["n_events:start:365:x_how=other"]


def test_what_is_never_a_group_is_none():
    exact = count([{"subgroup": "municipality_code", "level": "0114", "n_events": 60,
                    "n_people": 150}])  # fmt: skip
    assert set(disclose(exact)["estimates"]["reason"]) == {"kept_back"}


def test_shelter_is_not_told_by_a_column_of_the_extracts_own():
    exact = count([{"subgroup": "x_how", "level": "other", "n_events": 60, "n_people": 150}],
                  measure="sheltered_housing")  # fmt: skip
    assert set(disclose(exact)["estimates"]["reason"]) == {"kept_back"}


def test_shelter_is_not_told_of_a_place_by_what_stands_beside_it_either():
    """In a study of one district: in combinations, orders of measures, and what follows a stay."""
    cells = [
        {"analysis": "combination", "subgroup": "combined_with", "level": "sheltered_housing"},
        {"analysis": "sequence", "subgroup": "sequence",
              "level": "alarm_package > sheltered_housing"},
        {"question": "q2", "analysis": "after_shelter", "subgroup": "trial_start",
              "level": "shelter_end"},
        {"analysis": "combination", "subgroup": "combined_with", "level": "safety_talk"},
        {"question": "q2", "analysis": "sequential_trials", "subgroup": "trial_start",
              "level": "acute"},
    ]  # fmt: skip
    same = {"n_events": 60, "n_people": 150, "measure": "contact_person"}
    exact = pd.concat([count([same | one]) for one in cells], ignore_index=True)
    of_all = disclose(exact)
    assert of_all["estimates"]["status"].eq("ok").all()
    of_place = disclose(exact, None, "eligibility: {districts: [city]}\n")
    hidden = of_place["estimates"]["reason"].eq("kept_back")
    assert hidden.tolist() == [True] * 6 + [False] * 4
    never = count([{"n_events": 60, "n_people": 150, "subgroup": "combined_with",
                    "level": "personal_security"}])  # fmt: skip
    assert disclose(never)["estimates"]["reason"].eq("kept_back").all()


def test_checks_of_what_is_kept_back_are_kept_back_and_no_others():
    row = {"question": "q2", "measure": "contact_person", "subgroup": "trial_start",
           "estimand": "risk_difference", "estimate": -0.1, "se": 0.05, "n_people": 150,
           "n_events": 60, "time_days": 365, "estimator": "clone_censor_weight",
           "outcome": "same_suspect"}  # fmt: skip
    levels = {"after_shelter": "shelter_end", "sequential_trials": "acute"}
    exact = make_estimates([row | {"analysis": name, "level": levels[name]} for name in levels])
    checks = {f"effective_sample_size:start:trial_start={one}": 60.0 for one in levels.values()}
    told = disclose(exact, checks, "eligibility: {districts: [city]}\n", "contact_person")
    assert told["diagnostics"]["value"].isna().tolist() == [True, False]


def test_formulas_and_unseen_signs_are_made_text():
    texts = ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "a\rb", "65+", "0-12", ""]
    out = neutralise(pd.DataFrame({"level": texts, "n": range(len(texts))}))
    assert out["level"].tolist() == [
        *("'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'=1", "a b", "65+", "0-12", "")
    ]
    assert out["n"].tolist() == list(range(len(texts)))


def test_known_words_are_codes_names_of_the_study_and_small_numbers():
    words = {"safety_talk", "alarm", "other", "true", "false"}
    texts = pd.Series(["safety_talk > alarm", "true_less_false", "2011", "0-12", "65+",
                       "19800101-1234", "0701234567", "Ek"])  # fmt: skip
    assert find_unknown(texts, words).tolist() == [False] * 5 + [True] * 3
