"""Generic classes of missiles and rockets for exercises: order of magnitude only, from open literature.

Nothing here describes a real design: each class is a few round numbers that make ranges, burn times, burn-out
speeds and flight times come out as open literature states them for its kind (tests/exercise/test_classes.py).
The truth draws every object's own values some per cent about these.
"""

from __future__ import annotations

from msgspec import Struct


class UpperStage(Struct, frozen=True, kw_only=True):
    """What flies on when a first stage is spent and falls off: masses, burn time, exhaust velocity in vacuum
    (it burns above the air) and diameter."""

    dry_kg: float
    propellant_kg: float
    burn_s: float
    exhaust_ms: float
    diameter_m: float


class FlightClass(Struct, frozen=True, kw_only=True):
    """One generic class.

    dry_kg, propellant_kg: masses, of the first stage alone where an upper one is stated; upper: the second
    stage, whose motor lights when the first ends.  burn_s: burn time of all propellant.  exhaust_ms:
    effective exhaust velocity in vacuum; back_pressure: share of it lost at sea level.  diameter_m and
    drag_scale: reference area, and the factor on the generic drag coefficient.  kick_deg: of steering "rise,
    kick, follow", at the least and at the full load (a heavier one turns over more by itself).  rail_ms:
    speed off the rail of one launched from a rail.  control: what differs with range: "load" (share of the
    propellant loaded) or "elevation" (of the rail, rad), and between which two values the range grows with
    it.  spread: relative scatter of mass, burn time and drag between objects.  danger_radius_m: about its
    fall point.
    """

    dry_kg: float
    propellant_kg: float
    burn_s: float
    exhaust_ms: float
    back_pressure: float
    diameter_m: float
    drag_scale: float
    kick_deg: tuple[float, float] = (0.0, 0.0)
    rail_ms: float = 0.0
    control: str = "load"
    control_range: tuple[float, float] = (0.55, 1.0)
    spread: float = 0.02
    drag_spread: float = 0.15
    danger_radius_m: float
    upper: UpperStage | None = None


CLASSES = {
    "artillery_rocket": FlightClass(
        dry_kg=46.0,
        propellant_kg=19.4,
        burn_s=2.0,
        exhaust_ms=2050.0,
        back_pressure=0.05,
        diameter_m=0.122,
        drag_scale=1.0,
        rail_ms=35.0,
        control="elevation",
        control_range=(0.12, 0.85),
        spread=0.005,
        drag_spread=0.03,
        danger_radius_m=100.0,
    ),
    "heavy_rocket": FlightClass(
        dry_kg=520.0,
        propellant_kg=405.0,
        burn_s=5.5,
        exhaust_ms=2150.0,
        back_pressure=0.05,
        diameter_m=0.333,
        drag_scale=1.0,
        rail_ms=30.0,
        control="elevation",
        control_range=(0.12, 0.85),
        spread=0.005,
        drag_spread=0.03,
        danger_radius_m=200.0,
    ),
    "short_range": FlightClass(
        dry_kg=1400.0,
        propellant_kg=1950.0,
        burn_s=35.0,
        exhaust_ms=2450.0,
        back_pressure=0.08,
        diameter_m=0.6,
        drag_scale=1.0,
        kick_deg=(24.0, 26.0),
        danger_radius_m=300.0,
    ),
    "medium_range": FlightClass(
        dry_kg=2500.0,
        propellant_kg=13000.0,
        burn_s=108.0,
        exhaust_ms=2570.0,
        back_pressure=0.10,
        diameter_m=1.7,
        drag_scale=1.2,
        control_range=(0.38, 1.0),
        kick_deg=(20.0, 10.2),
        spread=0.015,
        danger_radius_m=500.0,
    ),
    "medium_range_two_stage": FlightClass(
        dry_kg=1400.0,
        propellant_kg=10500.0,
        burn_s=50.0,
        exhaust_ms=2500.0,
        back_pressure=0.10,
        diameter_m=1.4,
        drag_scale=1.0,
        control_range=(0.55, 1.0),
        kick_deg=(26.0, 20.5),
        spread=0.01,
        danger_radius_m=500.0,
        upper=UpperStage(dry_kg=1900.0, propellant_kg=3500.0, burn_s=50.0, exhaust_ms=2650.0, diameter_m=1.4),
    ),
}
