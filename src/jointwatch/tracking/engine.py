"""The engine of one picture: looks in, a table of Bernoulli components out.

The multi-target posterior is Poisson multi-Bernoulli (Williams 2015; Garcia-Fernandez et al. 2018): what has
never been detected is an intensity, each row of the table an object that exists with some probability, moving
in one of a bank of motions.  One look is the textbook's: predict the rows that may lie in the wedge, gate its
plots, associate by marginals, update, let what no row claims begin and continue chains, confirm and retire.
Clutter and detection are learned from it.  The engine knows no records and no clock; `tracking.tracker`
gives it sectors and turns rows into tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.clutter import ClutterMap, new_clutter_map
from jointwatch.tracking.confirmation import confirm_log_odds
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.life import SWEEP_NS
from jointwatch.tracking.one_look import Learning, Picture, Waiting, begin_look, nobody_waits, take_look
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.scratch import Claims, new_scratch
from jointwatch.tracking.seeds import Seeds
from jointwatch.tracking.shedding import (
    NO_LIMIT,
    NOBODY,
    Limit,
    hold_back,
    near_tracks,
    offered,
    worst_chains,
)
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table
from jointwatch.tracking.tentative import FREE_SHARE
from jointwatch.tracking.undetected import (
    LaunchGround,
    births_per_day,
    new_undetected,
    take_boost,
)
from jointwatch.tracking.whereabouts import forget_all, in_sight, new_whereabouts, note_rows

if TYPE_CHECKING:
    from jointwatch.tracking.groups import Group

CAPACITY = 4096
BEGINNING_NS = -(2**63)
"""Before every look."""
BIRTHS_PER_SCAN = 0.02
"""Expected new objects a scan in a sensor's whole volume, apart from launch grounds."""


Chain = tuple[int, int]
"""A track for good: the plot that began it, and which of the chains that this plot began."""


class Looked(Struct, frozen=True):
    """What one look changed.

    told: rows that may lie in the wedge.  touched: those of them that it should have shown.  fresh: rows just
    confirmed.  ended: chains of tracks that ended, with the reason (`life.REASONS`).  lost: plots that found
    no place.  shed_plots: plots that no track claims and that might begin nothing for the limit; shed_tracks:
    tracks that wait for another look.  gain: what the look adds to the log odds of each row touched; claims:
    which plots tracks claim.
    """

    told: NDArray[np.int64]
    touched: NDArray[np.int64]
    fresh: NDArray[np.int64]
    ended: list[tuple[Chain, int]]
    lost: int
    gain: NDArray[np.float64]
    claims: Claims
    shed_plots: int = 0
    shed_tracks: int = 0


class Learned(Struct, frozen=True):
    """What is learned of one sensor, in arrays that a look changes in place.

    clutter: `new_clutter_map`; undetected: `new_undetected`; seeds: plots that nothing has followed yet.
    """

    clutter: ClutterMap
    undetected: NDArray[np.void]
    seeds: Seeds

    def copy(self) -> Learned:
        """The same in arrays of its own."""
        return Learned(self.clutter.copy(), self.undetected.copy(), self.seeds.copy())

    @property
    def nbytes(self) -> int:
        """Bytes that a copy takes."""
        clutter = sum(part.nbytes for part in self.clutter)
        return int(clutter + self.undetected.nbytes + self.seeds.nbytes)


