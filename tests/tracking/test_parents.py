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
        for number in step.broken:
            broke.setdefault(number, sector.header.measured_ns / NS)
        time_s = sector.header.measured_ns / NS
        if time_s >= WHOLE_S and flights[0].start_s < WHOLE_S:
            flights[0].advance(time_s, rng)
            whole = flights.pop().state
            for lost_ms in rng.uniform(1000.0, 1300.0, pieces):
                piece = whole.copy()
                piece[3:6] *= 1.0 - lost_ms / np.linalg.norm(whole[3:6])
                piece[3:6] += 60.0 * rng.normal(size=3)
                flights.append(Flight(time_s, piece))
    others = min((time_s for number, time_s in broke.items() if number != numbers[0]), default=None)
    return [parents[n] for n in numbers[1:]], numbers[0], broke.get(numbers[0]), others


def test_of_what_breaks_up_within_a_minute_some_part_is_known_as_such():
    """One is enough for a doubt of the whole (`joint.parts`)."""
    known = 0
    for seed in range(6):
        parents, whole, _, _ = new_tracks(seed, 5)
        assert len(parents) >= 3 and set(parents) <= {whole, ""}
        known += whole in parents
    assert known >= 5


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
