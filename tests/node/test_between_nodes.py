"""Nodes that tell each other: plots as another sensor's, nodes in a line, and what each holds then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import Floats, at_s, moved
from test_node import ALL, KEYS, MISSILE, RADAR, node, notes

from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.sharing import SharingRule
from jointwatch.joint.signing import Signer
from jointwatch.node.courier import Courier
from jointwatch.node.node import Node
from jointwatch.node.scribe import Output
from jointwatch.records import Forwarded, Header, Received, Sector, Sent
from jointwatch.sensing.radar import observe, sensor_row

PLOTS = SharingRule(name="plots", kind="plots", release="as is")
CORAL = Signer(bytes(range(32)))
EVERYONE = {**KEYS, "Coral": CORAL}


def radar_of(partner: str) -> Any:
    return replace(RADAR, name=f"{partner.lower()}-one", partner=partner)


def member(partner: str, others: tuple[str, ...], **changes: Any) -> Node:
    """A node of a circle in which all know each other's keys."""
    correspondents = tuple(
        Correspondent(name=name, public_key=EVERYONE[name].public.hex()) for name in others
    )
    return node(partner, **{"correspondents": correspondents, **changes})


class Circle:
    """Nodes and the links between them, with a delay; nothing is lost."""

    def __init__(self, nodes: dict[str, Node], links: dict[str, tuple[str, ...]]) -> None:
        self.nodes = nodes
        self.couriers = {
            name: Courier(name, EVERYONE[name], {to: EVERYONE[to].public.hex() for to in links[name]})
            for name in nodes
        }
        self.said: dict[str, list[Output]] = {name: [] for name in nodes}
        self._count = 0

    def step(self, name: str, record: Sector | Received, now: int) -> None:
        out = self.nodes[name].step(record, now)
        self.said[name] += out
        self.couriers[name].take(out)

    def carry(self, now: int) -> None:
        """All that is on the links arrives, and what that gives rise to, until nothing is left."""
        busy = True
        while busy:
            busy = False
            for name, courier in self.couriers.items():
                for to in courier.links:
                    for frame in courier.frames(to, now, self.nodes[name].streams()):
                        data = self.couriers[to].open(name, frame)
                        if data is not None:
                            busy = True
                            self._count += 1
                            header = Header(originator=to, source=name, sequence=self._count, measured_ns=now)
                            self.step(to, Received(header=header, data=data), now)


def seen(partner: str, second: float, number: int, rng: np.random.Generator) -> Sector:
    """A look of a partner's radar at the missile."""
    radar = radar_of(partner)
    r, azimuth, elevation, rate = observe(sensor_row(radar), *moved(MISSILE, second)[:6])
    return Sector(
        header=Header(originator=partner, source=radar.name, sequence=number, measured_ns=at_s(second)),
        sensor=radar.name, azimuth_from_rad=0.0, azimuth_to_rad=2.0 * np.pi, received_ns=at_s(second),
        range_m=(r + 50.0 * rng.normal(),), azimuth_rad=(azimuth + 1e-3 * rng.normal(),),
        elevation_rad=(elevation + 1e-3 * rng.normal(),), range_rate_ms=(rate + 5.0 * rng.normal(),),
    )  # fmt: skip


def flown(circle: Circle, looks: dict[str, int], seconds: float = 30.0) -> None:
    """Everybody looks every two seconds, one after another; looks: of each, how many at most."""
    rng = np.random.default_rng(5)
    for k in range(int(seconds / 2.0)):
        for n, name in enumerate(circle.nodes):
            second = 2.0 * k + 0.3 * n
            if k < looks.get(name, 10**6):
                circle.step(name, seen(name, second, k + 1, rng), at_s(second + 0.05))
            circle.carry(at_s(second + 0.1))


def said_of(picture: list[JointTrack]) -> list[tuple[object, ...]]:
    return [
        (t.number, t.aliases, t.state.tobytes(), t.covariance.tobytes(), t.existence, t.hits) for t in picture
    ]


def two(**changes: Any) -> Circle:
    nodes = {
        name: member(name, (other,), **changes.get(name, {}))
        for name, other in (("Amber", "Blue"), ("Blue", "Amber"))
    }
    return Circle(nodes, {"Amber": ("Blue",), "Blue": ("Amber",)})


