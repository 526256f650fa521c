"""The probability of detection as a state: learned of sensors that see less than they say, or more."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from watch import RADAR

from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import RANGE_MAX, sensor_row
from jointwatch.tracking.detection import (
    BANDS,
    LEAST_FACTOR,
    MEMORY_LOOKS,
    MOST_FACTOR,
    PRIOR_LOOKS,
    SEEN,
    SUREST,
    believed_detection,
    detection_factor,
    judge_looks,
    learn_detection,
    new_detection,
)
from jointwatch.tracking.table import new_table

ROW = sensor_row(RADAR)
CONFIGURED = RADAR.detection
NEAR = 100e3


def learned(rng, true_pd, looks, sure=1.0, state=None):
    """State after independent looks at an object in the nearest band; `sure` is how surely it exists."""
    state = new_detection(ROW) if state is None else state
    outcome = (rng.random(looks) < true_pd).astype(float)
    same = np.ones(looks)
    learn_detection(state, ROW, NEAR * same, CONFIGURED * same, outcome, sure * same)
    return state


def factor(state):
    return detection_factor(state, ROW, NEAR)


def belief(state):
    return believed_detection(state, ROW, NEAR, 0.3)


def test_before_any_look_the_configured_curve_is_believed():
    state = new_detection(ROW)
    for r in np.linspace(2e3, RADAR.range_max_m - 1.0, 40):
        assert believed_detection(state, ROW, r, 0.3) == pytest.approx(detection_probability(ROW, r, 0.3))
    assert believed_detection(state, ROW, NEAR, math.radians(85.0)) == 0.0  # outside coverage


def test_a_radar_that_sees_seven_of_ten_is_found_out_within_1500_looks():
    errors = [belief(learned(np.random.default_rng(seed), 0.7, 1500)) - 0.7 for seed in range(60)]
    assert np.max(np.abs(errors)) < 0.04
    assert abs(np.mean(errors)) < 0.008


@pytest.mark.parametrize("looks", [20, 200, 3000])
def test_a_radar_that_is_as_good_as_it_says_stays_believed(looks):
    factors = np.array(
        [factor(learned(np.random.default_rng(seed), CONFIGURED, looks)) for seed in range(60)]
    )
    error = factors.std(ddof=1) / math.sqrt(len(factors))
    assert abs(factors.mean() - 1.0) < 3.5 * error
    assert factors.std() < 0.03


def test_a_few_misses_prove_little_and_fifty_prove_half():
    assert factor(learned(np.random.default_rng(0), 0.0, 5)) > 0.9
    after = factor(learned(np.random.default_rng(0), 0.0, int(PRIOR_LOOKS)))
    assert after == pytest.approx(0.5, abs=0.02)


def test_a_radar_that_breaks_is_followed():
    rng = np.random.default_rng(7)
    state = learned(rng, CONFIGURED, 5000)
    learned(rng, 0.5, 3 * int(MEMORY_LOOKS), state=state)
    assert belief(state) == pytest.approx(0.5, abs=0.06)
    learned(rng, CONFIGURED, 3 * int(MEMORY_LOOKS), state=state)
    assert belief(state) == pytest.approx(CONFIGURED, abs=0.06)


def test_the_factor_is_bounded_and_no_look_is_believed_sure():
    blind = learned(np.random.default_rng(1), 0.0, 20000)
    assert factor(blind) == LEAST_FACTOR
    row = sensor_row(replace(RADAR, detection=0.8))
    sharp, same = new_detection(row), np.ones(20000)
    learn_detection(sharp, row, NEAR * same, 0.8 * same, same, same)
    assert detection_factor(sharp, row, NEAR) == MOST_FACTOR
    row = sensor_row(replace(RADAR, detection=0.99))
    state = new_detection(row)
    state[:, SEEN] *= 1.05
    assert believed_detection(state, row, NEAR, 0.3) == SUREST


def test_each_band_of_range_learns_for_itself():
    rng = np.random.default_rng(2)
    state = new_detection(ROW)
    true = np.array([0.9, 0.8, 0.6, 0.45])
    band = rng.integers(BANDS, size=16000)
    ranges = (band + rng.random(len(band))) / BANDS * RADAR.range_max_m
    outcome = (rng.random(len(band)) < true[band]).astype(float)
    learn_detection(state, ROW, ranges, np.full(len(band), CONFIGURED), outcome, np.ones(len(band)))
    got = [detection_factor(state, ROW, (b + 0.5) / BANDS * RADAR.range_max_m) for b in range(BANDS)]
    assert np.allclose(got, true / CONFIGURED, atol=0.06)


def test_tracks_that_hardly_exist_teach_hardly_anything():
    state = learned(np.random.default_rng(3), 0.0, 200, sure=0.02)
    assert factor(state) > 0.9
    assert factor(learned(np.random.default_rng(3), 0.0, 200, sure=0.0)) == 1.0


def test_learning_is_a_decaying_count_written_out():
    rng = np.random.default_rng(4)
    n = 300
    ranges = rng.uniform(0.0, 1.2 * RADAR.range_max_m, n)
    expected, outcome, weight = rng.random(n), rng.random(n), rng.uniform(-0.2, 1.2, n)
    expected[:20] = 0.0
    counts = np.full((BANDS, 2), 50.0 * CONFIGURED)
    for r, p, q, w in zip(ranges, expected, outcome, np.clip(weight, 0.0, 1.0), strict=True):
        if p > 0.0:
            b = min(int(4.0 * r / RADAR.range_max_m), 3)
            counts[b] = (1.0 - w / 1000.0) * counts[b] + w * np.array([q, p])
    state = new_detection(ROW)
    learn_detection(state, ROW, ranges, expected, outcome, weight)
    assert np.allclose(state, counts, rtol=1e-12)
    for r in ranges:
        b = min(int(4.0 * r / RADAR.range_max_m), 3)
        ratio = min(max(counts[b, 0] / counts[b, 1], 0.3), 1.1)
        assert detection_factor(state, ROW, r) == pytest.approx(ratio, rel=1e-12)
        pd = min(detection_probability(ROW, r, 0.3) * ratio, 0.999)
        assert believed_detection(state, ROW, r, 0.3) == pytest.approx(pd, rel=1e-12)


def watched(rng, true_pd, tracks, life, after):
    """Looks at tracks of `life` looks and `after` more, when the object is gone but the track is not yet.

    The tracker's belief is Bayes' rule with the configured probability, held within odds of 1e4.  Returns the
    factor of looks judged by the next look, and of all looks taken as they come.
    """
    states, naive, table = new_detection(ROW)[None], new_detection(ROW), new_table(4)
    one = np.ones(1)
    for track in range(tracks):
        rows, existence = np.array([track % 4]), 1.0 - 1e-4
        table[track % 4]["looked_expected"] = 0.0  # as for every row that begins
        for k in range(life + after):
            seen = k < life and rng.random() < true_pd
            quiet = existence * (1.0 - CONFIGURED)
            existence = 1.0 - 1e-4 if seen else quiet / (quiet + 1.0 - existence)
            gave = np.array([float(seen)])
            table[track % 4]["log_odds"] = math.log(existence / (1.0 - existence))
            believed = CONFIGURED * factor(states[0])
            judge_looks(states, ROW[None], 0, table, rows, believed * one, gave, NEAR * one)
            learn_detection(naive, ROW, NEAR * one, CONFIGURED * one, gave, one)
            if existence < 0.05:
                break
    return factor(states[0]), factor(naive)


@pytest.mark.parametrize("true_pd", [0.9, 0.7])
def test_tracks_of_what_is_gone_do_not_drag_it_down(true_pd):
    got = np.array([watched(np.random.default_rng(seed), true_pd, 150, 30, 8) for seed in range(12)])
    judged, naive = got.mean(axis=0) * CONFIGURED
    assert judged == pytest.approx(true_pd, abs=0.015)
    assert naive < true_pd - 0.06


def test_a_look_waits_for_the_next_one_at_the_same_track_by_whatever_sensor():
    """Against the same told plainly: what each row's last look was, counted when the next one is in."""
    rng = np.random.default_rng(9)
    sensors = np.array([ROW, sensor_row(replace(RADAR, detection=0.6, range_max_m=4e5))])
    states = np.array([new_detection(s) for s in sensors])
    plain, table, waiting = states.copy(), new_table(8), {}
    for _ in range(300):
        index, n = int(rng.integers(2)), int(rng.integers(1, 6))
        rows = rng.permutation(8)[:n]
        for i in rows[rng.random(n) < 0.1]:  # used again for another track
            table[i]["looked_expected"] = 0.0
            waiting.pop(i, None)
        ranges, seen = rng.uniform(1e3, 3.9e5, n), rng.uniform(0.1, 0.9, n)
        existence = rng.uniform(0.01, 0.99, n)
        gave = existence * rng.random(n)
        table["log_odds"][rows] = np.log(existence / (1.0 - existence))
        believed = plain[index].copy()
        for i, r, p, e, g in zip(rows, ranges, seen, existence, gave, strict=True):
            if i in waiting:
                by, looked_m, expected, outcome = waiting[i]
                band = min(int(looked_m / sensors[by][RANGE_MAX] * BANDS), BANDS - 1)
                plain[by, band] = (1.0 - g / MEMORY_LOOKS) * plain[by, band] + g * np.array(
                    [outcome, expected]
                )
            waiting[i] = index, r, min(p / detection_factor(believed, sensors[index], r), 1.0), g / e
        judge_looks(states, sensors, index, table, rows, seen, gave, ranges)
        assert np.allclose(states, plain, rtol=1e-12)


def test_a_sensor_of_positions_has_one_band():
    row = sensor_row(replace(RADAR, flat=True, measures=("x", "y")))
    state = new_detection(row)
    looks = np.ones(2000)
    learn_detection(state, row, 4e5 * looks, CONFIGURED * looks, 0.0 * looks, looks)
    assert detection_factor(state, row, 0.0) == detection_factor(state, row, 4.9e5) == LEAST_FACTOR
