"""What leaves as a warning: Common Alerting Protocol messages (what is taken in: `test_cap_in`)."""

from __future__ import annotations

import itertools
import math
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from jointwatch.formats.cap import advisory_to_cap, alert_to_cap, read_cap
from jointwatch.formats.cap_area import MAX_POINTS, SIMPLIFY_M, draw_ahead
from jointwatch.records import Advisory, Alert, BadInput, Header, Zone

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 1_000_000_000
SENDER = "amber.jointwatch.example"
DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None
needs_data = pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap schemas and samples) is not set")
SQUARE = ((35.0, 32.0), (35.1, 32.0), (35.1, 32.1), (35.0, 32.1), (35.0, 32.0))
ZONES = (
    Zone(
        key="Z1",
        name="Northfield & <East>",
        partner="Amber",
        longitude_deg=35.05,
        latitude_deg=32.05,
        shelter_s=60,
        rings=(SQUARE, tuple((lon + 0.5, lat) for lon, lat in SQUARE)),
    ),
    Zone(
        key="Z2",
        name="Harbour site",
        partner="Amber",
        longitude_deg=50.25,
        latitude_deg=26.5,
        shelter_s=0,
        radius_m=2500.0,
    ),
)


def header(time_ns: int = START_NS) -> Header:
    return Header(originator="Amber", source="amber-node", sequence=7, measured_ns=time_ns)


def alert(action: str = "alert", tier: str = "shelter", **changes: object) -> Alert:
    values: dict[str, object] = {
        "header": header(),
        "identifier": "AMBER-2026-0001",
        "action": action,
        "tier": tier,
        "partner": "Amber",
        "zones": ("Z1", "Z2"),
        "sent_ns": START_NS + 90_700_000_000,
        "impact_ns": START_NS + 300_000_000_000,
        "evidence": (("AMBER-0012", 0.95),),
    }
    return Alert(**{**values, **changes})  # type: ignore[arg-type]


FIRST = alert()


def follow_up(action: str, **changes: object) -> Alert:
    return alert(
        action,
        identifier="AMBER-2026-0002",
        references=(FIRST.identifier,),
        sent_ns=START_NS + 200_000_000_000,
        **changes,
    )


def advisory(**changes: object) -> Advisory:
    values: dict[str, object] = {
        "header": header(),
        "identifier": "AMBER-ADV-1",
        "partner": "Amber",
        "places": ("Harbour site", "The northern valley"),
        "valid_from_ns": START_NS,
        "valid_to_ns": START_NS + 86_400_000_000_000,
        "headline": "Missile or rocket fire possible",
        "text": "In this period fire at the places named is more likely than usual.",
        "drafted_by": "analyst",
        "reviewed_by": "duty officer",
    }
    return Advisory(**{**values, **changes})  # type: ignore[arg-type]


def next_advisory(action: str, **changes: object) -> Advisory:
    references = (advisory().identifier,)
    return advisory(action=action, identifier="AMBER-ADV-2", references=references, **changes)


def every_message() -> list[bytes]:
    return [
        alert_to_cap(FIRST, ZONES, SENDER),
        alert_to_cap(alert(tier="early", exercise=False), ZONES, SENDER),
        alert_to_cap(alert(tier="early", zones=tuple(z.key for z in grid(20))), grid(20), SENDER),
        *(
            alert_to_cap(follow_up(action), ZONES, SENDER, [FIRST])
            for action in ("update", "cancel", "all_clear")
        ),
        alert_to_cap(follow_up("cancel", zones=("Z1",)), ZONES, SENDER, [FIRST]),
        advisory_to_cap(advisory(), SENDER),
        *(advisory_to_cap(next_advisory(action), SENDER, [advisory()]) for action in ("update", "cancel")),
    ]


@needs_data
def test_every_kind_of_message_is_valid_by_the_oasis_schema() -> None:
    assert DATA is not None
    schema = etree.XMLSchema(etree.parse(DATA / "cap12.xsd"))
    for message in every_message():
        schema.assertValid(etree.fromstring(message))


