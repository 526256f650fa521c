"""Motions too improbable to matter are left out of a look, and what comes of it is what all would give."""

from __future__ import annotations

import numpy as np
import pytest
from watch import NS, RADAR, ROW, Flight, a_row, confirmed, look_at, place, sectors

from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import observe
from jointwatch.tracking.bank import FLIGHT, MEAN, SIGMA
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.gating import gate
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.interaction import ASLEEP, NOTABLE, new_switching, predict_awake, predict_row, rouse
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.tracker import Tracker

WHOLE = (0.0, 2.0 * np.pi)


def coasting(phase=(1e-7, 1.0, 1e-7)):
    """A table with one track that surely coasts."""
    table = new_table(2)
    table[0] = a_row(np.random.default_rng(3))
    table[0]["life"], table[0]["number"], table[0]["log_odds"] = CONFIRMED, 1, 6.0
    table[0]["mean"][:] = place(32.6, 37.0, 120e3, -1500.0, 150.0, 200.0, -8.6)
    table[0]["covariance"][:] = np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 25.0, 0.1])
    table[0]["phase"] = np.array(phase) / sum(phase)
    return table


def look_at_it(table, off_m, dt=5.0):
    """Gate one plot so far along the line of sight from where the track is expected; the gated look."""
    there = table[0].copy()
    predict_row(FLIGHT, there, int(table[0]["time_ns"]) + round(dt * NS))
    columns = np.array(observe(ROW, *there["mean"][BALLISTIC][:6]))
    columns[0] += off_m
    plots = plots_of(columns[None])
    time_ns = int(table[0]["time_ns"]) + round(dt * NS)
    return gate(
        table,
        np.array([0]),
        FLIGHT,
        ROW,
        new_detection(ROW),
        *WHOLE,
        time_ns,
        plots,
        np.full(1, 1e-12),
        ASLEEP,
    )


def test_a_motion_asleep_stands_where_the_likeliest_is_with_its_own_prior_parameter():
    table, before = coasting(), coasting()
    predict_row(FLIGHT, table[0], int(table[0]["time_ns"]) + 5 * NS)
    row = table[0]
    assert row["asleep"] == 1 << BOOST | 1 << CRUISE
    for k in (BOOST, CRUISE):  # nothing is written down of them until it is asked for
        assert np.array_equal(row["covariance"][k], before[0]["covariance"][k])
    rouse(FLIGHT, row)
    assert row["asleep"] == 0
    for k in (BOOST, CRUISE):
        assert row["phase"][k] < ASLEEP
        assert np.array_equal(row["mean"][k][:6], row["mean"][BALLISTIC][:6])
        assert np.array_equal(row["covariance"][k][:6, :6], row["covariance"][BALLISTIC][:6, :6])
        assert row["mean"][k][6] == FLIGHT[k, MEAN] and row["covariance"][k][6, 6] == FLIGHT[k, SIGMA] ** 2
        assert (row["covariance"][k][6, :6] == 0.0).all()
    # its likeliest motion, and all probabilities, are what they are with all awake
    full = coasting()
    predict_awake(FLIGHT, full[0], int(full[0]["time_ns"]) + 5 * NS, 0.0, new_switching(3))
    assert np.array_equal(full[0]["mean"][BALLISTIC], row["mean"][BALLISTIC])
    assert np.array_equal(full[0]["covariance"][BALLISTIC], row["covariance"][BALLISTIC])
    assert np.array_equal(full[0]["phase"], row["phase"])


def test_a_plot_that_fits_lets_them_sleep_and_one_that_does_not_wakes_them():
    fits, wakes = coasting(), coasting()
    assert look_at_it(fits, 20.0).asleep[0].tolist() == [True, False, True]
    gated = look_at_it(wakes, 400.0)
    assert not gated.asleep.any()
    full = coasting()
    predict_awake(FLIGHT, full[0], int(full[0]["time_ns"]) + 5 * NS, 0.0, new_switching(3))
    assert wakes[0].tobytes() == full[0].tobytes()  # as if none had ever slept
    assert gated.share[: gated.first[1]].sum() == pytest.approx(gated.first[1])


