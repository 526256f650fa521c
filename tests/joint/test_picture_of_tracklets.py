"""The joint picture of what trackers told, sector by sector: one for every node that holds the same reports.

Two or three real trackers watch one small raid in clutter; where a picture has to be led into a case that a
raid seldom shows, its tracklets are made by hand.  "The same" is to the bit.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracklets import Floats, at_s, report, tracklet
from msgspec.structs import replace
from reported_tracks import draw, spread, track
from scipy.stats import chi2
from watch import Flight, aircraft, sectors, states_at
from world import place, radar

from jointwatch.joint.identity import HORIZON_S
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.picture import JointPicture
from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE
from jointwatch.motion.propagate import propagate
from jointwatch.records import (
    Header,
    Sector,
    Sensor,
    TrackBegun,
    TrackEnded,
    TrackletReport,
    TrackReport,
)
from jointwatch.tracking.tracker import Tracker

Reports = list[TrackletReport]
RADARS: dict[str, Sensor] = {
    "Amber": radar(),
    "Blue": radar(name="south", partner="Blue", latitude_rad=math.radians(31.2), period_s=4.0, sectors=8),
    "Coral": radar(name="east", partner="Coral", longitude_rad=math.radians(36.0), period_s=6.0),
}
END_S = 80.0


def raid() -> list[Flight]:
    """Three missiles and an aircraft."""
    return [
        Flight(0.0, place(32.6, 38.6, 120e3, -1700.0, -60.0, 500.0, -8.4)),
        Flight(0.0, place(31.9, 38.9, 110e3, -1500.0, 40.0, 600.0, -8.4)),
        Flight(5.0, place(31.95, 38.9, 112e3, -1500.0, 20.0, 600.0, -8.4)),
        aircraft(32.3, 36.2, 8e3, 250.0, 220.0),
    ]


def reported(partner: str, feed: list[Sector]) -> Reports:
    """What a node tells of its own sectors."""
    tracker, out = Tracker(partner, [RADARS[partner]], capacity=1024), []
    for n, sector in enumerate(feed):
        step, now = tracker.process(sector), sector.received_ns
        told = TrackletReport(
            header=Header(originator=partner, source="", sequence=n, measured_ns=now),
            rule="all",
            begun=step.begun,
            tracklets=step.told,
            ended=tuple(TrackEnded(number=number, time_ns=now, reason=why) for number, why in step.ended),
        )
        if told.begun or told.tracklets or told.ended:
            out.append(told)
    return out


@cache
def watched(partner: str, seed: int = 1) -> Reports:
    sensor, rng = RADARS[partner], np.random.default_rng([seed, len(partner)])
    return reported(partner, list(sectors(rng, sensor, raid(), END_S, sensor.clutter_per_scan)))


@cache
def both() -> Reports:
    return sorted([*watched("Amber"), *watched("Blue")], key=lambda r: r.header.measured_ns)


def taken(*reports: TrackletReport) -> JointPicture:
    kept = JointPicture()
    for one in reports:
        kept.take(one)
    return kept


def said(joint: list[JointTrack]) -> list[tuple[object, ...]]:
    """Everything that a picture says, comparable bit for bit."""
    return [
        (
            t.number, t.aliases, t.time_ns, t.state.tobytes(), t.covariance.tobytes(), t.phases, t.existence,
            t.hits, t.first_ns, t.seen_ns, t.thrust_ms2, t.parent, t.originators,
        )
        for t in joint
    ]  # fmt: skip


def asked(kept: JointPicture, *seconds: float) -> list[list[tuple[object, ...]]]:
    return [said(kept.at(round(s * 1e9))) for s in seconds]


TIMES = (80.0, 30.5, 55.2, 80.0)


@cache
def in_order() -> list[list[tuple[object, ...]]]:
    """What one has that takes every report as it comes and asks all the time."""
    kept, now = JointPicture(), 0.0
    for one in both():
        while now < one.header.measured_ns * 1e-9:
            kept.at(round(now * 1e9))
            now += 2.0
        kept.take(one)
    return asked(kept, *TIMES)


def test_what_two_partners_see_of_a_raid_is_one_object_each_and_all_of_them() -> None:
    joint = taken(*both()).at(80_000_000_000)
    truths = states_at(raid(), 80.0)
    assert len(joint) == 4 and len({n for t in joint for n in t.aliases}) == 8
    for n, truth in enumerate(truths):
        (found,) = [t for t in joint if np.linalg.norm(t.state[:3] - truth[:3]) < 2e3]
        assert found.originators == ("Amber", "Blue")
        assert sorted(alias[:4] for alias in found.aliases) == ["AMBE", "BLUE"]
        assert found.existence > 0.9
        assert (int(np.argmax(found.phases)) == CRUISE) == (n == 3)


def test_together_they_know_each_object_better_than_either_and_as_well_as_they_say() -> None:
    nees, gained = [], []
    for seed in range(12):
        reports = [watched(p, seed) for p in ("Amber", "Blue")]
        joint = taken(*reports[0], *reports[1]).at(80_000_000_000)
        alone = [taken(*r).at(80_000_000_000) for r in reports]
        for truth in states_at(raid(), 80.0)[:3]:
            t = min(joint, key=lambda t: float(np.linalg.norm(t.state[:3] - truth[:3])))
            error, cov = (t.state - truth)[:6], t.covariance[:6, :6]
            nees.append(error @ np.linalg.solve(cov, error))
            for tracks in alone:
                own = min(tracks, key=lambda t: float(np.linalg.norm(t.state[:3] - truth[:3])))
                gained.append(np.linalg.slogdet(own.covariance[:6, :6])[1] - np.linalg.slogdet(cov)[1])
    assert min(gained) > 0.0
    low, high = chi2.ppf([0.001, 0.999], 6 * len(nees)) / len(nees)
    assert low < np.mean(nees) < high


@given(data=st.data())
@settings(max_examples=8, deadline=None, derandomize=True)
def test_the_picture_hangs_on_which_reports_there_are_and_on_nothing_else(data: st.DataObject) -> None:
    """Any order, any repeats, reports cut into parts, and whatever was asked between."""
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    reports = list(both())
    if data.draw(st.booleans()):
        reports = [
            replace(one, **{name: getattr(one, name)[k : k + 1] for name in ("begun", "tracklets", "ended")})
            for one in reports
            for k in range(max(len(one.begun), len(one.tracklets), len(one.ended)))
        ]
    reports += [reports[n] for n in rng.integers(0, len(reports), data.draw(st.sampled_from([0, 40, 600])))]
    # late by as much as a minute, or in no order at all
    lag_s = data.draw(st.sampled_from([0.3, 5.0, 60.0, 1000.0]))
    when = [one.header.measured_ns * 1e-9 + rng.uniform(0.0, lag_s) for one in reports]
    kept, questions = JointPicture(), set(rng.integers(0, len(reports), 6).tolist())
    for n, k in enumerate(np.argsort(when, kind="stable").tolist()):
        kept.take(reports[k])
        if n in questions:
            kept.at(round(rng.uniform(0.0, 90.0) * 1e9))
    assert asked(kept, *TIMES) == in_order()


def test_a_ring_of_three_in_which_every_report_goes_round_twice_adds_nothing() -> None:
    reports = [one for p in ("Amber", "Blue", "Coral") for one in watched(p)]
    reports.sort(key=lambda r: r.header.measured_ns)
    once, ring, now = JointPicture(), JointPicture(), 0.0
    waiting: list[TrackletReport] = []
    for one in reports:
        once.take(one)
        ring.take(one)
        waiting.append(one)
        if one.header.measured_ns * 1e-9 > now + 7.0:
            now += 7.0
            for again in waiting:
                ring.take(again)
            waiting.clear()
            ring.at(round(now * 1e9))
    told = sum(len(one.tracklets) for one in reports[: len(reports) - len(waiting)])
    assert ring.repeated == told and once.repeated == 0
    assert asked(ring, 80.0, 41.3) == asked(once, 80.0, 41.3)
    assert len(once.at(80_000_000_000)) == 4
    assert {len(t.aliases) for t in once.at(80_000_000_000)} == {3}


def test_a_minute_of_reports_that_comes_after_a_cut_leaves_no_trace_of_it() -> None:
    kept, held = JointPicture(), []
    for one in both():
        if one.header.originator == "Blue" and one.header.measured_ns > 15_000_000_000:
            held.append(one)
            continue
        kept.take(one)
        kept.at(one.header.measured_ns)
    before = asked(kept, *TIMES)
    for one in held:
        kept.take(one)
    assert before != asked(kept, *TIMES) == in_order()


# ---------------------------------------------------------------------- led into a case by hand


def seen(
    rng: np.random.Generator, partner: str, number: str, truths: dict[float, Floats], sigma_m: float = 60.0
) -> Reports:
    """One track's reports: a place told to sigma_m at each of some times (s)."""
    tells = np.diag([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]) / sigma_m**2
    out = []
    for n, (seconds, truth) in enumerate(sorted(truths.items())):
        point = np.array([*(truth[:3] + sigma_m * rng.normal(size=3)), 0.0, 0.0, 0.0])
        source = f"{partner}-radar-{number}"
        told = tracklet(number, seconds, source, n + 1, point, tells, 1.0)
        begun = (TrackBegun(number=number, first_ns=at_s(seconds), log_odds=9.0),) if n == 0 else ()
        out.append(report(partner, n, seconds, begun, (told,)))
    return out


