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
from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.joint.admission import FASTEST_MS, GREATEST_RADIUS_M, LEAST_RADIUS_M
from jointwatch.joint.association import Cloud, pair_up
from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.filter import states_at
from jointwatch.joint.fusion import intersect
from jointwatch.joint.streams import Rows, Stream, key_of, sure_of, value_of
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
MATURE_HITS = 12
"""Looks after which a track's phase is believed against that of a partner's older track."""
HORIZON_S = 900.0
"""What is older can no longer be told apart from what was known before; longer than any cut is bridged."""
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

    def coarse_at(self, time_ns: int) -> CoarseTrack | None:
        """The last coarsened report up to a time."""
        at = bisect_right(self.coarse, time_ns, key=lambda c: c[0])
        return self.coarse[at - 1][2] if at else None

    def is_over(self, time_ns: int) -> bool:
        """Whether it has ended by a time, and nothing was told of it since."""
        ended = bisect_right(self.ended_ns, time_ns)
        if not ended:
            return False
        coarse = self.coarse_at(time_ns)
        told_ns = self.stream.newest_ns(time_ns)
        if coarse is not None:
            told_ns = max(told_ns, coarse.track.header.measured_ns)
        return self.ended_ns[ended - 1] >= told_ns

    def end(self, time_ns: int) -> bool:
        """Note that it ended; False if that was known."""
        if time_ns in self.ended_ns:
            return False
        insort(self.ended_ns, time_ns)
        return True


