"""One node's tracker: sectors in, tracks out.

The loop is the textbook's: predict the tracks that may lie in the sector, gate its plots, associate, update,
let what is left begin new tracks, confirm and retire.  The kernels do it; this class holds their table and
turns rows into records.  A pure step over time: the same sectors in the same order give the same tracks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, BOOST
from jointwatch.records import Header, Sector, Sensor, SequenceRange, Track
from jointwatch.sensing.radar import ELEVATION_MAX, ELEVATION_MIN, RANGE_MAX, RANGE_MIN, sensor_row
from jointwatch.tracking.clutter import FAST_MS, clutter_density, learn_clutter, new_clutter_map
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.life import REASONS, retire
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.tentative import confirm, update_tentative

CAPACITY = 4096
BIRTHS_PER_SCAN = 0.02
"""Expected new objects a scan in a sensor's whole volume: the Poisson intensity a birth starts from."""
PARENT_M, PARENT_S, PARENT_MS = 5000.0, 60.0, 600.0
"""A track that appears this near to one tracked for so long is a part of it: of a salvo's missiles, one so
much older is long gone ahead.  No aircraft is so fast."""
REACH = 1.5
"""A plot farther than this many times its sensor's greatest range, or nearer than this part of its least,
is not one of its plots."""
NEAREST_M = 1.0
FASTEST_MS = 20e3
"""Nor is one that comes or goes faster than anything that could fall to Earth (m/s)."""
UPPER = np.triu_indices(7)


class Look(Struct, frozen=True):
    """What was looked at: the sensor's parameter row, the wedge (rad), the usable plots (m, 4) by range."""

    sensor: NDArray[np.float64]
    wedge: tuple[float, float]
    time_ns: int
    plots: NDArray[np.float64]


class Step(Struct, frozen=True):
    """What one sector changed: tracks brought up to date, newly confirmed, and ended (number, reason).

    look: what was looked at, None where the sector was refused.
    """

    updated: tuple[Track, ...]
    born: tuple[str, ...]
    ended: tuple[tuple[str, str], ...]
    look: Look | None


