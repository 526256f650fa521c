"""Two tracks of one object become one; two objects side by side stay two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import aircraft, random_covariance, sectors
from world import RADAR, place

from jointwatch.motion.phases import CRUISE
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.duplicates import FORGET, NEAR2, TWO_PLOTS, merge_duplicates
from jointwatch.tracking.engine import Engine, in_order
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.rules import MERGE, Rules
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table

PD = 0.9


def rows_at(*offsets_m, number=1):
    """Tracks alike but for their places, in a line; the first is the oldest."""
    table = new_table(len(offsets_m))
    rng = np.random.default_rng(1)
    state, p = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, -8.5), random_covariance(rng, 0.3)
    for i, offset in enumerate(offsets_m):
        table[i]["mean"], table[i]["covariance"] = state, p
        table[i]["mean"][:, 0] += offset
        table[i]["phase"] = [0.1, 0.8, 0.1]
        table[i]["life"], table[i]["number"] = CONFIRMED, number + i
    return table


def look(table, gave, pd=PD, rules=None):
    """One look that should have shown each row with probability pd, and gave so much of a plot to each."""
    n = len(table)
    rules = (Rules() if rules is None else rules).row()
    merge_duplicates(
        table, new_clusters(1), np.arange(n), np.full(n, pd), np.asarray(gave, dtype=float), rules
    )


def alive(table):
    return (table["life"] == CONFIRMED).tolist()


def test_a_look_is_weighed_as_bayes_rule_says():
    """P(plots | one object) / P(plots | two): none 1 / (1 - pd), one 1 / (2 (1 - pd)); two are of two."""
    for gave, odds in (
        ([0.0, 0.0], math.log(1.0 / 0.1)),
        ([1.0, 0.0], math.log(1.0 / 0.2)),
        ([0.5, 0.5], math.log(1.0 / 0.2)),
        ([0.3, 0.0], 0.7 * math.log(1.0 / 0.1) + 0.3 * math.log(1.0 / 0.2)),
    ):
        table = rows_at(0.0, 20.0)
        look(table, gave)
        assert table["near"].tolist() == pytest.approx([0.0, odds])
    table = rows_at(0.0, 20.0)
    table["near"][1] = 5.0
    look(table, [1.0, 1.0])
    assert table["near"][1] == pytest.approx(5.0 + TWO_PLOTS)
    look(table, [1.0, 1.0])
    assert table["near"][1] == 0.0  # nothing is saved up against a pair


@pytest.mark.parametrize("pd", [0.7, 0.8, 0.9, 0.95])
def test_two_tracks_of_one_object_are_one_within_a_few_looks(pd):
    rng, taken = np.random.default_rng(2), []
    for _ in range(100):
        table = rows_at(0.0, 20.0)
        taken.append(0)
        while table["life"][1] != FREE and taken[-1] < 100:
            look(table, np.full(2, 0.5 * (rng.random() < pd)), pd)
            taken[-1] += 1
        assert alive(table) == [True, False]  # the older stays
    evidence = -math.log(2.0 * (1.0 - pd))
    assert np.mean(taken) < Rules().merge_log_odds / evidence + 2.0


def merged_within(looks, runs, pd, rules):
    """Share of pairs of objects so near that their tracks are always asked, that are merged."""
    rng, merged = np.random.default_rng(3), 0
    for _ in range(runs):
        table = rows_at(0.0, 20.0)
        for _ in range(looks):
            look(table, rng.random(2) < pd, pd, rules)
            if table["life"][1] == FREE:
                merged += 1
                break
    return merged / runs


@pytest.mark.parametrize("pd", [0.7, 0.9])
def test_two_objects_are_merged_no_more_often_than_the_odds_asked_for_allow(pd):
    """By Lorden (1971): evidence that begins anew at every look misleads exp(-threshold) times a look."""
    for odds in (4.0, 6.0):
        share = merged_within(100, 60, pd, Rules(merge_log_odds=odds))
        assert share < 100.0 * math.exp(-odds) + 3.0 * math.sqrt(0.25 / 60)


@pytest.mark.parametrize("pd", [0.7, 0.8, 0.9, 0.95])
def test_two_objects_side_by_side_are_not_merged_over_hundreds_of_looks_where_the_rule_is_strict(pd):
    assert merged_within(300, 60, pd, Rules(merge_log_odds=12.0)) == 0.0


def test_tracks_that_are_apart_are_not_asked_and_old_suspicion_fades():
    far = rows_at(0.0, 2e3)
    far["near"][1] = 5.0
    for _ in range(20):
        look(far, [0.0, 0.0])
    assert alive(far) == [True, True]
    assert far["near"][1] == pytest.approx(5.0 * FORGET**20)


def test_near_is_by_the_spread_of_both_tracks():
    difference = np.zeros(6)
    difference[0] = 1.0
    p = 2.0 * rows_at(0.0)["covariance"][0, 1][:6, :6]
    reach = math.sqrt(NEAR2 / (difference @ np.linalg.solve(p, difference)))
    for factor, asked in ((0.97, True), (1.03, False)):
        table = rows_at(0.0, factor * reach)
        look(table, [0.5, 0.5])
        assert (table["near"][1] > 0.0) == asked


def test_of_three_tracks_of_one_object_the_oldest_stays():
    table = rows_at(0.0, 10.0, 20.0)
    table["number"] = [8, 3, 5]
    for _ in range(12):
        look(table, [0.3, 0.3, 0.3])
    assert alive(table) == [False, True, False]


def test_the_older_goes_on_as_the_surer_was():
    """The younger had all the plots: the older was doubted, and is known better by the younger's state."""
    table = rows_at(0.0, 20.0)
    table["log_odds"] = [-2.0, 9.0]
    surer = table["mean"][1].copy()
    for _ in range(12):
        look(table, [0.0, 0.9])
    assert alive(table) == [True, False]
    assert table["log_odds"][0] == 9.0 and np.array_equal(table["mean"][0], surer)