def test_what_is_sent_is_read_back_with_its_areas_times_and_references() -> None:
    message = read_cap(alert_to_cap(follow_up("update"), ZONES, SENDER, [FIRST]), "ours")
    assert (message.version, message.message_type, message.scope) == ("1.2", "Update", "Public")
    assert message.sent_ns == START_NS + 200_000_000_000
    (reference,) = message.references
    assert (reference.sender, reference.identifier) == (SENDER, FIRST.identifier)
    assert reference.sent_ns == START_NS + 90_000_000_000, "whole seconds, as the first message said itself"
    (info,) = message.infos
    assert info.onset_ns == START_NS + 300_000_000_000
    assert info.effective_ns == message.sent_ns and info.expires_ns > info.onset_ns
    land, site = info.areas
    assert land.description == "EXERCISE: Northfield & <East>"
    assert set(land.polygons[0]) == set(SQUARE) and len(land.polygons) == 2
    assert land.polygons[0][0] == land.polygons[0][-1]
    assert site.circles == ((50.25, 26.5, 2500.0),) and site.polygons == ()
    assert [area.geocodes for area in info.areas] == [
        (("jointwatch:zone", "Z1"),),
        (("jointwatch:zone", "Z2"),),
    ]


def test_polygons_are_written_latitude_first_and_times_without_the_letter_z() -> None:
    data = alert_to_cap(FIRST, ZONES, SENDER)
    assert b"<polygon>32.00000,35.00000 " in data
    assert b"<circle>26.50000,50.25000 2.500</circle>" in data
    assert b"<sent>2026-01-05T22:01:30-00:00</sent>" in data


@pytest.mark.parametrize(
    ("message", "grades"),
    [
        (alert(), ("Alert", "Immediate", "Extreme", "Observed", "Shelter")),
        (alert(evidence=(("T", 0.4),)), ("Alert", "Immediate", "Extreme", "Likely", "Shelter")),
        (alert(tier="early"), ("Alert", "Expected", "Severe", "Possible", "Prepare")),
        (follow_up("update"), ("Update", "Immediate", "Extreme", "Observed", "Shelter")),
        (follow_up("cancel"), ("Cancel", "Past", "Minor", "Unlikely", "AllClear")),
        (follow_up("all_clear", tier="early"), ("Update", "Past", "Minor", "Observed", "AllClear")),
        (follow_up("all_clear"), ("Update", "Past", "Minor", "Observed", "AllClear")),
    ],
)
def test_grades_follow_tier_and_life_cycle(message: Alert, grades: tuple[str, ...]) -> None:
    read = read_cap(alert_to_cap(message, ZONES, SENDER, [FIRST]), "ours")
    (info,) = read.infos
    assert (read.message_type, info.urgency, info.severity, info.certainty, *info.responses) == grades
    assert info.event == "EXERCISE: Missile or rocket fire" and info.language == "en-US"


def test_an_update_keeps_up_the_zones_that_were_warned_before() -> None:
    # a CAP Update takes the place of what it refers to: what it does not name would no longer be warned
    early = alert(tier="early", zones=("Z1", "Z2"))
    raised = follow_up("update", zones=("Z2",), impact_ns=START_NS + 250_000_000_000)
    message = read_cap(alert_to_cap(raised, ZONES, SENDER, [early]), "ours")
    told = [(info.responses, [area.geocodes[0][1] for area in info.areas]) for info in message.infos]
    assert told == [(("Shelter",), ["Z2"]), (("Prepare",), ["Z1"])]
    assert [info.onset_ns for info in message.infos] == [START_NS + 250 * 10**9, START_NS + 300 * 10**9]


def test_withdrawing_one_zone_of_two_does_not_revoke_the_other() -> None:
    one = follow_up("cancel", zones=("Z1",))
    message = read_cap(alert_to_cap(one, ZONES, SENDER, [FIRST]), "ours")
    told = [(info.responses, [area.geocodes[0][1] for area in info.areas]) for info in message.infos]
    assert (message.message_type, told) == ("Update", [(("AllClear",), ["Z1"]), (("Shelter",), ["Z2"])])
    both = alert(
        "cancel",
        identifier="AMBER-2026-0003",
        zones=("Z2",),
        references=(FIRST.identifier, one.identifier),
        sent_ns=START_NS + 210_000_000_000,
    )
    message = read_cap(alert_to_cap(both, ZONES, SENDER, [FIRST, one]), "ours")
    assert (message.message_type, len(message.infos), len(message.references)) == ("Cancel", 1, 2)


