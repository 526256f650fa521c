"""The life of alerts: early notice, alert, update, cancel, all clear; a series is one tier, area and raid.

In: at each evaluation the threats (tracks with their danger to each zone); out: the messages to send now.
Grouped: all zones newly told the same at one evaluation share a message.  What is not urgent waits while no
more messages may go, and is asked for anew at each evaluation: it goes later, with what has come to join it,
or not at all if the danger has gone.  No flapping: a zone stands told on account of certain tracks, and only
what becomes of *those* takes the alert back.  A vague track of another missile can neither keep up nor
prolong it, a healthy track that still falls near holds it, an object that is gone releases it at once
(`Policy`).
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.records import Alert, AlertAction, Header, ManualAlert, Tier, Zone
from jointwatch.warning.behind import LAST_S, Behind, InShelter, S, Threat
from jointwatch.warning.manual import manual_alerts
from jointwatch.warning.policy import Policy
from jointwatch.warning.reach import Reach
from jointwatch.warning.standing import MINUTE_NS, Standing, identifier_of

LONG_AGO = -(2**62)


class Message(Struct, frozen=True):
    """An alert to send, and since when what it says has held (ns): the evidence it answers to."""

    alert: Alert
    since_ns: int


class Warner:
    """Warnings of one node to the zones it is for."""

    def __init__(
        self, partner: str, name: str, zones: Sequence[Zone], policy: Policy, exercise: bool, epoch: str = ""
    ) -> None:
        """epoch: of the journal (`standing.epoch_of`)."""
        self.partner, self.name, self.policy, self.exercise = partner, name, policy, exercise
        self.epoch = epoch
        self.zones = tuple(zones)
        self._shelter_s = np.array([z.shelter_s for z in zones])
        self._reach = Reach(zones, policy.early_margin_m)
        self._told: dict[int, InShelter] = {}
        self._withdrawn: dict[int, tuple[int, frozenset[str]]] = {}
        self._waiting: dict[int, int] = {}
        self._refused: dict[tuple[Tier, int], frozenset[str]] = {}
        self._early: dict[int, int] = {}
        self._early_ns = self._clear_ns = LONG_AGO
        self._expected: dict[str, int] = {}
        self.standing = Standing()
        """What stands told: the alerts issued, and nothing that is only thought."""

    def evaluate(self, now_ns: int, threats: Sequence[Threat]) -> list[Message]:
        """Messages to send at now_ns, given every present threat."""
        danger: dict[int, list[tuple[Threat, float]]] = {}
        for threat in threats:
            for zone, p in zip(threat.zones.tolist(), threat.probability.tolist(), strict=True):
                danger.setdefault(zone, []).append((threat, p))
        out = []
        for area, zones, since_ns in self._new_shelter(now_ns, danger):
            evidence = [(n, b.probability) for z in zones for n, b in self._told[z].behind.items()]
            impact_ns = min(self._told[z].first_impact_ns for z in zones)
            alert = self._tell(now_ns, "shelter", area, zones, impact_ns, evidence)
            out.append(Message(alert, since_ns))
        near = [(t, self._near(t)) for t in threats]
        self._expect(now_ns, near)
        early, behind = self._new_early(now_ns, near)
        if early:
            evidence = [(t.track, 0.0) for t in behind]
            impact_ns = min(t.impact_ns for t in behind)
            out.append(Message(self._tell(now_ns, "early", "", early, impact_ns, evidence), now_ns))
        out += self._over(now_ns, threats, danger)
        out += self._end_early(now_ns, any(len(zones) for _, zones in near))
        return out

    def stands(self, stood: Standing, alerts: Sequence[Alert]) -> None:
        """What was issued is taken so, also where it would not be issued now: these alerts after what stood.

        A zone that they tell stays told on account of the tracks that they name, one that they do not is
        told no more, and every series goes on from what was sent.
        """
        keys = {zone.key: z for z, zone in enumerate(self.zones)}
        for alert in (a for a in alerts if a.header.source == self.name):
            stood = stood.after(alert)
            tracks = frozenset(track for track, _ in alert.evidence)
            if alert.manual:  # those of an alert that tells name no tracks
                self._refuse(alert.tier, {keys[k]: tracks for k in alert.zones if k in keys})
            elif alert.tier == "early" and alert.action in ("alert", "update"):
                self._early_ns = max(self._early_ns, alert.sent_ns)
                self._expected[alert.identifier] = alert.impact_ns
            elif alert.tier == "shelter" and alert.action == "cancel":
                gone = dict.fromkeys((keys[k] for k in alert.zones if k in keys), (alert.sent_ns, tracks))
                self._withdrawn.update(gone)
        self.standing = stood
        shelter = {keys[k]: told for k, told in stood.told["shelter"].items() if k in keys}
        for zone in [z for z in self._told if z not in shelter]:
            del self._told[zone]
        for zone, told in shelter.items():
            self._withdrawn.pop(zone, None)
            if zone not in self._told:
                self._told[zone] = again = InShelter(told.impact_ns)
                again.behind = {track: Behind.named(told.impact_ns) for track in told.tracks}
        self._early = {keys[k]: told.sent_ns for k, told in stood.told["early"].items() if k in keys}

    # ------------------------------------------------------------------ people

    def say(self, now_ns: int, manual: ManualAlert, zones: Sequence[Zone]) -> list[Alert]:
        """What two people say of these zones (`manual.zones_named`), issued whatever is thought here.

        Tracks that they took a zone's alert back for do not tell that zone again; others may.
        """
        keys = {zone.key: z for z, zone in enumerate(self.zones)}
        told = self.standing.told[manual.tier]
        behind = {z.key: [(t, 0.0) for t in told[z.key].tracks] for z in zones if z.key in told}
        if manual.tier == "shelter":
            behind |= {
                key: [(n, b.probability) for n, b in self._told[keys[key]].behind.items()] for key in behind
            }
        alerts = manual_alerts(manual, zones, self.standing, behind, self, now_ns)
        refused = dict(self._refused)
        self.stands(self.standing, alerts)
        # a message names the tracks of all its zones: here it is known which zone each was behind
        self._refused = refused
        if manual.action != "alert":
            exact = {keys[key]: frozenset(track for track, _ in each) for key, each in behind.items()}
            self._refuse(manual.tier, exact)
        return alerts

    def _refuse(self, tier: Tier, tracks: Mapping[int, frozenset[str]]) -> None:
        """These tracks tell these zones no more: people said that they are no danger to them."""
        for zone, names in ((zone, names) for zone, names in tracks.items() if names):
            self._refused[tier, zone] = self._refused.get((tier, zone), frozenset()) | names

    # ------------------------------------------------------------------ telling

    def _left(self, now_ns: int) -> int:
        """How many messages that can wait may still go now; below 0 where urgent ones went beyond the cap."""
        return self.policy.most_messages_per_minute - self.standing.sent_since(now_ns - MINUTE_NS)

    def _new_shelter(
        self, now_ns: int, danger: Mapping[int, list[tuple[Threat, float]]]
    ) -> list[tuple[str, list[int], int]]:
        """Zones to tell now by area, and since when (ns) the first of them was to be told.

        Tracks that come to threaten a zone already told join those behind its alert.
        """
        due: dict[int, list[tuple[Threat, float]]] = {}
        pressing = set()
        for zone, present in sorted(danger.items()):
            evidence, presses = self._evidence(now_ns, zone, present)
            if zone in self._told:
                self._told[zone].threatened_by(evidence)
            elif evidence:
                due[zone] = evidence
                if presses:
                    pressing.add(zone)
        self._waiting = {zone: self._waiting.get(zone, now_ns) for zone in due}
        going = []
        for area, zones in self._going(now_ns, due, pressing):
            going.append((area, zones, min(self._waiting.pop(zone) for zone in zones)))
            for zone in zones:
                told = self._told[zone] = InShelter(min(t.impact_ns for t, _ in due[zone]))
                told.threatened_by(due[zone])
        return going

    def _going(
        self, now_ns: int, due: Mapping[int, list[tuple[Threat, float]]], pressing: Container[int]
    ) -> list[tuple[str, list[int]]]:
        """Areas with zones due that are told now: where one presses, and as many others as may go.

        Of those the ones with the earliest impact go first.
        """
        areas = self._by_area(list(due))
        urgent = {area for area, zones in areas if any(z in pressing for z in zones)}
        grouped_ns = now_ns - round(self.policy.group_shelter_s * S)
        others = [
            (min(t.impact_ns for z in zones for t, _ in due[z]), area)
            for area, zones in areas
            if area not in urgent and min(self._waiting[z] for z in zones) <= grouped_ns
        ]
        left = max(0, self._left(now_ns) - len(urgent))
        going = urgent.union(area for _, area in sorted(others)[:left])
        return [(area, zones) for area, zones in areas if area in going]

    def _evidence(
        self, now_ns: int, zone: int, present: Sequence[tuple[Threat, float]]
    ) -> tuple[list[tuple[Threat, float]], bool]:
        """The threats for which a zone has to be told, or none, and whether that cannot wait."""
        gone_ns, gone = self._withdrawn.get(zone, (LONG_AGO, frozenset()))
        if now_ns - gone_ns >= self.policy.hold_s * S:
            gone = frozenset()
        # what the alert was just withdrawn for must show for a while that it is back
        gone |= self._refused.get(("shelter", zone), frozenset())
        sure = [(t, p) for t, p in present if t.sure and gone.isdisjoint((t.track, *t.aliases))]
        known, pressing = self._known(now_ns, zone, sure)
        presses = bool(pressing) and _any_of(pressing) >= self.policy.shelter_probability
        for counted, told in (
            (known, bool(known) and _any_of(known) >= self.policy.sooner_probability),
            (pressing, presses),
        ):
            if told:
                total = _any_of(counted)
                return [(t, p) for t, p in counted if p >= 0.1 * total], presses
        return [], False

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

    def _near(self, threat: Threat) -> NDArray[np.int64]:
        """Zones near which it may come down: to be given early notice of it."""
        if threat.near is not None:
            return threat.near
        return self._reach.along([(threat.latitude_rad, threat.longitude_rad)], threat.sigma_m)

    def _expect(self, now_ns: int, near: Sequence[tuple[Threat, NDArray[np.int64]]]) -> None:
        """When what is near some zone comes down, for as long as it is seen to.

        What is there no more well before its impact will have none: early notices wait for it no longer.
        """
        seen = {threat.track: threat.impact_ns for threat, zones in near if len(zones)}
        for name, impact_ns in self._expected.items():
            if name not in seen and impact_ns - LAST_S * S > now_ns:
                self._expected[name] = now_ns
        self._expected |= seen

    def _new_early(
        self, now_ns: int, near: Sequence[tuple[Threat, NDArray[np.int64]]]
    ) -> tuple[list[int], list[Threat]]:
        """Zones to give early notice now, and the threats near which they are."""
        if now_ns - self._early_ns < self.policy.group_s * S:
            return [], []
        new: set[int] = set()
        behind = []
        for threat, zones in near:
            names = (threat.track, *threat.aliases)
            fresh = [
                z
                for z in zones.tolist()
                if z not in self._early
                and z not in self._told
                and self._refused.get(("early", z), frozenset()).isdisjoint(names)
            ]
            if fresh:
                new.update(fresh)
                behind.append(threat)
        if new and self._left(now_ns) < 1:
            return [], []
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
            if self.zones[zone].key in self.standing.by_people["shelter"]:
                # nobody reads that he may leave shelter while people say to stay
                told.low_since_ns = -1
                continue
            behind_now = told.behind.values()
            if any(b.threatens for b in behind_now) or self._in_danger(now_ns, zone, danger):
                told.low_since_ns = -1
                continue
            if told.fell_ns is not None:
                if told.fell_ns + self.policy.clear_after_s * S <= now_ns:
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
        if clear and self._left(now_ns) > 0 and now_ns - self._clear_ns >= self.policy.group_s * S:
            self._clear_ns = now_ns
            # those that have waited longest go first, where not all may
            areas = sorted(
                self._by_area(clear), key=lambda of: min(self._told[z].fell_ns or 0 for z in of[1])
            )
            going = [zone for _, zones in areas[: self._left(now_ns)] for zone in zones]
            out += self._take_back(now_ns, "all_clear", sorted(going), "the last expected impact is past")
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
                since_ns = max(t.fell_ns for t in gone if t.fell_ns is not None)
            evidence = [(n, b.probability) for t in gone for n, b in t.behind.items()]
            impact_ns = min(t.first_impact_ns for t in gone)
            alert = self._message(now_ns, action, "shelter", area, same, impact_ns, evidence, reason)
            out.append(Message(alert, since_ns))
        return out

    def _end_early(self, now_ns: int, any_threat: bool) -> list[Message]:
        """Early notices end together, when nothing threatens any more and nobody is in shelter."""
        quiet_ns = round(self.policy.clear_after_s * S)
        last_ns = max(self._expected.values(), default=LONG_AGO)
        if any_threat or self._told or last_ns + quiet_ns > now_ns:
            return []
        if not self._early:
            self._expected = {}
            return []
        if self._left(now_ns) < 1 or self.standing.people_speak:
            return []
        zones = sorted(self._early)
        reason = "nothing threatens the region any more"
        alert = self._message(now_ns, "all_clear", "early", "", zones, last_ns, [], reason)
        self._early, self._expected = {}, {}
        return [Message(alert, last_ns)]

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
            identifier=identifier_of(self.name, self.epoch, series, self.exercise),
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
