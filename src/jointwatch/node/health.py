"""How a node's sensors do: when each last looked, and which have fallen silent.

In: the time of each sector and infrared scan, and now; out: a `SensorHealth` for each sensor whose state
changed, or all of them now and then.  A sensor that was due for three scans and gave nothing is silent.
How long its key may sign is watched apart (`node.certificate`), for no partner has to know.
"""

from __future__ import annotations

from collections.abc import Iterable

from jointwatch.records import Satellite, Sensor, SensorHealth, SensorState

SILENT_SCANS = 3.0
TOLD_NS = 60_000_000_000
"""Partners are told how sensors do at least this often."""
NEVER_NS = -(2**62)


class Health:
    """The sensors of one node."""

    def __init__(self, sensors: Iterable[Sensor | Satellite]) -> None:
        self._period_ns = {s.name: round(s.period_s * 1e9) for s in sensors}
        self._looked_ns: dict[str, int] = {}
        self._state: dict[str, SensorState] = {}
        self._begun_ns: int | None = None
        self._told_ns = NEVER_NS

    def looked(self, sensor: str, time_ns: int) -> None:
        """A sensor gave a sector or a scan of this time."""
        if sensor in self._period_ns:
            self._looked_ns[sensor] = max(time_ns, self._looked_ns.get(sensor, NEVER_NS))

    def news(self, now: int) -> tuple[SensorHealth, ...]:
        """Sensors whose state is another by now; all of them where that is due."""
        if self._begun_ns is None:
            self._begun_ns = now
        changed = []
        for name, period_ns in self._period_ns.items():
            looked_ns = self._looked_ns.get(name, NEVER_NS)
            since_ns = max(looked_ns, self._begun_ns)
            state: SensorState = "silent" if now - since_ns > SILENT_SCANS * period_ns else "working"
            if state == "working" and looked_ns == NEVER_NS:
                continue  # it has not had its turn yet
            if self._state.get(name) != state:
                self._state[name] = state
                changed.append(name)
        if now - self._told_ns >= TOLD_NS and self._state:
            self._told_ns = now
            changed = list(self._state)
        return tuple(self._said(name) for name in changed)

    def _said(self, name: str) -> SensorHealth:
        state, looked_ns = self._state[name], self._looked_ns.get(name, 0)
        detail = "nothing for three scans" if state == "silent" else ""
        return SensorHealth(source=name, state=state, last_look_ns=looked_ns, detail=detail)