class Tracker:
    """The picture of one partner's own sensors."""

    def __init__(self, partner: str, sensors: Sequence[Sensor], capacity: int = CAPACITY) -> None:
        self.partner = partner
        self.table: NDArray[np.void] = new_table(capacity)
        self.sensors = {s.name: i for i, s in enumerate(sensors)}
        self._rows = [sensor_row(s) for s in sensors]
        self._clutter = [new_clutter_map(r) for r in self._rows]
        self._births = [_uniform_density(r, BIRTHS_PER_SCAN) for r in self._rows]
        self._next_number = 1
        self._next_plot = 0
        self._time_ns = -(2**62)
        self._sequence = 0
        self._last_look: dict[int, tuple[int, int, float, float]] = {}
        self._sources: dict[int, dict[str, tuple[int, int]]] = {}
        self.rejected: dict[str, int] = {}

    def process(self, sector: Sector) -> Step:
        """Take one sector in; sectors come in order of `measured_ns`.

        What cannot be used is counted in `rejected` by reason, and its good neighbours are used: a sector of
        an undeclared sensor, one older than the last or the last once more, one whose wedge is not finite or
        whose columns differ in length (it proves nothing about the volume either), and plots that are not
        finite or that no radar of this reach could give.
        """
        index = self.sensors.get(sector.sensor)
        if index is None:
            return self._reject("undeclared sensor", 1)
        now = sector.header.measured_ns
        if now < self._time_ns:
            return self._reject("late sector", 1)
        if not (math.isfinite(sector.azimuth_from_rad) and math.isfinite(sector.azimuth_to_rad)):
            return self._reject("wedge not finite", 1)
        columns = (sector.range_m, sector.azimuth_rad, sector.elevation_rad, sector.range_rate_ms)
        if len({len(c) for c in columns}) != 1:
            return self._reject("columns of unequal length", 1)
        look = (now, sector.header.sequence, sector.azimuth_from_rad, sector.azimuth_to_rad)
        if self._last_look.get(index) == look:
            return self._reject("repeated sector", 1)
        self._last_look[index] = look
        self._time_ns = now
        sensor = self._rows[index]
        plots, identity = self._plots(columns, sensor)
        density = clutter_density(self._clutter[index], sensor, plots)
        used = self._used()
        wedge = sector.azimuth_from_rad, sector.azimuth_to_rad
        claimed, touched = update_confirmed(self.table, used, sensor, *wedge, now, plots, identity, density)
        lost, used = update_tentative(
            self.table,
            used,
            sensor,
            index,
            *wedge,
            now,
            plots,
            identity,
            density,
            claimed,
            self._births[index],
        )
        if lost:
            self.rejected["no free row"] = self.rejected.get("no free row", 0) + lost
        learn_clutter(self._clutter[index], sensor, *wedge, plots, claimed)
        first_new = self._next_number
        self._next_number = confirm(self.table, used, first_new)
        ended = self._retire(used, now)
        updated, born = self._report(sector, touched, first_new)
        return Step(updated, born, tuple(ended), Look(sensor, wedge, now, plots))

    def _reject(self, reason: str, count: int) -> Step:
        self.rejected[reason] = self.rejected.get(reason, 0) + count
        return Step((), (), (), None)

    def _plots(
        self, columns: tuple[tuple[float, ...], ...], sensor: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Usable plots (m, 4) in order of range, and their identities."""
        plots = np.array(columns, dtype=np.float64).T.reshape(-1, 4)
        # a comparison with NaN is false, so a plot that is not finite is not good
        good: NDArray[np.bool_] = (
            (plots[:, 0] > max(sensor[RANGE_MIN] / REACH, NEAREST_M))
            & (plots[:, 0] < sensor[RANGE_MAX] * REACH)
            & np.isfinite(plots[:, 1])
            & (np.abs(plots[:, 2]) <= 0.5 * math.pi)
            & (np.abs(plots[:, 3]) < FASTEST_MS)
        )
        if not good.all():
            self._reject("plot not usable", int((~good).sum()))
        identity = self._next_plot + np.arange(len(plots))
        self._next_plot += len(plots)
        plots, identity = plots[good], identity[good]
        plots[:, 1] %= 2.0 * math.pi
        order = np.argsort(plots[:, 0], kind="stable")
        return np.ascontiguousarray(plots[order]), identity[order]

    def _used(self) -> int:
        """Rows in use: one more than the last that is not free."""
        busy = np.flatnonzero(self.table["life"])
        return int(busy[-1]) + 1 if len(busy) else 0

    def _retire(self, used: int, now: int) -> list[tuple[str, str]]:
        out = []
        for i, reason in retire(self.table, used, now):
            number = int(self.table[i]["number"])
            self._sources.pop(number, None)
            out.append((self.name(number), REASONS[reason]))
        # a row freed as the younger of two duplicates leaves no reason behind: it shows as gone here
        live = set(self.table["number"][:used][self.table["life"][:used] == CONFIRMED].tolist())
        for number in sorted(set(self._sources) - live):
            del self._sources[number]
            out.append((self.name(number), "merged with an older track"))
        return out

    def _report(
        self, sector: Sector, touched: NDArray[np.int64], first_new: int
    ) -> tuple[tuple[Track, ...], tuple[str, ...]]:
        """Records of the tracks that a sector brought up to date, and the numbers of those it confirmed."""
        now, source = sector.header.measured_ns, sector.sensor
        updated, born = [], []
        fresh = (
            np.flatnonzero((self.table["life"] == CONFIRMED) & (self.table["number"] >= first_new))
            if self._next_number > first_new
            else np.empty(0, np.int64)
        )
        for i in fresh:
            self.table[i]["parent"] = self._parent_of(int(i))
            born.append(self.name(int(self.table[i]["number"])))
        for i in sorted({*touched.tolist(), *fresh.tolist()}):
            row = self.table[i]
            if row["life"] != CONFIRMED:
                continue
            number = int(row["number"])
            sources = self._sources.setdefault(number, {})
            if row["seen_ns"] == now or source not in sources:
                first = sources.get(source, (sector.header.sequence,))[0]
                sources[source] = (first, sector.header.sequence)
            updated.append(self.record(int(i)))
        return tuple(updated), tuple(born)

    def _parent_of(self, i: int) -> int:
        """Number of the older ballistic track that a new one appeared beside, or 0: break-up and stages."""
        place = self.table[i]["mean"][BALLISTIC][:3]
        best, nearest = 0, PARENT_M
        for j in np.flatnonzero(self.table["life"] == CONFIRMED):
            row = self.table[j]
            older_s = (self.table[i]["first_ns"] - row["first_ns"]) * 1e-9
            if j == i or older_s < PARENT_S:
                continue
            # by speed, not by phase: what just broke up fits no phase for a look or two
            if np.linalg.norm(row["mean"][BALLISTIC][3:6]) < PARENT_MS:
                continue
            apart = float(np.linalg.norm(row["mean"][BALLISTIC][:3] - place))
            if apart < nearest:
                best, nearest = int(row["number"]), apart
        return best

    def name(self, number: int) -> str:
        """A track's number as people and partners see it."""
        return f"{self.partner.upper()}-{number:04d}"

    def record(self, i: int) -> Track:
        """Row i as a record, in its most probable phase; the drag parameter is the ballistic phase's."""
        row = self.table[i]
        k = int(np.argmax(row["phase"]))
        state, covariance = row["mean"][k].copy(), row["covariance"][k].copy()
        if k != BALLISTIC:
            state[6] = row["mean"][BALLISTIC][6]
            covariance[6, :], covariance[:, 6] = 0.0, 0.0
            covariance[6, 6] = row["covariance"][BALLISTIC][6, 6]
        number = int(row["number"])
        self._sequence += 1
        provenance = tuple(
            SequenceRange(s, first, last) for s, (first, last) in sorted(self._sources[number].items())
        )
        return Track(
            header=Header(
                originator=self.partner,
                source=self.partner,
                sequence=self._sequence,
                measured_ns=int(row["time_ns"]),
                provenance=provenance,
            ),
            number=self.name(number),
            existence=1.0 / (1.0 + math.exp(-float(row["log_odds"]))),
            phases=(float(row["phase"][0]), float(row["phase"][1]), float(row["phase"][2])),
            state=tuple(state.tolist()),
            covariance=tuple(covariance[UPPER].tolist()),
            thrust_ms2=float(row["mean"][BOOST][6]) if k == BOOST else 0.0,
            hits=int(row["hits"]),
            first_ns=int(row["first_ns"]),
            parent=self.name(int(row["parent"])) if row["parent"] else "",
        )


def _uniform_density(sensor: NDArray[np.float64], count: float) -> float:
    """Density in measurement space of `count` objects spread evenly over a sensor's volume."""
    span = sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN]
    return float(count / (sensor[RANGE_MAX] * 2.0 * math.pi * span * 2.0 * FAST_MS))
