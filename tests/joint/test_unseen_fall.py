"""What falls out of sight is known as badly as a tracker that goes on looking for it would have it."""

from __future__ import annotations

import numpy as np
import pytest

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.joint.filter import INFORMATION, TRACKLET, follow, states_at
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN
from jointwatch.motion.propagate import propagate
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.table import ROW

SECOND_NS = 1_000_000_000


def test_a_fall_through_the_air_untold_is_predicted_as_by_looks_that_see_nothing() -> None:
    place = np.array(geodetic2ecef(0.5, 0.6, 100e3))
    flown = np.array([*place, *(-900.0 * place / np.linalg.norm(place)), PRIOR_MEAN[BALLISTIC]])
    flown[5] += 1500.0
    tracklets = np.zeros((20, TRACKLET))
    for one in tracklets:
        one[:6] = flown[:6]
        one[INFORMATION : INFORMATION + 36] = np.diag([1e-4] * 3 + [1e-2] * 3).ravel()
        propagate(BALLISTIC, flown, 1.0)
    table = np.zeros(1, ROW)
    follow(table, 0, FLIGHT, 15.0, np.arange(20) * SECOND_NS, tracklets)
    looked = table.copy()[0]
    for second in range(21, 120):
        predict_row(FLIGHT, looked, second * SECOND_NS)
    k = int(np.argmax(looked["phase"]))
    assert k == BALLISTIC
    states, covariances, _, _, _ = states_at(
        table, np.zeros(1, np.int64), FLIGHT, 119 * SECOND_NS, np.zeros(1, ROW)
    )
    sigma, wanted = np.sqrt(np.diagonal(covariances[0])), np.sqrt(np.diagonal(looked["covariance"][k]))
    assert np.linalg.norm(states[0, :3] - looked["mean"][k, :3]) < 0.1 * np.linalg.norm(wanted[:3])
    # in one step over all that time the height was held to be half as uncertain again, the speed less
    np.testing.assert_allclose(sigma[:6], wanted[:6], rtol=0.02)


def coasting(seconds: float = 20.0) -> np.ndarray[tuple[int, ...], np.dtype[np.void]]:
    """A row that was told of for some seconds, of what comes down a few minutes later."""
    place = np.array(geodetic2ecef(0.5, 0.6, 120e3))
    flown = np.array([*place, 400.0, -900.0, 300.0, PRIOR_MEAN[BALLISTIC]])
    tracklets = np.zeros((int(seconds), TRACKLET))
    for one in tracklets:
        one[:6] = flown[:6]
        one[INFORMATION : INFORMATION + 36] = np.diag([1e-4] * 3 + [1e-2] * 3).ravel()
        propagate(BALLISTIC, flown, 1.0)
    table = np.zeros(1, ROW)
    follow(table, 0, FLIGHT, 15.0, np.arange(len(tracklets)) * SECOND_NS, tracklets)
    return table


@pytest.mark.parametrize("seed", range(4))
def test_where_a_coast_came_to_is_remembered_and_changes_nothing(seed: int) -> None:
    """Whatever is asked in whatever order, and whatever else the row became between."""
    rng, rows = np.random.default_rng(seed), np.zeros(1, np.int64)
    one, other = coasting(20.0), coasting(19.0)
    kept = np.zeros(1, ROW)
    for _ in range(60):
        table = one if rng.random() < 0.7 else other
        asked = round(rng.uniform(20.0, 400.0) * SECOND_NS)
        given = states_at(table, rows, FLIGHT, asked, kept)
        anew = states_at(table, rows, FLIGHT, asked, np.zeros(1, ROW))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(given, anew, strict=True))


def test_what_has_come_down_untold_is_nowhere_and_is_not_asked_of_again() -> None:
    table, rows, kept = coasting(), np.zeros(1, np.int64), np.zeros(1, ROW)
    there = [
        bool(states_at(table, rows, FLIGHT, second * SECOND_NS, kept)[0].any())
        for second in range(20, 700, 10)
    ]
    assert there[0] and not there[-1]
    assert there == sorted(there, reverse=True), "what is down stays down"
    down_ns = int(kept["time_ns"][0])
    assert not states_at(table, rows, FLIGHT, 3000 * SECOND_NS, kept)[0].any()
    assert kept["time_ns"][0] == down_ns
