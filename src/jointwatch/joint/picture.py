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

from bisect import bisect_right, insort
from collections.abc import Sequence

import numpy as np
from msgspec import Struct, msgpack
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.joint.admission import FASTEST_MS, GREATEST_RADIUS_M, LEAST_RADIUS_M
from jointwatch.joint.association import Cloud, pair_up
from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.filter import states_at
from jointwatch.joint.fusion import intersect
from jointwatch.joint.streams import BEGUN, Key, Rows, Stream, advance, is_begun, key_of, sure_of, values_of
from jointwatch.motion.phases import CRUISE
from jointwatch.records import TrackBegun, TrackletReport, TrackReport
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import FREE

TrackKey = tuple[str, str]
"""A track for good: its originator, and its number there."""
Members = tuple[TrackKey, ...]
"""The tracks of one object, in order of their names."""

EPOCH_NS = 1_000_000_000
"""Which tracks are one object is decided so often..."""
SETTLED_NS = 500_000_000
"""...and holds from so long after: what a link carries sooner than that undoes no decision."""
CRUISE_STALE_S, STALE_S = 30.0, 900.0
"""A track that nothing more is told of is no part of the picture after so long."""
VIEW_NS = 30_000_000_000
"""What an originator's looks say of an object is asked of so many."""
MATURE_HITS = 12
"""Looks after which a track's phase is believed against that of a partner's older track."""
MOMENTS = 64
"""Epochs at which it is kept what a track was: a link is seldom longer behind."""
NEVER_NS = 2**62
HORIZON_S = 900.0
"""What is older can no longer be told apart from what was known before; longer than any cut is bridged."""
HORIZON_NS = round(HORIZON_S * 1e9)
BEFORE_ALL_NS = -(2**63)
SURE = Rules().sure_log_odds


class JointTrack(Struct, frozen=True):
    """One object of the joint picture, at `time_ns`.

    number: the first of its members' numbers by issuer and sequence (both sides can apply that apart);
    aliases: all of them.
    state (7,), covariance (7, 7): ballistic convention of `records.Track`.
    parent: number of the older track that a member first appeared beside, "" if there is none: a fragment.
    hits, seen_ns: looks that stand behind it, and the latest of them.  originators: whose looks.
    """

    number: str
    aliases: tuple[str, ...]
    time_ns: int
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: tuple[float, float, float]
    existence: float
    hits: int
    first_ns: int
    seen_ns: int
    thrust_ms2: float
    parent: str
    originators: tuple[str, ...]


class View(Struct, frozen=True):
    """What one originator tells of one object, at the last decision.

    phase: the likeliest, and its probability.  seen, missed: of its looks in the last `VIEW_NS`, those that
    gave a plot and those that did not; evidence: what they add to the log odds that the object exists.
    """

    originator: str
    number: str
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phase: int
    phase_share: float
    seen_ns: int
    seen: int
    missed: int
    evidence: float


