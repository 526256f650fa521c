"""How likely fire is: what the partners' joint assessment makes of their own judgements."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.assessment import assess, assessment_view, brier, pool, spread
from jointwatch.assessment.assessment import Bound, Bounds, Window, posture
from jointwatch.records import BadInput

FILE = Path(__file__).parents[2] / "scenarios" / "assessment.toml"
chance = st.floats(0.001, 0.999)
quick = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_bundled_assessment_holds_signs_both_ways_and_own_actions() -> None:
    a = assess(FILE)
    assert len(a.indicators) >= 10
    assert {i.direction for i in a.indicators} == {"raises", "lowers"}
    assert sum(i.own_action for i in a.indicators) >= 3
    assert all(i.source_interest and i.date <= a.as_of for i in a.indicators)
    assert a.watch_window.from_ <= date(2026, 1, 5) <= a.watch_window.until
    assert [i.date for i in a.indicators] == sorted(i.date for i in a.indicators)


def test_the_report_that_contradicts_itself_on_who_met_is_marked_on_both_claims() -> None:
    a = assess(FILE)
    assert a.conflicts == (("met-command", "met-other"),)
    view = {i["id"]: i for i in assessment_view(a)["indicators"]}
    assert view["met-command"]["conflicts_with"] == [view["met-other"]["text"]]
    assert view["met-other"]["conflicts_with"] == [view["met-command"]["text"]]
    assert view["strike"]["conflicts_with"] == []


def test_a_conflict_stated_by_one_claim_only_is_marked_on_the_other_too(tmp_path: Path) -> None:
    one_sided = assess(changed(tmp_path, 'conflicts_with = ["met-command"]', ""))
    assert one_sided.conflicts == assess(FILE).conflicts


def test_the_latest_estimate_of_each_partner_counts_and_the_pool_lies_between_them() -> None:
    a = assess(FILE)
    assert {name: e.probability for name, e in a.partners.items()} == {"Amber": 0.25, "Blue": 0.12}
    # the geometric mean of the odds 1/3 and 3/22
    odds = math.sqrt((0.25 / 0.75) * (0.12 / 0.88))
    assert a.pooled == pytest.approx(odds / (1 + odds), rel=1e-12)
    assert a.spread_probability == pytest.approx(0.13)
    assert a.posture == "watch"
    assert a.scores["Amber"] == pytest.approx((0.3**2 + 0.55**2 + 0.3**2) / 3)


def test_a_partner_of_weight_zero_has_no_say(tmp_path: Path) -> None:
    assert assess(changed(tmp_path, "Blue = 1.0", "Blue = 0.0")).pooled == pytest.approx(0.25)


def test_the_view_is_plain_and_has_what_the_report_shows() -> None:
    view = assessment_view(assess(FILE))
    assert {"question", "indicators", "partners", "pooled", "spread", "posture", "watch_window"} <= set(view)
    assert view["watch_window"] == ["2025-12-20", "2026-01-20"]
    wanted = {"date", "text", "direction", "grade", "source_interest", "own_action", "conflicts_with"}
    assert all(wanted <= set(i) for i in view["indicators"])


@quick
@given(st.lists(chance, min_size=1, max_size=6), st.floats(0.2, 3.0))
def test_pooling_mirrors_ignores_order_and_stays_within_the_partners(
    probabilities: list[float], factor: float
) -> None:
    pooled = pool(probabilities)
    assert min(probabilities) - 1e-12 <= pooled <= max(probabilities) + 1e-12
    assert pool(probabilities[::-1]) == pytest.approx(pooled, abs=1e-12)
    mirrored = [1.0 - p for p in probabilities]
    assert pool(mirrored, None, factor) == pytest.approx(1.0 - pool(probabilities, None, factor), abs=1e-9)
    if abs(pooled - 0.5) > 1e-6:
        further = abs(pool(probabilities, None, factor) - 0.5) - abs(pooled - 0.5)
        assert further >= 0.0 if factor >= 1.0 else further < 0.0, "a factor above 1 moves away from 1/2"


@quick
@given(chance, chance, st.floats(0.1, 5.0))
def test_a_weight_of_two_is_two_partners_of_one_mind(p: float, q: float, weight: float) -> None:
    assert pool([p, q], [2 * weight, weight]) == pytest.approx(pool([p, p, q]), abs=1e-12)


def test_partners_who_agree_have_no_spread_and_differing_ones_are_told_in_both_measures() -> None:
    assert spread([0.3, 0.3]) == (0.0, 0.0)
    in_probability, in_log_odds = spread([0.5, 0.01, 0.2])
    assert in_probability == pytest.approx(0.49)
    assert in_log_odds == pytest.approx(math.log(99))


def test_briers_score_is_the_squared_miss() -> None:
    assert (brier(1.0, True), brier(1.0, False), brier(0.5, True)) == (0.0, 1.0, 0.25)
    assert brier(0.2, False) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("probabilities", "weights", "factor"),
    [
        ([], None, 1.0),
        ([0.0], None, 1.0),
        ([1.0], None, 1.0),
        ([math.nan], None, 1.0),
        ([0.5], [1.0, 1.0], 1.0),
        ([0.5], [0.0], 1.0),
        ([0.5, 0.5], [2.0, -1.0], 1.0),
        ([0.5], None, 0.0),
        ([0.5], None, math.inf),
    ],
)
def test_what_cannot_be_pooled_is_refused(
    probabilities: list[float], weights: list[float] | None, factor: float
) -> None:
    with pytest.raises(BadInput):
        pool(probabilities, weights, factor)


WINDOW = Window(from_=date(2025, 12, 20), until=date(2026, 1, 20))
WATCH, RAISED = Bound(enter=0.10, leave=0.06), Bound(enter=0.40, leave=0.30)


@pytest.mark.parametrize(
    ("previous", "pooled", "level"),
    [
        ("normal", 0.09, "normal"),
        ("normal", 0.10, "watch"),
        ("normal", 0.50, "raised"),
        ("watch", 0.07, "watch"),
        ("watch", 0.05, "normal"),
        ("watch", 0.35, "watch"),
        ("raised", 0.35, "raised"),
        ("raised", 0.29, "watch"),
        ("raised", 0.05, "normal"),
    ],
)
def test_posture_climbs_at_one_bound_and_falls_at_a_lower(previous: str, pooled: float, level: str) -> None:
    bounds = Bounds(watch=WATCH, raised=RAISED, previous=previous)  # type: ignore[arg-type]
    assert posture(pooled, date(2026, 1, 5), WINDOW, bounds) == level
    assert posture(pooled, date(2026, 1, 21), WINDOW, bounds) == "normal", "outside the watch window"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('grade = "B2"', 'grade = "G2"', "indicators[1].grade"),
        ('direction = "raises"', 'direction = "up"', "indicators[0].direction"),
        ('conflicts_with = ["met-other"]', 'conflicts_with = ["nobody"]', "indicators[7].conflicts_with"),
        ("date = 2025-12-23", "date = 2026-12-23", "indicators[1].date"),
        ("date = 2025-12-23", 'date = "tomorrow"', "indicators[1].date"),
        ('id = "restraint"', 'id = "strike"', "indicators[0].id"),
        ('id = "restraint"', 'id = "restraint"\nweight = 3', "indicators[1].weight"),
        ("probability = 0.35", "probability = 1.0", "estimates[0].probability"),
        ("probability = 0.35", 'probability = "a third"', "estimates[0].probability"),
        ("date = 2025-12-22", "date = 2026-01-05", "estimates"),
        ("Amber = 1.0", "Umber = 1.0", "weights.Umber"),
        ("Amber = 1.0", "Amber = -1.0", "weights.Amber"),
        ("until = 2026-01-20", "until = 2025-01-20", "watch_window.until"),
        ("enter = 0.10, leave = 0.06", "enter = 0.06, leave = 0.10", "posture.watch"),
        ("enter = 0.10, leave = 0.06", "enter = 0.90, leave = 0.06", "posture.raised"),
        ("enter = 0.10, leave = 0.06", "enter = 0.10", "posture.watch.leave"),
        ("extremise = 1.0", "extremise = 0.0", "extremise"),
        ("extremise = 1.0", "extremize = 1.0", "extremize"),
        ("as_of = 2026-01-05", "", "as_of"),
        ("{ Amber = 0.30, Blue = 0.20 }", "{ Amber = 1.30 }", "resolved[0].probabilities.Amber"),
        ("[watch_window]", "[watch_window", "file"),
    ],
)
def test_a_wrong_file_is_refused_naming_file_and_key(tmp_path: Path, old: str, new: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        assess(changed(tmp_path, old, new))
    assert refused.value.field == field
    assert str(refused.value).startswith("changed.toml: ")


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.toml"):
        assess(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"question = '\xff'")
    with pytest.raises(BadInput, match="UTF-8"):
        assess(tmp_path / "bytes.toml")