def end(partner: str, number: str, seconds: float) -> TrackletReport:
    ended = TrackEnded(number=number, time_ns=at_s(seconds), reason="lost")
    return report(partner, 1000, seconds, ended=(ended,))


def flown(state: Floats, times: list[float], phase: int = BALLISTIC) -> dict[float, Floats]:
    out, s, then = {}, state.copy(), 0.0
    for seconds in times:
        propagate(phase, s, seconds - then)
        then = seconds
        out[seconds] = s.copy()
    return out


MISSILE = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0, -8.6)
PLANE = place(33.0, 41.0, 9e3, -200.0, 100.0, 0.0, 0.0)


def every(step_s: float, begin_s: float, end_s: float) -> list[float]:
    return [round(t, 6) for t in np.arange(begin_s, end_s, step_s).tolist()]


def test_a_track_lost_by_one_and_found_anew_keeps_the_joint_number() -> None:
    rng = np.random.default_rng(1)
    ours = seen(rng, "Amber", "AMBER-0003", flown(MISSILE, every(5.0, 0.0, 40.0)))
    lost = end("Amber", "AMBER-0003", 50.0)
    anew = seen(rng, "Amber", "AMBER-0008", flown(MISSILE, every(5.0, 60.0, 120.0)))
    theirs = seen(rng, "Blue", "BLUE-0001", flown(MISSILE, every(4.0, 1.0, 120.0)))
    reports = sorted([*ours, lost, *anew, *theirs], key=lambda r: r.header.measured_ns)
    kept, names = JointPicture(), []
    for one in reports:
        kept.take(one)
        if one.header.measured_ns > at_s(20.0):
            names.append([t.aliases for t in kept.at(one.header.measured_ns + 600_000_000)])
    assert names[0] == [("AMBER-0003", "BLUE-0001")]
    assert names[-1] == [("AMBER-0003", "AMBER-0008", "BLUE-0001")]
    # for a while the new track may stand beside the old object, never the old number beside itself
    assert all(sum("AMBER-0003" in a for a in now) == 1 for now in names)
    assert asked(taken(*reversed(reports)), *()) == []
    assert said(taken(*reversed(reports)).at(at_s(121.0))) == said(kept.at(at_s(121.0)))
    (last,) = kept.at(at_s(121.0))
    assert last.originators == ("Amber", "Blue") and last.first_ns == at_s(0.0)
    # what the lost one told is in it still
    assert last.hits == len(ours) + len(anew) + len(theirs)


