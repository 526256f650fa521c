"""The report is one file, tells only what it was handed, and refuses what it could not draw truly."""

from __future__ import annotations

import copy
import html
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fake_exercise import fake_exercise

from jointwatch.records import BadInput
from jointwatch.review.report import report_html, write_report

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return fake_exercise(zone_count=250)


def small() -> dict[str, Any]:
    """One fall on each of three zones: told in time, told late, not told."""
    zones = [
        {"key": str(i), "name": f"Z{i}", "partner": "Amber", "shelter_s": 60.0, "lon": 35.0 + i, "lat": 31.0}
        | {"ring": [], "radius_m": 2000.0}
        for i in range(3)
    ]
    falls = [
        {
            "name": f"F{i}",
            "class": "rocket",
            "raid": "one",
            "t": 300.0,
            "lon": 35.0 + i,
            "lat": 31.0,
            "zones": [i],
        }
        for i in range(3)
    ]

    def alert(t: float, action: str, zone: int) -> dict[str, Any]:
        base = {"t": t, "action": action, "tier": "shelter", "partner": "Amber", "zones": [zone]}
        return base | {"impact_t": 300.0, "reason": "", "id": f"{action}{zone}"}

    # zone 2 was told, and the alert was withdrawn before the fall: that is no warning
    alerts = [alert(200, "alert", 0), alert(260, "alert", 1), alert(100, "alert", 2), alert(150, "cancel", 2)]
    return {
        "title": "t",
        "sentence": "s",
        "start_utc": "2026-01-05T22:00:00Z",
        "duration_s": 400.0,
        "partners": ["Amber", "Blue"],
        "zones": zones,
        "falls": falls,
        "pictures": {"joint": {"label": "Together", "tracks": [], "alerts": alerts, "summary": {}}},
    }


