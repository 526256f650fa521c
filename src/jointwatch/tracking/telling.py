"""What people are told of a sector: records of the tracks that it changed, and tracklets of what it showed.

In: what a sector changed (`Changed`: rows, chains that came and ended), the engine's rows, and the numbers
under which people know chains; out: a `Step` of records.  What was told once is not told again, however often
its sector is replayed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, BOOST
from jointwatch.records import Header, SequenceRange, Track, TrackBegun, Tracklet
from jointwatch.tracking.engine import Chain, Engine, Looked
from jointwatch.tracking.equivalent import equivalents, first_equivalent
from jointwatch.tracking.history import History, Taken
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.life import REASONS
from jointwatch.tracking.numbers import Numbers
from jointwatch.tracking.sources import More, sources_of
from jointwatch.tracking.table import CONFIRMED

WITHDRAWN = "withdrawn by late data"
UPPER, UPPER6 = np.triu_indices(7), np.triu_indices(6)


class Look(Struct, frozen=True):
    """What was looked at: the sensor's parameter row, the wedge (rad), the usable plots (m, PLOT) by range.

    detection: what is learned of the sensor's (`detection.new_detection`).
    """

    sensor: NDArray[np.float64]
    wedge: tuple[float, float]
    time_ns: int
    plots: NDArray[np.float64]
    detection: NDArray[np.float64]


class Step(Struct, frozen=True):
    """What one sector changed: tracks brought up to date, newly confirmed, and ended (number, reason).

    After a late sector `updated` has every track that is another for it, as of the tracker's present.
    look: what was looked at, None where the sector was refused.  begun, told: tracks newly confirmed, and
    what the sector told of each track that it should have shown, with all that new ones began with.
    broken: tracks by number that a look missed where plots of several parts of them began, and its time.
    """

    updated: tuple[Track, ...]
    born: tuple[str, ...]
    ended: tuple[tuple[str, str], ...]
    look: Look | None
    begun: tuple[TrackBegun, ...] = ()
    told: tuple[Tracklet, ...] = ()
    broken: tuple[tuple[str, int], ...] = ()


class Telling(Struct, frozen=True):
    """What a sector told of a chain, before it is known under which number people know that chain.

    point (6,), information (21,): of its equivalent measurement; evidence: as of a `Tracklet`.
    """

    chain: Chain
    taken: Taken
    point: tuple[float, ...]
    information: tuple[float, ...]
    evidence: float


class Changed(Struct, frozen=True):
    """What a sector changed: rows that differ, chains told from now on, and chains that ended and why.

    broken: chains that broke up (`parents.broken_up`), by which look (ns).  all_live: `come` is all there
    are.
    """

    rows: NDArray[np.int64]
    come: list[Chain]
    ended: dict[Chain, int]
    told: list[Telling]
    broken: list[tuple[Chain, int]]
    all_live: bool = False


def tellings(
    engine: Engine, history: History, taken: Taken, looked: Looked, fresh: NDArray[np.int64]
) -> list[Telling]:
    """What a look told of tracks, and what those just confirmed (rows `fresh`) began with."""
    out: list[Telling] = []
    # a track that ended in this look may have left its row to one that is confirmed in it
    still = (engine.table["life"][looked.touched] == CONFIRMED) & ~np.isin(looked.touched, fresh)
    rows, gain = looked.touched[still], looked.gain[still]
    if len(rows):
        claims, many = looked.claims, int(looked.claims.many[0])
        points, informations = equivalents(
            engine.table, rows, claims.row[:many], claims.plot[:many], claims.weight[:many],
            engine.sensors[taken.index], taken.plots,
        )  # fmt: skip
        for a, i in enumerate(rows.tolist()):
            out.append(_telling(engine.chain_of(i), taken, points[a], informations[a], float(gain[a])))
    point, information = np.empty(6), np.empty((6, 6))
    for i in fresh.tolist():
        for identity in reversed(engine.table[i]["evidence"].tolist()):
            found = history.holding(identity) if identity >= 0 else None
            if found is None:
                continue
            then, plot = found[0], found[0].plots[found[1]]
            sensor = engine.sensors[then.index]
            first_equivalent(sensor, engine.table[i], then.time_ns, plot, point, information)
            out.append(_telling(engine.chain_of(i), then, point, information, 0.0))
    return out


def _telling(
    chain: Chain,
    taken: Taken,
    point: NDArray[np.float64],
    information: NDArray[np.float64],
    evidence: float,
) -> Telling:
    return Telling(chain, taken, tuple(point.tolist()), tuple(information[UPPER6].tolist()), evidence)


class Teller:
    """Makes one partner's records of the rows of its engine."""

    def __init__(self, partner: str, sensors: Sequence[str], engine: Engine, numbers: Numbers) -> None:
        self._partner = partner
        self._sensors = tuple(sensors)
        self._engine = engine
        self._numbers = numbers
        self._sequence = 0

    def step(self, changed: Changed, look: Look, now_ns: int, more: More) -> Step:
        """Records of the tracks that changed; which are told for the first time, and which for the last.

        now_ns: the tracker's present.  more: sensors behind rows that these have no room for.
        """
        numbers = self._numbers
        live = {numbers[chain] for chain in changed.come}
        reasons = {numbers[chain]: REASONS[why] for chain, why in changed.ended.items() if chain in numbers}
        over = sorted(numbers.told - live if changed.all_live else numbers.told & set(reasons))
        born = tuple(numbers.name(number) for number in sorted(live - numbers.told))
        begun = [self._begun(c, now_ns) for c in changed.come if numbers[c] not in numbers.told]
        numbers.told |= live
        tracklets = self._tracklets(changed.told)
        numbers.told = live if changed.all_live else numbers.told - (set(over) - live)
        return Step(
            updated=tuple(self._record(i, now_ns, more) for i in changed.rows.tolist()),
            born=born,
            ended=tuple((numbers.name(number), reasons.get(number, WITHDRAWN)) for number in over),
            look=look,
            begun=tuple(begun),
            told=tuple(tracklets),
            broken=tuple((numbers.name_of(c), at) for c, at in changed.broken if numbers[c] in numbers.told),
        )

    def _tracklets(self, told: Sequence[Telling]) -> list[Tracklet]:
        """Of tracks that people know what was told: once for each sector, however often it is replayed."""
        out: list[Tracklet] = []
        for one in told:
            number, taken = self._numbers[one.chain], one.taken
            if number not in self._numbers.told or number in taken.given:
                continue
            taken.given.add(number)
            out.append(
                Tracklet(
                    number=self._numbers.name(number),
                    time_ns=taken.time_ns,
                    source=taken.sensor,
                    sequence=taken.sequence,
                    point=one.point,
                    information=one.information,
                    evidence=one.evidence,
                )
            )
        return out

    def _begun(self, chain: Chain, now_ns: int) -> TrackBegun:
        """A track as it is told of for the first time."""
        engine = self._engine
        row = next(engine.table[i] for i in engine.confirmed().tolist() if engine.chain_of(i) == chain)
        return TrackBegun(
            number=self._numbers.name_of(chain),
            first_ns=int(row["first_ns"]),
            log_odds=self._numbers.odds(chain),
            told_ns=now_ns,
            parent=self._numbers.name_of(_parent(row)),
        )

    def _record(self, i: int, now_ns: int, more: More) -> Track:
        """Row i as a record, in its most probable phase; the drag parameter is the ballistic phase's.

        As of the tracker's present: a look may have been replayed that is older.
        """
        row = self._engine.table[i]
        if row["time_ns"] < now_ns:
            row = self._engine.table[i : i + 1].copy()[0]
            predict_row(self._engine.bank, row, now_ns)
        k = int(np.argmax(row["phase"]))
        state, covariance = row["mean"][k].copy(), row["covariance"][k].copy()
        if k != BALLISTIC:
            state[6] = row["mean"][BALLISTIC][6]
            covariance[6, :], covariance[:, 6] = 0.0, 0.0
            covariance[6, 6] = row["covariance"][BALLISTIC][6, 6]
        self._sequence += 1
        sources = [(self._sensors[s], first, last) for s, first, last in sources_of(row, more)]
        return Track(
            header=Header(
                originator=self._partner,
                source=self._partner,
                sequence=self._sequence,
                measured_ns=int(row["time_ns"]),
                provenance=tuple(SequenceRange(*source) for source in sorted(sources)),
            ),
            number=self._numbers.name_of(self._engine.chain_of(i)),
            existence=1.0 / (1.0 + math.exp(-float(row["log_odds"]))),
            phases=(float(row["phase"][0]), float(row["phase"][1]), float(row["phase"][2])),
            state=tuple(state.tolist()),
            covariance=tuple(covariance[UPPER].tolist()),
            thrust_ms2=float(row["mean"][BOOST][6]) if k == BOOST else 0.0,
            hits=int(row["hits"]),
            first_ns=int(row["first_ns"]),
            parent=self._numbers.name_of(_parent(row)),
        )


def _parent(row: np.void) -> Chain:
    """The chain that a row came from (NOTHING: none)."""
    return int(row["parent_plot"]), int(row["parent_chain"])
