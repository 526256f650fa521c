"""What stands behind a zone's alert: the tracks that threaten it, and what becomes of each of them.

In: a track's danger as it is at each evaluation (`Threat`); out: whether it still threatens the zone that was
told on its account, came down, or went elsewhere.  Only these tracks hold an alert up (`Policy`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.warning.policy import Policy

S = 1_000_000_000
LAST_S = 15.0
"""So shortly before its expected impact an object is taken at its last word: low down it is hardly seen any
more, and an alert taken back then helps nobody."""
LONG_AGO = -(2**62)
VAGUE = 2.5
"""A track so much vaguer than it was is no more the object that it was: it broke up, or changed hands."""


class Threat(Struct, frozen=True):
    """One track's danger: predicted impact and the probability of danger to each zone.

    zones (k,), probability (k,): of the zones with any danger.  sigma_m: 1-sigma of the larger ground axis;
    open_m: what looks may still take away of it (`warning.impact`).
    near (k,): zones to be given early notice of it (`warning.reach`); None: those about its fall.
    reach_only: still thrusting, so this counts for early notice only.  sure: ballistic beyond doubt; what is
    not keeps up an alert that stands, and begins none.  aliases: all numbers that the track goes by.
    doubtful: it may be an aircraft, or is more likely not there: it begins no early notice.  shed: parts came
    off it just now.
    """

    track: str
    object_class: str
    impact_ns: int
    latitude_rad: float
    longitude_rad: float
    sigma_m: float
    open_m: float
    zones: NDArray[np.int64]
    probability: NDArray[np.float64]
    reach_only: bool
    sure: bool
    aliases: tuple[str, ...] = ()
    near: NDArray[np.int64] | None = None
    doubtful: bool = False
    shed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The number that it goes by, and all others."""
        return self.track, *self.aliases


class Evidence(NamedTuple):
    """A threat for which a zone is told, with the probability of its danger to it.

    reason: it is one of the greatest dangers, which together are enough to tell it, and not only one more.
    """

    threat: Threat
    probability: float
    reason: bool


class Behind:
    """A track behind a zone's alert.

    probability: the greatest danger it was.  reason: it was once the reason for the alert, not only one more.
    place, sigma_m: its fall when that was known best.  sound: never much vaguer since.  expected: when last
    seen it was to fall where it was expected to.  here: it endangers the zone, or is the reason and expected.
    threatens: that, and no motor seems to burn; held_ns: when it last did (None: not known, for it is not
    seen since an alert named it).  shed: parts came off it when it was last seen.  fell: it came down here;
    down_ns: when it did, here or where expected.
    """

    __slots__ = (
        "down_ns", "expected", "fell", "held_ns", "here", "impact_ns", "place", "probability", "reason",
        "shed", "sigma_m", "sound", "threatens",
    )  # fmt: skip

    def __init__(self, impact_ns: int, place: tuple[float, float] | None, sigma_m: float) -> None:
        self.probability = 0.0
        self.impact_ns = impact_ns
        self.place = place
        self.sigma_m = sigma_m
        self.sound = self.expected = self.here = self.threatens = True
        self.reason = self.fell = self.shed = False
        self.held_ns: int | None = LONG_AGO
        self.down_ns: int | None = None

    @classmethod
    def of(cls, threat: Threat) -> Behind:
        """A track that threatens the zone now."""
        return cls(threat.impact_ns, (threat.latitude_rad, threat.longitude_rad), threat.sigma_m)

    @classmethod
    def named(cls, impact_ns: int) -> Behind:
        """A track of which only an alert tells: its fall is known once it is seen.  It may be the reason."""
        behind = cls(impact_ns, None, math.inf)
        behind.reason, behind.held_ns = True, None
        return behind

    def seen(self, now_ns: int, threat: Threat, p: float, policy: Policy) -> None:
        """The track as it is now, and the probability p of its danger to the zone."""
        if self.held_ns is None:
            self.held_ns = now_ns
        self._see(now_ns, threat, p, policy)
        if self.threatens:
            self.held_ns = now_ns

    def _see(self, now_ns: int, threat: Threat, p: float, policy: Policy) -> None:
        self.impact_ns, self.shed = threat.impact_ns, threat.shed
        if self.threatens and threat.impact_ns - now_ns <= LAST_S * S:
            return
        self.sound &= threat.sigma_m <= VAGUE * self.sigma_m
        if self.place is None:
            # where it was to fall is not known: where it is now, if that endangers the zone
            self.expected = self.here = p >= policy.withdraw_probability
            self.threatens = self.here and not threat.reach_only
            if self.here:
                self.place, self.sigma_m = (threat.latitude_rad, threat.longitude_rad), threat.sigma_m
            return
        north = (threat.latitude_rad - self.place[0]) * MEAN_RADIUS_M
        east = (threat.longitude_rad - self.place[1]) * MEAN_RADIUS_M * math.cos(self.place[0])
        self.expected = self.sound and math.hypot(north, east) <= 3.0 * self.sigma_m
        if self.expected and threat.sigma_m < self.sigma_m:
            self.place = threat.latitude_rad, threat.longitude_rad
            self.sigma_m = threat.sigma_m
        least = policy.withdraw_probability if self.sound else policy.shelter_probability
        # what only added to another's danger says by its danger alone whether it is still one
        self.here = p >= least or (self.expected and self.reason)
        self.threatens = self.here and not threat.reach_only

    def goes_on(self, before: Behind) -> None:
        """It is what went by another number before: broken up, if that was."""
        self.sound &= before.sound
        self.reason |= before.reason
        if before.place is not None and before.sigma_m < self.sigma_m:
            self.place, self.sigma_m = before.place, before.sigma_m

    def may_come_back(self, now_ns: int, policy: Policy) -> bool:
        """Whether it only just looked aside: that it falls elsewhere is seen by looks, or by its parts."""
        if self.shed or not self.sound or self.held_ns is None:
            return False
        return now_ns - self.held_ns <= policy.moved_hold_s * S

    def lost(self, now_ns: int) -> None:
        """The track is there no more: it came down, or went away."""
        due = self.impact_ns - LAST_S * S <= now_ns
        self.fell |= self.here and due
        if due and (self.here or self.expected):
            self.down_ns = self.impact_ns
        self.expected = self.here = self.threatens = False
        self.held_ns = LONG_AGO


class InShelter:
    """A zone told to take shelter: on account of which tracks, and since when none of them threatens it.

    first_impact_ns: the earliest impact expected when it was told.  low_since_ns: -1 while one threatens.
    """

    __slots__ = ("behind", "first_impact_ns", "low_since_ns")

    def __init__(self, first_impact_ns: int) -> None:
        self.behind: dict[str, Behind] = {}
        self.first_impact_ns = first_impact_ns
        self.low_since_ns = -1

    def threatened_by(self, evidence: Sequence[Evidence]) -> None:
        """These tracks stand behind the alert too."""
        for threat, p, reason in evidence:
            behind = self.behind.get(threat.track)
            if behind is None:
                behind = self.behind[threat.track] = Behind.of(threat)
                for alias in threat.aliases:
                    if alias in self.behind:
                        behind.goes_on(self.behind[alias])
            behind.probability = max(behind.probability, p)
            behind.reason |= reason

    @property
    def fell_ns(self) -> int | None:
        """When the last of them came down, as expected (ns); None if none came down here."""
        if not any(b.fell for b in self.behind.values()):
            return None
        return max(b.down_ns for b in self.behind.values() if b.down_ns is not None)
