"""The engine as a whole: tracks that fly together are told by their number; alert changes only how soon."""

from __future__ import annotations

import math

import numpy as np
from world import RADAR, radar

from jointwatch.motion.phases import BALLISTIC
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.engine import Engine
from jointwatch.tracking.rules import CONFIRM
from jointwatch.tracking.table import CONFIRMED
from jointwatch.tracking.undetected import MOST_BOOST, LaunchGround


def flying(engine: Engine, places_m: list[float], existence: float) -> None:
    """Put a track of a given existence at each place along x."""
    for i, x in enumerate(places_m):
        row = engine.table[i]
        row["life"], row["number"] = CONFIRMED, i + 1
        row["log_odds"] = math.log(existence / (1.0 - existence))
        row["phase"] = 0.0
        row["phase"][BALLISTIC] = 1.0
        row["mean"][BALLISTIC] = [7e6 + x, 0.0, 0.0, 0.0, 0.0, 0.0, -8.6]
        row["covariance"][BALLISTIC] = np.diag([1.0] * 6 + [0.1])
    engine.index_rows()


def test_of_tracks_that_met_as_many_are_told_as_are_expected_to_be_there() -> None:
    engine = Engine([sensor_row(RADAR)], capacity=8)
    flying(engine, [0.0, 1.0, 2.0, 3.0], 0.75)  # four met, one has ended: nobody can say which
    assert len(engine.estimates(0.5)) == 4
    assert len(engine.counted(5.0)) == 3
    (group,) = engine.groups(5.0)
    assert (group.fewest, group.most) == (1, 4) and abs(group.mean - 3.0) < 1e-12


def test_tracks_apart_are_told_each_by_its_own_existence() -> None:
    engine = Engine([sensor_row(RADAR)], capacity=8)
    flying(engine, [0.0, 100.0, 200.0], 0.75)
    assert len(engine.counted(5.0)) == 3
    flying(engine, [0.0, 100.0, 200.0], 0.25)
    assert engine.counted(5.0) == []
    assert Engine([sensor_row(RADAR)], capacity=8).counted(5.0) == []


def test_a_raised_alert_raises_the_odds_to_confirm_by_just_as_much_as_it_expects_more() -> None:
    """The rate of false tracks stays the one that was asked for, and the boost is bounded."""
    sensor = sensor_row(radar())
    near = LaunchGround(
        latitude_rad=RADAR.latitude_rad,
        longitude_rad=RADAR.longitude_rad,
        radius_m=2e4,
        launches_per_day=50.0,
    )
    engine = Engine([sensor], capacity=8, grounds=[near])
    calm = engine.rules[CONFIRM]
    engine.take_boost(4.0)
    raised = engine.rules[CONFIRM]
    engine.take_boost(1e9)
    assert calm < raised < engine.rules[CONFIRM] <= calm + math.log(MOST_BOOST)
    engine.take_boost(1.0)
    assert engine.rules[CONFIRM] == calm
