"""One node: what it refuses, what it makes of a partner's tracks, and whom it warns because of them."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import CRUISE_SURELY, START_NS, Floats, at_s, draw, moved, place, spread, track

from jointwatch.exercise.flights import destination
from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.sharing import SharingRule
from jointwatch.joint.signing import Signer, seal
from jointwatch.launch.beginning import NO_LOOKS
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.node.scribe import Output
from jointwatch.records import (
    KINDS,
    Alert,
    Announcement,
    Header,
    LaunchReport,
    Message,
    Note,
    Received,
    Sector,
    Sensor,
    Sent,
    Track,
    TrackletReport,
    TrackReport,
    Withholding,
    Zone,
    decode,
)
from jointwatch.records.messages import read_envelope
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.policy import Policy

RADAR = Sensor(
    name="amber-one",
    partner="Amber",
    latitude_rad=math.radians(33.0),
    longitude_rad=math.radians(38.0),
    height_m=500.0,
    range_min_m=1e3,
    range_max_m=5e5,
    elevation_min_rad=math.radians(0.3),
    elevation_max_rad=math.radians(85.0),
    sigma_range_m=50.0,
    sigma_azimuth_rad=1e-3,
    sigma_elevation_rad=1e-3,
    sigma_range_rate_ms=5.0,
    period_s=2.0,
    sectors=1,
    detection=0.95,
    clutter_per_scan=10.0,
)
MISSILE = place(33.0, 40.0, 120e3, -2000.0, 100.0, -300.0)
"""Falls some two minutes later, about two degrees to the west."""
_FALL = ground_fall(MISSILE, spread(50.0, 1.0, 0.1))
assert _FALL is not None
FALL_S = _FALL.time_s
FALL_DEG = (math.degrees(_FALL.latitude_rad), math.degrees(_FALL.longitude_rad))


def no_looks(_):
    """Of the sensors of coarsened tracks no looks are told."""
    return NO_LOOKS


def site(name: str, latitude_deg: float, longitude_deg: float, partner: str = "Amber") -> Zone:
    return Zone(
        key=name.lower(),
        name=name,
        partner=partner,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        shelter_s=30.0,
        radius_m=2000.0,
    )


KEYS = {name: Signer(hashlib.sha256(name.encode()).digest()) for name in ("Amber", "Blue")}
ALL = tuple(SharingRule(name=f"all {kind}", kind=kind, release="as is") for kind in KINDS if kind != "plots")
"""Rules that keep plots and share the rest."""
ZONES = (site("Fern", *FALL_DEG), site("Moss", FALL_DEG[0] + 1.5, FALL_DEG[1]))


def node(partner: str = "Amber", **changes: Any) -> Node:
    """A node with two zones: one where the missile falls, one 170 km north of it."""
    config = NodeConfig(
        partner=partner,
        name=f"test-{partner.lower()}",
        sensors=(replace(RADAR, name=f"{partner.lower()}-one", partner=partner),),
        zones=tuple(replace(z, partner=partner) for z in ZONES),
        policy=Policy(),
        sharing=ALL,
        correspondents=tuple(
            Correspondent(name=name, public_key=key.public.hex())
            for name, key in KEYS.items()
            if name != partner
        ),
        territories={"Ochre": ("368",)},
    )
    return Node(replace(config, **changes), Journal(None))


def sealed(
    sequence: int, record: Message, seconds: float, sender: str = "Blue", to: str = "Amber"
) -> Received:
    """A record as a partner's message that came over the link."""
    data = seal(record, sender, (to,), sequence, at_s(seconds), KEYS[sender])
    header = Header(originator=to, source="link", sequence=sequence, measured_ns=at_s(seconds))
    return Received(header=header, data=data)


