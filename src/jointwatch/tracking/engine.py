"""The engine of one picture: looks in, a table of Bernoulli components out.

The multi-target posterior is Poisson multi-Bernoulli (Williams 2015; Garcia-Fernandez et al. 2018): what has
never been detected is an intensity, each row of the table an object that exists with some probability, moving
in one of a bank of motions.  One look is the textbook's: predict the rows that may lie in the wedge, gate its
plots, associate by marginals, update, let what no row claims begin and continue chains, confirm and retire.
The engine knows no records and no clock; `tracking.tracker` gives it sectors and turns rows into tracks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.sensing.radar import (
    COMPONENT,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RATE,
    RANGE_MAX,
    UPWARD,
    measures,
)
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.clutter import FAST_MS, clutter_density, learn_clutter, new_clutter_map
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.duplicates import merge_duplicates
from jointwatch.tracking.life import retire
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.tentative import confirm, update_tentative

CAPACITY = 4096
BIRTHS_PER_SCAN = 0.02
"""Expected new objects a scan in a sensor's whole volume: the Poisson intensity a birth starts from."""


class Looked(Struct, frozen=True):
    """What one look changed: rows touched, rows of tracks that ended and why, plots that found no row."""

    touched: NDArray[np.int64]
    ended: NDArray[np.int64]
    lost: int


class Engine:
    """The table of one picture, and what is learned of each of its sensors."""

    def __init__(
        self,
        sensors: Sequence[NDArray[np.float64]],
        capacity: int = CAPACITY,
        bank: NDArray[np.float64] = FLIGHT,
        rules: Rules | None = None,
    ) -> None:
        self.table: NDArray[np.void] = new_table(capacity)
        self.sensors = list(sensors)
        self.bank = bank
        self.rules = (Rules() if rules is None else rules).row()
        self.clutter = [new_clutter_map(s) for s in sensors]
        self.next_number = 1
        self._births = [_uniform_density(s, BIRTHS_PER_SCAN) for s in sensors]

    def look(
        self,
        index: int,
        wedge: tuple[float, float],
        time_ns: int,
        plots: NDArray[np.float64],
        identity: NDArray[np.int64],
    ) -> Looked:
        """Take one look of sensor `index` at a wedge (rad): plots (m, PLOT) in order of their first value.

        Looks come in order of time; identity (m,) tells plots apart for good.
        """
        sensor, cells = self.sensors[index], self.clutter[index]
        density = clutter_density(cells, sensor, plots)
        birth = np.full(len(plots), self._births[index])
        if measures(sensor, UPWARD):  # per steradian
            birth /= np.maximum(np.cos(plots[:, 2]), 1e-3)
        used = self.used()
        claimed, touched, seen, gave = update_confirmed(
            self.table, used, self.bank, self.rules, sensor, *wedge, time_ns, plots, identity, density
        )
        merge_duplicates(self.table, touched, seen, gave, self.rules)
        lost, used = update_tentative(
            self.table,
            used,
            self.bank,
            sensor,
            index,
            *wedge,
            time_ns,
            plots,
            identity,
            density,
            claimed,
            birth,
        )
        learn_clutter(cells, sensor, *wedge, plots, claimed)
        self.next_number = confirm(self.table, used, self.rules, self.next_number)
        ended = retire(self.table, used, self.bank, self.rules, time_ns)
        return Looked(touched, ended, lost)

    def used(self) -> int:
        """Rows in use: one more than the last that is not free."""
        busy = np.flatnonzero(self.table["life"])
        return int(busy[-1]) + 1 if len(busy) else 0

    def confirmed(self) -> NDArray[np.int64]:
        """Indices of the rows that are tracks."""
        return np.flatnonzero(self.table["life"] == CONFIRMED)

    def estimates(
        self, least_existence: float = 0.5
    ) -> list[tuple[int, float, NDArray[np.float64], NDArray[np.float64]]]:
        """Number, existence, mean (7,) and covariance (7, 7) in its most probable motion, of each track."""
        out = []
        for i in self.confirmed():
            row = self.table[i]
            existence = 1.0 / (1.0 + np.exp(-row["log_odds"]))
            if existence >= least_existence:
                k = int(np.argmax(row["phase"]))
                out.append(
                    (int(row["number"]), float(existence), row["mean"][k].copy(), row["covariance"][k].copy())
                )
        return out


def in_order(plots: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order in which the kernels want plots (m, PLOT): by their first value."""
    return np.argsort(plots[:, 0], kind="stable")


def _uniform_density(sensor: NDArray[np.float64], count: float) -> float:
    """Density in measurement space of `count` objects spread evenly over a sensor's volume."""
    if int(sensor[COMPONENT]) > IN_RATE:
        return float(count / (2.0 * sensor[RANGE_MAX]) ** sensor[DIMENSION])
    density = count / (sensor[RANGE_MAX] * 2.0 * np.pi)
    if measures(sensor, UPWARD):
        density /= sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN]
    if measures(sensor, IN_RATE):
        density /= 2.0 * FAST_MS
    return float(density)
