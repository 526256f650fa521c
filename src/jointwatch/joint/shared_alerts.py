"""Alerts on their way to partners: zone by zone by the rules, and naming nothing that a partner was not told.

In: an alert and what the rules know of each of its zones; out: it as each partner gets it, and what is
withheld.  Where a zone lies and what the rules say of it do not change, so whoever was told of a danger to a
zone is told of its end too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from jointwatch.joint.releases import Piece, Withheld
from jointwatch.joint.sharing import Item, SharingRule, decide, title
from jointwatch.records import Alert

KEPT_NS = 86_400_000_000_000
"""For so long it is known which messages a partner has; none refers to one that is a day old."""


class SharedAlerts:
    """What each partner has been told by alerts."""

    def __init__(self, rules: Sequence[SharingRule], partner: str, others: Sequence[str]) -> None:
        self._rules, self._partner, self._others = tuple(rules), partner, tuple(others)
        self._told: dict[str, dict[str, int]] = {to: {} for to in others}

    def offer(
        self,
        now_ns: int,
        alert: Alert,
        zones: Sequence[Item],
        tracks: Mapping[str, Collection[str]],
        withheld: list[Withheld],
    ) -> list[Piece]:
        """The alert for each partner.

        zones: an item for each zone, or one where there are no zones.  tracks: numbers that each partner may
        read.  What is withheld is added to a list.  The slowest of the rules for its zones holds for all.
        """
        pieces = []
        for to in self._others:
            decided = [decide(self._rules, to, item) for item in zones]
            going = [rule for rule in decided if rule is not None and rule.releases]
            kept: dict[str, int] = {}
            for rule in decided:
                if rule is None or not rule.releases:
                    kept[title(rule)] = kept.get(title(rule), 0) + 1
            withheld += [
                Withheld("alerts", alert.identifier, to, name, count) for name, count in kept.items()
            ]
            if not going:
                continue
            told = self._told[to]
            for old in [name for name, time_ns in told.items() if time_ns < now_ns - KEPT_NS]:
                del told[old]
            told[alert.identifier] = now_ns
            pieces.append(
                Piece(
                    kind="alerts",
                    subject=alert.identifier,
                    partner=to,
                    rules=tuple(dict.fromkeys(rule.title for rule in going)),
                    due_ns=now_ns + max(rule.delay_ns for rule in going),
                    header=replace(alert.header, provenance=()),
                    content=self._without(alert, to, decided, tracks.get(to, ())),
                )
            )
        return pieces

    def _without(
        self, alert: Alert, to: str, decided: Sequence[SharingRule | None], known: Collection[str]
    ) -> Alert:
        """The alert without zones, messages and track numbers that are withheld from a partner."""
        zones = tuple(
            zone
            for zone, rule in zip(alert.zones, decided, strict=False)
            if rule is not None and rule.releases
        )
        own = f"{to.upper()}-"
        evidence = tuple(e for e in alert.evidence if e[0] in known or e[0].startswith(own))
        reason = alert.reason
        for number, _ in sorted(set(alert.evidence) - set(evidence), reverse=True):
            reason = reason.replace(number, "a track")
        references = tuple(name for name in alert.references if name in self._told[to])
        return replace(alert, zones=zones, evidence=evidence, references=references, reason=reason)
