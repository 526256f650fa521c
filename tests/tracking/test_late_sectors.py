"""Late sectors: used in their place, so that the state is to the bit what all in order would give."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from watch import RADAR, Flight, aircraft, confirmed, place, salvo, sector_of, sectors

from jointwatch.records import Header
from jointwatch.tracking import history
from jointwatch.tracking.history import BEGINNING, Checkpoint, History, Taken
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.interaction import rouse
from jointwatch.tracking.table import CONFIRMED, copied, new_table
from jointwatch.tracking.tracker import Tracker

SOUTH = replace(
    RADAR, name="south", latitude_rad=math.radians(31.2), period_s=4.0, sectors=8, clutter_per_scan=80.0
)
EAST = replace(
    RADAR, name="east", longitude_rad=math.radians(36.5), period_s=5.0, sectors=12, clutter_per_scan=50.0
)
SENSORS = (RADAR, SOUTH, EAST)
CAPACITY = 1024
PLOTS = ("evidence", "recent", "first_plot", "parent_plot")
PARTS = [name for name in new_table(0).dtype.names if name not in PLOTS]


def traffic():
    """A missile that breaks in two after 75 s, another one, and an aircraft."""
    breaking = place(32.6, 38.6, 120e3, -1700.0, -60.0, 500.0, -8.4)
    part = Flight(0.0, breaking.copy())
    part.advance(75.0, None)
    part.state[3:6] += np.array([20.0, -15.0, 25.0])
    second = Flight(0.0, place(31.9, 38.9, 110e3, -1500.0, 40.0, 600.0, -8.4))
    return [Flight(0.0, breaking), replace_start(part, 75.0), second, aircraft(32.3, 36.2, 8e3, 250.0, 220.0)]


def replace_start(flight, start_s):
    flight.start_s = start_s
    return flight


@cache
def in_order(seed=1, duration_s=90.0):
    """Sectors of three radars in clutter, in the tracker's own order; they start at the same instant."""
    feed = []
    for k, sensor in enumerate(SENSORS):
        rng = np.random.default_rng([seed, k])
        feed += sectors(rng, sensor, traffic(), duration_s, clutter_per_scan=sensor.clutter_per_scan)
    names = [s.name for s in SENSORS]
    return sorted(feed, key=lambda s: (s.header.measured_ns, names.index(s.sensor), s.header.sequence))


def fresh(history_s=30.0, sensors=SENSORS):
    return Tracker("Amber", sensors, capacity=CAPACITY, history_s=history_s)


def run(feed, **how):
    tracker = fresh(**how)
    return tracker, [tracker.process(sector) for sector in feed]


