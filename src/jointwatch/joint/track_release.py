"""The bridge to nodes that release whole tracks under one rule; it goes when nodes release by `joint.sharer`.

In: the tracks that one sector changed, and what a partner's sharing rules come to (`track_rule`); out: the
report that is released and the numbers of the tracks that are withheld.  Places, delays and kinds other
than tracks are beyond it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from jointwatch.joint.coarsening import coarse_track
from jointwatch.joint.sharing import SharingRule, title
from jointwatch.records import PHASES, Header, Track, TrackReport

NotNegative = Annotated[float, Meta(ge=0.0)]
PhaseName = Literal["boost", "ballistic", "cruise"]


class TrackRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


def may_leave(rule: TrackRule, track: Track) -> bool:
    """Whether a rule releases anything of a track."""
    return rule.tracks != "withheld" and PHASES[max(range(3), key=lambda k: track.phases[k])] in rule.phases


class Released:
    """What a partner holds of us: the last of each track that the rule let go.

    A track that ends, or that may no longer leave, has to end for the partner too: it is told so with what it
    has already, so that nothing else leaves.
    """

    def __init__(self, rule: TrackRule) -> None:
        self._rule = rule
        self._last: dict[str, Track] = {}

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
    rule: TrackRule, tracks: Sequence[Track], header: Header
) -> tuple[TrackReport | None, tuple[str, ...]]:
    """Apply a rule to tracks: the report that may leave (None if nothing may), and the numbers withheld.

    header: of the report; its originator, sequence and time are set by the sender.
    """
    allowed, withheld = [], []
    for track in tracks:
        if not may_leave(rule, track):
            withheld.append(track.number)
            continue
        allowed.append(coarse_track(track, _as_sharing_rule(rule)))
    if not allowed:
        return None, tuple(withheld)
    return TrackReport(header=header, rule=rule.name, tracks=tuple(allowed)), tuple(withheld)


def track_rule(rules: Sequence[SharingRule], partner: str, partners: Collection[str]) -> TrackRule:
    """What a partner's sharing rules come to for tracks of each phase that go to the first other partner.

    A phase stays where a rule on it asks for what this release cannot do (places, delays, classes), and
    where another rule lets it go than lets the first one go.
    """
    others = [name for name in partners if name != partner]
    if not others:
        return TrackRule(name=f"{partner}/tracks", tracks="withheld")
    decided = {phase: _decided(rules, others[0], phase) for phase in PHASES}
    first = next((rule for rule in decided.values() if rule is not None and rule.releases), None)
    if first is None:
        return TrackRule(name=title(decided["ballistic"]), tracks="withheld")
    return TrackRule(
        name=first.title,
        tracks="as is" if first.exact else "coarsened",
        phases=tuple(phase for phase, rule in decided.items() if rule is first),  # type: ignore[misc]
        round_m=first.round_m,
        round_ms=first.round_ms,
        pseudonyms=first.pseudonyms,
        key=first.key,
    )


def _decided(rules: Sequence[SharingRule], to: str, phase: str) -> SharingRule | None:
    """The rule that decides on all tracks of a phase; None if none does, or if it hangs on something else."""
    for rule in rules:
        of_other_phases = rule.classes and phase not in rule.classes and set(rule.classes) <= set(PHASES)
        if rule.is_for("tracks", to) and not of_other_phases:
            plain = rule.anywhere and rule.delay_s == 0.0 and (not rule.classes or phase in rule.classes)
            return rule if plain else None
    return None


def _as_sharing_rule(rule: TrackRule) -> SharingRule:
    steps = (rule.round_m, rule.round_ms) if rule.tracks == "coarsened" else (0.0, 0.0)
    return SharingRule(
        kind="tracks",
        release="coarsened",
        round_m=steps[0],
        round_ms=steps[1],
        pseudonyms=rule.pseudonyms,
        key=rule.key,
    )
