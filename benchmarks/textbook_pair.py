"""Two partners fuse one object in one dimension: the joint picture's filter on a problem of known figures.

In: how many runs; out: lines for `joining`, the problem as in `pair_filters`.  Beside each figure stands the
stated one, of another 2,000 draws, and how many standard errors of their difference lie between.

Settings that the stated figures do not tell were found from them: one partner, central, naive sum and both
intersections are of the 60th scan alone (of exactly 6.005 and 4.541 m; over the last twenty the stated figure
of the central one would be three standard errors off); of tracklets at every n scans it is all scans of the
settled cycles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from pair_filters import (
    CUT,
    SCANS,
    START,
    START_COVARIANCE,
    Array,
    Estimates,
    draw,
    followed,
    intersection,
    inverse_intersection,
    kalman,
    naive_sum,
    of_several,
    our_intersection,
    per_scan,
    replayed,
)  # fmt: skip

Line = dict[str, object]
SETTLED = 30
"""From which scan on the filters have settled."""
STATED_RUNS = 2000
Stated = dict[str, float]
STATED: dict[str, Stated] = {
    "one partner": {"rmse_m": 5.957, "rmse_ms": 1.969, "anees": 1.985},
    "central": {"rmse_m": 4.642, "rmse_ms": 1.808, "anees": 2.052},
    "equivalent measurement at every scan": {"rmse_m": 4.642, "rmse_ms": 1.808, "anees": 2.052},
    "naive sum": {"rmse_m": 4.711, "rmse_ms": 1.837, "anees": 2.971},
    "covariance intersection": {"rmse_m": 5.851, "rmse_ms": 1.959, "anees": 1.915},
    "inverse covariance intersection": {"rmse_m": 4.880, "rmse_ms": 1.853, "anees": 1.549},
    "tracklets at every 5 scans": {"rmse_over_central": 1.18},
    "tracklets at every 5 scans, before each": {"rmse_over_central": 1.32},
    "tracklets at every 10 scans": {"rmse_over_central": 1.25},
    "one tracklet for the whole cut": {"rmse_over_central": 1.013, "anees": 2.81},
    "tracklets of each scan, kept and replayed": {"rmse_over_central": 1.0},
    "alone, before the link heals": {"rmse_over_central": 1.34},
}
WEIGHTS = {"covariance intersection": 0.97, "inverse covariance intersection": 0.33}
"""The weights of one partner that the stated figures are of, found from them: see `_intersections`."""


class Case:
    """All estimates of one draw, and the line of any of them beside the central tracker's."""

    def __init__(self, runs: int, seed: int) -> None:
        self.draw = draw(3 * math.ceil(runs / 3), seed)
        self.central = kalman(self.draw.plots, (0, 1))

    def line(
        self, method: str, estimates: Estimates, scans: range, window: str, stated: str = "", **more: object
    ) -> Line:
        """Figures of estimates of these scans (from 0); stated: by which name the problem has them."""
        squares, nees = self._squares(estimates, scans)
        base, _ = self._squares(self.central, scans)
        runs = len(nees)
        mean, middle = squares.mean(axis=0), base.mean(axis=0)
        rmse, ratio = np.sqrt(mean), float(np.sqrt(mean[0] / middle[0]))
        found = {
            "rmse_over_central": ratio, "anees": float(nees.mean()),
            "rmse_m": float(rmse[0]), "rmse_ms": float(rmse[1]),
        }  # fmt: skip
        of_ratio = squares[:, 0] / mean[0] - base[:, 0] / middle[0]
        errors = {
            "rmse_over_central": 0.5 * ratio * float(of_ratio.std(ddof=1)) / math.sqrt(runs),
            "anees": float(nees.std(ddof=1)) / math.sqrt(runs),
            "rmse_m": 0.5 * float(squares[:, 0].std(ddof=1)) / float(rmse[0]) / math.sqrt(runs),
            "rmse_ms": 0.5 * float(squares[:, 1].std(ddof=1)) / float(rmse[1]) / math.sqrt(runs),
        }
        there = STATED.get(stated or method, {})
        both = math.sqrt(1.0 + runs / STATED_RUNS)  # the stated figures are draws too
        off = {k: (found[k] - v) / max(both * errors[k], 5e-4) for k, v in there.items()}
        return {
            "method": method, **_rounded(found, 4), "window": window, "runs": runs,
            "standard_error": _rounded(errors, 4), "stated": there,
            "off_in_standard_errors": _rounded(off, 2),
            "agrees": all(abs(v) <= 2.0 for v in off.values()) if off else None, **more,
        }  # fmt: skip

    def _squares(self, estimates: Estimates, scans: range) -> tuple[Array, Array]:
        """Squared errors (runs, 2) and NEES (runs,), each averaged over scans."""
        squares, nees = 0.0, 0.0
        for k in scans:
            error, p = estimates[k][0] - self.draw.truth[k], estimates[k][1]
            squares = squares + error**2 / len(scans)
            nees = nees + np.einsum("ri,ri->r", error, np.linalg.solve(p, error.T).T) / len(scans)
        return np.asarray(squares), np.asarray(nees)


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {k: round(v, digits) for k, v in values.items()}


