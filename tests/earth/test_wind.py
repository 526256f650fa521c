"""The usual wind by height: even and continuous, strongest in the jet, and there is always some."""

from __future__ import annotations

import numpy as np

from jointwatch.earth.wind import wind_rms


def test_it_is_strongest_in_the_jet_and_weak_at_the_ground() -> None:
    heights = np.linspace(-500.0, 60e3, 2000)
    winds = np.array([wind_rms(h) for h in heights])
    assert 10e3 < heights[winds.argmax()] < 14e3
    assert 15.0 < winds.max() < 25.0
    assert winds.min() == wind_rms(0.0) < 5.0


def test_it_changes_with_no_step_and_is_even_beyond_its_levels() -> None:
    heights = np.arange(-1000.0, 60e3, 1.0)
    winds = np.array([wind_rms(h) for h in heights])
    assert np.abs(np.diff(winds)).max() < 0.01
    assert wind_rms(1e6) == wind_rms(25e3)
    assert wind_rms(-1e4) == wind_rms(0.0)
