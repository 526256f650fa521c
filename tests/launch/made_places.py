"""Territories of which a test knows by itself what lies where: two with a meridian between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Meridian:
    """West of a meridian lies one territory, east of it another, within half a turn."""

    def __init__(self, west: str, east: str, border_deg: float, disputed: tuple[str, ...] = ()) -> None:
        self.names = (west, east) if west != east else (west,)
        self.border_deg, self.disputed = border_deg, frozenset(disputed)

    def territory_at(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike, /) -> NDArray[np.int64]:
        east = (np.asarray(longitude_deg) - self.border_deg) % 360.0 < 180.0
        return np.where(east & (len(self.names) > 1), 1, 0)

    def territory_of_box(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float, /
    ) -> int | None:
        corners = self.territory_at([west_deg, east_deg], [south_deg, north_deg]).tolist()
        crossed = any(
            (west_deg - b) % 360.0 > (east_deg - b) % 360.0
            for b in (self.border_deg, self.border_deg + 180.0)
        )
        return None if crossed or corners[0] != corners[1] else corners[0]
