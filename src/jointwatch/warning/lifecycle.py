"""The life of alerts: early notice, alert, update, cancel, all clear; a series is one tier, area and raid.

In: at each evaluation the threats (tracks with their danger to each zone); out: the messages to send now.
Grouped: all zones newly told the same at one evaluation share a message.  No flapping: a zone stands told on
account of certain tracks, and only what becomes of *those* takes the alert back.  A vague track of another
missile can neither keep up nor prolong it, a healthy track that still falls near holds it, an object that is
gone releases it at once (`Policy`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import Alert, AlertAction, Header, Tier, Zone
from jointwatch.warning.policy import Policy
from jointwatch.warning.reach import Reach
from jointwatch.warning.standing import Standing, identifier_of

S = 1_000_000_000
LAST_S = 15.0
"""So shortly before its expected impact an object is taken at its last word: low down it is hardly seen any
more, and an alert taken back then helps nobody."""
VAGUE = 2.5
"""A track so much vaguer than it was is no more the object that it was: it broke up, or changed hands."""
LONG_AGO = -(2**62)


class Threat(Struct, frozen=True):
    """One track's danger: predicted impact and the probability of danger to each zone.

    zones (k,), probability (k,): of the zones with any danger.  sigma_m: 1-sigma of the larger ground axis.
    near (k,): zones to be given early notice of it (`warning.reach`); None: those about its fall.
    reach_only: still thrusting, so this counts for early notice only.  sure: ballistic beyond doubt; what is
    not keeps up an alert that stands, and begins none.  aliases: all numbers that the track goes by.
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
    aliases: tuple[str, ...] = ()
    near: NDArray[np.int64] | None = None


class Message(Struct, frozen=True):
    """An alert to send, and since when what it says has held (ns): the evidence it answers to."""

    alert: Alert
    since_ns: int


class _Behind:
    """A track behind a zone's alert.

    probability: the greatest danger it was.  place, sigma_m: its fall when that was known best.  sound: never
    much vaguer since.  here: when last seen it was to fall on the zone, or where it was expected to.
    threatens: that, and no motor seems to burn.  fell: it came down.
    """

    __slots__ = ("fell", "here", "impact_ns", "place", "probability", "sigma_m", "sound", "threatens")

    def __init__(self, impact_ns: int, place: tuple[float, float] | None, sigma_m: float) -> None:
        self.probability = 0.0
        self.impact_ns = impact_ns
        self.place = place
        self.sigma_m = sigma_m
        self.sound = self.here = self.threatens = True
        self.fell = False

    @classmethod
    def of(cls, threat: Threat) -> _Behind:
        """A track that threatens the zone now."""
        return cls(threat.impact_ns, (threat.latitude_rad, threat.longitude_rad), threat.sigma_m)

    @classmethod
    def named(cls, impact_ns: int) -> _Behind:
        """A track of which only an alert tells: its fall is known once it is seen."""
        return cls(impact_ns, None, math.inf)

    def seen(self, now_ns: int, threat: Threat, p: float, policy: Policy) -> None:
        """The track as it is now, and the probability p of its danger to the zone."""
        self.impact_ns = threat.impact_ns
        if self.threatens and threat.impact_ns - now_ns <= LAST_S * S:
            return
        self.sound &= threat.sigma_m <= VAGUE * self.sigma_m
        if self.place is None:
            # where it was to fall is not known: where it is now, if that endangers the zone
            self.here = p >= policy.withdraw_probability
            self.threatens = self.here and not threat.reach_only
            if self.here:
                self.place, self.sigma_m = (threat.latitude_rad, threat.longitude_rad), threat.sigma_m
            return
        north = (threat.latitude_rad - self.place[0]) * MEAN_RADIUS_M
        east = (threat.longitude_rad - self.place[1]) * MEAN_RADIUS_M * math.cos(self.place[0])
        as_expected = self.sound and math.hypot(north, east) <= 3.0 * self.sigma_m
        if as_expected and threat.sigma_m < self.sigma_m:
            self.place = threat.latitude_rad, threat.longitude_rad
            self.sigma_m = threat.sigma_m
        least = policy.withdraw_probability if self.sound else policy.shelter_probability
        self.here = p >= least or as_expected
        self.threatens = self.here and not threat.reach_only

    def lost(self, now_ns: int) -> None:
        """The track is there no more: it came down, or went away."""
        self.fell |= self.here and self.impact_ns - LAST_S * S <= now_ns
        self.here = self.threatens = False