def gated_with(table, plots, asleep, dt):
    """The table's first row gated with plots (m, 7), motions less probable than `asleep` asleep."""
    time_ns = int(table[0]["time_ns"]) + round(dt * NS)
    return gate(
        table, np.array([0]), FLIGHT, ROW, new_detection(ROW), *WHOLE, time_ns, plots,
        np.full(len(plots), 1e-12), asleep,
    )  # fmt: skip


def test_where_no_plot_could_be_of_another_motion_a_look_that_gives_none_lets_them_sleep():
    slept, full = coasting(), coasting()
    gated, awake = (gated_with(t, np.zeros((0, 7)), a, 5.0) for t, a in ((slept, ASLEEP), (full, 0.0)))
    assert gated.asleep[0].tolist() == [True, False, True] and not awake.asleep.any()
    assert gated.seen[0] == pytest.approx(awake.seen[0], rel=1e-6)
    assert gated.miss[0] == pytest.approx(awake.miss[0], rel=1e-6)
    assert np.array_equal(slept[0]["mean"][BALLISTIC], full[0]["mean"][BALLISTIC])


def test_wherever_a_plot_lies_sleep_hides_nothing_that_counts():
    """One plot near and far, in range, direction and rate: the same pairs, the same motions behind them."""
    rng, slept, paired, woken = np.random.default_rng(11), 0, 0, 0
    for _ in range(1500):
        dt, share = rng.uniform(1.0, 12.0), 10.0 ** rng.uniform(-9.0, -4.6)
        table = coasting((share, 1.0, share))
        speed = rng.uniform(500.0, 3000.0)
        table[0]["mean"][:] = place(32.6, 37.0, 160e3, *(speed * unit(rng)), -8.6)
        table[0]["mean"][:, 6], table[0]["covariance"][:, 6, 6] = FLIGHT[:, MEAN], FLIGHT[:, SIGMA] ** 2
        there = table[0].copy()
        predict_awake(FLIGHT, there, int(there["time_ns"]) + round(dt * NS), 0.0, new_switching(3))
        state = there["mean"][rng.integers(3)][:6].copy()
        state += 10.0 ** rng.uniform(0.0, 3.5) * unit(rng, 6) * [1.0, 1.0, 1.0, 0.05, 0.05, 0.05]
        plots = plots_of(np.array([observe(ROW, *state)]))
        lazy, full = (gated_with(table.copy(), plots, asleep, dt) for asleep in (ASLEEP, 0.0))
        if not lazy.asleep.any():
            woken += 1
            assert np.array_equal(lazy.share, full.share)
            continue
        slept += 1
        assert lazy.seen[0] == pytest.approx(full.seen[0], rel=1e-3)
        assert lazy.plot.tolist() == full.plot.tolist()
        if len(full.plot):
            paired += 1
            assert full.share[0, [BOOST, CRUISE]].sum() < 2.0 * NOTABLE
            assert lazy.weight[0] == pytest.approx(full.weight[0], rel=1e-3)
    assert slept > 400 and paired > 200 and woken > 100


def unit(rng, n=3):
    """A direction, evenly over all."""
    v = rng.standard_normal(n)
    return v / np.linalg.norm(v)


def test_in_the_air_none_sleeps():
    table = coasting()
    table[0]["mean"][:] = place(32.6, 37.0, 60e3, -1500.0, 150.0, -700.0, -8.6)
    assert not look_at_it(table, 0.0).asleep.any()


def test_what_is_likely_never_sleeps():
    for phase in ((0.5, 0.4, 0.1), (1e-3, 0.9, 1e-2), (1e-9, 1e-9, 1.0)):
        assert not look_at_it(coasting(phase), 0.0).asleep.any()


