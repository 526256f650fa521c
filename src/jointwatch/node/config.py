"""What one node is, as data: its sensors, the zones it warns, its rules.

In: a scenario or node file, through whoever reads it; out: one record, kept in the first entry of the node's
journal, so that a journal can be replayed by itself.  Another configuration is another journal, whose
messages have identifiers of their own (`warning.standing.epoch_of`).
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.sharing import SharingRule
from jointwatch.records import AlertSender, Announcement, Satellite, Sensor, Zone
from jointwatch.tracking.engine import CAPACITY
from jointwatch.tracking.rules import FALSE_TRACKS_PER_DAY
from jointwatch.tracking.undetected import LaunchGround
from jointwatch.warning.policy import Policy
from jointwatch.warning.words import OWN_LANGUAGE

BURNS_PER_M2_S = 1.0 / 86400.0 / 2.2e14
"""One launch a day on the disc of the Earth that a satellite sees, anywhere alike."""
FALSE_BURNS_PER_DAY = 1.0 / 60.0
"""Half of one in 30 days: the other half is for what the stated clutter leaves out."""


class NodeConfig(Struct, frozen=True, kw_only=True):
    """What a node is.

    sharing: what it releases to partners, and how.  correspondents: those partners, on what terms it takes
    their messages; a shadow node has none, and so no link.  partner_sensors: of theirs, those whose plots it
    takes where they are shared.  satellites, partner_satellites: infrared sensors in orbit, its own and
    those of partners whose scans it takes.  territories: name -> outlines of each (`earth.places`);
    disputed: those of them that are.  evaluate_s: longest time between two evaluations of the picture (it
    is evaluated whenever a track that is no aircraft moves); refresh_s: least time between two impact
    predictions of one track (a new threat, or one with less than a minute to go, is not held back).
    grounds: where launches are expected from, and boost how many times the normal ones at the posture: both
    act on how soon a track is confirmed, and on nothing else.  burns_per_m2_s, false_burns_per_day:
    launches that satellites expect anywhere, and burns a day that may be none.  false_tracks_per_day:
    tracks of clutter alone that are accepted.  capacity: rows of the tracker's table, for tracks and for
    chains that may become some.  languages: those in which it warns its people (`warning.words`), in order.
    alert_senders: other systems whose alerts it shows.  places: those that its advisories are for, by
    name; the partner itself if there are none.  play: of an exercise, what was played, as far as nothing else
    here says it (its raids, its seed): two plays that differ are two journals, also where both begin at the
    same time, the exercise's.
    """

    partner: str
    name: str
    sensors: tuple[Sensor, ...]
    zones: tuple[Zone, ...]
    policy: Policy
    territories: dict[str, tuple[str, ...]]
    disputed: tuple[str, ...] = ()
    announced: tuple[Announcement, ...] = ()
    sharing: tuple[SharingRule, ...] = ()
    correspondents: tuple[Correspondent, ...] = ()
    partner_sensors: tuple[Sensor, ...] = ()
    satellites: tuple[Satellite, ...] = ()
    partner_satellites: tuple[Satellite, ...] = ()
    exercise: bool = True
    evaluate_s: float = 1.0
    refresh_s: float = 0.0
    grounds: tuple[LaunchGround, ...] = ()
    boost: float = 1.0
    burns_per_m2_s: float = BURNS_PER_M2_S
    false_burns_per_day: float = FALSE_BURNS_PER_DAY
    false_tracks_per_day: float = FALSE_TRACKS_PER_DAY
    capacity: int = CAPACITY
    languages: tuple[str, ...] = (OWN_LANGUAGE,)
    alert_senders: tuple[AlertSender, ...] = ()
    places: tuple[str, ...] = ()
    play: str = ""

    @property
    def senders(self) -> tuple[str, ...]:
        """Under which names it sends messages to people: its own, and one for each other partner's zones."""
        others = {z.partner for z in self.zones} - {self.partner}
        return (self.name, *(self.sender_to(partner) for partner in sorted(others)))

    def sender_to(self, partner: str) -> str:
        """Under which name it warns the zones of a partner."""
        return self.name if partner == self.partner else f"{self.name}-{partner}"

    @property
    def sensor_names(self) -> tuple[str, ...]:
        """Names of its own sensors, on the ground and in orbit: no partner may speak for them."""
        return (*(s.name for s in self.sensors), *(s.name for s in self.satellites))
