"""The figure of a sweep shows every policy, where it lies, and which is the present one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from jointwatch.review.sweep import RATIOS, Rung, Spread, Sweep, Swept
from jointwatch.review.sweep_figure import FLOOR, LINE_PX, TOP, WIDTH, sweep_figure

NS = "{http://www.w3.org/2000/svg}"


def rung(ratio: float | None, missed: float | None, minutes: float) -> Rung:
    return Rung(
        times_as_bad=ratio,
        shelter_probability=0.0 if ratio is None else 1.0 / (1.0 + ratio),
        feasible=40,
        missed=1,
        missed_share=None if missed is None else Spread(mean=missed, low=0.5 * missed, high=missed),
        zone_minutes=Spread(mean=minutes, low=0.5 * minutes, high=1.5 * minutes),
        person_minutes=None,
    )


def a_sweep(missed: list[float], minutes: list[float], present: int = 3) -> Sweep:
    ladder = tuple(rung(r, m, x) for r, m, x in zip(RATIOS, missed, minutes, strict=True))
    one = Swept(partner="Amber", zones=12, present=ladder[present], ladder=ladder)
    return Sweep(
        scenario="small", title="Small <one>", seeds=(1, 2), partners=(one, replace(one, partner="A&B"))
    )


def drawn(sweep: Sweep) -> etree._Element:
    return etree.fromstring(sweep_figure(sweep).encode())


def texts(root: etree._Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{NS}text")]


FALLING = [0.2, 0.1, 0.05, 0.02, 0.01, 0.0, 0.0]
RISING = [5.0, 12.0, 30.0, 80.0, 150.0, 290.0, 600.0]


def test_it_names_every_policy_once_a_panel_and_marks_the_present_one() -> None:
    root = drawn(a_sweep(FALLING, RISING))
    said = texts(root)
    for ratio in RATIOS:
        name = f"{ratio:g} : 1"
        assert said.count(f"now {name}" if ratio == 49.0 else name) == 2
    assert len(root.findall(f".//{NS}circle[@class='present']")) == 2
    assert any(t.startswith("A&B") for t in said)
    assert "zone-minutes in shelter for nothing, a run" in said and any("%" in t for t in said)


def test_a_point_lies_further_right_the_more_minutes_and_higher_the_more_is_missed() -> None:
    marks = drawn(a_sweep(FALLING, RISING)).findall(f".//{NS}g")[0].findall(f"{NS}circle[@class='mark']")
    x, y = ([float(m.get(key) or "nan") for m in marks] for key in ("cx", "cy"))
    assert x == sorted(x) and len(set(x)) == len(RATIOS)
    assert y == sorted(y) and y[-1] == y[-2] == FLOOR


def test_a_present_policy_of_its_own_stands_beside_the_ladder() -> None:
    sweep = a_sweep(FALLING, RISING)
    own = replace(sweep.partners[0], present=rung(None, 0.0, 900.0))
    said = texts(drawn(replace(sweep, partners=(own,))))
    assert "now no cost" in said and "49 : 1" in said


def test_policies_that_come_to_the_same_have_one_name() -> None:
    said = texts(drawn(a_sweep([0.0] * 7, [0.0] * 7)))
    assert said.count("4 : 1 to 399 : 1") == 2 and said.count("now 49 : 1") == 2
    assert "9 : 1" not in said


def test_where_none_was_struck_it_says_so() -> None:
    sweep = a_sweep(FALLING, RISING)
    none = tuple(rung(r, None, 1.0) for r in RATIOS)
    own = replace(sweep.partners[0], present=none[0], ladder=none)
    root = drawn(replace(sweep, partners=(own,)))
    assert "Nothing to choose by." in texts(root) and not root.findall(f".//{NS}circle")


@given(
    st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7),
    st.lists(st.floats(0.0, 1e7), min_size=7, max_size=7),
    st.integers(0, 6),
)
def test_whatever_came_of_it_all_lies_within_and_no_name_over_another(
    missed: list[float], minutes: list[float], present: int
) -> None:
    panel = drawn(a_sweep(missed, minutes, present)).findall(f".//{NS}g")[0]
    for mark in panel.iter(f"{NS}circle"):
        assert 0.0 <= float(mark.get("cx") or "nan") <= WIDTH
        assert TOP - 0.1 <= float(mark.get("cy") or "nan") <= FLOOR + 0.1
    names = [
        (float(t.get("x") or "nan"), float(t.get("y") or "nan"))
        for t in panel.iter(f"{NS}text")
        if re.search(r" : 1$", t.text or "")
    ]
    for k, (x, y) in enumerate(names):
        for x2, y2 in names[:k]:
            assert abs(x - x2) > 25.0 or abs(y - y2) >= LINE_PX - 0.1


def test_light_and_dark_have_colours_for_the_same_parts() -> None:
    style = drawn(a_sweep(FALLING, RISING)).find(f"{NS}style")
    assert style is not None and style.text is not None
    light, _, dark = style.text.partition("@media")
    for part in ("paper", "ink", "faint", "grid", "line", "mark", "present", "now"):
        assert f".{part}" in light and f".{part}" in dark


@pytest.mark.parametrize("runs, words", [(1, "1 run"), (3, "3 runs")])
def test_it_says_of_how_many_runs(runs: int, words: str) -> None:
    said = texts(drawn(replace(a_sweep(FALLING, RISING), seeds=tuple(range(runs)))))
    assert any(t.endswith(words) for t in said)
    assert any("eight lie within" in t for t in said) is (runs > 1)
