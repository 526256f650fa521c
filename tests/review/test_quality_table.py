"""The table of a picture's quality: every figure with its unit, and none that was not measured."""

from __future__ import annotations

from typing import Any

from jointwatch.review.quality_table import NONE, ROWS, quality_rows

FIGURES: dict[str, Any] = {
    "nees_median": 5.04,
    "ospa2_m": 2370.3,
    "trajectory_gospa": {
        "distance_m": 1849.1, "localisation_m": 140.2, "missed_m": 1651.3, "false_m": 30.6,
        "switching_m": 27.0, "switches": 23.0,
    },
    "siap": {
        "completeness": 0.74, "ambiguity": 1.0025, "spuriousness": 0.0131, "position_error_m": 196.9,
        "velocity_error_ms": 11.44, "number_changes": 27, "number_change_rate_hz": 0.001716,
        "longest_segment": 0.5735,
    },
    "anees": {"value": 66.72, "low": 5.16, "high": 6.9, "objects": 61, "ideal": 6},
    "rmse_over_bound": {"position": 1.097, "velocity": 1.499, "objects": 56},
    "groups": {"stated": 1285, "largest": 5, "within": 0.9018, "more": 0.04, "fewer": 0.06},
}  # fmt: skip


def test_every_figure_is_shown_with_its_unit() -> None:
    rows = quality_rows({"pictures": {"joint": FIGURES}})
    assert [row["values"]["joint"] for row in rows] == [
        "74 %", "57 %", "27 (6.2/h)", "1.002", "1.3 %", "197 m", "11.4 m/s", "× 1.10", "× 1.50",
        "66.7 (5.2–6.9)", "5.0", "2,370 m", "1,849 m", "140 / 1,651 / 31 / 27", "90 % of 1,285",
    ]  # fmt: skip
    assert len(rows) == len(ROWS) and all(row["meaning"] for row in rows)


def test_what_one_picture_lacks_is_a_dash_and_what_all_lack_is_left_out() -> None:
    pictures = {"amber": {"ospa2_m": None, "siap": {}}, "joint": {"ospa2_m": 12.0, "anees": {"value": None}}}
    assert [(row["label"], row["values"]) for row in quality_rows({"pictures": pictures})] == [
        ("OSPA(2)", {"amber": NONE, "joint": "12 m"})
    ]
    # a summary from before there were such figures
    assert quality_rows({"pictures": {"joint": {"detected": 3}}}) == []
