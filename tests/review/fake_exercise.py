"""An invented exercise in the report's layout, so that the page can be drawn and looked at without a run.

Nothing here is measured: places, flights and figures are drawn from one seed, in the shape and the size of
a real exercise (54 flights at one point a second, three pictures, some 1,400 zones).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jointwatch.review.gain import by_kind, compared

KEYS = ("amber", "blue", "joint")
COAST = 34.55  # degrees east of Amber's invented shore


def fake_exercise(seed: int = 7, zone_count: int = 1400) -> dict[str, Any]:
    """A whole report's data; `zone_count` zones of Amber's, four sites of Blue's."""
    rng = np.random.default_rng(seed)
    zones = _zones(rng, zone_count)
    truth, falls = _flights(rng, zones)
    duration = 1080.0
    pictures = {
        name: _picture(np.random.default_rng(seed + 1), name, truth, falls, zones)
        for name in ("amber", "blue", "joint")
    }
    return {
        "title": "Two partners, one salvo",
        "sentence": "Together: 14 more zones in time than the better partner alone, +96 s median warning; "
        "61 needless alerts; one alert withdrawn in 4 s; 54 of 54 launches in the joint picture.",
        "scenario": "two-partners",
        "seed": seed,
        "start_utc": "2026-01-05T22:00:00Z",
        "duration_s": duration,
        "outlines": _outlines(rng),
        "labels": [
            {"name": "Amber", "lon": 34.95, "lat": 30.25},
            {"name": "Heron Flats", "lon": 37.6, "lat": 31.2},
            {"name": "Kestrel Upland", "lon": 48.6, "lat": 33.0},
            {"name": "Teal Plain", "lon": 43.0, "lat": 32.2},
            {"name": "Sandpiper", "lon": 41.5, "lat": 28.6},
        ],
        "partners": ["Amber", "Blue"],
        "sensors": [
            {"name": "A1", "partner": "Amber", "lon": 35.0, "lat": 30.9, "range_km": 500.0},
            {"name": "A2", "partner": "Amber", "lon": 35.2, "lat": 32.7, "range_km": 500.0},
            {"name": "A3 rocket", "partner": "Amber", "lon": 35.45, "lat": 32.95, "range_km": 100.0},
            {"name": "B1 long range", "partner": "Blue", "lon": 44.2, "lat": 30.1, "range_km": 1000.0},
            {"name": "B2 ship", "partner": "Blue", "lon": 33.4, "lat": 32.4, "range_km": 500.0},
        ],
        "zones": zones,
        "truth": truth,
        "falls": falls,
        "pictures": pictures,
        "value_of_joining": {"lead_gained_s": 96.2, "zones_saved": 14, "false_zones_avoided": 22},
        "joining": _joining(),
        "link": {"cuts": [[430.0, 475.0]], "sent": 4120, "received": 4066, "withheld": 212, "rejected": 3},
        "procedure": _procedure(),
        "assessment": _assessment(),
        "origins": _origins(rng, truth),
        "others": _others(),
    }


def _others() -> dict[str, Any]:
    """Three alerts of others that Amber's node took, two that it refused, and a source that failed."""
    alert = {"partner": "Amber", "source": "north feed", "status": "Exercise", "kind": "Alert"}
    taken = [
        alert
        | {"sender": sender, "id": f"EX-{n}", "what": what, "where": where, "sent_t": 60.0 * n}
        | {"taken_t": 60.0 * n + 4.0, "until_t": 60.0 * n + 900.0, "verified_by": by}
        | {"became": became, "became_t": None if became == "stands" else 60.0 * n + 300.0}
        for n, sender, what, where, by, became in (
            (1, "north.example", "Take shelter", "Hills, Coast", "ab" * 32, "replaced"),
            (4, "west.example", "Storm <b>warning</b>", "", "", "stands"),
            (6, "north.example", "Take shelter", "Hills", "ab" * 32, "stands"),
        )
    ]
    refused = [
        {"partner": "Amber", "source": "drop", "reason": reason, "count": n, "t": 99.0, "example": example}
        for reason, n, example in (
            ("status", 2, "drop: alert.status: found Actual, wanted Exercise: the node is for an exercise"),
            ("structure", 1, "drop: DOCTYPE: found a document type declaration, wanted none"),
        )
    ]
    sources = [
        {"partner": "Amber", "name": name, "looks": 100, "failed": failed, "brought": brought, "waiting": 0}
        | {"dropped": 0, "left_out": 0, "error": error, "last_good_t": None if failed == 100 else 1075.0}
        for name, failed, brought, error in (
            ("north feed", 3, 3, "no answer within 10 s"),
            ("drop", 0, 3, ""),
            ("deaf", 100, 0, "south.example/feed.atom: ConnectionRefusedError: [Errno 111]"),
        )
    ]
    return {"taken": taken, "refused": refused, "sources": sources}


