"""When a node sheds, decided on a clock that is handed in: soon, in order, no more than needed."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_node import MISSILE, RADAR, at_s, moved, node, notes

from jointwatch.node.journal import Journal
from jointwatch.node.load import (
    CALM_SCANS,
    HIGH_SCANS,
    LAST_PLOTS,
    LEVELS,
    Load,
    LoadMeter,
    in_words,
    judge,
    limit_of,
)
from jointwatch.node.node import Node
from jointwatch.node.replay import check_journal, read_account
from jointwatch.records import Header, LoadLimit, Note, Sector
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.shedding import LONGEST_TURN, LONGEST_TURN_SPARED, Limit

PERIOD_S = 4.0
NS = 1_000_000_000


def worked(cost, sectors=8, scans=400, load=None):
    """Levels by sector of a processor that takes cost(level, sector) seconds for each, and the lags."""
    load, elapsed, levels, lags = load or Load(), 0.0, [], []
    for k in range(scans * sectors):
        due = k * PERIOD_S / sectors
        elapsed = max(elapsed, due)
        load = judge(load, round(due * NS), elapsed - due, PERIOD_S)
        lags.append(elapsed - due)
        levels.append(load.level)
        elapsed += cost(load.level, k)
    return np.array(levels), np.array(lags)


loads = st.builds(
    Load,
    level=st.integers(0, len(LEVELS) - 1),
    marked_ns=st.integers(0, 100 * NS),
    marked_s=st.floats(-10.0, 1000.0),
    calm_ns=st.none() | st.integers(0, 100 * NS),
    back_ns=st.just(-(2**62)) | st.integers(0, 100 * NS),
    calm_scans=st.sampled_from([2.0, 4.0, 16.0, 64.0]),
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(loads, st.integers(100 * NS, 300 * NS), st.floats(-100.0, 1e9), st.floats(0.0, 1e9))
def test_a_greater_lag_never_gives_a_lower_level(load, now_ns, lag_s, more_s):
    less, more = judge(load, now_ns, lag_s, PERIOD_S), judge(load, now_ns, lag_s + more_s, PERIOD_S)
    assert 0 <= less.level <= more.level < len(LEVELS)
    assert less.level >= load.level - 1


def test_each_level_sheds_more_than_the_one_before_clutter_first_and_threatening_tracks_last():
    for less, more in itertools.pairwise(LEVELS):
        plots = 10**9 if less.plots is None else less.plots
        assert (more.plots or 0) <= plots
        assert more.turn >= less.turn and more.turn_spared >= less.turn_spared
        assert more != less
        assert more.turn == 1 or (more.plots is not None and more.plots <= LAST_PLOTS)
        assert more.turn_spared == 1 or (more.plots, more.turn) == (0, LONGEST_TURN)
    assert LEVELS[-1] == Limit(0, LONGEST_TURN, LONGEST_TURN_SPARED)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, HIGH_SCANS * PERIOD_S), max_size=60))
def test_a_node_that_keeps_up_sheds_nothing(lags):
    load = Load()
    for k, lag in enumerate(lags):
        load = judge(load, k * NS, lag, PERIOD_S)
        assert load.level == 0


@pytest.mark.parametrize("enough", range(1, len(LEVELS)))
def test_under_a_steady_load_the_level_that_suffices_is_found_and_hardly_left(enough):
    """Each level below `enough` takes a fifth more time than there is."""
    share = PERIOD_S / 8
    levels, lags = worked(lambda level, _: share * (1.2 if level < enough else 0.6))
    assert levels.max() <= enough + 2
    settled = levels[len(levels) // 4 :]
    assert np.mean(settled >= enough) > 0.85
    assert lags[len(lags) // 4 :].max() < 1.5 * PERIOD_S
    # 400 scans: it tries less, later each time, and changes no more often than that
    assert np.count_nonzero(np.diff(levels)) < 2 * enough + 40


def test_a_load_far_beyond_what_there_is_is_met_within_a_few_sectors():
    levels, lags = worked(lambda level, _: 5.0 * 0.3**level)
    first = int(np.argmax(levels >= 3))
    assert first <= 8
    assert lags.max() < 2.0 * PERIOD_S


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(1.5, 200.0), st.integers(1, 20))
def test_after_a_flood_everything_is_worked_through_again(seed, factor, scans):
    rng = np.random.default_rng(seed)
    share = PERIOD_S / 8

    def cost(level, k):
        heavy = 80 <= k < 80 + 8 * scans
        return share * rng.uniform(0.2, 0.4) * (max(factor * 0.3**level, 1.0) if heavy else 1.0)

    levels, _ = worked(cost, scans=300)
    assert (levels[:80] == 0).all() and levels[-1] == 0
    # step by step: never back by more than one
    assert np.diff(levels).min() >= -1


def test_a_single_slow_step_is_recovered_from_one_step_at_a_time():
    levels, _ = worked(lambda _, k: 10.0 if k == 40 else 0.1, scans=60)
    assert levels.max() >= 1 and levels[-1] == 0
    down = np.flatnonzero(np.diff(levels) < 0)
    assert (np.diff(down) >= CALM_SCANS * 8).all()


def test_the_meter_tells_of_changes_only_and_in_the_nodes_time():
    meter = LoadMeter("Amber", "amber-node", PERIOD_S, start_ns=50 * NS, speed=10.0)
    said = [meter.measure(k * 0.1, (50 + k) * NS) for k in range(20)]
    assert said == [None] * 20 and meter.worst_s == pytest.approx(0.0)
    limit = meter.measure(2.5, 70 * NS)  # 25 s of the node's time have gone by, of which it has seen 20
    assert limit is not None and limit.lag_s == pytest.approx(5.0) == meter.worst_s
    assert limit.header == Header(originator="Amber", source="amber-node", sequence=1, measured_ns=70 * NS)
    assert (limit.plots_per_sector, limit.turn_scans) == (LEVELS[2].plots, LEVELS[2].turn)
    assert meter.measure(2.55, 70 * NS + 1) is None
    again = meter.measure(200.0, 71 * NS)
    assert again is not None and again.header.sequence == 2 and again.plots_per_sector == 0


# ------------------------------------------------------------------ the node


def limit_record(seconds, plots=None, turn=1, threatening=1, sequence=1):
    header = Header(originator="Amber", source="test", sequence=sequence, measured_ns=at_s(seconds))
    return LoadLimit(
        header=header, plots_per_sector=plots, turn_scans=turn, threatening_turn_scans=threatening, lag_s=3.25
    )


def test_a_limit_is_noted_in_words():
    one = node()
    assert notes(one.step(limit_record(1.0, 300), at_s(1.0)), "load_limit") == [
        ("test-amber", "300 plots of a sector may begin chains; 3.2 s behind")
    ]
    assert in_words(limit_record(0.0, 0, 8, 2)) == (
        "no plots of a sector may begin chains, tracks have a look in 8 scans, those that threaten in 2; "
        "3.2 s behind"
    )
    assert in_words(limit_record(0.0)) == "nothing is shed; 3.2 s behind"
    assert limit_of(limit_record(0.0, -5, -1, 0)) == Limit(0)
    assert limit_of(limit_record(0.0, 0, 10**9, 10**9)) == LEVELS[-1]


SEVERAL = 6
FLIGHTS = [MISSILE + np.array([0, 0, 25e3 * k, 0, 0, 0, 0]) for k in range(SEVERAL)]
"""The first falls on a zone; the others beside it, and on none."""


def looks(duration_s, clutter, seed=4):
    """Sectors of the node's radar that looks at the six, with so many false plots in each."""
    rng = np.random.default_rng(seed)
    row, sigmas = sensor_row(RADAR), np.array([50.0, 1e-3, 1e-3, 5.0])
    for k in range(round(duration_s / RADAR.period_s)):
        second = k * RADAR.period_s
        plots = [np.array(observe(row, *moved(f, second)[:6])) + sigmas * rng.normal(size=4) for f in FLIGHTS]
        low, high = [2e3, 0.0, 0.01, -1500.0], [4.5e5, 6.28, 1.3, 1500.0]
        plots += list(rng.uniform(low, high, (clutter(second), 4)))
        columns = np.array(plots).T.tolist()
        yield Sector(
            header=Header(originator="Amber", source="amber-one", sequence=k + 1, measured_ns=at_s(second)),
            sensor="amber-one", azimuth_from_rad=0.0, azimuth_to_rad=0.0, received_ns=at_s(second),
            range_m=tuple(columns[0]), azimuth_rad=tuple(columns[1]), elevation_rad=tuple(columns[2]),
            range_rate_ms=tuple(columns[3]),
        )  # fmt: skip


