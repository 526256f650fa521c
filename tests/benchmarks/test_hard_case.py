"""The hard case: what its input holds, how runs are scored, and that ours follows it."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    path = Path(__file__).parents[2] / "benchmarks" / "hard_case.py"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("hard_case", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hard_case"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["hard_case"]
    sys.path.remove(str(path.parent))


def test_forty_missiles_fall_freely_in_salvos_that_meet(bench: ModuleType) -> None:
    data = bench.hard_input(1)
    assert data.truth.shape == (40, 40, 6)
    fallen = data.truth[1:, :, 3:] - data.truth[:-1, :, 3:]
    assert fallen == pytest.approx(np.broadcast_to([0.0, 0.0, -9.80665], fallen.shape), abs=1e-6)
    place = data.truth[..., :3].reshape(40, 4, 2, 5, 3)
    salvo = place.mean(axis=3)
    apart = np.linalg.norm(salvo[:, :, 0] - salvo[:, :, 1], axis=-1)
    assert (apart[19:21] < 5000.0).all()  # both salvos of each place are there in the middle
    assert (apart[[0, -1]] > apart[19]).all()
    for members in place[20].reshape(8, 5, 3):
        others = np.linalg.norm(members[:, None] - members, axis=-1) + 1e9 * np.eye(5)
        assert 250.0 < others.min() and others.min(axis=1).max() < 1100.0


def test_plots_are_as_many_and_as_good_as_stated(bench: ModuleType) -> None:
    data = bench.hard_input(2)
    counts = np.bincount(data.scan)
    assert counts.mean() == pytest.approx(500.0 + 0.7 * 40.0, rel=0.02)
    scan = np.flatnonzero(data.scan == 20)
    true = bench.seen_from_origin(data.truth[20, :, :3])
    off = (data.z[scan][:, None] - true[None]) / data.sigma
    near = np.sort(np.einsum("mni,mni->mn", off, off).min(axis=0))
    assert 20 <= (near < 16.0).sum()
    inside = (data.z > data.clutter_lo).all(axis=1) & (data.z < data.clutter_hi).all(axis=1)
    assert inside.mean() > 0.999


def test_an_input_is_read_from_its_file_as_it_was(bench: ModuleType, tmp_path: Path) -> None:
    data = bench.hard_input(3, scans=4)
    fields = {k: getattr(data, k) for k in data.__dataclass_fields__ if k != "name"}
    np.savez(tmp_path / "n40.npz", **fields)
    again = bench.read_input(tmp_path / "n40.npz")
    assert again.name == "n40" and again.pd == 0.7
    assert np.array_equal(again.truth, data.truth) and np.array_equal(again.z, data.z)


def test_scores_of_the_truth_itself_are_perfect_and_of_nothing_are_all_missed(bench: ModuleType) -> None:
    data = bench.hard_input(1, scans=4)
    perfect = bench.Estimates([list(range(40))] * 4, [t[:, :3] for t in data.truth], [0.01] * 4)
    found = bench.scores(data, perfect)
    assert found["gospa_5000"] == found["gospa_500"] == found["rmse_500"] == found["swaps"] == 0.0
    nothing = bench.Estimates([[]] * 4, [np.empty((0, 3))] * 4, [0.01] * 4)
    found = bench.scores(data, nothing)
    assert found["gospa_500"] == pytest.approx(math.sqrt(40 * 500.0**2 / 2.0))
    assert found["missed_500"] == 40.0 and found["false_500"] == 0.0


def test_a_swap_is_another_track_and_an_exchange_one_that_was_anothers(bench: ModuleType) -> None:
    assert bench.swaps_of([{0: "a", 1: "b"}, {0: "b", 1: "a"}]) == (2, 2)
    assert bench.swaps_of([{0: "a"}, {}, {0: "c"}]) == (1, 0)  # lost, and found anew
    assert bench.swaps_of([{0: "a"}, {}, {0: "a"}]) == (0, 0)


def test_ours_holds_most_of_the_hard_case_in_the_end(bench: ModuleType) -> None:
    data = bench.hard_input(1)
    said = bench.ours(data)
    found = bench.scores(data, said, 30)
    assert len(said.where) == 40
    assert found["missed_5000"] < 15.0  # of 40: a tracker that is lost holds none
    assert found["false_5000"] < 3.0


def test_means_are_ordered_by_the_strict_distance(bench: ModuleType) -> None:
    lines = [
        {"tracker": t, "gospa_500": g, "swaps": 1.0}
        for t, g in (("x", 3.0), ("y", 1.0), ("x", 5.0), ("y", 1.0))
    ]
    first, second = bench.mean_lines(lines)
    assert (first["tracker"], first["gospa_500"], first["mean_of"]) == ("y", 1.0, 2)
    assert (second["tracker"], second["gospa_500"], second["gospa_500_se"]) == ("x", 4.0, 1.0)


def test_with_every_origin_known_nothing_is_missed_for_long_and_neighbours_still_swap(
    bench: ModuleType,
) -> None:
    """What the origins say is what was seen; and swaps are counted that are none, for every tracker alike."""
    data = bench.hard_input(2)
    for target in (0, 17, 39):
        own = data.origin == target
        true = bench.seen_from_origin(data.truth[data.scan[own], target, :3])
        assert np.abs((data.z[own] - true) / data.sigma).max() < 5.0
    found = bench.scores(data, bench.known(data), 12)
    assert found["missed_5000"] < 1.0 and found["false_5000"] < 1.0
    assert found["swaps"] > 0
