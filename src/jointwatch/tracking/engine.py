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
from jointwatch.tracking.branching import find_parents
from jointwatch.tracking.clutter import clutter_density, learn_clutter, new_clutter_map
from jointwatch.tracking.confirmation import confirm_log_odds
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.detection import (
    detection_factor,
    learn_detection,
    new_detection,
    new_last_looks,
    proven_looks,
)
from jointwatch.tracking.duplicates import merge_duplicates
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.life import retire
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.shedding import NO_LIMIT, NOBODY, Limit, drop_chains, hold_back, near_tracks, offered
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.tentative import FREE_SHARE, confirm, update_tentative
from jointwatch.tracking.undetected import (
    LaunchGround,
    after_look,
    birth_density,
    births_per_day,
    new_undetected,
    take_boost,
)

if TYPE_CHECKING:
    from jointwatch.tracking.groups import Group

CAPACITY = 4096
BIRTHS_PER_SCAN = 0.02
"""Expected new objects a scan in a sensor's whole volume, apart from launch grounds."""


class Looked(Struct, frozen=True):
    """What one look changed: rows touched, rows of tracks that ended and why, plots that found no row.

    shed_plots: plots that no track claims and that might begin nothing for the limit; shed_tracks: tracks
    that wait for another look.
    """

    touched: NDArray[np.int64]
    ended: NDArray[np.int64]
    lost: int
    shed_plots: int = 0
    shed_tracks: int = 0


class Learned(Struct, frozen=True):
    """What is learned of one sensor, in arrays that a look changes in place.

    clutter: `new_clutter_map`; undetected: `new_undetected`; detection: `new_detection`; last_looks:
    `new_last_looks`.
    """

    clutter: NDArray[np.float64]
    undetected: NDArray[np.void]
    detection: NDArray[np.float64]
    last_looks: NDArray[np.void]

    def copy(self) -> Learned:
        """The same in arrays of its own."""
        return Learned(
            self.clutter.copy(), self.undetected.copy(), self.detection.copy(), self.last_looks.copy()
        )


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
        self.learned = [
            Learned(
                new_clutter_map(s),
                new_undetected(s, births_per_scan, grounds),
                new_detection(s),
                new_last_looks(capacity),
            )
            for s in sensors
        ]
        self.next_number = 1
        self.boost = 1.0
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
        sensor, known = self.sensors[index], self.learned[index]
        detection, used = known.detection, self.used()
        density = clutter_density(known.clutter, sensor, plots)
        held = hold_back(
            self.table, used, self.bank, sensor, detection, wedge, time_ns, plots, density, limit, spared
        )
        part = offered(plots, held, limit.plots)
        chains, birth = None, np.zeros(0)
        if limit.plots != 0:  # else nobody looked for what is no track yet, and so nothing was missed either
            drop_chains(self.table, index, wedge, limit.plots)
            birth = birth_density(known.undetected, sensor, detection, plots[part], time_ns)
            after_look(known.undetected, sensor, detection, *wedge, time_ns)
            chains = find_parents(
                self.table, used, self.bank, sensor, detection, index, wedge, time_ns, plots[part],
                density[part], birth,
            )  # fmt: skip
        # a plot that no track claims is clutter's, or of an object that is not confirmed yet, or waits
        others = density.copy()
        if chains is not None:
            others[part] *= 1.0 + chains.rivals
        if held is not None:
            others += density * held.weight
        claimed, touched, seen, gave, ranges = update_confirmed(
            self.table,
            self.clusters,
            used,
            self.bank,
            self.rules,
            sensor,
            detection,
            *wedge,
            time_ns,
            plots,
            identity,
            others,
            None if held is None else held.rows,
        )
        self._learn_detection(index, touched, seen, gave, ranges)
        merge_duplicates(self.table, self.clusters, touched, seen, gave, self.rules)
        if held is not None:
            claimed = np.maximum(claimed, held.near)
        lost = 0
        if chains is not None:
            lost, used = update_tentative(
                self.table,
                used,
                self.bank,
                sensor,
                index,
                time_ns,
                plots[part],
                identity[part],
                density[part],
                claimed[part],
                birth,
                chains,
            )
        learn_clutter(known.clutter, sensor, *wedge, plots, claimed)
        self.next_number = confirm(self.table, used, self.rules, self.next_number)
        ended = retire(self.table, used, self.bank, self.rules, time_ns)
        shed = claimed <= FREE_SHARE
        shed[part] = False
        return Looked(touched, ended, lost, int(shed.sum()), 0 if held is None else len(held.rows))

    def near_tracks(
        self, index: int, wedge: tuple[float, float], time_ns: int, plots: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Which plots (m, PLOT) of a look of sensor `index`, in order, a track may have given: (m,)."""
        sensor, detection = self.sensors[index], self.learned[index].detection
        return near_tracks(self.table, self.used(), self.bank, sensor, detection, wedge, time_ns, plots)

    def _learn_detection(
        self,
        index: int,
        rows: NDArray[np.int64],
        seen: NDArray[np.float64],
        gave: NDArray[np.float64],
        ranges: NDArray[np.float64],
    ) -> None:
        """Count looks at tracks into what is learned of a sensor's detection."""
        sensor, known = self.sensors[index], self.learned[index]
        expected = seen / np.array([detection_factor(known.detection, sensor, r) for r in ranges])
        existence = 1.0 / (1.0 + np.exp(-self.table["log_odds"][rows]))
        numbers = self.table["number"][rows]
        proven = proven_looks(known.last_looks, rows, numbers, ranges, expected, gave, existence)
        learn_detection(known.detection, sensor, *proven)

    def used(self) -> int:
        """Rows in use: one more than the last that is not free."""
        busy = np.flatnonzero(self.table["life"])
        return int(busy[-1]) + 1 if len(busy) else 0

    def clusters_used(self) -> int:
        """Places of `clusters` in use: one more than the last that is not free."""
        busy = np.flatnonzero(self.clusters["tracks"])
        return int(busy[-1]) + 1 if len(busy) else 0

    def confirmed(self) -> NDArray[np.int64]:
        """Indices of the rows that are tracks."""
        return np.flatnonzero(self.table["life"] == CONFIRMED)

    def estimates(
        self, least_existence: float = 0.5
    ) -> list[tuple[int, float, NDArray[np.float64], NDArray[np.float64]]]:
        """Number, existence, mean (7,) and covariance (7, 7) in its most probable motion, of each track."""
        out = []
        for i in self.confirmed():
            row = self.table[i]
            existence = 1.0 / (1.0 + np.exp(-row["log_odds"]))
            if existence >= least_existence:
                k = int(np.argmax(row["phase"]))
                state = row["mean"][k].copy(), row["covariance"][k].copy()
                out.append((int(row["number"]), float(existence), *state))
        return out

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
