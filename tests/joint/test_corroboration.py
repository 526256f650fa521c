"""Evidence both ways: what one's own looks say of a partner's track that one does not see oneself."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import BALLISTIC_SURELY, START_NS, Floats, at_s, moved, place, spread
from world import radar

from jointwatch.joint.corroboration import TOO_OLD_S, Corroboration
from jointwatch.joint.joint_track import JointTrack
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.telling import Look

RADAR = radar(
    name="south",
    longitude_rad=math.radians(40.0),
    height_m=500.0,
    range_max_m=4e5,
    clutter_per_scan=10.0,
)
HERE = place(33.0, 41.0, 60e3, -1200.0, -300.0, -100.0)
ALL_ROUND = (0.0, 2.0 * math.pi)


def seen_at(state: Floats) -> tuple[float, float, float, float]:
    """Range, azimuth, elevation, range rate of a state."""
    return observe(sensor_row(RADAR), *state[:6])


def look(
    second: float = 0.0,
    wedge: tuple[float, float] = ALL_ROUND,
    plots: tuple[Floats, ...] = (),
    **changes: float,
) -> Look:
    """A look of the radar at a wedge that gave the plots of certain states."""
    measured = np.array([seen_at(p) for p in plots]).reshape(-1, 4)
    sensor = sensor_row(replace(RADAR, **changes))
    return Look(sensor, wedge, at_s(second), plots_of(measured), new_detection(sensor))


def theirs(second: float = 0.0, hits: int = 20, existence: float = 0.9999) -> JointTrack:
    """An object that only the partner tracks."""
    return JointTrack(
        number="BLUE-0001", aliases=("BLUE-0001",), time_ns=at_s(second), state=moved(HERE, second),
        covariance=spread(300.0, 10.0), phases=BALLISTIC_SURELY, existence=existence, hits=hits,
        first_ns=START_NS, seen_ns=at_s(second), thrust_ms2=0.0, parent="", originators=("Blue",),
    )  # fmt: skip


def believed(looks: list[Look], reported: JointTrack | None = None) -> list[float]:
    """Existence of the object after each look."""
    judge, t = Corroboration(), reported or theirs()
    out = [judge.existence(t)]
    for one in looks:
        judge.looked(t, one)
        out.append(judge.existence(t))
    return out


def test_a_ghost_where_ones_own_radar_looks_and_sees_nothing_is_soon_disbelieved() -> None:
    after = believed([look(s) for s in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)])
    assert after[0] == 0.9999
    assert all(b < a for a, b in itertools.pairwise(after))
    # one missed look is nothing (a radar misses one in ten); six are
    assert after[1] > 0.99
    assert after[6] < 0.05


def test_a_miss_weighs_what_the_sensor_says_it_sees() -> None:
    """Odds fall by 1 - Pd a look: Bayes."""
    for pd in (0.6, 0.9):
        after = believed([look(detection=pd)])
        odds = [r / (1.0 - r) for r in after]
        assert odds[1] / odds[0] == pytest.approx(1.0 - pd, rel=0.01)


def test_a_look_elsewhere_says_nothing() -> None:
    azimuth = seen_at(HERE)[1]
    beside = (azimuth + 0.3, azimuth + 0.8)
    silent = {
        "a wedge beside it": look(wedge=beside),
        "beyond the radar's range": look(range_max_m=50e3),
        "above the radar's cone": look(elevation_max_rad=math.radians(5.0)),
        "a radar that sees one in three": look(detection=0.33),
        "before it was reported": look(-1.0),
        "long after it was reported": look(TOO_OLD_S + 1.0),
    }
    for where, one in silent.items():
        assert believed([one] * 5)[5] == 0.9999, where
    towards = (azimuth - 0.25, azimuth + 0.25)
    assert believed([look(wedge=towards)] * 5)[5] < 0.3


def test_a_look_that_covers_no_more_than_half_of_where_it_may_be_says_nothing() -> None:
    azimuth = seen_at(HERE)[1]
    edge = (azimuth, azimuth + 0.5)
    assert believed([look(wedge=edge)] * 5)[5] == 0.9999


def test_one_plot_of_it_clears_every_doubt() -> None:
    misses = [look(float(s)) for s in range(5)]
    hit = look(5.0, plots=(place(31.0, 39.0, 20e3, 0.0, 0.0, 0.0), moved(HERE, 5.0)))
    after = believed([*misses, hit])
    assert after[5] < 0.3
    assert after[6] == 0.9999


def test_a_plot_of_something_else_clears_nothing() -> None:
    aside = moved(HERE, 5.0) + np.array([20e3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    misses = [look(float(s)) for s in range(5)]
    after = believed([*misses, look(5.0, plots=(aside,))])
    assert after[6] < after[5]


def test_two_new_looks_of_the_partners_restore_it_and_the_same_look_again_does_not() -> None:
    judge = Corroboration()
    judge.told(theirs(hits=20))
    for second in range(20):
        judge.looked(theirs(), look(float(second)))
    assert judge.existence(theirs()) < 1e-3
    judge.told(theirs(hits=20))
    assert judge.existence(theirs()) < 1e-3, "a report without a new look proves nothing"
    judge.told(theirs(1.0, hits=21))
    halfway = judge.existence(theirs(1.0, hits=21))
    assert 0.3 < halfway < 0.7
    judge.told(theirs(2.0, hits=22))
    assert judge.existence(theirs(2.0, hits=22)) == 0.9999


def test_what_is_gone_is_forgotten() -> None:
    judge = Corroboration()
    for second in range(5):
        judge.looked(theirs(), look(float(second)))
    judge.forget({"BLUE-0001"})
    assert judge.existence(theirs()) < 0.3
    judge.forget({"BLUE-0002"})
    assert judge.existence(theirs()) == 0.9999


def test_a_partners_own_doubt_stays() -> None:
    doubtful = theirs(existence=0.7)
    after = believed([look()], doubtful)
    assert after[0] == 0.7
    assert after[1] == pytest.approx(0.7 * 0.1 / (0.7 * 0.1 + 0.3), rel=0.01)


def test_time_starts_when_it_was_measured() -> None:
    assert theirs().time_ns == START_NS
    # thirty seconds on it is looked for where it should be by then
    judge = Corroboration()
    for second in (20.0, 24.0, 28.0):
        judge.looked(theirs(), look(second, plots=(moved(HERE, second),)))
        assert judge.existence(theirs()) == 0.9999
    judge.looked(theirs(), look(29.0, plots=(HERE,)))
    assert judge.existence(theirs()) < 0.9999
