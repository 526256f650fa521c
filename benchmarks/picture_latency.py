"""From a report's making to the picture of the partner that holds it, while both have a thousand tracks.

In: how many objects and for how long; out: a line for `joining`.  Two radars that turn once a second in eight
sectors see the same objects, which coast above the air; each partner tells a tracklet of each a second, and
each node holds both.  A report is sealed, opened at the partner's gate, taken in its picture, and the picture
is asked for at the time that it came: that is when the partner holds it.  Each node is one processor that
takes its own and its partner's reports in turn, with the seconds that each took here: what waits in its queue
counts.  A real link's own delay comes on top.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterator

import numpy as np
from calibration import calibration_ms
from earth_objects import coasting, fly, seen_by

from jointwatch.joint.gatekeeper import Admitted, Correspondent, Gatekeeper
from jointwatch.joint.picture import JointPicture
from jointwatch.joint.signing import Signer, seal
from jointwatch.node.memory import settle
from jointwatch.records import Header, Sensor, TrackBegun, Tracklet, TrackletReport
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.equivalent import equivalent

Line = dict[str, object]
SECTORS, PERIOD_S = 8, 1.0
WIDTH = 2.0 * math.pi / SECTORS
SITES = {"Amber": (32.0, 35.0), "Blue": (32.0, 37.0)}
SIGMA = 50.0, 1e-3, 1e-3, 5.0
"""Range (m), azimuth and elevation (rad), range rate (m/s), 1-sigma."""
DETECTION, HIT, MISS = 0.9, 3.0, math.log(0.1)
"""Of a look: its probability of a plot, and what a plot or none adds to the log odds of existence."""
START_NS = 1_767_650_400_000_000_000
SETTLING_S = 5.0
UPPER = np.triu_indices(6)


def radars() -> dict[str, Sensor]:
    """Each partner's one radar."""
    return {
        partner: Sensor(
            name=f"{partner.lower()}-radar", partner=partner, latitude_rad=math.radians(place[0]),
            longitude_rad=math.radians(place[1]), height_m=300.0, range_min_m=5e3, range_max_m=2000e3,
            elevation_min_rad=0.0, elevation_max_rad=1.5, sigma_range_m=SIGMA[0], sigma_azimuth_rad=SIGMA[1],
            sigma_elevation_rad=SIGMA[2], sigma_range_rate_ms=SIGMA[3], period_s=PERIOD_S, sectors=SECTORS,
            detection=DETECTION, clutter_per_scan=0.0,
        )
        for partner, place in SITES.items()
    }  # fmt: skip


def reports(objects: int, span_s: float, seed: int) -> Iterator[TrackletReport]:
    """What both partners' sectors tell of so many objects, in order of time."""
    rng = np.random.default_rng([seed, objects, 61])
    sensors = radars()
    states = coasting(rng, sensors["Amber"], objects, span_s)
    rows = {partner: sensor_row(sensor) for partner, sensor in sensors.items()}
    sequence = dict.fromkeys(sensors, 0)
    begun: dict[str, set[int]] = {partner: set() for partner in sensors}
    step_s = PERIOD_S / SECTORS / len(sensors)
    for k in range(round(span_s / step_s)):
        partner = tuple(sensors)[k % len(sensors)]
        time_ns = START_NS + round(k * step_s * 1e9)
        sequence[partner] += 1
        start = sequence[partner] % SECTORS * WIDTH
        true = seen_by(rows[partner], states)
        inside = np.flatnonzero((true[:, 1] >= start) & (true[:, 1] < start + WIDTH)).tolist()
        plots = plots_of(true[inside] + np.array(SIGMA) * rng.standard_normal((len(inside), 4)))
        seen = rng.random(len(inside)) < DETECTION
        name, source = f"{partner.upper()}-%05d", sensors[partner].name
        told, new = [], []
        for n, i in enumerate(inside):
            point, information = states[i, :6].copy(), np.zeros((6, 6))
            if seen[n]:
                equivalent(
                    rows[partner], states[i], plots[n : n + 1], np.zeros(1, np.int64), np.ones(1), point,
                    information,
                )  # fmt: skip
            if i not in begun[partner]:
                begun[partner].add(i)
                new.append(TrackBegun(number=name % i, first_ns=time_ns, log_odds=3.0))
            told.append(
                Tracklet(
                    number=name % i, time_ns=time_ns, source=source, sequence=sequence[partner],
                    point=tuple(point.tolist()), information=tuple(information[UPPER].tolist()),
                    evidence=HIT if seen[n] else MISS,
                )
            )  # fmt: skip
        header = Header(
            originator=partner, source=partner, sequence=sequence[partner], measured_ns=time_ns,
            handling="joint",
        )  # fmt: skip
        yield TrackletReport(header=header, rule="", begun=tuple(new), tracklets=tuple(told))
        fly(states, step_s)