def report(sequence: int, *tracks: Track, sender: str = "Blue") -> Received:
    """Coarsened tracks of a partner, sealed as the last of them was measured (that is wrong: the first)."""
    measured_ns = max(t.header.measured_ns for t in tracks)
    if measured_ns >= at_s(600.0):
        measured_ns = min(t.header.measured_ns for t in tracks)
    header = Header(
        originator=sender, source=sender, sequence=sequence, measured_ns=measured_ns, handling="joint"
    )
    made = TrackReport(header=header, rule=f"{sender}/tracks", tracks=tracks)
    return sealed(sequence, made, (measured_ns - START_NS) * 1e-9, sender)


def left(out: list[Output], kind: type) -> list[Any]:
    """Records of a type that left for partners."""
    records = [decode(o.payload, "") for o in out if isinstance(o, Sent)]
    return [record for record in records if isinstance(record, kind)]


def carried(out: list[Output], sender: str, to: str, seconds: float) -> list[Received]:
    """What left a node for another, as it comes there."""
    return [
        sealed(o.sequence, decode(o.payload, ""), seconds, sender, to) for o in out if isinstance(o, Sent)
    ]


def theirs(seconds: float = 0.0, state: Floats = MISSILE, **changes: Any) -> Track:
    """A partner's track of the missile, well known."""
    made = track("BLUE-0001", moved(state, seconds), spread(150.0, 4.0, 0.2), at_s(seconds))
    return replace(made, first_ns=START_NS, **changes)


def empty_look(seconds: float, sequence: int, sensor: str = "amber-one") -> Sector:
    """A look of a radar that gives no plot."""
    return Sector(
        header=Header(originator="Amber", source=sensor, sequence=sequence, measured_ns=at_s(seconds)),
        sensor=sensor,
        azimuth_from_rad=0.0,
        azimuth_to_rad=2.0 * math.pi,
        received_ns=at_s(seconds),
    )


def notes(out: list[Output], kind: str) -> list[tuple[str, str]]:
    return [(n.subject, n.detail) for n in out if isinstance(n, Note) and n.kind == kind]


def shelter(out: list[Output]) -> list[Alert]:
    return [
        a for a in out if isinstance(a, Alert) and a.tier == "shelter" and a.action in ("alert", "update")
    ]


def fed(one: Node, until_s: float = FALL_S, state: Floats = MISSILE, **changes: Any) -> list[Output]:
    """Everything that a node says when a partner reports a track of the missile every two seconds."""
    out: list[Output] = []
    for k, second in enumerate(np.arange(0.0, until_s, 2.0).tolist()):
        out += one.step(report(k + 1, theirs(second, state, hits=10 + k, **changes)), at_s(second + 0.2))
    return out


# ------------------------------------------------------------------ what is refused


def test_ones_own_report_come_back_is_refused() -> None:
    one = node()
    back = report(1, track("AMBER-0001", MISSILE, spread(150.0, 4.0)))
    own = seal(decode(read_envelope(back.data).payload, ""), "Amber", ("Blue",), 1, at_s(0.0), KEYS["Amber"])
    out = one.step(replace(back, data=own), at_s(0.2))
    ((subject, detail),) = notes(out, "rejected")
    assert subject == "Amber" and detail.startswith("our own: ")
    assert one.picture == []


def test_a_report_seen_before_is_refused_and_the_next_is_used() -> None:
    one = node()
    for _ in range(2):
        out = one.step(report(7, theirs()), at_s(0.2))
    ((subject, detail),) = notes(out, "rejected")
    assert subject == "Blue" and detail.startswith("replayed: ")
    out = one.step(report(8, theirs(2.0)), at_s(2.2))
    assert notes(out, "rejected") == []
    assert one.picture[0].seen_ns == at_s(2.0)


