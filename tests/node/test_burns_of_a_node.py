"""A node with satellites: burns are told of as launches, announced ones marked, and snapshots hold them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from msgspec.structs import replace
from test_infrared_of_a_node import eye, scan_of
from test_node import ALL, START_NS, at_s, left, node

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.announced import burn_agrees
from jointwatch.launch.ascent import AZIMUTH as AZIMUTH_AT
from jointwatch.launch.ascent import KNOTS, VALUES, ascend, state_at
from jointwatch.launch.burns import Burns
from jointwatch.launch.fit import medians
from jointwatch.launch.profiles import profile_named
from jointwatch.node.journal import Journal
from jointwatch.node.scribe import Output
from jointwatch.node.snapshot import open_snapshot, take_snapshot
from jointwatch.records import Announcement, InfraredScan, LaunchReport, Note, encode
from jointwatch.sensing.infrared import across, geostationary_site

PLACE = np.radians([33.0, 44.0])
AZIMUTH = 2.0
LAUNCHED_S = 40.0
EYES = (eye("Amber"), eye("Blue"))


def scans(
    partners: tuple[str, ...] = ("Amber", "Blue"), until_s: float = 160.0, swerve_ms2: float = 0.0
) -> list[InfraredScan]:
    """Looks at a medium-range missile of the class's medians, launched 40 s after the start.

    swerve_ms2: how hard it pulls north from a minute after launch on, as no class does.
    """
    row, values = profile_named("medium_range").row(), np.zeros(VALUES)
    values[3] = AZIMUTH
    medians(row, values)
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, PLACE, math.inf, times, states)
    rng, found = np.random.default_rng(4), []
    for k, partner in enumerate(partners):
        site = geostationary_site(eye(partner))
        for i, seconds in enumerate(np.arange(1.0 + 4.0 * k, until_s, 10.0)):
            s, t = np.empty(6), seconds - LAUNCHED_S
            state_at(times, states, n, t, s)
            s[2] += 0.5 * swerve_ms2 * max(t - 60.0, 0.0) ** 2
            scan = scan_of(partner, float(seconds), 0)
            if 0.0 <= t <= times[n - 1] and height_above_ellipsoid(*s[:3]) > 3e3:
                along = ((s[:3] - site) / np.linalg.norm(s[:3] - site))[None]
                e, f = across(along)
                along = along + 20e-6 * (rng.normal() * e + rng.normal() * f)
                x, y, z = (along / np.linalg.norm(along))[0].tolist()
                scan = scan_of(
                    partner,
                    float(seconds),
                    0,
                    along_x=(x,),
                    along_y=(y,),
                    along_z=(z,),
                    intensity_w_sr=(4e5,),
                )
            scan = replace(scan, header=replace(scan.header, sequence=i))
            found.append(scan)
    return sorted(found, key=lambda scan: scan.header.measured_ns)


def stepped(mine: Any, looks: list[InfraredScan]) -> list[Output]:
    return [o for scan in looks for o in mine.step(scan, scan.received_ns + 2_000_000_000)]


def launches(out: list[Output]) -> list[LaunchReport]:
    return [o for o in out if isinstance(o, LaunchReport)]


def notes(out: list[Output], kind: str) -> list[Note]:
    return [o for o in out if isinstance(o, Note) and o.kind == kind]


def announced(azimuth_rad: float) -> Announcement:
    return Announcement(
        name="orbit-1", object_class="space_launch", from_ns=START_NS, to_ns=START_NS + 100 * 10**9,
        latitude_rad=float(PLACE[0]), longitude_rad=float(PLACE[1]), radius_m=10e3, azimuth_rad=azimuth_rad,
        tolerance_rad=0.4,
    )  # fmt: skip


def test_two_satellites_tell_of_a_launch_with_place_time_class_azimuth_and_fall() -> None:
    out = stepped(node(satellites=EYES, territories={"Ochre": ("368",)}), scans())
    (confirmed,) = notes(out, "burn_confirmed")
    assert confirmed.subject == "AMBER-B0001" and confirmed.detail == "amber-eye, blue-eye"
    assert confirmed.header.measured_ns < at_s(LAUNCHED_S + 60.0)
    last = launches(out)[-1]
    area = last.area
    north = (area.latitude_rad - PLACE[0]) * 6378e3
    east = (area.longitude_rad - PLACE[1]) * 6378e3 * math.cos(PLACE[0])
    assert math.hypot(east, north) < 3e3
    assert abs(area.time_ns - at_s(LAUNCHED_S)) < 3e9 * area.time_sigma_s
    assert area.azimuth_rad is not None and abs(area.azimuth_rad - AZIMUTH) < 0.15
    assert (area.origin, area.sensors) == ("Ochre", 2)
    assert max(last.classes, key=lambda name: last.classes[name]) == last.object_class == "medium_range"
    assert last.impact is not None and last.impact.time_ns > at_s(300.0)
    assert area.semi_major_m < launches(out)[0].area.semi_major_m


def test_class_and_fall_are_taken_back_where_a_burn_turns_out_like_no_class() -> None:
    out = stepped(node(satellites=EYES, territories={"Ochre": ("368",)}), scans(swerve_ms2=80.0))
    first, last = launches(out)[0], launches(out)[-1]
    assert first.object_class in ("medium_range", "medium_range_two_stage") and first.impact is not None
    assert [n.subject for n in notes(out, "burn_fits_no_class")] == ["AMBER-B0001"]
    assert (last.object_class, last.classes, last.impact) == ("unknown", {"unknown": 1.0}, None)
    # where it was launched was told while a class fitted, and stands
    assert last.area == launches(out)[-2].area


def test_a_launch_is_taken_back_where_its_plots_are_no_motor_s_and_told_anew_where_they_are() -> None:
    mine = node(satellites=EYES, sharing=ALL)
    looks = scans()
    out = stepped(mine, looks)
    burn = replace(mine._burning._burns.all()[0], state="confirmed")
    scan = looks[-1]

    def told(log_odds: float, seconds: float) -> list[Output]:
        """What the node makes of the burn where its odds are these."""
        mine._burning._burns.take = lambda scan: [replace(burn, log_odds=log_odds)]
        later = scan_of("Amber", 200.0 + seconds, int(100 + seconds))
        made: list[Output] = mine.step(later, later.received_ns + 2_000_000_000)
        return made

    now = scan.received_ns
    assert burn.log_odds > 2.0 and mine._burning.falls(now) and mine._burning.open("AMBER-0001")
    assert launches(told(-1.0, 0.0)) == [] and mine._burning.falls(now) == {}
    assert mine._burning.open("AMBER-0001") == {}  # nor does a track rise from it
    out = told(-5.0, 10.0)
    (report,) = launches(out)
    assert report.withdrawn and report.impact is None and report.area.track == burn.number
    assert [n.subject for n in notes(out, "launch_withdrawn")] == [burn.number]
    assert [r.withdrawn for r in left(out, LaunchReport)] == [report.withdrawn]
    assert launches(told(-6.0, 20.0)) == [] and launches(told(1.0, 30.0)) == []  # once, and not to and fro
    assert mine._burning.falls(now) == {}
    (again,) = launches(told(burn.log_odds, 40.0))
    assert again.withdrawn == "" and again.impact is not None
    assert burn.posterior is not None
    burn = replace(burn, posterior=replace(burn.posterior, misfit=math.inf))
    assert launches(told(-math.inf, 50.0))[0].withdrawn  # a late scan showed that it was none


def test_what_is_doubted_when_it_is_over_is_taken_back_and_a_track_s_burn_stays_its_own() -> None:
    mine = node(satellites=EYES, sharing=ALL)
    stepped(mine, scans())
    burn, now = mine._burning._burns.all()[0], at_s(300.0)
    mine._burning._known["AMBER-B0002"] = mine._burning._known[burn.number]
    mine._burning._sensors["AMBER-B0002"] = frozenset({"amber-eye"})
    mine._burning.hand_over(burn.number, "AMBER-0001", now)
    mine._burning._consider(replace(burn, log_odds=-1.0), now)
    assert list(mine._burning.open("AMBER-0001")) == [burn.number]
    mine._burning._taken_over.clear()
    (report, _) = mine._burning._consider(replace(burn, log_odds=-1.0, state="over"), now)
    assert isinstance(report, LaunchReport) and report.withdrawn


def test_what_no_class_fits_is_no_false_launch_and_is_told_again_where_one_does() -> None:
    mine = node(satellites=EYES, sharing=ALL)
    stepped(mine, scans())
    burn = replace(mine._burning._burns.all()[0], state="confirmed")
    assert burn.posterior is not None

    def told(misfit: float, seconds: float) -> list[Output]:
        known = replace(burn.posterior, misfit=misfit)
        mine._burning._burns.take = lambda scan: [replace(burn, log_odds=burn.log_odds, posterior=known)]
        later = scan_of("Amber", 200.0 + seconds, int(100 + seconds))
        made: list[Output] = mine.step(later, later.received_ns + 2_000_000_000)
        return made

    # a launch to orbit in its second stage: no draw goes by its plots, and the odds say nothing
    for misfit in (math.inf, 20.0):
        burn = replace(burn, log_odds=-4000.0)
        out = told(misfit, 10.0 if misfit == math.inf else 20.0)
        first = misfit == math.inf
        assert [(r.withdrawn, r.impact, r.object_class) for r in launches(out)] == [
            ("", None, "unknown")
        ] * first
        assert len(notes(out, "burn_fits_no_class")) == first
    burn = replace(burn, log_odds=20.0)
    assert launches(told(1.9, 30.0)) == []
    (again,) = launches(told(1.0, 40.0))
    assert again.impact is not None and again.object_class == "medium_range"


def test_one_satellite_alone_states_no_origin() -> None:
    out = stepped(node(satellites=EYES[:1]), scans(("Amber",)))
    for report in launches(out):
        assert (report.area.origin, report.area.why) == ("cannot be told", "one sensor only")


def test_an_azimuth_that_wavers_at_the_edge_of_what_was_announced_is_no_departure() -> None:
    """Of the draws' azimuths some two in five are within: too few to take it for that, too many to leave."""
    burns = Burns(EYES, 1e-19, 0.02)
    for scan in scans(until_s=95.0):
        burns.take(scan)
    known = burns.all()[0].posterior
    assert known is not None
    edge = float(np.quantile(known.values[:, AZIMUTH_AT], 0.4))
    at_edge = replace(announced(edge - 0.4), to_ns=START_NS + 300 * 10**9, radius_m=50e3)
    assert not burn_agrees(at_edge, known)
    assert burn_agrees(at_edge, known, taken=True)
    assert not burn_agrees(announced(AZIMUTH + math.pi), known, taken=True)