class _Track:
    """What one originator told of one of its tracks."""

    __slots__ = ("begun", "coarse", "ended_ns", "key", "moments", "stream")

    def __init__(self, key: TrackKey, rows: Rows) -> None:
        self.key = key
        self.begun: TrackBegun | None = None
        self.ended_ns: list[int] = []  # each time that its end was told, ascending
        self.stream = Stream(rows)
        self.coarse: list[tuple[int, int, CoarseTrack]] = []  # by time and sequence
        self.moments: dict[int, _Moment | None] = {}  # at epochs decided

    @property
    def from_ns(self) -> int:
        """From when on it is part of a picture by what its tracklets tell."""
        return NEVER_NS if self.begun is None else self.begun.told_ns

    @property
    def first_look_ns(self) -> int:
        """Time of the first look at it that is known: before, it is nowhere, whenever it is said to begin."""
        if self.stream.base is not None:
            return BEFORE_ALL_NS
        looks = (key[0] for key in self.stream.keys if not key[1].startswith(BEGUN))
        return next(looks, NEVER_NS)

    @property
    def since_ns(self) -> int:
        """From when on its tracklets can change what is decided."""
        return max(self.from_ns, self.first_look_ns)

    def coarse_at(self, time_ns: int) -> CoarseTrack | None:
        """The last coarsened report up to a time."""
        at = bisect_right(self.coarse, time_ns, key=lambda c: c[0])
        return self.coarse[at - 1][2] if at else None

    def is_over(self, time_ns: int) -> bool:
        """Whether it has ended by a time, and nothing was told of it since."""
        if not self.ended_ns:
            return False
        ended = bisect_right(self.ended_ns, time_ns)
        if not ended:
            return False
        coarse = self.coarse_at(time_ns)
        told_ns = self.stream.newest_ns(time_ns)
        if coarse is not None:
            told_ns = max(told_ns, coarse.track.header.measured_ns)
        return self.ended_ns[ended - 1] >= told_ns

    def forget_from(self, time_ns: int) -> None:
        """What it was at epochs from a time on is to be worked out anew."""
        moments = self.moments  # in order of time
        while moments and next(reversed(moments)) >= time_ns:
            moments.popitem()

    def end(self, time_ns: int) -> bool:
        """Note that it ended; False if that was known."""
        if time_ns in self.ended_ns:
            return False
        insort(self.ended_ns, time_ns)
        return True

    def remember(self, time_ns: int, moment: _Moment | None) -> None:
        """Keep what it is at an epoch; old ones can be worked out anew."""
        moments = self.moments
        in_order = not moments or next(reversed(moments)) < time_ns
        moments[time_ns] = moment
        if not in_order or len(moments) > 2 * MOMENTS:
            self.moments = dict(sorted(moments.items())[-MOMENTS:])

    def last_ns(self) -> int:
        """Time of the last that was told of it."""
        coarse_ns = self.coarse[-1][0] if self.coarse else BEFORE_ALL_NS
        ended_ns = self.ended_ns[-1] if self.ended_ns else BEFORE_ALL_NS
        return max(self.stream.newest_ns(2**63 - 1), coarse_ns, ended_ns)


