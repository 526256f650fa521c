"""An exercise's alerts leave through the outbox while it plays, and its journals say what became of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import play
from jointwatch.exercise.recording import Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.formats.cap import read_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import verify_cap
from jointwatch.node.config import NodeConfig
from jointwatch.node.key_files import keep_warning_key
from jointwatch.node.replay import check_journal, read_account
from jointwatch.node.sinks.files import identifier_in
from jointwatch.node.sinks.sinks_file import ExerciseSinks, load_exercise_sinks
from jointwatch.records import BadInput
from jointwatch.review.after_action import write_results

SMALL = Path(__file__).parents[1] / "small.toml"
SINKS = """
[[sink]]
kind = "files"
name = "all"
for = "exercise"
folder = "all"

[[sink]]
kind = "files"
name = "blue only"
for = "exercise"
partner = "Blue"
folder = "blue"

[[sink]]
kind = "webhook"
name = "deaf"
for = "exercise"
partner = "Amber"
url = "http://127.0.0.1:9/"
secret_file = "secret"
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


@pytest.fixture(scope="module")
def linked(scenario: Scenario) -> dict[str, NodeConfig]:
    configs = node_configs(scenario)
    return {p.name: configs[p.name] for p in scenario.partners}


@pytest.fixture(scope="module")
def keys(scenario: Scenario, linked: dict[str, NodeConfig]) -> dict[str, WarningKey]:
    return {p: WarningKey.made(c.name, True, scenario.start_ns) for p, c in linked.items()}


def sinks_in(
    folder: Path, scenario: Scenario, linked: dict[str, NodeConfig], keys: dict[str, WarningKey], text: str
) -> ExerciseSinks:
    """The sinks of a file in a folder, with the keys beside it."""
    names = [keep_warning_key(key, folder)[0].name for key in keys.values()]
    (folder / "secret").write_text("a secret of an exercise")
    path = folder / "sinks.toml"
    path.write_text(f"key = {names}\n{text}" if names else text)
    return load_exercise_sinks(path, linked, (scenario.start_ns, scenario.end_ns))


@pytest.fixture(scope="module")
def left(
    tmp_path_factory: pytest.TempPathFactory, scenario: Scenario, linked: Any, keys: Any
) -> Iterator[tuple[Recording, Path]]:
    folder = tmp_path_factory.mktemp("left")
    sinks = sinks_in(folder, scenario, linked, keys, SINKS)
    recording = play(scenario, scenario.seed, folder, workers=1, sinks=sinks)
    sinks.close()
    yield recording, folder


def test_each_alert_is_in_the_folder_once_signed_with_its_node_s_key(
    left: tuple[Recording, Path], keys: dict[str, WarningKey], scenario: Scenario
) -> None:
    recording, folder = left
    files = {identifier_in(p.name): p.read_bytes() for p in (folder / "all").glob("*.xml")}
    alerts = {a.identifier: a for a in recording.pictures["joint"].alerts}
    states = {s.name: s for s in recording.sinks["Amber"]}
    assert len(files) + states["all"].withdrawn == len(alerts) and len(files) >= 2
    assert set(files) <= set(alerts)
    for identifier, data in files.items():
        key = keys[alerts[identifier].partner]
        found = verify_cap(data, identifier, [key.certificate], scenario.end_ns)
        assert found.message.status == "Exercise"
    blue = folder / "blue"
    told = {identifier_in(p.name) for p in blue.glob("*.xml")} if blue.exists() else set()
    assert told == {i for i in files if alerts[i].partner == "Blue"}


def test_the_journal_has_the_receipts_and_comes_out_again(left: tuple[Recording, Path]) -> None:
    recording, folder = left
    path = folder / "amber.journal.sqlite"
    states = {s.name: s for s in recording.sinks["Amber"]}
    account = read_account(path)
    assert account.kinds["in delivered"] >= states["all"].delivered + states["deaf"].failed
    assert states["deaf"].failed >= 2 and states["deaf"].delivered == 0 and states["deaf"].last_error
    assert check_journal(path).same


def test_what_leaves_changes_no_decision(left: tuple[Recording, Path], small_played: Any) -> None:
    plain, _ = small_played
    assert recorded(left[0]) == recorded(plain)
    assert {k: v for k, v in left[0].digests.items() if "alone" in k} == {
        k: v for k, v in plain.digests.items() if "alone" in k
    }