def test_what_leaves_is_the_launch_with_the_floor_and_only_where_own_satellites_saw_it() -> None:
    mine = node(satellites=EYES, sharing=ALL)
    told = [r for scan in scans() for r in left(mine.step(scan, scan.received_ns + 2 * 10**9), LaunchReport)]
    assert told and all(r.area.semi_minor_m >= 2000.0 and r.area.track == "AMBER-B0001" for r in told)
    theirs = node(satellites=(), partner_satellites=EYES, sharing=ALL)
    out = stepped(theirs, scans())
    assert launches(out) and left(out, LaunchReport) == []


def test_an_announced_launch_is_marked_and_another_is_not() -> None:
    out = stepped(node(satellites=EYES, announced=(announced(AZIMUTH),)), scans())
    assert [n.subject for n in notes(out, "announced_launch")] == ["AMBER-B0001"]
    assert launches(out)[-1].area.announced == "orbit-1"
    out = stepped(node(satellites=EYES, announced=(announced(AZIMUTH + math.pi),)), scans())
    assert launches(out)[-1].area.announced == ""


def test_a_snapshot_between_two_scans_goes_on_as_if_nothing_had_been() -> None:
    looks = scans()
    mine = node(satellites=EYES)
    stepped(mine, looks[:14])
    again = open_snapshot(take_snapshot(mine), mine.config, Journal(None))
    for scan in looks[14:]:
        now = scan.received_ns + 2 * 10**9
        assert [encode(o) for o in mine.step(scan, now)] == [encode(o) for o in again.step(scan, now)]
