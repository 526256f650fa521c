"""Overload: a raid and a flood of clutter in one radar, offered in real time to a processor that is too slow.

In: a seed, the floods (times the radar's usual clutter) and how many times slower than the machine measured
below the processor is; out: one JSON line for each, with shedding and without.  The node is the product's
own.  The processor is simulated: what a sector costs follows from counts of the work that the node did for
it, so a line is the same on every machine.  The flood lasts 30 s; the lag is how long after its reception a
sector was begun.

A raid of missiles is tracked when the flood begins.  From then on it is counted how many plots those gave
that fall on zones, and how many of them their tracks used: `threatening`; and `others`, of those that fall on
none.  `alert_late_s` is the longest from the reception of a sector to the end of the work that let an alert
out.  `new` are missiles that rise in the flood, and how many of them are tracks a minute after it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import propagate
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal
from jointwatch.node.load import LoadMeter
from jointwatch.node.node import Node
from jointwatch.records import Alert, Header, Sector, Sensor, Zone
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.policy import Policy

NS = 1_000_000_000
FLOOD_S, END_S = (60.0, 90.0), 150.0
RAID, THREATENING, NEW = 60, 20, 6
NEAR_M, APART_DEG = 5e3, 0.4
PLOT_US, CHAIN_US, TRACK_US, SECTOR_US = 2.0, 5.0, 1500.0, 500.0
"""What a plot, a chain that is no track yet, a track brought up to date with its fall, and a sector cost:
from a fit to the wall clock of the machine of `docs/benchmarks.md`, rounded."""

RADAR = Sensor(
    name="one", partner="Amber", latitude_rad=math.radians(32.0), longitude_rad=math.radians(35.0),
    height_m=500.0, range_min_m=1e3, range_max_m=5e5, elevation_min_rad=math.radians(0.5),
    elevation_max_rad=math.radians(80.0), sigma_range_m=50.0, sigma_azimuth_rad=1e-3,
    sigma_elevation_rad=1e-3, sigma_range_rate_ms=5.0, period_s=4.0, sectors=8,
    detection=0.95, clutter_per_scan=400.0,
)  # fmt: skip
ROW = sensor_row(RADAR)


@dataclass
class Flight:
    """A missile on its coast, there from start_s on."""

    start_s: float
    state: NDArray[np.float64]
    threatens: bool
    gave: list[float] = field(default_factory=list)
    """When it gave plots."""

    def at(self, time_s: float) -> NDArray[np.float64]:
        state = self.state.copy()
        propagate(BALLISTIC, state, time_s - self.start_s)
        return state


def coast(rng: np.random.Generator) -> NDArray[np.float64]:
    """A missile high to the east that comes west, down some four minutes later."""
    latitude, longitude = (
        math.radians(32.0 + rng.uniform(-0.6, 0.6)),
        math.radians(38.6 + rng.uniform(-0.2, 0.2)),
    )
    course = math.radians(270.0 + rng.uniform(-12.0, 12.0))
    speed = rng.uniform(1300.0, 1500.0)
    wind = np.array([speed * math.sin(course), speed * math.cos(course), rng.uniform(850.0, 950.0)])
    place = geodetic2ecef(latitude, longitude, 120e3 + rng.uniform(-1e4, 1e4))
    return np.array([*place, *(enu_rotation(latitude, longitude).T @ wind), -8.4])


def fall_deg(state: NDArray[np.float64]) -> tuple[float, float]:
    """Latitude and longitude (degrees) of where a coast ends."""
    fall = ground_fall(state, np.diag([1.0] * 6 + [1e-4]))
    assert fall is not None
    return math.degrees(fall.latitude_rad), math.degrees(fall.longitude_rad)


def raid(rng: np.random.Generator) -> tuple[list[Flight], tuple[Zone, ...]]:
    """Missiles that fall on zones of their own, those that fall on none, and those that rise in the flood."""
    flights: list[Flight] = []
    zones: list[Zone] = []
    while len(flights) < THREATENING:
        state = coast(rng)
        latitude, longitude = fall_deg(state)
        n = len(flights)
        zones.append(
            Zone(
                key=f"z{n}", name=f"Zone {n}", partner="Amber", latitude_deg=latitude,
                longitude_deg=longitude, shelter_s=60.0, radius_m=2000.0,
            )
        )  # fmt: skip
        flights.append(Flight(float(rng.uniform(0.0, 10.0)), state, True))
    while len(flights) < RAID + NEW:
        state = coast(rng)
        latitude, longitude = fall_deg(state)
        if min(math.hypot(z.latitude_deg - latitude, z.longitude_deg - longitude) for z in zones) > APART_DEG:
            start_s = rng.uniform(0.0, 10.0) if len(flights) < RAID else rng.uniform(62.0, 72.0)
            flights.append(Flight(float(start_s), state, False))
    return flights, tuple(zones)


def sectors(rng: np.random.Generator, flights: list[Flight], flood: float) -> Iterator[Sector]:
    """Every sector of the radar, in real time; the clutter is `flood` times the usual in FLOOD_S."""
    edges = np.linspace(0.0, 2.0 * math.pi, RADAR.sectors + 1)
    sigmas = (
        RADAR.sigma_range_m,
        RADAR.sigma_azimuth_rad,
        RADAR.sigma_elevation_rad,
        RADAR.sigma_range_rate_ms,
    )
    for look in range(round(END_S / RADAR.period_s * RADAR.sectors)):
        time_s, k = look * RADAR.period_s / RADAR.sectors, look % RADAR.sectors
        factor = flood if FLOOD_S[0] <= time_s < FLOOD_S[1] else 1.0
        count = rng.poisson(factor * RADAR.clutter_per_scan / RADAR.sectors)
        low = [RADAR.range_min_m, edges[k], RADAR.elevation_min_rad, -1500.0]
        high = [RADAR.range_max_m, edges[k + 1], RADAR.elevation_max_rad, 1500.0]
        plots = [rng.uniform(low, high, (count, 4))]
        for flight in flights:
            if time_s < flight.start_s:
                continue
            seen = np.array(observe(ROW, *flight.at(time_s)[:6]))
            if in_wedge(seen[1], edges[k], edges[k + 1]) and rng.random() < detection_probability(
                ROW, seen[0], seen[2]
            ):
                plots.append((seen + np.array(sigmas) * rng.normal(size=4))[np.newaxis])
                flight.gave.append(time_s)
        columns = np.concatenate(plots).T.tolist()
        time_ns = round(time_s * NS)
        yield Sector(
            header=Header(originator="Amber", source="one", sequence=look + 1, measured_ns=time_ns),
            sensor="one", azimuth_from_rad=float(edges[k]),
            azimuth_to_rad=float(edges[k + 1]), received_ns=time_ns,
            range_m=tuple(columns[0]), azimuth_rad=tuple(columns[1]), elevation_rad=tuple(columns[2]),
            range_rate_ms=tuple(columns[3]),
        )  # fmt: skip


def work(node: Node, sector: Sector) -> tuple[int, int, int]:
    """Plots, chains and tracks that a node worked through for the sector it just took."""
    engine = node.tracker.engine
    chains = (
        sum(engine.chains_of(i) for i in range(len(engine.sensors))) if node.tracker.limit.plots != 0 else 0
    )
    now = sector.header.measured_ns
    return len(sector.range_m), chains, sum(t.seen_ns == now for t in node.picture)


def cost_s(counts: tuple[int, int, int]) -> float:
    """Seconds that the machine the constants were fitted on takes for a sector of so much work."""
    plots, chains, tracks = counts
    return 1e-6 * (SECTOR_US + PLOT_US * plots + CHAIN_US * chains + TRACK_US * tracks)


def tracked(node: Node, flights: list[Flight], time_s: float) -> list[str | None]:
    """The number of the track nearest to each flight, None where none is near."""
    out: list[str | None] = []
    places = {t.number: t.state[:3] for t in node.best.at(round(time_s * NS))}
    for flight in flights:
        at = flight.at(time_s)[:3]
        apart, number = min(
            ((float(np.linalg.norm(p - at)), n) for n, p in places.items()), default=(math.inf, "")
        )
        out.append(number if apart < NEAR_M else None)
    return out


def hits(node: Node, numbers: list[str | None]) -> list[int]:
    """Plots that the tracks of these numbers have used, nought for one that is no more."""
    own = {t.number: t.hits for t in node.picture}
    return [own.get(n, 0) if n is not None else 0 for n in numbers]


def play(seed: int, flood: float, slower: float, shed: bool) -> dict[str, Any]:
    """One raid: what a node made of it."""
    rng = np.random.default_rng(seed)
    flights, zones = raid(rng)
    config = NodeConfig(
        partner="Amber", name="overload", sensors=(RADAR,), zones=zones, policy=Policy(),
        territories={},
    )  # fmt: skip
    node = Node(config, Journal(None))
    meter = LoadMeter("Amber", "overload", RADAR.period_s, 0)
    elapsed_s, alert_late_s, limited, highest = 0.0, 0.0, 0, 0
    before: list[str | None] = []
    used: list[int] = []
    for sector in sectors(rng, flights, flood):
        due_s = sector.received_ns / NS
        if not before and due_s >= FLOOD_S[0]:
            before = tracked(node, flights, due_s)
            used = hits(node, before)
        elapsed_s = max(elapsed_s, due_s)
        limit = meter.measure(elapsed_s, sector.received_ns)
        if shed and limit is not None:
            node.step(limit, sector.received_ns)
        level = meter.load.level if shed else 0
        limited, highest = limited + (level > 0), max(highest, level)
        out = node.step(sector, sector.received_ns)
        elapsed_s += slower * cost_s(work(node, sector))
        if any(isinstance(o, Alert) and o.action in ("alert", "update") for o in out):
            alert_late_s = max(alert_late_s, elapsed_s - due_s)
    line: dict[str, Any] = {
        "case": "overload", "seed": seed, "flood": flood, "slower": slower, "shedding": shed,
        "lag_s_worst": round(meter.worst_s, 2), "alert_late_s": round(alert_late_s, 2),
        "limited_s": limited * RADAR.period_s / RADAR.sectors, "level_worst": highest,
        "tracks_before": sum(n is not None for n in before[:RAID]),
    }  # fmt: skip
    after = tracked(node, flights, END_S)
    line["tracks_kept"] = sum(n is not None and n == m for n, m in zip(before[:RAID], after, strict=False))
    line["false"] = len({t.number for t in node.picture} - set(after))
    gained = [late - early for late, early in zip(hits(node, before), used, strict=True)]
    for name, part in (("threatening", slice(0, THREATENING)), ("others", slice(THREATENING, RAID))):
        mine = [i for i in range(RAID)[part] if before[i] is not None]
        line[f"{name}_plots"] = sum(sum(t >= FLOOD_S[0] for t in flights[i].gave) for i in mine)
        line[f"{name}_used"] = sum(gained[i] for i in mine)
    line["new"], line["new_tracked"] = NEW, sum(n is not None for n in after[RAID:])
    return line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--floods", type=float, nargs="+", default=[1.0, 10.0, 100.0])
    parser.add_argument("--slower", type=float, nargs="+", default=[20.0, 40.0])
    options = parser.parse_args()
    for slower in options.slower:
        for flood in options.floods:
            for shed in (False, True):
                print(json.dumps(play(options.seed, flood, slower, shed)), flush=True)


if __name__ == "__main__":
    main()
