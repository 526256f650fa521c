"""A node's two pictures, and what it makes of the one by which it warns.

In: what own looks and partners told of tracks, and own looks at objects that only partners track; out, at
each evaluation: every object as the node holds it to be, what flies together, and where partners' pictures
conflict.

`best` is what the node knows: its own tracks and all that partners released to it.  `joint` is what everybody
has: what each partner released to all others, the node's own releases included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

from jointwatch.joint.corroboration import Corroboration
from jointwatch.joint.disagreement import Disagreements, conflicts_of, falls_apart
from jointwatch.joint.groups import groups_of
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.own_view import Sure, with_own
from jointwatch.joint.parts import in_doubt
from jointwatch.joint.picture import JointPicture
from jointwatch.joint.sensors_behind import sensors_behind
from jointwatch.launch.beginning import Looks
from jointwatch.node.config import NodeConfig
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Disagreement, Impact, ImpactReport, TrackletReport, TrackReport
from jointwatch.tracking.telling import Look

GROUPS_NS = 5_000_000_000
"""What flies together is told at most this often."""
COMPARED_NS = 1_000_000_000
"""Partners' pictures are held against each other this often."""
OLD_NS, OLD_EVERY_NS = 60_000_000_000, 10_000_000_000
"""What is older than the one when it comes changes the picture that warns at most so often as the other."""


class Pictures:
    """What a node knows of objects, and what everybody does.  present: `best` as of the last evaluation."""

    def __init__(self, config: NodeConfig, scribe: Scribe) -> None:
        self.best, self.joint = JointPicture(), JointPicture()
        self.present: list[JointTrack] = []
        self._partner = config.partner
        self._owners = {s.name: s.partner for s in (*config.sensors, *config.partner_sensors)}
        self._owners |= {s.name: s.partner for s in (*config.satellites, *config.partner_satellites)}
        self._scribe = scribe
        self._sure = Sure(config.policy.least_existence, config.policy.least_ballistic)
        self._corroboration = Corroboration()
        self._disagreements = Disagreements()
        self._broke: dict[str, int] = {}
        self._old: list[TrackletReport | TrackReport] = []
        self._old_ns = self._grouped_ns = self._compared_ns = -(2**62)

    def take(self, report: TrackletReport | TrackReport, now: int) -> None:
        """Take what a partner told.  What came long after it was undoes decisions of minutes, so it is taken
        now and then."""
        if isinstance(report, TrackReport):
            oldest_ns = min((t.header.measured_ns for t in report.tracks), default=now)
        else:
            oldest_ns = min((t.time_ns for t in report.tracklets), default=now)
        if now - oldest_ns < OLD_NS:
            self.best.take(report)
        else:
            self._old.append(report)

    def looked(self, look: Look, watches: Callable[[str], bool]) -> None:
        """Hold an own look against the objects that only partners track.

        watches: whether an object of a number threatens anybody, so that it matters.
        """
        for track in self.present:
            if self._partner not in track.originators and watches(track.number):
                self._corroboration.looked(track, look)

    def broke(self, tracks: Iterable[tuple[str, int]]) -> None:
        """Know of own tracks by number that parts of them showed at a time (ns) where they did not."""
        for number, time_ns in tracks:
            self._broke[number] = max(time_ns, self._broke.get(number, 0))

    def evaluate(self, now: int) -> list[JointTrack]:
        """Every object at a time (ns), with the node's own view of what is contested and its own doubts."""
        if self._old and now - self._old_ns >= OLD_EVERY_NS:
            self._old_ns = now
            for report in self._old:
                self.best.take(report)
            self._old.clear()
        picture, own = self.best.at(now), self.best.by_itself(self._partner, now)
        # whether it is a part of something says one's own track of it, where there is one
        parents = {track.number: track.parent for track in own}
        for n, track in enumerate(picture):
            mine = next((parents[alias] for alias in track.aliases if alias in parents), track.parent)
            if mine != track.parent:
                picture[n] = msgspec.structs.replace(track, parent=mine)
        picture = with_own(picture, own, self._partner, self._sure)
        self._corroboration.forget({track.number for track in picture})
        known = {alias for track in picture for alias in track.aliases} if self._broke else set()
        self._broke = {number: time_ns for number, time_ns in self._broke.items() if number in known}
        for n, track in enumerate(picture):
            broke_ns = max((self._broke.get(alias, 0) for alias in track.aliases), default=0)
            if broke_ns > track.seen_ns:
                picture[n] = track = msgspec.structs.replace(track, broke_ns=broke_ns)
            if self._partner not in track.originators:
                self._corroboration.told(track)
                existence = self._corroboration.existence(track)
                picture[n] = msgspec.structs.replace(track, existence=existence)
        self.present = in_doubt(picture)
        return self.present

    def sensors(self, track: JointTrack, now: int) -> frozenset[str]:
        """The sensors that surely stand behind an object."""
        return sensors_behind(self.best.behind(track.aliases, now), self._owners)

    def looks(self, track: JointTrack, now: int) -> Looks:
        """What looks told of an object, of all sensors that the node knows of."""
        return Looks(*self.best.looks(track.aliases, now))

    def groups(self, now: int) -> list[Output]:
        """What flies together, where it is time to tell it."""
        if now - self._grouped_ns < GROUPS_NS:
            return []
        self._grouped_ns = now
        return [*groups_of(self.present, lambda: self._scribe.header(now))]

    def disagreements(
        self,
        now: int,
        impacts: Callable[[], Iterable[Impact]],
        others: Callable[[], Iterable[tuple[str, ImpactReport]]],
    ) -> list[Output]:
        """Where the partners' pictures conflict, and where they do no more, if it is time to ask.

        impacts: gives where the node expects objects to come down; others: the same of partners, by name.
        """
        if now - self._compared_ns < COMPARED_NS:
            return []
        self._compared_ns = now
        me, doubts = self._partner, self._corroboration.doubts()
        conflicts = conflicts_of(self.best.views(now), doubts, self.present, me, now)
        aliases = {track.number: track.aliases for track in self.present}
        own = {alias: i for i in impacts() for alias in aliases.get(i.track, (i.track,))}
        for sender, report in others():
            conflicts += falls_apart(own, report.impacts, (me, sender))
        begun, over = self._disagreements.judge(conflicts, now)
        told = [(conflict, False) for conflict in begun] + [(conflict, True) for conflict in over]
        return [
            Disagreement(
                header=self._scribe.header(now), kind=c.kind, numbers=c.numbers, between=c.between,
                sigmas=c.sigmas if math.isfinite(c.sigmas) else 0.0, detail=c.detail, over=gone,
            )
            for c, gone in told
        ]  # fmt: skip
