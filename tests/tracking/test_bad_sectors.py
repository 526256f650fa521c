"""Sectors that cannot be used are counted by name, and their good neighbours are used as if alone."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from watch import RADAR, Flight, confirmed, place, salvo, sector_of, sectors

from jointwatch.records import BadInput
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.intake import BOX_M, BOX_RAD, MOST_PLOTS, fair_share, usable_plots
from jointwatch.tracking.tracker import Tracker

NAN, INF = math.nan, math.inf


def one_missile(rng):
    return [Flight(0.0, place(32.5, 37.5, 120e3, -1800.0, 100.0, 300.0, -8.4))]


def quiet_sectors(duration_s=60.0):
    rng = np.random.default_rng(8)
    return list(sectors(rng, RADAR, one_missile(rng), duration_s))


def moved(sector, by_s, received=True):
    """The same sector at another time: only its own, or that of its receipt too."""
    by_ns = round(by_s * 1e9)
    header = replace(sector.header, measured_ns=sector.header.measured_ns + by_ns)
    return replace(sector, header=header, received_ns=sector.received_ns + received * by_ns)


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


@pytest.mark.parametrize("back", [0, 1, 5, 60])
def test_a_repeated_sector_is_counted_and_its_plots_are_not_believed_twice(back):
    clean = quiet_sectors()
    feed = [x for i, s in enumerate(clean) for x in ([s, clean[i - back]] if i >= back else [s])]
    tracker = tracked(feed)
    assert tracker.rejected == {"repeated sector": len(clean) - back}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_a_late_sector_that_comes_twice_is_used_once():
    clean = quiet_sectors()
    late = clean.pop(100)
    tracker = tracked([*clean[:110], late, late, *clean[110:], late])
    assert tracker.rejected == {"repeated sector": 2} and tracker.late == 1
    for ours, in_order in zip(states(tracker), states(CLEAN), strict=True):
        assert np.array_equal(ours, in_order)


def test_a_sector_older_than_the_history_is_counted_and_changes_nothing():
    clean = quiet_sectors()
    feed = [x for s in clean for x in (s, moved(s, -40.0, received=False))]
    tracker = tracked(feed)
    assert tracker.rejected == {"too late": len(clean)}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_a_sensor_whose_clock_falls_back_is_refused_until_it_has_caught_up():
    """It loses its tracks, and says so; what it says of an hour ago is not taken for now."""
    clean = quiet_sectors()
    tracker = tracked(
        [*clean[:60], *(moved(s, -3600.0, received=False) for s in clean[60:120]), *clean[120:]]
    )
    assert tracker.rejected == {"too late": 60}
    assert tracker.table["time_ns"].max() == CLEAN.table["time_ns"].max()


@pytest.mark.parametrize("ahead_s", [1.001, 60.0, 1e8])
def test_a_sector_from_the_future_is_counted_and_does_not_make_the_good_ones_late(ahead_s):
    feed = [x for s in quiet_sectors() for x in (moved(s, ahead_s, received=False), s)]
    tracker = tracked(feed)
    assert tracker.rejected == {"time in the future": len(feed) // 2}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


@pytest.mark.parametrize("time_ns", [2**63 - 1, 2**64 - 1, -(2**63), 2**61])
def test_a_time_that_is_none_is_counted_and_changes_nothing(time_ns):
    clean = quiet_sectors()
    absurd = replace(clean[50], header=replace(clean[50].header, measured_ns=time_ns), received_ns=2**64 - 1)
    tracker = tracked([*clean[:100], absurd, *clean[100:]])
    assert tracker.rejected == {"time out of bounds": 1}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def with_more_plots(sector, extra):
    names = ("range_m", "azimuth_rad", "elevation_rad", "range_rate_ms")
    columns = extra.T.tolist()
    return replace(sector, **{n: (*getattr(sector, n), *c) for n, c in zip(names, columns, strict=True)})


def flood(rng, sector, count, spread):
    """Plots in the sector's wedge, all over or (spread 0) all in one place."""
    middle = 0.5 * (sector.azimuth_from_rad + sector.azimuth_to_rad)
    low = np.array([2e3, middle - 0.25, 0.01, -1500.0])
    high = np.array([450e3, middle + 0.25, 1.3, 1500.0])
    centre = np.array([60e3, middle, 0.05, 0.0])
    return centre + spread * (rng.uniform(low, high, (count, 4)) - centre)


def test_a_million_plots_in_one_sector_are_bounded_counted_and_survived():
    rng = np.random.default_rng(5)
    feed = quiet_sectors()
    at = [i for i, sector in enumerate(feed) if sector.range_m][8]  # the missile is tracked by then
    feed[at] = with_more_plots(feed[at], flood(rng, feed[at], 1_000_000, 1.0))
    tracker = tracked(feed)
    assert tracker.rejected["plot beyond capacity"] >= 1_000_000 - MOST_PLOTS
    live = tracker.table[tracker.table["life"] != 0]
    for column in ("mean", "covariance", "phase", "log_odds"):
        assert np.isfinite(live[column]).all()
    (hits,), (clean,) = states(tracker)[2], states(CLEAN)[2]  # the missile, and nothing else
    assert hits == clean  # whatever else is left out of the flood, its plot is not