class _Moment(Struct, frozen=True):
    """What a track was at an epoch: state (7,), covariance (7, 7), likeliest phase, last look at it (ns), and
    the phase's probability."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phase: int
    seen_ns: int
    phase_share: float


class _Part:
    """One object of the picture: its tracks, the stream of them all, and what their beginnings tell."""

    __slots__ = ("first_ns", "members", "numbers", "originators", "parent", "stream", "tracks")

    def __init__(self, members: Members, tracks: list[_Track], stream: Stream) -> None:
        self.members, self.tracks, self.stream = members, tracks, stream
        self.numbers = tuple(key[1] for key in sorted(members, key=_by_name))
        begun = [t.begun for t in tracks if t.begun is not None]
        self.first_ns = min((b.first_ns for b in begun), default=None)
        self.parent = max((b.parent for b in begun), default="")
        self.originators = tuple(sorted({key[0] for key in members}))

    def is_current(self, time_ns: int) -> bool:
        """Whether any of its tracks goes on at a time."""
        return not all(track.is_over(time_ns) for track in self.tracks)

    def is_begun(self, time_ns: int) -> bool:
        """Whether any of its tracks that go on is told of by then."""
        return any(track.from_ns <= time_ns and not track.is_over(time_ns) for track in self.tracks)

    def coarse_at(self, time_ns: int) -> list[CoarseTrack]:
        """The last coarsened report of each of its tracks that go on."""
        of_each = [t.coarse_at(time_ns) for t in self.tracks if t.coarse and not t.is_over(time_ns)]
        return [c for c in of_each if c is not None]

    def originators_at(self, time_ns: int) -> tuple[str, ...]:
        """Whose tracks go on."""
        if not any(track.ended_ns for track in self.tracks):
            return self.originators
        return tuple(sorted({t.key[0] for t in self.tracks if not t.is_over(time_ns)}))


class JointPicture:
    """The fold: `take` reports, ask what the picture is `at` a time."""

    def __init__(self, bank: NDArray[np.float64] = FLIGHT) -> None:
        self._rows = Rows(bank, SURE)
        self._tracks: dict[TrackKey, _Track] = {}
        self._objects: dict[Members, Stream] = {}
        self._with: dict[TrackKey, set[Members]] = {}
        self._epochs: list[tuple[int, tuple[Members, ...]]] = []  # and the objects of two tracks or more
        self._moved: dict[TrackKey, _Track] = {}  # those told of since the picture was asked for
        self._parts: list[_Part] = []
        self._kept: tuple[Members, ...] = ()
        self._asked_ns = -(2**63)
        self._parts_are: tuple[tuple[Members, ...], int] | None = (
            None  # of which objects, and how many tracks
        )
        self._dirty_ns = 2**63 - 1
        self._newest_ns = self._swept_ns = BEFORE_ALL_NS
        self._final_ns = BEFORE_ALL_NS  # what was decided up to then is never decided again
        self.repeated = 0
        """Tracklets that were here already."""
        self.too_late = 0
        """Tracklets, and ends, from before the horizon."""

    # ------------------------------------------------------------------ what comes in

    def take(self, report: TrackletReport | TrackReport) -> None:
        """Take a report; the same one again changes nothing."""
        originator = report.header.originator
        if isinstance(report, TrackReport):
            for coarse in report.tracks:
                self._take_coarse(originator, CoarseTrack(coarse))
            return
        for begun in report.begun:
            self._take_begun(originator, begun)
        for tracklet, value in zip(report.tracklets, values_of(report.tracklets), strict=True):
            if self._is_too_late(tracklet.time_ns):
                continue
            track = self._track((originator, tracklet.number))
            if self._insert(track, key_of(originator, tracklet), value):
                self._touch(max(tracklet.time_ns, track.from_ns))
                self._newest_ns = max(self._newest_ns, tracklet.time_ns)
            else:
                self.repeated += 1
        for ended in report.ended:
            if self._is_too_late(ended.time_ns):
                continue
            if self._track((originator, ended.number)).end(ended.time_ns):
                self._touch(ended.time_ns)

    def _is_too_late(self, time_ns: int) -> bool:
        """Whether something is from before the horizon; it is counted."""
        late = time_ns < self._newest_ns - HORIZON_NS
        self.too_late += late
        return late

    def _take_begun(self, originator: str, begun: TrackBegun) -> None:
        """A track may have begun before the horizon, and is told of no less."""
        track = self._track((originator, begun.number))
        # of two words on one track's beginning the same one counts, whichever came first
        if track.begun is not None:
            if _order_of(track.begun) <= _order_of(begun) or not self._remove(track, _key_of_begun(track)):
                return
        track.begun = begun
        self._parts_are = None
        self._insert(track, _key_of_begun(track), sure_of(begun.log_odds))
        self._touch(track.since_ns)

    def _take_coarse(self, originator: str, coarse: CoarseTrack) -> None:
        time_ns = coarse.track.header.measured_ns
        if self._is_too_late(time_ns):
            return
        track = self._track((originator, coarse.track.number))
        if coarse.track.ended:
            if track.end(time_ns):
                self._touch(time_ns)
            return
        entry = time_ns, coarse.track.header.sequence, coarse
        for kept in [kept for kept in track.coarse if kept[:2] == entry[:2]]:
            # of two reports of one number the same one counts, whichever came first
            if msgpack.encode(kept[2].track) <= msgpack.encode(coarse.track):
                self.repeated += 1
                return
            track.coarse.remove(kept)
        insort(track.coarse, entry, key=lambda c: c[:2])
        track.forget_from(time_ns)
        self._touch(time_ns)
        self._newest_ns = max(self._newest_ns, time_ns)

    def _track(self, key: TrackKey) -> _Track:
        if key not in self._tracks:
            self._tracks[key] = _Track(key, self._rows)
        return self._tracks[key]

    def _insert(self, track: _Track, key: Key, value: NDArray[np.float64]) -> bool:
        if not track.stream.insert(key, value):
            return False
        for members in self._with.get(track.key, ()):
            self._objects[members].insert(key, value)
        track.forget_from(key[0])
        self._moved[track.key] = track
        return True

    def _remove(self, track: _Track, key: Key) -> bool:
        if not track.stream.remove(key):
            return False
        for members in self._with.get(track.key, ()):
            self._objects[members].remove(key)
        track.forget_from(key[0])
        self._moved[track.key] = track
        self._touch(max(key[0], track.first_look_ns))
        return True

    def _touch(self, time_ns: int) -> None:
        self._dirty_ns = min(self._dirty_ns, time_ns)

    # ------------------------------------------------------------------ who is who

    def _objects_at(self, time_ns: int) -> tuple[Members, ...]:
        """The objects of two tracks or more at a time, as decided at the last epoch settled by then."""
        last = (time_ns - SETTLED_NS) // EPOCH_NS * EPOCH_NS
        while self._epochs and self._epochs[-1][0] >= max(self._dirty_ns, self._final_ns + 1):
            self._epochs.pop()
        self._dirty_ns = 2**63 - 1
        if not self._tracks:
            return ()
        if not self._epochs:
            first = min((t.since_ns for t in self._tracks.values()), default=last)
            first = min([last, first, *(t.coarse[0][0] for t in self._tracks.values() if t.coarse)])
            first = max(first, last - HORIZON_NS)
            self._epochs.append((first // EPOCH_NS * EPOCH_NS - EPOCH_NS, ()))
        while self._epochs[-1][0] < last:
            now = self._epochs[-1][0] + EPOCH_NS
            self._epochs.append((now, self._decide(now, self._epochs[-1][1])))
        at = bisect_right(self._epochs, last, key=lambda e: e[0])
        return self._epochs[at - 1][1] if at else ()

    def _decide(self, time_ns: int, before: tuple[Members, ...]) -> tuple[Members, ...]:
        """Which tracks are one object, from what was told up to a time and what was decided before."""
        live = self._moments_at(time_ns)
        by: dict[str, list[TrackKey]] = {}
        for key in sorted(live):
            by.setdefault(key[0], []).append(key)
        if len(by) < 2:
            units = [[key] for keys in by.values() for key in keys]
        else:
            units = self._units(by, live, before)
        unit_of = {key: unit for unit in units for key in unit}
        # those that ended stay part of what their object became, for the names by which people know it
        for members in before:
            still = [key for key in members if key in live]
            if still:
                unit_of[still[0]].extend(key for key in members if key not in live)
        return tuple(sorted(tuple(sorted(unit)) for unit in units if len(unit) > 1))

    def _units(
        self, by: dict[str, list[TrackKey]], live: dict[TrackKey, _Moment], before: tuple[Members, ...]
    ) -> list[list[TrackKey]]:
        """Live tracks by object, originators joined one after another in order of their names."""
        was = {key: n for n, members in enumerate(before) for key in members}
        units: list[list[TrackKey]] = []
        for keys in by.values():
            known = {was[key]: i for i, unit in enumerate(units) for key in unit if key in was}
            pairs = {(known[was[key]], j) for j, key in enumerate(keys) if key in was and was[key] in known}
            ours, theirs = _cloud([live[unit[0]] for unit in units]), _cloud([live[key] for key in keys])
            paired = dict((j, i) for i, j in pair_up(ours, theirs, pairs).pairs) if units else {}
            fresh = []
            for j, key in enumerate(keys):
                if j in paired:
                    units[paired[j]].append(key)
                else:
                    fresh.append([key])
            units += fresh
        return units

    def _moments_at(self, time_ns: int) -> dict[TrackKey, _Moment]:
        """What each track is at an epoch that is a part of the picture then."""
        out: dict[TrackKey, _Moment] = {}
        asked = []
        for key, track in self._tracks.items():
            if track.is_over(time_ns):
                continue
            if time_ns in track.moments:
                moment = track.moments[time_ns]
                if moment is not None:
                    out[key] = moment
            else:
                asked.append(track)
        for track, moment in zip(asked, self._make_moments(asked, time_ns), strict=True):
            track.remember(time_ns, moment)
            if moment is not None:
                out[track.key] = moment
        return out

    def _make_moments(self, tracks: list[_Track], time_ns: int) -> list[_Moment | None]:
        advance([track.stream for track in tracks], time_ns)
        told = [t for t in tracks if t.from_ns <= time_ns and is_begun(self._rows.table[t.stream.row])]
        rows = np.array([t.stream.row for t in told], np.int64)
        states, covs, phases, _, _ = states_at(self._rows.table, rows, self._rows.bank, time_ns)
        likeliest = phases.argmax(axis=1).tolist() if told else []
        share = phases.max(axis=1).tolist() if told else []
        seen = self._rows.table["seen_ns"][rows].tolist()
        possible = _can_be(states, covs)
        known = iter(zip(told, states, covs, likeliest, seen, share, possible, strict=True))
        out: list[_Moment | None] = []
        following = next(known, None)
        for track in tracks:
            if following is not None and following[0] is track:
                moment, can_be = _Moment(*following[1:-1]), following[-1]
                following = next(known, None)
                if not can_be:
                    out.append(None)
                    continue
            else:
                coarse = track.coarse_at(time_ns)
                if coarse is None:
                    out.append(None)
                    continue
                share_of = coarse.track.phases[coarse.phase]
                moment = _Moment(*coarse.at(time_ns), coarse.phase, coarse.track.header.measured_ns, share_of)
            out.append(None if _is_stale(moment.phase, moment.seen_ns, time_ns) else moment)
        return out

    # ------------------------------------------------------------------ what is asked

    def at(self, time_ns: int) -> list[JointTrack]:
        """The objects at a time (ns), by number."""
        # what tracks are now is what the decision of this epoch is taken from, later
        epoch_ns = time_ns // EPOCH_NS * EPOCH_NS
        if epoch_ns != self._asked_ns:
            self._asked_ns = epoch_ns
            self._moments_at(epoch_ns)
        advance([track.stream for track in self._moved.values()], time_ns)
        self._moved.clear()
        together = self._objects_at(time_ns)
        self._keep_objects(together)
        out = self._joint_tracks(self._parts_of(together), time_ns)
        self._sweep(time_ns)
        return sorted(out, key=_number_of)

    def by_itself(self, originator: str, time_ns: int) -> list[JointTrack]:
        """What an originator alone tells of each object that others tell of as well, in no order.

        For the time that the picture was last asked for: the same objects.
        """
        mine = [
            _Part((track.key,), [track], track.stream)
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
        states, covs, phases, odds, thrust = states_at(self._rows.table, rows, self._rows.bank, time_ns)
        life, hits, seen = (self._rows.table[name][rows].tolist() for name in ("life", "hits", "seen_ns"))
        out = []
        of_each = zip(
            current,
            states,
            covs,
            phases.tolist(),
            odds.tolist(),
            thrust.tolist(),
            life,
            hits,
            seen,
            _can_be(states, covs),
            strict=True,
        )
        for part, state, cov, phase, log_odds, thrust_ms2, lives, hit, seen_ns, can_be in of_each:
            exact = None
            if lives != FREE and can_be and part.is_begun(time_ns):
                exact = _Exact(state, cov, phase, log_odds, thrust_ms2, hit, seen_ns)
            track = self._joint_track(part, exact, time_ns)
            if track is not None:
                out.append(track)
        return out

    def views(self, time_ns: int) -> list[list[View]]:
        """What each originator tells of each object that several have, at the last decision by a time."""
        out = []
        last = (time_ns - SETTLED_NS) // EPOCH_NS * EPOCH_NS
        for members in self._objects_at(time_ns):
            live = [
                self._view(track, moment, last)
                for track in map(self._tracks.__getitem__, members)
                if not track.is_over(last) and (moment := track.moments.get(last)) is not None
            ]
            if len(live) > 1:
                out.append(live)
        return out

    def _view(self, track: _Track, moment: _Moment, time_ns: int) -> View:
        seen, missed, evidence = track.stream.looks(time_ns - VIEW_NS, time_ns)
        coarse = track.coarse_at(time_ns)
        if coarse is not None and not seen + missed:
            seen, evidence = coarse.track.hits, coarse.log_odds
        return View(
            *track.key, moment.state, moment.covariance, moment.phase, moment.phase_share, moment.seen_ns,
            seen, missed, evidence,
        )  # fmt: skip

    def _parts_of(self, together: tuple[Members, ...]) -> list[_Part]:
        """The objects of these tracks, and every other track by itself."""
        known = self._parts_are
        if known is None or known[0] is not together or known[1] != len(self._tracks):
            self._parts_are = together, len(self._tracks)
            grouped = {key for members in together for key in members}
            alone = ((key,) for key in self._tracks if key not in grouped)
            self._parts = [
                _Part(members, [self._tracks[key] for key in members], self._stream_of(members))
                for members in (*together, *alone)
            ]
        return self._parts

    def _joint_track(self, part: _Part, exact: _Exact | None, time_ns: int) -> JointTrack | None:
        coarse = part.coarse_at(time_ns)
        fresh = [c for c in coarse if not _is_stale(c.phase, c.track.header.measured_ns, time_ns)]
        if exact is not None and _is_stale(_likeliest(exact.phases), exact.seen_ns, time_ns):
            exact = None
        if exact is None and not fresh:
            return None
        fused = _fuse(exact, fresh, time_ns) if fresh or exact is None else exact
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

    def _stream_of(self, members: Members) -> Stream:
        return self._objects[members] if len(members) > 1 else self._tracks[members[0]].stream

    def _keep_objects(self, together: tuple[Members, ...]) -> None:
        """Have a stream for each object of several tracks, and for no other."""
        if together is self._kept:
            return
        self._kept = together
        wanted = set(together)
        for members in [m for m in self._objects if m not in wanted]:
            self._objects.pop(members).close()
            for key in members:
                self._with[key].discard(members)
        for members in wanted - set(self._objects):
            stream = Stream(self._rows)
            base = _oldest([self._tracks[key].stream.base for key in members])
            stream.begin_with(base)
            begun_ns = BEFORE_ALL_NS if base is None else int(base["time_ns"][0])
            for key in members:
                mine = self._tracks[key].stream
                for place, value in zip(mine.keys, mine.values, strict=True):
                    # what is older than the row to begin with cannot be taken in its place any more
                    if place[0] >= begun_ns:
                        stream.insert(place, value)
                self._with.setdefault(key, set()).add(members)
            self._objects[members] = stream

    def _sweep(self, time_ns: int) -> None:
        """Now and then forget what is beyond the horizon."""
        if time_ns - self._swept_ns < HORIZON_S * 1e9 / 20:
            return
        self._swept_ns = time_ns
        before_ns = self._newest_ns - HORIZON_NS
        for stream in (*self._objects.values(), *(t.stream for t in self._tracks.values())):
            stream.forget(before_ns)
        # the last decision before the horizon stands for all before it
        while len(self._epochs) > 1 and self._epochs[1][0] <= before_ns:
            self._epochs.pop(0)
            self._final_ns = self._epochs[0][0]
        named = {key for members in {m for _, objects in self._epochs for m in objects} for key in members}
        gone = [key for key, t in self._tracks.items() if t.last_ns() < before_ns and key not in named]
        for key in gone:
            if not self._with.get(key):
                self._tracks.pop(key).stream.close()
                self._with.pop(key, None)
                self._parts_are = None
        for track in self._tracks.values():
            track.moments = {t: moment for t, moment in track.moments.items() if t >= self._epochs[0][0]}
            while len(track.coarse) > 1 and track.coarse[1][0] < before_ns:
                track.coarse.pop(0)


class _Exact(Struct, frozen=True):
    """What an object is by tracklets, at a time."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: Sequence[float]
    log_odds: float
    thrust_ms2: float
    hits: int
    seen_ns: int


