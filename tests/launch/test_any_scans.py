"""Whatever lines of sight come, nothing stops: any motion, precision, time and intensity."""

import math

import numpy as np
import pytest
from made_scans import PLACE, START_NS, satellite

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.earth.places import Territories
from jointwatch.launch.burn_report import burn_area, burn_estimate
from jointwatch.launch.burns import Burns
from jointwatch.launch.salvo import salvos
from jointwatch.records import Header, InfraredScan
from jointwatch.sensing.infrared import disc_half_angle, geostationary_site


def any_scan(eye, k, t, points, rng):
    """A scan of some points (ECEF), as bright as anything."""
    site = geostationary_site(eye)
    along = np.array([(p - site) / np.linalg.norm(p - site) for p in points]).reshape(-1, 3)
    now = START_NS + round(t * 1e9)
    x, y, z = (tuple(column) for column in along.T.tolist())
    return InfraredScan(
        header=Header(originator=eye.partner, source=eye.name, sequence=k, measured_ns=now),
        sensor=eye.name, received_ns=now, site_m=tuple(site.tolist()),
        axis=tuple((-site / np.linalg.norm(site)).tolist()), half_angle_rad=disc_half_angle(site),
        along_x=x, along_y=y, along_z=z,
        intensity_w_sr=tuple((10 ** rng.uniform(-3, 9, len(along))).tolist()),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(7))
def test_nothing_that_shines_stops_it_or_leaves_numbers_that_are_none(seed):
    rng = np.random.default_rng(seed)
    eyes = [
        satellite(sigma_rad=10 ** rng.uniform(-6, -3)),
        satellite("east", 75.0, 10 ** rng.uniform(-6, -3), period_s=float(rng.choice([0.5, 10.0, 60.0]))),
    ]
    burns = Burns(eyes, 5e-20, 10.0, "A", draws=60)
    territories = Territories({"Garnet": ["364"]})
    begin = np.array(geodetic2ecef(PLACE[0], PLACE[1], rng.uniform(0, 1e5)))
    velocity, t = rng.normal(size=3) * 10 ** rng.uniform(0, 4.5), 0.0
    for k in range(25):
        t += 10 ** rng.uniform(-3, 1.7)
        points = [begin + velocity * t + rng.normal(size=3) * 5e3 for _ in range(int(rng.integers(0, 4)))]
        points += [begin] * int(rng.integers(0, 3)) + [rng.normal(size=3) * 7e6]
        for burn in burns.take(any_scan(eyes[int(rng.integers(2))], k, t, points, rng)):
            if burn.posterior is None:
                continue
            assert np.isfinite(burn.posterior.values).all()
            area = burn_area(burn.number, burn.posterior, territories, burn.sensors)
            if area is not None:
                assert math.isfinite(area.semi_major_m)
                told = burn_estimate(burn.posterior, area)
                assert told.impact is None or math.isfinite(told.impact.covariance_m2[0])
        if k % 8:
            continue
        for salvo in salvos(burns.all(), burns.glances(), {eye.name: eye for eye in eyes}):
            assert salvo.probability.sum() == pytest.approx(1.0)
