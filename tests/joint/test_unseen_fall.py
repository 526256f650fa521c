"""What falls out of sight is known as badly as a tracker that goes on looking for it would have it."""

from __future__ import annotations

import numpy as np

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
    states, covariances, _, _, _ = states_at(table, np.zeros(1, np.int64), FLIGHT, 119 * SECOND_NS)
    sigma, wanted = np.sqrt(np.diagonal(covariances[0])), np.sqrt(np.diagonal(looked["covariance"][k]))
    assert np.linalg.norm(states[0, :3] - looked["mean"][k, :3]) < 0.1 * np.linalg.norm(wanted[:3])
    # in one step over all that time the height was held to be half as uncertain again, the speed less
    np.testing.assert_allclose(sigma[:6], wanted[:6], rtol=0.02)