def test_a_pair_wrongly_joined_parts_again_and_each_goes_on_with_its_own_tracklets() -> None:
    rng = np.random.default_rng(2)
    other = MISSILE + np.array([0.0, 30.0, 0.0, 0.0, 0.0, 12.0, 0.0])  # parts by 12 m/s
    ours = seen(rng, "Amber", "AMBER-0001", flown(MISSILE, every(2.0, 0.0, 100.0)))
    theirs = seen(rng, "Blue", "BLUE-0001", flown(other, every(2.0, 1.0, 100.0)))
    kept, objects = JointPicture(), {}
    for one in sorted([*ours, *theirs], key=lambda r: r.header.measured_ns):
        kept.take(one)
        objects[one.header.measured_ns] = len(kept.at(one.header.measured_ns))
    counts = [n for time_ns, n in objects.items() if time_ns > at_s(5.0)]
    assert counts[0] == 1 and counts[-1] == 2
    assert counts == sorted(counts), "once apart they stay so"
    alone = {n: taken(*r).at(at_s(100.0)) for n, r in (("AMBER-0001", ours), ("BLUE-0001", theirs))}
    for t in kept.at(at_s(100.0)):
        assert said([t]) == said(alone[t.number])


def long_flight(minutes: float) -> tuple[Reports, Reports]:
    """An aircraft that two partners follow for long, and a missile of each that comes and goes."""
    rng = np.random.default_rng(3)
    ours = seen(rng, "Amber", "AMBER-0001", flown(PLANE, every(6.0, 0.0, 60.0 * minutes), CRUISE), 50.0)
    theirs = seen(rng, "Blue", "BLUE-0001", flown(PLANE, every(8.0, 300.0, 60.0 * minutes), CRUISE), 50.0)
    short = flown(MISSILE, every(5.0, 10.0, 120.0))
    early = [*seen(rng, "Amber", "AMBER-0002", short), end("Amber", "AMBER-0002", 130.0)]
    reports = sorted([*ours, *theirs, *early], key=lambda r: r.header.measured_ns)
    return reports, early


