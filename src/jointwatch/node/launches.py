"""The launches of one node's objects: each told as more looks stand behind it, a bounded number at a time.

In: objects that fall somewhere, with their falls; out: launch reports, what class each object is and what its
burn said of its drag.  Before a launch is estimated its class is guessed by its speed.  An estimate takes
some milliseconds: where a raid has many due at once the others wait for the next decision, so that no alert
waits for all of them.  Objects of which nothing was told yet go first, and then what has waited longest.  An
estimate goes back from where looks first saw the object coast (`launch.beginning`), so that each look makes
it better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.places import Territories
from jointwatch.joint.joint_track import JointTrack
from jointwatch.launch.beginning import NO_LOOKS, Looks, beginning_of
from jointwatch.launch.classes import class_probabilities
from jointwatch.launch.drag_after import Drag
from jointwatch.launch.estimate import estimate_launch
from jointwatch.launch.origin import LEAST_SENSORS, ONE_SENSOR
from jointwatch.node.burning import Burning
from jointwatch.node.dangers import impact_of
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import LaunchArea, LaunchReport
from jointwatch.warning.impact import GroundFall
from jointwatch.warning.policy import Policy

LAUNCH_HITS = (5, 10, 20, 40)
"""A launch is reported, and reported again better, when a track has so many looks."""
MOST_AT_ONCE = 8
"""Launches that are estimated in one decision: some 30 ms, and a decision comes with each radar's sector."""


class Launches:
    """What launch each object rose from, as far as it was told."""

    def __init__(self, policy: Policy, scribe: Scribe, territories: Territories, burning: Burning) -> None:
        """policy: says how sure it must be that an object coasts, and from when on an origin is stated."""
        self._from, self._coasts, self._scribe = policy.state_origin_from, policy.least_ballistic, scribe
        self._territories, self._burning = territories, burning
        self._launched: dict[str, int] = {}
        self._classes: dict[str, dict[str, float]] = {}
        self._drags: dict[str, dict[str, Drag]] = {}
        self._told: dict[str, LaunchArea] = {}
        self._waiting: set[str] = set()
        self._since: dict[str, int] = {}  # what waited in the decision before: from which one on
        self._decisions = self._left = 0

    def begin(self) -> None:
        """A decision begins."""
        self._since = {number: self._since.get(number, self._decisions) for number in self._waiting}
        self._waiting, self._left = set(), MOST_AT_ONCE
        self._decisions += 1

    def turn(self, number: str) -> tuple[bool, int]:
        """By which objects are gone through: those never estimated first, and what has waited longest."""
        return number in self._launched, self._since.get(number, self._decisions)

    def has_turn(self, number: str) -> bool:
        """Whether an object's estimate had to wait in the decision before and need not any more; else it goes
        on waiting."""
        if number in self._since and self._left == 0:
            self._waiting.add(number)
        return number in self._since and self._left > 0

    def classes(self, track: JointTrack) -> dict[str, float]:
        """Probability of each class that an object may be: by its launch, or by its speed."""
        return self._classes.get(track.number) or _classes_by_speed(track.state)

    def drags(self, number: str) -> dict[str, Drag]:
        """What its burn said of an object's drag, by class (`launch.drag_after`)."""
        return self._drags.get(number, {})

    def is_gone(self, number: str) -> None:
        """What an object is may be another question if it is ever back."""
        self._classes.pop(number, None)
        self._drags.pop(number, None)

    def forget(self, number: str) -> None:
        """Forget all that was told of an object."""
        self.is_gone(number)
        self._launched.pop(number, None)
        self._told.pop(number, None)

    def of(
        self,
        track: JointTrack,
        fall: GroundFall,
        known: str,
        sure: bool,
        now: int,
        sensors_of: Callable[[JointTrack], frozenset[str]],
        looks_of: Callable[[JointTrack], Looks],
    ) -> tuple[str, list[Output]]:
        """An object's most probable class, and a launch report when one is due.

        known: its class as it was last said, "" if it was not.  sure: it is there, ballistic and no aircraft.
        sensors_of, looks_of: the sensors behind it, and what their looks told of it.
        """
        due = next((n for n in reversed(LAUNCH_HITS) if track.hits >= n), 0)
        before = self._told.get(track.number)
        # a part of something that broke up was not launched
        launched = sure and not track.parent
        is_due = due > self._launched.get(track.number, 0)
        if launched and not is_due and before is not None and before.why == ONE_SENSOR:
            # where it was could not be told by one alone: another that looked says as much as more looks
            is_due = len(sensors_of(track)) >= LEAST_SENSORS
        if is_due and launched and self._left == 0:
            self._waiting.add(track.number)
            is_due = False
        if not (is_due and launched):
            return known or _class_by_speed(track.state), []
        self._left -= 1
        self._launched[track.number] = due
        looks = looks_of(track)
        if 2 * len(looks.times_ns) < track.hits:
            looks = NO_LOOKS  # most of what is known of it came as coarsened tracks
        first = beginning_of(looks, track.time_ns, track.state, track.covariance)
        estimate = estimate_launch(
            track.number,
            first,
            self._territories,
            sensors_of(track),
            self._from,
            self._burning.open(track.number),
        )
        if estimate is None:
            return known or _class_by_speed(track.state), []
        self._classes[track.number] = estimate.classes
        if estimate.drags:
            self._drags[track.number] = estimate.drags
        handed = self._burning.hand_over(estimate.burn, track.number, now) if estimate.burn else []
        if before is not None and not _tells_more(estimate.area, before):
            return estimate.object_class, handed  # what was told before is the better
        self._told[track.number] = estimate.area
        report = LaunchReport(
            header=self._scribe.header(now, handling="joint"),
            object_class=estimate.object_class,
            classes=estimate.classes,
            area=estimate.area,
            impact=impact_of(track.number, estimate.object_class, fall, now),
        )
        return (
            estimate.object_class,
            [*handed, report, self._scribe.note(now, "launch_reported", track.number)],
        )


def _tells_more(area: LaunchArea, before: LaunchArea) -> bool:
    """Whether a launch area is smaller than what was told, or answers what one sensor alone could not."""
    if before.why == ONE_SENSOR and area.why != ONE_SENSOR:
        return True
    return area.semi_major_m < before.semi_major_m


def _classes_by_speed(state: NDArray[np.float64]) -> dict[str, float]:
    """Classes before a launch estimate: from the range that the present energy would carry in vacuum."""
    speed2 = float(state[3:6] @ state[3:6])
    height = float(np.linalg.norm(state[:3])) - MEAN_RADIUS_M
    return class_probabilities(max((speed2 + 2.0 * 9.8 * max(height, 0.0)) / 9.8, 1000.0), 0.4)


def _class_by_speed(state: NDArray[np.float64]) -> str:
    classes = _classes_by_speed(state)
    return max(classes, key=lambda name: classes[name])
