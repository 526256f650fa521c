"""What leaves a node, for whom, by which rule, and what does not: sharing rules applied step by step."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from msgspec.structs import replace
from offered import (
    FAR,
    SENSOR,
    Sharing,
    alert,
    announced,
    circle,
    coarse,
    ends,
    header,
    impact,
    kept,
    launch,
    read,
    rule,
    sector,
    seen,
    to,
)
from reported_tracks import at_s

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.earth.places import load_territories
from jointwatch.joint.coarsening import pseudonym
from jointwatch.joint.releases import Dropped
from jointwatch.joint.sharer import Sharer
from jointwatch.joint.sharing import load_rules
from jointwatch.records import (
    AnnouncedReport,
    HealthReport,
    ImpactReport,
    PlotReport,
    Sensor,
    SensorHealth,
    TrackletReport,
    TrackReport,
)
from jointwatch.sensing.radar import position_of_plot, sensor_row

NO_AIRCRAFT = rule(release="withheld", classes=["cruise"])
NUMBER = "AMBER-0001"


def sequences(reports: list[object]) -> list[int]:
    """Sequences of the tracklets in reports."""
    return [t.sequence for r in reports if isinstance(r, TrackletReport) for t in r.tracklets]


# ------------------------------------------------------------------ tracks as tracklets


def test_tracks_as_they_are_leave_as_tracklets_once_for_all_whom_the_rules_treat_alike() -> None:
    sharing = Sharing(rule())
    (release,) = sharing.offer(0.0, *seen(0.0, begins=True)).released
    assert (release.audience, release.kind, release.rules) == (("Blue", "Green"), "tracks", ("Amber/1",))
    report = release.record
    assert isinstance(report, TrackletReport) and report.rule == "Amber/1"
    assert report.header.handling == "joint" and report.header.measured_ns == at_s(0.0)
    assert [b.number for b in report.begun] == [NUMBER] and sequences([report]) == [1]
    (release,) = sharing.offer(5.0, *seen(5.0)).released
    assert isinstance(release.record, TrackletReport)
    assert release.record.begun == () and sequences([release.record]) == [6]
    (release,) = sharing.offer(9.0, ends(9.0)).released
    assert isinstance(release.record, TrackletReport)
    assert [(e.number, e.reason) for e in release.record.ended] == [(NUMBER, "lost")]
    assert sharing.offer(10.0, ends(10.0)).released == ()


def test_two_rules_that_come_to_the_same_are_one_release_that_names_both() -> None:
    sharing = Sharing(rule(to=["Blue"]), rule(to=["Green"], name="all to Green"))
    (release,) = sharing.offer(0.0, *seen(0.0, begins=True)).released
    assert release.audience == ("Blue", "Green") and release.rules == ("Amber/1", "all to Green")
    assert release.record.rule == "Amber/1, all to Green"


def test_under_pseudonyms_tracks_stay_tracklets_and_name_no_sensor() -> None:
    sharing = Sharing(coarse(pseudonyms=True, key="k", to=["Blue"]), rule(to=["Green"]))
    shared = sharing.offer(0.0, *seen(0.0, begins=True))
    (blue,), (green,) = to("Blue", shared), to("Green", shared)
    assert blue.tracklets[0].source == pseudonym("k", SENSOR) and green.tracklets[0].source == SENSOR
    assert SENSOR.encode() not in read("Blue", shared) and SENSOR.encode() in read("Green", shared)
    # what begins stays with its tracklets, and is not told to both apart from them
    assert blue.begun == green.begun != ()


def test_what_turns_out_to_be_a_missile_leaves_with_all_that_was_seen_of_it() -> None:
    sharing = Sharing(NO_AIRCRAFT, rule())
    early = [sharing.offer(s, *seen(s, phase="cruise", begins=s == 0.0)) for s in (0.0, 5.0, 10.0)]
    assert all(shared.released == () for shared in early)
    assert kept(early[1]) == [("tracks", NUMBER, p, "Amber/1") for p in ("Blue", "Green")]
    (report,) = to("Blue", sharing.offer(15.0, *seen(15.0)))
    assert report.begun[0].first_ns == at_s(0.0) and sequences([report]) == [1, 6, 11, 16]


def test_what_turns_out_to_be_an_aircraft_is_taken_back_and_nothing_new_is_told() -> None:
    sharing = Sharing(NO_AIRCRAFT, rule())
    sharing.offer(0.0, *seen(0.0, begins=True))
    shared = sharing.offer(5.0, *seen(5.0, phase="cruise"))
    (report,) = to("Blue", shared)
    assert (report.begun, report.tracklets) == ((), ())
    assert [(e.number, e.time_ns, e.reason) for e in report.ended] == [
        (NUMBER, at_s(0.0), "no longer shared")
    ]
    assert kept(shared) == [("tracks", NUMBER, p, "Amber/1") for p in ("Blue", "Green")]
    assert sharing.offer(10.0, *seen(10.0, phase="cruise")).released == ()
    # and if it is a missile after all, it begins again, with what was not told yet
    (report,) = to("Blue", sharing.offer(15.0, *seen(15.0)))
    assert [b.number for b in report.begun] == [NUMBER] and sequences([report]) == [6, 11, 16]
    # the end of what a partner does not have is no business of his
    sharing.offer(20.0, *seen(20.0, phase="cruise"))
    assert sharing.offer(25.0, ends(25.0)).released == ()


def test_what_was_measured_where_it_may_not_leave_stays_for_good() -> None:
    sharing = Sharing(rule(release="withheld", area=circle(33.0, 41.0, 100.0)), NO_AIRCRAFT, rule())
    for second in (0.0, 5.0):
        assert sharing.offer(second, *seen(second, begins=second == 0.0)).released == ()
    outside = (33.0, 39.0)
    (report,) = to("Blue", sharing.offer(10.0, *seen(10.0, where=outside)))
    assert sequences([report]) == [11]
    assert report.begun[0].first_ns == at_s(10.0), "when it was first seen is kept back with where"
    # back inside it is taken back, and outside again it begins anew without what lay between
    (report,) = to("Blue", sharing.offer(15.0, *seen(15.0)))
    assert [e.time_ns for e in report.ended] == [at_s(10.0)]
    (report,) = to("Blue", sharing.offer(20.0, *seen(20.0, where=outside)))
    assert sequences([report]) == [21]
    # not even where it is for a while thought to be something else
    sharing.offer(25.0, *seen(25.0, where=outside, phase="cruise"))
    (report,) = to("Blue", sharing.offer(30.0, *seen(30.0, where=outside)))
    assert sequences([report]) == [26, 31]


def test_what_is_kept_for_a_partner_is_bounded_and_it_is_said_what_is_lost() -> None:
    sharing = Sharing(NO_AIRCRAFT, rule())
    for second in np.arange(0.0, 1200.0, 60.0).tolist():
        assert sharing.offer(second, *seen(second, phase="cruise", begins=second == 0.0)).dropped == ()
    shared = sharing.offer(1200.0, *seen(1200.0))
    assert shared.dropped == (Dropped(NUMBER, "Blue", 5), Dropped(NUMBER, "Green", 5))
    (report,) = to("Blue", shared)
    assert sequences([report]) == list(range(301, 1202, 60))
    assert report.begun[0].first_ns == at_s(300.0)
    assert sharing.offer(1205.0, *seen(1205.0)).dropped == ()


def test_a_track_of_which_nothing_is_known_yet_stays() -> None:
    sharing = Sharing(rule())
    report, _ = seen(0.0, begins=True)
    shared = sharing.offer(0.0, report)
    assert shared.released == () and kept(shared)[0] == ("tracks", NUMBER, "Blue", "no rule")


def test_a_parent_is_named_to_those_alone_who_have_it() -> None:
    sharing = Sharing(rule(to=["Blue"]), rule(release="withheld", classes=["cruise"]), rule())
    sharing.offer(0.0, *seen(0.0, phase="cruise", begins=True))
    shared = sharing.offer(5.0, *seen(5.0, number="AMBER-0002", begins=True, parent=NUMBER))
    parents = {p: [b.parent for r in to(p, shared) for b in r.begun] for p in ("Blue", "Green")}
    assert parents == {"Blue": [NUMBER], "Green": [""]}
    assert NUMBER.encode() not in read("Green", shared)


def test_further_words_and_the_place_under_a_track_decide_too() -> None:
    sharing = Sharing(
        rule(classes=["short_range"], area=circle(33.0, 41.0, 50.0), to=["Blue"]),
        rule(territories=["Ochre"], to=["Green"]),
        territories=load_territories({"Ochre": ["368"], "Sand": ["682"]}),
    )
    shared = sharing.offer(0.0, *seen(0.0, begins=True), labels={NUMBER: frozenset({"short_range"})})
    assert [r.audience for r in shared.released] == [("Blue", "Green")], "33 N 41 E lies in 368"
    shared = sharing.offer(5.0, *seen(5.0, number="AMBER-0002", begins=True))
    assert [r.audience for r in shared.released] == [("Green",)]
    shared = sharing.offer(9.0, *seen(9.0, number="AMBER-0003", begins=True, where=(29.0, 41.0)))
    assert shared.released == ()


def test_rules_that_name_territories_need_their_outlines() -> None:
    named = load_rules([rule(territories=["Ochre"])], "site.toml", "Amber", ("Amber", "Blue"), ["Ochre"], ())
    with pytest.raises(ValueError, match="territories"):
        Sharer(named, "Amber", ("Amber", "Blue"))


# ------------------------------------------------------------------ tracks rounded


def test_rounded_tracks_leave_whole_and_end_with_what_the_partner_has() -> None:
    sharing = Sharing(NO_AIRCRAFT, coarse(round_m=1000, round_ms=50))
    (release,) = sharing.offer(0.0, *seen(0.0, begins=True)).released
    assert isinstance(release.record, TrackReport) and release.audience == ("Blue", "Green")
    (first,) = release.record.tracks
    assert all(abs(v / 1000.0 - round(v / 1000.0)) < 1e-9 for v in first.state[:3])
    (report,) = to("Blue", sharing.offer(5.0, *seen(5.0, phase="cruise")))
    (last,) = report.tracks
    assert last.ended and last.state == first.state and last.header == first.header
    (report,) = to("Blue", sharing.offer(10.0, *seen(10.0)))
    (again,) = report.tracks
    assert not again.ended and again.header.measured_ns == at_s(10.0)
    (report,) = to("Blue", sharing.offer(15.0, ends(15.0)))
    assert [(t.ended, t.state) for t in report.tracks] == [(True, again.state)]
    assert sharing.sharer._tracks._own == {}, "and is forgotten"


def test_from_one_form_to_the_other_the_first_is_taken_back() -> None:
    sharing = Sharing(coarse(round_m=1000, classes=["cruise"]), rule())
    sharing.offer(0.0, *seen(0.0, phase="cruise", begins=True))
    shared = sharing.offer(5.0, *seen(5.0))
    whole, pieces = to("Blue", shared)
    assert [(t.number, t.ended) for t in whole.tracks] == [(NUMBER, True)]
    assert [b.number for b in pieces.begun] == [NUMBER] and sequences([pieces]) == [1, 6]
    shared = sharing.offer(10.0, *seen(10.0, phase="cruise"))
    pieces, whole = to("Blue", shared)
    assert [(e.number, e.reason) for e in pieces.ended] == [(NUMBER, "shared in another form")]
    assert [t.ended for t in whole.tracks] == [False]


# ------------------------------------------------------------------ delays


def test_what_is_held_back_leaves_when_its_time_has_come_and_not_before() -> None:
    sharing = Sharing(coarse(delay_s=10, to=["Blue"]), rule(to=["Green"]))
    assert {r.audience for r in sharing.offer(0.0, *seen(0.0, begins=True)).released} == {("Green",)}
    assert to("Blue", sharing.offer(9.0, *seen(9.0))) == []
    assert sharing.due(9.9).released == ()
    (report,) = to("Blue", sharing.due(10.0))
    assert [b.number for b in report.begun] == [NUMBER] and sequences([report]) == [1]
    assert to("Blue", sharing.offer(12.0, ends(12.0))) == []
    (report,) = to("Blue", sharing.due(19.0))
    assert sequences([report]) == [10] and report.ended == ()
    (report,) = to("Blue", sharing.due(22.0))
    assert [e.number for e in report.ended] == [NUMBER]
    assert sharing.due(FAR).released == ()


def test_what_still_waits_when_a_track_is_withheld_does_not_leave() -> None:
    for delayed in (coarse(delay_s=10), coarse(delay_s=10, round_m=100)):
        sharing = Sharing(NO_AIRCRAFT, delayed)
        sharing.offer(0.0, *seen(0.0, begins=True))
        assert len(to("Blue", sharing.due(10.0))) == 1
        sharing.offer(11.0, *seen(11.0))
        (report,) = to("Blue", sharing.offer(15.0, *seen(15.0, phase="cruise")))
        assert str(at_s(11.0)) not in str(report)
        assert sharing.due(FAR).released == ()


def test_a_rounded_track_that_ends_does_so_after_the_same_delay() -> None:
    sharing = Sharing(coarse(delay_s=10, round_m=100))
    sharing.offer(0.0, *seen(0.0, begins=True))
    sharing.offer(5.0, *seen(5.0))
    sharing.offer(8.0, ends(8.0))
    ended = [[t.ended for r in to("Blue", sharing.due(s)) for t in r.tracks] for s in (9.0, 15.0, 17.9, 18.0)]
    assert ended == [[], [False, False], [], [True]]
    assert sharing.sharer._tracks._own == {}


def test_other_kinds_wait_as_well_each_with_its_own_time() -> None:
    sharing = Sharing(coarse("impacts", delay_s=10), coarse("alerts", delay_s=5))
    shared = sharing.offer(
        0.0, ImpactReport(header=header(0.0), rule="", impacts=(impact(),)), alert(0.0, "a", ["z"])
    )
    assert shared.released == () and shared.withheld == ()
    sharing.offer(4.0, ImpactReport(header=header(4.0), rule="", impacts=(impact(),)))
    (release,) = sharing.due(5.0).released
    assert release.kind == "alerts" and release.record.header.measured_ns == at_s(0.0)
    assert [r.record.header.measured_ns for r in sharing.due(14.0).released] == [at_s(0.0), at_s(4.0)]


# ------------------------------------------------------------------ plots

RADAR = Sensor(
    name=SENSOR,
    partner="Amber",
    latitude_rad=math.radians(33.0),
    longitude_rad=math.radians(35.0),
    height_m=500.0,
    range_min_m=1000.0,
    range_max_m=500e3,
    elevation_min_rad=0.0,
    elevation_max_rad=1.4,
    sigma_range_m=40.0,
    sigma_azimuth_rad=1e-3,
    sigma_elevation_rad=1e-3,
    sigma_range_rate_ms=4.0,
    period_s=5.0,
    sectors=12,
    detection=0.9,
    clutter_per_scan=100.0,
)
NEAR, AWAY = (30e3, 0.3, 0.1), (300e3, 0.4, 0.1)
NEARBY = circle(33.0, 35.0, 100.0)


def test_plots_leave_as_a_whole_where_no_place_is_asked() -> None:
    sharing = Sharing(rule("plots", to=["Blue"]))
    shared = sharing.offer(0.0, sector(0.0, 7, [NEAR, AWAY]))
    (report,) = to("Blue", shared)
    assert isinstance(report, PlotReport) and report.whole
    assert report.sector == sector(0.0, 7, [NEAR, AWAY])
    assert [(w.kind, w.subject, w.partner, w.rule, w.count) for w in shared.withheld] == [
        ("plots", f"{SENSOR}/7", "Green", "no rule", 2)
    ]
    (report,) = to("Blue", sharing.offer(5.0, sector(5.0, 8, [])))
    assert report.whole and report.sector.range_m == ()


def test_an_area_leaves_plots_out_and_then_the_sector_is_never_whole() -> None:
    row = sensor_row(RADAR)
    latitude, _, _ = ecef2geodetic(*position_of_plot(row, *AWAY))
    assert math.degrees(latitude) > 35.0
    for tables in (
        [rule("plots", area=NEARBY)],
        [coarse("plots", area=NEARBY, pseudonyms=True, key="k")],
    ):
        sharing = Sharing(*tables, sensors=[RADAR])
        shared = sharing.offer(0.0, sector(0.0, 7, [NEAR, AWAY, NEAR]))
        (report,) = to("Green", shared)
        assert not report.whole and report.sector.range_m == (NEAR[0], NEAR[0])
        assert [(w.partner, w.rule, w.count) for w in shared.withheld] == [
            ("Blue", "no rule", 1),
            ("Green", "no rule", 1),
        ]
        assert (SENSOR.encode() in read("Green", shared)) == (tables[0]["release"] == "as is")
        # neither is one whose plots all lie in it, nor one without any: it would say that all else is empty
        (report,) = to("Green", sharing.offer(5.0, sector(5.0, 8, [NEAR])))
        assert not report.whole
        shared = sharing.offer(9.0, sector(9.0, 9, []))
        assert shared.released == () and len(shared.withheld) == 2
    sharing = Sharing(rule("plots", "withheld", area=NEARBY), rule("plots"), sensors=[RADAR])
    (report,) = to("Blue", sharing.offer(0.0, sector(0.0, 7, [AWAY])))
    assert not report.whole


def test_plots_of_a_sensor_that_tells_no_place_fit_no_area() -> None:
    sharing = Sharing(rule("plots", area=NEARBY), sensors=[])
    shared = sharing.offer(0.0, sector(0.0, 7, [NEAR]))
    assert shared.released == () and [w.count for w in shared.withheld] == [1, 1]


# ------------------------------------------------------------------ launches, impacts, health, announced


def test_a_launch_leaves_without_its_impact_where_impacts_are_withheld() -> None:
    sharing = Sharing(rule("launch_areas"), coarse("impacts", to=["Blue"], round_m=5000))
    shared = sharing.offer(0.0, launch(0.0))
    (blue,), (green,) = to("Blue", shared), to("Green", shared)
    assert blue.impact is not None and blue.impact.quantiles == () and blue.area == green.area
    assert green.impact is None
    assert kept(shared) == [("impacts", NUMBER, "Green", "no rule")]
    assert shared.released[0].rules == ("Amber/1", "Amber/2")


def test_a_launch_area_leaves_by_its_class_and_place() -> None:
    sharing = Sharing(
        coarse("launch_areas", classes=["short_range"], area=circle(33.0, 41.0, 20.0), round_m=10e3)
    )
    (report,) = to("Blue", sharing.offer(0.0, launch(0.0)))
    assert report.area.semi_minor_m > 6000.0 and report.area.territories == {}
    assert (report.area.origin_probability, report.area.why) == (None, "")
    assert report.area.azimuth_sigma_rad > 0.2
    shared = sharing.offer(5.0, launch(5.0, where=(34.0, 41.0)))
    assert shared.released == () and kept(shared)[0] == ("launch_areas", NUMBER, "Blue", "no rule")


def test_a_launch_that_is_taken_back_is_so_for_whoever_was_told_and_for_nobody_else() -> None:
    """By then it is taken for another class, of which no rule lets anything go."""
    sharing = Sharing(coarse("launch_areas", to=["Blue"], classes=["short_range"], round_m=10e3))
    back = replace(launch(5.0), withdrawn="no motor", impact=None, object_class="medium_range")
    assert sharing.offer(0.0, back).released == ()
    (told,) = to("Blue", sharing.offer(1.0, launch(1.0)))
    shared = sharing.offer(5.0, back)
    (report,) = to("Blue", shared)
    assert report.withdrawn == "no motor" and report.area.semi_minor_m == told.area.semi_minor_m
    assert to("Green", shared) == [] and kept(shared) == []
    assert sharing.offer(6.0, back).released == ()


def test_what_takes_a_launch_back_does_not_overtake_it() -> None:
    """The impact in the launch waits for a minute, and the launch with it; what takes it back has none."""
    impacts = coarse("impacts", to=["Blue"], delay_s=60.0, round_m=1e3)
    sharing = Sharing(rule("launch_areas", to=["Blue"]), impacts)
    assert sharing.offer(1.0, launch(1.0)).released == ()
    assert sharing.offer(3.0, replace(launch(3.0), impact=None)).released == ()
    assert sharing.offer(5.0, replace(launch(5.0), withdrawn="no motor", impact=None)).released == ()
    left = [r for at in (62.0, 64.0, 66.0) for r in to("Blue", sharing.offer(at))]
    assert [(r.withdrawn, r.impact is None) for r in left] == [("", False), ("", True), ("no motor", True)]


def test_impacts_health_and_announcements_leave_one_by_one() -> None:
    sharing = Sharing(
        rule("impacts", area=circle(32.0, 35.0, 50.0)),
        coarse("health", to=["Blue"], pseudonyms=True, key="k"),
        rule("announced", classes=["medium_range"]),
    )
    falls = (impact(), impact("AMBER-0002", where=(36.0, 35.0)))
    health = (SensorHealth(source=SENSOR, state="silent", last_look_ns=1, detail="no power at amber-north"),)
    shared = sharing.offer(
        0.0,
        ImpactReport(header=header(0.0), rule="", impacts=falls),
        HealthReport(header=header(0.0), rule="", sensors=health),
        AnnouncedReport(header=header(0.0), rule="", announced=(announced(),)),
    )
    assert [(r.kind, r.audience) for r in shared.released] == [
        ("impacts", ("Blue", "Green")),
        ("health", ("Blue",)),
        ("announced", ("Blue", "Green")),
    ]
    falls_told, health_told, announced_told = (r.record for r in shared.released)
    assert [i.track for i in falls_told.impacts] == [NUMBER] and falls_told.rule == "Amber/1"
    assert health_told.sensors[0].source == pseudonym("k", SENSOR)
    assert announced_told.announced == (announced(),)
    assert SENSOR.encode() not in read("Blue", shared)
    assert ("impacts", "AMBER-0002", "Green", "no rule") in kept(shared)
    assert ("health", SENSOR, "Green", "no rule") in kept(shared)


# ------------------------------------------------------------------ alerts


def test_alerts_leave_zone_by_zone_to_their_end() -> None:
    """Zones that are withheld are not named, nor are messages that were for them alone."""
    within, without = (math.radians(33.0), math.radians(35.0)), (math.radians(36.0), math.radians(35.0))
    places = {
        ("Amber", "in"): within, ("Amber", "out"): without,
        # another partner's zones by the same keys are elsewhere
        ("Blue", "in"): without, ("Blue", "out"): within,
    }  # fmt: skip
    sharing = Sharing(
        rule("alerts", area=circle(33.0, 35.0, 50.0), to=["Blue"]), rule("alerts", to=["Green"])
    )
    shared = sharing.offer(0.0, alert(0.0, "m1", ["out"]), zones=places)
    assert to("Blue", shared) == [] and kept(shared) == [("alerts", "m1", "Blue", "no rule")]
    shared = sharing.offer(5.0, alert(5.0, "m2", ["out", "in"], references=("m1",)), zones=places)
    (told,) = to("Blue", shared)
    assert (told.zones, told.references) == (("in",), ())
    over = alert(9.0, "m3", ["out", "in"], action="cancel", references=("m1", "m2"), reason="gone")
    (told,) = to("Blue", sharing.offer(9.0, over, zones=places))
    assert (told.zones, told.references, told.action, told.reason) == (("in",), ("m2",), "cancel", "gone")
    (green,) = to("Green", shared)
    assert (green.zones, green.references) == (("out", "in"), ("m1",))
    # a zone whose place nobody gave lies in no area
    assert to("Blue", sharing.offer(12.0, alert(12.0, "m4", ["in"]))) == []


def test_an_alert_names_those_tracks_alone_of_which_the_partner_was_told() -> None:
    sharing = Sharing(NO_AIRCRAFT, rule(), rule("alerts"), rule("impacts", to=["Green"]))
    sharing.offer(0.0, *seen(0.0, begins=True), *seen(0.0, number="AMBER-0002", phase="cruise", begins=True))
    falls = ImpactReport(header=header(1.0), rule="", impacts=(impact("AMBER-0002"),))
    sharing.offer(1.0, falls)
    behind = (NUMBER, "AMBER-0002", "BLUE-0007", "GREEN-0001")
    shared = sharing.offer(
        2.0,
        alert(2.0, "m1", ["z"], behind, action="cancel", reason="AMBER-0002 was lost"),
        known={"Green": frozenset({"BLUE-0007"})},
    )
    (blue,), (green,) = to("Blue", shared), to("Green", shared)
    assert [n for n, _ in blue.evidence] == [NUMBER, "BLUE-0007"]
    assert blue.reason == "a track was lost"
    assert [n for n, _ in green.evidence] == list(behind) and green.reason == "AMBER-0002 was lost"


# ------------------------------------------------------------------ state


def test_a_sharer_that_was_put_away_and_taken_up_again_goes_on_the_same() -> None:
    tables = [NO_AIRCRAFT, coarse(delay_s=7, to=["Blue"]), coarse(round_m=100)]
    straight, broken = Sharing(*tables), Sharing(*tables)
    steps = [
        seen(s, phase="cruise" if s in (10.0, 15.0) else "ballistic", begins=s == 0.0)
        for s in range(0, 40, 5)
    ]
    for i, records in enumerate(steps):
        one = straight.offer(5.0 * i, *records, alert(5.0 * i, f"m{i}", ["z"]))
        two = broken.offer(5.0 * i, *records, alert(5.0 * i, f"m{i}", ["z"]))
        assert one == two
        broken.sharer = pickle.loads(pickle.dumps(broken.sharer))