def test_a_partners_plots_make_a_track_where_ones_own_are_too_few() -> None:
    """Two looks of each make no track; four of both do."""
    shared = two(Amber={"sharing": (PLOTS,)}, Blue={"partner_sensors": (radar_of("Amber"),)})
    flown(shared, {"Amber": 2, "Blue": 2}, 8.0)
    alone = two(Amber={"sharing": ()})
    flown(alone, {"Amber": 2, "Blue": 2}, 8.0)
    assert [t.number for t in shared.nodes["Blue"].picture] == ["BLUE-0001"]
    assert alone.nodes["Blue"].picture == []


def test_a_look_that_comes_as_a_plot_and_as_a_tracklet_counts_once() -> None:
    circle = two(
        Amber={"sharing": (PLOTS, *ALL)}, Blue={"partner_sensors": (radar_of("Amber"),), "sharing": ALL}
    )
    flown(circle, {})
    looks = 15
    for name, others in (("Blue", "Amber"), ("Amber", "Blue")):
        (track,) = circle.nodes[name].best.at(at_s(30.0))
        assert set(track.aliases) == {"AMBER-0001", "BLUE-0001"}
        # a chain need not have begun with the first look of both
        assert 2 * looks - 1 <= track.hits <= 2 * looks, f"{name} counts {others}'s looks once"
    # what Amber's plots tell of Blue's track Blue keeps to itself: Amber knows it
    sources = {
        t.source
        for o in circle.said["Blue"]
        if isinstance(o, Sent) and o.kind == "tracks"
        for t in tracklets(o)
    }
    assert sources == {"blue-one"}


def tracklets(sent: Sent) -> tuple[Any, ...]:
    from jointwatch.records import TrackletReport, decode

    record = decode(sent.payload, "")
    return record.tracklets if isinstance(record, TrackletReport) else ()


def test_three_in_a_line_hold_what_three_in_a_ring_hold() -> None:
    names = ("Amber", "Blue", "Coral")
    everybody = {name: tuple(o for o in names if o != name) for name in names}
    pictures = []
    line = {"Amber": ("Blue",), "Blue": ("Amber", "Coral"), "Coral": ("Blue",)}
    for links in (everybody, line):
        circle = Circle({name: member(name, everybody[name]) for name in names}, links)
        flown(circle, {})
        circle.carry(at_s(31.0))
        pictures += [said_of(circle.nodes[name].joint.at(at_s(32.0))) for name in names]
        assert any(isinstance(o, Forwarded) for o in circle.said["Blue"])
    assert [(t[1], t[5]) for t in pictures[0]] == [(("AMBER-0001", "BLUE-0001", "CORAL-0001"), 45)]
    assert all(picture == pictures[0] for picture in pictures)


def test_what_comes_round_a_ring_again_is_refused_and_told() -> None:
    names = ("Amber", "Blue", "Coral")
    everybody = {name: tuple(o for o in names if o != name) for name in names}
    circle = Circle({name: member(name, everybody[name]) for name in names}, everybody)
    flown(circle, {}, 10.0)
    refused = {detail.split(":")[0] for name in names for _, detail in notes(circle.said[name], "rejected")}
    assert refused == {"replayed"}


@pytest.mark.parametrize("hidden", [False, True])
def test_names_of_sensors_leave_only_where_the_rules_say_so(hidden: bool) -> None:
    rule = SharingRule(name="h", kind="tracks", release="coarsened", pseudonyms=True, key="k")
    circle = two(Amber={"sharing": (rule, *ALL[1:])} if hidden else {})
    flown(circle, {}, 20.0)
    sources = {t.source for o in circle.said["Amber"] if isinstance(o, Sent) for t in tracklets(o)}
    assert len(sources) == 1
    assert (sources == {"amber-one"}) is not hidden
    (track,) = circle.nodes["Blue"].best.at(at_s(20.0))
    assert track.hits == 20, "a name takes nothing from what is told"


def place_error(track: JointTrack, second: float) -> Floats:
    return track.state[:3] - moved(MISSILE, second)[:3]


def test_both_together_know_better_than_one_alone() -> None:
    circle, alone = two(), two(Amber={"correspondents": ()}, Blue={"correspondents": ()})
    flown(circle, {})
    flown(alone, {})
    (joined,), (lone,) = circle.nodes["Blue"].best.at(at_s(30.0)), alone.nodes["Blue"].best.at(at_s(30.0))
    ratio = np.trace(joined.covariance[:3, :3]) / np.trace(lone.covariance[:3, :3])
    assert 0.45 < ratio < 0.55, "twice the looks, half the variance"
    assert np.linalg.norm(place_error(joined, 30.0)) < 4.0 * np.sqrt(np.trace(joined.covariance[:3, :3]))