def test_alerts_of_another_series_are_left_alone() -> None:
    other = alert(identifier="AMBER-2025-0099", zones=("Z2",))
    message = read_cap(alert_to_cap(follow_up("cancel"), ZONES, SENDER, [other, FIRST]), "ours")
    assert message.message_type == "Cancel" and len(message.references) == 1


def grid(count: int) -> list[Zone]:
    """Square zones 5 km apart in a row to the east."""
    return [
        Zone(
            key=f"G{i:04d}",
            name=f"Village {i}",
            partner="Amber",
            longitude_deg=35.0 + 0.05 * i,
            latitude_deg=32.0,
            shelter_s=60,
            rings=(tuple((35.0 + 0.05 * i + 0.3 * (lon - 35.0), lat) for lon, lat in SQUARE),),
        )
        for i in range(count)
    ]


def inside(polygon: tuple[tuple[float, float], ...], zone: Zone) -> bool:
    return all(
        shapely.Polygon(polygon).covers(shapely.Point(corner)) for ring in zone.rings for corner in ring
    )


def test_an_early_notice_for_many_zones_is_a_hull_about_each_group_and_the_code_of_every_zone() -> None:
    zones = grid(60)
    north = [zone for i, zone in enumerate(zones) if not 20 <= i < 40]  # a gap of 100 km
    wide = alert(tier="early", zones=tuple(zone.key for zone in north))
    (area,) = read_cap(alert_to_cap(wide, zones, SENDER), "ours").infos[0].areas
    assert [value for _, value in area.geocodes] == list(wide.zones)
    assert len(area.polygons) == 2 and max(len(p) for p in area.polygons) <= 20
    assert all(any(inside(p, zone) for p in area.polygons) for zone in north)
    assert not any(inside(p, zone) for p in area.polygons for zone in zones[22:38])


def test_a_zone_that_is_only_kept_up_is_drawn_coarser_but_wholly() -> None:
    ring = tuple(
        (35.0 + (0.05 + 0.002 * (i % 2)) * math.sin(i / 10), 32.0 + 0.05 * math.cos(i / 10))
        for i in range(62)
    )
    zone = msgspec.structs.replace(ZONES[0], key="Z3", rings=((*ring, ring[0]),))
    first = alert(zones=("Z3",))
    (new,) = read_cap(alert_to_cap(first, [zone, *ZONES], SENDER), "ours").infos
    update = read_cap(alert_to_cap(follow_up("update"), [zone, *ZONES], SENDER, [first]), "ours")
    fine, coarse = new.areas[0].polygons[0], update.infos[1].areas[0].polygons[0]
    assert update.infos[1].areas[0].geocodes == (("jointwatch:zone", "Z3"),)
    assert len(coarse) < len(fine) / 2 and inside(coarse, zone)
    assert shapely.Polygon(coarse).area < 1.3 * shapely.Polygon(ring).area


def test_a_raid_on_a_thousand_zones_stays_a_small_message() -> None:
    zones = grid(1400)
    first = alert(tier="early", zones=tuple(zone.key for zone in zones[:1390]))
    more = follow_up("update", tier="early", zones=tuple(zone.key for zone in zones[1390:]))
    data = alert_to_cap(more, zones, SENDER, [first])
    codes = [
        code for info in read_cap(data, "ours").infos for area in info.areas for _, code in area.geocodes
    ]
    assert sorted(codes) == [zone.key for zone in zones]
    assert len(data) < 300_000


def test_an_exercise_never_looks_live() -> None:
    for data in every_message():
        message = read_cap(data, "ours")
        for info in message.infos:
            texts = (info.event, info.headline, info.description, info.instruction)
            texts += tuple(area.description for area in info.areas)
            if message.status == "Exercise":
                assert all(text.startswith("EXERCISE: ") for text in texts)
                assert "EXERCISE" in message.note
            else:
                assert message.status == "Actual" and b"EXERCISE" not in data
    assert {read_cap(data, "ours").status for data in every_message()} == {"Exercise", "Actual"}


def test_no_origin_evidence_or_reason_leaves() -> None:
    message = follow_up("cancel", reason="it broke up; launched from Ochre at 33.10 N 44.20 E")
    data = alert_to_cap(message, ZONES, SENDER, [FIRST]).decode()
    assert not any(word in data for word in ("Ochre", "33.10", "44.20", "broke", "AMBER-0012"))


