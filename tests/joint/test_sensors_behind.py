"""Which sensors stand behind an object: never more than there are, whatever names they go by."""

from __future__ import annotations

import numpy as np
import pytest
from offered import tracklet
from reported_tracks import START_NS, at_s, place, spread, track

from jointwatch.joint.picture import JointPicture
from jointwatch.joint.sensors_behind import Behind, sensors_behind
from jointwatch.records import Header, SequenceRange, Tracklet, TrackletReport, TrackReport

OWNERS = {"amber-one": "Amber", "amber-two": "Amber", "blue-one": "Blue", "blue-two": "Blue"}


def count(looks: list[tuple[str, str]], *coarse: tuple[str, list[str]]) -> int:
    told = tuple((originator, frozenset(sources)) for originator, sources in coarse)
    return len(sensors_behind(Behind(frozenset(looks), told), OWNERS))


@pytest.mark.parametrize(
    ("looks", "coarse", "wanted"),
    [
        ([], [], 0),
        ([("Amber", "amber-one")], [], 1),
        ([("Amber", "amber-one"), ("Amber", "amber-two")], [], 2),
        ([("Amber", "amber-one"), ("Blue", "blue-one")], [], 2),
        # the same sensor in two partners' pictures, where plots are shared
        ([("Amber", "blue-one"), ("Blue", "blue-one")], [], 1),
        # by its name in ours, and under its pseudonym in theirs
        ([("Amber", "blue-one"), ("Blue", "src-1")], [], 1),
        ([("Amber", "blue-one"), ("Blue", "src-1"), ("Blue", "src-2")], [], 2),
        ([("Amber", "amber-one"), ("Blue", "src-1")], [], 2),
        ([("Blue", "src-1"), ("Green", "src-9")], [], 2),
        # behind coarsened tracks under pseudonyms may be our own sensor
        ([("Amber", "amber-one")], [("Blue", ["src-1"])], 1),
        ([("Amber", "amber-one")], [("Blue", ["src-1", "src-2"])], 2),
        ([("Amber", "amber-one")], [("Blue", ["blue-one"])], 2),
        ([("Amber", "amber-one")], [("Blue", ["amber-one"])], 1),
        ([("Amber", "amber-one")], [("Blue", [])], 1),
        ([], [("Blue", [])], 1),
        ([], [("Blue", ["src-1"]), ("Green", ["src-2"])], 1),
    ],
)
def test_no_sensor_counts_twice(
    looks: list[tuple[str, str]], coarse: list[tuple[str, list[str]]], wanted: int
) -> None:
    assert count(looks, *coarse) == wanted


def told(source: str, seconds: float, gave: bool) -> Tracklet:
    made = tracklet("AMBER-0001", seconds, 1, source)
    return made if not gave else Tracklet(
        number=made.number, time_ns=made.time_ns, source=source, sequence=1, point=made.point,
        information=tuple(np.eye(6)[np.triu_indices(6)].tolist()),
    )  # fmt: skip


def test_a_picture_knows_whose_looks_gave_a_plot_by_then() -> None:
    picture = JointPicture()
    header = Header(originator="Amber", source="amber-node", sequence=1, measured_ns=START_NS)
    looks = (told("amber-one", 1.0, True), told("amber-two", 2.0, False), told("amber-three", 9.0, True))
    picture.take(TrackletReport(header=header, rule="", tracklets=looks))
    coarse = track("BLUE-0001", place(33.0, 41.0, 1e5, -9e2, 0.0, 0.0), spread(99.0, 9.0), at_s(3.0))
    for one in ("src-2", "src-1"):
        sources = (SequenceRange(one, 1, 2),)
        at = Header(originator="Blue", source="Blue", sequence=1, measured_ns=at_s(3.0), provenance=sources)
        made = track(
            "BLUE-0002", place(33.0, 41.0, 1e5, 0.0, 0.0, 0.0), spread(99.0, 9.0), at_s(3.0), header=at
        )
        picture.take(TrackReport(header=at, rule="", tracks=(coarse, made)))
    behind = picture.behind(("AMBER-0001", "BLUE-0001"), at_s(5.0))
    assert behind == Behind(frozenset({("Amber", "amber-one")}), (("Blue", frozenset({"blue-one"})),))
    assert picture.behind(("AMBER-0001",), at_s(9.0)).looks == {
        ("Amber", "amber-one"),
        ("Amber", "amber-three"),
    }
    assert picture.behind(("AMBER-9999",), at_s(9.0)) == Behind(frozenset(), ())
