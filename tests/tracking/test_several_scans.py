"""Tracks that contest plots, over several looks: against every history counted out, and against one look."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from watch import look_at

from jointwatch.motion.plane import LEVEL
from jointwatch.records import BadInput, Sensor
from jointwatch.sensing.radar import DETECTION, sensor_row
from jointwatch.tracking.bank import Motion, bank_of
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, FREE, LOCAL, RECENT, new_table

SECOND_NS = 1_000_000_000
PD, SIGMA, NOISE, CLUTTER = 0.8, 1.0, 0.05, 0.02
"""Probability of detection, error of a position (m), process noise (m^2/s^3), false plots a metre."""
SENSOR = Sensor(
    name="line", partner="Amber", latitude_rad=0.0, longitude_rad=0.0, height_m=0.0, range_min_m=0.0,
    range_max_m=100.0, elevation_min_rad=-1.5, elevation_max_rad=1.5, sigma_range_m=SIGMA,
    sigma_azimuth_rad=1e-3, sigma_elevation_rad=1e-3, sigma_range_rate_ms=1.0, period_s=1.0, sectors=1,
    detection=PD, clutter_per_scan=4.0, measures=("x",), flat=True,
)  # fmt: skip
ROW = sensor_row(SENSOR)
BANK = bank_of(Motion(kind=LEVEL, noise=NOISE, axes=1, speed_sigma_ms=1.0))
F = np.array([[1.0, 1.0], [0.0, 1.0]])
Q = NOISE * np.array([[1.0 / 3.0, 0.5], [0.5, 1.0]])
P0 = np.array([[1.0, 0.2], [0.2, 0.5]])


def rules(keep_looks):
    return Rules(
        keep_looks=keep_looks, sure_log_odds=30.0, gone_log_odds=-30.0, flight=False, merge_log_odds=1e9
    ).row()


def tracks_at(states, existence):
    """A table of confirmed tracks on a line, with states (n, 2) of covariance P0."""
    table = new_table(256)
    for i, (state, r) in enumerate(zip(states, existence, strict=True)):
        row = table[i]
        row["life"], row["number"] = CONFIRMED, i + 1
        row["mean"][0, [0, 3]] = state
        row["covariance"][0][np.ix_([0, 3], [0, 3])] = P0
        row["phase"][0] = 1.0
        row["log_odds"] = np.log(r / (1.0 - r))
        row["recent"] = -1
    return table


def watch(table, looks, keep_looks, clusters=None):
    """Take looks, each the positions seen, one a second; the clusters after the last."""
    clusters = new_clusters(8) if clusters is None else clusters
    plots_so_far = 0
    for k, seen in enumerate(looks):
        plots = np.zeros((len(seen), 7))
        plots[:, 0] = np.sort(seen)
        identity = np.arange(len(seen)) + plots_so_far
        plots_so_far += len(seen)
        look_at(
            table, clusters, BANK, rules(keep_looks), ROW, new_detection(ROW), (0.0, 0.0),
            (k + 1) * SECOND_NS, plots, identity, np.full(len(seen), CLUTTER),
        )  # fmt: skip
    return clusters


def told(table):
    """Existence, mean (2,) and covariance (2, 2) of each track."""
    rows = table[table["life"] == CONFIRMED]
    at = np.ix_([0, 3], [0, 3])
    return [
        (1.0 / (1.0 + np.exp(-r["log_odds"])), r["mean"][0, [0, 3]].copy(), r["covariance"][0][at].copy())
        for r in rows
    ]


def moments(parts):
    """Of an intensity, the sum of existence times density: its number, first and second moments."""
    number = sum(w for w, _, _ in parts)
    first = sum(w * m for w, m, _ in parts)
    second = sum(w * (p + np.outer(m, m)) for w, m, p in parts)
    return number, first, second


def counted_out(states, existence, looks):
    """The intensity after looks, exactly: every history of which plot was whose, each with its own filters.

    A multi-Bernoulli mixture in full (Williams 2015), in NumPy and without any merging or pruning.
    """
    histories = [(1.0, [(r, np.array(s), P0.copy()) for s, r in zip(states, existence, strict=True)])]
    for seen in looks:
        after = []
        for weight, tracks in histories:
            ahead = [(r, F @ m, F @ p @ F.T + Q) for r, m, p in tracks]
            for choice in product(range(-1, len(seen)), repeat=len(ahead)):
                used = [j for j in choice if j >= 0]
                if len(set(used)) < len(used):
                    continue
                w, out = weight, []
                for (r, m, p), j in zip(ahead, choice, strict=True):
                    if j < 0:
                        w *= 1.0 - r * PD
                        out.append((r * (1.0 - PD) / (1.0 - r * PD), m, p))
                        continue
                    s = p[0, 0] + SIGMA**2
                    y = seen[j] - m[0]
                    if y * y / s > 25.0:  # outside the gate
                        w = 0.0
                        break
                    w *= r * PD * np.exp(-0.5 * y * y / s) / np.sqrt(2.0 * np.pi * s) / CLUTTER
                    gain = p[:, 0] / s
                    out.append((1.0, m + gain * y, p - np.outer(gain, p[0])))
                if w > 0.0:
                    after.append((w, out))
        total = sum(w for w, _ in after)
        histories = [(w / total, out) for w, out in after if w / total > 1e-9]
    return [(w * r, m, p) for w, tracks in histories for r, m, p in tracks]


CASES = {
    "side by side": (((0.0, 0.0), (1.5, 0.0)), ((0.2, 1.9), (0.6,), (0.1, 1.4), (1.1, 1.3))),
    "crossing": (((-1.5, 1.0), (1.5, -1.0)), ((-0.6, 0.4), (0.1, 0.0), (1.2, -0.9), (-2.2, 2.4))),
    "one is gone": (((0.0, 0.0), (2.0, 0.0)), ((1.0,), (1.1,), (0.4, -3.0), (0.9,))),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_told_has_the_moments_of_all_histories_counted_out(case):
    states, looks = CASES[case]
    existence = (0.9, 0.8)
    table = tracks_at(states, existence)
    watch(table, looks, RECENT)
    number, first, second = moments(told(table))
    exact_number, exact_first, exact_second = moments(counted_out(states, existence, looks))
    assert number == pytest.approx(exact_number, abs=1e-2)
    assert first == pytest.approx(exact_first, abs=8e-2)
    assert second == pytest.approx(exact_second, abs=5e-2)


def test_that_is_more_than_one_look_after_the_other_can_tell():
    """The same cases resolved look by look are well off: the test above can fail."""
    off = []
    for states, looks in CASES.values():
        table = tracks_at(states, (0.9, 0.8))
        watch(table, looks, 0)
        exact = moments(counted_out(states, (0.9, 0.8), looks))
        off.append(abs(moments(told(table))[2] - exact[2]).max())
    assert min(off) > 0.1


def seen_of(rng, truth):
    """Positions seen of true ones (looks, 2), with false plots."""
    out = []
    for places in truth:
        kept = places[rng.random(2) < PD]
        false = rng.uniform(-15.0, 15.0, rng.poisson(30.0 * CLUTTER))
        out.append(np.concatenate([kept + SIGMA * rng.standard_normal(len(kept)), false]))
    return out


def error_of(keep_looks, states, truth, looks):
    """Mean over looks of the two tracks' squared errors (m^2), whichever is which, cut off at 25 m^2."""
    table = tracks_at(states, (0.99, 0.99))
    clusters, errors = new_clusters(8), []
    for k, seen in enumerate(looks):
        plots = np.zeros((len(seen), 7))
        plots[:, 0] = np.sort(seen)
        look_at(
            table, clusters, BANK, rules(keep_looks), ROW, new_detection(ROW), (0.0, 0.0),
            (k + 1) * SECOND_NS, plots, np.arange(len(seen)) + 100 * k, np.full(len(seen), CLUTTER),
        )  # fmt: skip
        at = table["mean"][:2, 0, 0]
        off2 = [np.minimum((at[list(p)] - truth[k]) ** 2, 25.0).mean() for p in permutations(range(2))]
        errors.append(min(off2))
    return float(np.mean(errors))


