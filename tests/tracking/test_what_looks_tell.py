"""What a sector told of each track, as its node sends it on: all of it, each plot once, by a known number."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from msgspec.structs import replace
from watch import RADAR, ROW, Flight, aircraft, confirmed, place, salvo, sector_of, sectors

from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED
from jointwatch.tracking.tracker import Tracker

SURE = Rules().sure_log_odds
SLOW = replace(RADAR, period_s=10.0, sectors=12)
SHAKY = replace(RADAR, detection=0.6)


def missile(start_s=0.0):
    return Flight(start_s, place(32.6, 37.6, 120e3, -1700.0, -60.0, 500.0, -8.4))


def watched(sensor, feed, history_s=30.0):
    """A tracker, its steps, and what each look should have shown: numbers, and the claims of its plots."""
    tracker = Tracker("Amber", [sensor], capacity=512, history_s=history_s)
    look, seen = tracker.engine.look, []

    def noted(*args, **how):
        out = look(*args, **how)
        seen.append(out)
        return out

    tracker.engine.look = noted
    steps, looked, claims = [], [], []
    for sector in feed:
        seen.clear()
        steps.append(tracker.process(sector))
        table = tracker.table
        rows = [i for one in seen for i in one.touched.tolist() if table[i]["life"] == CONFIRMED]
        names = [tracker.numbers.name_of(tracker.engine.chain_of(i)) for i in rows]
        looked.append(dict(zip(names, rows, strict=True)))
        claims.append([one.claims for one in seen])
    return tracker, steps, looked, claims


def information_of(tracklet):
    return np.array(tracklet.information)


def told_by(steps):
    return [t for step in steps for t in step.told]


def assert_each_once_and_of_known_tracks(steps):
    """No sector is told twice for one track, and no track is spoken of before it is told to have begun."""
    each = Counter((t.number, t.source, t.sequence) for t in told_by(steps))
    assert not each or max(each.values()) == 1
    known = set()
    for step in steps:
        known |= {b.number for b in step.begun}
        assert {t.number for t in step.told} <= known
        assert {b.number for b in step.begun} == set(step.born)


@pytest.mark.parametrize("sensor", [RADAR, SHAKY, SLOW], ids=["usual", "shaky", "slow"])
def test_every_sector_that_should_show_a_track_tells_one_tracklet_of_it(sensor):
    flights = [*salvo(np.random.default_rng(1), 4, over_s=20.0), aircraft(32.3, 36.2, 8e3, 250.0, 220.0)]
    feed = list(sectors(np.random.default_rng(2), sensor, flights, 150.0, clutter_per_scan=60.0))
    tracker, steps, looked, _ = watched(sensor, feed)
    assert len(confirmed(tracker)) == 5
    assert_each_once_and_of_known_tracks(steps)
    missed = 0
    for sector, step, rows in zip(feed, steps, looked, strict=True):
        begun = {b.number for b in step.begun}
        now = [t for t in step.told if t.sequence == sector.header.sequence]
        assert {t.number for t in now} - begun == set(rows) - begun
        assert all(t.time_ns == sector.header.measured_ns and t.source == sensor.name for t in now)
        # nothing is told of other sectors but what a new track began with
        assert {t.number for t in step.told if t.sequence != sector.header.sequence} <= begun
        for t in now:
            if not information_of(t).any():
                missed += 1
                assert t.evidence < 0.0
    # radars see about nine looks in ten, and the shaky one six
    share = missed / len(told_by(steps))
    assert share < 0.25 or (sensor is SHAKY and 0.25 < share < 0.55)
    assert missed > 3


@pytest.mark.parametrize(
    ("sensor", "history_s"), [(RADAR, 30.0), (SLOW, 30.0), (SLOW, 5.0), (SHAKY, 5.0)],
    ids=["usual", "slow", "slow and soon forgotten", "shaky and soon forgotten"],
)  # fmt: skip
def test_a_new_track_brings_the_plots_that_it_began_with(sensor, history_s):
    feed = list(sectors(np.random.default_rng(3), sensor, [missile()], 120.0, clutter_per_scan=30.0))
    _, steps, _, _ = watched(sensor, feed, history_s)
    (born,) = [step for step in steps if step.begun]
    (begun,) = born.begun
    times = [t.time_ns for t in born.told]
    hits = next(track.hits for track in born.updated if track.number == begun.number)
    assert len(born.told) == hits >= 3
    assert times == sorted(times) and times[0] == begun.first_ns and times[-1] == born.look.time_ns
    by_sequence = {s.header.sequence: s for s in feed}
    flight = missile()
    for t in born.told:
        assert by_sequence[t.sequence].header.measured_ns == t.time_ns
        flight.advance(t.time_ns * 1e-9, None)
        # its place is the plot's: as far off as the radar's errors, and told with them
        information = np.zeros((6, 6))
        information[np.triu_indices(6)] = information_of(t)
        error = flight.state[:3] - np.array(t.point[:3])
        assert error @ (information[:3, :3] + np.triu(information[:3, :3], 1).T) @ error < 25.0
        assert t.evidence == 0.0
    assert begun.log_odds == pytest.approx(min(begun.log_odds, SURE)) and begun.log_odds > 2.0


def test_what_looks_add_is_what_the_track_itself_became_sure_of():
    for seed, sensor in ((4, RADAR), (5, SHAKY)):
        rng = np.random.default_rng(seed)
        tracker, steps, _, _ = watched(sensor, list(sectors(rng, sensor, [missile()], 140.0, 40.0)))
        (row,) = confirmed(tracker)
        odds = None
        for step in steps:
            odds = step.begun[0].log_odds if step.begun else odds
            for t in step.told:
                odds = float(np.clip(odds + t.evidence, -SURE, SURE))
        assert odds == pytest.approx(row["log_odds"], abs=0.3)


def test_of_tracks_side_by_side_no_plot_is_given_out_more_than_once():
    side = missile()
    line = side.state[:3] - ROW[:3]
    across = np.cross(line, side.state[3:6])
    side.state[:3] += 450.0 * across / np.linalg.norm(across)
    feed = list(sectors(np.random.default_rng(6), RADAR, [missile(), side], 200.0, clutter_per_scan=30.0))
    tracker, steps, _, claims = watched(RADAR, feed)
    assert len(confirmed(tracker)) == 2
    shared = 0
    for looks in claims:
        for c in looks:
            many = int(c.many[0])
            by_plot, by_row = defaultdict(float), defaultdict(float)
            pairs = Counter(zip(c.row[:many].tolist(), c.plot[:many].tolist(), strict=True))
            assert not pairs or max(pairs.values()) == 1
            for row, plot, weight in zip(c.row[:many], c.plot[:many], c.weight[:many], strict=True):
                assert weight >= 0.0
                by_plot[plot] += weight
                by_row[row] += weight
                shared += 0.1 < weight < 0.9
            assert all(total <= 1.0 + 1e-9 for total in (*by_plot.values(), *by_row.values()))
    assert shared > 20, "they contest nothing, so this shows nothing"
    # what both are told of a place together is no more than their plots told
    plots = sum(len(step.look.plots) for step in steps)
    traces = sum(information_of(t)[0] + information_of(t)[6] + information_of(t)[11] for t in told_by(steps))
    alone = max(information_of(t)[0] + information_of(t)[6] + information_of(t)[11] for t in told_by(steps))
    assert 0.0 < traces < 1.05 * alone * plots


# ---------------------------------------------------------------------- late sectors


def late_feed(rng, feed, lag_s, share):
    """Some sectors come up to lag_s late."""
    lag = np.where(rng.random(len(feed)) < share, rng.uniform(0.0, lag_s, len(feed)), 0.0)
    when = [s.header.measured_ns * 1e-9 + d for s, d in zip(feed, lag, strict=True)]
    return [feed[n] for n in np.argsort(when, kind="stable")]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_late_each_plot_is_told_once_and_none_is_lost(seed):
    rng = np.random.default_rng([seed, 1])
    flights = [*salvo(rng, 3, over_s=20.0), aircraft(32.3, 36.2, 8e3, 250.0, 220.0)]
    feed = list(sectors(rng, RADAR, flights, 110.0, clutter_per_scan=60.0))
    feed = [s for s in feed if s.range_m]
    _, ordered, _, _ = watched(RADAR, feed)
    tracker, steps, _, _ = watched(RADAR, late_feed(rng, feed, 25.0, 0.3))
    assert tracker.late > 10
    assert_each_once_and_of_known_tracks(steps)
    # looks of good tracks told: as many as in order, but for those that a track not found yet could not have
    looks = [sum(information_of(t).any() for t in told_by(s)) for s in (ordered, steps)]
    assert looks[1] > 0.93 * looks[0]


def test_a_sector_that_shows_where_a_track_began_is_told_under_its_number():
    """Its chain is another from then on, and has the number that people know."""
    feed = list(sectors(np.random.default_rng(5), RADAR, [missile()], 40.0))
    first = next(s for s in feed if s.range_m)
    rest = [s for s in feed if s is not first]
    split = sum(s.header.measured_ns < 28e9 for s in rest)
    tracker, steps, _, _ = watched(RADAR, [*rest[:split], first, *rest[split:]])
    assert tracker.late == 1 and len(confirmed(tracker)) == 1
    assert_each_once_and_of_known_tracks(steps)
    assert {t.number for t in told_by(steps)} == {"AMBER-0001"}
    (late,) = [t for t in told_by(steps) if t.sequence == first.header.sequence]
    assert information_of(late).any() and late in steps[split].told


def test_of_a_track_that_never_was_nothing_more_is_told():
    """Five plots in a row are a track, until a dozen empty looks between them come in."""
    feed = list(sectors(np.random.default_rng(4), RADAR, [missile()], 40.0))
    seen = [s for s in feed if s.range_m]
    wedge = seen[0].azimuth_from_rad, seen[0].azimuth_to_rad
    since_s = seen[0].header.measured_ns * 1e-9
    blank = [sector_of(RADAR, 1000 + k, since_s + 0.4 * (k + 1), wedge, []) for k in range(40)]
    blank = [s for s in blank if s.header.measured_ns < seen[3].header.measured_ns]
    tracker, steps, _, _ = watched(RADAR, [*feed[: feed.index(seen[4]) + 1], *blank])
    assert len(confirmed(tracker)) == 0
    assert_each_once_and_of_known_tracks(steps)


def test_a_track_first_told_of_by_a_replay_begins_with_the_odds_of_when_it_was_confirmed():
    """What later looks of the replay add is in their tracklets, and would be counted twice."""
    feed = list(sectors(np.random.default_rng(7), replace(RADAR, detection=0.99), [missile()], 29.0))
    seen = [s for s in feed if s.range_m]
    assert len(seen) == 6
    empty = dict.fromkeys(("range_m", "azimuth_rad", "elevation_rad", "range_rate_ms"), ())
    feed = [replace(s, **empty) if s in seen[-2:] else s for s in feed]
    late = [s for s in feed if s.range_m]
    # the plots come last, when the looks that missed it are there
    tracker, steps, _, _ = watched(RADAR, [*(s for s in feed if not s.range_m), *reversed(late)])
    (row,) = confirmed(tracker)
    (begun,) = [b for step in steps for b in step.begun]
    odds = begun.log_odds
    for t in sorted(told_by(steps), key=lambda t: t.time_ns):
        odds = float(np.clip(odds + t.evidence, -SURE, SURE))
    assert odds < begun.log_odds - 2.0
    assert odds == pytest.approx(row["log_odds"], abs=0.3)
