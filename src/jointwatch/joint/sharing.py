"""Sharing rules: what of a node's tracks may leave it, applied before anything reaches the link.

In: the tracks that one sector changed, and the partner's rule (data, from the scenario or node file); out:
the report that is released and the numbers of the tracks that are withheld.  Both are journalled.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from jointwatch.records import PHASES, BadInput, Header, SequenceRange, Track, TrackletReport, TrackReport
from jointwatch.records.documents import convert
from jointwatch.tracking.tracker import Step

NotNegative = Annotated[float, Meta(ge=0.0)]
PhaseName = Literal["boost", "ballistic", "cruise"]


class SharingRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one partner releases of its tracks.

    tracks: "as is", "coarsened" (rounded, with the rounding's variance added) or "withheld".
    phases: only tracks most probably in one of these leave.  round_m, round_ms: step of the rounding.
    pseudonyms: sensors' names in the provenance are replaced by keyed pseudonyms (key).
    """

    name: str = "tracks"
    tracks: Literal["as is", "coarsened", "withheld"] = "as is"
    phases: tuple[PhaseName, ...] = PHASES  # type: ignore[assignment]
    round_m: NotNegative = 0.0
    round_ms: NotNegative = 0.0
    pseudonyms: bool = False
    key: str = ""


def load_rule(values: dict[str, Any], source: str, partner: str) -> SharingRule:
    """The rule of a partner from a file's table; BadInput naming source, key, found and wanted."""
    place = f"sharing.{partner}"
    try:
        rule = convert({"name": f"{partner}/tracks", **values}, SharingRule, source)
    except BadInput as error:
        raise BadInput(source, f"{place}.{error.field}", error.found, error.wanted) from None
    if rule.pseudonyms and not rule.key:
        raise BadInput(
            source, f"{place}.key", "nothing", "a key: without one anybody can undo the pseudonyms"
        )
    if rule.tracks == "coarsened" and rule.round_m == rule.round_ms == 0.0:
        raise BadInput(source, f"{place}.round_m", "no rounding", "round_m or round_ms for coarsened tracks")
    return rule


def may_leave(rule: SharingRule, track: Track) -> bool:
    """Whether a rule releases anything of a track."""
    return rule.tracks != "withheld" and PHASES[max(range(3), key=lambda k: track.phases[k])] in rule.phases


class Released:
    """What a partner holds of us: the last of each track that the rule let go.

    A track that ends, or that may no longer leave, has to end for the partner too: it is told so with what it
    has already, so that nothing else leaves.
    """

    def __init__(self, rule: SharingRule) -> None:
        self._rule = rule
        self._last: dict[str, Track] = {}

    def release(
        self, step: Step, told: TrackletReport, header: Header
    ) -> tuple[TrackReport | TrackletReport | None, tuple[str, ...]]:
        """What leaves after a sector, and the numbers of the tracks withheld."""
        if self._rule.tracks != "as is" or set(self._rule.phases) != set(PHASES):
            due = self.due(step.updated, [number for number, _ in step.ended])
            return release(self._rule, due, header) if due else (None, ())
        if not (told.begun or told.tracklets or told.ended):
            return None, ()
        tracklets = told.tracklets
        if self._rule.pseudonyms:
            tracklets = tuple(
                msgspec.structs.replace(t, source=pseudonym(self._rule.key, t.source)) for t in tracklets
            )
        return msgspec.structs.replace(told, header=header, rule=self._rule.name, tracklets=tracklets), ()

    def due(self, updated: Sequence[Track], ended: Iterable[str]) -> tuple[Track, ...]:
        """The tracks to put to the rule after a sector: those updated, and last words on those that ended."""
        over = list(ended)
        for track in updated:
            if may_leave(self._rule, track):
                self._last[track.number] = track
            else:
                over.append(track.number)
        last = [self._last.pop(number) for number in over if number in self._last]
        return (*updated, *(msgspec.structs.replace(track, ended=True) for track in last))


def release(
    rule: SharingRule, tracks: Sequence[Track], header: Header
) -> tuple[TrackReport | None, tuple[str, ...]]:
    """Apply a rule to tracks: the report that may leave (None if nothing may), and the numbers withheld.

    header: of the report; its originator, sequence and time are set by the sender.
    """
    allowed, withheld = [], []
    for track in tracks:
        if not may_leave(rule, track):
            withheld.append(track.number)
            continue
        if rule.tracks == "coarsened":
            track = _coarsen(track, rule)
        if rule.pseudonyms:
            track = _without_sources(track, rule.key)
        allowed.append(track)
    if not allowed:
        return None, tuple(withheld)
    return TrackReport(header=header, rule=rule.name, tracks=tuple(allowed)), tuple(withheld)


def describe(rule: SharingRule) -> str:
    """What a rule releases, in words."""
    if rule.tracks == "withheld":
        return f"{rule.name}: no track leaves"
    how = (
        "as they are"
        if rule.tracks == "as is"
        else f"rounded to {rule.round_m:g} m and {rule.round_ms:g} m/s"
    )
    who = ", sensors under pseudonyms" if rule.pseudonyms else ", with the names of their sensors"
    return f"{rule.name}: tracks in {', '.join(rule.phases)} leave {how}{who}"


def _coarsen(track: Track, rule: SharingRule) -> Track:
    steps = [rule.round_m] * 3 + [rule.round_ms] * 3
    state = list(track.state)
    covariance = np.zeros((7, 7))
    covariance[np.triu_indices(7)] = track.covariance
    for i, step in enumerate(steps):
        if step > 0.0:
            state[i] = step * round(state[i] / step)
            covariance[i, i] += step * step / 12.0
    return msgspec.structs.replace(
        track, state=tuple(state), covariance=tuple(covariance[np.triu_indices(7)].tolist())
    )


def _without_sources(track: Track, key: str) -> Track:
    hidden = tuple(SequenceRange(pseudonym(key, r.source), r.first, r.last) for r in track.header.provenance)
    return msgspec.structs.replace(track, header=msgspec.structs.replace(track.header, provenance=hidden))


def pseudonym(key: str, source: str) -> str:
    """A source's name that is the same each time and tells nothing without the key."""
    return "src-" + hmac.new(key.encode(), source.encode(), hashlib.sha256).hexdigest()[:12]