def flown(seed, rules=None):
    """Estimates of a coast, look by look: time, likeliest motion, state and covariance."""
    rng = np.random.default_rng(seed)
    state = place(32.6, 38.6, 150e3, -1500.0, -60.0, 300.0, -8.4)
    tracker = Tracker("Amber", [RADAR], rules=rules)
    out = []
    for sector in sectors(rng, RADAR, [Flight(0.0, state)], 100.0):
        tracker.process(sector)
        for row in confirmed(tracker):
            k = int(np.argmax(row["phase"]))
            out.append((sector.header.measured_ns, k, row["mean"][k][:6].copy(), row["covariance"][k].copy()))
    return out


def test_a_flight_is_tracked_as_with_all_motions_awake():
    """Same plots, with and without sleep: the same motion, and states within a tenth of their sigma."""
    slept = 0
    for seed in range(4):
        full, lazy = flown(seed, Rules(asleep_below=0.0)), flown(seed)
        assert len(lazy) == len(full) > 5
        for (t, k, m, p), (t_full, k_full, m_full, _) in zip(lazy, full, strict=True):
            assert (t, k) == (t_full, k_full)
            assert (np.abs(m - m_full) < 0.1 * np.sqrt(np.diag(p)[:6])).all()
            slept += not np.array_equal(m, m_full)
    assert slept > 8  # else nothing was compared


@pytest.mark.parametrize("off_m", [0.0, 150.0, 200.0, 250.0, 400.0])
def test_a_second_look_at_the_same_instant_sees_what_sleeps_where_it_stands(off_m):
    """What the row holds of motions asleep is of long ago: no look may take it for theirs."""
    kept = coasting()
    for _ in range(6):
        predict_row(FLIGHT, kept[0], int(kept[0]["time_ns"]) + 5 * NS)
    assert kept[0]["asleep"]
    roused = kept.copy()
    rouse(FLIGHT, roused[0])
    here = np.array(observe(ROW, *kept[0]["mean"][BALLISTIC][:6]))
    here[0] += off_m
    plots = plots_of(here[None])
    one, other = (gated_with(t, plots, ASLEEP, 0.0) for t in (kept, roused))
    assert not other.asleep.any()
    assert one.seen[0] == pytest.approx(other.seen[0], rel=1e-6)
    assert one.range_m[0] == pytest.approx(other.range_m[0], rel=1e-6)
    if len(other.plot):
        assert one.weight[0] == pytest.approx(other.weight[0], rel=2e-3)
        assert np.abs(one.share[0] - other.share[0]).max() < 2.0 * NOTABLE
    woken = ~one.asleep[0]
    assert (kept[0]["asleep"] == 0) == bool(woken.all())
    assert np.array_equal(kept[0]["mean"][woken], roused[0]["mean"][woken])


def test_two_radars_that_look_at_one_instant_track_as_two_that_look_a_moment_apart():
    """A plot far out at the same instant wakes what sleeps; nothing leaps to where it once was."""
    for off in (3.2, 3.5, 4.0, 4.5):
        table = coasting()
        for _ in range(6):
            predict_row(FLIGHT, table[0], int(table[0]["time_ns"]) + 5 * NS)
        before = table[0]["mean"][BALLISTIC].copy()
        columns = np.array([observe(ROW, *before[:6])] * 2)
        columns[0, 0] += off * 60.0
        columns[1] = observe(ROW, *table[0]["mean"][BOOST][:3], *before[3:6])  # a plot at the stale place
        columns = columns[np.argsort(columns[:, 0])]
        look_at(
            table, new_clusters(1), FLIGHT, Rules().row(), ROW, new_detection(ROW), WHOLE,
            int(table[0]["time_ns"]), plots_of(columns), np.arange(2), np.full(2, 1e-12),
        )  # fmt: skip
        best = int(np.argmax(table[0]["phase"]))
        assert best == BALLISTIC and np.linalg.norm(table[0]["mean"][best][:3] - before[:3]) < 300.0
        assert not table[0]["asleep"] >> BALLISTIC & 1
