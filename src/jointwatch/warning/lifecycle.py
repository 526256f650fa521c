"""The life of alerts: early notice, alert, update, cancel, all clear; a series is one tier, area and raid.

In: at each evaluation the threats (tracks with their danger to each zone); out: the messages to send now.
Grouped: all zones newly told the same at one evaluation share a message.  What is not urgent waits while no
more messages may go, and is asked for anew at each evaluation: it goes later, with what has come to join it,
or not at all if the danger has gone.  No flapping: a zone stands told on account of certain tracks, and only
what becomes of *those* takes the alert back.  A vague track of another missile cannot keep it up, nor prolong
it unless it is a great danger; a healthy track that still falls near holds it, an object that is gone
releases it at once (`Policy`).
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import chain

import numpy as np
from msgspec import Struct

from jointwatch.records import Alert, AlertAction, ManualAlert, Tier, Zone
from jointwatch.warning.behind import LONG_AGO, Behind, Evidence, InShelter, S, Threat
from jointwatch.warning.early import EarlyNotice, Near
from jointwatch.warning.evidence import Falling, Present, any_of, falling, holds, tells
from jointwatch.warning.manual import lapsed_alerts, manual_alerts
from jointwatch.warning.message import next_message
from jointwatch.warning.policy import Policy
from jointwatch.warning.standing import MINUTE_NS, Standing

Dangers = Mapping[int, Present]
"""By zone: what threatens it, each with its probability of danger."""


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
        self._early = EarlyNotice(zones, policy)
        self._told: dict[int, InShelter] = {}
        self._withdrawn: dict[int, tuple[int, frozenset[str]]] = {}
        self._waiting: dict[int, int] = {}
        self._refused: dict[tuple[Tier, int], frozenset[str]] = {}
        self._clear_ns = LONG_AGO
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
        near = [(t, self._early.near(t)) for t in threats]
        self._early.expect(now_ns, near)
        out += self._new_early(now_ns, near)
        # only what people told asks for it
        seen = self._seen(near, danger) if self.standing.people_speak else frozenset[int]()
        out += self._over(now_ns, threats, danger, seen)
        out += self._lapsed(now_ns, "shelter", seen)
        out += self._end_early(now_ns, any(len(zones) for _, zones in near))
        out += self._lapsed(now_ns, "early", seen)
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
                self._early.issued(alert)
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
        early = stood.told["early"].items()
        self._early.told = {keys[k]: told.sent_ns for k, told in early if k in keys}

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

    def _new_shelter(self, now_ns: int, danger: Dangers) -> list[tuple[str, list[int], int]]:
        """Zones to tell now by area, and since when (ns) the first of them was to be told.

        Tracks that come to threaten a zone already told join those behind its alert.
        """
        due: dict[int, list[Evidence]] = {}
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
                told = self._told[zone] = InShelter(min(e.threat.impact_ns for e in due[zone]))
                told.threatened_by(due[zone])
        return going

    def _going(
        self, now_ns: int, due: Mapping[int, list[Evidence]], pressing: Container[int]
    ) -> list[tuple[str, list[int]]]:
        """Areas with zones due that are told now: where one presses, and as many others as may go.

        Of those the ones with the earliest impact go first.
        """
        areas = self._by_area(list(due))
        urgent = {area for area, zones in areas if any(z in pressing for z in zones)}
        grouped_ns = now_ns - round(self.policy.group_shelter_s * S)
        others = [
            (min(e.threat.impact_ns for z in zones for e in due[z]), area)
            for area, zones in areas
            if area not in urgent and min(self._waiting[z] for z in zones) <= grouped_ns
        ]
        left = max(0, self._left(now_ns) - len(urgent))
        going = urgent.union(area for _, area in sorted(others)[:left])
        return [(area, zones) for area, zones in areas if area in going]

    def _evidence(self, now_ns: int, zone: int, present: Present) -> tuple[list[Evidence], bool]:
        """The threats for which a zone has to be told, or none, and whether that cannot wait."""
        gone_ns, gone = self._withdrawn.get(zone, (LONG_AGO, frozenset()))
        if now_ns - gone_ns >= self.policy.back_s * S:
            gone = frozenset()
        # what the alert was just withdrawn for must show for a while that it is back
        gone |= self._refused.get(("shelter", zone), frozenset())
        sure = [(t, p) for t, p in present if t.sure and gone.isdisjoint(t.names)]
        return tells(self.policy, self._falling(now_ns, zone, sure), zone in self._told)

    def _falling(self, now_ns: int, zone: int, present: Present) -> Falling:
        """Threats to a zone that come down: those that press there, and the others."""
        return falling(self.policy, float(self._shelter_s[zone]), now_ns, present)

    def _new_early(self, now_ns: int, near: Near) -> list[Message]:
        """Early notice to those who are to have it now, if one message more may go."""

        def spared(zone: int, names: tuple[str, ...]) -> bool:
            refused = self._refused.get(("early", zone), frozenset())
            return zone in self._told or not refused.isdisjoint(names)

        zones, behind = self._early.due(now_ns, near, spared)
        if not zones or self._left(now_ns) < 1:
            return []
        self._early.give(now_ns, zones)
        evidence = [(t.track, 0.0) for t in behind]
        impact_ns = min(t.impact_ns for t in behind)
        return [Message(self._tell(now_ns, "early", "", zones, impact_ns, evidence), now_ns)]

    # ------------------------------------------------------------------ taking back

    def _over(
        self, now_ns: int, threats: Sequence[Threat], danger: Dangers, seen: Container[int]
    ) -> list[Message]:
        """A message to the zones whose danger went away, and one to those where it is past."""
        present = {name: t for t in threats for name in t.names}
        withdrawn, clear = [], []
        for zone, told in sorted(self._told.items()):
            here = {t.track: p for t, p in danger.get(zone, [])}
            for name, behind in told.behind.items():
                threat = present.get(name)
                if threat is None:
                    behind.lost(now_ns)
                else:
                    behind.seen(now_ns, threat, here.get(threat.track, 0.0), self.policy)
            by_people = self.standing.by_people["shelter"].get(self.zones[zone].key)
            if by_people is not None and (now_ns < by_people.void_ns or zone in seen):
                # nobody reads that they may leave shelter while people say to stay; what those said and did
                # not renew ends with this alert, and neither before the other
                told.low_since_ns = -1
                continue
            behind_now = told.behind.values()
            if any(b.threatens for b in behind_now) or self._held(now_ns, zone, danger):
                told.low_since_ns = -1
                continue
            if told.low_since_ns < 0:
                told.low_since_ns = now_ns
            if any(b.may_come_back(now_ns, self.policy) for b in behind_now):
                continue
            if told.fell_ns is None:
                if now_ns - told.low_since_ns >= self.policy.hold_s * S:
                    withdrawn.append(zone)
            elif told.fell_ns + self.policy.clear_after_s * S <= now_ns:
                # an all clear says that it is over: it waits for all that is still to come down here or where
                # it was expected, and for a danger that is only not yet known well enough to tell anybody
                inbound = any(b.here or b.expected for b in behind_now)
                refused = self._refused.get(("shelter", zone), frozenset())
                left = [(t, p) for t, p in danger.get(zone, ()) if refused.isdisjoint(t.names)]
                if not inbound and any_of(left) < self.policy.sooner_probability:
                    clear.append(zone)
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

    def _held(self, now_ns: int, zone: int, danger: Dangers) -> bool:
        """Whether other tracks, perhaps not yet sure, speak against taking the alert back."""
        return holds(self.policy, self._falling(now_ns, zone, danger.get(zone, ())))

    def _seen(self, near: Near, danger: Dangers) -> frozenset[int]:
        """Zones that anything at all may come down near, or that it endangers however little it is known."""
        least = self.policy.withdraw_probability
        endangered = (zone for zone, present in danger.items() if any_of(present) >= least)
        return frozenset(chain(endangered, *(zones.tolist() for _, zones in near)))

    def _lapsed(self, now_ns: int, tier: Tier, seen: Container[int]) -> list[Message]:
        """An all clear of what people told in a tier and neither renewed nor took back before it was void.

        Who was told to stay in shelter until the all clear waits for one: a message that only runs out leaves
        them there, or lets each guess.  So they get one, and what people forget holds no other end back for
        ever.  The node does not renew what it does not know; of what it sees itself it tells in its own
        series, and while it sees anything near a zone, or that stands told, nobody there reads that it is
        over.  The same where the node was blind: then people have to say again to stay, which they do by
        another alert.
        """
        keys = {zone.key: z for z, zone in enumerate(self.zones)}
        told = self._told if tier == "shelter" else self._early.told

        def may_end(key: str) -> bool:
            if tier == "early" and key in self.standing.by_people["shelter"]:
                return False
            zone = keys[key]
            return zone not in self._told and zone not in told and zone not in seen

        ends = lapsed_alerts(tier, self.standing, may_end, self, now_ns)[: max(0, self._left(now_ns))]
        out = []
        for alert, void_ns in ends:
            self.standing = self.standing.after(alert)
            out.append(Message(alert, void_ns))
        return out

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
        if any_threat or self._told:
            return []
        last_ns = self._early.over_ns(now_ns)
        if last_ns is None or self._left(now_ns) < 1 or self.standing.people_hold(now_ns):
            return []
        reason = "nothing threatens the region any more"
        alert = self._message(now_ns, "all_clear", "early", "", self._early.end(), last_ns, [], reason)
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
        keys = [self.zones[z].key for z in zones]
        alert = next_message(
            self, self.standing, now_ns, action, tier, area, keys, impact_ns, evidence, reason
        )
        self.standing = self.standing.after(alert)
        return alert
