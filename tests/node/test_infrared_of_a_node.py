"""A node takes infrared scans, its own and partners', by name and bounded; an exercise plays them through."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from test_node import ALL, at_s, left, node, sealed

from jointwatch.cli.describe import describe_scenario
from jointwatch.earth.frames import geodetic2ecef
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import play, simulate_looks
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.truth import make_truth
from jointwatch.joint.coarsening import pseudonym
from jointwatch.joint.sharing import SharingRule
from jointwatch.node.replay import check_journal, read_account
from jointwatch.node.scribe import Output
from jointwatch.records import Header, HealthReport, InfraredScan, Note, PlotReport, Satellite, Sector
from jointwatch.sensing.infrared import disc_half_angle, geostationary_site

SMALL = Path(__file__).parents[1] / "small.toml"
EYES = """
[[satellites]]
name = "amber-eye"
partner = "Amber"
longitude_deg = 10
sigma_urad = 20
period_s = 10
detection = 0.9
cloud_km = 0
clutter_per_scan = 2

[[satellites]]
name = "blue-eye"
partner = "Blue"
longitude_deg = 75
sigma_urad = 20
period_s = 10
detection = 0.9
cloud_km = 0
clutter_per_scan = 2

[[hot_places]]
latitude_deg = 29.0
longitude_deg = 48.0
intensity_kw_sr = 40
share = 0.8
"""
SHARED = '\n[[sharing.{}]]\nkind = "plots"\nsensors = ["infrared"]\nrelease = "as is"\n'


def eye(partner: str) -> Satellite:
    return Satellite(
        name=f"{partner.lower()}-eye",
        partner=partner,
        longitude_rad=math.radians({"Amber": 10.0, "Blue": 75.0}[partner]),
        sigma_rad=20e-6,
        period_s=10.0,
        detection=0.9,
        cloud_m=0.0,
        clutter_per_scan=1.0,
    )


def scan_of(partner: str, seconds: float, plots: int = 1, **changes: Any) -> InfraredScan:
    site = geostationary_site(eye(partner))
    points = [np.array(geodetic2ecef(0.55, 0.7 + 0.01 * i, 5e3)) for i in range(plots)]
    along = np.array([(p - site) / np.linalg.norm(p - site) for p in points]).reshape(-1, 3)
    x, y, z = (tuple(c) for c in along.T.tolist())
    name = f"{partner.lower()}-eye"
    scan = InfraredScan(
        header=Header(originator=partner, source=name, sequence=1, measured_ns=at_s(seconds)),
        sensor=name,
        received_ns=at_s(seconds),
        site_m=tuple(site.tolist()),
        axis=tuple((-site / np.linalg.norm(site)).tolist()),
        half_angle_rad=disc_half_angle(site),
        along_x=x,
        along_y=y,
        along_z=z,
        intensity_w_sr=(1e5,) * plots,
    )
    return replace(scan, **changes)


def rejected(out: list[Output]) -> list[tuple[str, str]]:
    return [(o.subject, o.detail) for o in out if isinstance(o, Note) and o.kind == "rejected"]


def with_eyes(**changes: Any) -> Any:
    rules = (*ALL, SharingRule(kind="plots", release="as is", sensors=("infrared",)))
    return node(
        satellites=(eye("Amber"),), partner_satellites=(eye("Blue"),), **{"sharing": rules, **changes}
    )


def test_its_own_scan_is_journalled_shared_and_shows_that_the_satellite_works() -> None:
    mine = with_eyes()
    scan = scan_of("Amber", 1.0)
    out = mine.step(scan, at_s(3.0))
    assert rejected(out) == []
    (report,) = left(out, PlotReport)
    assert report.sector == scan and report.whole
    (health,) = left(out, HealthReport)
    assert [(s.source, s.state) for s in health.sensors] == [("amber-eye", "working")]
    later = mine.step(scan_of("Blue", 60.0), at_s(62.0))
    states = {s.source: s.state for h in left(later, HealthReport) for s in h.sensors}
    assert states["amber-eye"] == "silent"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sensor": "nobody"}, "undeclared sensor: 1"),
        ({"axis": (0.0, 0.0, 0.0)}, "axis not a unit vector: 1"),
        ({"intensity_w_sr": (1e5, -1.0)}, "of no positive intensity: 1"),
        ({"along_x": (math.nan, math.nan)}, "not finite: 2"),
    ],
)
def test_a_bad_scan_or_plot_is_noted_by_name_and_stops_nothing(changes: dict[str, Any], said: str) -> None:
    mine = with_eyes()
    scan = scan_of("Amber", 1.0, 2, **changes)
    assert rejected(mine.step(scan, at_s(3.0))) == [(scan.sensor, said)]
    assert rejected(mine.step(scan_of("Amber", 11.0), at_s(13.0))) == []


def test_a_refused_scan_of_its_own_is_not_shared() -> None:
    assert left(with_eyes().step(scan_of("Amber", 9.0), at_s(3.0)), PlotReport)
    late = scan_of("Amber", 9.0, received_ns=at_s(1.0))
    assert left(with_eyes().step(late, at_s(3.0)), PlotReport) == []


def reported(scan: InfraredScan, whole: bool = True) -> PlotReport:
    header = Header(originator="Blue", source="blue", sequence=1, measured_ns=at_s(1.0), handling="joint")
    return PlotReport(header=header, rule="Blue/plots", sector=scan, whole=whole)


def test_a_partners_scan_is_taken_like_ones_own_and_never_sent_on_as_ones_own() -> None:
    out = with_eyes().step(sealed(1, reported(scan_of("Blue", 1.0)), 2.0), at_s(3.0))
    assert rejected(out) == [] and left(out, PlotReport) == []


def test_a_partner_cannot_speak_for_ones_own_satellite_or_for_one_that_is_not_declared() -> None:
    stolen = replace(scan_of("Blue", 1.0), sensor="amber-eye")
    ((who, said),) = rejected(with_eyes().step(sealed(1, reported(stolen), 2.0), at_s(3.0)))
    assert who == "Blue" and "sensor: is not one of the issuer's" in said
    unknown = replace(scan_of("Blue", 1.0), sensor="blue-other")
    said_of = rejected(with_eyes().step(sealed(1, reported(unknown), 2.0), at_s(3.0)))
    assert said_of == [("blue-other", "undeclared sensor: 1")]


def test_a_part_of_a_partners_scan_is_not_used() -> None:
    part = reported(scan_of("Blue", 1.0), whole=False)
    out = with_eyes().step(sealed(1, part, 2.0), at_s(3.0))
    assert rejected(out) == [("blue-eye", "plots of part of a scan")]


# ---------------------------------------------------------------------- an exercise with satellites


def seen(tmp_path: Path, more: str = "") -> Any:
    text = SMALL.read_text(encoding="utf-8").replace(
        '"small-procedure.toml"', f'"{SMALL.parent / "small-procedure.toml"}"'
    )
    path = tmp_path / "eyes.toml"
    path.write_text(text + EYES + more, encoding="utf-8")
    return load_scenario(path)


def test_each_node_knows_its_own_satellites_and_a_linked_one_its_partners(tmp_path: Path) -> None:
    configs = node_configs(seen(tmp_path))
    names = {
        key: ([s.name for s in c.satellites], [s.name for s in c.partner_satellites])
        for key, c in configs.items()
    }
    assert names["Amber"] == (["amber-eye"], ["blue-eye"])
    assert names["Blue alone"] == (["blue-eye"], [])
    (blue,) = configs["Amber"].correspondents
    assert blue.sensors == ("blue-one", "blue-eye")


HIDDEN = SHARED.replace("as is", "coarsened") + 'pseudonyms = true\nkey = "k"\n'


def test_a_scan_under_a_pseudonym_is_taken_by_the_partner_that_it_goes_to(tmp_path: Path) -> None:
    configs = node_configs(seen(tmp_path, HIDDEN.format("Blue")))
    (blue,) = configs["Amber"].partner_satellites
    assert blue.name == pseudonym("k", "blue-eye")
    told = reported(replace(scan_of("Blue", 1.0), sensor=blue.name))
    assert rejected(node(satellites=(eye("Amber"),), partner_satellites=(blue,)).step(
        sealed(1, told, 2.0), at_s(3.0)
    )) == []  # fmt: skip
    (amber,) = configs["Blue"].partner_satellites
    assert amber.name == "amber-eye"


def test_all_looks_come_in_the_order_they_are_received(tmp_path: Path) -> None:
    scenario = seen(tmp_path)
    looks = list(simulate_looks(scenario, make_truth(scenario, 3), 3))
    received = [look.received_ns for look in looks]
    assert received == sorted(received)
    assert {type(look) for look in looks} == {Sector, InfraredScan}


def test_satellites_move_no_sector_and_a_journal_with_scans_comes_out_again(tmp_path: Path) -> None:
    scenario = seen(tmp_path, SHARED.format("Amber") + SHARED.format("Blue"))
    plain = load_scenario(SMALL)
    truth = make_truth(scenario, 3)
    sectors = [s for s in simulate_looks(scenario, truth, 3) if isinstance(s, Sector)]
    assert sectors == list(simulate_looks(plain, truth, 3))
    recording = play(scenario, 3, journals=tmp_path, workers=1)
    notes = [n for p in recording.pictures.values() for n in p.notes if n.kind == "rejected"]
    # what is sent again after the cut comes twice; no scan is refused
    assert all(n.detail.startswith("replayed: ") for n in notes)
    for partner in ("amber", "blue"):
        kinds = read_account(tmp_path / f"{partner}.journal.sqlite").kinds
        assert kinds["in infrared_scan"] in (19, 20)
        check = check_journal(tmp_path / f"{partner}.journal.sqlite")
        assert check.same and check.digest == recording.digests[partner.title()]


def test_check_says_what_satellites_there_are(tmp_path: Path) -> None:
    seen(tmp_path, SHARED.format("Amber"))
    words = "\n".join(describe_scenario(tmp_path / "eyes.toml"))
    assert "Amber: 2 sensors" in words and "amber-eye: infrared in orbit over 10° E, every 10 s" in words
    assert "Blue gets plots of infrared sensors as they are" in words
