"""What of the threats to a zone tells it to take shelter, and what speaks against taking that back.

In: the threats to one zone, each with its probability of danger, and the policy; out: those for which the
zone is to be told, or none, and whether that can wait.  It can until the zone's latest useful moment comes:
then a fall presses.  Sooner it is told of a fall of which looks will hardly tell more, however wide; but a
wide fall is some danger to many, and keeps nobody told on another's account.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import NamedTuple

from jointwatch.warning.behind import Evidence, S, Threat
from jointwatch.warning.policy import Policy

Present = Sequence[tuple[Threat, float]]
"""Threats to one zone, each with its probability of danger."""
MOST_BEHIND = 50
"""Tracks that an alert to one zone names, beside those that are needed for it or would be enough."""


class Falling(NamedTuple):
    """Threats that are to come down: those that press, and the others."""

    pressing: Present
    others: Present


def any_of(threats: Present) -> float:
    """The probability that at least one of the threats comes true."""
    return 1.0 - math.prod(1.0 - p for _, p in threats)


def falling(policy: Policy, shelter_s: float, now_ns: int, present: Present) -> Falling:
    """Which of the threats to a zone of so much time to shelter come down, and which of these press."""
    latest_ns = (shelter_s + policy.reserve_s) * S
    down = [(t, p, t.impact_ns - now_ns <= latest_ns) for t, p in present if not t.reach_only]
    return Falling(
        [(t, p) for t, p, presses in down if presses], [(t, p) for t, p, presses in down if not presses]
    )


def tells(policy: Policy, known: Falling, told: bool) -> tuple[list[Evidence], bool]:
    """The threats for which a zone has to be told, or none, and whether that cannot wait.

    told: it is told already.
    """
    pressing = list(known.pressing)
    settled = [(t, p) for t, p in known.others if t.open_m <= policy.precise_m] + pressing
    presses = bool(pressing) and any_of(pressing) >= policy.shelter_probability
    for counted, enough in (
        (settled, bool(settled) and any_of(settled) >= policy.sooner_probability),
        (pressing, presses),
    ):
        if enough:
            return _weighed(policy, counted, frozenset(t.track for t, _ in pressing), told), presses
    return [], False


def holds(policy: Policy, known: Falling) -> bool:
    """Whether threats to a zone, perhaps not yet sure, speak against taking another's alert back."""
    narrow = [(t, p) for t, p in known.others if t.sigma_m <= policy.precise_m]
    return any_of([*known.pressing, *narrow]) >= policy.shelter_probability


def _weighed(policy: Policy, threats: Present, pressing: Container[str], told: bool) -> list[Evidence]:
    """Threats for which a zone is told, the greatest first, and which of them are the reason for it.

    Those are left out that are less than a tenth of the greatest danger, of those that press or of the
    others, and all but the greatest of very many.  pressing: tracks that are.  told: it is told already,
    so that what only adds to others' danger is not needed for it.
    """
    out: list[Evidence] = []
    least = {True: 0.0, False: 0.0}
    for t, p in threats:
        presses = t.track in pressing
        least[presses] = max(least[presses], 0.1 * p)
    missed = pressing_missed = 1.0
    others = 0
    for t, p in sorted(threats, key=lambda one: (-one[1], one[0].track)):
        presses = t.track in pressing
        alone = p >= (policy.shelter_probability if presses else policy.sooner_probability)
        if p < least[presses] and not alone:
            continue
        enough = (
            1.0 - missed >= policy.sooner_probability or 1.0 - pressing_missed >= policy.shelter_probability
        )
        if enough and not alone:
            if others >= MOST_BEHIND:
                continue
            others += 1
        out.append(Evidence(t, p, alone or not (told or enough)))
        missed *= 1.0 - p
        pressing_missed *= 1.0 - p if presses else 1.0
    return out
