"""The sentence says what was measured, also where joining brought nothing or cost something."""

from __future__ import annotations

from typing import Any

import pytest

from jointwatch.review.sentence import sentence


def summary(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "saved": 14,
        "gained": 96.2,
        "false": 61,
        "feasible": 62,
        "withdrawn": [
            {"alerted": True, "zones_left": 0, "first_cancel_after_s": 3.0, "last_cancel_after_s": 4.2}
        ],
    }
    values |= changes
    zones = {"warned_in_time": 61 if values["feasible"] else 0, "feasible": values["feasible"]}
    return {
        "truth": {"launches": 55},
        "pictures": {"joint": {"detected": 54, "zones": zones | {"false": values["false"]}}},
        "value_of_joining": {"zones_saved": values["saved"], "lead_seconds_gained": values["gained"]},
        "withdrawn": values["withdrawn"],
    }


def test_a_gain_is_told_in_full() -> None:
    assert sentence(summary()) == (
        "Together: 14 more zones warned in time than by the better partner alone (61 of 62), +96 s median "
        "warning; 61 zones told to take shelter without need; one alert withdrawn in 4 s after a break-up in "
        "flight; 54 of 55 launches in the joint picture."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"saved": 0}, "as many zones warned in time as by the better partner alone (61 of 62)"),
        ({"saved": -1}, "1 fewer zone warned in time than by"),
        ({"saved": 1}, "1 more zone warned in time than by"),
        ({"gained": -12.4}, "−12 s median warning"),
        ({"gained": 0.4}, "the same median warning"),
        ({"gained": -0.4}, "the same median warning"),
        ({"false": 0}, "no zones told to take shelter without need"),
        ({"false": 1}, "one zone told to take shelter without need"),
    ],
)
def test_no_gain_and_a_loss_are_told_as_such(changes: dict[str, Any], words: str) -> None:
    assert words in sentence(summary(**changes))


def test_what_was_shed_under_load_is_told_by_partner() -> None:
    amber = {"limited_s": 31.6, "worst_lag_s": 4.0, "plots": 12345, "tracks": 0}
    blue = {"limited_s": 8.0, "worst_lag_s": 9.0, "plots": 0, "tracks": 1200}
    said = sentence(summary() | {"load": {"Amber": amber, "Blue": blue}})
    assert "; under load Amber shed 12,345 plots in 32 s; " in said
    assert "; under load Blue shed 0 plots in 8 s and let tracks wait for 1,200 looks; " in said
    assert "under load" not in sentence(summary() | {"load": {}})


def test_what_was_not_measured_is_not_told() -> None:
    said = sentence(summary(feasible=0, saved=0, gained=None, withdrawn=[]))
    assert said == (
        "Together: 61 zones told to take shelter without need; 54 of 55 launches in the joint picture."
    )


def test_an_alert_left_standing_is_not_called_withdrawn() -> None:
    left = {"alerted": True, "zones_left": 2, "first_cancel_after_s": 3.0, "last_cancel_after_s": 9.0}
    none = {"alerted": False, "zones_left": 0, "first_cancel_after_s": None, "last_cancel_after_s": None}
    said = sentence(summary(withdrawn=[left, none]))
    assert "one alert not withdrawn after a break-up in flight" in said
    assert "withdrawn in" not in said


def test_a_loss_to_the_better_partner_is_told_beside_the_gain_over_the_other() -> None:
    told = summary(gained=-2.4)
    told["value_of_joining"]["lead_seconds_gained_over"] = {"amber": 291.0, "blue": -2.4}
    told["labels"] = {"amber": "Amber alone", "blue": "Blue alone"}
    assert "+291 s median warning over Amber alone and 2 s less than the better partner's" in sentence(told)
