"""One node's tracker: sectors in, tracks out.

The loop is the textbook's: predict the tracks that may lie in the sector, gate its plots, associate, update,
let what is left begin new tracks, confirm and retire.  The engine does it, this class puts sectors in order,
and `tracking.telling` turns rows into records.  A pure step: the same sectors in the same order give the same
tracks.

A sector that comes late is put in its place: the tracker goes back to a checkpoint before it and replays
(`tracking.history`), so that its state is to the bit what it would be had all come in order.  Only what
people were told cannot be rolled back: a track keeps the number it was published under
(`tracking.numbers`), and one that was told and does not exist after all is ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from jointwatch.records import (
    BadInput,
    Sector,
    Sensor,
)
from jointwatch.sensing.expectation import PLOT, plots_of
from jointwatch.sensing.radar import COMPONENT, IN_RATE, sensor_row
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.engine import BIRTHS_PER_SCAN, CAPACITY, Chain, Engine, Looked, in_order
from jointwatch.tracking.history import BEGINNING, BUDGET_BYTES, Checkpoint, History, Key, Taken
from jointwatch.tracking.intake import MOST_BEGINNING, usable_plots, why_refused
from jointwatch.tracking.interaction import rouse
from jointwatch.tracking.numbers import Numbers
from jointwatch.tracking.parents import broken_up, parent_of
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.shedding import NO_LIMIT, NOBODY, Limit
from jointwatch.tracking.sources import More, note_sources, sources_of
from jointwatch.tracking.table import CONFIRMED, ROW, copied
from jointwatch.tracking.telling import Changed, Look, Step, Teller, Telling, tellings
from jointwatch.tracking.undetected import LEAST_BOOST, MOST_BOOST, LaunchGround

HISTORY_S = 30.0
NO_ROW = "no free row"
BEYOND, SHED_PLOTS, SHED_TRACKS = "plot beyond capacity", "plots shed under load", "tracks held under load"
SHED = (SHED_PLOTS, SHED_TRACKS)
"""Why a plot might begin nothing, or a track waits for another look."""
TOLD = ("mean", "covariance", "phase", "log_odds", "time_ns", "first_ns", "hits")
"""What of a row is in its record."""
Said = tuple[object, ...]
"""All that a track's record would say but its number."""
FEW = 16
"""Plots that chains began with, kept before it is worth looking for those that no row knows."""


