"""The recording of a played exercise: what every picture held and sent, and what else its scores need.

In: a node's picture at a time, and its outputs after a step; out: samples and records by picture, and a
`Recording` of all of them beside the truth, for `review`.  Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jointwatch.exercise.hearing import Heard
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.truth import Truth
from jointwatch.joint.joint_track import JointTrack
from jointwatch.node.node import Node
from jointwatch.node.outbox import SinkState
from jointwatch.node.scribe import Output
from jointwatch.records import Advisory, Alert, Disagreement, Group, Impact, LaunchReport, Note

SAMPLE_S = 5.0
"""Pictures are sampled this often for scores and for the report."""


@dataclass
class Sample:
    """One object of one picture at one sample."""

    number: str
    aliases: tuple[str, ...]
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: tuple[float, float, float]
    existence: float


@dataclass
class Grouped:
    """Groups that one node told of at one time, and the tracks of the picture that it told them of."""

    node: str
    time_ns: int
    groups: list[Group]
    tracks: list[Sample]


@dataclass
class PictureRecord:
    """What one picture held and sent: samples by time, alerts, and the impact behind each alert."""

    name: str
    label: str
    partners: tuple[str, ...]
    samples: list[tuple[int, list[Sample]]] = field(default_factory=list)
    impacts: list[tuple[int, list[Impact]]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    advisories: list[Advisory] = field(default_factory=list)
    alert_impacts: dict[str, dict[str, Impact]] = field(default_factory=dict)
    launches: list[LaunchReport] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    grouped: list[Grouped] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)


@dataclass
class Recording:
    """A played exercise, ready to be scored."""

    scenario: Scenario
    seed: int
    truth: Truth
    pictures: dict[str, PictureRecord]
    latency_ms: list[float]
    link: dict[str, int]
    digests: dict[str, str]
    wall_s: float
    lag_s: dict[str, float] = field(default_factory=dict)
    """How far each partner's linked node was behind at worst, where it was to keep pace with a clock."""
    sinks: dict[str, tuple[SinkState, ...]] = field(default_factory=dict)
    """How the sinks of each partner's alerts did, where there were any."""
    others: dict[str, Heard] = field(default_factory=dict)
    """What each partner's linked node heard of others' alerts, where there were sources."""


def sampled(track: JointTrack) -> Sample:
    """One object of a picture, as it is now."""
    return Sample(track.number, track.aliases, track.state, track.covariance, track.phases, track.existence)


def keep(outputs: Sequence[Output], picture: PictureRecord, node: Node) -> None:
    """Keep what a node put out in a step, with what of the node lies behind it."""
    impacts: dict[str, Impact] | None = None
    groups = [output for output in outputs if isinstance(output, Group)]
    if groups:
        tracks = [sampled(t) for t in node.picture]
        picture.grouped.append(Grouped(node.config.name, groups[0].header.measured_ns, groups, tracks))
    for output in outputs:
        if isinstance(output, Alert):
            picture.alerts.append(output)
            if impacts is None:
                impacts = {i.track: i for i in node.impacts()}
            picture.alert_impacts[output.identifier] = {
                t: impacts[t] for t, _ in output.evidence if t in impacts
            }
        elif isinstance(output, Advisory):
            picture.advisories.append(output)
        elif isinstance(output, Disagreement):
            picture.disagreements.append(output)
        elif isinstance(output, LaunchReport):
            picture.launches.append(output)
        elif isinstance(output, Note):
            picture.notes.append(output)