NAN = float("nan")
GOOD = theirs()
BAD = {
    "a state too short": ({"state": GOOD.state[:6]}, "state"),
    "a state that is no number": ({"state": (NAN, *GOOD.state[1:])}, "state"),
    "a covariance too short": ({"covariance": GOOD.covariance[:21]}, "covariance is not 28"),
    "a covariance that is no number": ({"covariance": (NAN,) * 28}, "covariance is not 28"),
    "a covariance without end": ({"covariance": (math.inf, *GOOD.covariance[1:])}, "covariance is not 28"),
    "a negative variance": ({"covariance": (-1.0, *GOOD.covariance[1:])}, "not positive"),
    "an existence of two": ({"existence": 2.0}, "probability"),
    "an existence that is no number": ({"existence": NAN}, "probability"),
    "phases that are no numbers": ({"phases": (NAN, 1.0, 0.0)}, "probability"),
    "a thrust that is no number": ({"thrust_ms2": NAN}, "thrust"),
    "a place in the Earth's middle": ({"state": (0.0,) * 7}, "near the Earth"),
    "a place beyond the Moon": ({"state": (4e8, *GOOD.state[1:])}, "near the Earth"),
    "faster than anything": ({"state": (*GOOD.state[:3], 9e4, 0.0, 0.0, -8.6)}, "velocity"),
    "a time to come": ({"header": replace(GOOD.header, measured_ns=at_s(3600.0))}, "measured after"),
    "one of our own tracks": ({"number": "AMBER-0001"}, "does not begin with BLUE-"),
    "our own track under another number": (
        {"header": replace(GOOD.header, originator="Amber")},
        "is not the issuer",
    ),
}


@pytest.mark.parametrize("bad", list(BAD))
def test_a_bad_track_is_refused_and_noted_and_its_good_neighbour_is_used(bad: str) -> None:
    values, words = BAD[bad]
    wrong = replace(theirs(number="BLUE-0002"), **values)
    one = node()
    out = one.step(report(1, wrong, theirs()), at_s(0.2))
    ((subject, detail),) = notes(out, "rejected")
    assert subject == "Blue" and wrong.number in detail
    assert words in detail
    assert [t.number for t in one.picture] == ["BLUE-0001"]
    # it can be mended: the next report of that number is as good as any
    out = one.step(report(2, replace(theirs(2.0), number="BLUE-0002"), theirs(2.0)), at_s(2.2))
    assert notes(out, "rejected") == []


def test_a_bad_sector_is_refused_and_noted_and_the_next_is_used() -> None:
    one = node()
    good = empty_look(2.0, 2)
    assert notes(one.step(empty_look(0.0, 1, "nobodys"), at_s(0.0)), "rejected") == [
        ("nobodys", "undeclared sensor: 1")
    ]
    assert notes(one.step(replace(good, range_m=(1e5, 2e5)), at_s(2.0)), "rejected") == [
        ("amber-one", "columns of unequal length: 1")
    ]
    assert notes(one.step(good, at_s(2.0)), "rejected") == []


def test_a_report_that_was_overtaken_on_the_way_changes_nothing() -> None:
    one = node()
    one.step(report(2, theirs(2.0)), at_s(2.2))
    one.step(report(1, theirs(0.0)), at_s(2.3))
    assert [t.seen_ns for t in one.picture] == [at_s(2.0)]
    # nor does it bring back what has ended meanwhile
    one.step(report(4, theirs(4.0, ended=True)), at_s(4.2))
    one.step(report(3, theirs(3.0)), at_s(4.3))
    one.step(empty_look(6.0, 1), at_s(6.0))
    assert one.picture == []
    # what is seen again after its end is there again
    one.step(report(5, theirs(6.0)), at_s(6.2))
    assert [t.number for t in one.picture] == ["BLUE-0001"]


# ------------------------------------------------------------------ one's own sensors


