"""What of a partner's report may enter the picture: a faulty or lying sender must not spoil a good neighbour.

In: a track as it came over the link, and when; out: in words why it is refused, or nothing.  A record that
decodes can still say what no radar could: these are the checks of its values.
"""

from __future__ import annotations

import math

from jointwatch.records import Track

LEAST_RADIUS_M, GREATEST_RADIUS_M = 6.2e6, 5e7
"""Distances from the Earth's middle between which there is anything to report."""
FASTEST_MS = 20e3
AHEAD_S = 5.0
"""Partners' clocks may differ by so much: a track measured later than this after now is refused, because it
would stand unmoved until then and keep out every good one."""
VARIANCES = (0, 7, 13, 18, 22, 25, 27)
"""Where the variances stand in the upper triangle of a 7 x 7 covariance by rows."""


def why_refused(track: Track, partner: str, received_ns: int) -> str:
    """Why `partner` cannot use a track that another one sent; "" if it can."""
    if track.header.originator == partner or track.number.startswith(f"{partner.upper()}-"):
        return "our own track came back"
    if len(track.state) != 7 or not all(map(math.isfinite, track.state)):
        return "state is not seven finite numbers"
    if len(track.covariance) != 28 or not all(map(math.isfinite, track.covariance)):
        return "covariance is not 28 finite numbers"
    if min(track.covariance[i] for i in VARIANCES) <= 0.0:
        return "covariance has a variance that is not positive"
    if len(track.phases) != 3 or not all(0.0 <= p <= 1.0 for p in (*track.phases, track.existence)):
        return "a probability is not between 0 and 1"
    if not math.isfinite(track.thrust_ms2):
        return "thrust is not a finite number"
    if not LEAST_RADIUS_M < math.hypot(*track.state[:3]) < GREATEST_RADIUS_M:
        return "position is not near the Earth"
    if math.hypot(*track.state[3:6]) > FASTEST_MS:
        return "velocity is more than anything that falls has"
    if track.header.measured_ns > received_ns + AHEAD_S * 1e9:
        return "measured after it was received"
    return ""
