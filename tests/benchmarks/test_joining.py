"""The benchmark of joining: the textbook's figures, the raid's scores, and what latency is measured of."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Iterator[SimpleNamespace]:
    names = (
        "calibration", "earth_objects", "reentries", "pair_filters", "textbook_pair", "raid_together",
        "raid_scores", "picture_latency", "joining",
    )  # fmt: skip
    sys.path.insert(0, str(HERE))
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in names}
    yield SimpleNamespace(**modules)
    sys.path.remove(str(HERE))
    for name in names:
        del sys.modules[name]


def test_the_textbooks_figures_are_stated_found_and_compared(
    parts: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.joining.main(["--part", "textbook", "--runs", "1"]) == 2
    assert "found 1" in capsys.readouterr().err
    assert parts.joining.main(["--part", "textbook", "--runs", "300", "--seed", "1"]) == 0
    lines = {line["method"]: line for line in map(json.loads, capsys.readouterr().out.splitlines()[:-1])}
    assert set(parts.textbook_pair.STATED) <= set(lines)
    for line in lines.values():
        assert {"rmse_over_central", "anees", "window"} <= set(line)
        # of 25 figures a few lie beyond two standard errors by chance, none beyond four
        assert all(abs(off) < 4.0 for off in line["off_in_standard_errors"].values()), line
    # tracklets of each scan lose nothing, neither at once nor after a cut; fewer of them do
    assert lines["equivalent measurement at every scan"]["apart_from_central"] < 1e-3
    assert lines["tracklets of each scan, kept and replayed"]["apart_from_central"] < 1e-6
    assert lines["tracklets at every 5 scans"]["rmse_over_central"] > 1.1
    assert lines["naive sum"]["anees"] > 2.5 > lines["central"]["anees"]


def test_a_raids_figures_are_of_what_both_pictures_hold(parts: SimpleNamespace) -> None:
    """Two pictures, of which one errs twice as much and lacks an object, of two seeds."""
    at = [(5.0 * k, o) for k in range(40) for o in (0, 1, 2)]
    central = [(t, o, 150e3, 100.0, 1.0, 6.0) for t, o in at]
    joint = [(t, o, 150e3, 400.0, 1.0, 6.0 + o) for t, o in at if o < 2]
    results = {
        seed: dict.fromkeys(("joint A", "alone A", "told A"), joint) | {"central": central} for seed in (1, 2)
    }
    lines = {(x["method"], x["window"]): x for x in parts.raid_scores.lines(results, 2, True)}
    line = lines["joint A, of 2 nodes", "before the cut"]
    assert line["rmse_over_central"] == 2.0 and line["as_wanted"] is False
    assert (line["object_times"], line["only_here"], line["only_central"]) == (160, 0, 80)
    assert line["anees"] == 6.5 and line["rmse_over_alone"] == 1.0
    assert line["above_100_km"]["object_times"] == 160 and line["below_100_km"]["anees"] is None
    assert lines["joint A, of 2 nodes", "inside"]["rmse_over_central"] is None


def test_a_report_is_in_the_partners_picture_and_in_any_order_the_same(parts: SimpleNamespace) -> None:
    room = parts.picture_latency
    line = room.latency(12, 1.0, 1)
    assert line["reports"] == 16 and 0.0 < line["p50_ms"] <= line["p99_ms"] <= line["worst_ms"]
    # a picture that is asked all along, with late reports, is to the bit that of one that is asked once
    made = list(room.reports(15, 6.0, 2))
    late = sorted(range(len(made)), key=lambda k: k + (0, 3, 40)[k % 3])
    often, now_ns = room.JointPicture(), 0
    for k in late:
        often.take(made[k])
        now_ns = max(now_ns, made[k].header.measured_ns)
        often.at(now_ns)
    for back_s in (0.0, 0.3, 2.5):
        at_ns = now_ns - round(back_s * 1e9)
        once = room.JointPicture()
        for report in made:
            once.take(report)
        assert said(often, at_ns) == said(once, at_ns)
        assert len(said(once, at_ns)) == 15


def said(picture: Any, time_ns: int) -> list[tuple[object, ...]]:
    """All that a picture says, comparable bit for bit."""
    told = []
    for t in picture.at(time_ns):
        values = msgspec.structs.asdict(t)
        told.append(tuple(v.tobytes() if hasattr(v, "tobytes") else v for v in values.values()))
    return told
