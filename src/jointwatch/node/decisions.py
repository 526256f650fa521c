"""What a node decides about the objects of its picture: their falls, launches, and whom they endanger.

In: the joint picture each time it moved; out: notes, launch reports and alerts, in order.  Each object is
looked at again only where a new look stands behind it, or looks missed it; what was found is kept until then.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from jointwatch.earth.places import Territories
from jointwatch.joint.identity import HORIZON_NS
from jointwatch.joint.joint_track import JointTrack
from jointwatch.launch.beginning import Looks
from jointwatch.launch.classes import class_named
from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.motion.propagate import perigee_m
from jointwatch.node.announced import Announced
from jointwatch.node.burning import Burning
from jointwatch.node.config import NodeConfig
from jointwatch.node.dangers import DOUBT, Dangers, impact_of, may_be_aircraft
from jointwatch.node.lately import Lately
from jointwatch.node.launches import Launches
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import (
    Alert,
    Announcement,
    BadInput,
    Impact,
    ManualAlert,
)
from jointwatch.warning.behind import Threat
from jointwatch.warning.impact import GroundFall
from jointwatch.warning.lifecycle import Warner
from jointwatch.warning.manual import check_ahead, check_known, check_stands, still_standing, zones_named
from jointwatch.warning.policy import Policy
from jointwatch.warning.standing import Standing

ORBIT_M = 80e3
"""An object whose perigee is above this height has no impact point."""
BROKE_PARTS, BROKE_NS = 2, 30_000_000_000
"""What so many parts came off no longer ago broke up: a stage is one, and so is a track found twice."""
LEAST_THERE = 0.01
"""However dear a miss is: what broke up is less likely there than this (`joint.parts`)."""
SOON_NS = 60_000_000_000
"""With less time than this to its impact, an object's fall is worked out at every look."""