def test_a_long_outline_is_thinned_but_stays_within_its_tolerance() -> None:
    # a circle of 5 km with a 20 m ripple: 720 points, of which few are needed for 100 m
    ring = []
    for i in range(720):
        angle = 2 * math.pi * i / 720
        radius = 5000.0 + 20.0 * math.sin(60 * angle)
        ring.append((35.0 + radius * math.sin(angle) / 94_000.0, 32.0 + radius * math.cos(angle) / 111_000.0))
    zone = Zone(
        key="R",
        name="Round",
        partner="Amber",
        longitude_deg=35.0,
        latitude_deg=32.0,
        shelter_s=60,
        rings=((*ring, ring[0]),),
    )
    (info,) = read_cap(alert_to_cap(alert(zones=("R",)), [zone], SENDER), "ours").infos
    (polygon,) = info.areas[0].polygons
    assert 8 <= len(polygon) <= MAX_POINTS
    # the thinned outline's area is the circle's, within a band of the tolerance along its length
    twice = sum(
        a[0] * 94_000 * b[1] * 111_000 - b[0] * 94_000 * a[1] * 111_000
        for a, b in itertools.pairwise(polygon)
    )
    assert abs(abs(twice) / 2 - math.pi * 5000.0**2) < 2 * math.pi * 5000.0 * SIMPLIFY_M