def _joining() -> dict[str, Any]:
    """Four launches as each picture tracked them, and one false alarm."""
    tracked = ((200.0, 70.0, 60.0), (None, 80.0, 80.2), (None, 90.0, 120.0), (None, None, 95.0))
    events: list[dict[str, Any]] = [
        {"kind": "first_track", "object": f"M-{i + 1:02d}", "class": "medium-range", "time_s": 30.0 + 5 * i}
        | {"zone": None, "pictures": {k: {"knew_s": t} for k, t in zip(KEYS, times, strict=True)}}
        for i, times in enumerate(tracked)
    ]
    told = ({"knew_s": 0.0, "stood_s": 90.0}, {"knew_s": None, "stood_s": None})
    events.append(
        {"kind": "needless_zone", "object": None, "class": "", "time_s": 600.0, "zone": "Area 9"}
        | {"pictures": dict(zip(KEYS, (*told, {"knew_s": 2.0, "stood_s": 40.0}), strict=True))}
    )
    events = [compared(event) for event in events]
    return {"sentence": "Measured.", "by_kind": by_kind(events), "events": events}


def _outlines(rng: np.random.Generator) -> list[list[list[float]]]:
    """One large land with a wandering shore to the west and a gulf in the east."""
    lat = np.linspace(22.0, 41.0, 160)
    shore = COAST - 0.25 + 0.12 * np.cumsum(rng.normal(0, 0.35, lat.size)) * 0.5
    west = [[float(x), float(y)] for x, y in zip(shore, lat, strict=True)]
    land = [*west, [62.0, 41.0], [62.0, 22.0]]
    borders = []
    for start, end in ((38.8, 39.4), (46.0, 45.2)):
        x = np.linspace(start, end, 160) + 0.1 * np.cumsum(rng.normal(0, 0.4, 160)) * 0.5
        borders.append([[float(a), float(b)] for a, b in zip(x, lat, strict=True)])
    first, second = borders
    return [
        [*west, *first[::-1]],
        [*first, *second[::-1]],
        [*second, [62.0, 41.0], [62.0, 22.0]],
        *([land] if not borders else []),
    ]


