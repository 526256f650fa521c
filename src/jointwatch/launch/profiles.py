"""The boost profiles of the generic classes, as priors: what a burn of each class may look like.

In: a class's name; out: a row of constants for the kernels (`launch.ascent`).  Each class is a few round
numbers of open literature with wide spreads (order of magnitude, CASES 11): how long a stage burns, which
part of the mass is propellant, how far the path is tilted, how much it drags.  `unknown` is no class:
spreads so wide that it fits what burns and climbs in whatever way; where it is the most probable, no class
fits.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# A profile's row.  Spreads are standard deviations in the logarithm, of the load in its logit.
STAGES = 0
BURN, BURN_SPREAD = 1, 2  # s, of one stage
LOAD, LOAD_SPREAD = 3, 4  # logit of the part of a stage's mass that is propellant
TILT, TILT_SPREAD = 5, 6  # rad from the vertical: of the rail, or at the end of the turn
DRAG, DRAG_SPREAD = 7, 8  # log of Cd A / mass at launch, m^2/kg
EXHAUST = 9  # effective exhaust velocity in vacuum, m/s
RAIL = 10  # speed off the rail, m/s; 0 for one that rises straight up
GAP = 11  # s between stages
GLOW, GLOW_SPREAD = 12, 13  # log of the intensity, W/sr
ROW = 14

RISE, TURN = 0.05, 0.2
"""How long it rises straight up, and up to the end of the turn: as parts of the time in which what burns at
this rate would burn a class's median load.  A strong motor turns sooner; when it will end does not
enter."""
LEFT_OUT_S, LEFT_OUT_RAD = 3.0, math.radians(2.0)
"""What no profile says, as standard deviations: how long one that flies by other physics takes to rise more
or less than these do, and how far winds and its own turn take it from the azimuth that it began with."""
BACK_PRESSURE = 0.08
"""Part of the thrust that the air takes at sea level."""


class Profile(Struct, frozen=True, kw_only=True):
    """One class's burn: medians, each with the standard deviation of its logarithm (of the load's logit).

    burn_s: of one stage.  load: part of a stage's mass that is propellant.  tilt_deg: from the vertical, of
    the rail or at the end of the turn.  drag: Cd A / mass at launch (m^2/kg).  exhaust_ms: effective, in
    vacuum.  glow_w_sr: intensity in the infrared.  share: prior probability among burns that are seen.
    left_out: what the profile does not say of the place of a launch.  Stages that burn unlike leave the first
    look farther from the launch, or nearer, than any draw of two alike does, by so much per axis (m).  Where
    all lines of sight come from one side, how far off it is hangs on the model alone, and draws are too near
    each other, by this factor.
    left_out_way: the same for who goes back from the end of a burn: by which part of it bodies that fly by
    other physics go farther over the ground until then, or less far, as a standard deviation.
    """

    name: str
    burn_s: tuple[float, float]
    load: tuple[float, float]
    tilt_deg: tuple[float, float]
    drag: tuple[float, float]
    exhaust_ms: float
    glow_w_sr: tuple[float, float]
    stages: int = 1
    rail_ms: float = 0.0
    gap_s: float = 1.0
    share: float = 1.0
    left_out: tuple[float, float] = (0.0, 1.0)
    left_out_way: float = 0.0

    def row(self) -> NDArray[np.float64]:
        """The kernels' (ROW,) constants."""
        row = np.zeros(ROW)
        row[STAGES], row[EXHAUST], row[RAIL], row[GAP] = (
            self.stages, self.exhaust_ms, self.rail_ms, self.gap_s,
        )  # fmt: skip
        row[BURN : BURN_SPREAD + 1] = self.burn_s
        row[LOAD : LOAD_SPREAD + 1] = math.log(self.load[0] / (1.0 - self.load[0])), self.load[1]
        row[TILT : TILT_SPREAD + 1] = math.radians(self.tilt_deg[0]), self.tilt_deg[1]
        row[DRAG : DRAG_SPREAD + 1] = math.log(self.drag[0]), self.drag[1]
        row[GLOW : GLOW_SPREAD + 1] = math.log(self.glow_w_sr[0]), self.glow_w_sr[1]
        return row


ANY = "unknown"
"""Name of what fits no class."""

PROFILES = (
    Profile(
        name="artillery_rocket", burn_s=(2.0, 0.15), load=(0.30, 0.2), tilt_deg=(58.0, 0.25),
        drag=(8e-5, 0.3), exhaust_ms=2050.0, rail_ms=35.0, glow_w_sr=(5e3, 0.8),
    ),
    Profile(
        name="heavy_rocket", burn_s=(5.5, 0.15), load=(0.43, 0.2), tilt_deg=(58.0, 0.25),
        drag=(4e-5, 0.3), exhaust_ms=2150.0, rail_ms=30.0, glow_w_sr=(5e4, 0.8),
    ),
    Profile(
        name="short_range", burn_s=(32.0, 0.35), load=(0.52, 0.3), tilt_deg=(50.0, 0.15),
        drag=(4e-5, 0.4), exhaust_ms=2450.0, glow_w_sr=(1.5e5, 0.8),
    ),
    Profile(
        name="medium_range", burn_s=(75.0, 0.3), load=(0.77, 0.45), tilt_deg=(33.0, 0.25),
        drag=(6e-5, 0.4), exhaust_ms=2550.0, glow_w_sr=(4e5, 0.8), left_out=(0.0, 1.08),
    ),
    Profile(
        # at its farthest it burns out 40 degrees from the level; with less load it reaches half as far
        name="medium_range_two_stage", burn_s=(43.0, 0.3), load=(0.62, 0.35), tilt_deg=(44.0, 0.3),
        drag=(4e-5, 0.4), exhaust_ms=2550.0, stages=2, glow_w_sr=(5e5, 0.8), left_out=(150.0, 1.05),
        left_out_way=0.015,
    ),
    Profile(
        # little more thrust than weight: a turn as wide as a missile's would lay it on the ground
        name="space_launch", burn_s=(160.0, 0.2), load=(0.76, 0.35), tilt_deg=(5.0, 0.5),
        drag=(2e-5, 0.4), exhaust_ms=2900.0, glow_w_sr=(2e6, 0.8), share=0.5,
    ),
    Profile(
        name=ANY, burn_s=(40.0, 1.0), load=(0.6, 1.0), tilt_deg=(35.0, 0.6),
        drag=(5e-5, 0.7), exhaust_ms=2600.0, glow_w_sr=(2e5, 2.0), share=0.1,
    ),
)  # fmt: skip
"""All that a burn may be, before it is looked at.  Of a launch to orbit only the first stage is: what follows
burns for minutes in ways of its own, and fits none."""


def profile_named(name: str) -> Profile:
    """The profile of a class."""
    return next(p for p in PROFILES if p.name == name)
