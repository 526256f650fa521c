"""Satellites from two-line elements stand where published orbits say, and see what others see."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from made_elements import MOLNIYA, checked, elements

from jointwatch.cli.describe import _over
from jointwatch.earth.frames import ecef2geodetic
from jointwatch.exercise.infrared import simulate_scans
from jointwatch.exercise.orbits import sites_of, teme_to_ecef
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.scenario_tables import SatelliteEntry
from jointwatch.records import BadInput
from jointwatch.sensing.infrared import NEAREST_SITE_M, lines_of, usable, why_refused

SHIPPED = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"
START_NS = 1_767_650_400_000_000_000  # of the shipped exercise
AMC_4 = (
    "1 25954U 99060A   04039.68057285 -.00000108  00000-0  00000-0 0  6847",
    "2 25954   0.0004 243.8136 0001765  15.5294  22.7134  1.00271289 15615",
)
MOLNIYA_2_14 = (
    "1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813",
    "2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656",
)


def entry(lines):
    return SatelliteEntry(
        name="eye", partner="Amber", elements=lines, sigma_urad=20, period_s=10, detection=1, cloud_km=0,
        clutter_per_scan=0,
    )  # fmt: skip


def at_ns(*when):
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9


def with_orbit(tmp_path, place, clutter=0.0, duration_s=None):
    """The shipped exercise whose first satellite has another orbit, and sees without noise or misses."""
    text = SHIPPED.read_text(encoding="utf-8")
    for name in ("procedure.toml", "assessment.toml"):
        text = text.replace(f'"{name}"', f'"{SHIPPED.parent / name}"')
    begin, end = text.index("[[satellites]]"), text.index("# --- What flies")
    one = f'name = "amber-high"\npartner = "Amber"\n{place}\nsigma_urad = 0.1\nperiod_s = 10\ndetection = 1\n'
    text = text[:begin] + f"[[satellites]]\n{one}cloud_km = 0\nclutter_per_scan = {clutter}\n" + text[end:]
    path = tmp_path / "orbit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def toml(lines):
    return f'elements = ["{lines[0]}", "{lines[1]}"]'


def test_temes_turn_to_the_earth_is_the_published_one():
    """Vallado et al. 2006 (AIAA-2006-6753), appendix C, with the day's UT1 - UTC put in: to 2 cm."""
    when = at_ns(2004, 4, 6, 7, 51, 27) + 946_047_100
    place = teme_to_ecef(np.array([5094180.16210, 6127644.65950, 6380344.53270]), when)
    assert place == pytest.approx([-1033475.03130, 7901305.58560, 6380344.53270], abs=0.02)


def test_a_known_geostationary_satellite_stands_over_its_known_meridian():
    """AMC-4, of SGP4's published test cases, was kept at 101 W."""
    site = sites_of(entry(AMC_4))
    for hour in range(0, 24, 6):
        latitude, longitude, height = ecef2geodetic(*site(at_ns(2004, 2, 8, 16, 20) + hour * 3600 * 10**9))
        assert math.degrees(longitude) == pytest.approx(-101.0, abs=0.1)
        assert abs(math.degrees(latitude)) < 0.03 and height == pytest.approx(35_786e3, abs=20e3)


def test_sgp4_gives_the_published_places_of_a_molniya_orbit():
    """SGP4's published output of case 08195 (TEME, km), minutes after its epoch: to 5 m, of the epoch's
    rounding."""
    epoch = at_ns(2006, 6, 25, 7, 58, 18) + 143_456_000
    for minutes, wanted in (
        (0, (2349.89483350, -14785.93811562, 0.02119378)),
        (120, (15223.91713658, -17852.95881713, 25280.39558224)),
        (240, (19752.78050009, -8600.07130962, 37522.72921090)),
    ):
        when = epoch + minutes * 60 * 10**9
        site = sites_of(entry(MOLNIYA_2_14))(when)
        assert site == pytest.approx(teme_to_ecef(1e3 * np.array(wanted), when), abs=5.0)