class _Told:
    """A zone told to take shelter: on account of which tracks, and since when none of them threatens it."""

    __slots__ = ("behind", "first_impact_ns", "low_since_ns")

    def __init__(self) -> None:
        self.behind: dict[str, _Behind] = {}
        self.first_impact_ns = 0
        self.low_since_ns = -1


class Warner:
    """Warnings of one node to the zones it is for."""

    def __init__(
        self, partner: str, name: str, zones: Sequence[Zone], policy: Policy, exercise: bool
    ) -> None:
        self.partner, self.name, self.policy, self.exercise = partner, name, policy, exercise
        self.zones = tuple(zones)
        self._shelter_s = np.array([z.shelter_s for z in zones])
        self._reach = Reach(zones, policy.early_margin_m)
        self._told: dict[int, _Told] = {}
        self._withdrawn: dict[int, tuple[int, frozenset[str]]] = {}
        self._early: dict[int, int] = {}
        self._early_ns = self._clear_ns = LONG_AGO
        self._last_impact_ns = LONG_AGO
        self.standing = Standing()
        """What stands told: the alerts issued, and nothing that is only thought."""

    def evaluate(self, now_ns: int, threats: Sequence[Threat]) -> list[Message]:
        """Messages to send at now_ns, given every present threat."""
        danger: dict[int, list[tuple[Threat, float]]] = {}
        for threat in threats:
            for zone, p in zip(threat.zones.tolist(), threat.probability.tolist(), strict=True):
                danger.setdefault(zone, []).append((threat, p))
        out = []
        shelter = self._new_shelter(now_ns, danger)
        if shelter:
            for area, zones in self._by_area(shelter):
                evidence = [(n, b.probability) for z in zones for n, b in self._told[z].behind.items()]
                impact_ns = min(self._told[z].first_impact_ns for z in zones)
                alert = self._tell(now_ns, "shelter", area, zones, impact_ns, evidence)
                out.append(Message(alert, now_ns))
        early, near = self._new_early(now_ns, threats)
        if early:
            evidence = [(t.track, 0.0) for t in near]
            impact_ns = min(t.impact_ns for t in near)
            out.append(Message(self._tell(now_ns, "early", "", early, impact_ns, evidence), now_ns))
        out += self._over(now_ns, threats, danger)
        out += self._end_early(now_ns, bool(threats))
        return out

    def stands(self, stood: Standing, alerts: Sequence[Alert]) -> None:
        """What was issued is taken so, also where it would not be issued now: these alerts after what stood.

        A zone that they tell stays told on account of the tracks that they name, one that they do not is
        told no more, and every series goes on from what was sent.
        """
        keys = {zone.key: z for z, zone in enumerate(self.zones)}
        for alert in (a for a in alerts if a.header.source == self.name):
            stood = stood.after(alert)
            if alert.tier == "early" and alert.action in ("alert", "update"):
                self._early_ns = max(self._early_ns, alert.sent_ns)
                self._last_impact_ns = max(self._last_impact_ns, alert.impact_ns)
            elif alert.tier == "shelter" and alert.action == "cancel":
                tracks = frozenset(track for track, _ in alert.evidence)
                gone = dict.fromkeys((keys[k] for k in alert.zones if k in keys), (alert.sent_ns, tracks))
                self._withdrawn.update(gone)
        self.standing = stood
        shelter = {keys[k]: told for k, told in stood.told["shelter"].items() if k in keys}
        for zone in [z for z in self._told if z not in shelter]:
            del self._told[zone]
        for zone, told in shelter.items():
            self._withdrawn.pop(zone, None)
            if zone not in self._told:
                self._told[zone] = again = _Told()
                again.first_impact_ns = told.impact_ns
                again.behind = {track: _Behind.named(told.impact_ns) for track in told.tracks}
        self._early = {keys[k]: told.sent_ns for k, told in stood.told["early"].items() if k in keys}

    # ------------------------------------------------------------------ telling

    def _new_shelter(self, now_ns: int, danger: Mapping[int, list[tuple[Threat, float]]]) -> list[int]:
        """Zones to tell now; tracks that come to threaten a zone already told join those behind its alert."""
        new = []
        for zone, present in sorted(danger.items()):
            evidence = self._evidence(now_ns, zone, present)
            if not evidence:
                continue
            told = self._told.get(zone)
            if told is None:
                told = self._told[zone] = _Told()
                told.first_impact_ns = min(t.impact_ns for t, _ in evidence)
                new.append(zone)
            for threat, p in evidence:
                behind = told.behind.setdefault(threat.track, _Behind.of(threat))
                behind.probability = max(behind.probability, p)
        return new

    def _evidence(
        self, now_ns: int, zone: int, present: Sequence[tuple[Threat, float]]
    ) -> list[tuple[Threat, float]]:
        """The threats for which a zone has to be told now, or none."""
        gone_ns, gone = self._withdrawn.get(zone, (LONG_AGO, frozenset()))
        if now_ns - gone_ns >= self.policy.hold_s * S:
            gone = frozenset()
        # what the alert was just withdrawn for must show for a while that it is back
        sure = [(t, p) for t, p in present if t.sure and gone.isdisjoint((t.track, *t.aliases))]
        known, pressing = self._known(now_ns, zone, sure)
        for counted, least in (
            (known, self.policy.sooner_probability),
            (pressing, self.policy.shelter_probability),
        ):
            total = _any_of(counted)
            if counted and total >= least:
                return [(t, p) for t, p in counted if p >= 0.1 * total]
        return []

    def _known(
        self, now_ns: int, zone: int, present: Sequence[tuple[Threat, float]]
    ) -> tuple[list[tuple[Threat, float]], list[tuple[Threat, float]]]:
        """The falling threats that are precise or pressing, and those of them that are pressing."""
        latest_s = float(self._shelter_s[zone]) + self.policy.reserve_s
        falling = [(t, p) for t, p in present if not t.reach_only]
        pressing = [(t, p) for t, p in falling if t.impact_ns - now_ns <= latest_s * S]
        precise = [
            (t, p)
            for t, p in falling
            if t.sigma_m <= self.policy.precise_m and t.impact_ns - now_ns > latest_s * S
        ]
        return precise + pressing, pressing

    def _new_early(self, now_ns: int, threats: Sequence[Threat]) -> tuple[list[int], list[Threat]]:
        """Zones to give early notice now, and the threats near which they are."""
        if not threats or now_ns - self._early_ns < self.policy.group_s * S:
            return [], []
        new: set[int] = set()
        behind = []
        for threat in threats:
            self._last_impact_ns = max(self._last_impact_ns, threat.impact_ns)
            near = threat.near
            if near is None:
                near = self._reach.along([(threat.latitude_rad, threat.longitude_rad)], threat.sigma_m)
            fresh = [z for z in near.tolist() if z not in self._early and z not in self._told]
            if fresh:
                new.update(fresh)
                behind.append(threat)
        if new:
            self._early_ns = now_ns
            for zone in sorted(new):
                self._early[zone] = now_ns
        return sorted(new), behind

    # ------------------------------------------------------------------ taking back

    def _over(
        self, now_ns: int, threats: Sequence[Threat], danger: Mapping[int, list[tuple[Threat, float]]]
    ) -> list[Message]:
        """A message to the zones whose danger went away, and one to those where it is past."""
        present = {name: t for t in threats for name in (t.track, *t.aliases)}
        withdrawn, clear = [], []
        for zone, told in sorted(self._told.items()):
            here = {t.track: p for t, p in danger.get(zone, [])}
            for name, behind in told.behind.items():
                threat = present.get(name)
                if threat is None:
                    behind.lost(now_ns)
                else:
                    behind.seen(now_ns, threat, here.get(threat.track, 0.0), self.policy)
            behind_now = told.behind.values()
            if any(b.threatens for b in behind_now) or self._in_danger(now_ns, zone, danger):
                told.low_since_ns = -1
                continue
            fell = [b.impact_ns for b in behind_now if b.fell]
            if fell:
                if max(fell) + self.policy.clear_after_s * S <= now_ns:
                    clear.append(zone)
                continue
            if told.low_since_ns < 0:
                told.low_since_ns = now_ns
            moved = any((b.sound and name in present) for name, b in told.behind.items())
            hold_s = self.policy.moved_hold_s if moved else self.policy.hold_s
            if now_ns - told.low_since_ns >= hold_s * S:
                withdrawn.append(zone)
        gone = "the object that threatened these places no longer does"
        out = self._take_back(now_ns, "cancel", withdrawn, gone)
        if clear and now_ns - self._clear_ns >= self.policy.group_s * S:
            self._clear_ns = now_ns
            out += self._take_back(now_ns, "all_clear", clear, "the last expected impact is past")
        return out

    def _in_danger(self, now_ns: int, zone: int, danger: Mapping[int, list[tuple[Threat, float]]]) -> bool:
        """Whether other tracks, perhaps not yet sure, speak against taking the alert back."""
        known, _ = self._known(now_ns, zone, danger.get(zone, ()))
        return _any_of(known) >= self.policy.shelter_probability

    def _take_back(
        self, now_ns: int, action: AlertAction, zones: Sequence[int], reason: str
    ) -> list[Message]:
        out = []
        for area, same in self._by_area(zones):
            gone = [self._told.pop(z) for z in same]
            if action == "cancel":
                for zone, told in zip(same, gone, strict=True):
                    self._withdrawn[zone] = now_ns, frozenset(told.behind)
                since_ns = min(t.low_since_ns for t in gone)
            else:
                since_ns = max(b.impact_ns for t in gone for b in t.behind.values() if b.fell)
            evidence = [(n, b.probability) for t in gone for n, b in t.behind.items()]
            impact_ns = min(t.first_impact_ns for t in gone)
            alert = self._message(now_ns, action, "shelter", area, same, impact_ns, evidence, reason)
            out.append(Message(alert, since_ns))
        return out

    def _end_early(self, now_ns: int, any_threat: bool) -> list[Message]:
        """Early notices end together, when nothing threatens any more and nobody is in shelter."""
        quiet_ns = round(self.policy.clear_after_s * S)
        if not self._early or any_threat or self._told or self._last_impact_ns + quiet_ns > now_ns:
            return []
        zones, impact_ns = sorted(self._early), self._last_impact_ns
        reason = "nothing threatens the region any more"
        alert = self._message(now_ns, "all_clear", "early", "", zones, impact_ns, [], reason)
        self._early, self._last_impact_ns = {}, LONG_AGO
        return [Message(alert, impact_ns)]

    # ------------------------------------------------------------------ messages

    def _by_area(self, zones: Sequence[int]) -> list[tuple[str, list[int]]]:
        """Zones by their areas, each of which has a series of its own."""
        areas: dict[str, list[int]] = {}
        for zone in zones:
            areas.setdefault(self.zones[zone].area, []).append(zone)
        return sorted(areas.items())

    def _tell(
        self,
        now_ns: int,
        tier: Tier,
        area: str,
        zones: Sequence[int],
        impact_ns: int,
        evidence: list[tuple[str, float]],
    ) -> Alert:
        action: AlertAction = "update" if (tier, area) in self.standing.series else "alert"
        return self._message(now_ns, action, tier, area, zones, impact_ns, evidence)

    def _message(
        self,
        now_ns: int,
        action: AlertAction,
        tier: Tier,
        area: str,
        zones: Sequence[int],
        impact_ns: int,
        evidence: list[tuple[str, float]],
        reason: str = "",
    ) -> Alert:
        series = self.standing.next_series(tier, area)
        greatest: dict[str, float] = {}
        for track, p in evidence:
            greatest[track] = max(greatest.get(track, 0.0), p)
        alert = Alert(
            header=Header(
                originator=self.partner,
                source=self.name,
                sequence=self.standing.sequence + 1,
                measured_ns=now_ns,
                handling="public",
            ),
            identifier=identifier_of(self.name, series, self.exercise),
            action=action,
            tier=tier,
            partner=self.partner,
            zones=tuple(self.zones[z].key for z in zones),
            sent_ns=now_ns,
            impact_ns=impact_ns,
            evidence=tuple(sorted((t, round(p, 6)) for t, p in greatest.items())),
            references=series.sent,
            reason=reason,
            exercise=self.exercise,
            area=area,
        )
        self.standing = self.standing.after(alert)
        return alert


def _any_of(threats: Sequence[tuple[Threat, float]]) -> float:
    """The probability that at least one of the threats comes true."""
    return 1.0 - math.prod(1.0 - p for _, p in threats)