def watching(one: Node, until_s: float, rng: np.random.Generator, state: Floats = MISSILE) -> list[Output]:
    """What a node says when its own radar sees the missile every two seconds."""
    row, out = sensor_row(RADAR), []
    sensor = one.config.sensors[0].name
    for k, second in enumerate(np.arange(0.0, until_s, 2.0).tolist()):
        r, azimuth, elevation, rate = observe(row, *moved(state, second)[:6])
        looked = replace(
            empty_look(second, k + 1, sensor),
            range_m=(r + 50.0 * rng.normal(),),
            azimuth_rad=(azimuth + 1e-3 * rng.normal(),),
            elevation_rad=(elevation + 1e-3 * rng.normal(),),
            range_rate_ms=(rate + 5.0 * rng.normal(),),
        )
        out += one.step(looked, at_s(second))
    return out


def test_a_track_of_ones_own_and_the_partners_of_the_same_object_are_one_in_the_joint_picture() -> None:
    amber, blue = node("Amber"), node("Blue")
    rng = np.random.default_rng(1)
    ours_said, theirs_said = watching(amber, 40.0, rng), watching(blue, 40.0, rng)
    released = left(ours_said, TrackletReport)
    assert len(released) > 5
    assert [t.number for t in blue.picture] == ["BLUE-0001"]
    (alone,) = blue.picture
    out = [o for m in carried(ours_said, "Amber", "Blue", 40.1) for o in blue.step(m, at_s(40.2))]
    assert notes(out, "track_received") == [("AMBER-0001", "")]
    (one,) = blue.best.at(at_s(41.6))
    assert one.number == "AMBER-0001"
    assert one.aliases == ("AMBER-0001", "BLUE-0001")
    assert one.hits == alone.hits + sum(len(o.tracklets) for o in released)
    assert np.linalg.norm(one.state[:3] - moved(MISSILE, 41.6)[:3]) < 500.0
    # both nodes hold the same set of released reports once Amber has Blue's, and so the same joint picture
    for message in carried(theirs_said, "Blue", "Amber", 40.1):
        amber.step(message, at_s(40.2))
    ours, same = amber.joint.at(at_s(41.6)), blue.joint.at(at_s(41.6))
    assert [t.aliases for t in ours] == [("AMBER-0001", "BLUE-0001")]
    assert [t.state.tobytes() for t in ours] == [t.state.tobytes() for t in same]


def test_what_a_rule_withholds_does_not_leave_and_is_journalled() -> None:
    kept = SharingRule(name="no tracks", kind="tracks", release="withheld")
    out = watching(node(sharing=(kept, *ALL)), 20.0, np.random.default_rng(2))
    assert left(out, TrackReport) == left(out, TrackletReport) == []
    held = [o for o in out if isinstance(o, Withholding)]
    assert {(o.partner, o.rule) for o in held if "AMBER-0001" in o.subjects} == {("Blue", "no tracks")}
    # what no rule lets go is told as well: plots here
    assert {(o.kind, o.rule) for o in held} == {("tracks", "no tracks"), ("plots", "no rule")}
    shadow = node(correspondents=())
    out = watching(shadow, 20.0, np.random.default_rng(2))
    assert not any(isinstance(o, Sent | Withholding) for o in out)
    assert [t.number for t in shadow.picture] == ["AMBER-0001"]


def test_every_release_is_journalled_with_its_rule() -> None:
    out = watching(node(), 20.0, np.random.default_rng(2))
    sent = [o for o in out if isinstance(o, Sent)]
    assert {(o.kind, o.rules) for o in sent} >= {("tracks", ("all tracks",)), ("health", ("all health",))}
    assert [o.sequence for o in sent] == list(range(1, len(sent) + 1))
    assert {o.audience for o in sent} == {("Blue",)}


def test_the_partner_is_told_when_a_track_ends() -> None:
    one = node()
    out = watching(one, 20.0, np.random.default_rng(3))
    for k in range(30):
        out += one.step(empty_look(20.0 + 2.0 * k, 100 + k), at_s(20.0 + 2.0 * k))
    assert notes(out, "track_ended") == [("AMBER-0001", "lost")]
    last = left(out, TrackletReport)[-1]
    assert [(e.number, e.reason) for e in last.ended] == [("AMBER-0001", "lost")]