def state(tracker):
    """Everything that the tracker knows, to the bit, save what its plots are called."""
    live = tracker.table[tracker.table["life"] != 0]
    for row in live:
        rouse(tracker.engine.bank, row)  # what is kept of motions asleep is nobody's state
    plots = np.column_stack([*(live[part] for part in PLOTS)])
    _, first, named = np.unique(plots, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # plots called by the order in which they turn up in the table
    return (
        np.flatnonzero(tracker.table["life"]).tobytes(),
        [live[part].tobytes() for part in PARTS],
        order[named].tobytes(),
        (plots < 0).tobytes(),
        [part.tobytes() for known in tracker.engine.learned for part in (*known.clutter, known.undetected)],
        seeds(tracker),
        tracker.engine.detection.tobytes(),
        hypotheses(tracker),
        tracker._more,
        tracker.engine.next_number,
        tracker.rejected,
    )


def seeds(tracker):
    """Seeds of each sensor, save what their plots are called."""
    live = [known.seeds.live for known in tracker.engine.learned]
    return [one[part].tobytes() for one in live for part in one.dtype.names if part != "identity"]


def hypotheses(tracker):
    """What is kept of clusters whose plots are contested, and where."""
    out = []
    for place_, c in enumerate(tracker.engine.clusters):
        n, h = int(c["tracks"]), int(c["hypotheses"])
        if n:
            kept = c["row"][:n], c["number"][:n], c["weight"][:h], c["local"][:h, :n]
            out.append((place_, int(c["calm"]), *(part.tobytes() for part in kept)))
    return out


@cache
def ordered(seed=1):
    return run(in_order(seed))


def delayed(feed, rng, share, most_s):
    """The order of arrival when a share of the sectors is held up for up to most_s."""
    held = np.where(rng.random(len(feed)) < share, rng.uniform(0.0, most_s, len(feed)), 0.0)
    arrival = [s.header.measured_ns + d * 1e9 for s, d in zip(feed, held, strict=True)]
    return [feed[i] for i in np.argsort(arrival, kind="stable")]


def published(tracker, number):
    (row,) = np.flatnonzero((tracker.table["number"] == number) & (tracker.table["life"] == CONFIRMED))
    return tracker.numbers.name_of(tracker.engine.chain_of(int(row)))


def live_by_steps(steps):
    """Numbers that a listener holds for live after all that it was told."""
    live = set()
    for step in steps:
        assert live.isdisjoint(step.born) and live >= {number for number, _ in step.ended} - set(step.born)
        live = (live | set(step.born)) - {number for number, _ in step.ended}
        assert {track.number for track in step.updated} <= live
    return live


def test_the_world_of_these_tests_has_tracks_clutter_and_births():
    tracker, steps = ordered()
    assert len(in_order()) > 500 and tracker.late == 0
    assert len(confirmed(tracker)) >= 4 and sum(k.seeds.count for k in tracker.engine.learned) > 50
    assert any(track.parent for step in steps for track in step.updated)


@pytest.mark.parametrize("lag_s", [0.5, 3.0, 12.0, 29.0])
def test_one_late_sector_leaves_what_all_in_order_would_have(lag_s):
    feed = in_order()
    late = next(s for s in feed if s.header.measured_ns > 50e9 and len(s.range_m) > 8)
    rest = [s for s in feed if s is not late]
    place_ = sum(s.header.measured_ns <= late.header.measured_ns + lag_s * 1e9 for s in rest)
    early, _ = run(rest[:place_])
    before = state(early)
    early.process(late)
    assert early.late == 1 and state(early) != before
    expected, _ = run(sorted([*rest[:place_], late], key=feed.index))
    assert state(early) == state(expected)
    for sector in rest[place_:]:
        early.process(sector)
    assert state(early) == state(ordered()[0])


def test_hypotheses_of_tracks_that_contest_plots_go_back_with_the_rest():
    pair = [Flight(0.0, place(32.0 + up, 38.0, 120e3, -1500.0, 0.0, 300.0, -8.4)) for up in (0.0, 5e-3)]
    feed = list(sectors(np.random.default_rng(11), RADAR, pair, 90.0))
    tracker, kept = fresh(sensors=[RADAR]), 0
    for sector in feed:
        tracker.process(sector)
        kept += bool(hypotheses(tracker))
    assert kept > 20  # the pair did contest plots
    late, _ = run(delayed(feed, np.random.default_rng(4), 0.3, 4.0), sensors=[RADAR])
    assert late.late > 10 and state(late) == state(tracker)


@pytest.mark.parametrize(("share", "most_s"), [(0.03, 29.0), (0.3, 2.0), (1.0, 0.8)])
def test_many_late_sectors_in_any_order_leave_what_all_in_order_would_have(share, most_s):
    tracker, steps = run(delayed(in_order(), np.random.default_rng(3), share, most_s))
    assert tracker.late > 10
    assert state(tracker) == state(ordered()[0])
    assert live_by_steps(steps) == {published(tracker, n) for n in confirmed(tracker)["number"]}


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0.0, 0.2), st.floats(0.0, 9.9))
def test_whatever_the_order_of_arrival_within_the_history_the_state_is_the_same(seed, share, most_s):
    feed = [s for s in in_order() if s.header.measured_ns < 40e9]
    tracker, _ = run(delayed(feed, np.random.default_rng(seed), share, most_s), history_s=10.0)
    assert state(tracker) == state(run(feed)[0])


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_a_whole_history_in_any_order_leaves_the_same_state(random):
    feed = [s for s in in_order() if 10e9 < s.header.measured_ns < 22e9]
    shuffled = random.sample(feed, len(feed))
    tracker, steps = run(shuffled)
    assert state(tracker) == state(run(feed)[0])
    live_by_steps(steps)


