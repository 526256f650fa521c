"""The next message of a series, numbered after all that was issued.

In: who speaks, what stands told, and what is to be said to which zones; out: the `Alert` that says so.  What
is decided and what people say go through here alike, each in series of its own (`warning.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from jointwatch.records import Alert, AlertAction, Header, Tier
from jointwatch.warning.standing import Series, Standing, identifier_of


class Speaker(Protocol):
    """Whose messages they are: a warner, with its partner, its name, the epoch of its journal, and whether it
    is an exercise's."""

    partner: str
    name: str
    epoch: str
    exercise: bool


def next_message(
    speaker: Speaker,
    standing: Standing,
    now_ns: int,
    action: AlertAction,
    tier: Tier,
    area: str,
    zones: Iterable[str],
    impact_ns: int,
    evidence: Iterable[tuple[str, float]] = (),
    reason: str = "",
    of_people: bool = False,
) -> Alert:
    """The next message in the series of a tier and area, or the first of a new one.

    zones: their keys.  evidence: tracks behind it, each with its danger to any of them: the greatest is told.
    of_people: in the series of what people said, where it is.
    """
    open_series = standing.series_by_people if of_people else standing.series
    series = open_series.get((tier, area)) or Series(standing.series_count + 1)
    greatest: dict[str, float] = {}
    for track, p in evidence:
        greatest[track] = max(greatest.get(track, 0.0), p)
    return Alert(
        header=Header(
            originator=speaker.partner,
            source=speaker.name,
            sequence=standing.sequence + 1,
            measured_ns=now_ns,
            handling="public",
        ),
        identifier=identifier_of(speaker.name, speaker.epoch, series, speaker.exercise),
        action=action,
        tier=tier,
        partner=speaker.partner,
        zones=tuple(zones),
        sent_ns=now_ns,
        impact_ns=impact_ns,
        evidence=tuple(sorted((t, round(p, 6)) for t, p in greatest.items())),
        references=series.sent,
        reason=reason,
        exercise=speaker.exercise,
        area=area,
    )
