"""What the README tells a newcomer to do works as it stands there."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from jointwatch.cli.describe import describe_scenario
from jointwatch.exercise.scenario import load_scenario

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The README's one code block of a language."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return text


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own-zones.geojson").write_text(block("json"), encoding="utf-8")
    scenario = tmp_path / "own.toml"
    scenario.write_text(block("toml"), encoding="utf-8")
    return scenario


def test_the_readmes_own_scenario_and_zones_are_accepted(own: Path) -> None:
    text = "\n".join(describe_scenario(own))
    assert "Amber: 1 sensor, 3 zones to warn" in text
    assert "Blue: 1 sensor, 1 zone to warn" in text
    assert "Last fall: " in text, "flown, so its raids can reach its zones"
    assert {z.key: z.shelter_s for z in load_scenario(own).zones("Amber")} == {
        "north": 30.0,
        "mill": 60.0,
        "harbour": 90.0,
    }


def test_every_file_the_readme_points_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).is_file(), target


def test_the_readmes_picture_has_the_size_it_is_shown_at_and_loads_quickly() -> None:
    data = (ROOT / "docs" / "picture.png").read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1400, 900)
    assert len(data) < 600_000
