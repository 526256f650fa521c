"""Alerts of one partner as a warner would issue them, and a node's configuration, without a tracker."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jointwatch.formats.warning_keys import WarningKey
from jointwatch.node.config import NodeConfig
from jointwatch.records import EXERCISE, Alert, Delivered, Header, Outcome, Zone
from jointwatch.warning.policy import Policy

S = 1_000_000_000
NOW = 1_780_000_000 * S
ZONES = tuple(
    Zone(
        key=f"Z{n}", name=f"Zone {n}", partner="Amber", latitude_deg=32.0 + 0.1 * n, longitude_deg=35.0,
        shelter_s=30.0, radius_m=2000.0,
    )
    for n in range(1, 5)
)  # fmt: skip


def config(**changes: Any) -> NodeConfig:
    """A node without sensors."""
    values: dict[str, Any] = {
        "partner": "Amber", "name": "amber", "sensors": (), "zones": ZONES, "policy": Policy(),
        "territories": {}, **changes,
    }  # fmt: skip
    return NodeConfig(**values)


@lru_cache
def key(exercise: bool, sender: str = "amber") -> WarningKey:
    """A sender's key of either kind, which holds at NOW."""
    return WarningKey.made(sender, exercise, NOW - 86_400 * S)


class Raid:
    """The messages of one series, each following those before."""

    def __init__(self, number: int = 1, tier: str = "shelter", exercise: bool = True) -> None:
        self.number, self.tier, self.exercise = number, tier, exercise
        self.sent: list[Alert] = []

    def says(self, action: str, *zones: str, after_s: float = 0.0, impact_s: float = 120.0) -> Alert:
        """The next message, issued after_s after NOW, of a fall impact_s after that."""
        mark = EXERCISE if self.exercise else ""
        sent_ns = NOW + round(after_s * S)
        alert = Alert(
            header=Header(
                originator="Amber", source="amber", sequence=len(self.sent) + 1, measured_ns=sent_ns,
                handling="public",
            ),
            identifier=f"{mark}amber-{self.number:02d}-{len(self.sent) + 1:04d}",
            action=action,  # type: ignore[arg-type]
            tier=self.tier,  # type: ignore[arg-type]
            partner="Amber",
            zones=zones or ("Z1",),
            sent_ns=sent_ns,
            impact_ns=sent_ns + round(impact_s * S),
            evidence=(("AMBER-1", 0.9),),
            references=tuple(a.identifier for a in self.sent),
            reason="it is over" if action in ("cancel", "all_clear") else "",
            exercise=self.exercise,
        )  # fmt: skip
        self.sent.append(alert)
        return alert


def outcome(
    sink: str, identifier: str, what: Outcome, now: int = NOW, detail: str = "", retry_after_s: float = 0.0
) -> Delivered:
    """What became of a message, as the journal has it."""
    return Delivered(
        header=Header(originator="Amber", source=f"sink {sink}", sequence=1, measured_ns=now),
        sink=sink, identifier=identifier, outcome=what, detail=detail, retry_after_s=retry_after_s,
    )  # fmt: skip
