"""The life of alerts: early notice, alert, update, cancel, all clear, one series a raid.

In: at each evaluation the threats (tracks with their danger to each zone); out: the messages to send now.
Grouped: all zones newly told the same at one evaluation share a message.  No flapping: a zone is told once
a tier and raid, and withdrawn only after its danger has stayed low for the policy's hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.records import Alert, AlertAction, Header, Tier, Zone
from jointwatch.warning.policy import Policy

S = 1_000_000_000
NONE, EARLY, SHELTER = 0, 1, 2
EARTH_M = 6371000.0


class Threat(Struct, frozen=True):
    """One track's danger: predicted impact and the probability of danger to each zone.

    zones (k,), probability (k,): of the zones with any danger.  sigma_m: 1-sigma of the larger ground axis.
    reach_only: still thrusting, so this counts for early notice only.  sure: ballistic beyond doubt; what is not
    keeps up an alert that stands, and begins none.
    """

    track: str
    object_class: str
    impact_ns: int
    latitude_rad: float
    longitude_rad: float
    sigma_m: float
    zones: NDArray[np.int64]
    probability: NDArray[np.float64]
    reach_only: bool
    sure: bool


class Message(Struct, frozen=True):
    """An alert to send, and since when what it says has held (ns): the evidence it answers to."""

    alert: Alert
    since_ns: int


class _ZoneState:
    __slots__ = ("evidence", "first_impact_ns", "last_impact_ns", "low_since_ns", "tier")

    def __init__(self) -> None:
        self.tier = NONE
        self.low_since_ns = -1
        self.first_impact_ns = 0
        self.last_impact_ns = 0
        self.evidence: dict[str, float] = {}


class Warner:
    """Warnings of one node to the zones it is for."""

    def __init__(self, partner: str, name: str, zones: Sequence[Zone], policy: Policy, exercise: bool) -> None:
        self.partner, self.name, self.policy, self.exercise = partner, name, policy, exercise
        self.zones = tuple(zones)
        self._shelter_s = np.array([z.shelter_s for z in zones])
        self._latitude = np.radians([z.latitude_deg for z in zones])
        self._longitude = np.radians([z.longitude_deg for z in zones])
        self._active: dict[int, _ZoneState] = {}
        self._near: dict[str, Threat] = {}
        self._series = 0
        self._sent: list[str] = []
        self._sequence = 0

    def evaluate(self, now_ns: int, threats: Sequence[Threat]) -> list[Message]:
        """Messages to send at now_ns, given every present threat."""
        danger: dict[int, list[tuple[Threat, float]]] = {}
        for threat in threats:
            if not threat.reach_only:
                for zone, p in zip(threat.zones.tolist(), threat.probability.tolist(), strict=True):
                    danger.setdefault(zone, []).append((threat, p))
        shelter = self._new_shelter(now_ns, danger)
        out: list[Message] = []
        if shelter:
            alert = self._message(now_ns, self._first_or_update(), "shelter", shelter)
            out.append(Message(alert, now_ns))
        early = self._new_early(threats)
        if early:
            out.append(Message(self._message(now_ns, self._first_or_update(), "early", early), now_ns))
        withdrawn, clear = self._over(now_ns, danger, bool(threats))
        if withdrawn:
            reason = "the object that threatened these places no longer does"
            gone_ns = min(self._active[z].low_since_ns for z in withdrawn)
            out.append(Message(self._message(now_ns, "cancel", "shelter", withdrawn, reason), gone_ns))
        if clear:
            last_ns = max(self._active[z].last_impact_ns for z in clear)
            alert = self._message(now_ns, "all_clear", "shelter", clear, "the last expected impact is past")
            out.append(Message(alert, last_ns))
        for zone in (*withdrawn, *clear):
            del self._active[zone]
        if not self._active:
            self._sent = []
        return out

    def _first_or_update(self) -> AlertAction:
        return "update" if self._sent else "alert"

    def _new_shelter(self, now_ns: int, danger: dict[int, list[tuple[Threat, float]]]) -> list[int]:
        policy, new = self.policy, []
        for zone, present in sorted(danger.items()):
            state = self._active.get(zone)
            if state is not None and state.tier == SHELTER:
                continue
            evidence = [(t, q) for t, q in present if t.sure]
            p = 1.0 - math.prod(1.0 - q for _, q in evidence)
            if p < policy.shelter_probability:
                continue
            worst, _ = max(evidence, key=lambda e: e[1])
            latest = worst.impact_ns - round((self._shelter_s[zone] + policy.reserve_s) * S)
            if worst.sigma_m > policy.precise_m and now_ns < latest:
                continue
            if state is None:
                state = self._active[zone] = _ZoneState()
            state.tier = SHELTER
            state.first_impact_ns = min(t.impact_ns for t, q in evidence if q >= 0.1 * p)
            state.evidence = {t.track: q for t, q in evidence if q >= 0.1 * p}
            new.append(zone)
        return new

    def _new_early(self, threats: Sequence[Threat]) -> list[int]:
        new: list[int] = []
        for threat in threats:
            if self._near.get(threat.track) is threat:
                continue  # nothing moved since it was last looked at
            near = 3.0 * threat.sigma_m + self.policy.early_margin_m
            north = (self._latitude - threat.latitude_rad) * EARTH_M
            east = (self._longitude - threat.longitude_rad) * EARTH_M * math.cos(threat.latitude_rad)
            zones = np.flatnonzero(north * north + east * east < near * near).tolist()
            self._near[threat.track] = threat
            for zone in zones:
                state = self._active.get(zone)
                if state is None:
                    state = self._active[zone] = _ZoneState()
                    state.tier = EARLY
                    state.first_impact_ns = threat.impact_ns
                    new.append(zone)
                if state.tier == EARLY:
                    state.last_impact_ns = max(state.last_impact_ns, threat.impact_ns)
                    state.evidence.setdefault(threat.track, 0.0)
        return sorted(new)

    def _over(
        self, now_ns: int, danger: dict[int, list[tuple[Threat, float]]], any_threat: bool
    ) -> tuple[list[int], list[int]]:
        """Zones to withdraw, and zones whose danger is past."""
        policy = self.policy
        withdrawn, clear = [], []
        quiet = round(policy.clear_after_s * S)
        for zone, state in self._active.items():
            if state.tier == EARLY:
                # early notices end together, when nothing threatens any more
                if not any_threat and state.last_impact_ns + quiet <= now_ns:
                    clear.append(zone)
                continue
            past = state.last_impact_ns + quiet <= now_ns
            live = [(t, q) for t, q in danger.get(zone, []) if q > 0.0]
            p = 1.0 - math.prod(1.0 - q for _, q in live)
            if p >= policy.withdraw_probability:
                state.low_since_ns = -1
                state.last_impact_ns = max(t.impact_ns for t, q in live if q >= 0.1 * p)
                continue
            if state.last_impact_ns - 3 * S <= now_ns:  # it came down, rather than went away
                if past:
                    clear.append(zone)
                continue
            if state.low_since_ns < 0:
                state.low_since_ns = now_ns
            if now_ns - state.low_since_ns >= policy.hold_s * S:
                withdrawn.append(zone)
        return sorted(withdrawn), sorted(clear)

    def _message(
        self, now_ns: int, action: AlertAction, tier: Tier, zones: Sequence[int], reason: str = ""
    ) -> Alert:
        if not self._sent:
            self._series += 1
        self._sequence += 1
        identifier = f"{self.name}-{self._series:02d}-{len(self._sent) + 1:04d}"
        evidence: dict[str, float] = {}
        for zone in zones:
            for track, p in self._active[zone].evidence.items():
                evidence[track] = max(evidence.get(track, 0.0), p)
        alert = Alert(
            header=Header(
                originator=self.partner,
                source=self.name,
                sequence=self._sequence,
                measured_ns=now_ns,
                handling="public",
            ),
            identifier=identifier,
            action=action,
            tier=tier,
            partner=self.partner,
            zones=tuple(self.zones[z].key for z in zones),
            sent_ns=now_ns,
            impact_ns=min(self._active[z].first_impact_ns for z in zones),
            evidence=tuple(sorted((t, round(p, 6)) for t, p in evidence.items())),
            references=tuple(self._sent),
            reason=reason,
            exercise=self.exercise,
        )
        self._sent.append(identifier)
        return alert
