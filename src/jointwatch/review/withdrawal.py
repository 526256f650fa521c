"""What became of the alert on account of an object that broke up in flight: taken back, and how soon?

In: the joint picture's messages, which track was which object, every object's looks; out: one entry a break-up
for the summary.  A message is for many zones and names the tracks behind any of them, so each zone is asked for
itself: it was told on the object's account if at least half of its danger in that message came from the
object (or a fragment of it).  A zone that something else threatened or struck is left out: its alert rightly
stood.  The evidence is the second good look, of any sensor, at the fragments: at where the object was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jointwatch.earth.frames import symmetric
from jointwatch.exercise.play import PictureRecord, Recording
from jointwatch.exercise.truth import Truth
from jointwatch.launch.classes import class_named
from jointwatch.records import Impact, Zone
from jointwatch.warning.impact import spread_points
from jointwatch.warning.policy import load_policy
from jointwatch.warning.zones import ZoneIndex

S = 1e9
EVIDENCE_LOOKS = 2
OTHERS_S = 30.0
"""What threatens a zone within so long after the break-up keeps its alert up."""
Looks = Sequence[tuple[int, int, float]]
