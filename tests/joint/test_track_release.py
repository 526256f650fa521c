"""The bridge to nodes that release whole tracks under one rule: what it lets go, and what it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reported_tracks import BALLISTIC_SURELY, CRUISE_SURELY, START_NS, at_s, place, seen_by, spread, track

from jointwatch.joint.sharing import load_rules
from jointwatch.joint.track_release import Released, TrackRule, release, track_rule
from jointwatch.records import Header, Track

HEADER = Header(originator="Amber", source="amber", sequence=9, measured_ns=START_NS, handling="joint")
STATE = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0)
MISSILE = track("AMBER-0001", STATE, seen_by(np.random.default_rng(1), 600.0, 12.0))
PLANE = track("AMBER-0002", place(32.0, 40.0, 10e3, 200.0, 0.0, 0.0), spread(90.0, 5.0), phases=CRUISE_SURELY)
HERE = {"latitude_deg": 33.0, "longitude_deg": 35.0, "radius_km": 300.0}


def left(rule: TrackRule, *tracks: Track) -> tuple[Track, ...]:
    report, _ = release(rule, tracks, HEADER)
    return report.tracks if report is not None else ()


def bridged(*tables: dict[str, Any]) -> TrackRule:
    partners = ["Amber", "Blue"]
    rules = load_rules(list(tables), "site.toml", "Amber", partners, ["Ochre"], ["short_range"])
    return track_rule(rules, "Amber", partners)


def test_as_is_leaves_as_it_is_under_the_rules_name_and_the_senders_header() -> None:
    report, withheld = release(TrackRule(name="Amber/1"), (MISSILE, PLANE), HEADER)
    assert report is not None
    assert report.tracks == (MISSILE, PLANE)
    assert (report.rule, report.header, withheld) == ("Amber/1", HEADER, ())


def test_tracks_in_a_withheld_phase_stay() -> None:
    report, withheld = release(TrackRule(phases=("boost", "ballistic")), (MISSILE, PLANE), HEADER)
    assert report is not None and report.tracks == (MISSILE,)
    assert withheld == ("AMBER-0002",)
    report, withheld = release(TrackRule(tracks="withheld"), (MISSILE, PLANE), HEADER)
    assert report is None and withheld == ("AMBER-0001", "AMBER-0002")


def test_a_track_that_ends_or_may_no_longer_leave_ends_for_the_partner_and_tells_him_nothing_new() -> None:
    rule = TrackRule(phases=("boost", "ballistic"))
    released = Released(rule)
    (first,) = left(rule, *released.due([MISSILE, PLANE], []))
    assert first == MISSILE
    # what seemed a missile turns out to be an aircraft: its place as an aircraft does not leave
    turned = track("AMBER-0001", STATE + 5e3, spread(90.0, 5.0), at_s(4.0), phases=CRUISE_SURELY)
    (last,) = left(rule, *released.due([turned], []))
    assert last.ended and last.state == MISSILE.state and last.header == MISSILE.header
    # and its end has been told already; the end of one that never left is no partner's business
    assert left(rule, *released.due([], ["AMBER-0001", "AMBER-0002"])) == ()
    # if it is a missile after all, it leaves again, and its end is told
    again = track("AMBER-0001", STATE + 9e3, spread(90.0, 5.0), at_s(8.0), phases=BALLISTIC_SURELY)
    assert left(rule, *released.due([again], [])) == (again,)
    (end,) = left(rule, *released.due([], ["AMBER-0001"]))
    assert end.ended and end.header.measured_ns == at_s(8.0)


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        ([], TrackRule(name="no rule", tracks="withheld")),
        ([{"kind": "plots", "release": "as is"}], TrackRule(name="no rule", tracks="withheld")),
        ([{"kind": "tracks", "release": "as is"}], TrackRule(name="Amber/1")),
        (
            [
                {"kind": "tracks", "release": "withheld", "classes": ["cruise"]},
                {"kind": "tracks", "release": "coarsened", "round_m": 500, "pseudonyms": True, "key": "k"},
            ],
            TrackRule(
                name="Amber/2",
                tracks="coarsened",
                phases=("boost", "ballistic"),
                round_m=500.0,
                pseudonyms=True,
                key="k",
            ),
        ),
        # what this release cannot tell apart, or keep back for a while, stays
        (
            [{"kind": "tracks", "release": "withheld", "area": HERE}, {"kind": "tracks", "release": "as is"}],
            TrackRule(name="no rule", tracks="withheld"),
        ),
        (
            [{"kind": "tracks", "release": "coarsened", "delay_s": 5}],
            TrackRule(name="no rule", tracks="withheld"),
        ),
        (
            [
                {"kind": "tracks", "release": "as is", "classes": ["boost"]},
                {"kind": "tracks", "release": "withheld", "classes": ["short_range"]},
                {"kind": "tracks", "release": "as is"},
            ],
            TrackRule(name="Amber/1", phases=("boost",)),
        ),
    ],
)
def test_a_set_of_rules_comes_to_one_rule_for_tracks(tables: Any, wanted: TrackRule) -> None:
    assert bridged(*tables) == wanted


def test_a_partner_without_others_releases_nothing() -> None:
    assert track_rule((), "Amber", ["Amber"]).tracks == "withheld"
