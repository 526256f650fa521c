"""An exercise hears what others warn of, shows it, decides nothing by it, and its journals say it again."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jointwatch.cli.main import app
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import play
from jointwatch.exercise.recording import Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.formats.cap_structure import time_to_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.key_files import keep_warning_key
from jointwatch.node.replay import check_journal, read_account
from jointwatch.node.sinks.sinks_file import ExerciseSinks, load_exercise_sinks
from jointwatch.node.sources.sources_file import load_sources
from jointwatch.review.after_action import write_results

SMALL = Path(__file__).parents[1] / "small.toml"
NORTH = "north.example"
SOURCES = f"""
[[sender]]
name = "{NORTH}"
certificate = "{NORTH}-exercise.cert.pem"

[[sender]]
name = "west.example"
show_unverified = true
partner = "Blue"

[[source]]
kind = "folder"
name = "drop"
for = "exercise"
folder = "drop"

[[source]]
kind = "feed"
name = "deaf"
for = "exercise"
partner = "Amber"
url = "http://127.0.0.1:9/feed.atom"
"""
S = 1_000_000_000


def cap(
    scenario: Scenario,
    identifier: str,
    after_s: float,
    sender: str = NORTH,
    status: str = "Exercise",
    kind: str = "Alert",
    refers_to: tuple[str, float] | None = None,
) -> bytes:
    def time(seconds: float) -> str:
        return time_to_cap(scenario.start_ns + round(seconds * S), "test", "time")

    references = f"{sender},{refers_to[0]},{time(refers_to[1])}" if refers_to else ""
    return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{sender}</sender><sent>{time(after_s)}</sent><status>{status}</status><msgType>{kind}</msgType>
<scope>Public</scope>{f"<references>{references}</references>" if references else ""}
<info><language>de-DE</language><category>Security</category><event>Rakete</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Observed</certainty><expires>{time(after_s + 100)}</expires>
<headline>Schutz suchen</headline></info>
<info><language>en-GB</language><category>Security</category><event>Missile</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Observed</certainty><expires>{time(after_s + 100)}</expires>
<headline>Take shelter</headline>
<area><areaDesc>Hills</areaDesc></area><area><areaDesc>Coast</areaDesc></area>
</info></alert>""".encode()


def prepared(folder: Path, scenario: Scenario) -> Path:
    """A file of sources with its folder of messages: of the time of the exercise, and of all kinds."""
    key = WarningKey.made(NORTH, True, scenario.start_ns - 3600 * S)
    keep_warning_key(key, folder)
    drop = folder / "drop"
    drop.mkdir()
    files = {
        "1.xml": sign_cap(cap(scenario, "N-1", 20.0), key),
        "2.xml": sign_cap(cap(scenario, "N-2", 60.0, kind="Cancel", refers_to=("N-1", 20.0)), key),
        "3.xml": sign_cap(cap(scenario, "N-3", 150.0), key),
        "4.xml": sign_cap(cap(scenario, "N-4", 30.0), key),
        "5.xml": sign_cap(cap(scenario, "N-5", 5000.0), key),
        "unsigned.xml": cap(scenario, "N-6", 40.0),
        "live.xml": cap(scenario, "W-1", 50.0, sender="west.example", status="Actual"),
        "west.xml": cap(scenario, "W-2", 55.0, sender="west.example"),
        "hostile.xml": b'<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert>&x;</alert>',
    }
    for name, data in files.items():
        (drop / name).write_bytes(data)
        # so old that no half of one is feared, which an exercise that runs fast would wait for
        os.utime(drop / name, (1.7e9, 1.7e9))
    path = folder / "sources.toml"
    path.write_text(SOURCES)
    return path


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, scenario: Scenario) -> tuple[Recording, Path]:
    folder = tmp_path_factory.mktemp("heard")
    path = prepared(folder, scenario)
    sources = load_sources(path, [p.name for p in scenario.partners], exercise=True)
    return play(scenario, scenario.seed, folder, workers=1, sources=sources), folder


def test_each_node_takes_what_is_for_it_when_it_is_sent(heard: Any, scenario: Scenario) -> None:
    others = heard[0].others
    taken = {p: {a.identifier: a for a in h.taken} for p, h in others.items()}
    assert list(taken["Amber"]) == ["N-1", "N-4", "N-2", "N-3"]
    assert list(taken["Blue"]) == ["N-1", "N-4", "W-2", "N-2", "N-3"]
    for alert in taken["Blue"].values():
        late_s = (alert.header.measured_ns - alert.sent_ns) * 1e-9
        assert 0.0 <= late_s < 12.0 and alert.status == "Exercise"
    assert taken["Blue"]["W-2"].verified_by == "" != taken["Blue"]["N-1"].verified_by
    drop, deaf = others["Amber"].sources
    assert (drop.name, drop.failed, drop.waiting) == ("drop", 0, 1)  # N-5 is of after the end
    assert deaf.name == "deaf" and deaf.looks == deaf.failed >= 2 and deaf.last_good_ns == 0
    assert "ConnectionRefusedError" in deaf.last_error


