"""The commands, as a person meets them: what they print, and the status they end with."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jointwatch.cli.main import main

TESTS = Path(__file__).parents[1]
SMALL = TESTS / "small.toml"
SCENARIOS = TESTS.parent / "scenarios"


class Called:
    """One call of the program: its exit status and what it printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def called(*arguments: object) -> Called:
        monkeypatch.setattr(sys, "argv", ["jointwatch", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
        said = capsys.readouterr()
        return Called(status, said.out, said.err)

    return called


def refused(result: Called, *words: str) -> None:
    """Exit status 2, nothing on standard output, one sentence with these words on standard error."""
    assert result.status == 2, result.err
    assert result.out == ""
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run of the small exercise in a process of its own, and what the run printed."""
    out = tmp_path_factory.mktemp("cli") / "small"
    command = [sys.executable, "-m", "jointwatch.cli.main", "run", str(SMALL), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""  # no bar where standard error is no terminal
    return out, done.stdout


def test_a_run_ends_with_the_table_the_sentence_and_the_path(played: tuple[Path, str]) -> None:
    out, said = played
    table, _, end = said.partition("\nTogether: ")
    assert "Amber alone" in table and "Blue alone" in table
    assert end.strip().endswith(f"joint picture.\n\nReport: {out / 'report.html'}")
    names = sorted(p.name for p in out.iterdir())
    assert names == ["alerts", "amber.journal.sqlite", "blue.journal.sqlite", "report.html", "summary.json"]
    assert [p.name for p in out.parent.iterdir()] == ["small"]


def test_the_summary_has_what_is_promised(played: tuple[Path, str]) -> None:
    out, said = played
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["sentence"] in said
    assert (summary["scenario"], summary["seed"]) == ("small", 3)
    assert summary["truth"]["launches"] == 3 and summary["truth"]["aircraft"] == 1
    assert set(summary["pictures"]) == {"amber", "blue", "joint"}
    joint = summary["pictures"]["joint"]
    assert joint["detected"] == 3 and joint["zones"]["struck"] == 3
    for key in ("value_of_joining", "latency_ms", "link", "wall_s", "simulated_s"):
        assert key in summary
    assert summary["procedure"]["First track of a launch passed on"]["due"] == 6


def test_a_run_says_the_same_at_any_speed_and_in_any_process(
    call: Any, played: tuple[Path, str], tmp_path: Path
) -> None:
    before = json.loads((played[0] / "summary.json").read_text(encoding="utf-8"))
    result = call("run", SMALL, "--out", tmp_path / "again", "--speed", "400", "--json")
    after = json.loads(result.out)
    assert after["digests"] == before["digests"]
    measured = {"wall_s", "latency_ms"}  # by the wall clock
    assert {k: v for k, v in after.items() if k not in measured} == {
        k: v for k, v in before.items() if k not in measured
    }
    reports = [(folder / "report.html").read_bytes() for folder in (played[0], tmp_path / "again")]
    assert reports[0] == reports[1]


def test_another_seed_and_a_change_give_another_exercise(
    call: Any, played: tuple[Path, str], tmp_path: Path
) -> None:
    before = json.loads((played[0] / "summary.json").read_text(encoding="utf-8"))
    for options in (("--seed", "4"), ("--vary", "detection=0.7", "--vary", "clutter=2")):
        other = json.loads(call("run", SMALL, "--out", tmp_path / options[1], *options, "--json").out)
        assert all(other["digests"][key] != before["digests"][key] for key in before["digests"])


def test_replay_says_what_a_journal_holds_and_that_it_comes_out_again(
    call: Any, played: tuple[Path, str]
) -> None:
    journal = played[0] / "amber.journal.sqlite"
    held = call("replay", journal)
    assert held.status == 0
    assert "a node of Amber" in held.out and "sector" in held.out
    same = call("replay", journal, "--check")
    assert same.status == 0
    assert "bit for bit" in same.out
    summary = json.loads((played[0] / "summary.json").read_text(encoding="utf-8"))
    assert (
        json.loads(call("replay", journal, "--check", "--json").out)["digest"] == summary["digests"]["Amber"]
    )


def test_a_journal_that_differs_ends_with_1_and_says_where(
    call: Any, played: tuple[Path, str], tmp_path: Path
) -> None:
    from jointwatch.node.journal import Journal, read_journal

    journal = Journal(tmp_path / "less.sqlite")
    entries = list(read_journal(played[0] / "amber.journal.sqlite"))
    for entry in entries[:-1] if entries[-1].direction == "out" else [*entries, entries[-1]]:
        journal.append(entry.time_ns, entry.direction, entry.data)
    last = next(e for e in reversed(entries) if e.direction == "out")
    journal.append(last.time_ns, "out", last.data)
    journal.append(last.time_ns, "out", last.data)
    journal.close()
    result = call("replay", tmp_path / "less.sqlite", "--check")
    assert result.status == 1
    assert "differs from entry" in result.out and "in journal:" in result.out


def test_a_cut_or_altered_journal_is_refused(call: Any, played: tuple[Path, str], tmp_path: Path) -> None:
    data = (played[0] / "amber.journal.sqlite").read_bytes()
    cut = tmp_path / "cut.sqlite"
    cut.write_bytes(data[: len(data) // 2])
    altered = tmp_path / "altered.sqlite"
    altered.write_bytes(data)
    file = sqlite3.connect(altered)
    with file:
        file.execute("UPDATE entry SET data = x'00' WHERE n = 50")
    file.close()
    for options in ((), ("--check",)):
        refused(call("replay", cut, *options), "cut.sqlite", "complete journal")
        refused(call("replay", altered, *options), "altered.sqlite", "entry 50", "unbroken hash chain")
    refused(call("replay", tmp_path / "none"), "none", "a journal that can be read")


def test_review_prints_the_results_again(call: Any, played: tuple[Path, str], tmp_path: Path) -> None:
    out, said = played
    again = call("review", out)
    assert again.status == 0
    assert said.strip() in again.out
    assert "First track of a launch passed on" in again.out
    good = again.out.split("How good was the picture")[1]
    figures = json.loads((out / "summary.json").read_text(encoding="utf-8"))["pictures"]["joint"]
    assert f"{figures['siap']['position_error_m']:,.0f} m" in good and "Trajectory GOSPA" in good
    gained = again.out.split("What joining gained")[1].split("Procedure")[0]
    assert "over Amber alone" in gained and "Launch tracked" in gained and "Struck zone told" in gained
    assert json.loads(call("review", out, "--json").out)["scenario"] == "small"
    refused(call("review", tmp_path), "summary.json")
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / "report.html").write_text("")
    for text, word in (("{", "JSON"), ("[]", "sentence"), ('{"sentence": ""}', "pictures")):
        (fake / "summary.json").write_text(text)
        refused(call("review", fake), "summary.json", word)


def test_results_never_take_the_place_of_something_else(call: Any, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    refused(call("run", SMALL, "--out", tmp_path), "precious.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("height_m = 300", "height_m = -9000", ["sensors[0].height_m", "-9000"]),
        ("sigma_range_m = 30", "sigma_range_m = -30", ["sensors[0].sigma_range_m", "-30"]),
        ("seed = 3", "sead = 3", ["scenario", "sead"]),
        ('name = "Amber"', 'name = "Amber"\nzones = "none.geojson"', ["partners[0].zones", "none.geojson"]),
        ('procedure = "small-procedure.toml"', 'procedure = "none.toml"', ["procedure", "none.toml"]),
        ('countries = ["682"]', 'countries = ["999"]', ["Ochre", "999"]),
        ("[link]", "[[sharing.Green]]\n[link]", ["sharing.Green", "Amber, Blue"]),
        ('kind = "health"', 'kind = "wealth"', ["sharing.Amber[4].kind", "wealth", "health"]),
        ("[link]", "[policy]\nleast_hitz = 1\n[link]", ["least_hitz"]),
        ("[link]", "[link", ["TOML"]),
    ],
)
def test_a_wrong_scenario_is_refused_by_run_and_by_check_and_leaves_nothing(
    call: Any, tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    text = SMALL.read_text(encoding="utf-8")
    assert old in text
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "wrong.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    (folder / "small-procedure.toml").write_bytes((TESTS / "small-procedure.toml").read_bytes())
    refused(call("check", folder / "wrong.toml"), "wrong.toml", *words)
    refused(call("run", folder / "wrong.toml", "--out", tmp_path / "out"), "wrong.toml", *words)
    assert [p.name for p in tmp_path.iterdir()] == ["scenario"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--speed", "0"), "--speed"),
        (("--speed", "fast"), "--speed"),
        (("--speed", "nan"), "--speed"),
        (("--keep-pace",), "--keep-pace"),
        (("--vary", "clutter"), "clutter"),
        (("--vary", "wind=3"), "wind"),
        (("--vary", "clutter=-1"), "clutter"),
        (("--vary", "detection=1.5"), "detection"),
        (("--vary", "azimuth_deg=inf"), "azimuth_deg"),
    ],
)
def test_a_wrong_option_is_refused(call: Any, tmp_path: Path, options: tuple[str, ...], word: str) -> None:
    refused(call("run", SMALL, "--out", tmp_path / "out", *options), word)
    assert not (tmp_path / "out").exists()


def test_check_says_in_words_what_an_exercise_will_do(call: Any) -> None:
    said = call("check", SCENARIOS / "two-partners.toml")
    assert said.status == 0
    for words in (
        "Amber: 4 sensors, 1,422 zones to warn",
        "Blue: 3 sensors",
        "30 of class medium range",
        "one of which breaks up in flight",
        "15 aircraft",
        "orbit-1, announced",
        "cut from 330 to 390 s",
        "49 times as bad as one told for nothing: take shelter from 2 % probability of danger",
        "amber-high: infrared in orbit over 10° E",
        "Blue gets plots of infrared sensors as they are, with the names of the sensors (rule Amber/1)",
        "Blue gets tracks as they are, with the names of the sensors (rule Amber/2)",
        "Amber gets tracks with the sensors under pseudonyms, else as they are (rule Blue/2)",
    ):
        assert words in said.out


def test_zones_are_counted_and_found_at_a_place(call: Any, tmp_path: Path) -> None:
    assert "1,422 zones" in call("zones").out
    near = json.loads(call("zones", "--at", "32.08,34.78", "--json").out)
    assert near and all(abs(z["latitude_deg"] - 32.08) < 0.2 for z in near)
    assert "0 of 1,422" in call("zones", "--at", "20,20").out
    own = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"key": "a", "name": "Fern Hill", "shelter_s": 15, "radius_m": 900},
                "geometry": {"type": "Point", "coordinates": [41.0, 31.0]},
            }
        ],
    }
    path = tmp_path / "own.geojson"
    path.write_text(json.dumps(own), encoding="utf-8")
    assert "Fern Hill" in call("zones", "--geojson", path, "--list").out
    refused(call("zones", "--at", "91,0"), "--at", "91,0")
    refused(call("zones", "--geojson", tmp_path / "none"), "none")


def test_the_assessment_is_told_with_its_spread_and_conflicts(call: Any) -> None:
    said = call("assess", SCENARIOS / "assessment.toml")
    assert said.status == 0
    for words in ("Amber: 25%", "Blue: 12%", "pooled: 18%", "Posture: watch", "contradicts met-other"):
        assert words in said.out
    assert json.loads(call("assess", SCENARIOS / "assessment.toml", "--json").out)["posture"] == "watch"
    refused(call("assess", SMALL), "small.toml")


def test_help_and_mistakes_are_quick_because_nothing_heavy_is_loaded() -> None:
    heavy = "numpy", "numba", "scipy", "shapely", "lxml"
    code = f"""
import atexit, sys
from jointwatch.cli.main import main
atexit.register(lambda: print([m for m in {heavy} if m in sys.modules], file=sys.stderr))
main()
"""
    for arguments in (["--help"], ["warm", "--help"], ["run", "nowhere.toml", "--speed", "never"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
        assert done.stderr.splitlines()[-1] == "[]", arguments
        assert ("Usage: " in done.stdout) == ("--help" in arguments)


def test_every_command_explains_itself(call: Any) -> None:
    for command in ("run", "replay", "review", "check", "zones", "assess", "warm", "alerts"):
        said = call(command, "--help")
        assert said.status == 0 and "Usage:" in said.out and len(said.out.splitlines()) > 6
    assert call("no-such-command").status == 2


def test_a_campaign_says_on_its_way_what_is_done_and_what_broke(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes an hour: whoever breaks it off must not lose what was found."""
    from jointwatch.exercise.simulator import campaign
    from jointwatch.exercise.simulator.simulation import Outcome

    def odd(seed: int) -> Outcome:
        invariant = "warns alone" if seed == 13 else ""
        return Outcome(seed=seed, invariant=invariant, said=invariant and "late", counts={}, seconds=0.0)

    monkeypatch.setattr(campaign, "simulate", odd)
    result = call("simulate", "--first", "0", "--seeds", "20", "--workers", "1", "--json")
    assert result.status == 1
    assert [line for line in result.err.splitlines() if line.endswith("of 20 seeds")] == [
        f"{2 * k} of 20 seeds" for k in range(1, 11)
    ]
    assert "seed 13: warns alone: late" in result.err
    assert [outcome["seed"] for outcome in json.loads(result.out)["broken"]] == [13]


SINK = '[[sink]]\nname = "one"\nfor = "exercise"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("none.toml", "wanted a file of sinks")),
        (SINK + 'kind = "app_feed"\nport = 0\ncategory = 1\n', ("sink[0].category", "unknown key")),
        (SINK.replace("exercise", "live") + 'kind = "files"\nfolder = "f"\n', ("sink[0].for", "an exercise")),
        (SINK + 'kind = "files"\nfolder = "out/sent"\n', ("folder", "outside the results")),
        (SINK + 'kind = "files"\nfolder = "f"\npartner = "Green"\n', ("partner", "Amber, Blue")),
    ],
)
def test_a_run_with_wrong_sinks_is_refused_and_leaves_nothing(
    call: Any, tmp_path: Path, text: str | None, words: tuple[str, ...]
) -> None:
    file = tmp_path / ("none.toml" if text is None else "sinks.toml")
    if text is not None:
        file.write_text(text, encoding="utf-8")
    refused(call("run", SMALL, "--out", tmp_path / "out", "--sinks", file), *words)
    assert [p for p in tmp_path.iterdir() if p != file] == []