def test_a_jagged_outline_still_gets_no_more_than_the_greatest_number_of_points() -> None:
    ring = [
        (
            35.0 + 0.1 * (1 + 0.3 * (i % 2)) * math.sin(i / 50),
            32.0 + 0.1 * (1 + 0.3 * (i % 2)) * math.cos(i / 50),
        )
        for i in range(314)
    ]
    zone = Zone(
        key="J",
        name="Jagged",
        partner="Amber",
        longitude_deg=35.0,
        latitude_deg=32.0,
        shelter_s=60,
        rings=((*ring, ring[0]),),
    )
    (info,) = read_cap(alert_to_cap(alert(zones=("J",)), [zone], SENDER), "ours").infos
    assert 4 <= len(info.areas[0].polygons[0]) <= MAX_POINTS


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (alert(zones=("Z9",)), "zones"),
        (alert(zones=()), "zones"),
        (alert("update"), "references"),
        (alert("cancel", references=("nobody-knows",)), "references"),
        (alert(identifier="with space"), "alert.identifier"),
        (alert(sent_ns=10**30), "sent_ns"),
    ],
)
def test_an_alert_that_cannot_be_sent_names_the_field(message: Alert, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        alert_to_cap(message, ZONES, SENDER, [FIRST])
    assert refused.value.field == field


@pytest.mark.parametrize(
    "ring",
    [(), ((35.0, 32.0), (35.1, 32.0), (35.0, 32.0)), ((35.0, 95.0), *SQUARE), ((math.nan, 32.0), *SQUARE)],
)
@pytest.mark.parametrize("tier", ["shelter", "early"])
def test_a_zone_that_cannot_be_drawn_is_known_by_its_code_and_the_others_are_told(
    ring: tuple[tuple[float, float], ...], tier: str
) -> None:
    zone = Zone(
        key="bad", name="Bad", partner="Amber", longitude_deg=0, latitude_deg=0, shelter_s=0, rings=(ring,)
    )
    some = (zone, *grid(20)) if tier == "early" else (zone, *ZONES)
    told = alert(tier=tier, zones=tuple(z.key for z in some))
    areas = read_cap(alert_to_cap(told, some, SENDER), "ours").infos[0].areas
    assert [code for area in areas for _, code in area.geocodes] == [z.key for z in some]
    assert sum(len(area.polygons) + len(area.circles) for area in areas) == (1 if tier == "early" else 3)
    with pytest.raises(BadInput, match="zone bad"):
        draw_ahead(some)


@pytest.mark.parametrize("width_deg", [3e-6, 0.5])
def test_a_zone_too_narrow_for_its_outline_is_drawn_by_one_that_holds_all_of_it(width_deg: float) -> None:
    """A square of 0.3 m, and a sliver 47 km long and 0.1 m wide."""
    ring = ((35.0, 32.0), (35.0 + width_deg, 32.0), (35.0 + width_deg, 32.000001), (35.0, 32.0))
    zone = msgspec.structs.replace(ZONES[0], key="thin", rings=(ring,))
    areas = read_cap(alert_to_cap(alert(zones=("thin", "Z1")), [zone, *ZONES], SENDER), "ours").infos[0].areas
    (drawn,) = areas[0].polygons
    assert all(shapely.Polygon(drawn).contains(shapely.Point(corner)) for corner in ring)
    assert len(areas[1].polygons) == 2
    with pytest.raises(BadInput, match="zone thin: rings"):
        draw_ahead([zone])


def test_a_zone_is_its_partner_s_where_another_s_has_the_same_key() -> None:
    other = msgspec.structs.replace(ZONES[1], key="Z1", partner="Blue", name="Elsewhere")
    for zones in ((*ZONES, other), (other, *ZONES)):
        assert alert_to_cap(FIRST, zones, SENDER) == alert_to_cap(FIRST, ZONES, SENDER)
    told = read_cap(alert_to_cap(alert(zones=("Z1",), partner="Blue"), (*ZONES, other), SENDER), "ours")
    assert [area.description for area in told.infos[0].areas] == ["EXERCISE: Elsewhere"]
    with pytest.raises(BadInput, match="a zone of Blue"):
        alert_to_cap(alert(zones=("Z2",), partner="Blue"), (*ZONES, other), SENDER)


def test_an_unreviewed_advisory_is_not_sent() -> None:
    for reviewer in ("", "analyst"):
        with pytest.raises(BadInput, match="reviewed_by"):
            advisory_to_cap(advisory(reviewed_by=reviewer), SENDER)
    (info,) = read_cap(advisory_to_cap(advisory(), SENDER), "ours").infos
    places = [area.description for area in info.areas]
    assert places == ["EXERCISE: Harbour site", "EXERCISE: The northern valley"]
    assert (info.responses, info.urgency) == (("Prepare",), "Future")


def test_a_name_that_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(BadInput, match="areaDesc"):
        advisory_to_cap(advisory(places=("nul\x00",)), SENDER)


coordinates = st.floats(-179.0, 179.0), st.floats(-80.0, 80.0)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=20),
    st.tuples(*coordinates),
    st.floats(0.0, 5e5),
    st.integers(0, 253_402_300_000_000_000_000),
    st.sampled_from(["early", "shelter"]),
    st.booleans(),
)
def test_whatever_is_sent_can_be_read(
    name: str, at: tuple[float, float], radius_m: float, time_ns: int, tier: str, exercise: bool
) -> None:
    zone = Zone(
        key="K",
        name=name,
        partner="Amber",
        longitude_deg=at[0],
        latitude_deg=at[1],
        shelter_s=0,
        radius_m=radius_m,
    )
    sent = alert(zones=("K",), tier=tier, sent_ns=time_ns, impact_ns=time_ns, exercise=exercise)
    try:
        data = alert_to_cap(sent, [zone], SENDER)
    except BadInput:
        assert time_ns > 253_402_299_000_000_000_000, "only the expiry after the year 9999 cannot be written"
        return
    message = read_cap(data, "ours")
    assert message.sent_ns == time_ns // 10**9 * 10**9
    assert message.status == ("Exercise" if exercise else "Actual")
    (area,) = message.infos[0].areas
    assert area.circles[0] == pytest.approx((*at, radius_m), abs=1.0)
    assert area.description == (f"EXERCISE: {name}" if exercise else name).strip()


def test_an_advisory_is_renewed_by_an_update_and_withdrawn_by_a_cancel() -> None:
    first = advisory()
    for action, kind in (("update", "Update"), ("cancel", "Cancel")):
        message = read_cap(advisory_to_cap(next_advisory(action), SENDER, [first]), "ours")
        assert message.message_type == kind
        (reference,) = message.references
        assert (reference.sender, reference.identifier) == (SENDER, first.identifier)
        (info,) = message.infos
        assert info.expires_ns == first.valid_to_ns
        assert [area.description for area in info.areas] == [f"EXERCISE: {place}" for place in first.places]
    for wrong in (next_advisory("update"), next_advisory("cancel")):
        with pytest.raises(BadInput, match="references"):
            advisory_to_cap(wrong, SENDER)
    with pytest.raises(BadInput, match="references"):
        advisory_to_cap(advisory(action="update", references=()), SENDER)
