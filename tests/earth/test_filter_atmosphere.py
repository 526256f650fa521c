"""The filter's air: what it says of density, and that it is smooth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.earth.atmosphere import density_exponential, density_scale_height


@pytest.mark.parametrize(
    ("height_km", "density"),  # US Standard Atmosphere 1976, at heights between the fit's own nodes
    [
        (2, 1.0066),
        (8, 0.52579),
        (12, 0.31194),
        (22, 6.4510e-2),
        (35, 8.4634e-3),
        (55, 5.6810e-4),
        (75, 3.9921e-5),
    ],
)
def test_density_is_within_six_percent_of_the_standard(height_km, density):
    assert density_exponential(1000.0 * height_km) == pytest.approx(density, rel=0.06)


def test_density_and_its_slope_have_no_steps():
    heights = np.arange(0.0, 210e3, 5000.0)
    for h in heights:
        assert density_exponential(h - 1e-3) == pytest.approx(density_exponential(h + 1e-3), rel=1e-6)
        assert density_scale_height(h - 1e-3) == pytest.approx(density_scale_height(h + 1e-3), rel=1e-6)


def test_scale_height_is_the_slope_of_density():
    for h in np.linspace(-500.0, 300e3, 400):
        step = math.log(density_exponential(h + 1.0) / density_exponential(h - 1.0)) / 2.0
        assert -1.0 / step == pytest.approx(density_scale_height(h), rel=1e-6)


def test_air_always_thins_with_height():
    heights = np.linspace(-1000.0, 400e3, 2000)
    density = np.array([density_exponential(h) for h in heights])
    assert (np.diff(density) < 0.0).all()
    scale = np.array([density_scale_height(h) for h in heights])
    assert scale.min() > 5000.0 and scale.max() < 31000.0
    assert density_exponential(1.0e6) < 1e-15
