"""Webcast recordings: a flight's speed and height as read off the launch webcast, some 30 rows a second.

In: a folder's `NAME.raw30hz.csv.gz` (time_s, velocity_m_s, altitude_km) and `NAME.events.json`; out: typed
arrays in SI units with the rounding of every height, and the event times.  Speed is relative to the turning
Earth.  Speeds are rounded to 1 km/h; heights to 0.1 km below 99.5 km and to 1 km above.
A machine read the rows from a picture: `cleaned` drops those that run backwards in time or stand alone.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jointwatch.records import BadInput

HEADER = "time_s,velocity_m_s,altitude_km"
SPEED_STEP_MS = 1.0 / 3.6
FINE_STEP_M, COARSE_STEP_M = 100.0, 1000.0
COARSE_FROM_M = 99.5e3
"""From here on a height is shown in whole kilometres: 99.4, 99.5, 100, 101."""

NEIGHBOURS = 3
"""Rows on each side that a row is compared with."""
ALONE_MS, ALONE_M = 8.0, 1500.0
"""A row this far from the median of its neighbours was misread."""


@dataclass(frozen=True)
class Recording:
    """One flight as recorded: arrays (n,) in order of the file, and event times by name.

    speed_ms: relative to the turning Earth; height_m: as shown; height_step_m: width of its rounding.
    events_s: only the events that took place.  dropped: rows that `cleaned` left out.
    """

    flight: str
    time_s: NDArray[np.float64]
    speed_ms: NDArray[np.float64]
    height_m: NDArray[np.float64]
    events_s: dict[str, float]
    dropped: int = 0

    @property
    def height_step_m(self) -> NDArray[np.float64]:
        """(n,) width of the interval that each height was rounded from."""
        return np.where(self.height_m > COARSE_FROM_M, COARSE_STEP_M, FINE_STEP_M)

    def _rows(self, keep: NDArray[np.bool_]) -> Recording:
        return replace(
            self, time_s=self.time_s[keep], speed_ms=self.speed_ms[keep], height_m=self.height_m[keep]
        )

    def nearest(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index of the row nearest to each time."""
        after = np.clip(np.searchsorted(self.time_s, time_s), 1, len(self.time_s) - 1)
        closer = self.time_s[after] - time_s < time_s - self.time_s[after - 1]
        return np.where(closer, after, after - 1)


def read_recording(path: Path, events: Path | None = None) -> Recording:
    """The recording in a raw 30 Hz file, rows unchanged, with the events of its events file.

    BadInput names the file and the line of the first row that is not three finite numbers, with speed >= 0.
    """
    source = path.name
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            lines = file.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInput(source, "file", str(error), "a gzip file of CSV rows") from None
    if not lines or lines[0].strip() != HEADER:
        raise BadInput(source, "line 1", lines[0] if lines else "nothing", f"the header {HEADER}")
    rows = np.empty((len(lines) - 1, 3))
    for i, line in enumerate(lines[1:]):
        try:
            rows[i] = [float(v) for v in line.split(",")]
        except ValueError:
            raise BadInput(source, f"line {i + 2}", line, "three numbers") from None
        if not np.isfinite(rows[i]).all() or rows[i, 1] < 0.0:
            raise BadInput(source, f"line {i + 2}", line, "finite numbers, a speed of 0 or more")
    if len(rows) < 2:
        raise BadInput(source, "rows", len(rows), "two or more")
    return Recording(
        flight=source.removesuffix(".raw30hz.csv.gz"),
        time_s=rows[:, 0].copy(),
        speed_ms=rows[:, 1].copy(),
        height_m=rows[:, 2] * 1e3,
        events_s=read_events(events) if events is not None else {},
    )


def read_events(path: Path) -> dict[str, float]:
    """Times (s) of the events that took place, by name; BadInput if the file holds anything else."""
    source = path.name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(source, "file", str(error), "a JSON object of event times") from None
    if not isinstance(document, dict):
        raise BadInput(source, "file", type(document).__name__, "a JSON object of event times")
    out = {}
    for name, value in document.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise BadInput(source, name, value, "a time in seconds, or null")
        out[name] = float(value)
    return out


def cleaned(recording: Recording) -> Recording:
    """The recording without misread rows.

    Rows whose time is not after every earlier row's, or is before lift-off, are dropped; so are rows that
    stand alone among their neighbours in speed or height.
    """
    kept = recording._rows(_forward(recording.time_s))
    kept = kept._rows(~(_alone(kept.speed_ms, ALONE_MS) | _alone(kept.height_m, ALONE_M)))
    return replace(kept, dropped=len(recording.time_s) - len(kept.time_s))


def _forward(time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether a row's time is at or after lift-off and later than every earlier row's."""
    latest = np.maximum.accumulate(np.concatenate(([-1e-9], time_s)))[:-1]
    return time_s > latest


def _alone(value: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """(n,) whether a value lies further than limit from the median of the rows about it."""
    padded = np.pad(value, NEIGHBOURS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    out: NDArray[np.bool_] = np.abs(value - np.median(windows, axis=1)) > limit
    return out
