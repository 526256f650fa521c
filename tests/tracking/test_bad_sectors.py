"""Sectors that cannot be used are counted by name, and their good neighbours are used as if alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from watch import RADAR, Flight, confirmed, place, sector_of, sectors

from jointwatch.tracking.tracker import Tracker

NAN, INF = math.nan, math.inf


def one_missile(rng):
    return [Flight(0.0, place(32.5, 37.5, 120e3, -1800.0, 100.0, 300.0, -8.4))]


def quiet_sectors(duration_s=60.0):
    rng = np.random.default_rng(8)
    return list(sectors(rng, RADAR, one_missile(rng), duration_s))


def tracked(feed):
    tracker = Tracker("Amber", [RADAR], capacity=256)
    for sector in feed:
        tracker.process(sector)
    return tracker


def states(tracker):
    return confirmed(tracker)["mean"], confirmed(tracker)["phase"], confirmed(tracker)["hits"]


CLEAN = tracked(quiet_sectors())


def test_the_clean_feed_is_tracked_and_nothing_is_rejected():
    assert len(confirmed(CLEAN)) == 1 and CLEAN.rejected == {}


@pytest.mark.parametrize(
    "plot",
    [
        (NAN, 0.1, 0.1, 0.0),
        (1e5, NAN, 0.1, 0.0),
        (1e5, 0.1, NAN, 0.0),
        (1e5, 0.1, 0.1, NAN),
        (INF, 0.1, 0.1, 0.0),
        (1e5, -INF, 0.1, 0.0),
        (1e5, 0.1, INF, 0.0),
        (1e5, 0.1, 0.1, -INF),
        (-1e5, 0.1, 0.1, 0.0),
        (0.0, 0.1, 0.1, 0.0),
        (1e5, 0.1, 2.0, 0.0),
        (1e300, 0.1, 0.1, 0.0),  # an index made of it would be no index
        (1e7, 0.1, 0.1, 0.0),
        (1e-116, 0.1, 0.1, 0.0),  # its square is no number
        (1e5, 0.1, 0.1, 1e300),
    ],
)
def test_a_plot_that_cannot_be_is_counted_and_its_neighbours_are_used(plot):
    feed = []
    for s in quiet_sectors():
        feed.append(
            replace(
                s,
                range_m=(*s.range_m, plot[0]),
                azimuth_rad=(*s.azimuth_rad, plot[1]),
                elevation_rad=(*s.elevation_rad, plot[2]),
                range_rate_ms=(*s.range_rate_ms, plot[3]),
            )
        )
    tracker = tracked(feed)
    assert tracker.rejected == {"plot not usable": len(feed)}
    for ours, clean in zip(states(tracker), states(CLEAN), strict=True):
        assert np.array_equal(ours, clean)


def test_an_undeclared_sensors_sector_is_counted_and_changes_nothing():
    feed = [x for s in quiet_sectors() for x in (s, replace(s, sensor="stranger"))]
    tracker = tracked(feed)
    assert tracker.rejected == {"undeclared sensor": len(feed) // 2}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_a_late_sector_is_counted_and_changes_nothing():
    clean = quiet_sectors()
    feed = [x for i, s in enumerate(clean) for x in ([s, clean[i - 5]] if i >= 5 else [s])]
    tracker = tracked(feed)
    assert tracker.rejected == {"late sector": len(clean) - 5}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_a_repeated_sector_is_counted_and_its_plots_are_not_believed_twice():
    tracker = tracked([x for s in quiet_sectors() for x in (s, s)])
    assert tracker.rejected == {"repeated sector": len(quiet_sectors())}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


@pytest.mark.parametrize("column", ["range_m", "azimuth_rad", "elevation_rad", "range_rate_ms"])
def test_a_sector_with_unequal_columns_is_counted_once_and_proves_no_absence(column):
    clean = quiet_sectors()
    broken = [replace(s, **{column: (*getattr(s, column), 1.0)}) for s in clean[-60:]]
    moved = [
        replace(b, header=replace(b.header, measured_ns=b.header.measured_ns + 60 * 10**9)) for b in broken
    ]
    tracker = tracked(clean + moved)
    assert tracker.rejected == {"columns of unequal length": 60}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


@pytest.mark.parametrize("edge", [NAN, INF])
def test_a_wedge_that_is_not_finite_is_counted_and_changes_nothing(edge):
    feed = [x for s in quiet_sectors() for x in (replace(s, azimuth_to_rad=edge), s)]
    tracker = tracked(feed)
    assert tracker.rejected == {"wedge not finite": len(feed) // 2}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_plots_that_find_no_free_row_are_counted():
    rng = np.random.default_rng(2)
    tracker = Tracker("Amber", [RADAR], capacity=16)
    for sector in sectors(rng, RADAR, [], 5.0, clutter_per_scan=300.0):
        tracker.process(sector)
    assert tracker.rejected["no free row"] > 100
    assert len(confirmed(tracker)) == 0


values = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-10.0, 10.0) | st.floats(0.0, 6e5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**10),
            st.tuples(values, values),
            st.lists(st.tuples(values, values, values, values), max_size=6),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_sector_whatever_stops_the_tracker_or_leaves_numbers_that_are_none(looks):
    tracker = Tracker("Amber", [RADAR], capacity=64)
    time_s = 0.0
    for i, (gap_ns, wedge, plots) in enumerate(looks):
        time_s += gap_ns * 1e-9
        tracker.process(sector_of(RADAR, i + 1, time_s, wedge, plots))
    live = tracker.table[tracker.table["life"] != 0]
    for column in ("mean", "covariance", "phase", "log_odds"):
        assert np.isfinite(live[column]).all()