def test_what_is_not_confirmed_is_neither_merged_nor_merged_with():
    table = rows_at(0.0, 20.0)
    table["life"][0] = TENTATIVE
    for _ in range(12):
        look(table, [0.0, 0.0])
    assert table["life"].tolist() == [TENTATIVE, CONFIRMED]
    assert Rules(merge_log_odds=9.0).row()[MERGE] == 9.0


# ---------------------------------------------------------------------- in the engine


def flown(engine, feed, after=None, looks=10**9):
    """Run sectors through the engine; `after` is called once, as soon as a track has so many plots."""
    done = None
    for sector in feed:
        columns = np.column_stack(
            [sector.range_m, sector.azimuth_rad, sector.elevation_rad, sector.range_rate_ms]
        ).reshape(-1, 4)
        plots = plots_of(columns)
        plots = plots[in_order(plots)]
        identity = sector.header.sequence * 1000 + np.arange(len(plots))
        wedge = sector.azimuth_from_rad, sector.azimuth_to_rad
        engine.look(0, wedge, sector.header.measured_ns, plots, identity)
        live = engine.table[engine.confirmed()]
        if after is not None and done is None and len(live) and live["hits"].max() >= looks:
            done = sector.header.measured_ns
            after(engine)
    return done


def test_a_second_track_of_an_aircraft_is_gone_within_a_dozen_scans():
    def double(engine):
        (i,) = engine.confirmed()
        j = int(engine.live().max()) + 1
        engine.table[j] = engine.table[i]
        engine.table[j]["number"], engine.next_number = engine.next_number, engine.next_number + 1
        engine.table[j]["mean"][:, :3] += np.random.default_rng(5).normal(0.0, 30.0, 3)
        engine.index_rows()
        assert len(engine.confirmed()) == 2

    for seed in range(5):
        rng = np.random.default_rng(seed)
        engine = Engine([sensor_row(RADAR)], capacity=256)
        feed = sectors(rng, RADAR, [aircraft(32.5, 36.5, 10e3, 300.0, 240.0)], 120.0)
        assert flown(engine, feed, double, 8) is not None
        assert engine.table["number"][engine.confirmed()].tolist() == [1]


def test_two_aircraft_200_metres_apart_stay_two_for_five_minutes():
    """200 m is less than two deviations of a plot across the line of sight."""
    kept = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        flights = [
            aircraft(32.6, 36.2, 10e3, 300.0, 150.0),
            aircraft(32.6 + 200.0 / 111e3, 36.2, 10e3, 300.0, 150.0),
        ]
        engine = Engine([sensor_row(RADAR)], capacity=256)
        flown(engine, sectors(rng, RADAR, flights, 300.0))
        kept.append(len(engine.confirmed()))
        assert (engine.table["phase"][engine.confirmed()][:, CRUISE] > 0.9).all()
    assert kept == [2] * 4