def textbook(runs: int, seed: int) -> Iterator[Line]:
    """The lines of the problem."""
    case = Case(runs, seed)
    plots, last = case.draw.plots, range(SCANS - 1, SCANS)
    one, other = kalman(plots, (0,)), kalman(plots, (1,))
    window = f"scan {SCANS}"
    yield case.line("one partner", one, last, window)
    yield case.line("central", case.central, last, window)
    ours, theirs = per_scan(plots[:, 0], one), per_scan(plots[:, 1], other)
    every = followed([list(both) for both in zip(ours, theirs, strict=True)])
    apart = max(float(np.abs(a - b).max()) for (a, _), (b, _) in zip(every, case.central, strict=True))
    name = "equivalent measurement at every scan"
    yield case.line(name, every, last, window, apart_from_central=apart)
    yield case.line("naive sum", naive_sum(one, other), last, window)
    yield from _intersections(case, one, other)
    yield from _slower(case, ours, other)
    yield from _bridged(case, ours, theirs, one, other)


def _intersections(case: Case, one: Estimates, other: Estimates) -> Iterator[Line]:
    """Both partners know the object equally well, so every weight has the same covariance and none is least.

    Which one a search ends at is rounding.  The even one makes the error least; the stated figures are of
    uneven ones: with the stated errors of one partner and of the naive sum, w (1 - w) follows from each.
    Fed back to both at every scan the even one gives the same again, for the filters have one gain.
    """
    k, window = SCANS - 1, f"scan {SCANS}"
    last = range(k, k + 1)

    def at_last(estimate: tuple[Array, Array]) -> Estimates:
        return [estimate] * SCANS

    mean, p, weight = our_intersection(one[k], other[k])
    name = "covariance intersection"
    yield case.line(f"{name}, ours", at_last((mean, p)), last, window, weight=weight)
    for method, fuse in ((name, intersection), (f"inverse {name}", inverse_intersection)):
        w = WEIGHTS[method]
        yield case.line(method, at_last(fuse(one[k], other[k], w)), last, window, weight=w)


def _slower(case: Case, ours: list[Array], other: Estimates) -> Iterator[Line]:
    """A partner's tracklets of several scans each, in our filter."""
    for every in (5, 10):
        told = [[own] for own in ours]
        told[every - 1].append(_first(other, every - 1))
        for k in range(2 * every - 1, SCANS, every):
            told[k].append(of_several(other, k - every, k))
        estimates = followed(told[:SCANS])
        cycles = f"scans {SETTLED + 1} to {SCANS}"
        name = f"tracklets at every {every} scans"
        yield case.line(name, estimates, range(SETTLED, SCANS), cycles)
        for place, scans in (("before", range(SETTLED - 2 + every, SCANS, every)),
                             ("at", range(SETTLED - 1 + every, SCANS, every))):  # fmt: skip
            yield case.line(f"{name}, {place} each", estimates, scans, f"{cycles}, every {every}th")


def _first(estimates: Estimates, at: int) -> Array:
    """One tracklet for all scans up to `at`: what they added to the prior."""
    return of_several([(np.tile(START, (len(estimates[0][0]), 1)), START_COVARIANCE), *estimates], 0, at + 1)


def _bridged(
    case: Case, ours: list[Array], theirs: list[Array], one: Estimates, other: Estimates
) -> Iterator[Line]:
    """After the cut: one tracklet for all of it, or those of each scan."""
    end = SCANS + CUT - 1
    window = f"end of a cut of {CUT} scans"
    told = [[own] for own in ours]
    for k in range(SCANS):
        told[k].append(theirs[k])
    told[end].append(of_several(other, SCANS - 1, end))
    estimates = followed(told)
    yield case.line("alone, before the link heals", estimates, range(end - 1, end), window)
    yield case.line("one tracklet for the whole cut", estimates, range(end, end + 1), window)
    after = replayed(ours, theirs)
    name = "tracklets of each scan, kept and replayed"
    apart = float(np.abs(after[0] - case.central[end][0]).max())
    yield case.line(name, [after] * (end + 1), range(end, end + 1), window, apart_from_central=apart)
