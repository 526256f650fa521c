"""How air holds up what coasts: a drag parameter and how drag grows and falls with the speed of sound.

In: the log of a drag parameter, height and speed; out: the drag over the speed (1/s), and its slopes.  A drag
parameter is Cd A / m (m^2/kg) at twice the speed of sound; at other speeds it is multiplied by a shape drawn
after the standard projectile G7 (McCoy 1999, "Modern exterior ballistics"): little below the speed of sound,
two fifths more just above it than at twice it, and a slow fall from there on.  From the speed of sound to
three times it G7 is within 5 % of it (its test), a tenth lower at four times and a third lower below; bodies
differ, and the filter's noise allows for that.
"""

from __future__ import annotations

import math

from numba import njit

from jointwatch.earth.atmosphere import density_exponential, density_scale_height, sound_slope, sound_speed
from jointwatch.kernel import leaf

MOST_LOG_DRAG = -3.0
"""Nothing that is tracked drags more (0.05 m^2/kg: a sheet of metal).  A plot that contradicts a row can push
the estimate anywhere, and with drag without bound the shortest step would no longer be short enough."""
RISES_AT, RISEN_AT = 0.75, 1.15
"""Mach numbers between which drag rises."""
SLOW = 0.62
"""Drag below them, over that at twice the speed of sound."""
FAR, NEAR = 0.46, 1.08
"""Drag above them: FAR + NEAR / Mach, which is 1 at twice the speed of sound."""


@njit(cache=True)
def drag_of(parameter: float) -> float:
    """Drag parameter (m^2/kg) of its log, at most that of MOST_LOG_DRAG."""
    return math.exp(min(parameter, MOST_LOG_DRAG))


@leaf
def drag_rise(mach: float) -> float:
    """Drag coefficient at a Mach number over that at twice the speed of sound."""
    if mach <= RISES_AT:
        return SLOW
    fast = FAR + NEAR / mach
    if mach >= RISEN_AT:
        return fast
    part = (mach - RISES_AT) / (RISEN_AT - RISES_AT)
    return SLOW + (fast - SLOW) * part * part * (3.0 - 2.0 * part)


@leaf
def drag_rise_slope(mach: float) -> float:
    """Slope of `drag_rise` by Mach number."""
    if mach <= RISES_AT:
        return 0.0
    fall = -NEAR / (mach * mach)
    if mach >= RISEN_AT:
        return fall
    width = RISEN_AT - RISES_AT
    part = (mach - RISES_AT) / width
    gap = FAR + NEAR / mach - SLOW
    return fall * part * part * (3.0 - 2.0 * part) + gap * 6.0 * part * (1.0 - part) / width


@leaf
def held_up(height_m: float, speed_ms: float, parameter: float) -> float:
    """Deceleration by drag over the speed (1/s)."""
    rise = drag_rise(speed_ms / sound_speed(height_m))
    return 0.5 * density_exponential(height_m) * drag_of(parameter) * rise * speed_ms


@leaf
def held_up_slopes(height_m: float, speed_ms: float, parameter: float) -> tuple[float, float, float]:
    """`held_up` (1/s), and its slopes by height (1/(m s)) and by speed (1/m)."""
    sound = sound_speed(height_m)
    mach = speed_ms / sound
    rise, slope = drag_rise(mach), drag_rise_slope(mach)
    k = 0.5 * density_exponential(height_m) * drag_of(parameter)
    # air is thinner higher up, and sound slower
    faster = slope * mach / sound * sound_slope(height_m)
    by_height = -k * speed_ms * (rise / density_scale_height(height_m) + faster)
    return k * rise * speed_ms, by_height, k * (rise + slope * mach)
