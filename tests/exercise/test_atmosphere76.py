"""The truth's air is the US Standard Atmosphere 1976: its published tables."""

from __future__ import annotations

import pytest

from jointwatch.exercise.atmosphere76 import jet_wind, standard_atmosphere


@pytest.mark.parametrize(
    ("height_m", "density", "pressure", "sound"),
    [  # NOAA-S/T 76-1562, table I (geometric height)
        (0.0, 1.2250, 101325.0, 340.29),
        (5000.0, 7.3643e-1, 54048.0, 320.55),
        (11000.0, 3.6480e-1, 22700.0, 295.15),
        (20000.0, 8.8910e-2, 5529.3, 295.07),
        (30000.0, 1.8410e-2, 1197.0, 301.71),
        (50000.0, 1.0269e-3, 79.779, 329.80),
        (70000.0, 8.2829e-5, 5.2209, 297.06),
    ],
)
def test_the_standards_tables_are_met(height_m, density, pressure, sound):
    d, p, s = standard_atmosphere(height_m)
    assert d == pytest.approx(density, rel=2e-3)
    assert p == pytest.approx(pressure, rel=2e-3)
    assert s == pytest.approx(sound, rel=1e-3)


def test_density_falls_without_a_step_through_86_km():
    below, above = standard_atmosphere(85999.0)[0], standard_atmosphere(86001.0)[0]
    assert above < below and above == pytest.approx(below, rel=0.01)
    assert standard_atmosphere(100e3)[0] == pytest.approx(5.604e-7, rel=1e-3)
    assert standard_atmosphere(400e3)[0] < standard_atmosphere(300e3)[0]


def test_the_jet_blows_at_eleven_kilometres():
    assert jet_wind(11e3) == 25.0
    assert jet_wind(0.0) < 3.0 and jet_wind(40e3) < 0.01