class Node:
    """One partner: its key, its gate, its picture, and until when its processor is busy (s)."""

    def __init__(self, partner: str, signer: Signer, other: str, key: bytes) -> None:
        self.partner, self.other, self.signer = partner, other, signer
        terms = Correspondent(name=other, public_key=key.hex(), sensors=(f"{other.lower()}-radar",))
        self.gate = Gatekeeper(partner, [terms], [f"{partner.lower()}-radar"])
        self.picture = JointPicture()
        self.busy_until_s = self.busy_s = 0.0
        self.sealed = 0

    def seal(self, report: TrackletReport, time_ns: int) -> bytes:
        """The report as it leaves."""
        self.sealed += 1
        return seal(report, self.partner, (self.other,), self.sealed, time_ns, self.signer)

    def take(self, data: bytes, now_ns: int) -> None:
        """What came from the partner, in the picture."""
        admitted = self.gate.open(data, now_ns)
        assert isinstance(admitted, Admitted), admitted
        assert isinstance(admitted.record, TrackletReport)
        self.picture.take(admitted.record)

    def start(self, at_s: float) -> float:
        """When its processor comes to what is there at a time."""
        return max(at_s, self.busy_until_s)

    def work(self, start_s: float, seconds: float) -> float:
        """Have it work; when it is done."""
        self.busy_until_s = start_s + seconds
        self.busy_s += seconds
        return self.busy_until_s


def latency(objects: int, span_s: float, seed: int) -> Line:
    """The line of so many objects, over span_s after SETTLING_S."""
    signers = {partner: Signer(bytes([i + 1]) * 32) for i, partner in enumerate(SITES)}
    a, b = SITES
    nodes = {me: Node(me, signers[me], other, signers[other].public) for me, other in ((a, b), (b, a))}
    # arrival (s), count, at whom, own report or bytes, and when it was made (s)
    queue: list[tuple[float, int, str, TrackletReport | bytes, float]] = []
    made = list(reports(objects, SETTLING_S + span_s, seed))
    for count, report in enumerate(made):
        at_s = (report.header.measured_ns - START_NS) * 1e-9
        queue.append((at_s, count, report.header.originator, report, at_s))
    heapq.heapify(queue)
    settle()
    took, parts, count = [], [], len(made)
    calibrated = calibration_ms()
    while queue:
        at_s, _, name, what, made_s = heapq.heappop(queue)
        node = nodes[name]
        start_s = node.start(at_s)
        now_ns = START_NS + round(start_s * 1e9)
        began = time.thread_time()
        if isinstance(what, bytes):
            node.take(what, now_ns)
        else:
            data = node.seal(what, now_ns)
            count += 1
            sent_s = start_s + time.thread_time() - began
            heapq.heappush(queue, (sent_s, count, node.other, data, made_s))
            node.picture.take(what)
        taken = time.thread_time()
        held = node.picture.at(now_ns)
        over = time.thread_time()
        done_s = node.work(start_s, over - began)
        if made_s >= SETTLING_S and isinstance(what, bytes):
            took.append(done_s - made_s)
            parts.append((taken - began, over - taken))
            assert len(held) == objects
    milliseconds = 1e3 * np.array(took)
    p50, p99 = np.percentile(milliseconds, [50.0, 99.0], method="higher")
    taking, asking = 1e3 * np.median(np.array(parts), axis=0)
    return {
        "method": "latency, report to the partner's picture", "rmse_over_central": None, "anees": None,
        "window": f"{span_s:g} s", "objects": objects, "tracks": 2 * objects,
        "tracklets_per_s": 2 * round(objects / PERIOD_S), "reports": len(took),
        "p50_ms": round(float(p50), 2), "p99_ms": round(float(p99), 2),
        "worst_ms": round(float(milliseconds.max()), 2),
        "open_and_take_ms": round(float(taking), 2), "picture_ms": round(float(asking), 2),
        "busy": [round(n.busy_s / (SETTLING_S + span_s), 3) for n in nodes.values()],
        "calibration_ms": round(calibrated, 1),
    }  # fmt: skip
