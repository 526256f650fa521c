"""The after-action review of a played exercise, as files.

In: a `Recording` and a folder to write into (`review.results` makes it whole or nothing); out:
`summary.json`, `report.html` and `alerts/*.xml`: every message of the linked nodes as CAP, by partner,
numbered in order of sending, and each partner's advisory ahead of the exercise, drafted by one role and
reviewed by another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jointwatch.assessment import Assessment, assess
from jointwatch.exercise.play import Recording, slug
from jointwatch.exercise.scenario import Scenario
from jointwatch.formats.cap import advisory_to_cap, alert_to_cap
from jointwatch.procedures import Procedure, StepOutcome, follow, load_procedure
from jointwatch.records import Advisory, Alert, Header
from jointwatch.review.burning import match_burns
from jointwatch.review.events import procedure_events
from jointwatch.review.matching import match
from jointwatch.review.page_data import page_data
from jointwatch.review.report import write_report
from jointwatch.review.results import ALERTS, REPORT, SUMMARY
from jointwatch.review.score import summarise
from jointwatch.review.sentence import sentence
from jointwatch.warning.advisories import draft_advisory, issue_advisory, review_advisory
from jointwatch.warning.words import OWN_LANGUAGE, words_in

DRAFTS, REVIEWS = "warning analyst", "duty officer"
"""The two roles behind an advisory: who words it and who lets it out."""


def staff_work(scenario: Scenario) -> tuple[Procedure | None, Assessment | None]:
    """The procedure and the assessment that a scenario names; BadInput where one is wrong.

    Read before playing too, so that a wrong file is refused at once.
    """
    procedure = load_procedure(scenario.file(scenario.procedure)) if scenario.procedure else None
    assessment = assess(scenario.file(scenario.assessment)) if scenario.assessment else None
    return procedure, assessment


def write_results(recording: Recording, folder: Path) -> dict[str, Any]:
    """Write summary, alerts and report into an existing folder; returns the summary."""
    procedure, assessment = staff_work(recording.scenario)
    summary = summarise(recording)
    votes = match(recording, recording.pictures["joint"]).votes
    outcomes: list[StepOutcome] = []
    if procedure is not None:
        burns = match_burns(recording, recording.pictures["joint"]).of
        events = [e for e in procedure_events(recording, votes, burns) if e.partner in procedure.partners]
        outcomes = follow(procedure, events, recording.scenario.end_ns)
    advisories = advisories_of(recording.scenario, assessment)
    summary["labels"] = {key: picture.label for key, picture in recording.pictures.items()}
    summary["sentence"] = sentence(summary)
    summary["procedure"] = {
        o.step.name: {"due": o.due, "done": o.done, "late": o.late, "early": o.early, "never": o.never}
        for o in outcomes
    }
    summary["messages"] = _write_alerts(recording, advisories, folder / ALERTS)
    (folder / SUMMARY).write_text(
        json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    write_report(folder / REPORT, page_data(recording, summary, outcomes, assessment, advisories))
    return summary


def advisories_of(scenario: Scenario, assessment: Assessment | None) -> list[Advisory]:
    """One advisory a partner for the watch window, where the assessment's posture is above normal.

    It names the partner's own places, never where fire may come from.
    """
    if assessment is None or assessment.posture == "normal":
        return []
    day_ns = 86_400_000_000_000
    window = assessment.watch_window
    window_ns = _day_ns(window.from_.toordinal()), _day_ns(window.until.toordinal()) + day_ns
    if scenario.start_ns >= window_ns[1]:
        return []
    out = []
    territories = {t.name for t in scenario.territories}
    for partner in scenario.partners:
        places = [partner.name] if partner.name in territories else [s.name for s in partner.sites]
        draft = draft_advisory(
            f"{slug(scenario.scenario.name)}-{slug(partner.name)}-advisory",
            partner.name,
            places or [partner.name],
            window_ns,
            words_in(OWN_LANGUAGE).advisory.headline,
            f"{DRAFTS}, {partner.name}",
        )
        reviewed = review_advisory(draft, f"{REVIEWS}, {partner.name}")
        header = Header(
            originator=partner.name,
            source=f"{slug(scenario.scenario.name)}-{slug(partner.name)}",
            sequence=0,
            measured_ns=scenario.start_ns,
            handling="public",
        )
        out.append(issue_advisory(reviewed, header))
    return out


def _day_ns(ordinal: int) -> int:
    """Midnight UTC of a proleptic Gregorian day."""
    return (ordinal - 719_163) * 86_400_000_000_000


def _write_alerts(recording: Recording, advisories: list[Advisory], folder: Path) -> int:
    """One CAP file a message, in its partner's languages; returns how many."""
    folder.mkdir()
    languages = {p.name: p.languages for p in recording.scenario.partners}
    zones = [z for p in recording.scenario.partners for z in recording.scenario.zones(p.name)]
    earlier: dict[str, list[Alert]] = {}
    for advisory in advisories:
        name = f"{slug(advisory.partner)}-0000-advisory.xml"
        (folder / name).write_bytes(
            advisory_to_cap(advisory, advisory.header.source, languages[advisory.partner])
        )
    for alert in recording.pictures["joint"].alerts:
        before = earlier.setdefault(alert.partner, [])
        name = (
            f"{slug(alert.partner)}-{len(before) + 1:04d}-{alert.action.replace('_', '-')}-{alert.tier}.xml"
        )
        (folder / name).write_bytes(
            alert_to_cap(alert, zones, alert.header.source, before, languages[alert.partner])
        )
        before.append(alert)
    return len(advisories) + sum(len(alerts) for alerts in earlier.values())
