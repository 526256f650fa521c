"""Figures of the raid told by several nodes: each picture beside the central tracker's, by time and height.

In: of each seed, what `raid_together.run` has of each picture; out: lines for `joining`.  A picture is held
against the central tracker, the node's own tracker (alone) and a picture of its own tracklets (as if all of
its partners' were forgotten) where both hold one object at a time; what only one holds is counted.

ANEES is about 6 if a picture is honest.  Errors of one object at several times are no independent draws, so
its 95 % interval is of the means of object and seed: 6 lies inside if the picture is in its band.  At any one
time objects and seeds are independent: `times_outside` is the share of times at which their mean leaves the
chi-square band of so many (a twentieth of times do by chance).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from raid_together import SCENARIO, Errors

from jointwatch.exercise.scenario import load_scenario
from jointwatch.review.consistency import average_bounds

Array = NDArray[np.float64]
Line = dict[str, object]
Results = dict[int, dict[str, Errors]]
"""By seed, of each picture."""
ELEMENTS, HEALED_S, AIR_M = 6, 5.0, 100e3
SAME, LOSES = 1.02, 1.05
"""Of a lone node's error inside the cut, and of the central tracker's outside it: no more is wanted."""
FEW = 30
"""Fewer object-times tell nothing."""
TIME, HEIGHT, PLACE, NEES = 0, 2, 3, 5


def windows() -> dict[str, tuple[float, float]]:
    """Names and spans (s) of the times before, in and after the cut of the scenario's link."""
    (cut,) = load_scenario(SCENARIO).link.cuts
    end = cut.to_s + HEALED_S
    return {"before the cut": (0.0, cut.from_s), "inside": (cut.from_s, end), "after": (end, math.inf)}


def spread(values: Array, clusters: NDArray[np.int64]) -> float:
    """Standard error of a mean of values (n,), those of one cluster (n,) in common."""
    off = np.bincount(clusters, values - values.mean())
    return float(np.sqrt((off**2).sum())) / len(values)


class Pairs:
    """A picture's errors (n, 6) beside another's of the same seed, object and time."""

    def __init__(self, results: Results, one: str, other: str, span: tuple[float, float]) -> None:
        here: list[tuple[float, ...]] = []
        there: list[tuple[float, ...]] = []
        of: list[int] = []
        clusters: dict[tuple[int, int], int] = {}
        self.only_one = self.only_other = 0
        for seed, pictures in results.items():
            known = {row[:2]: row for row in pictures[other] if span[0] <= row[TIME] < span[1]}
            rows = {row[:2]: row for row in pictures[one] if span[0] <= row[TIME] < span[1]}
            for key in rows.keys() & known.keys():
                here.append(rows[key])
                there.append(known[key])
                of.append(clusters.setdefault((seed, key[1]), len(clusters)))
            self.only_one += len(rows.keys() - known.keys())
            self.only_other += len(known.keys() - rows.keys())
        self.one, self.other = np.array(here).reshape(-1, 6), np.array(there).reshape(-1, 6)
        self.clusters = np.array(of, np.int64)

    def where(self, chosen: NDArray[np.bool_]) -> Pairs:
        """Some of the pairs."""
        out = object.__new__(Pairs)
        out.one, out.other, out.clusters = self.one[chosen], self.other[chosen], self.clusters[chosen]
        out.only_one = out.only_other = 0
        return out

    def ratio(self) -> tuple[float | None, float | None]:
        """Error of place over the other's, root mean square, and its standard error; None of too few."""
        if len(self.one) < FEW:
            return None, None
        a, b = self.one[:, PLACE], self.other[:, PLACE]
        ratio = float(np.sqrt(a.mean() / b.mean()))
        return round(ratio, 4), round(0.5 * ratio * spread(a / a.mean() - b / b.mean(), self.clusters), 4)

    def anees(self) -> dict[str, object]:
        """The picture's ANEES, its interval, and the other's."""
        if len(self.one) < FEW:
            return {"anees": None}
        values = self.one[:, NEES]
        mean, error = float(values.mean()), spread(values, self.clusters)
        low, high = mean - 1.96 * error, mean + 1.96 * error
        return {
            "anees": round(mean, 2), "anees_interval": [round(low, 2), round(high, 2)],
            "anees_in_band": low <= ELEMENTS <= high,
            "anees_central": round(float(self.other[:, NEES].mean()), 2),
            "nees_median": round(float(np.median(values)), 2),
        }  # fmt: skip

    def times_outside(self) -> float | None:
        """Share of times at which the mean over objects and seeds leaves its chi-square band."""
        if len(self.one) < FEW:
            return None
        out = []
        for t in np.unique(self.one[:, TIME]):
            values = self.one[self.one[:, TIME] == t, NEES]
            low, high = average_bounds(ELEMENTS, len(values))
            out.append(not low <= values.mean() <= high)
        return round(float(np.mean(out)), 3)


def lines(results: Results, nodes: int, own_model: bool) -> Iterator[Line]:
    """The lines of one layout and one truth."""
    pictures = [name for name in next(iter(results.values())) if name.startswith("joint ")]
    truth = "the filter's own motion" if own_model else "the exercise's flights"
    for window, span in windows().items():
        for picture in ("central", *pictures):
            to_central = Pairs(results, picture, "central", span)
            ratio, error = to_central.ratio()
            line: Line = {
                "method": f"{picture}, of {nodes} nodes", "truth": truth, "window": window,
                "rmse_over_central": ratio, "standard_error": error, **to_central.anees(),
                "times_outside": to_central.times_outside(),
                "object_times": len(to_central.one), "only_here": to_central.only_one,
                "only_central": to_central.only_other, "seeds": len(results),
            }  # fmt: skip
            high = to_central.one[:, HEIGHT] > AIR_M
            for name, chosen in (("above_100_km", high), ("below_100_km", ~high)):
                part = to_central.where(chosen)
                line[name] = {
                    "object_times": len(part.one),
                    "rmse_over_central": part.ratio()[0],
                    **part.anees(),
                }
            if picture != "central":
                name = picture.removeprefix("joint ")
                alone, told = (
                    Pairs(results, picture, f"{w} {name}", span).ratio()[0] for w in ("alone", "told")
                )
                line |= {"rmse_over_alone": alone, "rmse_over_own_tracklets": told}
                tracklets = Pairs(results, f"told {name}", f"alone {name}", span)
                line["own_tracklets_over_alone"] = tracklets.ratio()[0]
                line["as_wanted"] = _as_wanted(window, ratio, told)
            yield line


def _as_wanted(window: str, to_central: float | None, to_lone: float | None) -> bool | None:
    if window == "inside":
        return None if to_lone is None else to_lone <= SAME
    return None if to_central is None else to_central <= LOSES
