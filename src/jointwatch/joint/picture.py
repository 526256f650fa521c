"""The joint picture: what every originator tells of its tracks, matched and fused into one list of objects.

In: reports of tracklets, and of coarsened tracks, in any order and each any number of times; out: one
`JointTrack` an object at a stated time.  The picture is a fold over the set of reports: nothing in it hangs
on when one came, so every node that holds the same set has the same picture, to the bit.  Tracklets up to a
time make an object's state then; which tracks are one object is decided anew every second, from what was
measured up to then and from what was decided before.  A late report undoes the decisions after it, and they
are taken again.

A node's own best picture is the same fold over what it did not release as well.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import msgpack
from numpy.typing import NDArray

from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.identity import EPOCH_NS, HORIZON_NS, Identity, Members, Objects
from jointwatch.joint.joint_track import Exact, JointTrack, View, fuse, likeliest_of
from jointwatch.joint.sensors_behind import Behind
from jointwatch.joint.streams import Floats, Key, Rows, Stream, advance, key_of, looks_of, sure_of, values_of
from jointwatch.joint.told import BEFORE_ALL_NS, NEVER_NS, Moment, ToldTrack, TrackKey, can_be, is_stale
from jointwatch.records import TrackBegun, TrackletReport, TrackReport
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import FREE

VIEW_NS = 30_000_000_000
"""What an originator's looks say of an object is asked of so many."""
MOST_TRACKS = 10_000
"""Tracks that a picture has of one originator at most, those that ended of late included."""
BEFORE_NS = 600_000_000_000
"""An object takes what was told for so long before it had these tracks: all of any missile's flight.  It is
less than the horizon by what pictures may be asked apart, or it would hang on when each forgot what."""
SURE = Rules().sure_log_odds


class _Part:
    """One object of the picture: its tracks, the stream of them all, and what their beginnings tell."""

    __slots__ = ("first_ns", "from_ns", "numbers", "originators", "parent", "plain", "stream", "tracks")

    def __init__(self, members: Members, tracks: list[ToldTrack], stream: Stream) -> None:
        self.tracks, self.stream = tracks, stream
        self.numbers = tuple(t.key[1] for t in sorted(tracks, key=_by_age))
        begun = [t.begun for t in tracks if t.begun is not None]
        self.first_ns = min((b.first_ns for b in begun), default=None)
        self.from_ns = min((t.from_ns for t in tracks), default=NEVER_NS)
        self.parent = max((b.parent for b in begun), default="")
        self.originators = tuple(sorted({key[0] for key in members}))
        # told by tracklets alone, and all of it goes on
        self.plain = bool(begun) and not any(t.coarse or t.ended_ns for t in tracks)

    def is_current(self, time_ns: int) -> bool:
        """Whether any of its tracks goes on at a time."""
        return self.plain or not all(track.is_over(time_ns) for track in self.tracks)

    def is_begun(self, time_ns: int) -> bool:
        """Whether any of its tracks that go on is told of by then."""
        if self.plain:
            return self.from_ns <= time_ns
        return any(track.is_exact(time_ns) for track in self.tracks)

    def coarse_at(self, time_ns: int) -> list[CoarseTrack]:
        """The last coarsened report of each of its tracks that go on."""
        if self.plain:
            return []
        of_each = [t.coarse_at(time_ns) for t in self.tracks if t.coarse and not t.is_over(time_ns)]
        return [c for c in of_each if c is not None]

    def originators_at(self, time_ns: int) -> tuple[str, ...]:
        """Whose tracks go on."""
        if self.plain:
            return self.originators
        return tuple(sorted({t.key[0] for t in self.tracks if not t.is_over(time_ns)}))