def test_a_step_is_pure() -> None:
    """The same inputs give the same outputs and digest; one more plot, or another order, another."""

    def digest(swap: bool = False, seed: int = 4) -> str:
        one = node()
        watching(one, 20.0, np.random.default_rng(seed))
        inputs = [(report(1, theirs(20.0)), at_s(20.2)), (empty_look(20.2, 50), at_s(20.2))]
        for record, now in reversed(inputs) if swap else inputs:
            one.step(record, now)
        return one.journal.digest.hex()

    assert digest() == digest()
    assert len({digest(), digest(swap=True), digest(seed=5)}) == 3


# ------------------------------------------------------------------ whom it warns


def test_a_missile_that_only_the_partner_sees_warns_ones_own_zone_in_time_and_no_other() -> None:
    out = fed(node())
    (alert,) = shelter(out)
    assert alert.zones == ("fern",)
    assert alert.evidence[0][0] == "BLUE-0001"
    assert alert.impact_ns == pytest.approx(at_s(FALL_S), abs=2e9)
    assert alert.sent_ns <= at_s(FALL_S - 30.0)
    # alone it would have known nothing
    alone = node(correspondents=())
    out = [o for k in range(60) for o in alone.step(empty_look(2.0 * k, k + 1), at_s(2.0 * k))]
    assert not any(isinstance(o, Alert) for o in out)


def test_the_launch_is_reported_when_the_track_has_enough_looks_and_never_finer_than_the_floor() -> None:
    launches = [o for o in fed(node()) if isinstance(o, LaunchReport)]
    assert 1 <= len(launches) <= 4
    # told again only when it is known better
    sizes = [launch.area.semi_major_m for launch in launches]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes)
    for launch in launches:
        assert launch.area.semi_minor_m >= 2000.0 - 1e-6
        assert sum(launch.area.territories.values()) == pytest.approx(1.0)
        assert launch.impact is not None
        assert launch.impact.time_ns == pytest.approx(at_s(FALL_S), abs=2e9)
        assert launch.header.handling == "joint"


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("an aircraft", {"phases": CRUISE_SURELY}),
        ("something that hardly exists", {"existence": 0.01}),
    ],
)
def test_what_is_no_missile_threatens_nobody(what: str, values: dict[str, Any]) -> None:
    """Its place and velocity are the missile's own: what is said of it alone holds the alarm back."""
    one = node()
    out = fed(one, **values)
    assert not any(isinstance(o, Alert | LaunchReport) for o in out), what
    assert one.impacts() == []


def test_too_few_looks_alarm_nobody() -> None:
    one = node()
    out = [
        o for k in range(60) for o in one.step(report(k + 1, theirs(2.0 * k, hits=4)), at_s(2.0 * k + 0.2))
    ]
    assert not any(isinstance(o, Alert) for o in out)


def test_a_missile_that_still_thrusts_is_no_take_shelter_but_how_far_it_would_reach() -> None:
    one = node()
    out = fed(one, 40.0, phases=(0.97, 0.02, 0.01))
    assert shelter(out) == []
    (impact,) = one.impacts()
    assert impact.reach_only


def test_an_object_in_orbit_has_no_impact() -> None:
    one = node()
    orbit = place(33.0, 40.0, 300e3, 7500.0, 0.0, 0.0)
    out = fed(one, 20.0, orbit)
    assert not any(isinstance(o, Alert) for o in out)
    assert one.impacts() == []


