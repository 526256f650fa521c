"""Tracks on their way to partners: as tracklets where the rule leaves them exact, whole where it rounds them.

In: sector by sector, the tracklets of the node's own tracks and the tracks that were updated; out: what each
partner may be told of them now, and what is withheld.  A partner that is first told of a track gets all that
it may have of it so far; from one that may not have it any more, or has it in the other form, it is taken
back with what he has already, so that nothing else leaves.

What is measured while a track may not leave leaves later if it turns out to be something that may: the rule
looks at what is known of the object now, and at where it was then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from jointwatch.joint.coarsening import coarse_track, named_tracklet
from jointwatch.joint.releases import Content, Dropped, Piece, Withheld
from jointwatch.joint.sharing import NO_RULE, Item, SharingRule, decide, title
from jointwatch.records import Header, Track, TrackBegun, TrackEnded, Tracklet, TrackletReport

KEPT_NS = 900_000_000_000
"""Tracklets that a partner has not been given are kept for so long (and the longest delay of a rule)."""
WITHDRAWN = "no longer shared"
OTHERWISE = "shared in another form"


@dataclass(slots=True)
class _Kept:
    """A tracklet, when it was put to the rules, and where its track was then."""

    offered_ns: int
    item: Item
    tracklet: Tracklet


@dataclass(slots=True)
class _Holding:
    """What one partner has of one track, and what is kept for him.

    fresh: tracklets not decided on under what the track is now; held: those that stay where they were
    measured.  begun, sent_ns: whether he was told of it as tracklets, and up to when.  last: the track as he
    last got it whole, and queue: what he is to get, with when.  by: the rules behind what he has.
    kept_hits, kept_ns: looks that it had when it was last withheld, and when that was.
    """

    rule: SharingRule | None = None
    labels: frozenset[str] = frozenset()
    fresh: list[_Kept] = field(default_factory=list)
    held: list[_Kept] = field(default_factory=list)
    lost: int = 0
    begun: bool = False
    sent_ns: int = 0
    last: Track | None = None
    queue: list[tuple[int, Track, str]] = field(default_factory=list)
    by: str = NO_RULE
    kept_hits: int = 0
    kept_ns: int = 0


@dataclass(slots=True)
class _Own:
    """One own track: how it began, what the rules know of it, whether it is over."""

    holdings: dict[str, _Holding]
    begun: TrackBegun | None = None
    item: Item | None = None
    ended: TrackEnded | None = None
    ended_ns: int = 0


class SharedTracks:
    """What each partner has of each of the node's own tracks."""

    def __init__(self, rules: Sequence[SharingRule], others: Sequence[str]) -> None:
        self._rules = tuple(rule for rule in rules if rule.kind == "tracks")
        self._others = tuple(others)
        self._by_place = {
            to: any(not r.anywhere for r in self._rules if r.is_for("tracks", to)) for to in others
        }
        self._exact = {to: any(r.exact for r in self._rules if r.is_for("tracks", to)) for to in others}
        self._kept_ns = KEPT_NS + max((r.delay_ns for r in self._rules), default=0)
        self._own: dict[str, _Own] = {}
        self._over: dict[str, frozenset[str]] = {}
        self._delayed: dict[str, None] = {}
        self._dropped: list[Dropped] = []

    def told(self, to: str) -> set[str]:
        """Numbers of the tracks that a partner has."""
        return {number for number in self._own if self._has(number, to)}

    def labels(self, number: str) -> frozenset[str]:
        """What an own track was last known to be, in the rules' words."""
        own = self._own.get(number)
        if own is None or own.item is None:
            return self._over.get(number, frozenset())
        return own.item.labels

    def take_dropped(self) -> tuple[Dropped, ...]:
        """What was too old to be told, since this was last asked."""
        dropped, self._dropped = tuple(self._dropped), []
        return dropped

    def offer(
        self,
        now_ns: int,
        reports: Sequence[TrackletReport],
        tracks: Sequence[Track],
        items: Mapping[str, Item],
        withheld: list[Withheld],
    ) -> list[Piece]:
        """What may leave after a sector; items: what the rules know of each track that was updated.

        A track of which that was never said stays.  What is withheld is added to a list.
        """
        whole = {track.number: track for track in tracks}
        begun = {b.number: b for report in reports for b in report.begun}
        ended = {e.number: e for report in reports for e in report.ended}
        added: dict[str, list[Tracklet]] = {}
        for report in reports:
            for tracklet in report.tracklets:
                added.setdefault(tracklet.number, []).append(tracklet)
        for track in tracks:
            if track.ended and track.number not in ended:
                ended[track.number] = TrackEnded(
                    number=track.number, time_ns=track.header.measured_ns, reason="ended"
                )
        self._over.clear()
        pieces: list[Piece] = []
        # parents have lower numbers: a partner is told of them first
        for number in sorted({*whole, *begun, *ended, *added}):
            own = self._own.setdefault(number, _Own({to: _Holding() for to in self._others}))
            own.begun = begun.get(number, own.begun)
            own.item = items.get(number, own.item)
            if number in ended:
                own.ended, own.ended_ns = ended[number], now_ns
            for to in self._others:
                pieces += self._take(
                    now_ns, number, own, to, whole.get(number), added.get(number, []), withheld
                )
            self._settle(number, own)
        return pieces + self.due(now_ns)

    def due(self, now_ns: int) -> list[Piece]:
        """What was held back for a time that is over."""
        pieces: list[Piece] = []
        for number in list(self._delayed):
            own = self._own[number]
            for to in self._others:
                pieces += self._flush(now_ns, number, own, to)
            self._settle(number, own)
        return pieces

    def _take(
        self,
        now_ns: int,
        number: str,
        own: _Own,
        to: str,
        track: Track | None,
        tracklets: Sequence[Tracklet],
        withheld: list[Withheld],
    ) -> list[Piece]:
        """One partner's part of what a sector told of one track."""
        holding = own.holdings[to]
        rule = None if own.item is None else decide(self._rules, to, own.item)
        if self._exact[to] and own.item is not None:
            holding.fresh += [_Kept(now_ns, own.item, tracklet) for tracklet in tracklets]
            self._forget(now_ns, holding)
        pieces: list[Piece] = []
        if rule is None or not rule.releases:
            withheld.append(Withheld("tracks", number, to, title(rule)))
            if track is not None:
                holding.kept_hits, holding.kept_ns = track.hits, now_ns
            pieces += self._take_back(number, holding, to, WITHDRAWN)
        elif rule.exact:
            pieces += self._take_back_whole(number, holding, to)
        else:
            pieces += self._take_back_tracklets(number, holding, to, OTHERWISE)
            if track is not None and not track.ended:
                told = replace(coarse_track(track, rule), parent=self._parent(track.parent, to))
                if holding.kept_hits:
                    # neither when it was where it is kept secret, nor what saw it there
                    told = replace(
                        told,
                        hits=max(told.hits - holding.kept_hits, 1),
                        first_ns=max(told.first_ns, holding.kept_ns),
                        header=replace(told.header, provenance=()),
                    )
                holding.queue.append((now_ns + rule.delay_ns, told, rule.title))
            if own.ended is not None and (holding.queue or holding.last is not None):
                latest = holding.queue[-1][1] if holding.queue else holding.last
                assert latest is not None
                holding.queue.append((now_ns + rule.delay_ns, replace(latest, ended=True), rule.title))
        holding.rule = rule
        return pieces + self._flush(now_ns, number, own, to)

    def _flush(self, now_ns: int, number: str, own: _Own, to: str) -> list[Piece]:
        """What of a track is due for a partner now."""
        holding = own.holdings[to]
        pieces: list[Piece] = []
        rule = holding.rule
        if rule is not None and rule.exact:
            pieces += self._tracklets(now_ns, number, own, to, holding)
            over = own.ended is not None and own.ended_ns + rule.delay_ns <= now_ns
            if over and holding.begun and not holding.fresh:
                assert own.ended is not None
                pieces.append(_piece(number, to, rule.title, own.ended.time_ns, own.ended))
                holding.begun = False
        while holding.queue and holding.queue[0][0] <= now_ns:
            _, track, by = holding.queue.pop(0)
            pieces.append(_piece(number, to, by, track.header.measured_ns, track))
            holding.last, holding.by = (None if track.ended else track), by
        return pieces

    def _tracklets(self, now_ns: int, number: str, own: _Own, to: str, holding: _Holding) -> list[Piece]:
        """Tracklets that a partner may have now, told with how the track began where he does not know."""
        assert own.item is not None and holding.rule is not None
        if own.begun is None:
            return []
        if holding.held and holding.labels != own.item.labels:
            holding.fresh = sorted(holding.held + holding.fresh, key=lambda k: k.offered_ns)
            holding.held = []
        holding.labels = own.item.labels
        ready: list[tuple[_Kept, SharingRule]] = []
        fresh: list[_Kept] = []
        for kept in holding.fresh:
            rule: SharingRule | None = holding.rule
            if self._by_place[to]:
                rule = decide(self._rules, to, replace(kept.item, labels=own.item.labels))
            if rule is None or not rule.exact:
                holding.held.append(kept)
            elif kept.offered_ns + rule.delay_ns <= now_ns:
                ready.append((kept, rule))
            else:
                fresh.append(kept)
        holding.fresh = fresh
        if not ready:
            return []
        pieces = []
        if not holding.begun:
            first_ns = ready[0][0].tracklet.time_ns
            begun = replace(own.begun, parent=self._parent(own.begun.parent, to))
            if holding.lost or holding.held:
                # its first plots stay, and with them when they were
                begun = replace(
                    begun,
                    first_ns=max(begun.first_ns, first_ns),
                    told_ns=max(begun.told_ns, first_ns),
                    log_odds=0.0,
                )
            if holding.lost:
                self._dropped.append(Dropped(number, to, holding.lost))
            pieces.append(_piece(number, to, ready[0][1].title, first_ns, begun))
            holding.begun, holding.lost = True, 0
        for kept, rule in ready:
            told = named_tracklet(kept.tracklet, rule)
            pieces.append(_piece(number, to, rule.title, told.time_ns, told))
            holding.sent_ns, holding.by = max(holding.sent_ns, told.time_ns), rule.title
        return pieces

    # ------------------------------------------------------------------ taking back

    def _take_back(self, number: str, holding: _Holding, to: str, reason: str) -> list[Piece]:
        """The track ends for a partner, with what he has of it."""
        return [
            *self._take_back_tracklets(number, holding, to, reason),
            *self._take_back_whole(number, holding, to),
        ]

    def _take_back_tracklets(self, number: str, holding: _Holding, to: str, reason: str) -> list[Piece]:
        if not holding.begun:
            return []
        holding.begun = False
        ended = TrackEnded(number=number, time_ns=holding.sent_ns, reason=reason)
        return [_piece(number, to, holding.by, holding.sent_ns, ended)]

    def _take_back_whole(self, number: str, holding: _Holding, to: str) -> list[Piece]:
        holding.queue.clear()
        if holding.last is None:
            return []
        ended, holding.last = replace(holding.last, ended=True), None
        return [_piece(number, to, holding.by, ended.header.measured_ns, ended)]

    # ------------------------------------------------------------------ keeping

    def _has(self, number: str, to: str) -> bool:
        own = self._own.get(number)
        return own is not None and (own.holdings[to].begun or own.holdings[to].last is not None)

    def _parent(self, number: str, to: str) -> str:
        """A parent's number, where the partner has it."""
        return number if self._has(number, to) else ""

    def _forget(self, now_ns: int, holding: _Holding) -> None:
        """Lose the tracklets that have been kept for too long."""
        for kept in (holding.held, holding.fresh):
            old = sum(k.offered_ns < now_ns - self._kept_ns for k in kept)
            if old:
                holding.lost += old
                del kept[:old]

    def _settle(self, number: str, own: _Own) -> None:
        """Watch a track while something of it waits for its time; forget one that is over for everybody."""
        waits = False
        for holding in own.holdings.values():
            exact = holding.rule is not None and holding.rule.exact and own.begun is not None
            waits = waits or bool(holding.queue) or (exact and bool(holding.fresh))
            waits = waits or (own.ended is not None and holding.begun)
        if waits:
            self._delayed[number] = None
        else:
            self._delayed.pop(number, None)
            if own.ended is not None or (own.item is None and own.begun is None):
                del self._own[number]
                if own.item is not None:
                    # what else is offered with its end may still ask what it was
                    self._over[number] = own.item.labels


def _piece(number: str, to: str, rule: str, time_ns: int, content: Content) -> Piece:
    """A piece that leaves at once; the header is the time alone."""
    header = Header(originator="", source="", sequence=0, measured_ns=time_ns)
    return Piece(
        kind="tracks", subject=number, partner=to, rules=(rule,), due_ns=0, header=header, content=content
    )
