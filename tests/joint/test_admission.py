"""What of a partner's record may be used: each bad part is taken out by name, its good neighbours stay."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from random_records import Maker, bad_impact, bad_track, bad_tracklet, partly_bad

from jointwatch.joint.admission import MOST_TOLD, Screened, improbable, screen, why_refused
from jointwatch.joint.faults import AHEAD_S, Terms
from jointwatch.records import (
    LAUNCH_FLOOR_M,
    AnnouncedReport,
    ImpactReport,
    Message,
    PlotReport,
    SequenceRange,
    TrackBegun,
    TrackletReport,
    TrackReport,
)

S = 1_000_000_000
NOW_NS = 1_800_000_000 * S
NAN = math.nan
TERMS = Terms(
    me="Blue",
    issuer="Amber",
    prefixes=("BLUE-", "AMBER-", "CEDAR-"),
    owns=lambda sensor: sensor.startswith("amber"),
    sealed_ns=NOW_NS,
    oldest_ns=NOW_NS - 600 * S,
)


def maker(seed: int = 0) -> Maker:
    return Maker(Random(seed), "Amber")


def fault(record: Message) -> tuple[str, str]:
    """Reason and field of what is wrong with a record of which nothing can be used."""
    screened = screen(record, TERMS)
    assert screened.record is None and screened.fault is not None, screened
    return screened.fault.reason, screened.fault.field


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_sensible_record_is_used_as_it_is(seed: int) -> None:
    record = maker(seed).any(NOW_NS)
    assert screen(record, TERMS) == Screened(record)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_bad_part_is_taken_out_by_name_and_its_neighbours_stay(seed: int) -> None:
    record, left, count = partly_bad(maker(seed), NOW_NS)
    screened = screen(record, TERMS)
    assert screened.record == left and screened.fault is None
    assert len(screened.dropped) == count
    place, _, rest = screened.dropped[0].partition(" ")
    field, index = place.rstrip("]").split("[")
    assert rest.startswith(f"{getattr(record, field)[int(index)].number}: ")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_part_with_any_one_impossible_value_is_found(seed: int) -> None:
    made, rng = maker(seed), Random(seed)
    reports: tuple[Message, ...] = (
        TrackReport(header=made.header(NOW_NS), rule="", tracks=(bad_track(made.track(NOW_NS), rng),)),
        TrackletReport(
            header=made.header(NOW_NS), rule="", tracklets=(bad_tracklet(made.tracklet(NOW_NS), rng),)
        ),
        ImpactReport(header=made.header(NOW_NS), rule="", impacts=(bad_impact(made.impact(NOW_NS), rng),)),
    )
    for report in reports:
        assert fault(report)[0] == "bad values"


def test_a_report_that_holds_nothing_is_no_fault() -> None:
    empty = TrackletReport(header=maker().header(NOW_NS), rule="Amber/tracks")
    assert screen(empty, TERMS) == Screened(empty)


def test_a_report_keeps_what_began_though_all_its_tracklets_are_bad() -> None:
    begun = (TrackBegun(number="AMBER-0001", first_ns=NOW_NS, log_odds=3.0),)
    report = replace(maker(1).tracklet_report(NOW_NS), begun=begun)
    bad = tuple(replace(t, evidence=NAN) for t in report.tracklets)
    screened = screen(replace(report, tracklets=bad, ended=()), TERMS)
    assert screened.record == replace(report, tracklets=(), ended=())
    assert len(screened.dropped) == len(bad)


def test_of_very_many_bad_parts_the_first_are_told_and_the_others_counted() -> None:
    made = maker()
    bad = tuple(replace(made.tracklet(NOW_NS), evidence=NAN) for _ in range(MOST_TOLD + 7))
    report = replace(made.tracklet_report(NOW_NS), tracklets=(*bad, made.tracklet(NOW_NS)))
    dropped = screen(report, TERMS).dropped
    assert len(dropped) == MOST_TOLD + 1 and dropped[-1] == "and 7 more"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"originator": "Cedar"}, ("out of scope", "header.originator")),
        ({"handling": "own"}, ("out of scope", "header.handling")),
        ({"handling": ""}, ("out of scope", "header.handling")),
        ({"source": "a\nb"}, ("bad values", "header.source")),
        ({"source": "x" * 81}, ("bad values", "header.source")),
        ({"sequence": -1}, ("bad values", "header.sequence")),
        ({"time_sigma_s": NAN}, ("bad values", "header.time_sigma_s")),
        ({"measured_ns": NOW_NS + round(AHEAD_S * S) + 1}, ("bad values", "header.measured_ns")),
        ({"provenance": (SequenceRange("s", 5, 4),)}, ("bad values", "header.provenance")),
    ],
)
def test_every_record_answers_for_its_header(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    made = maker()
    for record in (made.tracklet_report(NOW_NS), made.alert(NOW_NS), made.plot_report(NOW_NS)):
        assert fault(replace(record, header=replace(record.header, **changes))) == expected


def test_numbers_are_the_issuers_own_and_parents_those_of_anybody_known() -> None:
    made = maker()
    report = made.tracklet_report(NOW_NS)
    one = made.tracklet(NOW_NS)
    for number in ("CEDAR-0001", "BLUE-0001", "amber-0001", "AMBER", ""):
        alone = replace(report, begun=(), ended=(), tracklets=(replace(one, number=number),))
        assert fault(alone) == ("out of scope", "tracklets[0].number"), number
    track = made.track(NOW_NS)
    tracks = made.track_report(NOW_NS)
    for parent, good in (("", True), ("CEDAR-7", True), ("BLUE-7", True), ("DUNE-7", False)):
        child = replace(tracks, tracks=(replace(track, parent=parent),))
        assert (screen(child, TERMS).record is not None) == good, parent
    inner = replace(track, header=replace(track.header, originator="Cedar"))
    assert fault(replace(tracks, tracks=(inner,))) == ("out of scope", "tracks[0].header.originator")


def test_a_fall_and_a_launch_may_be_of_any_known_partners_number() -> None:
    made = maker()
    falls, launch = made.impact_report(NOW_NS), made.launch_report(NOW_NS)
    for number, good in (("AMBER-1", True), ("BLUE-1", True), ("CEDAR-1", True), ("DUNE-1", False)):
        named = replace(falls, impacts=(replace(falls.impacts[0], track=number),))
        assert (screen(named, TERMS).record is not None) == good
        area = replace(launch, area=replace(launch.area, track=number))
        assert (screen(area, TERMS).record is not None) == good
    assert fault(replace(launch, impact=replace(launch.impact, track="DUNE-1"))) == (
        "out of scope",
        "impact.track",
    )


def test_a_sensor_is_the_issuers_or_a_pseudonym_which_plots_cannot_have() -> None:
    made = maker()
    report, plots = made.tracklet_report(NOW_NS), made.plot_report(NOW_NS)
    for source, tracklets, sectors in (
        ("amber-x", True, True),
        ("src-12", True, False),
        ("blue-one", False, False),
    ):
        one = replace(report, begun=(), ended=(), tracklets=(replace(made.tracklet(NOW_NS), source=source),))
        assert (screen(one, TERMS).record is not None) == tracklets
        sector = replace(plots, sector=replace(plots.sector, sensor=source))
        assert (screen(sector, TERMS).record is not None) == sectors


def test_no_launch_area_enters_finer_than_the_floor_that_none_leaves_finer_than() -> None:
    assert LAUNCH_FLOOR_M == 2000.0
    launch = maker().launch_report(NOW_NS)
    for major, minor, good in (
        (2000.0, 2000.0, True),
        (2000.0 * (1.0 - 1e-12), 2000.0 * (1.0 - 1e-12), True),  # as rounding makes it
        (5000.0, 1999.9, False),
        (1999.9, 1999.9, False),
        (2000.0, 3000.0, False),
        (NAN, 2000.0, False),
        (3e7, 2000.0, False),
    ):
        area = replace(launch.area, semi_major_m=major, semi_minor_m=minor)
        assert (screen(replace(launch, area=area), TERMS).record is not None) == good, (major, minor)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"origin_probability": NAN}, "origin_probability"),
        ({"origin_probability": 1.5}, "origin_probability"),
        ({"azimuth_rad": NAN, "azimuth_sigma_rad": 0.1}, "azimuth_rad"),
        ({"azimuth_rad": 1e3, "azimuth_sigma_rad": 0.1}, "azimuth_rad"),
        ({"azimuth_rad": 1.0, "azimuth_sigma_rad": -0.1}, "azimuth_sigma_rad"),
        ({"azimuth_rad": 1.0, "azimuth_sigma_rad": NAN}, "azimuth_sigma_rad"),
        ({"azimuth_rad": 1.0, "azimuth_sigma_rad": None}, "azimuth_sigma_rad"),
        ({"azimuth_rad": None, "azimuth_sigma_rad": 0.1}, "azimuth_sigma_rad"),
        ({"sensors": -1}, "sensors"),
        ({"sensors": 10**6}, "sensors"),
        ({"why": "a\x1b[2Jb"}, "why"),
        ({"why": "x" * 10_000}, "why"),
    ],
)
def test_what_a_launch_area_says_of_its_origin_and_azimuth_can_be(values: dict[str, Any], field: str) -> None:
    launch = maker().launch_report(NOW_NS)
    none = replace(
        launch.area, origin_probability=None, why="", azimuth_rad=None, azimuth_sigma_rad=None, sensors=0
    )
    assert screen(replace(launch, area=none), TERMS).record is not None
    screened = screen(replace(launch, area=replace(launch.area, **values)), TERMS)
    assert screened.record is None
    assert f"area.{field}" in str(screened)


def test_a_sector_loses_plots_that_are_no_numbers_and_then_proves_nothing_more() -> None:
    made = maker()
    plots = next(p for p in iter(lambda: made.plot_report(NOW_NS), None) if len(p.sector.range_m) > 2)
    ranges = (plots.sector.range_m[0], NAN, *plots.sector.range_m[2:])
    screened = screen(replace(plots, sector=replace(plots.sector, range_m=ranges)), TERMS)
    assert isinstance(screened.record, PlotReport)
    assert not screened.record.whole and len(screened.dropped) == 1
    assert screened.record.sector.range_m == ranges[:1] + ranges[2:]
    assert screened.record.sector.azimuth_rad == plots.sector.azimuth_rad[:1] + plots.sector.azimuth_rad[2:]


def test_columns_that_are_not_measured_may_be_empty_but_others_are_of_one_length() -> None:
    plots = maker().plot_report(NOW_NS)
    flat = replace(
        plots.sector, range_m=(1e5, 2e5), azimuth_rad=(0.6, 0.7), elevation_rad=(), range_rate_ms=()
    )
    assert screen(replace(plots, sector=flat), TERMS).record is not None
    assert fault(replace(plots, sector=replace(flat, range_m=(1e5,))))[0] == "bad values"


def test_an_alert_is_to_its_issuers_own_people() -> None:
    assert fault(replace(maker().alert(NOW_NS), partner="Blue")) == ("out of scope", "partner")


@pytest.mark.parametrize(
    "changes",
    [
        {"radius_m": 6e5},
        {"radius_m": -1.0},
        {"to_ns": NOW_NS + 40 * 86_400 * S},
        {"from_ns": NOW_NS + 400 * 86_400 * S, "to_ns": NOW_NS + 401 * 86_400 * S},
        {"to_ns": NOW_NS},
        {"tolerance_rad": 3.2},
        {"name": ""},
    ],
)
def test_no_announcement_takes_in_all_launches_everywhere(changes: dict[str, Any]) -> None:
    """It would keep every alarm down."""
    report = maker().announced_report(NOW_NS)
    bad = replace(report.announced[0], **changes)
    assert fault(replace(report, announced=(bad,)))[0] == "bad values"
    screened = screen(replace(report, announced=(bad, *report.announced)), TERMS)
    assert isinstance(screened.record, AnnouncedReport) and screened.record.announced == report.announced


# ---------------------------------------------------------------------- information

UPPER = np.triu_indices(6)


def judged(matrix: Any) -> tuple[bool, bool]:
    """Whether a 6 x 6 matrix is too much, and whether it is indefinite."""
    much, indefinite = improbable(np.asarray(matrix, dtype=float)[UPPER][None])
    return bool(much[0]), bool(indefinite[0])


@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(1, 6))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_any_look_tells_passes_and_the_same_less_a_little_does_not(seed: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(rank, 6)) / np.exp(rng.uniform(0.0, 8.0, size=(rank, 1)))
    information = rows.T @ rows
    assert judged(information) == (False, False)
    # and where it is made by taking one inverse covariance from another, with their rounding
    prior = np.diag([1e-7] * 3 + [1e-3] * 3)
    after = np.linalg.inv(np.linalg.inv(prior + information))
    assert judged(0.5 * (after + after.T) - prior) == (False, False)
    # the same in the twin: eigenvalues in the scale of place and velocity
    scale = np.sqrt(np.repeat([np.diag(information)[:3].max(), np.diag(information)[3:].max()], 3))
    direction = rng.normal(size=6)
    direction /= np.linalg.norm(direction)
    less = information - 20.0 * np.outer(direction * scale, direction * scale)
    assert judged(less)[1]


def test_information_where_a_look_tells_nothing_must_be_nought_all_over() -> None:
    assert judged(np.zeros((6, 6))) == (False, False)
    lone = np.zeros((6, 6))
    lone[0, 0], lone[0, 4] = 1e-4, 1e-4
    assert judged(lone)[1]
    lone[0, 0] = 0.0
    assert judged(lone)[1]


def test_information_beyond_any_sensor_is_too_much() -> None:
    assert judged(np.diag([0.02**-2] * 3 + [0.002**-2] * 3)) == (False, False)
    assert judged(np.diag([0.009**-2, 0.0, 0.0, 0.0, 0.0, 0.0]))[0]
    assert judged(np.diag([0.0, 0.0, 0.0, 0.0, 0.0, 0.0009**-2]))[0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=21, max_size=21))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_finite_information_is_judged_without_an_error(values: list[float]) -> None:
    much, indefinite = improbable(np.array([values]))
    assert much.shape == indefinite.shape == (1,)


def test_a_track_that_is_refused_says_why() -> None:
    track = maker().track(NOW_NS)
    assert why_refused(track, "Blue", NOW_NS) == ""
    assert why_refused(track, "Amber", NOW_NS) == "our own track came back"
    assert why_refused(replace(track, covariance=()), "Blue", NOW_NS) == "covariance is not 28 finite numbers"