class JointPicture:
    """The fold: `take` reports, ask what the picture is `at` a time."""

    def __init__(self, bank: NDArray[np.float64] = FLIGHT) -> None:
        self._rows = Rows(bank, SURE)
        self._tracks: dict[TrackKey, ToldTrack] = {}
        self._identity = Identity(self._tracks, self._rows)
        self._objects: dict[Members, _Object] = {}
        self._with: dict[TrackKey, set[Members]] = {}
        self._moved: dict[TrackKey, ToldTrack] = {}  # those told of since the picture was asked for
        self._alone: dict[TrackKey, _Part] = {}  # tracks by themselves, until something else is told of them
        self._parts: list[_Part] = []
        self._parts_are: tuple[Objects, int] | None = None  # of which objects, and how many tracks
        self._kept: Objects = ()
        self._asked_ns = BEFORE_ALL_NS
        self._newest_ns = self._swept_ns = BEFORE_ALL_NS
        self.repeated = 0
        """Tracklets that were here already."""
        self.too_late = 0
        """Tracklets, and ends, from before the horizon."""
        self.beyond = 0
        """Words on tracks beyond `MOST_TRACKS` of an originator."""
        self._counts: dict[str, int] = {}

    # ------------------------------------------------------------------ what comes in

    def take(self, report: TrackletReport | TrackReport) -> None:
        """Take a report; the same one again changes nothing."""
        originator = report.header.originator
        if isinstance(report, TrackReport):
            for coarse in report.tracks:
                self._take_coarse(originator, CoarseTrack(coarse))
            return
        for begun in report.begun:
            if self._has_room((originator, begun.number)):
                self._take_begun(originator, begun)
        for tracklet, value in zip(report.tracklets, values_of(report.tracklets), strict=True):
            key = originator, tracklet.number
            if self._is_too_late(tracklet.time_ns) or not self._has_room(key):
                continue
            track = self._track(key)
            if self._insert(track, key_of(originator, tracklet), value):
                self._identity.touch(max(tracklet.time_ns, track.from_ns))
                self._newest_ns = max(self._newest_ns, tracklet.time_ns)
            else:
                self.repeated += 1
        for ended in report.ended:
            key = originator, ended.number
            if self._is_too_late(ended.time_ns) or not self._has_room(key):
                continue
            if self._track(key).end(ended.time_ns):
                self._identity.touch(ended.time_ns)
                self._told_anew(key)

    def _is_too_late(self, time_ns: int) -> bool:
        """Whether something is from before the horizon; it is counted."""
        late = time_ns < self._newest_ns - HORIZON_NS
        self.too_late += late
        return late

    def _take_begun(self, originator: str, begun: TrackBegun) -> None:
        """A track may have begun before the horizon, and is told of no less."""
        track = self._track((originator, begun.number))
        if not track.take_begun(begun) or (
            track.begun is not None and not self._remove(track, track.key_of_begun())
        ):
            return
        track.begun = begun
        self._told_anew(track.key)
        self._insert(track, track.key_of_begun(), sure_of(begun.log_odds))
        self._identity.touch(track.since_ns)

    def _take_coarse(self, originator: str, coarse: CoarseTrack) -> None:
        time_ns = coarse.track.header.measured_ns
        key = originator, coarse.track.number
        if self._is_too_late(time_ns) or not self._has_room(key):
            return
        track = self._track(key)
        if coarse.track.ended:
            if track.end(time_ns):
                self._identity.touch(time_ns)
                self._told_anew(key)
            return
        entry = time_ns, coarse.track.header.sequence, coarse
        for kept in [kept for kept in track.coarse if kept[:2] == entry[:2]]:
            # of two reports of one number the same one counts, whichever came first
            if msgpack.encode(kept[2].track) <= msgpack.encode(coarse.track):
                self.repeated += 1
                return
            track.coarse.remove(kept)
        if not track.coarse:
            self._told_anew(key)
        insort(track.coarse, entry, key=lambda c: c[:2])
        track.forget_from(time_ns)
        self._identity.touch(time_ns)
        self._newest_ns = max(self._newest_ns, time_ns)

    def _told_anew(self, key: TrackKey) -> None:
        """A track began, ended, is told of in another way or forgotten: its part is to be made anew."""
        self._alone.pop(key, None)
        self._parts_are = None

    def _track(self, key: TrackKey) -> ToldTrack:
        if key not in self._tracks:
            self._tracks[key] = ToldTrack(key, self._rows)
            self._counts[key[0]] = self._counts.get(key[0], 0) + 1
        return self._tracks[key]

    def _has_room(self, key: TrackKey) -> bool:
        """Whether an originator may have this track: no partner fills the memory of another."""
        room = key in self._tracks or self._counts.get(key[0], 0) < MOST_TRACKS
        self.beyond += not room
        return room

    def _insert(self, track: ToldTrack, key: Key, value: NDArray[np.float64]) -> bool:
        if not track.stream.insert(key, value):
            return False
        for members in self._with.get(track.key, ()):
            self._objects[members].insert(key, value)
        track.forget_from(key[0])
        self._moved[track.key] = track
        return True

    def _remove(self, track: ToldTrack, key: Key) -> bool:
        if not track.stream.remove(key):
            return False
        for members in self._with.get(track.key, ()):
            self._objects[members].stream.remove(key)
        track.forget_from(key[0])
        self._moved[track.key] = track
        self._identity.touch(max(key[0], track.first_look_ns))
        return True

    # ------------------------------------------------------------------ what is asked

    def at(self, time_ns: int) -> list[JointTrack]:
        """The objects at a time (ns), by number."""
        # what tracks are now is what the decision of this epoch is taken from, later
        epoch_ns = time_ns // EPOCH_NS * EPOCH_NS
        if epoch_ns != self._asked_ns:
            self._asked_ns = epoch_ns
            self._identity.look_ahead(epoch_ns)
        advance([track.stream for track in self._moved.values()], time_ns)
        self._moved.clear()
        together = self._identity.objects_at(time_ns)
        self._keep_objects(together)
        out = self._joint_tracks(self._parts_of(together), time_ns)
        self._sweep(time_ns)
        return sorted(out, key=_number_of)

    def by_itself(self, originator: str, time_ns: int) -> list[JointTrack]:
        """What an originator alone tells of each object that others tell of as well, in no order.

        For the time that the picture was last asked for: the same objects.
        """
        mine = [
            self._lone(track)
            for part in self._parts
            if len(part.tracks) > 1
            for track in part.tracks
            if track.key[0] == originator
        ]
        return self._joint_tracks(mine, time_ns)

    def _joint_tracks(self, parts: Sequence[_Part], time_ns: int) -> list[JointTrack]:
        """Those of some objects that are there at a time."""
        current = [part for part in parts if part.is_current(time_ns)]
        advance([part.stream for part in current], time_ns)
        rows = np.array([part.stream.row for part in current], np.int64)
        states, covs, phases, odds, thrust = self._rows.states_at(rows, time_ns)
        life, hits, seen = (self._rows.table[name][rows].tolist() for name in ("life", "hits", "seen_ns"))
        out = []
        numbers = phases.tolist(), odds.tolist(), thrust.tolist(), life, hits, seen, can_be(states, covs)
        of_each = zip(current, states, covs, *numbers, strict=True)
        for part, state, cov, phase, log_odds, thrust_ms2, lives, hit, seen_ns, possible in of_each:
            exact = None
            if lives != FREE and possible and part.is_begun(time_ns):
                exact = Exact(state, cov, phase, log_odds, thrust_ms2, hit, seen_ns)
            track = self._joint_track(part, exact, time_ns)
            if track is not None:
                out.append(track)
        return out

    def behind(self, numbers: Sequence[str], time_ns: int) -> Behind:
        """What is known at a time of the sensors behind an object, by all its numbers.

        What is beyond the horizon is forgotten: no flight of a missile lasts so long.
        """
        tracks = self._named(numbers)
        looks = {(t.key[0], source) for t in tracks for source in t.stream.sources(time_ns)}
        told = ((t.key[0], t.coarse_at(time_ns)) for t in tracks)
        coarse = [
            (originator, frozenset(r.source for r in c.track.header.provenance))
            for originator, c in told
            if c is not None
        ]
        return Behind(frozenset(looks), tuple(coarse))

    def looks(self, numbers: Sequence[str], time_ns: int) -> tuple[NDArray[np.int64], Floats, Floats]:
        """What looks up to a time told of an object, by all its numbers, each once, in order of time.

        Times (n,), ns; points (n, 6) and informations (n, 6, 6) as of a `Tracklet`.  Coarsened tracks tell of
        no looks.
        """
        return looks_of([track.stream for track in self._named(numbers)], time_ns)

    def _named(self, numbers: Sequence[str]) -> list[ToldTrack]:
        """Tracks of these numbers, whoever told of them."""
        named = ((originator, number) for originator in self._counts for number in numbers)
        return [self._tracks[key] for key in named if key in self._tracks]

    def views(self, time_ns: int) -> list[list[View]]:
        """What each originator tells of each object that several have, at the last decision by a time."""
        out = []
        last = self._identity.last(time_ns)
        for members, _ in self._identity.objects_at(time_ns):
            live = [
                self._view(track, moment, last)
                for track in map(self._tracks.__getitem__, members)
                if not track.is_over(last) and (moment := track.moments.get(last)) is not None
            ]
            if len(live) > 1:
                out.append(live)
        return out

    def _view(self, track: ToldTrack, moment: Moment, time_ns: int) -> View:
        seen, missed, evidence = track.stream.looks(time_ns - VIEW_NS, time_ns)
        coarse = track.coarse_at(time_ns)
        if coarse is not None and not seen + missed:
            seen, evidence = coarse.track.hits, coarse.log_odds
        return View(
            *track.key, moment.state, moment.covariance, moment.phase, moment.phase_share, moment.seen_ns,
            seen, missed, evidence,
        )  # fmt: skip

    def _parts_of(self, together: Objects) -> list[_Part]:
        """The objects of these tracks, and every other track by itself."""
        known = self._parts_are
        if known is None or known[0] is not together or known[1] != len(self._tracks):
            self._parts_are = together, len(self._tracks)
            joined = [members for members, _ in together]
            grouped = {key for members in joined for key in members}
            self._parts = [
                _Part(members, [self._tracks[key] for key in members], self._objects[members].stream)
                for members in joined
            ]
            self._parts += [self._lone(t) for key, t in self._tracks.items() if key not in grouped]
        return self._parts

    def _lone(self, track: ToldTrack) -> _Part:
        """A track by itself, whether or not others are one object with it."""
        part = self._alone.get(track.key)
        if part is None:
            part = self._alone[track.key] = _Part((track.key,), [track], track.stream)
        return part

    def _joint_track(self, part: _Part, exact: Exact | None, time_ns: int) -> JointTrack | None:
        coarse = part.coarse_at(time_ns)
        fresh = [c for c in coarse if not is_stale(c.phase, c.track.header.measured_ns, time_ns)]
        if exact is not None and is_stale(likeliest_of(exact.phases), exact.seen_ns, time_ns):
            exact = None
        if exact is None and not fresh:
            return None
        fused = fuse(exact, fresh, time_ns) if fresh or exact is None else exact
        first_ns, parent = part.first_ns, part.parent
        if fresh:
            first_ns = min([c.track.first_ns for c in fresh] + ([] if first_ns is None else [first_ns]))
            parent = max([parent, *(c.track.parent for c in fresh)])
        assert first_ns is not None
        return JointTrack(
            part.numbers[0],
            part.numbers,
            time_ns,
            fused.state,
            fused.covariance,
            (fused.phases[0], fused.phases[1], fused.phases[2]),
            1.0 / (1.0 + float(np.exp(-fused.log_odds))),
            fused.hits,
            first_ns,
            fused.seen_ns,
            fused.thrust_ms2,
            parent,
            part.originators_at(time_ns),
        )

    def _keep_objects(self, together: Objects) -> None:
        """Have a stream for each object of several tracks, and for no other."""
        if together is self._kept:
            return
        self._kept = together
        wanted = dict(together)
        for members in [m for m, kept in self._objects.items() if wanted.get(m) != kept.since_ns]:
            self._objects.pop(members).stream.close()
            self._parts_are = None
            for key in members:
                self._with[key].discard(members)
        for members, since_ns in together:
            if members not in self._objects:
                self._objects[members] = _Object(members, since_ns, self._tracks, self._rows)
                self._parts_are = None
                for key in members:
                    self._with.setdefault(key, set()).add(members)

    def _sweep(self, time_ns: int) -> None:
        """Now and then forget what is beyond the horizon."""
        if time_ns - self._swept_ns < HORIZON_NS // 20:
            return
        self._swept_ns = time_ns
        before_ns = self._newest_ns - HORIZON_NS
        streams = [kept.stream for kept in self._objects.values()]
        for stream in (*streams, *(t.stream for t in self._tracks.values())):
            stream.forget(before_ns)
        first_ns, named = self._identity.forget(before_ns)
        gone = [key for key, t in self._tracks.items() if t.last_ns() < before_ns and key not in named]
        for key in gone:
            if not self._with.get(key):
                self._tracks.pop(key).stream.close()
                self._counts[key[0]] -= 1
                self._with.pop(key, None)
                self._moved.pop(key, None)
                self._told_anew(key)
        for track in self._tracks.values():
            track.moments = {t: moment for t, moment in track.moments.items() if t >= first_ns}
            while len(track.coarse) > 1 and track.coarse[1][0] < before_ns:
                track.coarse.pop(0)


class _Object:
    """The tracklets of several tracks that are one object, from a while before they were on."""

    __slots__ = ("_from_ns", "since_ns", "stream")

    def __init__(
        self, members: Members, since_ns: int, tracks: Mapping[TrackKey, ToldTrack], rows: Rows
    ) -> None:
        self.since_ns = since_ns
        self._from_ns = since_ns - BEFORE_NS
        self.stream = Stream(rows)
        for key in members:
            told = tracks[key].stream
            for place, value in zip(told.keys, told.values, strict=True):
                self.insert(place, value)

    def insert(self, key: Key, value: NDArray[np.float64]) -> None:
        """Put a tracklet in its place, unless it is too old to be the object's."""
        if key[0] >= self._from_ns:
            self.stream.insert(key, value)


def _number_of(track: JointTrack) -> str:
    return track.number


def _by_age(track: ToldTrack) -> tuple[int, str, int, str]:
    """Order of an object's names: the first told first, so that it keeps its name when others join; then by
    issuer and number."""
    told_ns = (
        track.from_ns if track.begun is not None or not track.coarse else track.coarse[0][2].track.first_ns
    )
    return told_ns, track.key[0], len(track.key[1]), track.key[1]
