"""The peer's trackers: chains of Stone Soup's parts (1.9.1, extra `bench`) on the inputs of `hard_inputs`.

In: an input and a chain; out: what it said, scan by scan, and how long each took.  The peer is told what ours
is told: noise, detection, clutter, and how objects move.  Its parts are loaded where a chain is built: a
benchmark runs without them where they are not installed.
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hard_inputs import NOISE, SPEED_SIGMA_MS, Estimates, Input

from jointwatch.motion.plane import GRAVITY_MS2

Chain = Mapping[str, Any]

CHAINS: dict[str, Chain] = {
    "ekf gnn": {"filter": "Extended", "associate": "gnn"},
    "ekf gnn, 4 plots": {"filter": "Extended", "associate": "gnn", "plots": 4},
    "ekf jpda lbp": {"filter": "Extended", "associate": "lbp"},
    "ekf jpda ehm2": {"filter": "Extended", "associate": "ehm2"},
    "ekf jpda ehm2, 4 plots": {"filter": "Extended", "associate": "ehm2", "plots": 4},
    "ukf jpda ehm2": {"filter": "Unscented", "associate": "ehm2"},
}
"""Chains of the peer's parts, all with its tree of plots; `plots`: how many make a track (3 unless told);
`lose`: after how many looks without a plot a track ends (LOSE_MISSES unless told)."""
TREE_REACH_M = 6000.0
HOLD_MISSES, LOSE_MISSES = 2, 5
BEGIN = datetime.datetime(2026, 1, 1)


def peer(data: Input, chain: Chain, limit_s: float = math.inf) -> Estimates | None:
    """A chain of the peer's on an input; None where it has not finished within limit_s."""
    from stonesoup.types.angle import Bearing, Elevation
    from stonesoup.types.array import StateVector
    from stonesoup.types.detection import Detection

    measurement = _peer_measurement(data)
    scans = []
    for k in range(len(data.truth)):
        now = BEGIN + datetime.timedelta(seconds=k * data.dt)
        plots = {
            Detection(
                StateVector([Elevation(e), Bearing(a), r]), timestamp=now, measurement_model=measurement
            )
            for e, a, r in data.z[data.scan == k]
        }
        scans.append((now, plots))
    steps = iter(_peer_tracker(data, chain, measurement, scans))
    said = Estimates([], [], [])
    for _ in scans:
        begun = time.perf_counter()
        tracks = sorted(next(steps)[1], key=lambda t: t.id)
        said.seconds.append(time.perf_counter() - begun)
        said.who.append([t.id for t in tracks])
        said.where.append(
            np.array([np.asarray(t.state.mean, dtype=float).ravel()[::2] for t in tracks]).reshape(-1, 3)
        )
        if sum(said.seconds) > limit_s:
            return None
    return said


def _peer_measurement(data: Input) -> Any:
    from stonesoup.models.measurement.nonlinear import CartesianToElevationBearingRange

    return CartesianToElevationBearingRange(
        ndim_state=6, mapping=np.array([0, 2, 4]), noise_covar=np.diag(data.sigma**2)
    )


def _peer_tracker(data: Input, chain: Chain, measurement: Any, scans: Any) -> Any:
    """The peer's tracker of one chain, over its scans: what holds new tracks assigns plots one to one."""
    from stonesoup.dataassociator.probability import JPDAwithEHM2, JPDAwithLBP
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D, DetectionKDTreeMixIn
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
    from stonesoup.predictor import kalman as predictors
    from stonesoup.tracker.simple import MultiTargetMixtureTracker, MultiTargetTracker
    from stonesoup.types.state import GaussianState
    from stonesoup.updater import kalman as updaters

    class Falling(CombinedLinearGaussianTransitionModel):  # type: ignore[misc]
        """Nearly constant velocity under gravity, which the peer has no model of."""

        def function(self, state: Any, noise: Any = False, **kwargs: Any) -> Any:
            t = kwargs["time_interval"].total_seconds()
            fallen = np.zeros((6, 1))
            fallen[4:, 0] = -0.5 * GRAVITY_MS2 * t * t, -GRAVITY_MS2 * t
            return super().function(state, noise=noise, **kwargs) + fallen

    class LoopyTree(DetectionKDTreeMixIn, JPDAwithLBP):  # type: ignore[misc]
        pass

    class ExactTree(DetectionKDTreeMixIn, JPDAwithEHM2):  # type: ignore[misc]
        pass

    moves = Falling([ConstantVelocity(NOISE)] * 3)
    predictor = getattr(predictors, f"{chain['filter']}KalmanPredictor")(moves)
    updater = getattr(updaters, f"{chain['filter']}KalmanUpdater")(measurement)
    tree = {"predictor": predictor, "updater": updater, "max_distance": TREE_REACH_M}
    nearest = DetectionKDTreeGNN2D(
        DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=4.0), **tree
    )
    likely = PDAHypothesiser(
        predictor, updater, prob_detect=data.pd, prob_gate=0.999,
        clutter_spatial_density=data.clutter_mean / float(np.prod(data.clutter_hi - data.clutter_lo)),
    )  # fmt: skip
    associators: dict[str, Callable[[], Any]] = {
        "gnn": lambda: nearest,
        "lbp": lambda: LoopyTree(likely, **tree),
        "ehm2": lambda: ExactTree(likely, **tree),
    }
    initiator = MultiMeasurementInitiator(
        prior_state=GaussianState(np.zeros((6, 1)), np.diag([0.0, SPEED_SIGMA_MS**2] * 3), timestamp=BEGIN),
        measurement_model=measurement, deleter=UpdateTimeStepsDeleter(HOLD_MISSES),
        data_associator=nearest, updater=updater, min_points=chain.get("plots", 3),
    )  # fmt: skip
    kind = MultiTargetTracker if chain["associate"] == "gnn" else MultiTargetMixtureTracker
    return kind(
        initiator=initiator, deleter=UpdateTimeStepsDeleter(chain.get("lose", LOSE_MISSES)), detector=scans,
        data_associator=associators[chain["associate"]](), updater=updater,
    )  # fmt: skip