def test_a_ghost_that_ones_own_radar_does_not_see_where_it_should_alarms_nobody() -> None:
    """The partner's track threatens Fern, far enough ahead not to be pressing; one's own radar looks and
    looks."""
    far = place(33.0, 40.0, 120e3, -2000.0, 100.0, 700.0)
    fall = ground_fall(far, spread(50.0, 1.0, 0.1))
    assert fall is not None
    zone = site("Fern", math.degrees(fall.latitude_rad), math.degrees(fall.longitude_rad))
    vague = spread(900.0, 25.0, 0.3)
    last = theirs(0.0, far, covariance=tuple(vague[np.triu_indices(7)].tolist()), hits=20)
    said = {}
    for looks in (False, True):
        one = node(zones=(zone,))
        out = one.step(report(1, last), at_s(0.2))
        out += [
            o
            for k in range(1, 14)
            for o in one.step(
                replace(empty_look(2.0 * k, k), azimuth_to_rad=2.0 * math.pi if looks else 1e-6),
                at_s(2.0 * k),
            )
        ]
        said[looks] = (one.impacts(), shelter(out))
    assert len(said[False][0]) == 1, "unseen by anybody, it is still believed"
    assert said[True] == ([], [])


# ------------------------------------------------------------------ announced launches

FROM_DEG = 95.0
"""Direction from the launch site to where the missile is: its path lies on it, roughly westward."""


def announcement(heading_deg: float, state: Floats = MISSILE, back_m: float = 200e3) -> Announcement:
    """A launch announced from a place behind the missile, with a heading."""
    course = math.radians(heading_deg)
    latitude, longitude = destination(
        np.radians(np.float64(33.0)),
        np.radians(np.float64(40.0)),
        np.float64(course + math.pi),
        np.float64(back_m),
    )
    return Announcement(
        name="orbit-1",
        object_class="space_launch",
        from_ns=at_s(-300.0),
        to_ns=at_s(300.0),
        latitude_rad=float(latitude),
        longitude_rad=float(longitude),
        radius_m=10e3,
        azimuth_rad=course,
        tolerance_rad=math.radians(10.0),
    )


WESTWARD_DEG = math.degrees(math.atan2(-2000.0, 100.0))


def test_an_announced_launch_alarms_nobody_and_says_so_once() -> None:
    one = node(announced=(announcement(WESTWARD_DEG),))
    out = fed(one)
    assert notes(out, "announced_launch") == [("BLUE-0001", "taken for orbit-1: no alarm")]
    assert not any(isinstance(o, Alert | LaunchReport) for o in out)
    assert one.impacts() == []


def test_another_launch_at_the_same_time_alarms() -> None:
    elsewhere = announcement(WESTWARD_DEG + 90.0)
    out = fed(node(announced=(elsewhere,)))
    assert notes(out, "announced_launch") == []
    assert [a.zones for a in shelter(out)] == [("fern",)]


def test_an_announced_launch_that_departs_from_its_heading_alarms() -> None:
    """It rises where it should, and then flies west instead of south: from then on it is a missile."""
    south = replace(
        announcement(WESTWARD_DEG, back_m=138e3), azimuth_rad=math.pi, tolerance_rad=math.radians(10.0)
    )
    out = fed(node(announced=(south,)), FALL_S + 60.0, moved(MISSILE, -60.0))  # still climbing
    assert notes(out, "announced_launch") == [("BLUE-0001", "taken for orbit-1: no alarm")]
    assert notes(out, "announcement_left") == [("BLUE-0001", "departs from orbit-1")]
    left_ns = next(o.header.measured_ns for o in out if isinstance(o, Note) and o.kind == "announcement_left")
    (alert,) = shelter(out)
    assert alert.zones == ("fern",)
    assert left_ns <= alert.sent_ns <= at_s(FALL_S + 30.0)


def test_an_attack_on_an_announced_launch_site_alarms_until_it_falls() -> None:
    at_site = replace(
        announcement(WESTWARD_DEG),
        latitude_rad=math.radians(FALL_DEG[0]),
        longitude_rad=math.radians(FALL_DEG[1]),
        azimuth_rad=math.pi,
    )
    out = fed(node(announced=(at_site,)))
    assert notes(out, "announced_launch") == []
    assert [a.zones for a in shelter(out)] == [("fern",)]
    assert not any(isinstance(o, Alert) and o.action == "cancel" for o in out)


