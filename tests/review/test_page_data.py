"""What the report's page is handed is what happened: places in degrees, times from the start."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.records import Impact, Zone
from jointwatch.review import page_data as page
from jointwatch.review import page_ground
from jointwatch.review.after_action import write_results
from jointwatch.review.report import report_html

Played = tuple[Any, Path]


@pytest.fixture(scope="module")
def data(small_played: Played) -> dict[str, Any]:
    from jointwatch.review.score import summarise

    recording, _ = small_played
    return page.page_data(recording, summarise(recording) | {"sentence": "Together: measured."})


def test_the_page_takes_the_data(data: dict[str, Any]) -> None:
    assert "Together: measured." in report_html(data)


def test_every_flight_is_drawn_from_launch_to_fall(small_played: Played, data: dict[str, Any]) -> None:
    recording, _ = small_played
    assert [t["name"] for t in data["truth"]] == [o.name for o in recording.truth.objects]
    falls = {f["name"]: f for f in data["falls"]}
    assert len(falls) == 3
    for flown in data["truth"]:
        times = [row[0] for row in flown["path"]]
        assert times == sorted(times)
        if flown["end"] == "impact":
            last, fall = flown["path"][-1], falls[flown["name"]]
            assert last[0] == fall["t"]
            assert abs(last[1] - fall["lon"]) < 1e-3 and abs(last[2] - fall["lat"]) < 1e-3
            assert abs(last[3]) < 0.5  # km above the ellipsoid: on the ground
            assert max(row[3] for row in flown["path"]) > 5.0


def test_a_track_lies_on_a_flight(data: dict[str, Any]) -> None:
    flights = [np.array(t["path"]) for t in data["truth"] if t["class"] != "aircraft"]
    tracks = [t for t in data["pictures"]["joint"]["tracks"] if t["class"] == "heavy rocket"]
    assert len(tracks) >= 3
    for track in tracks:
        t, lon, lat, alt, _ = track["path"][-1]
        apart = []
        for flight in flights:
            there = [np.interp(t, flight[:, 0], flight[:, k]) for k in (1, 2, 3)]
            apart.append(
                math.dist(
                    geodetic2ecef(math.radians(lat), math.radians(lon), 1000 * alt),
                    geodetic2ecef(math.radians(there[1]), math.radians(there[0]), 1000 * there[2]),
                )
            )
        assert min(apart) < 1000.0


def test_alerts_name_zones_by_their_place_in_the_list(small_played: Played, data: dict[str, Any]) -> None:
    recording, _ = small_played
    shown = data["pictures"]["joint"]["alerts"]
    alerts = recording.pictures["joint"].alerts
    assert len(shown) == len(alerts) > 0
    for row, alert in zip(shown, alerts, strict=True):
        assert [data["zones"][i]["key"] for i in row["zones"]] == list(alert.zones)
        assert 0.0 <= row["t"] <= data["duration_s"]
        assert row["t"] == pytest.approx((alert.sent_ns - recording.scenario.start_ns) * 1e-9, abs=0.01)


def test_a_fall_is_foretold_near_where_it_came_down(data: dict[str, Any]) -> None:
    falls = [(f["lon"], f["lat"]) for f in data["falls"]]
    rockets = [t for t in data["pictures"]["joint"]["tracks"] if t["impacts"]]
    assert len(rockets) >= 3
    for track in rockets:
        t, lon, lat, east, north, back, side_east, side_north, impact_t = track["impacts"][-1]
        assert t < impact_t
        front, side = math.hypot(east, north), math.hypot(side_east, side_north)
        assert 0.0 < front < 50.0
        assert 0.0 < side < 50.0
        assert 0.3 < back < 10.0
        away = min(math.hypot((lon - x) * 95.4, (lat - y) * 111.0) for x, y in falls)
        assert away < 3.0 * max(front, back * front, side) + 0.5


def test_what_is_known_of_a_launch_is_shown_from_its_report_on(data: dict[str, Any]) -> None:
    first_launch = min(row["path"][0][0] for row in data["truth"] if row["class"] != "aircraft")
    launches = [t["launch"] for t in data["pictures"]["joint"]["tracks"] if t["launch"]]
    assert len(launches) >= 3
    assert all(launch["t"] > first_launch for launch in launches)
    assert all(launch["a_km"] >= 2.0 and launch["b_km"] >= 2.0 for launch in launches)
    for origin in data["origins"]:
        assert sum(origin["probabilities"].values()) == pytest.approx(1.0, abs=1e-6)
        assert origin["statement"] in ("cannot be told", "launch area lies in Ochre")


def ellipse(east_m: float, north_m: float, correlation: float) -> tuple[float, float, float]:
    """Half axes (km) and bearing (degrees) of the 90 % region of a Gaussian."""
    return page_ground.ellipse(east_m**2, correlation * east_m * north_m, north_m**2)


@pytest.mark.parametrize(
    ("east_m", "north_m", "correlation", "bearing"),
    [
        (3000.0, 1000.0, 0.0, 90.0),
        (1000.0, 3000.0, 0.0, 0.0),
        (2000.0, 2000.0, 0.8, 45.0),
        (2000.0, 2000.0, -0.8, 135.0),
    ],
)
def test_an_ellipse_points_where_the_covariance_does(
    east_m: float, north_m: float, correlation: float, bearing: float
) -> None:
    assert ellipse(east_m, north_m, correlation)[2] == pytest.approx(bearing)


def test_a_90_percent_ellipse_holds_90_percent() -> None:
    rng = np.random.default_rng(5)
    major, minor, bearing = ellipse(4000.0, 1500.0, 0.6)
    covariance = [[4000.0**2, 0.6 * 4000.0 * 1500.0], [0.6 * 4000.0 * 1500.0, 1500.0**2]]
    east, north = rng.multivariate_normal([0.0, 0.0], covariance, 40_000).T / 1000.0
    s, c = math.sin(math.radians(bearing)), math.cos(math.radians(bearing))
    inside = ((east * s + north * c) / major) ** 2 + ((east * c - north * s) / minor) ** 2 <= 1.0
    assert inside.mean() == pytest.approx(0.9, abs=0.006)


def test_the_region_of_a_fall_is_half_ellipses_about_its_middle() -> None:
    """Skewed to the west: the back end is farther away than the front, and the middle east of the mean."""
    quantiles = (-4.0, -0.9, 0.2, 0.7, 0.9)
    impact = Impact(
        track="A", object_class="heavy_rocket", time_ns=0, time_sigma_s=1.0, latitude_rad=0.5,
        longitude_rad=0.7, covariance_m2=(2000.0**2, 0.0, 500.0**2),
        axis_rad=0.5 * math.pi, quantiles=quantiles,
    )  # fmt: skip
    longitude, latitude, east, north, back, side_east, side_north = page_ground.region(impact)
    k = math.sqrt(4.605170185988092)
    assert (math.radians(longitude) - 0.7) * 6371.0 * math.cos(0.5) == pytest.approx(2.0 * 0.2, abs=0.02)
    assert math.radians(latitude) == pytest.approx(0.5, abs=2e-6)
    assert (north, side_east) == (0.0, 0.0)
    assert abs(side_north) == pytest.approx(0.5 * k, abs=0.01)
    assert 0.6 * 2.0 < east < 0.75 * 2.0
    assert 3.0 / 0.7 < back < 4.2 / 0.6
    even = msgspec.structs.replace(impact, axis_rad=0.0, quantiles=())
    _, _, *front, back, a, b = page_ground.region(even)
    assert back == pytest.approx(1.0, abs=0.01)
    assert sorted((math.hypot(*front), math.hypot(a, b))) == pytest.approx([0.5 * k, 2.0 * k], abs=0.02)


def test_a_zone_of_many_parts_is_drawn_by_its_largest_and_a_site_as_a_circle() -> None:
    small = ((0.0, 0.0), (0.02, 0.0), (0.02, 0.02), (0.0, 0.02), (0.0, 0.0))
    large = ((1.0, 0.0), (1.1, 0.0), (1.1, 0.1), (1.05, 0.1001), (1.0, 0.1), (1.0, 0.0))
    zone = Zone(
        key="k",
        name="n",
        partner="Amber",
        longitude_deg=1.0,
        latitude_deg=0.0,
        shelter_s=15.0,
        rings=(small, large),
    )
    assert sorted(page._zone(zone)["ring"]) == [[1.0, 0.0], [1.0, 0.1], [1.1, 0.0], [1.1, 0.1]]
    site = Zone(
        key="k",
        name="n",
        partner="Blue",
        longitude_deg=1.0,
        latitude_deg=0.0,
        shelter_s=15.0,
        radius_m=900.0,
    )
    assert (page._zone(site)["ring"], page._zone(site)["radius_m"]) == ([], 900.0)


def test_every_message_is_a_cap_file_that_reads_back(small_played: Played, tmp_path: Path) -> None:
    from jointwatch.formats.cap import read_cap

    recording, _ = small_played
    summary = write_results(recording, tmp_path)
    files = sorted((tmp_path / "alerts").iterdir())
    alerts = recording.pictures["joint"].alerts
    assert len(files) == len(alerts) == summary["messages"]
    messages = {m.identifier: m for m in (read_cap(f.read_bytes(), f.name) for f in files)}
    assert set(messages) == {a.identifier for a in alerts}
    for partner in ("Amber", "Blue"):
        mine = [f.name for f in files if f.name.startswith(partner.lower())]
        assert [int(name.split("-")[1]) for name in mine] == list(range(1, len(mine) + 1))
    texts = "".join(f.read_text("utf-8") for f in files)
    assert "Ochre" not in texts  # a warning never says where fire came from
