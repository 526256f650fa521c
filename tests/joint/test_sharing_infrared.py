"""Infrared scans between partners: what leaves by which rule, what is said of it, and what may come in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from offered import PARTNERS, Sharing, circle, coarse, kept, rule, rules_of, sector, to
from reported_tracks import at_s

from jointwatch.earth.frames import ecef2geodetic, geodetic2ecef
from jointwatch.earth.places import load_territories
from jointwatch.joint.admission import screen
from jointwatch.joint.coarsening import pseudonym
from jointwatch.joint.faults import Terms
from jointwatch.joint.sharing import Item, decide, strictest
from jointwatch.joint.sharing_words import describe
from jointwatch.records import BadInput, Header, InfraredScan, PlotReport, Satellite
from jointwatch.sensing.infrared import disc_half_angle, geostationary_site, hidden_by_earth

EYE = Satellite(
    name="amber-eye",
    partner="Amber",
    longitude_rad=math.radians(75.0),
    sigma_rad=20e-6,
    period_s=10.0,
    detection=0.9,
    cloud_m=8e3,
    clutter_per_scan=1.0,
)
SITE = geostationary_site(EYE)
LANDS = {"Ochre": ("368",), "Garnet": ("364",)}


def scan_of(*places: tuple[float, float, float], seconds: float = 1.0, **changes: Any) -> InfraredScan:
    """A scan with plots of places (degrees, m)."""
    points = [np.array(geodetic2ecef(math.radians(a), math.radians(b), h)) for a, b, h in places]
    along = [(p - SITE) / np.linalg.norm(p - SITE) for p in points]
    x, y, z = (tuple(map(float, c)) for c in zip(*along, strict=True)) if along else ((), (), ())
    scan = InfraredScan(
        header=Header(originator="Amber", source=EYE.name, sequence=7, measured_ns=at_s(seconds)),
        sensor=EYE.name,
        received_ns=at_s(seconds),
        site_m=tuple(SITE.tolist()),
        axis=tuple((-SITE / np.linalg.norm(SITE)).tolist()),
        half_angle_rad=disc_half_angle(SITE),
        along_x=x,
        along_y=y,
        along_z=z,
        intensity_w_sr=tuple(1e4 * (i + 1) for i in range(len(points))),
    )
    return replace(scan, **changes)


def shared(scan: InfraredScan, *tables: dict[str, Any], **options: Any) -> Any:
    return Sharing(*tables, **options).offer(1.0, scan)


# ---------------------------------------------------------------------- what leaves


def test_a_scan_leaves_whole_by_a_rule_for_all_plots_and_stays_without_one() -> None:
    scan = scan_of((33.0, 45.0, 1e4), (30.0, 50.0, 0.0))
    (report,) = to("Blue", shared(scan, rule("plots", to=["Blue"])))
    assert isinstance(report, PlotReport) and report.whole and report.sector == scan
    assert kept(shared(scan, rule("plots", to=["Blue"]))) == [("plots", "amber-eye/7", "Green", "no rule")]
    assert to("Blue", shared(scan)) == []


def test_a_rule_for_one_kind_of_sensor_lets_the_other_stay() -> None:
    scan, radar = scan_of((33.0, 45.0, 1e4)), sector(1.0, 4, [(1e5, 0.5, 0.2)])
    infrared_only = rule("plots", sensors=["infrared"])
    assert len(to("Blue", shared(scan, infrared_only))) == 1
    assert to("Blue", shared(radar, infrared_only)) == []
    both = [rule("plots", "withheld", sensors=["infrared"], name="no eyes"), rule("plots")]
    assert to("Blue", shared(scan, *both)) == []
    assert kept(shared(scan, *both))[0][3] == "no eyes"
    (report,) = to("Blue", shared(radar, *both))
    assert report.whole and report.sector == radar


def test_a_pseudonym_hides_the_name_of_the_satellite() -> None:
    (report,) = to("Blue", shared(scan_of((33.0, 45.0, 1e4)), coarse("plots", pseudonyms=True, key="k")))
    assert report.sector.sensor == report.sector.header.source == pseudonym("k", "amber-eye")
    assert report.whole and len(report.sector.along_x) == 1


def test_a_delay_holds_a_scan_back() -> None:
    sharing = Sharing(coarse("plots", delay_s=30.0))
    assert to("Blue", sharing.offer(1.0, scan_of((33.0, 45.0, 1e4)))) == []
    (report,) = to("Blue", sharing.due(31.0))
    assert report.sector.along_x


def test_a_line_that_may_lie_in_a_withheld_place_at_any_height_stays() -> None:
    """Seen from 75 E, what burns over one place at 50 km may as well stand on the ground west of it."""
    aloft = scan_of((33.0, 45.0, 50e3))
    way = np.array([aloft.along_x[0], aloft.along_y[0], aloft.along_z[0]])
    under = ecef2geodetic(
        *(np.array(geodetic2ecef(math.radians(33.0), math.radians(45.0), 50e3)) + 6e4 * way)
    )
    assert under[1] < math.radians(44.9)
    for latitude, longitude in ((33.0, 45.0), (math.degrees(under[0]), math.degrees(under[1]))):
        near = rule("plots", "withheld", area=circle(latitude, longitude, 25.0), name="not here")
        out = shared(aloft, near, rule("plots"))
        assert to("Blue", out) == [] and ("plots", "amber-eye/7", "Blue", "not here") in kept(out)
    far = rule("plots", "withheld", area=circle(33.0, 50.0, 25.0), name="not there")
    (report,) = to("Blue", shared(aloft, far, rule("plots")))
    assert report.sector.along_x == aloft.along_x and not report.whole


def test_a_line_leaves_by_a_place_only_where_all_it_may_mean_lies_in_it() -> None:
    scan = scan_of((33.0, 45.0, 0.0), (33.0, 60.0, 0.0))
    wide = rule("plots", area=circle(33.0, 45.0, 500.0))
    (report,) = to("Blue", shared(scan, wide))
    assert report.sector.along_x == scan.along_x[:1] and not report.whole
    assert to("Blue", shared(scan, rule("plots", area=circle(33.0, 45.0, 5.0)))) == []


def test_a_territory_withholds_what_may_be_over_it_whatever_else_is_in_the_scan() -> None:
    territories = load_territories(LANDS)
    over, sea = (33.3, 44.0, 0.0), (35.0, 33.5, 0.0)
    closed = [rule("plots", "withheld", territories=["Ochre"]), rule("plots")]
    scan = scan_of(over, sea)
    nan = replace(
        scan,
        along_x=(math.nan, *scan.along_x),
        along_y=(math.nan, *scan.along_y),
        along_z=(math.nan, *scan.along_z),
        intensity_w_sr=(1.0, *scan.intensity_w_sr),
    )
    for offered in (scan, nan):
        (report,) = to("Blue", shared(offered, *closed, territories=territories))
        assert report.sector.along_x == scan.along_x[1:] and not report.whole


def test_a_scan_that_lost_what_may_have_been_a_plot_is_not_called_whole() -> None:
    scan = scan_of((33.0, 45.0, 0.0), (30.0, 50.0, 0.0))
    (report,) = to("Blue", shared(replace(scan, along_z=(math.nan, scan.along_z[1])), rule("plots")))
    assert not report.whole and report.sector.along_x == scan.along_x[1:]


def test_what_is_no_look_at_all_never_leaves() -> None:
    for changes in ({"along_x": ()}, {"site_m": (math.nan, 0.0, 0.0)}, {"axis": (0.0, 0.0, 0.0)}):
        assert to("Blue", shared(scan_of((33.0, 45.0, 0.0), **changes), rule("plots"))) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(5.0, 50.0), st.floats(20.0, 75.0), st.floats(0.0, 100e3)), max_size=6),
    st.floats(10.0, 45.0),
    st.floats(25.0, 70.0),
    st.floats(5.0, 800.0),
)
def test_no_plot_whose_ground_lies_in_a_withheld_circle_ever_leaves(
    places: list[tuple[float, float, float]], latitude: float, longitude: float, radius_km: float
) -> None:
    """For what burns at one of the heights that are asked, which is all that can be promised."""
    asked = [(a, b, min((0.0, 20e3, 50e3, 100e3), key=lambda h: abs(h - c))) for a, b, c in places]
    points = [np.array(geodetic2ecef(math.radians(a), math.radians(b), h)) for a, b, h in asked]
    seen = [p for p, q in zip(asked, points, strict=True) if not hidden_by_earth(SITE, q[None])[0]]
    scan = scan_of(*seen)
    closed = rule("plots", "withheld", area=circle(latitude, longitude, radius_km))
    out = to("Blue", shared(scan, closed, rule("plots")))
    left = {x for report in out for x in report.sector.along_x}
    centre = np.array(geodetic2ecef(math.radians(latitude), math.radians(longitude), 0.0))
    for place, x in zip(seen, scan.along_x, strict=True):
        ground = np.array(geodetic2ecef(math.radians(place[0]), math.radians(place[1]), 0.0))
        angle = math.acos(
            min(1.0, float(ground @ centre) / float(np.linalg.norm(ground) * np.linalg.norm(centre)))
        )
        if 6371.0 * angle < radius_km * 0.99 - 1.0:
            assert x not in left


def test_the_strictest_of_several_rules_is_the_one_that_lets_go_least() -> None:
    rules = rules_of(
        rule("plots", "withheld", area=circle(10.0, 10.0, 1.0)),
        coarse("plots", pseudonyms=True, key="k", area=circle(20.0, 10.0, 1.0)),
        coarse("plots", delay_s=60.0, area=circle(30.0, 10.0, 1.0)),
        coarse("plots", delay_s=5.0, area=circle(40.0, 10.0, 1.0)),
        rule("plots"),
    )
    order = [None, *rules]
    for i, first in enumerate(order):
        for second in order[i:]:
            assert strictest([first, second]) is strictest([second, first]) is first


# ---------------------------------------------------------------------- rules and words


def test_only_plots_are_told_apart_by_the_kind_of_their_sensor() -> None:
    with pytest.raises(BadInput, match=r"sharing\.Amber\[0\]\.sensors: found infrared"):
        rules_of(rule("tracks", sensors=["infrared"]))
    with pytest.raises(BadInput, match="sensors"):
        rules_of(rule("plots", sensors=["sonar"]))
    with pytest.raises(BadInput, match="sensors"):
        rules_of(rule("plots", sensors=[]))


def test_a_rule_that_two_kinds_of_sensors_leave_nothing_for_is_refused() -> None:
    radar, infrared = rule("plots", sensors=["radar"]), rule("plots", sensors=["infrared"])
    assert len(rules_of(radar, infrared)) == len(rules_of(radar, rule("plots"))) == 2
    with pytest.raises(BadInput, match="never decide"):
        rules_of(radar, infrared, rule("plots"))
    with pytest.raises(BadInput, match="never decide"):
        rules_of(rule("plots"), infrared)


def test_the_words_say_which_plots_leave() -> None:
    words = describe(rules_of(rule("plots", sensors=["infrared"], name="eyes")), "Amber", PARTNERS)
    assert words[0] == (
        "Blue and Green get plots of infrared sensors as they are, with the names of the sensors "
        "(rule eyes); no others: no rule releases them"
    )
    both = rules_of(
        rule("plots", "withheld", sensors=["radar"], name="own"),
        rule("plots", sensors=["infrared"], name="eyes"),
    )
    assert describe(both, "Amber", PARTNERS)[0] == (
        "Blue and Green get no plots of radars (rule own); of the others those of infrared sensors "
        "as they are, with the names of the sensors (rule eyes)"
    )
    assert decide(both, "Blue", Item(kind="plots", sensor="infrared")) is both[1]


# ---------------------------------------------------------------------- what may come in

TERMS = Terms(
    me="Blue",
    issuer="Amber",
    prefixes=("BLUE-", "AMBER-"),
    owns=lambda sensor: sensor == EYE.name,
    sealed_ns=at_s(3.0),
    oldest_ns=at_s(-600.0),
)


def reported(scan: InfraredScan) -> PlotReport:
    header = Header(
        originator="Amber", source="amber-node", sequence=1, measured_ns=at_s(1.0), handling="joint"
    )
    return PlotReport(header=header, rule="plots", sector=scan)


def test_a_sound_scan_comes_in_as_it_is() -> None:
    for scan in (scan_of(), scan_of((33.0, 45.0, 1e4), (30.0, 50.0, 0.0))):
        screened = screen(reported(scan), TERMS)
        assert screened.record == reported(scan) and not screened.dropped


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"sensor": "blue-eye"}, "out of scope", "sector.sensor"),
        ({"received_ns": at_s(60.0)}, "bad values", "sector.received_ns"),
        ({"along_y": ()}, "bad values", "sector"),
        ({"site_m": (math.inf, 0.0, 0.0)}, "bad values", "sector"),
        ({"site_m": (6.4e6, 0.0, 0.0)}, "bad values", "sector"),
        ({"axis": (0.0, 0.0, 2.0)}, "bad values", "sector"),
        ({"half_angle_rad": math.nan}, "bad values", "sector"),
        ({"along_x": (math.nan,)}, "bad values", "sector"),
    ],
)
def test_a_scan_that_no_satellite_of_the_issuer_can_have_given_is_refused(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    screened = screen(reported(scan_of((33.0, 45.0, 1e4), **changes)), TERMS)
    assert screened.record is None and screened.fault is not None
    assert (screened.fault.reason, screened.fault.field) == (reason, field)


def test_a_bad_plot_is_taken_out_by_name_and_its_neighbours_stay() -> None:
    scan = scan_of((33.0, 45.0, 1e4), (30.0, 50.0, 0.0), (31.0, 50.0, 0.0))
    dark = replace(scan, intensity_w_sr=(1e4, -1.0, 1e4))
    screened = screen(reported(dark), TERMS)
    assert isinstance(screened.record, PlotReport) and screened.record.whole
    assert screened.record.sector.along_x == (scan.along_x[0], scan.along_x[2])
    assert screened.dropped == ("plots[1] amber-eye: is of no positive intensity",)
    long = replace(scan, along_x=(2.0, *scan.along_x[1:]))
    screened = screen(reported(long), TERMS)
    assert isinstance(screened.record, PlotReport) and not screened.record.whole
    assert screened.dropped == ("plots[0] amber-eye: is not a unit vector",)