class Engine:
    """The table of one picture, and what is learned of each of its sensors."""

    def __init__(
        self,
        sensors: Sequence[NDArray[np.float64]],
        capacity: int = CAPACITY,
        bank: NDArray[np.float64] = FLIGHT,
        rules: Rules | None = None,
        grounds: Sequence[LaunchGround] = (),
        births_per_scan: float = BIRTHS_PER_SCAN,
    ) -> None:
        self.table: NDArray[np.void] = new_table(capacity)
        self.clusters: NDArray[np.void] = new_clusters()
        self.sensors = list(sensors)
        self.bank = bank
        self.detection = np.array([new_detection(s) for s in sensors])
        self.learned = [
            Learned(new_clutter_map(s), new_undetected(s, births_per_scan, grounds), Seeds()) for s in sensors
        ]
        self.next_number = 1
        self.boost = 1.0
        self.present_ns = BEGINNING_NS
        self.free = 0
        """No row before it is free."""
        # what the table says, told once more for those who would have to look through all of it
        self.where = new_whereabouts(capacity)
        self.chains = np.zeros(0, np.int64)
        self.picture = Picture(
            self.table, self.clusters, self.where, new_scratch(capacity), bank, np.array(self.sensors),
            self.detection,
        )  # fmt: skip
        self._stated = Rules() if rules is None else rules
        self._take_rules()

    def _take_rules(self) -> None:
        """Rules as kernels take them; the least odds to confirm follow from the births now expected."""
        rules = self._stated
        if rules.false_tracks_per_day is not None:
            births = sum(births_per_day(known.undetected) for known in self.learned)
            rules = structs.replace(
                rules, confirm_log_odds=confirm_log_odds(births, rules.false_tracks_per_day)
            )
        self.rules = rules.row()

    def take_boost(self, boost: float) -> None:
        """Raise or lower the state of alert: the rate of launches expected from launch grounds.

        Held within `undetected.LEAST_BOOST` and `MOST_BOOST`.  It changes how soon a chain of plots is a
        track, and nothing else; the rate of false tracks stays the one configured.
        """
        self.boost = boost
        self.learned = [known.copy() for known in self.learned]
        for known in self.learned:
            take_boost(known.undetected, boost)
        self._take_rules()

    def look(
        self,
        index: int,
        wedge: tuple[float, float],
        time_ns: int,
        plots: NDArray[np.float64],
        identity: NDArray[np.int64],
        limit: Limit = NO_LIMIT,
        spared: NDArray[np.int64] = NOBODY,
    ) -> Looked:
        """Take one look of sensor `index` at a wedge (rad): plots (m, PLOT) in order of their first value.

        Looks come in order of time; identity (m,) tells plots apart for good.  limit: what may be worked
        through (`shedding`); spared: numbers of the tracks that wait last for a look.
        """
        table, bank, rules = self.table, self.bank, self.rules
        sensor, known, detection = self.sensors[index], self.learned[index], self.detection[index]
        begun = begin_look(self.picture, known.clutter, sensor, wedge, time_ns, plots)
        told, density, begins = begun.told, begun.density, limit.plots != 0
        held = hold_back(table, told, bank, sensor, detection, wedge, time_ns, plots, density, limit, spared)
        part, looked, waiting = offered(plots, held, limit.plots), told, nobody_waits(len(plots))
        if held is not None:
            looked = np.setdiff1d(told, held.rows, assume_unique=True)
            waiting = Waiting(held.near, held.weight)
        if begins:  # else nobody looks for what is no track yet, and so nothing is missed either
            self._drop_chains(index, wedge, limit.plots)
        # rows that no look touches are asked now and then whether they have ended
        sweep = time_ns // SWEEP_NS != self.present_ns // SWEEP_NS
        outcome = take_look(
            self.picture, Learning(known.clutter, known.undetected, known.seeds.room(len(plots))), rules,
            self.chains, index, wedge, time_ns, plots, identity, begun, looked, part, waiting, begins,
            self.free, self.next_number, sweep,
        )  # fmt: skip
        self.chains, self.free, self.present_ns = outcome.chains, outcome.free, time_ns
        self.next_number += len(outcome.fresh)
        shed = outcome.claimed <= FREE_SHARE
        shed[part] = False
        ended = [((plot, chain), why) for plot, chain, why in outcome.ended.tolist()]
        held_back = 0 if held is None else len(held.rows)
        return Looked(
            told, outcome.touched, outcome.fresh, ended, outcome.lost, outcome.gain, outcome.claims,
            int(shed.sum()), held_back,
        )  # fmt: skip

    def near_tracks(
        self, index: int, wedge: tuple[float, float], time_ns: int, plots: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Which plots (m, PLOT) of a look of sensor `index`, in order, a track may have given: (m,)."""
        sensor, detection = self.sensors[index], self.detection[index]
        told = in_sight(self.where, sensor, wedge, time_ns)
        return near_tracks(self.table, told, self.bank, sensor, detection, wedge, time_ns, plots)

    def _drop_chains(self, index: int, wedge: tuple[float, float], most: int | None) -> None:
        """Free the worst chains that sensor `index` began, where `most` plots of a look may continue them."""
        if most is None:
            return
        seeds = self.learned[index].seeds
        worst = worst_chains(self.table, self.chains, seeds, index, wedge, most)
        if len(worst):
            self.table["life"][worst] = FREE
            self._freed(worst)
            self.chains = np.setdiff1d(self.chains, worst, assume_unique=True)

    def _freed(self, rows: NDArray[np.int64]) -> None:
        """Some rows are free now."""
        if len(rows):
            self.free = min(self.free, int(rows.min()))

    def chain_of(self, i: int) -> Chain:
        """Which chain row i is."""
        return int(self.table[i]["first_plot"]), int(self.table[i]["chain"])

    def chains_of(self, index: int) -> int:
        """How many chains that are no tracks yet sensor `index` began, seeds among them."""
        own = self.table["sensor"][self.chains] == index
        return int(own.sum()) + self.learned[index].seeds.count

    def live(self) -> NDArray[np.int64]:
        """Rows in use, ascending: tracks, chains, and what tracks are in hypotheses."""
        kept = self.clusters[: self.clusters_used()]
        local = [c["local"][: c["hypotheses"], : c["tracks"]].ravel() for c in kept]
        rows = np.concatenate([self.where.rows(), self.chains, *local])
        return np.unique(rows) if local else np.sort(rows)

    def take_rows(self, rows: NDArray[np.int64], table: NDArray[np.void], clusters: NDArray[np.void]) -> None:
        """Have these rows (n,) of the table in use, and no others; and these clusters."""
        self.table["life"][self.live()] = FREE
        self.clusters["tracks"] = 0
        self.clusters[: len(clusters)] = clusters
        self.table[rows] = table
        self.index_rows(rows)

    def index_rows(self, rows: NDArray[np.int64] | None = None) -> None:
        """Bring what is told of the table beside it up to date with its rows in use (n,); None: with all."""
        if rows is None:
            rows = np.flatnonzero(self.table["life"])
            self.free = 0
        life = self.table["life"][rows]
        self.chains = rows[life == TENTATIVE]
        forget_all(self.where)
        note_rows(self.where, self.table, rows[life == CONFIRMED], self.bank, self.rules)

    def clusters_used(self) -> int:
        """Places of `clusters` in use: one more than the last that is not free."""
        busy = np.flatnonzero(self.clusters["tracks"])
        return int(busy[-1]) + 1 if len(busy) else 0

    def confirmed(self) -> NDArray[np.int64]:
        """Indices of the rows that are tracks."""
        return self.where.rows()

    def estimates(
        self, least_existence: float = 0.5
    ) -> list[tuple[int, float, NDArray[np.float64], NDArray[np.float64]]]:
        """Number, existence, mean (7,) and covariance (7, 7) in its most probable motion, of each track."""
        rows = self.confirmed()
        existence = 1.0 / (1.0 + np.exp(-self.table["log_odds"][rows]))
        rows, existence = rows[existence >= least_existence], existence[existence >= least_existence]
        k = np.argmax(self.table["phase"][rows], axis=1)
        number, mean = self.table["number"][rows], self.table["mean"][rows, k]
        covariance = self.table["covariance"][rows, k]
        return list(zip(number.tolist(), existence.tolist(), mean, covariance, strict=True))

    def groups(self, distance_m: float, sigmas: float = 0.0) -> list[Group]:
        """Tracks that fly together, each group with its number as a distribution (`groups.groups`).

        Members are places in the list that `estimates(0.0)` gives.
        """
        from jointwatch.tracking.groups import groups  # SciPy is loaded where it is wanted

        rows = self.estimates(0.0)
        mean = np.array([r[2] for r in rows]).reshape(-1, 7)
        covariance = np.array([r[3][:3, :3] for r in rows]).reshape(-1, 3, 3)
        existence = np.array([r[1] for r in rows])
        return groups(mean[:, :3], covariance, mean[:, 3:6], existence, distance_m=distance_m, sigmas=sigmas)

    def counted(
        self, distance_m: float, least_existence: float = 0.5
    ) -> list[tuple[int, float, NDArray[np.float64], NDArray[np.float64]]]:
        """As `estimates`, but of each group of near tracks as many as it is expected to hold, surest first.

        Of tracks that met and of which one has ended it cannot be said which; that one has, can.
        """
        rows, out = self.estimates(0.0), []
        for group in self.groups(distance_m):
            members = sorted((rows[i] for i in group.members), key=lambda r: (-r[1], r[0]))
            out += members[: int(np.floor(group.mean + 1.0 - least_existence))]
        return out


def in_order(plots: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order in which the kernels want plots (m, PLOT): by their first value."""
    return np.argsort(plots[:, 0], kind="stable")
