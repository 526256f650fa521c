"""What a young track's parts are known by, and that an object lost and found is no part of itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from watch import NS, Flight, salvo, sectors
from world import RADAR

from jointwatch.tracking.tracker import Tracker

WHOLE_S, AFTER_S = 95.0, 25.0
"""It comes into the radar's reach a minute after it begins, breaks up then, and is watched so long after."""
FAST = replace(RADAR, period_s=4.0)


def new_tracks(seed, pieces):
    """The parent of each track that begins after a missile is so many pieces, and its number; and when (s)
    the tracker said first that it, and that anything else broke up (None: never).

    Each is slower by a kilometre a second, so that the missile's track follows none of them.
    """
    rng = np.random.default_rng(seed)
    tracker, flights = Tracker("Amber", [FAST], capacity=256), salvo(rng, 1, over_s=1.0)
    numbers, parents, broke = [], {}, {}
    for sector in sectors(rng, FAST, flights, WHOLE_S + AFTER_S):
        step = tracker.process(sector)
        for track in step.updated:
            if track.number not in numbers:
                numbers.append(track.number)
            parents[track.number] = track.parent
        for number, time_ns in step.broken:
            broke.setdefault(number, time_ns / NS)
        time_s = sector.header.measured_ns / NS
        if time_s >= WHOLE_S and flights[0].start_s < WHOLE_S:
            break_up(flights, time_s, rng, pieces)
    others = min((time_s for number, time_s in broke.items() if number != numbers[0]), default=None)
    return [parents[n] for n in numbers[1:]], numbers[0], broke.get(numbers[0]), others


def break_up(flights, time_s, rng, pieces):
    """Have the last of flights be so many pieces from a time on."""
    flights[0].advance(time_s, rng)
    whole = flights.pop().state
    for lost_ms in rng.uniform(1000.0, 1300.0, pieces):
        piece = whole.copy()
        piece[3:6] *= 1.0 - lost_ms / np.linalg.norm(whole[3:6])
        piece[3:6] += 60.0 * rng.normal(size=3)
        flights.append(Flight(time_s, piece))


def test_of_what_breaks_up_within_a_minute_some_part_is_known_as_such():
    """One is enough for a doubt of the whole (`joint.parts`)."""
    known = 0
    for seed in range(6):
        parents, whole, _, _ = new_tracks(seed, 5)
        assert len(parents) >= 3 and set(parents) <= {whole, ""}
        known += whole in parents
    assert known >= 5


def test_a_late_sector_makes_no_break_up_older_or_younger():
    """What it has the tracker go through again is said again, each with the time of its own look."""
    rng = np.random.default_rng(1)
    flights = salvo(rng, 1, over_s=1.0)
    tracker, said, late = Tracker("Amber", [FAST], capacity=256), [], None
    for sector in sectors(rng, FAST, flights, WHOLE_S + AFTER_S):
        time_s = sector.header.measured_ns / NS
        if late is None and time_s > WHOLE_S - 2.0:
            late = sector
            continue
        said += tracker.process(sector).broken
        if time_s >= WHOLE_S and flights[0].start_s < WHOLE_S:
            break_up(flights, time_s, rng, 5)
        if said:
            break
    again = tracker.process(late).broken
    assert set(again) == set(said) and len(said) == len(again) == 1


@pytest.mark.parametrize("seed", range(6))
def test_what_is_lost_and_found_is_no_part_of_itself(seed):
    parents, _, broke_s, others_s = new_tracks(seed, 1)
    assert parents == [""]
    assert broke_s is None and others_s is None


def test_what_breaks_up_is_known_by_the_second_look_at_its_parts():
    """Not by the third or fourth, which makes a part a track; looks that miss parts themselves are borne."""
    known_s = []
    for seed in range(12):
        _, _, broke_s, others_s = new_tracks(seed, 5)
        assert broke_s is None or broke_s > WHOLE_S
        assert others_s is None
        known_s.append(math.inf if broke_s is None else broke_s - WHOLE_S)
    assert np.median(known_s) <= 2.0 * FAST.period_s + 0.5, known_s
