"""Mean sea level over the ellipsoid, against EGM96's own finer grid, and over poles and seams."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path

import numpy as np
import pytest

from jointwatch.earth.geoid import geoid_height

DATA = Path(os.environ["JOINTWATCH_DATA"]) if "JOINTWATCH_DATA" in os.environ else None


@pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (the geoid's fine grid) is not set")
def test_it_is_egm96_to_half_a_metre() -> None:
    assert DATA is not None
    packed = (DATA / "geoid" / "egm96_15min_int16be.bin.gz").read_bytes()
    fine = np.frombuffer(gzip.decompress(packed), ">i2").reshape(721, 1440) / 100.0
    rng = np.random.default_rng(1)
    rows = np.degrees(np.arccos(rng.uniform(-1.0, 1.0, 4000))) / 0.25
    off = [
        geoid_height(math.radians(90.0 - i * 0.25), math.radians(j * 0.25)) - fine[i, j]
        for i, j in zip(rows.astype(int), rng.integers(0, 1440, 4000), strict=True)
    ]
    assert np.sqrt(np.mean(np.square(off))) < 0.6
    assert np.quantile(np.abs(off), 0.99) < 2.5


def test_known_places() -> None:
    assert geoid_height(0.0, 0.0) == pytest.approx(17.16, abs=0.1)
    # the deepest hollow, south of India, and the highest swell, at New Guinea
    assert geoid_height(math.radians(4.75), math.radians(78.75)) == pytest.approx(-107.0, abs=1.0)
    assert geoid_height(math.radians(-8.25), math.radians(147.25)) == pytest.approx(85.4, abs=6.0)


def test_it_has_no_seams() -> None:
    for latitude in (-1.5, -0.3, 0.0, 0.4, 1.5):
        for meridian in (-math.pi, 0.0, math.pi, 2.0 * math.pi):
            west, east = (geoid_height(latitude, meridian + d) for d in (-1e-9, 1e-9))
            assert west == pytest.approx(east, abs=1e-5)
    for pole in (-math.pi / 2.0, math.pi / 2.0):
        heights = [geoid_height(pole, longitude) for longitude in np.linspace(-3.0, 3.0, 7)]
        assert np.ptp(heights) < 0.2