def recorded(recording: Recording) -> list[tuple[str, str, tuple[str, ...], int]]:
    return [(a.identifier, a.action, a.zones, a.sent_ns) for a in recording.pictures["joint"].alerts]


def test_another_key_gives_the_same_digests(
    left: tuple[Recording, Path], scenario: Scenario, linked: Any, tmp_path: Path
) -> None:
    others = {p: WarningKey.made(c.name, True, scenario.start_ns) for p, c in linked.items()}
    sinks = sinks_in(tmp_path, scenario, linked, others, SINKS)
    again = play(scenario, scenario.seed, tmp_path, workers=1, sinks=sinks)
    assert again.digests == left[0].digests
    name = next((tmp_path / "all").glob("*.xml")).name
    assert (tmp_path / "all" / name).read_bytes() != (left[1] / "all" / name).read_bytes()


# ------------------------------------------------------------------ the files of a run


def test_the_files_of_a_run_are_signed_and_its_summary_hangs_on_no_key(
    small_played: Any, keys: dict[str, WarningKey], tmp_path: Path, scenario: Scenario
) -> None:
    recording, _ = small_played
    plain, signed = tmp_path / "plain", tmp_path / "signed"
    plain.mkdir()
    signed.mkdir()
    assert write_results(recording, plain) == write_results(recording, signed, keys)
    assert (plain / "summary.json").read_bytes() == (signed / "summary.json").read_bytes()
    files = sorted((signed / "alerts").glob("*.xml"))
    assert [f.name for f in files] == sorted(p.name for p in (plain / "alerts").iterdir())
    assert {p.name for p in (signed / "alerts").glob("*.pem")} == {"amber.cert.pem", "blue.cert.pem"}
    for file in files:
        partner = "Amber" if file.name.startswith("amber") else "Blue"
        trusted = [keys[partner].certificate]
        found = verify_cap(file.read_bytes(), file.name, trusted, scenario.end_ns).message
        assert found == read_cap((plain / "alerts" / file.name).read_bytes(), file.name)
    if (xmlsec1 := shutil.which("xmlsec1")) is not None:
        # as the README says it
        command = [xmlsec1, "--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem"]
        own, other = (signed / "alerts" / f"{p}.cert.pem" for p in ("amber", "blue"))
        amber = next(f for f in files if f.name.startswith("amber"))
        assert subprocess.run([*command, own, amber], capture_output=True).returncode == 0
        assert subprocess.run([*command, other, amber], capture_output=True).returncode != 0


# ------------------------------------------------------------------ what is wrong is named


FOLDER = '[[sink]]\nkind = "files"\nname = "f"\nfor = "exercise"\nfolder = "f"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FOLDER.replace('"exercise"', '"live"'), "this node is an exercise"),
        (FOLDER + 'partner = "Green"', "sink[0].partner: found Green, wanted one of Amber, Blue"),
        ('key = "none.key.pem"\n' + FOLDER, "none.key.pem"),
        ('key = "none.pem"\n' + FOLDER, "the name of a key"),
        ('certificate = "a.cert.pem"\n' + FOLDER, "certificate: found 1 of them"),
    ],
)
def test_a_wrong_file_is_refused(
    tmp_path: Path, scenario: Scenario, linked: Any, text: str, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        sinks_in(tmp_path, scenario, linked, {}, text)
    assert said in str(refused.value)


def test_keys_that_are_not_for_these_nodes_now_are_refused(
    tmp_path: Path, scenario: Scenario, linked: dict[str, NodeConfig], keys: dict[str, WarningKey]
) -> None:
    name = linked["Amber"].name
    late = WarningKey.made(name, True, scenario.end_ns + 86_400 * 10**9)
    for n, (key, said) in enumerate(
        (
            (WarningKey.made(name, False, scenario.start_ns), "for live warnings"),
            (keys["Blue"], "a key of small-blue"),
            (late, "--from 2026-01-05"),
        )
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        with pytest.raises(BadInput, match=r"sinks.toml: key") as refused:
            sinks_in(folder, scenario, {"Amber": linked["Amber"]}, {"Amber": key}, FOLDER)
        assert said in str(refused.value)
