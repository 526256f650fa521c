"""The sweep command, as a person meets it: its table, its files, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from jointwatch.cli.main import main

SMALL = Path(__file__).parents[1] / "small.toml"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["jointwatch", "sweep", *map(str, arguments)])
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_a_sweep_prints_its_table_and_leaves_the_figures_and_the_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "sweep"
    assert call(monkeypatch, SMALL, "--runs", 1, "--out", out) == 0
    said = capsys.readouterr().out
    assert "Amber: 3 zones struck that could be warned in time, 1 run" in said
    assert "399 : 1" in said and "now     49 : 1" in said and "0 of 3" in said
    assert said.rstrip().endswith(f"Figure: {out / 'sweep.svg'}")
    document = json.loads((out / "sweep.json").read_text(encoding="utf-8"))
    assert (document["scenario"], document["seeds"]) == ("small", [3])
    amber, blue = document["partners"]
    assert amber["present"]["times_as_bad"] == 49.0 and len(amber["ladder"]) == 7
    assert amber["present"] == amber["ladder"][3], "the present costs are on the ladder"
    assert blue["present"]["missed_share"] is None
    etree.fromstring((out / "sweep.svg").read_bytes())


@pytest.mark.parametrize("blocked", [True, False])
def test_what_is_wrong_is_one_sentence_before_anything_is_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, blocked: bool
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    given: tuple[Any, ...] = (SMALL, "--out", taken) if blocked else (tmp_path / "no.toml", "--out", tmp_path)
    assert call(monkeypatch, *given) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.strip().splitlines()) == 1
    assert ("taken: folder" in said.err) if blocked else ("no.toml" in said.err)
