"""The benchmark of launches: its scores and its bound are right where the answer is known."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from jointwatch.earth.frames import SEMI_MAJOR_M
from jointwatch.exercise.launches import Draws, starts
from jointwatch.exercise.physics import AREA, DRAG_SCALE, drag_coefficient
from jointwatch.launch.area import region_of
from jointwatch.launch.posterior import Posterior, places_of, posterior
from jointwatch.launch.profiles import profile_named

HERE = Path(__file__).parents[2] / "benchmarks"
PLACE = np.radians([34.0, 48.0])


@pytest.fixture(scope="module")
def parts() -> Iterator[SimpleNamespace]:
    names = "burn_truths", "burn_scores", "burn_reference", "near_borders", "radar_truths", "launch"
    sys.path.insert(0, str(HERE))
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in names}
    yield SimpleNamespace(**modules)
    sys.path.remove(str(HERE))
    for name in names:
        del sys.modules[name]


def known(mean: np.ndarray, root: np.ndarray, n: int, rng: np.random.Generator) -> Posterior:
    """A posterior that is a Gaussian of covariance root root'."""
    values = mean + rng.standard_normal((n, 8)) @ root.T
    return Posterior(PLACE, 0, np.zeros(n, np.int64), values, np.full(n, 1.0 / n), 0.0, 1.0)


def test_the_bound_of_a_linear_problem_is_its_posteriors_covariance(parts: SimpleNamespace) -> None:
    design = np.random.default_rng(1).standard_normal((20, 3)) * np.array([1.0, 1e-3, 50.0])
    found = parts.burn_scores.information(lambda x: design @ x, np.zeros(3), np.array([0.1, 50.0, 1e-3]))
    np.testing.assert_allclose(found, design.T @ design, rtol=1e-8)


def test_an_honest_gaussian_holds_what_it_claims_and_one_too_sure_does_not(parts: SimpleNamespace) -> None:
    """Linear and Gaussian: truth and draws come from one distribution."""
    rng = np.random.default_rng(2)
    root = np.diag([3e3, 2e3, 2.0, 0.1, 3.0, 0.1, 1.0, 1.0])
    root[1, 0], root[3, 0], root[4, 2] = 1e3, 0.08, 2.0
    scores, sure = [], []
    for _ in range(600):
        truth, mean = root @ rng.standard_normal(8), np.array([0.0, 0.0, -30.0, 3.1, 40.0, 0.0, 0.0, 0.0])
        at = mean + truth
        true = parts.burn_scores.Truth(
            PLACE[0] + at[1] / SEMI_MAJOR_M, PLACE[1] + at[0] / (SEMI_MAJOR_M * math.cos(PLACE[0])),
            at[2], at[3], at[4],
        )  # fmt: skip
        scores.append(parts.burn_scores.score(known(mean, root, 300, rng), true))
        sure.append(parts.burn_scores.score(known(mean, 0.7 * root, 300, rng), true))
    told = parts.burn_scores.summary(scores)
    for name in ("coverage", "time", "azimuth", "end"):
        assert told[f"{name}_90"] == pytest.approx(0.9, abs=0.04), name
        assert told[f"{name}_50"] == pytest.approx(0.5, abs=0.07), name
    area = math.pi * parts.burn_scores.CHI2_90 * 3e3 * 2e3 / 1e6
    assert told["area_km2"] == pytest.approx(area, rel=0.05)
    assert told["rms_km"] == pytest.approx(math.sqrt(9.0 + 4.0 + 1.0), rel=0.08)
    assert parts.burn_scores.summary(sure)["coverage_90"] < 0.8
    # the entropy of a Gaussian of three dimensions, less what a density made of 300 draws loses
    entropy = 1.5 * math.log(2.0 * math.pi * math.e) + math.log(np.prod(np.diag(root)[[0, 1, 3]]))
    assert -entropy - 0.6 < told["log_score"] < -entropy + 0.15
    assert parts.burn_scores.summary(sure)["log_score"] < told["log_score"]


def test_the_area_told_is_the_one_that_is_scored_where_the_floor_does_not_matter(
    parts: SimpleNamespace,
) -> None:
    rng = np.random.default_rng(3)
    root = np.diag([2e4, 1e4, 1.0, 0.1, 1.0, 0.1, 1.0, 1.0])
    posterior = known(np.zeros(8), root, 400, rng)
    region = region_of(*places_of(posterior), posterior.weight)
    truth = parts.burn_scores.Truth(PLACE[0], PLACE[1], 0.0, 0.0, 0.0)
    area = parts.burn_scores.score(posterior, truth).area_m2
    assert region is not None
    assert area == pytest.approx(math.pi * region.semi_major_m * region.semi_minor_m, rel=0.03)


def test_the_density_goes_round_with_the_azimuth(parts: SimpleNamespace) -> None:
    rng = np.random.default_rng(4)
    draws = rng.standard_normal((300, 3)) * np.array([1e3, 1e3, 0.1])
    weight, at = np.full(300, 1.0 / 300), np.array([[0.0, 0.0, 0.02], [500.0, 0.0, 0.1]])
    here = parts.burn_scores.log_density(draws, weight, at)
    assert parts.burn_scores.log_density(
        draws, weight, at + np.array([0.0, 0.0, 2.0 * math.pi])
    ) == pytest.approx(here, abs=1e-6)