def overloaded(one):
    """All outputs of a node that is flooded from 40 s on, and limited from 50 to 80 s."""
    out = []
    for sector in looks(100.0, lambda second: 4000 if 40.0 <= second < 90.0 else 10):
        second = (sector.received_ns - at_s(0.0)) / NS
        if second == 50.0:
            out += one.step(limit_record(50.0, 100), sector.received_ns)
        if second == 60.0:
            out += one.step(limit_record(60.0, 0, 8, sequence=2), sector.received_ns)
        if second == 80.0:
            out += one.step(limit_record(80.0, sequence=3), sector.received_ns)
        out += one.step(sector, sector.received_ns)
    return out


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    path = tmp_path_factory.mktemp("limited") / "amber.journal.sqlite"
    one = Node(node().config, Journal(path))
    out = overloaded(one)
    one.journal.close()
    return one, out, path


def test_a_journal_with_limits_comes_out_again_bit_for_bit(limited):
    one, _, path = limited
    account = read_account(path)
    assert account.kinds["in load_limit"] == 3
    result = check_journal(path)
    assert result.same, result
    assert result.digest == one.journal.digest.hex() and result.inputs == 53


def test_without_its_limits_the_journal_would_not_come_out(limited, tmp_path: Path):
    from test_replay import rewritten

    from jointwatch.records import decode

    path = limited[2]

    def unlimited(_, entry):
        is_limit = entry.direction == "in" and isinstance(decode(entry.data, ""), LoadLimit)
        return None if is_limit else entry

    assert not check_journal(rewritten(path, tmp_path / "j.sqlite", unlimited)).same