def test_a_flood_in_one_place_pushes_out_none_of_the_plots_elsewhere():
    rng = np.random.default_rng(6)
    for sector in quiet_sectors()[:3]:
        everywhere = flood(rng, sector, 300, 1.0)
        one_place = flood(rng, sector, MOST_PLOTS, 1e-4)
        plots = usable_plots(with_more_plots(sector, np.vstack([one_place, everywhere])), sensor_row(RADAR))
        assert len(plots.values) == MOST_PLOTS and plots.unusable == 0
        assert plots.beyond == len(sector.range_m) + 300
        first = MOST_PLOTS + len(sector.range_m)
        assert set(range(first, first + 300)) <= set(plots.which)
        assert (np.diff(plots.values[:, 0]) >= 0.0).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(2, 400), st.floats(0.0, 1.0))
def test_a_fair_share_is_the_size_asked_for_in_order_and_gives_each_box_as_much_as_the_next(
    seed, count, spread
):
    rng = np.random.default_rng(seed)
    plots = flood(rng, quiet_sectors(5.0)[0], count, spread * 0.05)
    plots = plots[np.argsort(plots[:, 0])]
    most = int(rng.integers(0, count))
    kept = fair_share(plots, most)
    assert len(kept) == most == len(set(kept.tolist())) and (np.diff(kept) > 0).all()
    boxes = [(r // BOX_M, a // BOX_RAD, e // BOX_RAD) for r, a, e in plots[:, :3].tolist()]
    given_, had = Counter(boxes[i] for i in kept), Counter(boxes)
    most_given = max(given_.values(), default=0)
    assert all(given_[b] >= min(had[b], most_given - 1) for b in had)


@pytest.mark.parametrize("column", ["range_m", "azimuth_rad", "elevation_rad", "range_rate_ms"])
def test_a_sector_with_unequal_columns_is_counted_once_and_proves_no_absence(column):
    clean = quiet_sectors()
    broken = [replace(s, **{column: (*getattr(s, column), 1.0)}) for s in clean[-60:]]
    tracker = tracked(clean + [moved(b, 60.0) for b in broken])
    assert tracker.rejected == {"columns of unequal length": 60}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


@pytest.mark.parametrize("edge", [NAN, INF])
def test_a_wedge_that_is_not_finite_is_counted_and_changes_nothing(edge):
    feed = [x for s in quiet_sectors() for x in (replace(s, azimuth_to_rad=edge), s)]
    tracker = tracked(feed)
    assert tracker.rejected == {"wedge not finite": len(feed) // 2}
    assert tracker.table.tobytes() == CLEAN.table.tobytes()


def test_a_wedge_so_wide_that_its_width_is_no_number_is_refused_and_late_sectors_still_come():
    feed = quiet_sectors()
    tracker = Tracker("Amber", [RADAR])
    for k, sector in enumerate(feed):
        if k == len(feed) // 2:
            tracker.process(replace(sector, azimuth_from_rad=-1.7e308, azimuth_to_rad=1.7e308))
        if k != len(feed) - 3:
            tracker.process(sector)
    tracker.process(feed[-3])
    assert tracker.rejected == {"wedge not finite": 1} and tracker.late == 1
    assert all(np.array_equal(a, b) for a, b in zip(states(tracker), states(CLEAN), strict=True))


def test_plots_that_find_no_free_row_are_counted():
    rng = np.random.default_rng(2)
    flights = salvo(rng, 12, over_s=1.0)
    tracker = Tracker("Amber", [RADAR], capacity=4)
    for sector in sectors(rng, RADAR, flights, 130.0):
        tracker.process(sector)
    assert tracker.rejected["no free row"] > 5
    assert len(confirmed(tracker)) <= 4


values = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.floats(-10.0, 10.0)
    | st.floats(0.0, 6e5)
    | st.sampled_from([-1.7e308, 1.7e308, 1e300, 5e-324])
)


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


def test_plots_that_come_twice_in_one_sector_are_counted_and_believed_once():
    feed = quiet_sectors()
    twice = [with_more_plots(s, np.column_stack(columns_of(s))) if s.range_m else s for s in feed]
    clean, doubled = tracked(feed), tracked(twice)
    assert doubled.rejected == {"repeated plot": sum(len(s.range_m) for s in feed)}
    assert all(np.array_equal(a, b) for a, b in zip(states(doubled), states(clean), strict=True))


def columns_of(sector):
    return sector.range_m, sector.azimuth_rad, sector.elevation_rad, sector.range_rate_ms


@pytest.mark.parametrize("gap_s", [100.0, 850.0, 2e4, 1e8])
def test_however_long_no_sector_comes_the_next_one_is_taken(gap_s):
    feed = quiet_sectors()
    tracker = tracked(feed)
    later = [moved(s, gap_s) for s in feed[-24:]]
    before = [t.number for t in tracker.process(later[0]).updated]
    for sector in later[1:]:
        tracker.process(sector)
    assert np.isfinite(tracker.table["mean"][tracker.table["life"] > 0]).all()
    if gap_s > 900.0:
        assert before == [] and all(r["first_ns"] >= later[0].header.measured_ns for r in confirmed(tracker))


@pytest.mark.parametrize(
    ("field", "value"),
    [("sigma_range_m", math.nan), ("sigma_azimuth_rad", -1e-3), ("detection", 2.0),
     ("clutter_per_scan", math.inf),     ("period_s", 0.0), ("height_m", math.nan)],
)  # fmt: skip
def test_a_sensor_that_cannot_be_is_refused_by_its_field(field, value):
    with pytest.raises(BadInput, match=f"sensor north: {field}"):
        Tracker("Amber", [replace(RADAR, **{field: value})])