def test_what_is_refused_is_counted_by_its_reason(heard: Any) -> None:
    reasons = {p: sorted(n.detail.partition(":")[0] for n in h.refused) for p, h in heard[0].others.items()}
    assert reasons == {
        "Amber": ["sender", "sender", "signature", "structure"],
        "Blue": ["signature", "status", "structure"],
    }


def test_nothing_is_decided_by_it_and_the_link_counts_none_of_it(heard: Any, small_played: Any) -> None:
    recording, plain = heard[0], small_played[0]
    # identifiers tell which journal they are of, and these two have others in them
    assert [(a.action, a.zones, a.sent_ns) for a in recording.pictures["joint"].alerts] == [
        (a.action, a.zones, a.sent_ns) for a in plain.pictures["joint"].alerts
    ]
    assert recording.link == plain.link
    assert {k: v for k, v in recording.digests.items() if "alone" in k} == {
        k: v for k, v in plain.digests.items() if "alone" in k
    }


def test_the_journal_has_what_came_and_comes_out_again(heard: Any) -> None:
    path = heard[1] / "blue.journal.sqlite"
    account = read_account(path)
    assert account.kinds["in received_cap"] == 8 and account.kinds["out others_alert"] == 5
    assert check_journal(path).same


def test_the_report_and_the_summary_show_it(heard: Any, tmp_path: Path) -> None:
    summary = write_results(heard[0], tmp_path)["others"]
    assert {k: summary["Blue"][k] for k in ("taken", "standing", "refused")} == {
        "taken": 5,
        "standing": 1,
        "refused": {"structure": 1, "signature": 1, "status": 1},
    }
    page = (tmp_path / "report.html").read_text()
    for said in ("Take shelter", "Hills", NORTH, "west.example", "found Actual"):
        assert said in page


def test_what_one_node_sends_another_hears(tmp_path: Path, scenario: Scenario) -> None:
    """Amber's signed alerts, in its Atom feed, are taken by Blue's node while both play."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    key = WarningKey.made("small-amber", True, scenario.start_ns)
    secret, certificate = keep_warning_key(key, tmp_path)
    (tmp_path / "sinks.toml").write_text(
        f'key = "{secret.name}"\n[[sink]]\nkind = "feed"\nname = "atom"\nfor = "exercise"\n'
        f'partner = "Amber"\nfolder = "atom"\nport = {port}\n'
    )
    (tmp_path / "sources.toml").write_text(
        f'[[sender]]\nname = "small-amber"\ncertificate = "{certificate.name}"\n[[source]]\nkind = "feed"\n'
        f'name = "amber\'s feed"\nfor = "exercise"\npartner = "Blue"\n'
        f'url = "http://127.0.0.1:{port}/feed.atom"\nevery_s = 5\n'
    )
    configs = node_configs(scenario)
    amber = {"Amber": configs["Amber"]}
    sinks = load_exercise_sinks(tmp_path / "sinks.toml", amber, (scenario.start_ns, scenario.end_ns))
    both = ExerciseSinks({**sinks.sinks, "Blue": ()}, {**sinks.keys, "Blue": None})
    sources = load_sources(tmp_path / "sources.toml", ["Amber", "Blue"], exercise=True)
    try:
        recording = play(scenario, scenario.seed, workers=1, sinks=both, sources=sources)
    finally:
        sinks.close()
    sent = {a.identifier: a for a in recording.pictures["joint"].alerts if a.partner == "Amber"}
    heard = recording.others["Blue"]
    assert heard.taken and heard.refused == [] and heard.sources[0].failed == 0
    for alert in heard.taken:
        assert alert.verified_by == key.certificate.fingerprint and alert.sender == "small-amber"
        assert alert.sent_ns // S == sent[alert.identifier].sent_ns // S and alert.headlines and alert.areas
    last_heard_s = (scenario.end_ns - heard.sources[0].last_good_ns) * 1e-9
    assert last_heard_s < 10.0


def test_a_run_says_what_it_heard(tmp_path: Path, scenario: Scenario) -> None:
    path = prepared(tmp_path, scenario)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["run", str(SMALL), "--out", str(out), "--sources", str(path)])
    assert done.exit_code == 0, done.output
    assert "Blue heard of others: 5 taken (1 stands at the end), refused: " in done.output
    assert "drop: 1 still waiting" in done.output
    listing = CliRunner().invoke(app, ["replay", str(out / "blue.journal.sqlite")]).output
    assert f"22:00:20 {NORTH}, Exercise Alert: Take shelter (Hills, Coast); signed (certificate " in listing
    assert "22:00:55 west.example, Exercise Alert: Take shelter (Hills, Coast); not signed" in listing