def test_elements_of_a_geostationary_orbit_see_what_its_longitude_sees(tmp_path, truth):
    still = load_scenario(with_orbit(tmp_path, "longitude_deg = 10"))
    moves = load_scenario(with_orbit(tmp_path, toml(elements(START_NS, 10.0))))
    assert moves.satellite_records()[0].longitude_rad == pytest.approx(math.radians(10.0), abs=1e-3)
    plots = 0
    for a, b in zip(simulate_scans(still, truth, 1), simulate_scans(moves, truth, 1), strict=True):
        apart = np.linalg.norm(np.subtract(a.site_m, b.site_m))
        assert apart < 25e3 and (a.header, len(a.along_x)) == (b.header, len(b.along_x))
        # the same places from sites so far apart, 36,000 km away or more; neighbours may change their order
        turned = lines_of(a) @ lines_of(b).T
        if len(turned):
            off = np.sqrt(2.0 * np.maximum(1.0 - turned.max(axis=1), 0.0))
            assert off.max() < apart / 35.7e6 + 2e-6
        plots += len(a.along_x)
    assert plots > 300


@pytest.mark.parametrize(
    ("lines", "moved_km"),
    [
        (elements(START_NS, 48.0, 63.4, 0.7, 110.0, MOLNIYA, 270.0), 1000.0),
        (elements(START_NS, 30.0, 5.0, 0.0002, 60.0), 100.0),
    ],
)
def test_a_satellite_that_moves_gives_scans_of_use_from_where_it_is(tmp_path, truth, lines, moved_km):
    scenario = load_scenario(with_orbit(tmp_path, toml(lines), clutter=5.0))
    declared = {s.name: s for s in scenario.satellite_records()}
    scans = list(simulate_scans(scenario, truth, 1))
    for scan in scans:
        assert why_refused(scan, declared) == "" and not usable(scan).unusable
    assert np.linalg.norm(np.subtract(scans[0].site_m, scans[-1].site_m)) > 1e3 * moved_km
    assert sum(len(s.along_x) for s in scans) > 300 + 4 * len(scans)
    words = _over(scenario.satellites[0], scenario)
    assert words.startswith("over ") and words.count("° N ") == 2 and " km, then " in words


def test_near_its_perigee_a_satellite_does_not_look(tmp_path, truth):
    lines = elements(START_NS, 48.0, 63.4, 0.7, 348.0, MOLNIYA, 90.0)  # 24 minutes before it
    scenario = load_scenario(with_orbit(tmp_path, toml(lines)))
    site = sites_of(scenario.satellites[0])
    scans = list(simulate_scans(scenario, truth, 1))
    high = [
        t
        for t in range(scenario.start_ns, scenario.end_ns, 10**10)
        if np.linalg.norm(site(t)) > NEAREST_SITE_M
    ]
    assert 0 < len(scans) < scenario.scenario.duration_s / 10.0 - 5
    assert abs(len(scans) - len(high)) <= 1
    assert [s.header.sequence for s in scans] == list(range(len(scans)))


def refused(tmp_path, place):
    with pytest.raises(BadInput) as error:
        load_scenario(with_orbit(tmp_path, place))
    return str(error.value)


GOOD = elements(START_NS, 10.0)


@pytest.mark.parametrize(
    ("place", "field", "said"),
    [
        ("", "longitude_deg", "neither"),
        (f"longitude_deg = 10\n{toml(GOOD)}", "longitude_deg", "both"),
        (toml((GOOD[0][:-1], GOOD[1])), "elements[0]", "68 characters"),
        (toml((GOOD[0], GOOD[1][:-1] + str((int(GOOD[1][-1]) + 1) % 10))), "elements[1]", "checksum"),
        (toml((GOOD[0], checked(GOOD[1][:8] + "  x.0000" + GOOD[1][16:-1]))), "elements[1]", "columns"),
        (toml((GOOD[1], GOOD[0])), "elements[0]", "line 1 of"),
        (toml((GOOD[0], checked("2 99998" + GOOD[1][7:-1]))), "elements[1]", "99999"),
        (toml(elements(START_NS - 40 * 86_400 * 10**9, 10.0)), "elements", "40 days"),
        (toml(elements(START_NS, 48.0, 63.4, 0.757, 180.0, MOLNIYA, 270.0)), "elements", "perigee of"),
        (toml(elements(START_NS, 48.0, 51.6, 0.0005, 0.0, 15.5)), "elements", "apogee of"),
        (toml(elements(START_NS, -140.0)), "elements", "below the horizon"),
        (toml(elements(START_NS, 48.0, 63.4, 0.7, 0.0, MOLNIYA, 270.0)), "elements", "too low"),
    ],
)  # fmt: skip
def test_bad_elements_are_refused_by_file_satellite_and_field(tmp_path, place, field, said):
    words = refused(tmp_path, place)
    assert "orbit.toml" in words and f"satellites[0].{field}" in words and "amber-high" in words
    assert said in words
