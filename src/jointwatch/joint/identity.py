"""Who is who: which tracks are one object, decided once a second and undone by what comes late.

In: what originators told of their tracks (`joint.told`), and a time; out: the objects of several tracks
then, and since when each is one.  A decision is taken from what was measured up to its epoch and from the
decision before: so it is a function of what was told, in whatever order, and a pair once made is not given
up by chance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np

from jointwatch.joint.association import Cloud, pair_up
from jointwatch.joint.streams import Rows, advance, is_begun
from jointwatch.joint.told import BEFORE_ALL_NS, Moment, ToldTrack, TrackKey, can_be, is_stale
from jointwatch.motion.phases import BALLISTIC

Members = tuple[TrackKey, ...]
"""The tracks of one object, in order of their names."""
Objects = tuple[tuple[Members, int], ...]
"""Objects of two tracks or more, each with the epoch (ns) since which it has these."""

EPOCH_NS = 1_000_000_000
"""Which tracks are one object is decided so often..."""
SETTLED_NS = 500_000_000
"""...and holds from so long after: what a link carries sooner than that undoes no decision."""
HORIZON_S = 900.0
"""What is older can no longer be told apart from what was known before; longer than any cut is bridged."""
HORIZON_NS = round(HORIZON_S * 1e9)


class Identity:
    """The decisions of one picture."""

    def __init__(self, tracks: Mapping[TrackKey, ToldTrack], rows: Rows) -> None:
        """tracks: those of the picture, as it has them; rows: where their states are."""
        self._tracks, self._rows = tracks, rows
        self._epochs: list[tuple[int, Objects]] = []
        self._dirty_ns = 2**63 - 1
        self._final_ns = BEFORE_ALL_NS  # what was decided up to then is never decided again

    def touch(self, time_ns: int) -> None:
        """Something came that is of this time: what was decided from then on is to be decided anew."""
        self._dirty_ns = min(self._dirty_ns, time_ns)

    def look_ahead(self, epoch_ns: int) -> None:
        """Work out what tracks are at an epoch before they move on: its decision is taken later."""
        self._moments_at(epoch_ns)

    def last(self, time_ns: int) -> int:
        """The epoch whose decision holds at a time."""
        return (time_ns - SETTLED_NS) // EPOCH_NS * EPOCH_NS

    def forget(self, before_ns: int) -> tuple[int, set[TrackKey]]:
        """Let the last decision before a time stand for all before it; the first kept, and tracks named."""
        while len(self._epochs) > 1 and self._epochs[1][0] <= before_ns:
            self._epochs.pop(0)
            self._final_ns = self._epochs[0][0]
        named = {key for objects in {o for _, o in self._epochs} for members, _ in objects for key in members}
        return (self._epochs[0][0] if self._epochs else BEFORE_ALL_NS), named

    def objects_at(self, time_ns: int) -> Objects:
        """The objects of two tracks or more at a time, as decided at the last epoch settled by then."""
        last = self.last(time_ns)
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
            before = self._epochs[-1][1]
            decided = self._decide(now, before)
            # the same one where nothing changed: what hangs on it is kept
            self._epochs.append((now, before if decided == before else decided))
        at = bisect_right(self._epochs, last, key=lambda e: e[0])
        return self._epochs[at - 1][1] if at else ()

    def _decide(self, time_ns: int, before: Objects) -> Objects:
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
        for members, _ in before:
            still = [key for key in members if key in live]
            if still:
                unit_of[still[0]].extend(key for key in members if key not in live)
        since = dict(before)
        objects = sorted(tuple(sorted(unit)) for unit in units if len(unit) > 1)
        return tuple((members, since.get(members, time_ns)) for members in objects)

    def _units(
        self, by: dict[str, list[TrackKey]], live: dict[TrackKey, Moment], before: Objects
    ) -> list[list[TrackKey]]:
        """Live tracks by object, originators joined one after another in order of their names."""
        was = {key: n for n, (members, _) in enumerate(before) for key in members}
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

    def _moments_at(self, time_ns: int) -> dict[TrackKey, Moment]:
        """What each track is at an epoch that is a part of the picture then."""
        out: dict[TrackKey, Moment] = {}
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

    def _is_fresh(self, row: int, time_ns: int) -> bool:
        """Whether a row has begun, and anything told of it lately: asked before it is moved on."""
        known = self._rows.table[row]
        return is_begun(known) and not is_stale(BALLISTIC, int(known["seen_ns"]), time_ns)

    def _make_moments(self, tracks: list[ToldTrack], time_ns: int) -> list[Moment | None]:
        advance([track.stream for track in tracks], time_ns)
        told = [t for t in tracks if t.is_exact(time_ns) and self._is_fresh(t.stream.row, time_ns)]
        rows = np.array([t.stream.row for t in told], np.int64)
        states, covs, phases, _, _ = self._rows.states_at(rows, time_ns)
        likeliest = phases.argmax(axis=1).tolist() if told else []
        share = phases.max(axis=1).tolist() if told else []
        seen = self._rows.table["seen_ns"][rows].tolist()
        possible = can_be(states, covs)
        known = iter(zip(told, states, covs, likeliest, seen, share, possible, strict=True))
        out: list[Moment | None] = []
        following = next(known, None)
        for track in tracks:
            if following is not None and following[0] is track:
                moment, is_possible = Moment(*following[1:-1]), following[-1]
                following = next(known, None)
                if not is_possible:
                    out.append(None)
                    continue
            else:
                coarse = track.coarse_at(time_ns)
                if coarse is None or is_stale(coarse.phase, coarse.track.header.measured_ns, time_ns):
                    out.append(None)
                    continue
                share_of = coarse.track.phases[coarse.phase]
                moment = Moment(*coarse.at(time_ns), coarse.phase, coarse.track.header.measured_ns, share_of)
            out.append(None if is_stale(moment.phase, moment.seen_ns, time_ns) else moment)
        return out


def _cloud(moments: list[Moment]) -> Cloud:
    return Cloud(
        np.array([m.state for m in moments]).reshape(-1, 7),
        np.array([m.covariance for m in moments]).reshape(-1, 7, 7),
        np.array([m.phase for m in moments], np.int64),
        np.array([m.seen_ns for m in moments], np.int64),
    )
