"""The after-action review of a played exercise, as files.

In: a `Recording` and a folder to write into (`review.results` makes it whole or nothing); out:
`summary.json`, `report.html` and `alerts/*.xml`: every message of the linked nodes as CAP, by partner,
numbered in order of sending, and the advisories that they issued ahead of any fire.  They are signed where
keys are handed in, and the certificates written beside them; no digest in the summary hangs on a key, for no
journal holds what is signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jointwatch.assessment import Assessment, assess
from jointwatch.exercise.nodes import slug
from jointwatch.exercise.recording import Recording
from jointwatch.exercise.scenario import Scenario
from jointwatch.formats.cap import advisory_to_cap, alert_to_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.key_files import CERTIFICATE
from jointwatch.procedures import Procedure, StepOutcome, follow, load_procedure
from jointwatch.records import Advisory, Alert
from jointwatch.review.burning import match_burns
from jointwatch.review.events import procedure_events
from jointwatch.review.matching import match
from jointwatch.review.page_data import page_data
from jointwatch.review.page_others import others_summary
from jointwatch.review.report import write_report
from jointwatch.review.results import ALERTS, REPORT, SUMMARY
from jointwatch.review.score import summarise
from jointwatch.review.sentence import sentence


def staff_work(scenario: Scenario) -> tuple[Procedure | None, Assessment | None]:
    """The procedure and the assessment that a scenario names; BadInput where one is wrong.

    Read before playing too, so that a wrong file is refused at once.
    """
    procedure = load_procedure(scenario.file(scenario.procedure)) if scenario.procedure else None
    assessment = assess(scenario.file(scenario.assessment)) if scenario.assessment else None
    return procedure, assessment


def write_results(
    recording: Recording, folder: Path, keys: Mapping[str, WarningKey] | None = None
) -> dict[str, Any]:
    """Write summary, alerts and report into an existing folder; returns the summary.

    keys: by partner, those that the alerts' files are signed with; None: they are not signed.
    """
    procedure, assessment = staff_work(recording.scenario)
    summary = summarise(recording)
    votes = match(recording, recording.pictures["joint"]).votes
    outcomes: list[StepOutcome] = []
    if procedure is not None:
        burns = match_burns(recording, recording.pictures["joint"]).of
        events = [e for e in procedure_events(recording, votes, burns) if e.partner in procedure.partners]
        outcomes = follow(procedure, events, recording.scenario.end_ns)
    advisories = recording.pictures["joint"].advisories
    summary["labels"] = {key: picture.label for key, picture in recording.pictures.items()}
    summary["sentence"] = sentence(summary)
    summary["procedure"] = {
        o.step.name: {"due": o.due, "done": o.done, "late": o.late, "early": o.early, "never": o.never}
        for o in outcomes
    }
    summary["messages"] = _write_alerts(recording, advisories, folder / ALERTS, keys or {})
    if recording.sinks:
        summary["sinks"] = {
            partner: [msgspec.to_builtins(state) for state in states]
            for partner, states in recording.sinks.items()
        }
    if recording.others:
        summary["others"] = others_summary(recording.others, recording.scenario.end_ns)
    (folder / SUMMARY).write_text(
        json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    write_report(folder / REPORT, page_data(recording, summary, outcomes, assessment, advisories))
    return summary


def _write_alerts(
    recording: Recording, advisories: list[Advisory], folder: Path, keys: Mapping[str, WarningKey]
) -> int:
    """One CAP file a message, in its partner's languages, and a certificate a key; returns how many."""
    folder.mkdir()
    for partner, key in keys.items():
        (folder / f"{slug(partner)}{CERTIFICATE}").write_bytes(key.certificate.pem())

    def write(partner: str, name: str, data: bytes) -> None:
        signed = sign_cap(data, keys[partner]) if partner in keys else data
        (folder / f"{slug(partner)}-{name}.xml").write_bytes(signed)

    languages = {p.name: p.languages for p in recording.scenario.partners}
    zones = [z for p in recording.scenario.partners for z in recording.scenario.zones(p.name)]
    earlier: dict[str, list[Alert]] = {}
    issued: dict[str, list[Advisory]] = {}
    for advisory in advisories:
        before_it = issued.setdefault(advisory.partner, [])
        cap = advisory_to_cap(advisory, advisory.header.source, before_it, languages[advisory.partner])
        write(advisory.partner, f"advisory-{len(before_it) + 1:04d}", cap)
        before_it.append(advisory)
    for alert in recording.pictures["joint"].alerts:
        before = earlier.setdefault(alert.partner, [])
        cap = alert_to_cap(alert, zones, alert.header.source, before, languages[alert.partner])
        write(alert.partner, f"{len(before) + 1:04d}-{alert.action.replace('_', '-')}-{alert.tier}", cap)
        before.append(alert)
    return len(advisories) + sum(len(alerts) for alerts in earlier.values())