def _fuse(exact: _Exact | None, coarse: list[CoarseTrack], time_ns: int) -> _Exact:
    """One estimate of what tracklets and coarsened tracks say, of which it is not known what they share.

    In what phase it is and whether it exists, tracklets say where there are any; else whoever looked last,
    once he knows it well.
    """
    others = sorted(coarse, key=lambda c: c.track.number)
    if exact is None:
        most = min(MATURE_HITS, max(c.track.hits for c in others))
        mature = [c for c in others if c.track.hits >= most]
        latest = max(mature, key=lambda c: c.track.header.measured_ns)
        others = [c for c in others if c is not latest]
        exact = _exact_of(latest, time_ns)
    state, covariance, hits, seen_ns = exact.state, exact.covariance, exact.hits, exact.seen_ns
    for one in (_exact_of(c, time_ns) for c in others):
        hits, seen_ns = hits + one.hits, max(seen_ns, one.seen_ns)
        if _likeliest(one.phases) == _likeliest(exact.phases):
            mean, cov = np.empty(7), np.empty((7, 7))
            intersect(state, covariance, one.state, one.covariance, mean, cov)
            state, covariance = mean, cov
    return replace(exact, state=state, covariance=covariance, hits=hits, seen_ns=seen_ns)


def _exact_of(coarse: CoarseTrack, time_ns: int) -> _Exact:
    state, covariance = coarse.at(time_ns)
    track = coarse.track
    return _Exact(
        state, covariance, track.phases, coarse.log_odds, track.thrust_ms2, track.hits,
        track.header.measured_ns,
    )  # fmt: skip