def drawn(rng, apart_m, closing_ms, looks=24):
    """States (2, 2) expected of two a second before the first look, and where they fly (looks, 2).

    Drawn from the filter's own model, so that what is best in the mean is what the filter computes.
    """
    expected, places = np.empty((2, 2)), np.empty((looks, 2))
    low = np.linalg.cholesky(Q)
    for i, side in enumerate((-0.5, 0.5)):
        expected[i] = side * (apart_m + closing_ms * looks), -side * closing_ms
        state = expected[i] + np.linalg.cholesky(P0) @ rng.standard_normal(2)
        for k in range(looks):
            state = F @ state + low @ rng.standard_normal(2)
            places[k, i] = state[0]
    return expected, places


@pytest.mark.parametrize(
    ("apart_m", "closing_ms"), [(1.0, 0.0), (0.0, 0.3)], ids=["side by side", "crossing"]
)
def test_over_several_looks_two_tracks_are_known_better_than_by_each_look_alone(apart_m, closing_ms):
    gain = []
    for seed in range(300):
        rng = np.random.default_rng([seed, 77])
        states, truth = drawn(rng, apart_m, closing_ms)
        looks = seen_of(rng, truth)
        gain.append(error_of(0, states, truth, looks) - error_of(3, states, truth, looks))
    # not by chance: the mean gain is several of its standard errors
    assert np.mean(gain) > 2.5 * np.std(gain, ddof=1) / np.sqrt(len(gain))


