"""Mean sea level over the ellipsoid: what lies between a height on a map and one in an equation of motion.

In: latitude and longitude, rad.  Out: height (m) of the geoid over the WGS-84 ellipsoid, by EGM96 on a grid
of one degree (scripts/make_geoid.py), straight between its points: off by half a metre in the root mean
square from the model's own grid of a quarter of a degree, by a few metres at trenches.
Reference: Lemoine et al. 1998, "The development of the joint NASA GSFC and NIMA geopotential model EGM96".
"""

from __future__ import annotations

import gzip
import math
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray


@cache
def _grid() -> NDArray[np.float64]:
    """(181, 361) heights (m) from 90 S to 90 N and from 0 to 360 E."""
    data = (files("jointwatch.earth") / "data" / "geoid.json.gz").read_bytes()
    heights = np.array(msgspec.json.decode(gzip.decompress(data))["heights"], dtype=np.float64)[::-1] / 10.0
    return np.hstack([heights, heights[:, :1]])


def geoid_height(latitude_rad: float, longitude_rad: float) -> float:
    """Height (m) of mean sea level over the ellipsoid at a place (rad)."""
    grid = _grid()
    y = min(max(math.degrees(latitude_rad) + 90.0, 0.0), 180.0)
    x = math.degrees(longitude_rad) % 360.0
    i, j = min(int(y), 179), min(int(x), 359)
    u, v = y - i, x - j
    south = (1.0 - v) * grid[i, j] + v * grid[i, j + 1]
    north = (1.0 - v) * grid[i + 1, j] + v * grid[i + 1, j + 1]
    return float((1.0 - u) * south + u * north)