class Tracker:
    """The picture of one partner's own sensors.  numbers: under which people know its tracks."""

    def __init__(
        self,
        partner: str,
        sensors: Sequence[Sensor],
        capacity: int = CAPACITY,
        bank: NDArray[np.float64] = FLIGHT,
        rules: Rules | None = None,
        history_s: float = HISTORY_S,
        grounds: Sequence[LaunchGround] = (),
        births_per_scan: float = BIRTHS_PER_SCAN,
        history_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.partner = partner
        self.sensors = {s.name: i for i, s in enumerate(sensors)}
        self._sensor_names = [s.name for s in sensors]
        self._measures = {s.name: s.measures for s in sensors}
        # what a checkpoint holds and a replay rolls back
        rows = [sensor_row(s) for s in sensors]
        self.engine = Engine(rows, capacity, bank, rules, grounds, births_per_scan)
        self._chains: dict[int, int] = {}  # chains confirmed so far that the same plot began
        self._more: More = {}
        self._many_chains = FEW
        # what was told and given out, and is never rolled back
        self.numbers = Numbers(partner)
        self._teller = Teller(partner, self._sensor_names, self.engine, self.numbers)
        self._next_plot = 0
        self._boost = 1.0
        self._limit, self._spared = NO_LIMIT, frozenset[int]()
        self._looks = 0
        self._tells = False  # whether anybody asks what a look tells of tracks
        self.rejected: dict[str, int] = {}
        self.late = 0
        """Sectors that came late and were used."""
        self._shared = [False for _ in sensors]
        self._apart_bytes = sum(known.nbytes for known in self.engine.learned)
        self._history = History(history_s, self._checkpoint(BEGINNING), history_bytes)

    def process(self, sector: Sector) -> Step:
        """Take one sector in, in order of `measured_ns` or up to `history_s` late.

        What cannot be used is counted in `rejected` by reason, and its good neighbours are used: a sector of
        an undeclared sensor, one too late for the history or in it already, one from the future, one whose
        wedge is not finite or whose columns are not its sensor's (it proves nothing about the volume either),
        and plots that are not finite, that no radar of this reach could give, that repeat another to the bit,
        or that are beyond capacity.
        """
        reason = why_refused(sector, self._measures)
        if reason:
            return self._reject(reason)
        wedge = sector.azimuth_from_rad, sector.azimuth_to_rad
        index = self.sensors[sector.sensor]
        key = (sector.header.measured_ns, index, sector.header.sequence, *wedge)
        reason = self._history.why_refused(key)
        if reason:
            return self._reject(reason)
        plots = usable_plots(
            sector,
            self.engine.sensors[index],
            lambda these: self.engine.near_tracks(index, wedge, key[0], these),
        )
        self._count("plot not usable", plots.unusable)
        self._count(BEYOND, plots.beyond)
        self._count("repeated plot", plots.repeated)
        others = plots.unusable + plots.beyond + plots.repeated
        taken = self._taken(key, sector.sensor, plots.values, plots.which, others)
        if taken.limit.plots is None or taken.limit.plots > MOST_BEGINNING:
            taken.limit = structs.replace(taken.limit, plots=MOST_BEGINNING)
        self._tells = True
        changed = self._enter(taken)
        detection = self.engine.detection[index].copy()
        look = Look(self.engine.sensors[index], wedge, taken.time_ns, taken.plots, detection)
        step = self._teller.step(changed, look, self._history.newest_ns, self._more)
        self.numbers.forget(self._history)
        return step

    @property
    def table(self) -> NDArray[np.void]:
        """The engine's table."""
        return self.engine.table

    @property
    def history_bytes(self) -> int:
        """Bytes that the checkpoints for late sectors hold, beside the present state."""
        return self._history.nbytes

    def look(
        self,
        name: str,
        time_ns: int,
        columns: NDArray[np.float64],
        azimuth_from: float = 0.0,
        azimuth_to: float = 0.0,
    ) -> None:
        """Take one look of a sensor without records: columns (m, 4), or positions (m, 3) of one that measures
        x, y, z; all usable, at most `history_s` late (textbook problems, benchmarks)."""
        index = self.sensors[name]
        self._looks += 1
        key = (time_ns, index, self._looks, azimuth_from, azimuth_to)
        reason = self._history.why_refused(key)
        if reason:
            self._count(reason, 1)
            return
        if int(self.engine.sensors[index][COMPONENT]) > IN_RATE:
            plots = np.zeros((len(columns), PLOT))
            plots[:, :3] = columns[:, :3]
        else:
            plots = plots_of(columns)
        order = in_order(plots)
        self._tells = False
        self._enter(self._taken(key, name, plots.take(order, axis=0), order, 0))

    def take_boost(self, boost: float) -> None:
        """From the next sector on, launch grounds give `boost` times the normal launches (`undetected`).

        A raised state of alert changes how soon a chain of plots is a track, within bounds, and nothing else.
        """
        if not math.isfinite(boost):
            raise BadInput("posture", "boost", boost, "a finite number")
        self._boost = min(max(boost, LEAST_BOOST), MOST_BOOST)

    @property
    def limit(self) -> Limit:
        """What may be worked through of the next sector."""
        return self._limit

    def take_limit(self, limit: Limit) -> None:
        """From the next sector on, work through no more than this; what is left out is counted (`rejected`).

        A sector that comes late is taken with the limit of when it came, whenever it is replayed.
        """
        self._limit = limit
        if limit.turn <= 1:
            self._spared = frozenset()

    def spare(self, numbers: Iterable[str]) -> None:
        """From the next sector on, let tracks of these numbers (`Track.number`) wait last for a look."""
        wanted = set(numbers)
        self._spared = frozenset(n for n in self.numbers.told if self.numbers.name(n) in wanted)

    def rows(
        self, least_existence: float = 0.5
    ) -> list[tuple[int, float, NDArray[np.float64], NDArray[np.float64]]]:
        """Number, existence, mean (7,) and covariance (7, 7) of each track, in its most probable motion."""
        return self.engine.estimates(least_existence)

    def _reject(self, reason: str) -> Step:
        self._count(reason, 1)
        return Step((), (), (), None)

    def _count(self, reason: str, count: int) -> None:
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count
            if not self.rejected[reason]:
                del self.rejected[reason]

    def _taken(
        self, key: Key, sensor: str, plots: NDArray[np.float64], which: NDArray[np.int64], others: int
    ) -> Taken:
        """A sector whose plots (m, PLOT) have identities that they keep through every replay."""
        first = self._next_plot
        self._next_plot += len(plots) + others
        return Taken(key, sensor, plots, first + which, first, self._boost, self._limit, self._spared)

    # ------------------------------------------------------------------ one sector

    def _enter(self, taken: Taken) -> Changed:
        """Take a sector in its place: what differs for it."""
        return self._advance(taken) if self._history.insert(taken) else self._replay(taken.key)

    def _advance(self, taken: Taken) -> Changed:
        """Take a sector that is the newest so far: what it changed."""
        engine, index = self.engine, taken.index
        if taken.boost != engine.boost:
            engine.take_boost(taken.boost)
        if self._shared[index]:
            engine.learned[index] = engine.learned[index].copy()
            self._shared[index] = False
            self._apart_bytes += engine.learned[index].nbytes
        looked = engine.look(
            index,
            taken.wedge,
            taken.time_ns,
            taken.plots,
            taken.identity,
            taken.limit,
            self._spared_of(taken),
        )
        self._count_left_out(taken, looked)
        fresh = looked.fresh[self.table["life"][looked.fresh] == CONFIRMED]
        for i in fresh.tolist():
            self._publish(i)
        in_sight = np.concatenate([looked.told, fresh]) if len(fresh) else fresh
        for i in fresh.tolist():
            parent = parent_of(self.table, in_sight, i)
            if parent >= 0:
                self.table[i]["parent_plot"], self.table[i]["parent_chain"] = engine.chain_of(parent)
        told = tellings(engine, self._history, taken, looked, fresh) if self._tells else []
        broken = broken_up(self.table, looked.touched, engine.chains)
        rows = np.union1d(looked.touched, fresh) if len(fresh) else looked.touched
        rows = rows[self.table["life"][rows] == CONFIRMED]
        note_sources(self.table, rows, self._more, index, taken.sequence, taken.time_ns)
        if self._history.passed(taken, len(rows), self._nbytes()):
            self._history.keep(self._checkpoint(taken.key))
        come = [engine.chain_of(i) for i in fresh.tolist()]
        broke = [(engine.chain_of(i), taken.time_ns) for i in broken.tolist()]
        return Changed(rows, come, dict(looked.ended), told, broke)

    def _spared_of(self, taken: Taken) -> NDArray[np.int64]:
        """Numbers of the rows that are to wait last for their look at a sector."""
        if not taken.spared:
            return NOBODY
        rows = self.engine.confirmed()
        chains = [self.engine.chain_of(i) for i in rows.tolist()]
        last = np.array([self.numbers[chain] in taken.spared for chain in chains], np.bool_)
        numbers: NDArray[np.int64] = self.table["number"][rows[last]]
        return numbers

    def _count_left_out(self, taken: Taken, looked: Looked) -> None:
        """Count what of a sector was left out; one that is replayed is not counted twice."""
        self._count(NO_ROW, looked.lost - taken.lost)
        under_load = taken.limit.plots is not None and taken.limit.plots < MOST_BEGINNING
        self._count(SHED_PLOTS if under_load else BEYOND, looked.shed_plots - taken.shed_plots)
        self._count(SHED_TRACKS, looked.shed_tracks - taken.shed_tracks)
        taken.lost, taken.shed_plots, taken.shed_tracks = looked.lost, looked.shed_plots, looked.shed_tracks

    def _publish(self, i: int) -> None:
        """Give row i, just confirmed, the number that people see.

        Chains that the same plot began are told apart by their order: one may be confirmed when another is
        long gone.
        """
        first = int(self.table[i]["first_plot"])
        chain = first, self._chains.get(first, 0)
        self._chains[first] = chain[1] + 1
        self.table[i]["chain"] = chain[1]
        self.numbers.confirmed(chain, float(self.table[i]["log_odds"]))

    # ------------------------------------------------------------------ late sectors

    def _replay(self, key: Key) -> Changed:
        """Go back before a late sector's key and forward again: what is another for it."""
        self.late += 1
        before = self._told_rows()
        start, again = self._history.rewind(key)
        self._restore(start)
        ended: dict[Chain, int] = {}
        told: list[Telling] = []
        broken: list[tuple[Chain, int]] = []
        for taken in again:
            changed = self._advance(taken)
            ended |= changed.ended
            told += changed.told
            broken += changed.broken
        after = self._told_rows()
        self.numbers.hand_over(
            {chain: row for chain, (row, _) in before.items() if chain not in after},
            {chain: row for chain, (row, _) in after.items() if chain not in before},
        )
        known = {chain: said for chain, (_, said) in before.items()}
        rows = [i for i in self.engine.confirmed().tolist() if self._differs(i, after, known)]
        return Changed(np.array(rows, np.int64), list(after), ended, told, broken, all_live=True)

    def _differs(self, i: int, after: dict[Chain, tuple[np.void, Said]], known: dict[Chain, Said]) -> bool:
        chain = self.engine.chain_of(i)
        return after[chain][1] != known.get(chain)

    def _told_rows(self) -> dict[Chain, tuple[np.void, Said]]:
        """A copy of each confirmed row, and all that its record would say but its number."""
        out: dict[Chain, tuple[np.void, Said]] = {}
        for i in self.engine.confirmed().tolist():
            row = self.table[i : i + 1].copy()[0]
            rouse(self.engine.bank, row)
            parent = int(row["parent_plot"]), int(row["parent_chain"])
            sources = tuple(sources_of(row, self._more))
            out[self.engine.chain_of(i)] = row, (*(row[f].tobytes() for f in TOLD), parent, sources)
        return out

    def _checkpoint(self, key: Key) -> Checkpoint:
        """What the tracker is now, right after the sector of this key; what nothing hangs on is forgotten."""
        engine = self.engine
        rows = engine.live()
        live = copied(self.table, rows, self._history.room() if key != BEGINNING else None)
        numbers = set(live["number"].tolist()) if self._more else set()
        self._more = {number: beside for number, beside in self._more.items() if number in numbers}
        self._shared, self._apart_bytes = [True for _ in self._shared], 0
        checkpoint = Checkpoint(
            key=key,
            rows=rows,
            table=live,
            clusters=engine.clusters[: engine.clusters_used()].copy(),
            learned=tuple(engine.learned),
            detection=engine.detection.copy(),
            boost=engine.boost,
            next_number=engine.next_number,
            free=engine.free,
            chains=dict(self._chains),
            more={number: dict(beside) for number, beside in self._more.items()},
        )
        if len(self._chains) > self._many_chains:
            first = checkpoint.first_plots()
            self._chains = {plot: n for plot, n in self._chains.items() if plot in first}
            self._many_chains = 2 * len(self._chains) + FEW
        return checkpoint

    def _nbytes(self) -> int:
        """About how many bytes a checkpoint would take: live rows, and what was learned since the last."""
        return (len(self.engine.where) + len(self.engine.chains)) * ROW.itemsize + self._apart_bytes

    def _restore(self, start: Checkpoint) -> None:
        engine = self.engine
        engine.take_rows(start.rows, start.table, start.clusters)
        engine.detection[:] = start.detection
        engine.learned = list(start.learned)
        self._shared, self._apart_bytes = [True for _ in self._shared], 0
        engine.take_boost(start.boost)
        engine.next_number, engine.free, engine.present_ns = start.next_number, start.free, start.key[0]
        self._chains = dict(start.chains)
        self._more = {number: dict(beside) for number, beside in start.more.items()}