@pytest.mark.parametrize("ahead_m", [100e3, 180e3, 260e3])
def test_an_attack_over_an_announced_launch_site_and_along_its_heading_alarms(ahead_m: float) -> None:
    """Past the site it flies as the launch would, which it cannot be: it was elsewhere before."""
    out = fed(node(announced=(announcement(WESTWARD_DEG, back_m=-ahead_m),)))
    assert notes(out, "announced_launch") == []
    assert [a.zones for a in shelter(out)] == [("fern",)]
    assert not any(isinstance(o, Alert) and o.action == "cancel" for o in out)


# ------------------------------------------------------------------ handling


def test_pseudonyms_hide_the_sensor_from_the_partner_and_not_from_oneself() -> None:
    hidden = SharingRule(name="h", kind="tracks", release="coarsened", pseudonyms=True, key="k")
    one = node(sharing=(hidden,))
    out = watching(one, 20.0, np.random.default_rng(6))
    sent = left(out, TrackletReport)
    assert sum(len(o.tracklets) for o in sent) > 5
    assert all("amber-one" not in str(o) for o in sent)
    assert len({t.source for o in sent for t in o.tracklets}) == 1


def test_noisy_reports_of_a_partner_still_give_one_alert_that_stands() -> None:
    """Every report carries an error as large as it says: the alert is neither repeated nor taken back."""
    rng = np.random.default_rng(7)
    one, out = node(), []
    c = spread(150.0, 4.0, 0.2)
    for k, second in enumerate(np.arange(0.0, FALL_S - 10.0, 2.0).tolist()):
        seen = track("BLUE-0001", moved(MISSILE, second) + draw(rng, c), c, at_s(second), hits=10 + k)
        out += one.step(report(k + 1, seen), at_s(second + 0.2))
    assert [a.zones for a in shelter(out)] == [("fern",)]
    assert not any(isinstance(o, Alert) and o.action == "cancel" for o in out)


@pytest.mark.parametrize(("existence", "taken_back"), [(0.45, False), (0.05, False), (0.01, True)])
def test_an_alert_stands_while_its_missile_is_likely_enough_to_be_told_for(
    existence: float, taken_back: bool
) -> None:
    """Some looks in a row miss it, and then it shows again."""
    one, out = node(), []
    for k, second in enumerate(np.arange(0.0, FALL_S - 40.0, 2.0).tolist()):
        missed = 40.0 <= second < 48.0
        seen = theirs(second, hits=30 if missed else 10 + k, existence=existence if missed else 0.9999)
        out += one.step(report(k + 1, seen), at_s(second + 0.2))
    cancels = [o for o in out if isinstance(o, Alert) and o.tier == "shelter" and o.action == "cancel"]
    assert bool(cancels) == taken_back
    assert len(shelter(out)) == 1 + taken_back


def test_what_looks_miss_begins_no_alert_by_what_it_was() -> None:
    """Its fall is known as well as ever: that it is still there is not."""
    one, said = node(), []
    fed(one, 20.0)
    (seen,) = one.picture
    for existence in (0.9999, 0.45, 0.05):
        one._decisions.decide(
            [replace(seen, existence=existence)], at_s(20.0), lambda _: frozenset(), no_looks
        )
        (threat,) = (t for t in one._decisions.threats(at_s(20.0))[0] if t.track == seen.number)
        said.append((threat.sure, threat.doubtful, float(threat.probability.max())))
    assert [sure for sure, _, _ in said] == [True, False, False]
    assert [doubtful for _, doubtful, _ in said] == [False, True, True]
    assert [p for _, _, p in said] == pytest.approx([said[0][2] * e for e in (1.0, 0.45, 0.05)], rel=0.01)