class Decisions:
    """The falls, launches and alerts of one node."""

    def __init__(
        self, config: NodeConfig, scribe: Scribe, territories: Territories, burning: Burning
    ) -> None:
        self._config, self._scribe, self._burning = config, scribe, burning
        self._announced = Announced(config.announced, scribe)
        self._warners: list[Warner] = []
        for partner in sorted({z.partner for z in config.zones}):
            zones = [z for z in config.zones if z.partner == partner]
            name = config.sender_to(partner)
            self._warners.append(Warner(partner, name, zones, config.policy, config.exercise, scribe.epoch))
        self._dangers = Dangers([w.zones for w in self._warners], config.policy.early_margin_m)
        self._burn_threats: dict[str, tuple[Impact, tuple[Threat, ...]]] = {}
        self._falls: dict[str, _Fall] = {}
        self._broke: set[str] = set()
        self._launches = Launches(config.policy, scribe, territories, burning)
        self._looked_at: Lately[str] = Lately(HORIZON_NS)

    def announce(self, announced: Iterable[Announcement]) -> None:
        """From now on, launches that partners were told of ahead are matched and marked."""
        self._announced.hear(announced)

    def standing(self) -> tuple[Standing, ...]:
        """What stands told to the zones of each partner."""
        return tuple(warner.standing for warner in self._warners)

    def stands(self, stood: Sequence[Standing], alerts: Sequence[Alert]) -> None:
        """These alerts, after what stood, are what was issued in the last step, and not what was decided."""
        for warner, before in zip(self._warners, stood, strict=True):
            warner.stands(before, alerts)

    def check_manual(self, manual: ManualAlert, now: int, source: str) -> int:
        """The number of the last message issued to the partner's own zones.

        BadInput if people cannot say this to them as things stand.
        """
        warner = self._own_warner(source)
        zones = zones_named(manual, warner.zones, source)
        check_ahead(manual, now, source)
        check_stands(manual, zones, warner.standing, source)
        return warner.standing.sequence

    def left_to_say(
        self, manual: ManualAlert, now: int, source: str, drafted_after: int
    ) -> tuple[ManualAlert, tuple[str, ...]]:
        """What of a draft is left to say, drafted after that message, and the zones that ended since then.

        BadInput if people cannot say any of it to the partner's own zones as things stand, or no more.
        """
        warner = self._own_warner(source)
        zones = zones_named(manual, warner.zones, source)
        check_ahead(manual, now, source)
        check_known(manual, zones, warner.standing, drafted_after, source)
        return still_standing(manual, zones, warner.standing, source)

    def say(self, manual: ManualAlert, now: int, source: str) -> list[Output]:
        """What two people say to the partner's own zones, checked before."""
        warner = self._own_warner(source)
        zones = zones_named(manual, warner.zones, source)
        out: list[Output] = []
        for alert in warner.say(now, manual, zones):
            out += self._alert_notes(alert, now, now)
            out.append(alert)
        return out

    def _own_warner(self, source: str) -> Warner:
        for warner in self._warners:
            if warner.name == self._config.name:
                return warner
        raise BadInput(source, "zones", "none at all", "zones of this partner in its configuration")

    def labels(self) -> dict[str, frozenset[str]]:
        """The generic class of each object that comes down, by each of its track numbers."""
        return {
            number: frozenset((fall.object_class,))
            for fall in self._falls.values()
            if fall.object_class and fall.threats
            for number in fall.aliases
        }

    def watches(self, number: str) -> bool:
        """Whether the object of this number is one that may come down somewhere."""
        return number in self._falls

    def harmless(self, track: JointTrack) -> bool:
        """Whether an object is known to endanger no zone: an aircraft, or one that falls elsewhere."""
        fall = self._falls.get(track.number)
        if fall is None:
            return track.phases[CRUISE] > 0.5
        return not fall.reach_only and not any(len(threat.zones) for threat in fall.threats)

    def decide(
        self,
        picture: list[JointTrack],
        now: int,
        sensors_of: Callable[[JointTrack], frozenset[str]],
        looks_of: Callable[[JointTrack], Looks],
    ) -> list[Output]:
        """What the picture at `now` (ns) gives rise to.

        sensors_of, looks_of: the sensors behind an object of it, and what their looks told of it.
        """
        out: list[Output] = []
        numbers = {track.number for track in picture}
        parts = Counter(t.parent for t in picture if t.parent and now - t.first_ns <= BROKE_NS)
        self._broke = {number for number, count in parts.items() if count >= BROKE_PARTS}
        self._broke |= {t.number for t in picture if t.broke_ns and now - t.broke_ns <= BROKE_NS}
        self._launches.begin()
        for track in sorted(picture, key=lambda track: self._launches.turn(track.number)):
            out += self._consider(track, now, sensors_of, looks_of)
        for number in sorted(set(self._falls) - numbers):
            del self._falls[number]
            self._launches.is_gone(number)
        self._forget(picture, now)
        for warner, threats in zip(self._warners, self.threats(now), strict=True):
            for message in warner.evaluate(now, threats):
                out += self._alert_notes(message.alert, message.since_ns, now)
                out.append(message.alert)
        return out

    def _forget(self, picture: list[JointTrack], now: int) -> None:
        """What was told of objects that have been out of the picture for as long as it goes back is no more
        needed: none of them can come back under its number."""
        for track in picture:
            if track.number in self._looked_at:
                self._looked_at.meet(track.number, now)
        for number in self._looked_at.forget(now):
            self._announced.forget(number)
            self._launches.forget(number)

    def threats(self, now: int) -> list[list[Threat]]:
        """What threatens the zones of each partner warned at `now` (ns): tracks, then burns, by number."""
        falls = [f.threats for _, f in sorted(self._falls.items()) if f.threats and f.impact_ns > now]
        every = [*falls, *self._of_burns(now)]
        return [[threats[w] for threats in every] for w in range(len(self._warners))]

    def warned(self) -> tuple[str, ...]:
        """Partners whose zones are warned, in the order of `threats`."""
        return tuple(warner.partner for warner in self._warners)

    def _alert_notes(self, alert: Alert, since_ns: int, now: int) -> list[Output]:
        """The steps of a procedure that an alert is: when what it says came to hold, and that it was sent."""
        kinds = {
            "alert": ("danger_shown", "alert_issued"),
            "update": ("danger_shown", "alert_issued"),
            "cancel": ("danger_gone", "alert_cancelled"),
            "all_clear": ("", "all_clear"),
        }
        if alert.tier != "shelter":
            return []
        since, sent = kinds[alert.action]
        notes: list[Output] = []
        if since and not alert.manual:  # people need no threshold to be passed
            notes.append(self._scribe.note(since_ns, since, alert.identifier, partner=alert.partner))
        notes.append(self._scribe.note(now, sent, alert.identifier, partner=alert.partner))
        return notes

    def _consider(
        self,
        track: JointTrack,
        now: int,
        sensors_of: Callable[[JointTrack], frozenset[str]],
        looks_of: Callable[[JointTrack], Looks],
    ) -> list[Output]:
        """Bring one object's fall, danger and launch up to date where something moved."""
        policy = self._config.policy
        least = policy.least_hits_of_part if track.parent else policy.least_hits
        # what is less likely there than anybody would be told for threatens nobody; what is as likely as not
        # does: four looks in a row miss it by chance once in ten thousand times
        there = min(max(policy.shelter_probability, LEAST_THERE), DOUBT)
        if track.phases[CRUISE] > 0.5 or track.existence < there or track.hits < least:
            self._falls.pop(track.number, None)
            return []
        old = self._falls.get(track.number)
        if old is not None and not self._launches.has_turn(track.number):
            soon = old.impact_ns - now < SOON_NS
            behind = track.seen_ns, track.hits, track.aliases
            idle = not soon and now - old.computed_ns < self._config.refresh_s * 1e9 and not old.reach_only
            # what looks miss moves on as it did, but is less and less sure
            if old.doubt == _doubt(track, policy) and (
                (old.seen_ns, old.hits, old.aliases) == behind or idle
            ):
                return []
        self._looked_at.meet(track.number, now)
        out = self._announced.consider(track, self._sure(track), now)
        orbit = perigee_m(track.state) > ORBIT_M
        fall = None if orbit or self._announced.is_marked(track.number) else self._fall_of(track)
        if fall is None:
            self._falls[track.number] = _Fall(
                track.seen_ns,
                now,
                2**62,
                False,
                (),
                hits=track.hits,
                aliases=track.aliases,
                doubt=_doubt(track, policy),
            )
            return out
        reach_only = track.phases[BALLISTIC] < 0.5
        sure = self._sure(track)
        known = old.object_class if old is not None else ""
        object_class, report = self._launches.of(track, fall, known, sure, now, sensors_of, looks_of)
        danger_m = class_named(object_class).danger_m
        out += report
        impact_ns = now + round(fall.time_s * 1e9)
        # what people said of the burn is said of the track that it became
        burns = self._burning.burns_of((track.number, *track.aliases))
        self._falls[track.number] = _Fall(
            track.seen_ns,
            now,
            impact_ns,
            reach_only,
            self._dangers.of_track(
                track,
                object_class,
                danger_m,
                fall,
                impact_ns,
                reach_only,
                sure,
                burns,
                not self._broke.isdisjoint((track.number, *track.aliases)),
            ),
            fall,
            object_class,
            track.hits,
            track.aliases,
            _doubt(track, policy),
        )
        return out

    def _fall_of(self, track: JointTrack) -> GroundFall | None:
        """Where an object comes down; what a part of something drags no class tells."""
        classes = {} if track.parent else self._launches.classes(track)
        drags, old = self._launches.drags(track.number), self._falls.get(track.number)
        return self._dangers.fall_of(track, classes, drags, None if old is None else old.fall)

    def _of_burns(self, now: int) -> list[tuple[Threat, ...]]:
        """What burns threaten, worked out where one is told of anew."""
        falls = self._burning.falls(now)
        for number in set(self._burn_threats) - set(falls):
            del self._burn_threats[number]
        for number, impact in falls.items():
            if number not in self._burn_threats or self._burn_threats[number][0] != impact:
                self._burn_threats[number] = impact, self._dangers.of_burn(impact)
        return [threats for _, (_, threats) in sorted(self._burn_threats.items())]

    def _sure(self, track: JointTrack) -> bool:
        """Whether a track is there, ballistic beyond the policy's doubt, and no aircraft just seen."""
        policy = self._config.policy
        if may_be_aircraft(track.phases, track.state):
            return False
        return track.phases[BALLISTIC] >= policy.least_ballistic and track.existence >= policy.least_existence

    def impacts(self) -> list[Impact]:
        """Present impact predictions of the node's own best picture, by track number."""
        return [
            impact_of(number, f.object_class, f.fall, f.computed_ns, f.reach_only)
            for number, f in sorted(self._falls.items())
            if f.fall is not None
        ]


class _Fall(Struct, frozen=True):
    """A track's last impact prediction: from which look, when, and what it threatens (one a warner).

    hits, aliases: how many looks stood behind it, and whose: without another look it may be another object.
    doubt: how far it was in doubt then.
    """

    seen_ns: int
    computed_ns: int
    impact_ns: int
    reach_only: bool
    threats: tuple[Threat, ...]
    fall: GroundFall | None = None
    object_class: str = ""
    hits: int = 0
    aliases: tuple[str, ...] = ()
    doubt: tuple[bool, int] = (True, 0)


def _doubt(track: JointTrack, policy: Policy) -> tuple[bool, int]:
    """Whether a track is there for certain, and how many times its existence was halved."""
    return track.existence >= policy.least_existence, -math.floor(math.log2(max(track.existence, 1e-9)))
