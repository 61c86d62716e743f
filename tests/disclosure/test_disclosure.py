"""What is released: nothing small, no complement, no exact count; suppression is never a 0."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revictimisation.core.errors import DisclosureError
from revictimisation.core.results import make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import (
    disclose_attrition,
    disclose_diagnostics,
    disclose_estimates,
    kinds,
)
from revictimisation.disclosure.rounding import round_counts
from revictimisation.disclosure.rules import find_hidden
from revictimisation.disclosure.tables import hide_in_chain
from revictimisation.estimators.intervals import wilson_interval
from revictimisation.plan import Disclosure
from tests.cases import for_each

RULES = Disclosure(threshold=5, rounding=5)


def wilson(n_events: int, n_people: int) -> list[float]:
    return [float(limit) for limit in wilson_interval(n_events, n_people)]


def shares(levels: dict[str, tuple[int, int]], measure: str = "m", subgroup: str = "sex"):
    """Count and share of n_events of n_people for each level."""
    rows = []
    for level, (n_events, n_people) in levels.items():
        same = {"level": level, "n_events": n_events, "n_people": n_people}
        rows.append({**same, "estimand": "count", "estimate": n_events})
        share = n_events / n_people
        interval = dict(zip(("ci_low", "ci_high"), wilson(n_events, n_people), strict=True))
        rows.append({**same, "estimand": "share", "estimate": share, **interval})
    keys = {"question": "q1", "measure": measure, "subgroup": subgroup, "outcome": "granted"}
    return make_estimates(rows, estimator="description", **keys)


def release(frame, classes=None):
    return disclose_estimates(frame, RULES, classes or {})


def status_of(frame, level):
    return set(frame.loc[frame["level"] == level, "status"])


@for_each(
    ("n_events", "n_people", "status"),
    [
        (4, 100, "suppressed"),
        (1, 100, "suppressed"),
        (5, 100, "ok"),
        (96, 100, "suppressed"),  # four without
        (95, 100, "ok"),
        (3, 4, "suppressed"),
        (0, 100, "suppressed"),  # none: it tells of everybody
        (100, 100, "suppressed"),  # all
    ],
)
def test_small_cells_are_suppressed(n_events, n_people, status):
    out = release(shares({"": (n_events, n_people)}, subgroup=""))
    assert set(out["status"]) == {status}
    if status == "suppressed":
        numbers = out[["estimate", "ci_low", "ci_high", "se", "n_people", "n_events"]]
        assert numbers.isna().all().all()
        assert set(out["reason"]) == {"small_number"}


def test_all_estimands_of_a_comparison_fall_together():
    rows = [
        {"estimand": "risk_start", "estimate": 0.03, "n_people": 100, "n_events": 3},
        {"estimand": "risk_no_start", "estimate": 0.3, "n_people": 100, "n_events": 30},
        {"estimand": "risk_difference", "estimate": -0.27, "n_people": 200, "n_events": 33},
    ]
    out = release(make_estimates(rows, question="q2", estimator="crude", time_days=365))
    assert set(out["status"]) == {"suppressed"}


def test_counts_are_rounded_and_shares_follow_from_them():
    out = release(shares({"": (33, 101)}, subgroup="")).set_index("estimand")
    assert out.loc["count", "estimate"] == 35
    assert out["n_people"].tolist() == [100, 100]
    assert out.loc["share", "estimate"] == pytest.approx(0.35)
    assert out.loc["share", "ci_low":"ci_high"].tolist() == pytest.approx(wilson(35, 100), abs=1e-6)


def test_difference_and_ratio_follow_from_the_released_risks():
    rows = [
        {"estimand": "risk_start", "estimate": 0.1234, "n_people": 103, "n_events": 13},
        {"estimand": "risk_no_start", "estimate": 0.3456, "n_people": 997, "n_events": 344},
        {"estimand": "risk_difference", "estimate": -0.2222, "n_people": 1100, "n_events": 357},
        {"estimand": "risk_ratio", "estimate": 0.357, "n_people": 1100, "n_events": 357},
    ]
    out = release(make_estimates(rows, question="q2", estimator="crude", time_days=365))
    got = out.set_index("estimand")["estimate"]
    assert got["risk_start"] == pytest.approx(15 / 105, abs=1e-6)
    assert got["risk_difference"] == pytest.approx(got["risk_start"] - got["risk_no_start"])
    assert got["risk_ratio"] == pytest.approx(got["risk_start"] / got["risk_no_start"], abs=1e-3)


@for_each(
    ("n_people", "n_events", "threshold", "is_told"),
    [
        (520, 220, 10, True),
        (503, 220, 10, False),  # told as 505, beside 500: 1 to 9 people started on the first day
        (503, 220, 5, True),
        (502, 220, 5, False),  # told as 500: none to four
        (520, 202, 5, False),
        (590, 226, 10, True),
    ],
)
def test_counts_of_a_comparison_tell_of_no_few_who_are_in_one_arm_alone(
    n_people, n_events, threshold, is_told
):
    rows = [
        {"estimand": "risk_start", "estimate": 0.3, "n_people": 100, "n_events": 30},
        {"estimand": "risk_no_start", "estimate": 0.4, "n_people": 500, "n_events": 200},
        {"estimand": "risk_difference", "estimate": -0.1, "n_people": n_people,
         "n_events": n_events},
    ]  # fmt: skip
    exact = make_estimates(rows, question="q2", measure="m", subgroup="trial_start", level="all",
                           analysis="sequential_trials", estimator="sequential_trial")  # fmt: skip
    out = disclose_estimates(exact, Disclosure(threshold=threshold, rounding=5), {})
    assert out["status"].eq("ok").all()
    assert out[["n_people", "n_events"]].notna().all(axis=1).tolist() == [True, True, is_told]


def test_a_part_of_the_main_analysis_does_not_tell_the_few_who_are_left_out():
    row = {"question": "q2", "outcome": "same_suspect", "time_days": 365, "n_people": 300,
           "n_events": 90, "estimate": 0.3, "estimator": "aalen_johansen",
           "estimand": "cumulative_incidence"}  # fmt: skip
    for n_people, n_events, status in (300, 90, "suppressed"), (297, 80, "suppressed"), (
        290, 88, "suppressed"), (290, 80, "ok"):  # fmt: skip
        part = {"analysis": "by_person", "n_people": n_people, "n_events": n_events}
        exact = make_estimates([{**row, "analysis": "main"}, {**row, **part}])
        assert release(exact)["status"].tolist() == ["ok", status]
    effect = {**row, "estimator": "clone_censor_weight", "estimand": "risk_start", "measure": "m"}
    analyses = ("main", "multiple_imputation", "without_breach_only", "with_breach_only")
    out = release(make_estimates([{**effect, "analysis": name} for name in analyses]))
    assert out["estimate"].notna().all()
    assert out["n_events"].isna().tolist() == [False, False, True, True]


def test_some_measures_are_never_released_and_shelter_never_by_place():
    classes = {"personal_security": "never", "sheltered_housing": "no_place"}
    guarded = release(shares({"": (50, 100)}, "personal_security", ""), classes)
    assert set(guarded["status"]) == {"suppressed"}
    by_place = shares({"city": (50, 100), "nacka": (40, 100)}, "sheltered_housing")
    by_place["subgroup"] = "police_district"
    assert set(release(by_place, classes)["status"]) == {"suppressed"}
    withheld = release(by_place.assign(status="withheld", reason="few_events"), classes)
    assert set(withheld["reason"]) == {"kept_back"}  # not even why
    by_sex = release(shares({"female": (50, 100)}, "sheltered_housing"), classes)
    assert set(by_sex["status"]) == {"ok"}


def test_an_unknown_column_is_refused():
    frame = shares({"": (50, 100)}).assign(victim_id="x")
    with pytest.raises(DisclosureError):
        release(frame)


@for_each(("status", "reason"), [("not_estimable", "not_registered"), ("withheld", "few_events")])
def test_a_row_without_a_number_keeps_its_reason_and_loses_its_counts(status, reason):
    row = {"estimand": "log_hazard_ratio", "estimate": 0.5, "se": 0.1, "n_people": 300,
           "n_events": 60, "status": status, "reason": reason}  # fmt: skip
    out = release(make_estimates([row], question="q2"))
    assert out.loc[0, ["status", "reason"]].tolist() == [status, reason]
    assert out.loc[0, ["estimate", "se", "n_people", "n_events"]].isna().all()


def test_what_other_estimators_and_analyses_tell_of_the_same_people_falls_too():
    same = {"question": "q2", "measure": "m", "outcome": "same_suspect", "estimate": 0.3}
    rows = [
        {**same, "estimator": "crude", "time_days": 182, "n_people": 100, "n_events": 3},
        {**same, "estimator": "clone_censor_weight", "time_days": 182, "n_people": 100,
         "n_events": 12},
        {**same, "estimator": "clone_censor_weight", "analysis": "unadjusted", "time_days": 182,
         "n_people": 100, "n_events": 12},
        {**same, "estimator": "clone_censor_weight", "time_days": 365, "n_people": 100,
         "n_events": 30},
        {**same, "estimator": "clone_censor_weight", "time_days": 182, "n_people": 100,
         "n_events": 30, "outcome": "any_suspect"},
    ]  # fmt: skip
    out = release(make_estimates([{**row, "estimand": "risk_start"} for row in rows]))
    assert out["status"].tolist() == ["suppressed"] * 3 + ["ok"] * 2


@settings(max_examples=15, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40),
    threshold=st.integers(1, 12),
    rounding=st.integers(1, 12),
)
def test_nothing_small_is_ever_released(cells, threshold, rounding):
    levels = {f"l{i}": (n, n + rest) for i, (n, rest) in enumerate(cells) if n + rest > 0}
    if not levels:
        return
    exact = shares(levels)
    out = disclose_estimates(exact, Disclosure(threshold=threshold, rounding=rounding), {})
    assert len(out) == len(exact)
    for before, after in zip(exact.itertuples(), out.itertuples(), strict=True):
        small = any(
            n < threshold
            for n in (before.n_people, before.n_events, before.n_people - before.n_events)
        )
        assert not small or after.status == "suppressed"
        if after.status == "suppressed":
            assert pd.isna(after.estimate) and pd.isna(after.n_events)
        else:
            assert after.n_events % rounding == 0
            assert after.n_people % rounding == 0


def test_rounding_a_null_stays_null():
    assert round_counts(pd.Series([None, 2, 3], dtype="Int64"), 5).tolist() == [pd.NA, 0, 5]


def test_attrition_is_rounded_and_small_drops_are_hidden():
    frame = pd.DataFrame(
        {
            "step": ["reports"] * 2,
            "reason": ["in_extract", "before_accrual"],
            "n_people": [103, 101],
            "n_reports": [203, 200],
            "n_dropped": [0, 3],
            "status": ["ok", "ok"],
        }
    )
    out = disclose_attrition(frame, RULES)
    assert out["status"].tolist() == ["ok", "suppressed"]
    assert out.loc[0, ["n_people", "n_reports", "n_dropped"]].tolist() == [105, 205, 0]
    assert out.loc[1, ["n_people", "n_reports", "n_dropped"]].isna().all()


def test_a_small_drop_does_not_follow_from_the_rows_around_it():
    """Where both numbers around it are told as 200, at most four were dropped: no more is told."""
    for n_left, n_hidden in (([402, 202, 200], 2), ([402, 203, 200], 1)):
        dropped = -np.diff([n_left[0], *n_left])
        frame = pd.DataFrame({"step": "reports", "reason": list("abc"), "n_people": 100,
                              "n_reports": n_left, "n_dropped": dropped})  # fmt: skip
        chained = hide_in_chain(np.array(n_left, float), dropped.astype(float),
                                np.array([True, False, False]), RULES)  # fmt: skip
        assert chained.tolist() == [False, n_hidden == 2, True]
        assert disclose_attrition(frame, RULES)["n_reports"].isna().sum() == n_hidden


# Those who started, beside the comparison that they are a part of.
START = {"estimand": "risk_start", "subgroup": "", "level": "", "n_people": 120, "n_events": 30}


def diagnose(checks, effects=None, measure="m", analysis="main", others=()):
    """Released checks by their text; `effects`: events of the effect by (group, level, day).

    `others`: more rows, as far as they differ from these.
    """
    of = "clone_censor_weight" if analysis == "main" else analysis
    same = {"analysis": of, "measure": measure, "limit": np.nan, "status": "ok"}
    frame = pd.DataFrame({"check": list(checks), "value": list(checks.values())}).assign(**same)
    rows = [
        {"measure": measure, "subgroup": group, "level": level, "time_days": day, "estimate": -0.1,
         "estimand": "risk_difference", "se": 0.03, "n_people": 430, "n_events": n_events,
         "status": status}
        for (group, level, day), (n_events, status) in (effects or {}).items()
    ]  # fmt: skip
    rows = [{"analysis": analysis, "outcome": "same_suspect", **row} for row in rows]
    rows += [{**rows[0], **row} for row in others]
    exact = make_estimates(rows, question="q2", estimator="clone_censor_weight")
    out = disclose_diagnostics(frame, RULES, exact, release(exact))
    return out.set_index("check")


def test_each_kind_of_check_leaves_as_the_dictionary_allows():
    checks = {
        "n_events:start:365": 12.0,
        "n_events:no_start:365": 3.0,
        "n_apart": 0.0,  # none is as small as few
        "effective_sample_size:start": 174.217,
        "largest_standardised_difference:start:0": 0.0343217,
        "share_outside_support": 0.02202917,
        "weight_max:start": 7.699898,  # one person's
        "least_chance": 0.01123317,
        "n_coefficients": 39.0,  # of the model, not of people
        "is_converged": 1.0,
    }
    out = diagnose(checks, {("", "", 365): (60, "ok")})
    shown = out["value"].dropna()
    assert shown.to_dict() == pytest.approx({
        "n_events:start:365": 10.0,
        "effective_sample_size:start": 175.0,
        "largest_standardised_difference:start:0": 0.034,
        "share_outside_support": 2 * 5 / 430,  # steps of five people of 430
        "n_coefficients": 39.0,
        "is_converged": 1.0,
    }, abs=1e-6)  # fmt: skip
    assert set(out.loc[out["value"].isna(), "status"]) == {"suppressed"}


def test_what_is_weighted_is_told_of_no_level_that_is_hidden():
    checks = {
        "share_weighted:start:sex=female": 0.9876,
        "share_weighted:start:sex=male": 0.0124,
        "standardised_difference:start:30:sex": 0.12345,
        "n_at_risk:start:365": 41.0,
        "n_at_risk:no_start:365": 3.0,
    }
    out = diagnose(checks, {("sex", "female", 365): (60, "ok"), ("sex", "male", 365): (2, "ok")},
                   others=[START])  # fmt: skip
    assert out["value"].dropna().to_dict() == pytest.approx({
        "share_weighted:start:sex=female": 1.0,  # steps of five people of the 120 who started
        "standardised_difference:start:30:sex": 0.12,
        "n_at_risk:start:365": 40.0,
    }, abs=1e-6)  # fmt: skip


def test_a_share_of_few_or_of_nobody_knows_how_many_is_not_told():
    """Of a level that is too small for a row of its own, its share of an arm among them."""
    whole, checks = {("", "", 365): (60, "ok")}, {
        "share_outside_support": 0.123, "share_outside_support:sex=male": 0.123,
        "share_weighted:start:sex=male": 0.123,
    }  # fmt: skip
    assert diagnose(checks)["value"].isna().all()
    told = diagnose(checks, whole, others=[START])["value"]
    assert told.isna().tolist() == [False, True, True]
    for n_men, n_started, step in ((4, 120, None), (200, 4, None), (50, 120, 1 / 10),
                                   (200, 120, 1 / 24), (200, 400, 1 / 40)):  # fmt: skip
        others = [{"subgroup": "sex", "level": "male", "n_people": n_men, "status": "withheld"},
                  {**START, "n_people": n_started}]  # fmt: skip
        told = diagnose(checks, whole, others=others)["value"].iloc[-1]
        expected = np.nan if step is None else round(0.123 / step) * step
        assert told == pytest.approx(expected, abs=1e-6, nan_ok=True), (n_men, n_started)


def test_what_the_dictionary_does_not_know_is_refused():
    with pytest.raises(DisclosureError, match="n_secrets"):
        diagnose({"n_secrets": 1.0})
    rows = make_estimates([{"question": "q2", "estimand": "secret", "estimate": 0.5}])
    with pytest.raises(DisclosureError, match="secret"):
        disclose_estimates(rows, RULES, {})
    rows = shares({"": (50, 100)}).assign(analysis="secret")
    with pytest.raises(DisclosureError, match="secret"):
        disclose_estimates(rows, RULES, {})


def test_what_has_no_known_kind_is_refused(monkeypatch):
    for kind in ("", "share_typo"):
        monkeypatch.setattr(kinds, "read_facts", lambda codes, column, kind=kind: {"share": kind})
        with pytest.raises(DisclosureError, match="share"):
            kinds.name_kind(pd.Series(["share"]), "estimand")


def test_every_kind_of_the_dictionary_is_known():
    for codes, known in kinds.KINDS.items():
        assert set(load_dictionary().codes(codes)["kind"]) == known


def test_checks_behind_a_suppressed_effect_are_null_and_of_its_day_alone():
    checks = {
        "n_events:start:182": 20.0,
        "n_events:start:365": 40.0,
        "is_converged": 1.0,
        "largest_standardised_difference:start": 0.03,
    }
    one_day = {("", "", 182): (3, "ok"), ("", "", 365): (60, "ok")}
    assert diagnose(checks, one_day)["value"].isna().tolist() == [True, False, False, False]
    all_days = {("", "", 182): (3, "ok"), ("", "", 365): (4, "ok")}
    assert diagnose(checks, all_days)["value"].isna().all()


def test_a_detectable_difference_tells_no_hidden_effects_error():
    """A level may hold what stands between two: `more_less_often` is one."""
    name, odd = "minimum_detectable_difference:365:x_how", "more_less_often"
    checks = {f"{name}=seldom": 0.0512, f"{name}={odd}": 0.3219, f"{name}=other": 0.2,
              f"{name}={odd}_less_seldom": 0.3}  # fmt: skip
    effects = {
        ("x_how", "seldom", 365): (60, "ok"),
        ("x_how", odd, 365): (60, "withheld"),
        ("x_how", "other", 365): (60, "ok"),
        ("x_how", "other", 730): (60, "withheld"),
        ("x_how", f"{odd}_less_seldom", 365): (60, "withheld"),
    }
    shown = diagnose(checks, effects)["value"].dropna()
    assert shown.to_dict() == {f"{name}=seldom": 0.051, f"{name}=other": 0.2}


def test_a_detectable_difference_is_that_of_the_main_outcome_alone():
    """Those of deaths, of other suspects and of convictions, or of a count, are other numbers."""
    checks = {"minimum_detectable_difference:182": 0.0512, "n_events:start:182": 20.0}
    small = {"status": "ok", "n_events": 3}
    for other in (
        {"outcome": "death", "status": "withheld"},
        {"outcome": "emigration", **small},
        {"analysis": "negative_control_outcome", "outcome": "other_suspect", "status": "withheld"},
        {"estimand": "mean_count_difference", "estimator": "mean_cumulative_count",
         "status": "withheld"},
    ):  # fmt: skip
        told = diagnose(checks, {("", "", 182): (60, "ok")}, others=[other])
        assert told["value"].tolist() == [0.051, 20], other
        told = diagnose(checks, {("", "", 182): (60, "withheld")}, others=[other])
        assert told["value"].isna().tolist() == [True, False], other


def test_checks_of_a_strategy_or_of_two_are_those_of_its_own_rows():
    """Beside the joint measure itself, of which there may be more to show."""
    name, both = "minimum_detectable_difference:365", "both_less_none"
    checks = {f"{name}:{both}": 0.19, f"{name}:one_less_none": 0.0512, "n_events:both:365": 20.0,
              "n_events:one:365": 40.0}  # fmt: skip
    effects = {("strategy", both, 365): (60, "withheld"),
               ("strategy", "one_less_none", 365): (60, "ok")}  # fmt: skip
    others = [{"level": level, "estimand": "cumulative_incidence", "status": "ok", "n_events": n}
              for level, n in (("both", 3), ("one", 40), ("none", 90))]  # fmt: skip
    others.append({"analysis": "main", "subgroup": "", "level": "", "status": "ok"})
    told = diagnose(checks, effects, "joint", "three_strategies", others)["value"]
    assert told.isna().tolist() == [True, False, True, False]


def test_a_level_beside_a_small_one_is_hidden_with_it():
    checks = {"n_events:start:365:sex=male": 3.0, "n_events:start:365:sex=female": 40.0,
              "n_events:start:730:sex=female": 50.0}  # fmt: skip
    assert diagnose(checks)["value"].isna().tolist() == [True, True, False]


def test_a_difference_of_shares_follows_from_the_released_ones():
    """From exact limits the counts behind them could be told."""
    keys = {"question": "q3", "analysis": "treatment_share", "subgroup": "sex",
            "estimator": "description"}  # fmt: skip
    rows = [
        {"level": "male", "estimand": "share", "estimate": 23 / 88, "ci_low": 0.181,
         "ci_high": 0.362, "n_people": 88, "n_events": 23},
        {"level": "female", "estimand": "share", "estimate": 201 / 902, "ci_low": 0.197,
         "ci_high": 0.251, "n_people": 902, "n_events": 201},
        {"level": "male_less_female", "estimand": "share_difference", "estimate": 0.0385,
         "ci_low": -0.0412, "ci_high": 0.1317},
    ]  # fmt: skip
    got = release(make_estimates(rows, **keys)).set_index("level")
    one, other, gap = (got.loc[name] for name in ("male", "female", "male_less_female"))
    assert gap["estimate"] == pytest.approx(one["estimate"] - other["estimate"], abs=1e-6)
    up = np.hypot(one["ci_high"] - one["estimate"], other["estimate"] - other["ci_low"])
    assert gap["ci_high"] == pytest.approx(gap["estimate"] + up, abs=1e-5)
    rows[0]["n_events"] = 3
    got = release(make_estimates(rows, **keys)).set_index("level")
    assert got.loc["male_less_female", "status"] == "suppressed"
    assert pd.isna(got.loc["male_less_female", "ci_low"])


def mean_counts(n_events: int, n_people: int, n_first: int) -> pd.DataFrame:
    """A mean count of outcomes and, beside it, the share with a first one."""
    same = {"question": "q2", "subgroup": "sex", "level": "male", "time_days": 365}
    numbers = {"n_people": n_people, "ci_low": 0.01, "ci_high": 1.9, "se": 0.1}
    rows = [
        {"estimator": "mean_cumulative_count", "estimand": "mean_count", "n_events": n_events,
         "estimate": n_events / n_people, **numbers},
        {"estimator": "aalen_johansen", "estimand": "cumulative_incidence", "n_events": n_first,
         "estimate": n_first / n_people, **numbers},
    ]  # fmt: skip
    return make_estimates([row | same for row in rows])


@for_each(
    ("n_events", "n_people", "n_first", "status"),
    [
        (121, 118, 60, "ok"),  # more outcomes than people is no small rest
        (30, 118, 3, "suppressed"),  # thirty outcomes of three people
        (3, 118, 3, "suppressed"),
    ],
)
def test_mean_counts_are_hidden_with_the_people_behind_them(n_events, n_people, n_first, status):
    out = release(mean_counts(n_events, n_people, n_first)).set_index("estimand")
    assert out.loc["mean_count", "status"] == status
    if status == "ok":
        # the outcomes told over the people told, and its limits may be above 1
        assert out.loc["mean_count", "estimate"] == pytest.approx(120 / 120, abs=1e-6)
        assert out.loc["mean_count", "ci_high"] > 1.1


def test_a_difference_of_mean_counts_follows_from_the_released_ones():
    rows = [
        {"estimand": "mean_count_start", "estimate": 1.1834, "n_people": 103, "n_events": 116},
        {"estimand": "mean_count_no_start", "estimate": 3.3456, "n_people": 997, "n_events": 3344},
        {"estimand": "mean_count_difference", "estimate": -2.1622, "n_people": 1100,
         "n_events": 3460, "ci_low": -2.9, "ci_high": -1.6},
    ]  # fmt: skip
    keys = {"question": "q2", "estimator": "mean_cumulative_count", "time_days": 365}
    got = release(make_estimates(rows, **keys)).set_index("estimand")
    assert got.loc["mean_count_start", "estimate"] == pytest.approx(125 / 105, abs=1e-5)
    gap = got.loc["mean_count_start", "estimate"] - got.loc["mean_count_no_start", "estimate"]
    assert got.loc["mean_count_difference", "estimate"] == pytest.approx(gap)
    assert got.loc["mean_count_difference", "ci_low"] < -2.85


def test_an_expected_number_of_people_below_the_threshold_is_small():
    """0.6 people expected must not become a 0, nor 4.6 a 5."""
    out = diagnose({"n_clients": 0.0, "n_new_identities": 0.6, "n_not_in_persons": 4.6,
                    "n_linked_by_number": 5.2})  # fmt: skip
    assert out["status"].tolist() == ["suppressed"] * 3 + ["ok"]
    assert out["value"].iloc[3] == 5.0


def test_rates_of_links_are_coarse_and_their_limits_go_outwards():
    rates = {"missed_link_rate": 0.01249, "missed_link_rate_low": 0.00451,
             "missed_link_rate_high": 0.02111,
             "false_link_rate_by_probability_high": 0.0}  # fmt: skip
    assert diagnose(rates)["value"].tolist() == [0.012, 0.004, 0.022, 0.0]


def test_a_difference_without_linkage_error_is_the_released_one_and_its_move():
    same = {"question": "q2", "measure": "m", "outcome": "same_suspect",
            "estimator": "clone_censor_weight", "time_days": 365, "n_people": 100,
            "n_events": 30}  # fmt: skip
    gap = {**same, "estimand": "risk_difference"}
    rows = [
        {**same, "estimand": "risk_start", "estimate": 0.212, "ci_low": 0.1, "ci_high": 0.3},
        {**same, "estimand": "risk_no_start", "estimate": 0.334, "ci_low": 0.2, "ci_high": 0.4},
        {**gap, "estimate": -0.122, "ci_low": -0.2, "ci_high": 0.05},
        {**gap, "analysis": "linkage_error", "estimate": -0.1293, "ci_low": -0.21,
         "ci_high": 0.0496},
    ]  # fmt: skip
    out = release(make_estimates(rows)).iloc[2:]
    assert out["estimate"].tolist() == pytest.approx([-0.15, -0.157])
    assert out["ci_low"].tolist() == pytest.approx([-0.2, -0.21])
    assert out["ci_high"].tolist() == pytest.approx([0.05, 0.05])
    small = [{**one, "n_events": 3} if one["estimand"] == "risk_start" else one for one in rows]
    assert set(release(make_estimates(small))["status"]) == {"suppressed"}


@pytest.mark.parametrize(("later", "shown"), [(21, [365]), (23, [182, 365])])
def test_a_change_over_years_is_not_told_of_two_days_with_few_events_between(later, shown):
    """Both tell how many of the same people had a new report by their day."""
    keys = {"question": "course", "estimator": "aalen_johansen", "outcome": "same_suspect",
            "analysis": "unadjusted", "subgroup": "sex", "level": "male"}  # fmt: skip
    rows = [
        {"time_days": day, "n_people": 80, "n_events": events, "estimand": estimand,
         "estimate": 0.1, "se": 0.05}
        for day, events in ((182, 13), (365, later)) for estimand in ("yearly_change", "p_value")
    ]  # fmt: skip
    frame = make_estimates(rows, **keys)
    hidden = find_hidden(frame, Disclosure(threshold=10, rounding=5), pd.Series(False, frame.index))
    assert sorted(frame.loc[hidden.eq(""), "time_days"].unique().tolist()) == shown