def test_sectors_of_one_instant_are_all_used_whichever_comes_first():
    feed = [s for s in in_order() if s.header.measured_ns < 30e9]
    same = [s for s in feed if s.header.measured_ns == 20_000_000_000]
    assert len(same) == 3
    swapped = sorted(feed, key=lambda s: (s.header.measured_ns, s.sensor))
    assert swapped != feed
    assert state(run(swapped)[0]) == state(run(feed)[0])


def test_a_sector_later_than_the_history_is_refused_and_one_within_it_used():
    feed = [s for s in in_order() if s.header.measured_ns < 40e9]
    first = [s for s in feed if 8e9 < s.header.measured_ns < 9e9]
    rest = [s for s in feed if s not in first]
    place_ = sum(s.header.measured_ns <= 20e9 for s in rest)
    narrow, _ = run([*rest[:place_], *first, *rest[place_:]], history_s=10.0)
    assert narrow.rejected == {"too late": len(first)} and narrow.late == 0
    assert state(narrow)[:6] == state(run(rest)[0])[:6]
    wide, _ = run([*rest[:place_], *first, *rest[place_:]], history_s=12.1)
    assert wide.rejected == {} and state(wide) == state(run(feed)[0])


# ------------------------------------------------------------------ what people are told


def number_at(steps, truth, time_ns):
    """Published number of the track nearest to a place, in the last records up to a time."""
    last = {}
    for step in steps:
        for track in step.updated:
            if track.header.measured_ns <= time_ns:
                last[track.number] = track
    return min(last.values(), key=lambda t: np.linalg.norm(np.array(t.state[:3]) - truth)).number


def test_a_track_keeps_its_number_though_late_data_changes_who_came_first():
    """Two missiles; early sectors of the first to be confirmed come late, so that the other is told first."""
    rng = np.random.default_rng(9)
    flights = [
        Flight(0.0, place(32.6, 37.6, 120e3, -1700.0, -60.0, 500.0, -8.4)),
        Flight(6.0, place(31.2, 37.9, 110e3, -1500.0, 40.0, 600.0, -8.4)),
    ]
    feed = list(sectors(rng, RADAR, flights, 60.0))
    ordered_, steps = run(feed, sensors=[RADAR])
    plots = [s for s in feed if s.range_m]
    assert len({s.azimuth_from_rad for s in plots}) == 2  # each in a wedge of its own
    first = next(s for s, step in zip(feed, steps, strict=True) if step.born)
    held = [s for s in plots if s.azimuth_from_rad == first.azimuth_from_rad and s.header.measured_ns < 20e9]
    tracker, steps = run([s for s in feed if s not in held and s.header.measured_ns < 28e9], sensors=[RADAR])
    (told,) = [number for step in steps for number in step.born]
    assert told == "AMBER-0001"
    late = [tracker.process(s) for s in held]
    assert [number for step in late for number in step.born] == ["AMBER-0002"]
    assert [number for step in late for number, _ in step.ended] == []
    steps = [tracker.process(s) for s in feed if s.header.measured_ns >= 28e9]
    assert [number for step in steps for number in step.born] == []
    # in order, the one told first would have been the second to be confirmed
    assert state(tracker) == state(ordered_)
    (second,) = confirmed(tracker)[confirmed(tracker)["number"] == 2]["mean"][:, 1, :3]
    end = feed[-1].header.measured_ns
    assert number_at(steps, second, end) == "AMBER-0001"
    assert {t.number for step in steps for t in step.updated} == {"AMBER-0001", "AMBER-0002"}


