"""Which track of a picture was which object, sample by sample: what every score of an exercise rests on.

In: a `Recording` and one of its pictures; out: a `Matched`.  At each sample tracks are assigned to objects
one to one by least total distance, within a gate; over all samples a track is the object it mostly was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.review.consistency import nees
from jointwatch.review.gospa import gospa

GATE_M = 5000.0
"""A track nearer than this to an object, in the best assignment of all, is taken for it."""
SURELY_BALLISTIC = 0.9
CRUISING = 0.5


class TrackError(Struct, frozen=True):
    """How far a surely ballistic track was from its object at a sample: error (6,) in m and m/s, and its
    NEES by the covariance that the track stated."""

    track: str
    object: int
    time_ns: int
    error: NDArray[np.float64]
    nees: float


@dataclass
class Matched:
    """Which tracks of a picture were which objects, over all samples.

    votes: at how many samples a number (a track's own, or another name of it) was which object.
    errors: of tracks at samples, to the object that the track follows, not to one that it passes by.
    """

    first_ns: dict[int, int] = field(default_factory=dict)
    votes: dict[str, Counter[int]] = field(default_factory=dict)
    samples: Counter[str] = field(default_factory=Counter)
    ballistic: set[str] = field(default_factory=set)
    swaps: int = 0
    gospa_m: list[float] = field(default_factory=list)
    errors: list[TrackError] = field(default_factory=list)

    def object_of(self) -> dict[str, int]:
        """The object that each number mostly was."""
        return {number: votes.most_common(1)[0][0] for number, votes in self.votes.items()}

    def false_tracks(self) -> list[str]:
        """Numbers of tracks that followed nothing: held twice or more, and less than half of it an object."""
        return sorted(
            number
            for number, count in self.samples.items()
            if count >= 2 and sum(self.votes.get(number, Counter()).values()) < 0.5 * count
        )


def assign(places: NDArray[np.float64], truths: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (track, object) of positions (n, 3) and (m, 3), m, of least total distance within `GATE_M`."""
    apart = np.linalg.norm(places[:, None] - truths[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(apart, GATE_M))
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if apart[r, c] < GATE_M]


def match(recording: Recording, picture: PictureRecord) -> Matched:
    """Assign tracks to objects at every sample by least total distance (within `GATE_M`)."""
    truth, out = recording.truth, Matched()
    last: dict[int, tuple[str, ...]] = {}
    found: list[tuple[str, int, int]] = []
    errors: list[NDArray[np.float64]] = []
    stated: list[NDArray[np.float64]] = []
    for time_ns, tracks in picture.samples:
        index, position, velocity = truth.states_at(time_ns)
        places = np.array([t.state[:3] for t in tracks]).reshape(-1, 3)
        for t in tracks:
            out.samples[t.number] += 1
            if t.phases[2] < CRUISING:
                out.ballistic.add(t.number)
        for r, c in assign(places, position):
            t, i = tracks[r], int(index[c])
            out.first_ns.setdefault(i, time_ns)
            for number in {t.number, *t.aliases}:  # a node may have warned before it knew the joint number
                out.votes.setdefault(number, Counter())[i] += 1
            if i in last and not set(last[i]) & set(t.aliases):
                out.swaps += 1
            last[i] = t.aliases
            if t.phases[1] > SURELY_BALLISTIC and truth.objects[i].object_class != "aircraft":
                found.append((t.number, i, time_ns))
                errors.append(t.state[:6] - np.concatenate([position[c], velocity[c]]))
                stated.append(t.covariance[:6, :6])
        # missiles and rockets only: an aircraft missed is no matter of this system
        missiles = [c for c, i in enumerate(index) if truth.objects[i].object_class != "aircraft"]
        own = [r for r, t in enumerate(tracks) if t.phases[2] < CRUISING]
        if missiles or own:
            out.gospa_m.append(gospa(places[own], position[missiles], GATE_M))
    of = out.object_of()
    if found:
        squared = nees(np.array(errors), np.array(stated)).tolist()
        out.errors = [
            TrackError(*which, error, of_it)
            for which, error, of_it in zip(found, errors, squared, strict=True)
            if of[which[0]] == which[1]
        ]
    return out