def test_what_is_too_sure_is_below_another_by_the_scores_at_each_draw(parts: SimpleNamespace) -> None:
    rng, room = np.random.default_rng(8), parts.burn_scores
    root = np.diag([3e3, 2e3, 2.0, 0.1, 3.0, 0.1, 1.0, 1.0])
    mean = np.array([0.0, 0.0, 0.0, 3.1, 40.0, 0.0, 0.0, 0.0])
    one, another, draws = (known(mean, root, 300, rng) for _ in range(3))
    sure = known(mean, 0.7 * root, 300, rng)
    at = zip(*places_of(draws), draws.values[:40], strict=False)
    truths = [room.Truth(latitude, longitude, v[2], v[3], v[4]) for latitude, longitude, v in at]
    less = [room.score(another, t).log_density - room.score(sure, t).log_density for t in truths]
    assert room.below(sure, another, draws, 0, 40) == pytest.approx(np.mean(less), abs=1e-9)
    assert room.below(sure, another, draws, 0, 300) > 0.05 > abs(room.below(one, another, draws, 0, 300))
    assert room.below(sure, another, draws, 1, 40) is None


def test_looks_are_of_what_burns_above_the_clouds_and_end_after_two_in_vain(parts: SimpleNamespace) -> None:
    truths = parts.burn_truths
    burn = truths.stated("medium_range", (0.6, 0.8), np.random.default_rng(5))
    seen = truths.seen(burn, truths.SETS["stereo"], np.random.default_rng(6))
    rows = seen.rows
    plots = rows[:, parts.burn_scores.SEEN] > 0.0
    assert plots.sum() == seen.plots > 4
    assert (~plots[np.flatnonzero(plots)[-1] :]).sum() == 2 * truths.LATER_MISSES
    times = rows[:, parts.burn_scores.AT] + seen.epoch_s
    assert (np.diff(times) >= 0.0).all() and 0.0 <= times[plots].min() and times[plots].max() <= burn.end_s()
    # the noise is the sensor's, and the direction without it is not told
    off = (rows[plots][:, 4:7] - seen.exact[plots][:, 4:7]) / truths.SIGMA_RAD
    assert 0.6 < math.sqrt((off**2).sum(axis=1).mean() / 2.0) < 1.5


def test_a_burn_unlike_its_classs_median_is_not_given_up_for_a_fit_that_lies_wrong(
    parts: SimpleNamespace,
) -> None:
    """Stages burn twice as long as the median's here: the right fit begins far worse than one that goes a
    wrong way (plots were 2.5 standard deviations off what it was led to)."""
    kind, truths = "medium_range_two_stage", parts.burn_truths
    rng = np.random.default_rng([404, 11, *b"stated", *kind.encode()])
    burn = truths.stated(kind, truths.anywhere(rng), rng)
    seen = truths.seen(burn, truths.SETS["mono"], rng)
    assert 0.5 < posterior(seen.rows, 0).misfit < 1.7


def test_places_near_a_border_are_near_it_on_either_side(parts: SimpleNamespace) -> None:
    room = parts.near_borders
    scenario = room.load_scenario(room.SHIPPED)
    places = room.load_territories({t.name: tuple(t.countries) for t in scenario.territories})
    line_of = room.border(places, "Garnet", "Ochre")
    rng = np.random.default_rng(7)
    at = np.degrees([room.near(line_of, rng) for _ in range(40)])
    names = places.answers_at(at[:, 1], at[:, 0])
    assert {"Garnet", "Ochre"} <= set(names)
    assert sum(name in ("Garnet", "Ochre") for name in names) > 35


def test_a_single_launch_is_refused_and_a_case_is_one_json_line_a_class(
    parts: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.launch.main(["--launches", "1"]) == 2
    assert "found 1" in capsys.readouterr().err
    assert parts.launch.main(["--case", "rockets", "--sensors", "mono", "--launches", "4"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["class"] for line in found] == list(parts.launch.ROCKETS)
    assert {*parts.launch.RESULTS, "case", "sensors", "class", "n", "misses", "ms"} <= set(found[0])


def test_the_reference_is_another_way_to_the_same_posterior(
    parts: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "--case reference --sensors mono --class medium_range --launches 2 --sweeps 300".split()
    assert parts.launch.main(asked) == 0
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["n"] == 2 and line["halves_apart"] < 1.0
    assert line["area_km2"] == pytest.approx(line["reference"]["area_km2"], rel=0.4)
    assert abs(line["below_reference_expected"]) < 0.3


@pytest.mark.parametrize("case", ["stated", "designs"])
def test_a_radar_alone_tells_of_launches_twice_and_places_them(parts: SimpleNamespace, case: str) -> None:
    told, later = parts.radar_truths.summaries(case, "heavy_rocket", 4, 1)
    assert (told["when"], later["when"]) == ("told", "later")
    assert told["n"] + told["misses"] == later["n"] + later["misses"] == 4
    assert told["n"] >= later["n"] >= 3
    for line in (told, later):
        assert 0.0 < line["rms_km"] < 3.0 and 0.01 < line["area_km2_median"] < 5.0


def test_bodies_that_drag_as_stated_drag_so(parts: SimpleNamespace) -> None:
    """At launch, by the parameters that the exercise flies them with."""
    truths, rng = parts.burn_truths, np.random.default_rng(3)
    for name in ("heavy_rocket", "short_range", "medium_range", "medium_range_two_stage"):
        kind = truths.dragging_as_stated(name, truths.design(name, rng), 1.5)
        control = np.array([sum(kind.control_range) / 2.0])
        one = np.ones(1)
        begin, rows = starts(kind, Draws(one, one, one, 0.0, 0.0), *PLACE[:, None], one, control)
        area = rows[0, AREA] * rows[0, DRAG_SCALE]
        median, spread = profile_named(name).drag
        at_launch = area * drag_coefficient(2.0) / begin[0, 6]
        assert at_launch == pytest.approx(median * math.exp(1.5 * spread), rel=1e-3)