class _Moment(Struct, frozen=True):
    """What a track was at an epoch: state (7,), covariance (7, 7), likeliest phase, last look at it (ns)."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phase: int
    seen_ns: int


class JointPicture:
    """The fold: `take` reports, ask what the picture is `at` a time."""

    def __init__(self, bank: NDArray[np.float64] = FLIGHT) -> None:
        self._rows = Rows(bank, SURE)
        self._tracks: dict[TrackKey, _Track] = {}
        self._objects: dict[Members, Stream] = {}
        self._with: dict[TrackKey, set[Members]] = {}
        self._epochs: list[tuple[int, tuple[Members, ...]]] = []  # and the objects of two tracks or more
        self._dirty_ns = 2**63 - 1
        self._newest_ns = self._swept_ns = -(2**63)
        self.repeated = 0
        """Tracklets that were here already."""
        self.too_late = 0
        """Tracklets from before the horizon."""

    # ------------------------------------------------------------------ what comes in

    def take(self, report: TrackletReport | TrackReport) -> None:
        """Take a report; the same one again changes nothing."""
        originator = report.header.originator
        if isinstance(report, TrackReport):
            for coarse in report.tracks:
                self._take_coarse(originator, CoarseTrack(coarse))
            return
        for begun in report.begun:
            track = self._track((originator, begun.number))
            # of two words on one track's beginning the same one counts, whichever came first
            if track.begun is None or _order_of(begun) < _order_of(track.begun):
                track.begun = begun
            key = begun.first_ns, f"begun {originator} {begun.number}", 0, originator, begun.number
            if self._insert(track, key, sure_of(begun.log_odds)):
                self._touch(begun.first_ns)
        for tracklet in report.tracklets:
            if tracklet.time_ns < self._newest_ns - HORIZON_S * 1e9:
                self.too_late += 1
                continue
            track = self._track((originator, tracklet.number))
            if self._insert(track, key_of(originator, tracklet), value_of(tracklet)):
                self._touch(tracklet.time_ns)
                self._newest_ns = max(self._newest_ns, tracklet.time_ns)
            else:
                self.repeated += 1
        for ended in report.ended:
            if self._track((originator, ended.number)).end(ended.time_ns):
                self._touch(ended.time_ns)

    def _take_coarse(self, originator: str, coarse: CoarseTrack) -> None:
        track = self._track((originator, coarse.track.number))
        time_ns = coarse.track.header.measured_ns
        if coarse.track.ended:
            if track.end(time_ns):
                self._touch(time_ns)
            return
        entry = time_ns, coarse.track.header.sequence, coarse
        for kept in track.coarse:
            if kept[:2] == entry[:2]:
                self.repeated += 1
                return
        insort(track.coarse, entry, key=lambda c: c[:2])
        self._forget_moments(track, time_ns)
        self._touch(time_ns)
        self._newest_ns = max(self._newest_ns, time_ns)

    def _track(self, key: TrackKey) -> _Track:
        if key not in self._tracks:
            self._tracks[key] = _Track(key, self._rows)
        return self._tracks[key]

    def _insert(self, track: _Track, key: tuple[int, str, int, str, str], value: NDArray[np.float64]) -> bool:
        if not track.stream.insert(key, value):
            return False
        for members in self._with.get(track.key, ()):
            self._objects[members].insert(key, value)
        self._forget_moments(track, key[0])
        return True

    def _forget_moments(self, track: _Track, time_ns: int) -> None:
        if track.moments:
            track.moments = {t: moment for t, moment in track.moments.items() if t < time_ns}

    def _touch(self, time_ns: int) -> None:
        self._dirty_ns = min(self._dirty_ns, time_ns)

    # ------------------------------------------------------------------ who is who

    def _objects_at(self, time_ns: int) -> tuple[Members, ...]:
        """The objects of two tracks or more at a time, as decided at the last epoch settled by then."""
        last = (time_ns - SETTLED_NS) // EPOCH_NS * EPOCH_NS
        while self._epochs and self._epochs[-1][0] >= self._dirty_ns:
            self._epochs.pop()
        self._dirty_ns = 2**63 - 1
        if not self._tracks:
            return ()
        if not self._epochs:
            first = min(
                (t.begun.first_ns for t in self._tracks.values() if t.begun is not None), default=last
            )
            first = min([first, *(t.coarse[0][0] for t in self._tracks.values() if t.coarse)])
            first = max(first, last - round(HORIZON_S * 1e9))
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
            track.moments[time_ns] = moment
            if moment is not None:
                out[track.key] = moment
        return out

    def _make_moments(self, tracks: list[_Track], time_ns: int) -> list[_Moment | None]:
        for track in tracks:
            track.stream.advance(time_ns)
        told = [t for t in tracks if self._is_told(t, t.stream)]
        states, covs, phases, _, _ = states_at(
            self._rows.table, np.array([t.stream.row for t in told], np.int64), self._rows.bank, time_ns
        )
        at = {t.key: n for n, t in enumerate(told)}
        out: list[_Moment | None] = []
        for track in tracks:
            coarse = track.coarse_at(time_ns)
            if track.key in at:
                n = at[track.key]
                seen_ns = int(self._rows.table["seen_ns"][track.stream.row])
                moment = _Moment(states[n], covs[n], int(np.argmax(phases[n])), seen_ns)
                if not _can_be(states[n], covs[n]):
                    out.append(None)
                    continue
            elif coarse is not None:
                moment = _Moment(*coarse.at(time_ns), coarse.phase, coarse.track.header.measured_ns)
            else:
                out.append(None)
                continue
            out.append(None if _is_stale(moment.phase, moment.seen_ns, time_ns) else moment)
        return out

    def _is_told(self, track: _Track, stream: Stream) -> bool:
        """Whether it is known where a track with a beginning is."""
        return track.begun is not None and bool(self._rows.table["life"][stream.row] != FREE)

    # ------------------------------------------------------------------ what is asked

    def at(self, time_ns: int) -> list[JointTrack]:
        """The objects at a time (ns), by number."""
        # what tracks are now is what the decision of this epoch is taken from, later
        self._moments_at(time_ns // EPOCH_NS * EPOCH_NS)
        together = self._objects_at(time_ns)
        self._keep_objects(together)
        grouped = {key for members in together for key in members}
        parts = [*together, *((key,) for key in self._tracks if key not in grouped)]
        current = [
            (members, [t for key in members if not (t := self._tracks[key]).is_over(time_ns)])
            for members in parts
        ]
        current = [(members, live) for members, live in current if live]
        streams = [self._stream_of(members) for members, _ in current]
        for stream in streams:
            stream.advance(time_ns)
        rows = np.array([stream.row for stream in streams], np.int64)
        states, covs, phases, odds, thrust = states_at(self._rows.table, rows, self._rows.bank, time_ns)
        life, hits, seen = (self._rows.table[name][rows] for name in ("life", "hits", "seen_ns"))
        out = []
        for n, (members, live) in enumerate(current):
            exact = None
            told = any(t.begun is not None for t in live) and life[n] != FREE
            if told and _can_be(states[n], covs[n]):
                exact = _Exact(
                    states[n], covs[n], phases[n], float(odds[n]), float(thrust[n]), int(hits[n]),
                    int(seen[n]),
                )  # fmt: skip
            track = self._joint_track(members, live, exact, time_ns)
            if track is not None:
                out.append(track)
        self._sweep(time_ns)
        return sorted(out, key=lambda t: t.number)

    def _joint_track(
        self, members: Members, live: list[_Track], exact: _Exact | None, time_ns: int
    ) -> JointTrack | None:
        coarse = [c for t in live if (c := t.coarse_at(time_ns)) is not None]
        coarse = [c for c in coarse if not _is_stale(c.phase, c.track.header.measured_ns, time_ns)]
        if exact is not None and _is_stale(int(np.argmax(exact.phases)), exact.seen_ns, time_ns):
            exact = None
        if exact is None and not coarse:
            return None
        known = [self._tracks[key] for key in members]
        begun = [t.begun for t in known if t.begun is not None]
        numbers = [key[1] for key in sorted(members, key=_by_name)]
        fused = _fuse(exact, coarse, time_ns)
        return JointTrack(
            number=numbers[0],
            aliases=tuple(numbers),
            time_ns=time_ns,
            state=fused.state,
            covariance=fused.covariance,
            phases=(float(fused.phases[0]), float(fused.phases[1]), float(fused.phases[2])),
            existence=1.0 / (1.0 + float(np.exp(-fused.log_odds))),
            hits=fused.hits,
            first_ns=min([b.first_ns for b in begun] + [c.track.first_ns for c in coarse]),
            seen_ns=fused.seen_ns,
            thrust_ms2=fused.thrust_ms2,
            parent=max([b.parent for b in begun] + [c.track.parent for c in coarse]),
            originators=tuple(sorted({t.key[0] for t in live})),
        )

    def _stream_of(self, members: Members) -> Stream:
        return self._objects[members] if len(members) > 1 else self._tracks[members[0]].stream

    def _keep_objects(self, together: Iterable[Members]) -> None:
        """Have a stream for each object of several tracks, and for no other."""
        wanted = set(together)
        for members in [m for m in self._objects if m not in wanted]:
            self._objects.pop(members).close()
            for key in members:
                self._with[key].discard(members)
        for members in wanted - set(self._objects):
            stream = Stream(self._rows)
            bases = [b for key in members if (b := self._tracks[key].stream.base) is not None]
            stream.begin_with(bases[0] if bases else None)
            for key in members:
                mine = self._tracks[key].stream
                for place, value in zip(mine.keys, mine.values, strict=True):
                    stream.insert(place, value)
                self._with.setdefault(key, set()).add(members)
            self._objects[members] = stream

    def _sweep(self, time_ns: int) -> None:
        """Now and then forget what is beyond the horizon."""
        if time_ns - self._swept_ns < HORIZON_S * 1e9 / 20:
            return
        self._swept_ns = time_ns
        before_ns = self._newest_ns - round(HORIZON_S * 1e9)
        for stream in (*self._objects.values(), *(t.stream for t in self._tracks.values())):
            stream.forget(before_ns)
        while len(self._epochs) > 1 and self._epochs[0][0] < before_ns:
            self._epochs.pop(0)
        gone = [k for k, t in self._tracks.items() if t.is_over(before_ns) and t.is_over(self._newest_ns)]
        for key in gone:
            if not self._with.get(key):
                self._tracks.pop(key).stream.close()
                self._with.pop(key, None)
        for track in self._tracks.values():
            track.moments = {t: moment for t, moment in track.moments.items() if t >= self._epochs[0][0]}
            while len(track.coarse) > 1 and track.coarse[1][0] < before_ns:
                track.coarse.pop(0)


class _Exact(Struct, frozen=True):
    """What an object is by tracklets, at a time."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: NDArray[np.float64]
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
        if np.argmax(one.phases) == np.argmax(exact.phases):
            mean, cov = np.empty(7), np.empty((7, 7))
            intersect(state, covariance, one.state, one.covariance, mean, cov)
            state, covariance = mean, cov
    return replace(exact, state=state, covariance=covariance, hits=hits, seen_ns=seen_ns)