def test_what_is_repeated_from_beyond_the_horizon_changes_nothing() -> None:
    reports, early = long_flight(40.0)
    kept = JointPicture()
    for n, one in enumerate(reports):
        kept.take(one)
        if n % 20 == 0:
            kept.at(one.header.measured_ns)
    before = [said(kept.at(at_s(s))) for s in (2400.0, 1800.0, 2401.0)]
    epochs, tracks = list(kept._identity._epochs), sorted(kept._tracks)
    assert [t.aliases for t in kept.at(at_s(2401.0))] == [("AMBER-0001", "BLUE-0001")]
    assert tracks == [("Amber", "AMBER-0001"), ("Blue", "BLUE-0001")], "what ended long ago is forgotten"
    for one in [*reports, *early]:
        kept.take(one)
    assert kept.too_late > 0
    assert [said(kept.at(at_s(s))) for s in (2400.0, 1800.0, 2401.0)] == before
    assert kept._identity._epochs[-len(epochs) :] == epochs
    kept.at(at_s(2470.0))
    assert sorted(kept._tracks) == tracks, "a beginning told again is forgotten again"


def test_what_is_kept_of_a_long_flight_is_bounded() -> None:
    reports, _ = long_flight(60.0)
    kept = JointPicture()
    for n, one in enumerate(reports):
        kept.take(one)
        if n % 20 == 0:
            kept.at(one.header.measured_ns)
    streams = [*(t.stream for t in kept._tracks.values()), *(o.stream for o in kept._objects.values())]
    assert max(len(s.keys) for s in streams) < 2.0 * HORIZON_S / 6.0 * 2.0
    assert len(kept._identity._epochs) < 1.2 * HORIZON_S
    assert max(len(t.moments) for t in kept._tracks.values()) < 1.2 * HORIZON_S


