"""What a class says of the drag: against a mixture worked out on a grid, and where it must say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from jointwatch.launch.ascent import VALUES, set_burn
from jointwatch.launch.drag_after import DRAG, drag_after, drags_seen, with_class
from jointwatch.launch.posterior import Posterior, rows
from jointwatch.launch.profiles import ANY, PROFILES, profile_named
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA

MEDIUM = profile_named("medium_range")
PRIOR = float(PRIOR_MEAN[BALLISTIC]), float(PRIOR_SIGMA[BALLISTIC])
CLASSES = {"short_range": 0.6, "medium_range": 0.3, "heavy_rocket": 0.1, ANY: 0.1}
DRAGS = {"short_range": (-9.6, 0.35), "heavy_rocket": (-9.4, 5.0)}
"""What a burn said of two of them, of one of them hardly anything."""


def track(drag: float, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """A state whose drag is so well known, and whose velocity goes with it."""
    root = np.diag([100.0, 100.0, 100.0, 5.0, 5.0, 5.0, sigma])
    root[3, 6], root[4, 6] = 3.0, -2.0
    state = np.array([4.4e6, 3.3e6, 3.3e6, -1000.0, 500.0, -800.0, drag])
    return state, root @ root.T


def test_the_prior_of_each_class_is_that_of_its_profiles_draws() -> None:
    rng = np.random.default_rng(5)
    for profile in (p for p in PROFILES if p.name not in (ANY, "space_launch")):
        logit = np.log(profile.load[0] / (1.0 - profile.load[0]))
        load = 1.0 / (1.0 + np.exp(-(logit + profile.load[1] * rng.standard_normal(20000))))
        drags = np.log(profile.drag[0]) + profile.drag[1] * rng.standard_normal(20000)
        drags -= profile.stages * np.log(1.0 - load)
        mean, sigma = drag_after(profile.name)
        assert mean == pytest.approx(drags.mean(), abs=0.05)
        assert sigma == pytest.approx(drags.std(), rel=0.05)


@pytest.mark.parametrize("seen", [None, (-9.5, 0.3), (-8.0, 0.4)])
def test_it_is_the_mixture_with_the_tracks_own_prior_taken_out(seen: tuple[float, float] | None) -> None:
    grid = np.linspace(-14.0, -3.0, 40001)

    def bell(mean: float, sigma: float) -> np.ndarray:
        return np.exp(-0.5 * ((grid - mean) / sigma) ** 2) / sigma

    shown = np.ones_like(grid) if seen is None else bell(*seen)
    of_track = shown * bell(*PRIOR)
    of_track /= of_track.sum()
    drag = float(of_track @ grid)
    sigma = float(np.sqrt(of_track @ (grid - drag) ** 2))
    said = {name: drag_after(name) for name in CLASSES} | DRAGS
    # what is vaguer than the common prior says nothing
    said = {name: drag if drag[1] <= PRIOR[1] else PRIOR for name, drag in said.items()}
    mixed = sum(share * bell(*said[name]) for name, share in CLASSES.items()) * shown
    mixed /= mixed.sum()
    state, covariance = with_class(*track(drag, sigma), CLASSES, DRAGS)
    assert state[DRAG] == pytest.approx(float(mixed @ grid), abs=5e-3)
    assert covariance[DRAG, DRAG] == pytest.approx(float(mixed @ (grid - state[DRAG]) ** 2), rel=0.02)
    # what goes with the drag goes with it still
    before_state, before = track(drag, sigma)
    slope = before[3, DRAG] / before[DRAG, DRAG]
    assert covariance[3, DRAG] / covariance[DRAG, DRAG] == pytest.approx(slope)
    assert state[3] - before_state[3] == pytest.approx(slope * (state[DRAG] - drag))
    assert np.linalg.eigvalsh(covariance).min() > 0.0


def test_a_drag_that_the_air_has_shown_stays_what_it_is() -> None:
    state, covariance = track(-9.9, 0.02)
    again, known = with_class(state, covariance, CLASSES, {})
    assert again[DRAG] == pytest.approx(-9.9, abs=0.01)
    assert known[DRAG, DRAG] == pytest.approx(0.02**2, rel=0.05)


def test_no_class_and_no_known_class_change_nothing() -> None:
    state, covariance = track(-8.7, 0.45)
    again, known = with_class(state, covariance, {}, {})
    assert again is state and known is covariance
    again, known = with_class(state, covariance, {ANY: 1.0}, {})
    assert again == pytest.approx(state)
    assert known == pytest.approx(covariance)


def test_a_burn_tells_how_much_mass_it_left() -> None:
    """Draws of one class whose load is known, of one that is not, and of one that is hardly there."""
    rng, names = np.random.default_rng(2), [p.name for p in PROFILES]
    kinds = np.repeat([names.index("medium_range"), names.index("short_range"), 0], [400, 400, 3])
    values = np.zeros((len(kinds), VALUES))
    for kind, value in zip(kinds, values, strict=True):
        z = rng.standard_normal(4)
        if names[kind] == "medium_range":
            z[1] = 0.5  # of the load's spread above its median
        assert set_burn(rows()[kind], z, value)
    even = np.full(len(kinds), 1.0 / len(kinds))
    seen = drags_seen(Posterior(np.zeros(2), 0, kinds, values, even, 0.0, 1.0))
    assert set(seen) == {"medium_range", "short_range"}
    assert seen["short_range"] == pytest.approx(drag_after("short_range"), abs=0.06)
    (load, spread), (drag, drag_spread) = MEDIUM.load, MEDIUM.drag
    known = 1.0 / (1.0 + np.exp(-(np.log(load / (1.0 - load)) + 0.5 * spread)))
    assert seen["medium_range"][0] == pytest.approx(np.log(drag / (1.0 - known)), abs=0.06)
    assert seen["medium_range"][1] == pytest.approx(drag_spread, rel=0.1)
    assert seen["medium_range"][1] < drag_after("medium_range")[1] - 0.1
