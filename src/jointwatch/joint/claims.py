"""What a partner claims of launches, falls, alerts, sensors and announced launches, held against what can be.

In: one such claim and the terms on which its message came; out: the first fault in it, or nothing.
"""

from __future__ import annotations

import math
from itertools import pairwise

from jointwatch.joint.faults import (
    DAY_S,
    LONGEST_TEXT,
    ROUNDING,
    Fault,
    S,
    Terms,
    about,
    first_of,
    inside,
    known,
    not_after,
    of_source,
    on_earth,
    probabilities,
    readable,
    within,
)
from jointwatch.records import (
    EXERCISE,
    LAUNCH_FLOOR_M,
    Alert,
    Announcement,
    Impact,
    LaunchArea,
    LaunchReport,
    SensorHealth,
)

YEAR_S = 366 * DAY_S
FARTHEST_M = 2.1e7
"""Half way round the Earth: nothing on the ground is vaguer."""
WIDEST_ANNOUNCED_M, LONGEST_ANNOUNCED_S = 500e3, 31 * DAY_S
"""An announced launch is not taken for an alarm: so it must be of one place and time, not of all."""
LONGEST_IDENTIFIER = 200
"""Of a message: it holds the name of its node, that of its partner and more."""
MOST_SENSORS = 1000
"""No launch is looked at by more."""


def why_no_launch(report: LaunchReport, terms: Terms) -> Fault | None:
    return first_of(
        readable("object_class", report.object_class),
        probabilities("classes", report.classes),
        inside("area", _area(report.area, terms)),
        readable("withdrawn", report.withdrawn, LONGEST_TEXT, empty=True),
        None if report.impact is None else inside("impact", why_no_impact(report.impact, terms)),
    )


def _area(area: LaunchArea, terms: Terms) -> Fault | None:
    fault = first_of(
        known(area.track, terms),
        on_earth(area.latitude_rad, area.longitude_rad),
        within("time_sigma_s", area.time_sigma_s, 0.0, DAY_S),
        within("bearing_rad", area.bearing_rad, -2.0 * math.pi, 2.0 * math.pi),
        about("time_ns", area.time_ns, terms, DAY_S),
        probabilities("territories", area.territories),
        readable("origin", area.origin),
        readable("announced", area.announced, empty=True),
        readable("why", area.why, LONGEST_TEXT, empty=True),
        within("sensors", area.sensors, 0, MOST_SENSORS),
        _if_told("origin_probability", area.origin_probability, 0.0, 1.0),
        _if_told("azimuth_rad", area.azimuth_rad, -2.0 * math.pi, 2.0 * math.pi),
        _if_told("azimuth_sigma_rad", area.azimuth_sigma_rad, 0.0, 2.0 * math.pi),
    )
    if fault is not None:
        return fault
    if (area.azimuth_rad is None) != (area.azimuth_sigma_rad is None):
        return Fault("bad values", "azimuth_sigma_rad", "is told without the azimuth, or it without this")
    for field, axis in (("semi_major_m", area.semi_major_m), ("semi_minor_m", area.semi_minor_m)):
        if not LAUNCH_FLOOR_M * (1.0 - ROUNDING) <= axis <= FARTHEST_M:
            return Fault(
                "bad values", field, f"is not between the floor of {LAUNCH_FLOOR_M:g} m and the Earth"
            )
    if area.semi_minor_m > area.semi_major_m * (1.0 + ROUNDING):
        return Fault("bad values", "semi_minor_m", "is the longer of the two")
    return None


def _if_told(field: str, value: float | None, least: float, most: float) -> Fault | None:
    return None if value is None else within(field, value, least, most)


def why_no_impact(impact: Impact, terms: Terms) -> Fault | None:
    fault = first_of(
        known(impact.track, terms),
        readable("object_class", impact.object_class, empty=True),
        about("time_ns", impact.time_ns, terms, DAY_S),
        within("time_sigma_s", impact.time_sigma_s, 0.0, DAY_S),
        on_earth(impact.latitude_rad, impact.longitude_rad),
        within("axis_rad", impact.axis_rad, -2.0 * math.pi, 2.0 * math.pi),
    )
    if fault is not None:
        return fault
    east, cross, north = impact.covariance_m2
    if not (0.0 < east <= FARTHEST_M**2 and 0.0 < north <= FARTHEST_M**2):
        return Fault("bad values", "covariance_m2", "has a variance that no fall has")
    if not abs(cross) <= math.sqrt(east) * math.sqrt(north) * (1.0 + ROUNDING):
        return Fault("bad values", "covariance_m2", "is not positive semidefinite")
    q = impact.quantiles
    if q and not (len(q) == 5 and all(map(math.isfinite, q)) and all(a <= b for a, b in pairwise(q))):
        return Fault("bad values", "quantiles", "are not five finite numbers in order")
    return None


def why_no_alert(alert: Alert, terms: Terms) -> Fault | None:
    if alert.partner != terms.issuer:
        return Fault("out of scope", "partner", "is not the issuer: everybody warns their own people")
    if alert.exercise != terms.exercise:
        of, here = ("an exercise's", "live") if alert.exercise else ("live", "an exercise")
        return Fault("out of scope", "exercise", f"is {of}, and this is {here}")
    if alert.identifier.startswith(EXERCISE) and not alert.exercise:
        return Fault("bad values", "identifier", "is an exercise's, and the alert is said to be live")
    names = (*alert.zones, *(number for number, _ in alert.evidence))
    return first_of(
        readable("identifier", alert.identifier, LONGEST_IDENTIFIER),
        readable("reason", alert.reason, LONGEST_TEXT, empty=True),
        not_after("sent_ns", alert.sent_ns, terms.latest_ns),
        first_of(*(readable("references", name, LONGEST_IDENTIFIER) for name in alert.references)),
        first_of(*(readable("zones or evidence", name) for name in names)),
        first_of(*(within("evidence", chance, 0.0, 1.0) for _, chance in alert.evidence)),
    )


def why_no_health(health: SensorHealth, terms: Terms) -> Fault | None:
    return first_of(
        of_source(health.source, terms),
        readable("detail", health.detail, LONGEST_TEXT, empty=True),
        not_after("last_look_ns", health.last_look_ns, terms.latest_ns),
    )


def why_not_announced(launch: Announcement, terms: Terms) -> Fault | None:
    fault = first_of(
        readable("name", launch.name),
        readable("object_class", launch.object_class, empty=True),
        about("from_ns", launch.from_ns, terms, YEAR_S),
        about("to_ns", launch.to_ns, terms, YEAR_S),
        on_earth(launch.latitude_rad, launch.longitude_rad),
        within("radius_m", launch.radius_m, 0.0, WIDEST_ANNOUNCED_M),
        within("azimuth_rad", launch.azimuth_rad, -2.0 * math.pi, 2.0 * math.pi),
        within("tolerance_rad", launch.tolerance_rad, 0.0, math.pi),
    )
    if fault is None and not 0 <= launch.to_ns - launch.from_ns <= LONGEST_ANNOUNCED_S * S:
        fault = Fault("bad values", "to_ns", f"is not within {LONGEST_ANNOUNCED_S / DAY_S:g} days of from_ns")
    return fault
