"""Early notice: which zones are to be ready before it is known where something comes down, and until when.

In: at each evaluation the threats, each with the zones near its fall; out: the zones to give notice now, with
the threats behind it, and whether all that was given may end.  All zones told end together: who is near to
shelter for one missile of a raid is not sent home before the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.records import Alert, Zone
from jointwatch.warning.behind import LAST_S, LONG_AGO, S, Threat
from jointwatch.warning.policy import Policy
from jointwatch.warning.reach import Reach

Near = Sequence[tuple[Threat, NDArray[np.int64]]]
"""Threats, each with the zones near which it may come down."""


class EarlyNotice:
    """The early notices of one warner.  told: since when (ns) each zone has one."""

    def __init__(self, zones: Sequence[Zone], policy: Policy) -> None:
        self._policy = policy
        self._reach = Reach(zones, policy.early_margin_m)
        self._sent_ns = LONG_AGO
        self._expected: dict[str, int] = {}
        self.told: dict[int, int] = {}

    def near(self, threat: Threat) -> NDArray[np.int64]:
        """Zones near which it may come down: to be given early notice of it."""
        if threat.near is not None:
            return threat.near
        return self._reach.along([(threat.latitude_rad, threat.longitude_rad)], threat.sigma_m)

    def expect(self, now_ns: int, near: Near) -> None:
        """When what is near some zone comes down, for as long as it is seen to.

        What is there no more well before its impact will have none: early notices wait for it no longer.
        """
        seen = {threat.track: threat.impact_ns for threat, zones in near if len(zones)}
        for name, impact_ns in self._expected.items():
            if name not in seen and impact_ns - LAST_S * S > now_ns:
                self._expected[name] = now_ns
        self._expected |= seen

    def due(
        self, now_ns: int, near: Near, spared: Callable[[int, tuple[str, ...]], bool]
    ) -> tuple[list[int], list[Threat]]:
        """Zones to give notice now, and the threats near which they are.

        spared: whether a zone is not to be told of a threat that goes by these numbers.
        """
        if now_ns - self._sent_ns < self._policy.group_s * S:
            return [], []
        new: set[int] = set()
        behind = []
        for threat, zones in near:
            if threat.doubtful:
                continue
            names = threat.names
            fresh = [z for z in zones.tolist() if z not in self.told and not spared(z, names)]
            if fresh:
                new.update(fresh)
                behind.append(threat)
        return sorted(new), behind

    def give(self, now_ns: int, zones: Sequence[int]) -> None:
        """These zones are told now."""
        self._sent_ns = now_ns
        self.told |= dict.fromkeys(zones, now_ns)

    def issued(self, alert: Alert) -> None:
        """A notice that was issued, whatever would be decided of it now."""
        self._sent_ns = max(self._sent_ns, alert.sent_ns)
        self._expected[alert.identifier] = alert.impact_ns

    def over_ns(self, now_ns: int) -> int | None:
        """When the last expected impact was (ns), if that is long enough ago for all to end.

        None while it is not; what was expected is forgotten where nobody is told.
        """
        last_ns = max(self._expected.values(), default=LONG_AGO)
        if last_ns + round(self._policy.clear_after_s * S) > now_ns:
            return None
        if not self.told:
            self._expected = {}
            return None
        return last_ns

    def end(self) -> list[int]:
        """All that were told, who are told no more."""
        zones = sorted(self.told)
        self.told, self._expected = {}, {}
        return zones
