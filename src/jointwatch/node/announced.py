"""Which objects of a node's picture are launches that were announced, to it or to a partner.

In: announcements, and objects as they are looked at again; out: notes of which is taken for which, and of
what departs from what was announced.  Only what was announced to the node itself holds an alarm back, or a
partner that errs or lies could.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jointwatch.joint.joint_track import JointTrack
from jointwatch.launch.announced import agrees
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Announcement

MOST_ANNOUNCED = 1000
"""Launches of which partners were told that are kept, the latest."""


class Announced:
    """The launches that were announced, and the objects held against them, by number."""

    def __init__(self, own: Sequence[Announcement], scribe: Scribe) -> None:
        """own: those announced to the node itself."""
        self._scribe = scribe
        self._own = tuple(own)
        self._partners: list[Announcement] = []
        self._marked: dict[str, str] = {}
        self._told_of: set[str] = set()
        self._apart: set[str] = set()

    def hear(self, announced: Iterable[Announcement]) -> None:
        """Partners were told of these: objects like them are noted, and alarm no less."""
        self._partners += [a for a in announced if a not in self._partners]
        del self._partners[:-MOST_ANNOUNCED]

    def is_marked(self, number: str) -> bool:
        """Whether an object is taken for a launch that was announced to the node itself."""
        return number in self._marked

    def consider(self, track: JointTrack, sure: bool, now: int) -> list[Output]:
        """Hold an object against what was announced; sure: whether it is there and ballistic."""
        number = track.number
        was = self._marked.pop(number, "")
        found = next((a.name for a in self._own if agrees(a, track.first_ns, track.state)), "")
        # an attack may fly over the place and along the heading announced: what was once surely elsewhere, or
        # flew otherwise, is never taken for the launch
        if found and number in self._apart:
            found = ""
        elif not found and self._own and sure:
            self._apart.add(number)
        if found:
            self._marked[number] = found
        if number not in self._told_of and not found:
            name = next((a.name for a in self._partners if agrees(a, track.first_ns, track.state)), "")
            if name:
                self._told_of.add(number)
                said = f"like {name}, of which a partner was told: it alarms no less"
                return [self._scribe.note(now, "announced_to_partner", number, said)]
        if found and not was:
            return [self._scribe.note(now, "announced_launch", number, f"taken for {found}: no alarm")]
        if was and not found:
            return [self._scribe.note(now, "announcement_left", number, f"departs from {was}")]
        return []

    def forget(self, number: str) -> None:
        """An object that was there will not be seen again."""
        self._marked.pop(number, None)
        self._told_of.discard(number)
        self._apart.discard(number)