@pytest.mark.parametrize("steps", [(1, 3), (3, 1), (2, 5)])
def test_an_aircraft_of_which_much_is_forgotten_is_joined_late_without_old_words_at_a_wrong_time(
    steps: tuple[int, int],
) -> None:
    """The second partner's track is old as well, but seen as another object until then."""
    rng = np.random.default_rng(4)
    track_ = flown(PLANE, every(6.0, 0.0, 2400.0), CRUISE)
    off = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    aside = {s: x + max(0.0, 5e3 - 4.0 * s) * off for s, x in track_.items()}
    ours, theirs = (
        {s: x for n, (s, x) in enumerate(told.items()) if n % step == 0}
        for told, step in zip((track_, aside), steps, strict=True)
    )
    reports = [*seen(rng, "Amber", "AMBER-0001", ours), *seen(rng, "Blue", "BLUE-0001", theirs)]
    kept = JointPicture()
    nees, together = [], []
    for n, one in enumerate(sorted(reports, key=lambda r: r.header.measured_ns)):
        kept.take(one)
        seconds = one.header.measured_ns - at_s(0.0)
        if n % 10 == 0 and seconds > 600e9:
            now = kept.at(one.header.measured_ns)
            together.append(len(now) == 1)
            truth = track_[round(seconds * 1e-9, 6)]
            for t in now:
                error = (t.state - truth)[:6]
                if len(now) == 1:
                    nees.append(error @ np.linalg.solve(t.covariance[:6, :6], error))
    assert together[0] is False and together[-1] is True
    assert np.median(nees) < 12.0
    # nor does it hang on when it was asked, and so on when it forgot what
    seldom = JointPicture()
    for n, one in enumerate(sorted(reports, key=lambda r: r.header.measured_ns)):
        seldom.take(one)
        if n % 37 == 5:
            seldom.at(one.header.measured_ns)
    assert said(seldom.at(at_s(2401.0))) == said(kept.at(at_s(2401.0)))


def test_a_track_that_ended_is_kept_as_long_as_a_decision_names_it() -> None:
    """What is asked of the past, or decided again for a late report, may be of what ended since."""
    rng = np.random.default_rng(5)
    ours = seen(rng, "Amber", "AMBER-0001", flown(MISSILE, every(5.0, 0.0, 60.0)))
    theirs = seen(rng, "Blue", "BLUE-0001", flown(MISSILE, every(5.0, 1.0, 200.0)))
    plane = seen(rng, "Coral", "CORAL-0001", flown(PLANE, every(10.0, 0.0, 1500.0), CRUISE))
    ends = [end("Amber", "AMBER-0001", 70.0), end("Blue", "BLUE-0001", 300.0)]
    late = theirs.pop()
    kept = JointPicture()
    for one in sorted([*ours, *theirs, *plane, *ends], key=lambda r: r.header.measured_ns):
        kept.take(one)
        kept.at(one.header.measured_ns)
        if one.header.measured_ns == at_s(1050.0):
            kept.take(late)
            assert [t.aliases for t in kept.at(at_s(250.0))] == [("AMBER-0001", "BLUE-0001"), ("CORAL-0001",)]
    assert [t.number for t in kept.at(at_s(1490.0))] == ["CORAL-0001"]
    assert sorted(kept._tracks) == [("Coral", "CORAL-0001")]


def test_a_beginning_told_twice_with_other_words_counts_once() -> None:
    rng = np.random.default_rng(6)
    told = seen(rng, "Amber", "AMBER-0001", flown(MISSILE, every(5.0, 0.0, 40.0)))
    other = TrackBegun(number="AMBER-0001", first_ns=at_s(4.0), log_odds=2.0)
    again = report("Amber", 91, 41.0, begun=(other,))
    kept = [taken(*told, again), taken(again, *reversed(told))]
    pictures = [said(k.at(at_s(41.0))) for k in kept]
    assert pictures[0] == pictures[1] == said(taken(*told).at(at_s(41.0)))


# ---------------------------------------------------------------------- coarsened beside exact


def coarse_report(
    partner: str, number: str, seconds: float, state: Floats, covariance: Floats
) -> TrackReport:
    one = track(f"{partner.upper()}-{number}", state, covariance, at_s(seconds))
    header = Header(originator=partner, source="", sequence=0, measured_ns=at_s(seconds))
    return TrackReport(header=header, rule="coarse", tracks=(one,))