def test_a_track_that_late_data_shows_never_to_have_been_is_withdrawn():
    """Five plots in a row are a track, until a dozen empty looks between them come in."""
    flight = Flight(0.0, place(32.6, 37.6, 120e3, -1700.0, -60.0, 500.0, -8.4))
    feed = list(sectors(np.random.default_rng(4), RADAR, [flight], 40.0))
    seen = [s for s in feed if s.range_m]
    wedge = seen[0].azimuth_from_rad, seen[0].azimuth_to_rad
    tracker, steps = run(feed[: feed.index(seen[4]) + 1], sensors=[RADAR])
    assert [n for step in steps for n in step.born] == ["AMBER-0001"]
    said = []
    for k in range(40):
        between = seen[0].header.measured_ns * 1e-9 + 0.4 * (k + 1)
        if between < seen[3].header.measured_ns * 1e-9:
            said.append(tracker.process(sector_of(RADAR, 1000 + k, between, wedge, [])))
    ended = [e for step in said for e in step.ended]
    assert ended[-1:] == [("AMBER-0001", "withdrawn by late data")]
    assert {number for number, _ in ended} == {"AMBER-0001"}  # however often it changed where it began
    assert len(confirmed(tracker)) == 0 and live_by_steps([*steps, *said]) == set()


def test_a_track_ended_for_want_of_looks_that_come_late_lives_again_under_its_number():
    rng = np.random.default_rng(12)
    flight = Flight(0.0, place(32.6, 37.6, 120e3, -1700.0, -60.0, 500.0, -8.4))
    feed = list(sectors(rng, replace(RADAR, detection=0.999), [flight], 60.0))
    held = [s for s in feed if s.range_m and s.header.measured_ns > 30e9]
    blank = [replace(s, range_m=(), azimuth_rad=(), elevation_rad=(), range_rate_ms=()) for s in held]
    blank = [replace(s, header=replace(s.header, sequence=s.header.sequence + 5000)) for s in blank]
    rest = sorted([s for s in feed if s not in held] + blank, key=lambda s: s.header.measured_ns)
    tracker, steps = run(rest, sensors=[RADAR])
    assert [e for step in steps for e in step.ended] == [("AMBER-0001", "lost")]
    late = [tracker.process(s) for s in held]
    assert [n for step in late for n in step.born] == ["AMBER-0001"]
    assert live_by_steps([*steps, *late]) == {"AMBER-0001"}


def test_after_a_late_sector_every_track_that_changed_is_told_as_of_the_present():
    feed = in_order()
    _, steps = ordered()
    seen = [s for s, step in zip(feed, steps, strict=True) if any(t.hits > 8 for t in step.updated)]
    late = next(s for s in seen if s.header.measured_ns > 60e9)
    rest = [s for s in feed if s is not late and s.header.measured_ns < 66e9]
    tracker, _ = run(rest)
    before = {int(r["number"]): r["mean"].tobytes() for r in confirmed(tracker)}
    step = tracker.process(late)
    changed = {
        int(r["number"]) for r in confirmed(tracker) if before[int(r["number"])] != r["mean"].tobytes()
    }
    assert changed
    assert {published(tracker, n) for n in changed} <= {t.number for t in step.updated}
    assert {t.header.measured_ns for t in step.updated} == {rest[-1].header.measured_ns}
    assert step.look.time_ns == late.header.measured_ns and len(step.look.plots) == len(late.range_m)


def test_a_track_whose_first_plot_comes_late_keeps_its_number_though_it_began_earlier():
    feed = list(sectors(np.random.default_rng(5), RADAR, traffic()[:1], 40.0))
    first = next(s for s in feed if s.range_m)
    rest = [s for s in feed if s is not first]
    place_ = sum(s.header.measured_ns < 28e9 for s in rest)
    tracker, steps = run(rest[:place_], sensors=[RADAR])
    (began_ns,) = confirmed(tracker)["first_ns"]
    steps += [tracker.process(s) for s in [first, *rest[place_:]]]
    assert confirmed(tracker)["first_ns"] < began_ns
    assert [n for step in steps for n in step.born] == ["AMBER-0001"]
    assert [n for step in steps for n in step.ended] == []
    assert state(tracker) == state(run(feed, sensors=[RADAR])[0])


# ------------------------------------------------------------------ bounds