def _cloud(moments: list[_Moment]) -> Cloud:
    return Cloud(
        np.array([m.state for m in moments]).reshape(-1, 7),
        np.array([m.covariance for m in moments]).reshape(-1, 7, 7),
        np.array([m.phase for m in moments], np.int64),
    )


def _can_be(states: NDArray[np.float64], covariances: NDArray[np.float64]) -> list[bool]:
    """Which states (n, 7) with covariances (n, 7, 7) an object can have: what a partner makes up can take a
    filter anywhere, or out of numbers."""
    if not len(states):
        return []
    radius2 = np.einsum("ni,ni->n", states[:, :3], states[:, :3])
    speed2 = np.einsum("ni,ni->n", states[:, 3:6], states[:, 3:6])
    vague2 = np.einsum("nii->ni", covariances).max(axis=1)
    # a comparison with what is not a number is false
    good = (radius2 > LEAST_RADIUS_M**2) & (radius2 < GREATEST_RADIUS_M**2) & (speed2 < FASTEST_MS**2)
    good &= (vague2 < GREATEST_RADIUS_M**2) & np.isfinite(states[:, 6])
    good &= np.isfinite(covariances).all(axis=(1, 2))
    out: list[bool] = good.tolist()
    return out


def _is_stale(phase: int, seen_ns: int, time_ns: int) -> bool:
    return (time_ns - seen_ns) * 1e-9 > (CRUISE_STALE_S if phase == CRUISE else STALE_S)


def _oldest(bases: list[NDArray[np.void] | None]) -> NDArray[np.void] | None:
    """Of the rows that stand for what was forgotten the oldest, after which most is known still."""
    known = [b for b in bases if b is not None and is_begun(b[0])]
    return min(known, key=lambda b: int(b["time_ns"][0]), default=None)


def _key_of_begun(track: _Track) -> Key:
    """The place of a track's beginning among what is told of it."""
    assert track.begun is not None
    originator, number = track.key
    return track.begun.first_ns, f"{BEGUN}{originator} {number}", 0, originator, number


def _likeliest(phases: Sequence[float]) -> int:
    """Index of the greatest, the first of equal ones."""
    return max(range(len(phases)), key=phases.__getitem__)


def _number_of(track: JointTrack) -> str:
    return track.number


def _order_of(begun: TrackBegun) -> tuple[int, float, str]:
    return begun.first_ns, begun.log_odds, begun.parent


def _by_name(key: TrackKey) -> tuple[str, int, str]:
    """Order of names: by issuer, then by number."""
    return key[0], len(key[1]), key[1]