@pytest.mark.parametrize("common", [False, True], ids=["of its own", "of what was told already"])
def test_with_a_coarsened_track_beside_them_tracklets_are_never_too_sure(common: bool) -> None:
    """The coarsened track holds errors of its own, or those of the very tracklets."""
    nees, narrower = [], []
    times = every(4.0, 0.0, 40.0)
    for seed in range(60):
        rng = np.random.default_rng([seed, 9])
        ours = seen(rng, "Amber", "AMBER-0001", flown(MISSILE, times))
        truth = flown(MISSILE, [40.0])[40.0]
        alone = taken(*ours).at(at_s(40.0))[0]
        c = alone.covariance if common else spread(150.0, 8.0)
        state = alone.state if common else truth + draw(rng, c)
        kept = taken(*ours)
        kept.take(coarse_report("Blue", "0001", 39.0, flown(state, [0.0, -1.0])[-1.0], c))
        (both_,) = kept.at(at_s(40.6))
        assert both_.aliases == ("AMBER-0001", "BLUE-0001")
        after = flown(truth, [0.6])[0.6]
        error = (both_.state - after)[:6]
        nees.append(error @ np.linalg.solve(both_.covariance[:6, :6], error))
        own = taken(*ours).at(at_s(40.6))[0].covariance
        narrower.append(np.linalg.slogdet(own[:6, :6])[1] - np.linalg.slogdet(both_.covariance[:6, :6])[1])
    high = chi2.ppf(0.999, 6 * len(nees)) / len(nees)
    assert np.mean(nees) < high
    if common:
        assert max(narrower) < 0.5, "nothing new was told"


def test_of_two_coarsened_reports_of_one_number_the_same_counts_whichever_came_first() -> None:
    one = coarse_report("Blue", "0001", 1.0, MISSILE, spread(150.0, 8.0))
    other = coarse_report("Blue", "0001", 1.0, MISSILE + 50.0, spread(150.0, 8.0))
    pictures = []
    for order in ((one, other), (other, one)):
        kept = JointPicture()
        for r in order:
            kept.take(r)
        pictures.append(said(kept.at(at_s(2.0))))
    assert pictures[0] == pictures[1]


def test_what_was_taken_back_in_full_and_goes_on_coarsened_is_as_it_is_told_now() -> None:
    rng = np.random.default_rng(8)
    flight = flown(MISSILE, every(2.0, 0.0, 200.0))
    kept, alone = JointPicture(), JointPicture()
    for one in seen(rng, "Amber", "AMBER-0001", {s: x for s, x in flight.items() if s < 60.0}):
        kept.take(one)
    kept.take(end("Amber", "AMBER-0001", 60.0))
    for s, x in flight.items():
        if s > 60.0:
            coarse = track("AMBER-0001", x, spread(300.0, 10.0), at_s(s))
            header = Header(originator="Amber", source="", sequence=0, measured_ns=at_s(s))
            for picture in (kept, alone):
                picture.take(TrackReport(header=header, rule="", tracks=(coarse,)))
    (now,), (wanted,) = kept.at(at_s(199.0)), alone.at(at_s(199.0))
    assert now.state.tobytes() == wanted.state.tobytes()
    assert now.covariance.tobytes() == wanted.covariance.tobytes()


def test_phases_of_what_nobody_tells_of_for_long_stay_probabilities() -> None:
    rng = np.random.default_rng(9)
    boosting = flown(MISSILE, every(2.0, 0.0, 60.0), BOOST)
    kept = JointPicture()
    for one in seen(rng, "Amber", "AMBER-0001", boosting):
        kept.take(one)
    for seconds in (60.0, 90.0, 120.0, 300.0, 600.0):
        for found in kept.at(at_s(seconds)):
            assert all(0.0 <= p <= 1.0 for p in found.phases)
            assert sum(found.phases) == pytest.approx(1.0)