def checkpoint(key, rows=0):
    return Checkpoint(
        key=key, rows=np.arange(rows), table=new_table(rows), clusters=new_clusters(0), learned=(),
        detection=np.zeros((0, 4, 2)), boost=1.0, next_number=1, free=0, chains={}, more={},
    )  # fmt: skip


def filled(memory, times_s, plots=0):
    for n, time_s in enumerate(times_s):
        key = (round(time_s * 1e9), 0, n, 0.0, 1.0)
        taken = Taken(key, "north", np.zeros((plots, 4)), np.zeros(plots, np.int64), 0)
        assert memory.why_refused(key) == "" and memory.insert(taken)
        if memory.passed(taken, 0, 0):
            memory.keep(checkpoint(key))
    return memory


def test_the_history_holds_its_span_and_few_checkpoints_however_long_it_runs():
    memory = filled(History(30.0, checkpoint(BEGINNING)), np.arange(0.0, 600.0, 0.1))
    assert 300 <= len(memory._taken) < 300 + 100 and len(memory._checkpoints) < 25
    for lag_s in (0.05, 1.05, 5.05, 12.05, 29.05):
        key = (round((599.9 - lag_s) * 1e9), 0, 0, 0.0, 1.0)
        assert memory.why_refused(key) == ""
    for lag_s in (0.05, 1.05, 5.05, 12.05, 29.05):  # the newest first: a rewind forgets what comes after
        key = (round((599.9 - lag_s) * 1e9), 0, 0, 0.0, 1.0)
        start, again = memory.rewind(key)
        assert start.key < key and all(start.key < t.key for t in again)
        assert (key[0] - start.key[0]) * 1e-9 < 1.1 + lag_s / 2.0
        assert [t.key for t in again] == sorted(t.key for t in again)


@pytest.mark.parametrize(
    ("times_s", "plots"),
    [(np.linspace(0.0, 20.0, 30_000), 0), (np.zeros(20_000), 0), (np.linspace(0.0, 20.0, 800), 5000)],
    ids=["many sectors", "all at one instant", "many plots"],
)
def test_however_fast_they_come_the_history_stays_bounded(times_s, plots):
    memory = filled(History(30.0, checkpoint(BEGINNING)), times_s, plots)
    assert len(memory._taken) <= history.MOST_SECTORS * 5 // 4
    assert sum(len(t.plots) for t in memory._taken) <= history.MOST_PLOTS * 5 // 4
    assert memory.why_refused((-1, 0, 0, 0.0, 1.0)) == "too late"


def test_memory_of_a_great_table_is_not_kept_for_small_ones():
    memory = History(30.0, checkpoint(BEGINNING), budget_bytes=64 << 20)
    table = new_table(15_000)
    for n in range(1000):
        rows = np.arange(15_000 if n < 120 else 20)
        key = (n * 10**9, 0, n, 0.0, 1.0)
        memory.insert(Taken(key, "north", np.zeros((10, 4)), np.zeros(10, np.int64), 0))
        live = copied(table, rows, memory.room())
        memory.keep(replace(checkpoint(key), rows=rows, table=live))
        held = {
            id(c.table.base): c.table.base.nbytes for c in memory._checkpoints if c.table.base is not None
        }
        assert sum(held.values()) <= memory.nbytes <= 64 << 20 or len(memory._checkpoints) == 1
    assert memory.nbytes < 1 << 20


def test_a_tracker_that_runs_on_forgets_the_numbers_of_tracks_long_gone():
    tracker = fresh(history_s=5.0, sensors=[RADAR])
    rng = np.random.default_rng(7)
    published = 0
    for turn in range(10):
        flights = salvo(rng, 5, over_s=1.0)
        for sector in sectors(rng, RADAR, flights, 130.0):
            later_ns = sector.header.measured_ns + turn * 1200 * 10**9
            header = Header(
                originator="Amber", source="north", sequence=sector.header.sequence, measured_ns=later_ns
            )
            published += len(tracker.process(replace(sector, header=header, received_ns=later_ns)).born)
    assert published >= 45
    # five are live at a time; published numbers are looked through when they are more than twice as many
    assert len(tracker._chains) <= 60 and len(tracker._more) == 0 and len(tracker.numbers) <= 30