def _zones(rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    zones: list[dict[str, Any]] = []
    for i in range(count):
        lat = 29.6 + 3.6 * rng.beta(2.6, 1.5)
        lon = COAST + 0.05 + 0.85 * rng.beta(1.4, 1.6) * (0.35 + 0.65 * min(1.0, (lat - 29.4) / 1.5))
        size = rng.uniform(0.006, 0.02)
        ring = [
            [
                lon + size * rng.uniform(0.6, 1.2) * math.cos(a),
                lat + 0.85 * size * rng.uniform(0.6, 1.2) * math.sin(a),
            ]
            for a in np.linspace(0, 2 * math.pi, 12, endpoint=False)
        ]
        shelter = float(rng.choice([15, 30, 45, 60, 90])) if lat < 32.8 else 15.0
        zones.append(
            {
                "key": f"a{i}",
                "name": f"Area {i + 1}",
                "partner": "Amber",
                "shelter_s": shelter,
                "lon": lon,
                "lat": lat,
            }
            | {"ring": ring, "radius_m": 0.0}
        )
    for i, (lon, lat) in enumerate(((44.35, 30.3), (43.2, 33.6), (46.4, 29.4), (41.0, 30.9))):
        zones.append(
            {
                "key": f"b{i}",
                "name": f"Site {'NOPQ'[i]}",
                "partner": "Blue",
                "shelter_s": 20.0,
                "lon": lon,
                "lat": lat,
            }
            | {"ring": [], "radius_m": 2500.0}
        )
    return zones


def _arc(
    start: tuple[float, float], end: tuple[float, float], t0: float, flight: float, top: float
) -> list[list[float]]:
    rows = []
    for s in np.arange(0.0, flight + 0.5, 1.0):
        w = s / flight
        # a motor builds speed up, so the ground covered lags at first
        g = w * w * (1.6 - 0.6 * w) if w < 0.5 else 0.325 + (w - 0.5) * 1.35
        rows.append([t0 + float(s), start[0] + g * (end[0] - start[0]), start[1] + g * (end[1] - start[1])])
        rows[-1].append(top * 4 * w * (1 - w))
    return rows


def _flights(
    rng: np.random.Generator, zones: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    truth: list[dict[str, Any]] = []
    falls: list[dict[str, Any]] = []
    amber = [i for i, z in enumerate(zones) if z["partner"] == "Amber"]
    north = [i for i in amber if zones[i]["lat"] > 32.5]

    def fire(
        name: str,
        kind: str,
        raid: str,
        start: tuple[float, float],
        zone: int,
        t0: float,
        flight: float,
        top: float,
    ) -> None:
        end = (zones[zone]["lon"] + rng.normal(0, 0.006), zones[zone]["lat"] + rng.normal(0, 0.006))
        path = _arc(start, end, t0, flight, top)
        struck = [
            i
            for i, z in enumerate(zones)
            if math.hypot((z["lon"] - end[0]) * 94, (z["lat"] - end[1]) * 111) < 1.4 or i == zone
        ]
        if name == "M-17":  # this one breaks up in flight
            truth.append(
                {
                    "name": name,
                    "class": kind,
                    "raid": raid,
                    "end": "breakup",
                    "path": path[: int(0.6 * len(path))],
                }
            )
            return
        truth.append({"name": name, "class": kind, "raid": raid, "end": "impact", "path": path})
        if rng.random() < 0.08 and kind != "rocket to a site":
            struck = []
        falls.append(
            {
                "name": name,
                "class": kind,
                "raid": raid,
                "t": path[-1][0],
                "lon": end[0],
                "lat": end[1],
                "zones": struck,
            }
        )

    for i in range(30):
        start = (47.6 + rng.normal(0, 0.25), 33.9 + rng.normal(0, 0.2))
        t0, flight = 30 + 4.5 * i + rng.uniform(0, 4), 585 + rng.normal(0, 12)
        fire(
            f"M-{i + 1:02d}", "medium-range", "Eastern salvo", start, int(rng.choice(amber)), t0, flight, 300
        )
    for i in range(20):
        start = (35.75 + rng.normal(0, 0.05), 33.35 + rng.normal(0, 0.05))
        fire(
            f"R-{i + 1:02d}",
            "rocket",
            "Border rockets",
            start,
            int(rng.choice(north)),
            380 + 9 * i,
            95 + rng.normal(0, 6),
            22,
        )
    site = next(i for i, z in enumerate(zones) if z["name"] == "Site O")
    for i in range(4):
        start = (43.6 + rng.normal(0, 0.02), 34.3 + rng.normal(0, 0.02))
        fire(
            f"S-{i + 1}",
            "rocket to a site",
            "Rockets on Site O",
            start,
            site,
            520 + 6 * i,
            118 + rng.normal(0, 3),
            30,
        )
    for i in range(15):
        a, b = rng.uniform((33, 27.5), (50, 35.5)), rng.uniform((33, 27.5), (50, 35.5))
        step = (b - a) / np.hypot(*(b - a)) * 0.23 / 100
        path = [[float(s), *(a + step * s).tolist(), 10.5] for s in range(0, 1080, 4)]
        truth.append({"name": f"C-{i + 1}", "class": "aircraft", "raid": "", "end": "left", "path": path})
    return truth, falls


def _picture(
    rng: np.random.Generator, name: str, truth: list[Any], falls: list[Any], zones: list[Any]
) -> dict[str, Any]:
    # when each picture first sees each class, as a share of the flight
    first = {
        "amber": {"medium-range": 0.52, "rocket": 0.10, "rocket to a site": 9.0},
        "blue": {"medium-range": 0.16, "rocket": 0.62, "rocket to a site": 0.18},
        "joint": {"medium-range": 0.15, "rocket": 0.10, "rocket to a site": 0.18},
    }[name]
    tracks: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    by_name = {fall["name"]: fall for fall in falls}
    issuer = "BLUE" if name == "blue" else "AMBER"

    def say(t: float, action: str, tier: str, told: list[int], impact: float, reason: str = "") -> None:
        for partner in ("Amber", "Blue"):
            part = [z for z in told if zones[z]["partner"] == partner]
            if part:
                base = {"t": t, "action": action, "tier": tier, "partner": partner, "zones": part}
                alerts.append(
                    base | {"impact_t": impact, "reason": reason, "id": f"{partner}-{len(alerts) + 1}"}
                )

    for number, flight in enumerate(truth):
        aircraft = flight["class"] == "aircraft"
        share = 0.0 if aircraft else first[flight["class"]] * rng.uniform(0.9, 1.15)
        path = flight["path"]
        full = len(path) / (0.6 if flight["end"] == "breakup" else 1.0)
        start = int(share * full)
        if start > 0.95 * len(path):
            continue
        seen, burn = path[start:], int(0.18 * full)
        sigma = 0.6 if name == "amber" else 0.9
        rows = []
        for i, (t, lon, lat, alt) in enumerate(seen):
            phase = 2 if aircraft else 0 if start + i < burn else 1
            wobble = sigma / 111 / (1 + i / 20)
            rows.append([t, lon + wobble * rng.normal() * 0.3, lat + wobble * rng.normal() * 0.3, alt, phase])
        track: dict[str, Any] = {
            "number": f"{issuer}-{number + 1:04d}",
            "class": flight["class"],
            "path": rows,
        }
        track |= {"launch": None, "impacts": []}
        tracks.append(track)
        if aircraft:
            continue
        big = 14.0 if name == "amber" else 6.0
        track["launch"] = {
            "lon": path[0][1] + rng.normal(0, 0.05),
            "lat": path[0][2] + rng.normal(0, 0.05),
            "a_km": big,
        }
        track["launch"] |= {
            "b_km": max(2.0, big / 3),
            "bearing_deg": 100.0,
            "t": path[0][0],
            "origin": "Kestrel Upland",
        }
        fall = by_name.get(flight["name"])
        aim = (fall["lon"], fall["lat"], fall["t"]) if fall else (35.0, 31.8, path[0][0] + full)
        t_first = seen[0][0]
        for t in np.arange(t_first + 8, min(aim[2], path[-1][0]), 6):
            left = (aim[2] - t) / full
            a = 0.8 + 60 * left**2
            row = [
                float(t),
                aim[0] + rng.normal(0, a / 250),
                aim[1] + rng.normal(0, a / 250),
                a,
                -0.09 * a,
                1.8,
                0.04 * a,
                0.4 * a + 0.3,
            ]
            track["impacts"].append([*row, aim[2]])
        near = [
            i
            for i, z in enumerate(zones)
            if math.hypot((z["lon"] - aim[0]) * 94, (z["lat"] - aim[1]) * 111) < 4.5
        ]
        wide = [
            i
            for i, z in enumerate(zones)
            if math.hypot((z["lon"] - aim[0]) * 94, (z["lat"] - aim[1]) * 111) < 13
        ]
        if flight["class"] == "medium-range":
            say(t_first + 15, "alert", "early", wide, aim[2])
        at = max(t_first + 12, aim[2] - 285) if flight["class"] == "medium-range" else t_first + 9
        if fall is None:
            at = min(at, path[-1][0] - 5)
        if at < aim[2]:
            say(at, "alert", "shelter", near, aim[2])
        if fall is None:
            say(
                path[-1][0] + 4,
                "cancel",
                "shelter",
                near,
                aim[2],
                "object broke up in flight: the danger is over",
            )
        else:
            say(aim[2] + 60, "all_clear", "shelter", near, aim[2])
    alerts.sort(key=lambda alert: alert["t"])
    for track in tracks:
        track["impacts"].sort()
    label = {"amber": "Amber alone", "blue": "Blue alone", "joint": "Together"}[name]
    return {"label": label, "tracks": tracks, "alerts": alerts, "summary": _summary(name, len(alerts))}


def _summary(name: str, alerts: int) -> dict[str, Any]:
    i = ("amber", "blue", "joint").index(name)
    return {
        "detected": (50, 41, 54)[i],
        "missed": (4, 13, 0)[i],
        "false_tracks": (1, 2, 0)[i],
        "track_swaps": (2, 3, 1)[i],
        "gospa_m": (5210.0, 6120.0, 2480.0)[i],
        "nees": (1.12, 1.21, 1.04)[i],
        "first_track_s": {"median": (231.0, 71.0, 64.0)[i], "max": (298.0, 104.0, 92.0)[i]},
        "impact_error_m": {"median": (2210.0, 3900.0, 1650.0)[i], "p90": (5600.0, 9100.0, 4200.0)[i]},
        "impact_coverage_50": (0.47, 0.53, 0.51)[i],
        "impact_coverage_90": (0.88, 0.92, 0.9)[i],
        "launch_error_m": {"median": (9100.0, 2600.0, 2400.0)[i], "p90": (21000.0, 5600.0, 5200.0)[i]},
        "launch_coverage_90": (0.91, 0.89, 0.9)[i],
        "origin": {"stated": (28, 33, 49)[i], "wrong": 0, "undetermined": (22, 8, 5)[i]},
        "zones": {
            "struck": 63,
            "feasible": (58, 47, 62)[i],
            "warned_in_time": (47, 44, 61)[i],
            "late": (9, 5, 1)[i],
            "missed": (7, 14, 1)[i],
            "false": (402, 511, 380)[i],
        },
        "lead_time_s": {"min": (11.0, 24.0, 31.0)[i], "median": (152.0, 188.0, 284.0)[i]},
        "margin_s": {"min": (-34.0, -12.0, -4.0)[i], "median": (96.0, 131.0, 229.0)[i]},
        "alerts": alerts,
        "cancelled": 1,
    }


def _procedure() -> list[dict[str, Any]]:
    steps = [
        (
            "Confirm launch with the partner",
            75,
            61,
            "Amber duty officer",
            "Blue duty officer",
            "voice line",
            True,
        ),
        ("Raise both sites' watch", 100, 88, "Blue duty officer", "Sites N to Q", "data link", True),
        ("Release early notice", 120, 96, "Amber warning desk", "civil protection", "CAP", True),
        ("Tell partner of the cut link", 450, 468, "Amber link watch", "Blue link watch", "telephone", False),
        (
            "Withdraw the alert for the broken-up missile",
            420,
            402,
            "Amber warning desk",
            "civil protection",
            "CAP",
            True,
        ),
        ("Joint statement of all clear", 1000, None, "both", "public", "broadcast", False),
    ]
    keys = ("step", "due_s", "done_s", "who", "told", "channel", "ok")
    return [dict(zip(keys, step, strict=True)) for step in steps]


def _assessment() -> dict[str, Any]:
    rows = [
        (
            "2025-12-20",
            "Its leaders urge allied groups to hold back",
            "against",
            "B2",
            "wants sanctions relief",
            False,
            [],
        ),
        ("2025-12-24", "Weekly sanctions announced", "for", "A1", "shows resolve", True, []),
        (
            "2025-12-27",
            "Rockets moved near the border",
            "for",
            "C3",
            "seeks support",
            False,
            ["no movement seen"],
        ),
        (
            "2025-12-28",
            "No movement seen by satellite",
            "against",
            "B1",
            "none known",
            False,
            ["rockets moved"],
        ),
    ]
    keys = ("date", "text", "direction", "grade", "source_interest", "own_action", "conflicts_with")
    return {
        "question": "Will missiles or rockets be fired at either partner before 20 January?",
        "indicators": [dict(zip(keys, row, strict=True)) for row in rows],
        "partners": {"Amber": 0.42, "Blue": 0.28},
        "pooled": 0.35,
        "spread": 0.14,
        "posture": "raised",
        "watch_window": ["2026-01-03", "2026-01-20"],
    }


def _origins(rng: np.random.Generator, truth: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = {
        "medium-range": ("Kestrel Upland", "Teal Plain"),
        "rocket": ("Heron Flats", "disputed"),
        "rocket to a site": ("Teal Plain", "Kestrel Upland"),
    }
    origins = []
    for i, flight in enumerate(truth):
        if flight["class"] == "aircraft":
            continue
        first, second = places[flight["class"]]
        p = float(rng.uniform(0.93, 0.999)) if i != 40 else 0.55
        statement = first if p > 0.9 else "cannot be told"
        origins.append({"track": f"AMBER-{i + 1:04d}", "class": flight["class"], "statement": statement})
        origins[-1]["probabilities"] = {first: p, second: 1 - p}
    return origins