def _exact_of(coarse: CoarseTrack, time_ns: int) -> _Exact:
    state, covariance = coarse.at(time_ns)
    track = coarse.track
    return _Exact(
        state, covariance, np.array(track.phases), coarse.log_odds, track.thrust_ms2, track.hits,
        track.header.measured_ns,
    )  # fmt: skip


def _cloud(moments: list[_Moment]) -> Cloud:
    return Cloud(
        np.array([m.state for m in moments]).reshape(-1, 7),
        np.array([m.covariance for m in moments]).reshape(-1, 7, 7),
        np.array([m.phase for m in moments], np.int64),
    )


def _can_be(state: NDArray[np.float64], covariance: NDArray[np.float64]) -> bool:
    """Whether an object can be there: what a partner makes up can take a filter anywhere, or out of numbers."""
    if not (np.isfinite(state).all() and np.isfinite(covariance).all()):
        return False
    return bool(
        LEAST_RADIUS_M < np.linalg.norm(state[:3]) < GREATEST_RADIUS_M
        and np.linalg.norm(state[3:6]) < FASTEST_MS
        and np.diagonal(covariance).max() < GREATEST_RADIUS_M**2
    )


def _is_stale(phase: int, seen_ns: int, time_ns: int) -> bool:
    return (time_ns - seen_ns) * 1e-9 > (CRUISE_STALE_S if phase == CRUISE else STALE_S)


def _order_of(begun: TrackBegun) -> tuple[int, float, str]:
    return begun.first_ns, begun.log_odds, begun.parent


def _by_name(key: TrackKey) -> tuple[str, int, str]:
    """Order of names: by issuer, then by number."""
    return key[0], len(key[1]), key[1]