def embedded(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def test_the_page_is_one_file_that_loads_nothing(data: dict[str, Any]) -> None:
    text = report_html(data)
    assert "@@" not in text
    assert not re.search(r"""(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest|import\(""", text)
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name space, not an address that is read


def test_the_data_on_the_page_is_the_data_handed_in(data: dict[str, Any]) -> None:
    read = embedded(report_html(data))
    assert read["falls"][3]["zones"] == data["falls"][3]["zones"]
    assert read["pictures"]["joint"]["summary"]["zones"] == data["pictures"]["joint"]["summary"]["zones"]
    here = data["pictures"]["joint"]["tracks"][0]["path"][50]
    assert read["pictures"]["joint"]["tracks"][0]["path"][50] == pytest.approx(here, abs=1e-5)


def test_text_of_the_data_cannot_become_markup_or_script() -> None:
    data = small()
    hostile = "</script><script>alert(1)</script><!-- <script> & @@style@@ \u2028"
    data["sentence"] = data["title"] = data["zones"][0]["name"] = hostile
    text = report_html(data)
    assert "alert(1)</script>" not in text
    assert text.count("<script") == report_html(small()).count("<script")
    assert text.count("<!--") == 0
    assert embedded(text)["zones"][0]["name"] == hostile
    assert f"<title>EXERCISE: {html.escape(hostile)}</title>" in text


def test_the_page_says_exercise_and_not_certified_and_no_substitute() -> None:
    text = " ".join(report_html(small()).split())
    assert text.count('class="exercise">EXERCISE') == 2
    assert "not certified" in text and "no substitute for an authority's instructions" in text


def test_the_same_data_gives_the_same_bytes(data: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path / "a.html", data)
    write_report(tmp_path / "b.html", copy.deepcopy(data))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize("key", ["title", "sentence", "start_utc", "duration_s", "zones", "pictures"])
def test_a_missing_key_is_named(key: str) -> None:
    data = small()
    del data[key]
    with pytest.raises(BadInput, match=key):
        report_html(data)


def test_what_cannot_be_drawn_truly_is_refused_by_its_place_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    data = small()
    data["falls"][1]["lon"] = float("nan")
    with pytest.raises(BadInput, match=r"data\.falls\[1\]\.lon"):
        write_report(path, data)
    data = small()
    data["pictures"]["joint"]["alerts"][2]["zones"] = [3]
    with pytest.raises(BadInput, match=r"pictures\.joint\.alerts\[2\]\.zones"):
        write_report(path, data)
    data = small()
    data["duration_s"] = 0
    with pytest.raises(BadInput, match="duration_s"):
        write_report(path, data)
    assert list(tmp_path.iterdir()) == []


# --- in a browser: skipped by name where there is none ------------------------------------------------


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshot", ROOT / "scripts" / "screenshot.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser() -> str:
    found = script().find_chromium()
    if found is None:
        pytest.skip("chromium is not installed (make system-deps)")
    return str(found)


def opened(browser: str, tmp_path: Path, data: dict[str, Any], fragment: str, probe: str) -> tuple[str, Any]:
    """The page's text after its script ran, and the value of the expression `probe` there."""
    write = f"<script>document.body.dataset.probe = JSON.stringify({probe})</script></body>"
    path = tmp_path / "report.html"
    path.write_text(report_html(data).replace("</body>", write), encoding="utf-8")
    command = [browser, *script().FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900"]
    command += ["--virtual-time-budget=2000", "--dump-dom", f"{path.as_uri()}#{fragment}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found, "the page's script did not run to its end"
    return done.stdout, json.loads(html.unescape(found[1]))


def test_the_page_shows_the_moment_and_picture_its_address_asks_for(
    browser: str, tmp_path: Path, data: dict[str, Any]
) -> None:
    page, state = opened(
        browser, tmp_path, data, "t=455&picture=amber&theme=dark&view=Amber", "jointwatch.state"
    )
    assert (state["t"], state["picture"]) == (455, "amber")
    assert 'data-theme="dark"' in page
    assert "T+07:35" in page and "22:07:35 UTC" in page  # drawn, not only stored
    assert "Link cut until T+07:55" in page
    for heading in (
        "side by side",
        "What joining was worth",
        "Procedure",
        "joint assessment",
        "never an actor",
    ):
        assert heading in page
    told = sum(len(picture["alerts"]) > 0 for picture in data["pictures"].values())
    assert told == 3 and f"{len(data['pictures']['amber']['alerts'])} messages, Amber alone" in page


def test_others_alerts_are_shown_with_whose_word_they_are(
    browser: str, tmp_path: Path, data: dict[str, Any]
) -> None:
    rows = "[...document.querySelectorAll('.others tbody tr')].map(r => r.innerText)"
    page, shown = opened(browser, tmp_path, data, "t=455", rows)
    text = [" | ".join(row.split("\t")) for row in shown]
    assert len(text) == 8 and "Others' alerts" in page
    assert text[0].startswith(
        "T+01:00 | north.example | Exercise | alert: Take shelter | Hills, Coast | T+16:00"
    )
    assert "| signed | replaced T+06:00 | Amber" in text[0]
    assert "Storm <b>warning</b>" in text[1] and "nobody vouches for it | stands" in text[1]
    assert text[3].startswith("2 | not of an exercise | T+01:39 drop: alert.status: found Actual")
    assert "| 100 | 100 | never | 0 |" in text[7] and "ConnectionRefusedError" in text[7]
    bare, _ = opened(browser, tmp_path, small(), "t=1", "1")
    assert "Others' alerts" not in re.sub(r"<script.*?</script>", "", bare, flags=re.S)


def test_in_time_late_and_withdrawn_are_told_apart(browser: str, tmp_path: Path) -> None:
    page, verdicts = opened(browser, tmp_path, small(), "t=300", 'jointwatch.verdicts("joint")')
    assert verdicts == [
        {"fall": "F0", "verdict": "ok", "lead_s": 100},
        {"fall": "F1", "verdict": "late", "lead_s": 40},
        {"fall": "F2", "verdict": "missed", "lead_s": None},
    ]
    # sections that were not handed in are left out
    assert "Procedure: due and done" not in page.split('id="tables"')[1].split("<footer")[0]


def test_the_picture_for_the_readme_is_drawn_at_the_size_asked_for(
    browser: str, tmp_path: Path, data: dict[str, Any]
) -> None:
    report, out = tmp_path / "report.html", tmp_path / "out.png"
    write_report(report, data)
    command = [sys.executable, str(ROOT / "scripts" / "screenshot.py"), str(report), str(out)]
    subprocess.run([*command, "--at", "400", "--size", "1000x700"], check=True, timeout=60)
    png = out.read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (1000, 700)
    assert len(png) > 40_000  # a map with its tracks, not an empty page


def test_a_group_moves_on_until_it_is_told_again_and_says_how_many(browser: str, tmp_path: Path) -> None:
    data = small()
    sure = [35.0, 31.0, 2.0, 1.0, 45.0, 0.01, 0.0, 3, 3, 3]
    unsure = [36.0, 31.0, 2.0, 1.0, 45.0, 0.0, 0.02, 5, 4, 6]
    data["pictures"]["joint"]["groups"] = [[100.0, [sure, unsure]], [105.0, [sure]]]
    _, at = opened(
        browser, tmp_path, data, "", "[99, 100, 104, 105, 111, 113].map(t => jointwatch.groups(t))"
    )
    assert [[group["words"] for group in groups] for groups in at] == [
        [], ["3", "5 (4–6)"], ["3", "5 (4–6)"], ["3"], ["3"], [],
    ]  # fmt: skip
    # 4 s later the one is further east and the other further north, each by its own rate
    (sure_then, unsure_then), (sure_now, unsure_now) = at[1], at[2]
    assert sure_now["x"] > sure_then["x"] and sure_now["y"] == sure_then["y"]
    assert unsure_now["y"] > unsure_then["y"] and unsure_now["x"] == unsure_then["x"]
    # told again at 105 s where it was: it begins anew from there
    assert at[3][0]["x"] == sure_then["x"]


def test_the_page_says_how_good_the_picture_was(browser: str, tmp_path: Path) -> None:
    rows = [{"label": "Completeness <b>", "values": {"joint": "74 %"}, "meaning": "ideally 100 %"}]
    page, _ = opened(browser, tmp_path, small() | {"quality": rows}, "", "1")
    assert "How good was the picture" in page.split('id="tables"')[1].split("<footer")[0]
    assert "Completeness &lt;b&gt;" in page and "74 %" in page and "ideally 100 %" in page
    page, _ = opened(browser, tmp_path, small(), "", "1")
    assert "How good was the picture" not in page.split('id="tables"')[1].split("<footer")[0]


def test_the_page_says_what_each_knew_and_when(browser: str, tmp_path: Path, data: dict[str, Any]) -> None:
    probe = (
        "[...document.querySelectorAll('.knew .row.go')].map(row => "
        "[row.querySelectorAll('.mark').length, row.querySelectorAll('.mark.never').length, "
        "[...row.querySelectorAll('.gain > *')].map(g => g.textContent)])"
    )
    page, rows = opened(browser, tmp_path, data, "", probe)
    assert "What each knew, and when" in page and "Measured." in page
    # a mark a picture, hollow where it never knew; the gain over Amber alone and over Blue alone
    assert rows == [
        [3, 0, ["+140 s", "+10 s"]],
        [3, 1, ["new", "same"]],
        [3, 1, ["new", "−30 s"]],
        [3, 2, ["new", "new"]],
        [2, 0, ["+50 s", "−40 s"]],
    ]
    assert "[object Object]" not in page


def test_without_events_the_page_is_whole_and_says_nothing_of_them(browser: str, tmp_path: Path) -> None:
    nothing = {"sentence": "", "by_kind": {}, "events": []}
    for data in (small(), small() | {"joining": nothing}):
        page, rows = opened(browser, tmp_path, data, "t=300", "document.querySelectorAll('.knew').length")
        assert rows == 0
        assert "What each knew" not in page.split('id="tables"')[1].split("<footer")[0]


def test_an_alert_that_nobody_takes_back_stands_for_a_fall_long_after(browser: str, tmp_path: Path) -> None:
    data = small()
    data["falls"][0]["t"] = 1300.0
    data["pictures"]["joint"]["alerts"] = [
        alert | {"impact_t": 20.0, "t": 10.0} for alert in data["pictures"]["joint"]["alerts"][:1]
    ]
    _, verdicts = opened(browser, tmp_path, data | {"duration_s": 1400.0}, "", "jointwatch.verdicts('joint')")
    assert verdicts[0] == {"fall": "F0", "verdict": "ok", "lead_s": 1290}


def burned(data: dict[str, Any]) -> dict[str, Any]:
    """A burn told of at 100 s and 110 s, tracked from 130 s on, its launch the track's from 140 s on."""
    launch = {"lon": 38.0, "lat": 32.0, "a_km": 6.0, "b_km": 3.0, "bearing_deg": 20.0, "origin": "Teal Plain"}
    launch |= {"why": "", "sensors": 2, "azimuth_deg": 265.0, "azimuth_sigma_deg": 8.0, "t": 100.0}
    impact = [35.0, 31.0, -90.0, 5.0, 1.2, 4.0, 30.0, 400.0]
    told = {"class": "medium range", "launch": launch, "impact": impact}
    vague = copy.deepcopy(told)
    vague["impact"][2] = -2500.0
    burn = {"number": "AMBER-B0001", "track": "AMBER-0001", "tracked": 130.0, "over": 140.0}
    data["pictures"]["joint"]["burns"] = [burn | {"told": [[100.0, vague], [110.0, told]]}]
    data["satellites"] = [
        {"name": "amber-high", "partner": "Amber", "lon": 10.0, "period_s": 10.0},
        {"name": "blue-high", "partner": "Blue", "lon": -75.0, "period_s": 10.0},
    ]
    return data


def test_a_burn_shows_until_its_track_has_the_launch(browser: str, tmp_path: Path) -> None:
    probe = "[99, 105, 115, 132, 141].map(t => jointwatch.burns(t).map(b => [!!b.impact, b.drawn]))"
    page, at = opened(browser, tmp_path, burned(small()), "t=115", probe)
    # an impact that may be anywhere is not drawn
    assert at == [[], [[True, False]], [[True, True]], [[False, False]], []]
    legend = page.split('id="legend"')[1].split("<div id=")[0]
    assert "launch seen to burn, azimuth" in legend and "expected impact, no track yet" in legend
    assert "Amber infrared, orbit at 10° E" in legend and "Blue infrared, orbit at 75° W" in legend
    page, _ = opened(browser, tmp_path, small(), "t=115", "1")
    assert "launch seen to burn" not in page.split('id="legend"')[1].split("<div id=")[0]


def test_where_from_tells_the_evidence_the_azimuth_and_why_not(browser: str, tmp_path: Path) -> None:
    base = {"class": "medium range", "statement": "launch area lies in Teal Plain", "why": "", "sensors": 2}
    base |= {"evidence": "burn and track", "probabilities": {"Teal Plain": 1.0}}
    rows = [
        base | {"track": "A-1", "azimuth_deg": 358.0, "azimuth_sigma_deg": 0.5},
        base | {"track": "A-2", "azimuth_deg": 4.0, "azimuth_sigma_deg": 12.0},
        base
        | {
            "track": "A-B3",
            "statement": "cannot be told",
            "why": "two territories: X <b>, Y",
            "evidence": "burn",
        }
        | {"azimuth_deg": None, "azimuth_sigma_deg": None},
    ]
    probe = (
        "[...document.querySelectorAll('#tables section')].filter(s => /Where from/.test(s.textContent))"
        ".flatMap(s => [...s.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.textContent)))"
    )
    _, found = opened(browser, tmp_path, small() | {"origins": rows}, "", probe)
    together, alone = found
    assert together[3:6] == ["burn and track", "2", "358° to 4° ± up to 12°"]
    assert alone[2:6] == ["cannot be told: two territories: X <b>, Y", "burn", "2", "not known"]


def test_a_salvo_of_burns_says_how_many_it_is(browser: str, tmp_path: Path) -> None:
    data = small()
    data["pictures"]["joint"]["salvos"] = [[100.0, [[38.0, 32.0, 20.0, 9.0, 45.0, 0.0, 0.0, 12, 11, 14]]]]
    probe = "[100, 104].map(t => [jointwatch.groups(t), jointwatch.groups(t, 'salvos').map(g => g.words)])"
    _, at = opened(browser, tmp_path, data, "t=101", probe)
    assert at == [[[], ["12 (11–14)"]]] * 2
