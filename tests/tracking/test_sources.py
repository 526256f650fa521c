"""Which sensors stand behind a track: all of them, however many there are."""

from __future__ import annotations

import numpy as np

from jointwatch.tracking.sources import note_sources, sources_of
from jointwatch.tracking.table import NOTHING, SOURCES, new_table


def test_every_sensor_that_a_track_was_looked_at_by_is_told_with_its_first_and_last_sequence():
    """Against the same kept in a dictionary; with more sensors than a row has places for."""
    rng = np.random.default_rng(2)
    table, more, plain = new_table(6), {}, {}
    table["source"] = NOTHING
    table["number"] = np.arange(1, 7)
    for time_ns in range(1, 800):
        sensor = int(rng.integers(3 * SOURCES))
        rows = np.sort(rng.permutation(6)[: int(rng.integers(1, 4))])
        gave = rows[rng.random(len(rows)) < 0.6]
        table["seen_ns"][gave] = time_ns
        note_sources(table, rows, more, sensor, time_ns, time_ns)
        for i in rows:
            known = plain.setdefault(i, {})
            if i in gave or sensor not in known:
                known[sensor] = known.get(sensor, (time_ns, 0))[0], time_ns
    for i in range(6):
        assert sources_of(table[i], more) == sorted((s, *ends) for s, ends in plain[i].items())
        assert len(plain[i]) == 3 * SOURCES
    assert len(more) == 6