def test_when_tracks_part_their_hypotheses_go_and_no_row_is_left_behind():
    truth = np.stack([s * 0.9 * (np.arange(40) - 12.0) for s in (-1.0, 1.0)], axis=1)
    looks = seen_of(np.random.default_rng(5), truth)
    table = tracks_at(np.stack([truth[0], truth[1] - truth[0]], axis=1), (0.99, 0.99))
    table["mean"][:2, 0, 0] -= table["mean"][:2, 0, 3]
    meeting = table.copy()
    clusters = watch(meeting, looks[:14], 3)
    assert (clusters["tracks"] == 2).sum() == 1 and (meeting["life"] == LOCAL).sum() >= 2
    clusters = watch(table, looks, 3)
    assert (clusters["tracks"] == 0).all() and (table["life"][2:] == FREE).all()


def test_where_the_table_is_full_tracks_go_on_as_they_were_told():
    states, looks = CASES["side by side"]
    table, full = tracks_at(states, (0.9, 0.8)), tracks_at(states, (0.9, 0.8))
    full["life"][2:] = CONFIRMED  # far away, and seen by nobody
    full["mean"][2:, 0, 0] = 1e6
    full["covariance"][2:, 0] = np.eye(7)
    full["log_odds"][2:] = -25.0
    watch(table, looks, 3)
    clusters = watch(full, looks, 3)
    assert (clusters["tracks"] == 0).all() and (full["life"] != LOCAL).all()
    for (r, m, _), (r_full, m_full, _) in zip(told(table), told(full)[:2], strict=True):
        assert abs(r - r_full) < 0.2 and np.abs(m - m_full).max() < 1.0


def bytes_of(clusters):
    return [clusters[name].tobytes() for name in clusters.dtype.names]


def test_a_look_that_concerns_no_track_leaves_their_hypotheses_as_they_are():
    states, looks = CASES["side by side"]
    table = tracks_at(states, (0.9, 0.8))
    clusters = watch(table, looks, 3)
    assert (clusters["tracks"] == 2).sum() == 1
    before = bytes_of(clusters), table["misses"].tolist(), table["recent"].tolist()
    blind = ROW.copy()
    blind[DETECTION] = 0.0
    for k in range(5):
        none = np.zeros((0, 7))
        look_at(
            table, clusters, BANK, rules(3), blind, new_detection(ROW), (0.0, 0.0),
            (len(looks) + 1 + k) * SECOND_NS, none, np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
    assert (bytes_of(clusters), table["misses"].tolist(), table["recent"].tolist()) == before


@pytest.mark.parametrize("looks", [-1, RECENT + 1, 10**7])
def test_more_looks_than_a_row_remembers_are_refused(looks):
    with pytest.raises(BadInput, match="keep_looks"):
        rules(looks)
