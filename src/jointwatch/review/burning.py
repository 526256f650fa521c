"""Which burn that a node told of was which launched object, and what a picture's burns come to in figures.

In: a `Recording` and one of its pictures; out: a `Burned`.  The burns of one node are assigned to what was
launched one to one, by where and when the last report of each says that it was, within a gate.  Of the
others, one that lies within the gate of a launch is that launch told twice (a *double*), and one that lies
within the gate of none is a *false launch*.  Linked nodes number their burns apart, each follows every
launch, and so each is matched by itself; figures of a picture count what two nodes both told of once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from jointwatch.earth.frames import ecef2geodetic, geodetic2ecef
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import LaunchReport

GATE_M, GATE_S = 50e3, 60.0
"""A burn and a launch farther apart than either, in place or in time, are not the same."""
WITHDRAWN = 2.0
"""Burns that were taken back count as so much farther apart, in gates: more than any within one."""


class HandedOver(NamedTuple):
    """When (ns) a burn became a track, and the track's number."""

    time_ns: int
    track: str


@dataclass
class Burned:
    """The burns of one picture, by number.

    node: whose each is (an originator).  confirmed_ns: when it was.  reports: what was told of it, in order.
    of: index of the object that it was; doubles: of the object that it was once more; false: those that were
    nothing launched.  A burn of which no place was told is in none of the three.  handed_over: to tracks.
    """

    node: dict[str, str] = field(default_factory=dict)
    confirmed_ns: dict[str, int] = field(default_factory=dict)
    reports: dict[str, list[LaunchReport]] = field(default_factory=dict)
    of: dict[str, int] = field(default_factory=dict)
    doubles: dict[str, int] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)
    handed_over: dict[str, HandedOver] = field(default_factory=dict)

    def figures(self) -> dict[str, int]:
        """How many burns were `confirmed`, and of them `matched`, `doubles` and `false`.

        What two nodes both told of counts once: matched are objects, doubles the more of the two for each
        object, false those that are not near each other (as a burn is near a launch).
        """
        doubled: dict[int, Counter[str]] = {}
        for number, i in self.doubles.items():
            doubled.setdefault(i, Counter())[self.node[number]] += 1
        placed = {*self.of, *self.doubles, *self.false}
        untold = Counter(self.node[number] for number in self.confirmed_ns if number not in placed)
        matched, doubles = len(set(self.of.values())), sum(max(c.values()) for c in doubled.values())
        last, owners = [self.reports[n][-1] for n in self.false], [self.node[n] for n in self.false]
        false = len(same_launches(last, owners))
        return {
            "confirmed": matched + doubles + false + max(untold.values(), default=0),
            "matched": matched,
            "doubles": doubles,
            "false": false,
        }


def is_launched(o: TruthObject) -> bool:
    """Whether a burn may be of this object: neither an aircraft nor a part of something that broke up."""
    return o.parent is None and o.object_class != "aircraft"


def match_burns(recording: Recording, picture: PictureRecord) -> Burned:
    """Assign a picture's burns to what was launched, node by node, within `GATE_M` and `GATE_S`."""
    out = Burned()
    for note in picture.notes:
        if note.kind == "burn_confirmed":
            out.node.setdefault(note.subject, note.header.originator)
            out.confirmed_ns.setdefault(note.subject, note.header.measured_ns)
        elif note.kind == "burn_became_track":
            out.handed_over.setdefault(note.subject, HandedOver(note.header.measured_ns, note.detail))
    for report in picture.launches:
        if report.area.track in out.node:
            out.reports.setdefault(report.area.track, []).append(report)
    objects = recording.truth.objects
    index = [i for i, o in enumerate(objects) if is_launched(o)]
    at = np.array([_launched_at(objects[i]) for i in index]).reshape(-1, 3)
    start_ns = recording.scenario.start_ns
    when = np.array([(objects[i].launch_ns - start_ns) * 1e-9 for i in index])
    for node in sorted(set(out.node.values())):
        numbers = [n for n in sorted(out.reports) if out.node[n] == node]
        last = [out.reports[n][-1] for n in numbers]
        apart = _apart(places_of(last), times_of(last, start_ns), at, when)
        # one that was taken back is a launch's only where no other is
        apart[[r.withdrawn != "" for r in last]] += WITHDRAWN
        # what is out of the gate costs more than any pair in it, so as many are matched as can be
        out_of_gate = 2.0 * (math.sqrt(2.0) + WITHDRAWN)
        rows, columns = linear_sum_assignment(np.where(np.isfinite(apart), apart, out_of_gate))
        pairs = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        for r, number in enumerate(numbers):
            c = pairs.get(r)
            if c is not None and math.isfinite(apart[r, c]):
                out.of[number] = index[c]
            elif np.isfinite(apart[r]).any():
                out.doubles[number] = index[int(np.argmin(apart[r]))]
            else:
                out.false.append(number)
    return out


def stretches(reports: Sequence[LaunchReport]) -> list[list[LaunchReport]]:
    """Reports of one burn, in order, parted after each that takes back what was told."""
    parts: list[list[LaunchReport]] = [[]]
    for report in reports:
        if parts[-1] and parts[-1][-1].withdrawn:
            parts.append([])
        parts[-1].append(report)
    return parts


def same_launches(reports: Sequence[LaunchReport], owners: Sequence[str]) -> list[list[int]]:
    """Indices of reports (n,) of burns, put together where they are near each other and of different owners.

    owners (n,): who told each.  A group holds at most one of each, in the order in which they were given.
    """
    groups: list[list[int]] = []
    if not reports:
        return groups
    places, times = places_of(reports), times_of(reports, reports[0].area.time_ns)
    near = np.isfinite(_apart(places, times, places, times))
    for k, owner in enumerate(owners):
        for group in groups:
            if near[k, group].all() and owner not in [owners[g] for g in group]:
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def places_of(reports: Sequence[LaunchReport]) -> NDArray[np.float64]:
    """Middles of launch areas on the ground, ECEF (n, 3), m."""
    places = [geodetic2ecef(r.area.latitude_rad, r.area.longitude_rad, 0.0) for r in reports]
    return np.array(places).reshape(-1, 3)


def times_of(reports: Sequence[LaunchReport], since_ns: int) -> NDArray[np.float64]:
    """Times of launch (n,), s after since_ns."""
    return np.array([(r.area.time_ns - since_ns) * 1e-9 for r in reports])


def _launched_at(o: TruthObject) -> tuple[float, float, float]:
    """The ground below where an object was launched, ECEF, m."""
    position, _ = o.state_at(o.launch_ns)
    latitude, longitude, _ = ecef2geodetic(*(float(v) for v in position))
    return geodetic2ecef(latitude, longitude, 0.0)


def _apart(
    places: NDArray[np.float64],
    times: NDArray[np.float64],
    other_places: NDArray[np.float64],
    other_times: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Distance of launches (n, 3), m, and (n,), s, from others (m, 3), (m,): in gates, inf out of one."""
    metres = np.linalg.norm(places[:, None] - other_places[None], axis=2) / GATE_M
    seconds = np.abs(times[:, None] - other_times[None]) / GATE_S
    return np.where((metres < 1.0) & (seconds < 1.0), np.hypot(metres, seconds), math.inf)