def test_what_is_shed_is_said_with_each_sector_and_only_under_the_limit(limited):
    _, out, _ = limited
    shed = [o for o in out if isinstance(o, Note) and o.kind == "shed"]
    times = [(o.header.measured_ns - at_s(0.0)) / NS for o in shed]
    assert min(times) == 50.0 and max(times) == 78.0
    assert {o.subject for o in shed} == {"amber-one"}
    plots = [o for o in shed if o.detail.startswith("plots shed under load: ")]
    assert len(plots) == 15
    assert all(3800 <= int(o.detail.split(": ")[1]) <= 4000 for o in plots)


def test_tracks_that_threaten_a_zone_keep_every_look_and_the_others_have_theirs_in_turn(limited):
    one, out, _ = limited
    assert len(one.picture) == SEVERAL
    held = [
        int(o.detail.split(": ")[1])
        for o in out
        if isinstance(o, Note) and o.kind == "shed" and o.detail.startswith("tracks held")
    ]
    # ten looks, of which the five that fall on no zone have one or two each
    assert 10 * 5 - 10 <= sum(held) <= 10 * 5 - 5
    assert not [n for n in notes(out, "track_ended")]
    (threatening,) = one._threatening()
    hits = {track.number: track.hits for track in one.picture}
    best = hits.pop(threatening)
    assert best >= 47  # of fifty looks
    assert max(hits.values()) <= best - 7
