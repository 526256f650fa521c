"""What the npm package that apps are built on reports from our feed: the zones told, as drills, never real.

The package comes from the registry into a temporary folder, and is asked at our address in place of the one
in its configuration.  Skipped where Node, npm or the registry is missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_alerts import Raid, config

from jointwatch.node.dispatch import render_cap
from jointwatch.node.sinks.app_feed import HISTORY_PATH, LIVE_PATH, AppFeed
from jointwatch.node.sinks.sink import ForExercise

PACKAGE = "pikud-haoref-api@4.0.0"
NODE, NPM = shutil.which("node"), shutil.which("npm")
CONFIG = config()
NAMES = {"Z1": "כפר צפון", "Z2": "הטחנה"}
SCRIPT = """
const config = require('pikud-haoref-api/config');
const [live, history] = process.argv.slice(2);
config.hfc.alerts.api = live;
config.hfc.alertsHistory.api = history;
require('pikud-haoref-api').getActiveAlert((error, alert) => {
  console.log('\\nFOUND ' + JSON.stringify({ error: error && String(error), alert }));
}, {});
"""
pytestmark = pytest.mark.skipif(NODE is None or NPM is None, reason="Node or npm is not installed")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    (folder / "package.json").write_text('{"name": "asks", "private": true}')
    (folder / "ask.js").write_text(SCRIPT)
    command = [str(NPM), "install", PACKAGE, "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it fails"])[0]
        pytest.skip(f"npm install {PACKAGE}: {said}")
    return folder


class Told:
    """A feed with a clock that may be put ahead of this machine's, and messages for it."""

    def __init__(self) -> None:
        self.ahead_s = 0
        self.feed = AppFeed(
            "apps",
            {("Amber", key): name for key, name in NAMES.items()},
            {"amber": "Amber"},
            clock=lambda: time.time_ns() + self.ahead_s * 10**9,
        )

    def tell(self, raid: Raid, action: str, *zones: str) -> None:
        alert = raid.says(action, *zones)
        data = render_cap(CONFIG)(alert, raid.sent[:-1])
        assert ForExercise(self.feed).deliver(alert.identifier, data).came == "delivered"


@pytest.fixture
def told() -> Iterator[Told]:
    one = Told()
    yield one
    one.feed.close()


def asked(client: Path, feed: AppFeed) -> Any:
    """What the client reports now."""
    host, port = feed.address
    urls = [f"http://{host}:{port}/{'/'.join(path)}" for path in (LIVE_PATH, HISTORY_PATH)]
    done = subprocess.run(
        [str(NODE), "ask.js", *urls], cwd=client, capture_output=True, text=True, timeout=60, check=True
    )
    found = json.loads(done.stdout.rpartition("\nFOUND ")[2])
    assert found["error"] is None
    assert found["alert"]["type"] == "none" or found["alert"]["type"].endswith("Drill")
    return found["alert"]


def test_it_reports_the_zones_told_as_a_missile_drill_with_our_title(client: Path, told: Told) -> None:
    assert asked(client, told.feed) == {"type": "none", "cities": []}
    told.tell(Raid(), "alert", "Z1", "Z2")
    alert = asked(client, told.feed)
    assert (alert["type"], sorted(alert["cities"])) == ("missilesDrill", sorted(NAMES.values()))
    assert alert["instructions"].startswith("תרגיל: ")


def test_after_ten_seconds_it_finds_them_in_the_history_in_its_own_time_zone(
    client: Path, told: Told
) -> None:
    told.tell(Raid(), "alert", "Z1")
    told.ahead_s = 11
    alert = asked(client, told.feed)
    assert (alert["type"], alert["cities"]) == ("missilesDrill", [NAMES["Z1"]])


def test_what_is_two_minutes_old_is_no_alert_to_it(client: Path, told: Told) -> None:
    told.ahead_s = -130
    told.tell(Raid(), "alert", "Z1")
    told.ahead_s = 0
    assert asked(client, told.feed) == {"type": "none", "cities": []}


def test_early_notices_and_ends_are_general_drills_to_it(client: Path, told: Told) -> None:
    early = Raid(tier="early")
    told.tell(early, "alert", "Z1", "Z2")
    alert = asked(client, told.feed)
    assert (alert["type"], sorted(alert["cities"])) == ("generalDrill", sorted(NAMES.values()))
    told.ahead_s = 11
    told.tell(early, "cancel", "Z2")
    assert asked(client, told.feed)["cities"] == [NAMES["Z2"]]
    assert asked(client, told.feed)["type"] == "generalDrill"
