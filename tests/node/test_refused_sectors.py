"""What a node says of sectors that it cannot use, and of late ones that it can: noted, and in the journal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from test_node import RADAR, at_s, empty_look, left, node, notes, watching

from jointwatch.node.journal import Journal, read_journal
from jointwatch.node.node import Node
from jointwatch.node.scribe import Output
from jointwatch.records import Note, Sector, TrackletReport, decode, encode

LOOK = empty_look(40.0, 100)


@pytest.mark.parametrize(
    ("sector", "reason"),
    [
        (empty_look(5.0, 101), "too late: 1"),
        (replace(LOOK, received_ns=at_s(38.5)), "time in the future: 1"),
        (LOOK, "repeated sector: 1"),
        (
            replace(LOOK, header=replace(LOOK.header, measured_ns=2**63), received_ns=2**63),
            "time out of bounds: 1",
        ),
    ],
    ids=["too late", "from the future", "twice", "no time"],
)
def test_a_sector_that_cannot_be_used_is_named_in_a_note_that_is_journalled(
    tmp_path: Path, sector: Sector, reason: str
) -> None:
    path = tmp_path / "amber.sqlite"
    one = Node(node().config, Journal(path))
    one.step(LOOK, at_s(40.0))
    assert notes(one.step(sector, at_s(40.1)), "rejected") == [("amber-one", reason)]
    one.journal.close()
    entries = list(read_journal(path))
    assert [e.data for e in entries if e.direction == "in"] == [encode(LOOK), encode(sector)]
    said = [decode(e.data, "journal") for e in entries if e.direction == "out"]
    assert [(n.kind, n.subject, n.detail) for n in said if isinstance(n, Note)] == [
        ("rejected", "amber-one", reason)
    ]


def test_plots_beyond_what_can_be_worked_through_are_counted_in_a_note() -> None:
    count = 100_000
    flood = replace(
        LOOK,
        range_m=tuple(np.linspace(2e3, 4e5, count).tolist()),
        azimuth_rad=tuple(np.linspace(0.0, 6.0, count).tolist()),
        elevation_rad=(0.3,) * count,
        range_rate_ms=(0.0,) * count,
    )
    ((subject, detail),) = [n for n in notes(node().step(flood, at_s(40.0)), "rejected") if "beyond" in n[1]]
    assert subject == RADAR.name and detail == "plot beyond capacity: 97000"


class Recorder:
    """Stands where a node would, and keeps what it is given."""

    def __init__(self) -> None:
        self.config, self.given = node().config, list[Sector]()

    def step(self, record: Sector, now: int) -> list[Output]:
        self.given.append(record)
        return []


def test_a_late_look_mends_the_picture_under_the_same_number() -> None:
    heard = Recorder()
    watching(heard, 30.0, np.random.default_rng(1))  # type: ignore[arg-type]
    whole, mended = node(), node()
    for sector in heard.given:
        whole.step(sector, sector.received_ns)
    late = heard.given[8]
    out = [o for s in heard.given if s is not late for o in mended.step(s, s.received_ns)]
    assert notes(out, "track_confirmed") == [("AMBER-0001", "")]
    (before,) = mended.picture
    out = mended.step(late, at_s(30.0))
    assert notes(out, "rejected") == notes(out, "track_confirmed") == notes(out, "track_ended") == []
    (after,), (best,) = mended.best.at(at_s(30.0)), whole.best.at(at_s(30.0))
    assert before.hits == best.hits - 1 and after.hits == best.hits
    # the other looks were told as they were thought of then: a little is left of that
    assert np.allclose(after.state[:3], best.state[:3], atol=1.0)
    # the partner is told at once
    assert [t.time_ns for o in left(out, TrackletReport) for t in o.tracklets] == [late.header.measured_ns]