ANYBODY = '[[sender]]\nname = "north"\nshow_unverified = true\n'
SOURCE = ANYBODY + '[[source]]\nname = "one"\nfor = "exercise"\nkind = "folder"\nfolder = "f"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("none.toml", "wanted a file of sources")),
        (SOURCE.replace("exercise", "live"), ("source[0].for", "an exercise")),
        (SOURCE.replace('"f"', '"out/others"'), ("folder", "outside the results")),
        (SOURCE + 'partner = "Green"\n', ("source[0].partner", "Amber, Blue")),
    ],
)
def test_a_run_with_wrong_sources_is_refused_and_leaves_nothing(
    call: Any, tmp_path: Path, text: str | None, words: tuple[str, ...]
) -> None:
    file = tmp_path / ("none.toml" if text is None else "sources.toml")
    if text is not None:
        file.write_text(text, encoding="utf-8")
    refused(call("run", SMALL, "--out", tmp_path / "out", "--sources", file), *words)
    assert [p for p in tmp_path.iterdir() if p != file] == []


def test_a_key_for_an_exercise_holds_from_the_day_that_is_asked_for(call: Any, tmp_path: Path) -> None:
    made = ["keys", "new", "small-amber", "--exercise", "--out", tmp_path]
    refused(call(*made, "--from", "31.1.2026"), "--from", "a day, as in 2026-01-31")
    said = json.loads(call(*made, "--from", "2026-01-05", "--json").out)
    assert said["valid_from"] == "2026-01-05T00:00:00Z"
