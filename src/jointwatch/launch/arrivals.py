"""How many launches of a salvo have cleared the clouds, from its plots' times and how far they have flown.

In: each look of all satellites at one salvo, with how many plots it holds and where along the salvo's way
they lie, and the prior of how long a launch shows; out: a probability for each number of launches so far.
Launches show from when they clear the clouds for a time that is common but for some per cent, and begin
evenly over a span; when that begins, how long it is and how long a launch shows are asked on a grid.  Two
things speak for a cell of it: the counts of all looks together (Gaussian, with the covariance that
independent launches have, which all satellites share), and how far the plots of each look have flown: their
ages go from that of the last launch to that of the first, or to the end of its burn.  Counts alone cannot
tell few launches that show for long from many that show shortly; how far they have flown does: the farthest
go no farther once the first have burnt out, and near the area none are left once the last has gone.  In each
cell the number is summed in closed form.  No chance: the same looks give the same numbers.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST = 400
"""No more launches than this are asked."""
SURE_LOGIT = 0.35
"""How well a probability of detection is known, in its logit: 0.9 +- 0.03."""
LOGITS = SURE_LOGIT * np.linspace(-2.0, 2.0, 9)
BEFORE_S = np.array([0.3, 1.2, 2.8, 5.0, 8.0, 12.0, 18.0])
"""The first launch cleared the clouds so long before the first plot."""
SPANS_S = np.array([
    2.0, 4.0, 7.0, 10.0, 14.0, 18.0, 22.0, 27.0, 33.0, 40.0, 48.0, 58.0, 70.0, 83.0, 97.0, 113.0, 130.0,
    150.0, 173.0, 200.0, 230.0, 265.0,
])  # fmt: skip
LASTS_SPREAD = 0.07
"""How much launches of one salvo differ in how long they show (logarithm)."""
ALONE_S = 12.0
"""A single plot that none follows within so long does not begin a salvo."""
SPEEDING_S = np.array([7.0, 20.0, 80.0])
"""In so long after it shows what flies has come by as much speed across the line of sight as it had when it
cleared the clouds: what is asked."""
BLURS_S = np.array([1.0, 3.0, 8.0, 20.0, 60.0, 250.0])
"""How far apart launches rise, as seconds of flight at the speed they first show with: what is asked."""
APART = np.array([0.12, 0.45])
"""How far apart they fly, as a share of the way flown: what is asked."""
ROUGH = 25.0
"""Cells whose counts are so much less likely (logarithm) than the best's are not asked what flew how far."""
KEPT = 150
"""Cells that the covariance is asked of."""
ROUNDED = 0.1
"""Variance of a count for its being a whole number."""
TRUST, TRUST_GOING_ON = 0.6, 0.3
"""Power of what speaks for a cell beside another (launches are not quite even over a span, nor alike), of
a salvo whose end was seen, and before."""
FLOWN_POWER = 0.25
"""A launch seen often lies off the middle of the area each time: its plots tell as if they were so few (power
of how often it is seen)."""


SHAPES = np.array([(b, a, s) for b in BLURS_S for a in APART for s in SPEEDING_S])


class Counted(Struct, frozen=True):
    """Looks in order of time.

    times_s (k,); eye (k,): number of its satellite; counts (k,): plots; far (k,), scatter (k,): mean (m) and
    sum of squares about it (m^2) of how far along the salvo's way they lie, from anywhere; detection (k,): of
    its satellite, as stated.
    """

    times_s: Floats
    eye: Ints
    counts: Floats
    far: Floats
    scatter: Floats
    detection: Floats


def probability_of_number(looks: Counted, background: float, log_lasts: Floats, log_prior: Floats) -> Floats:
    """Probability (n,) of each number of launches that cleared the clouds by the last look, from 0 on.

    background: expected plots of a look that are of no launch.  log_lasts (g,), log_prior (g,): logarithms of
    how long launches show (s), and their log-density.
    """
    seen = np.flatnonzero(looks.counts > 0.0)
    if not len(seen):
        return np.ones(1)
    first = _first_s(looks)
    period = _periods(looks)
    cells = _cells(
        looks.times_s, looks.eye, looks.counts, looks.far, looks.scatter, looks.detection, period,
        first - BEFORE_S, np.gradient(BEFORE_S), SPANS_S, np.exp(log_lasts), log_prior, background, SHAPES,
    )  # fmt: skip
    kept = np.argsort(-cells[:, 4], kind="stable")[:KEPT]
    most = int(min(MOST, max(8.0 * looks.counts.max(), 4.0 * looks.counts.sum()) + 10))
    log_n = np.full((len(kept), most + 1), -np.inf)
    _numbers(
        looks.times_s, looks.counts, looks.detection, background, np.ascontiguousarray(cells[kept]), log_n
    )
    each = np.logaddexp.reduce(log_n, axis=1)
    # a cell's own distribution stays as it is
    over = all(looks.counts[looks.eye == e][-1] == 0.0 for e in range(len(period)))
    trust = TRUST if over else TRUST_GOING_ON
    p = np.exp(log_n + ((trust - 1.0) * (each - each.max()) - each.max())[:, None])
    return _of_any_detection(p.sum(axis=0), float(looks.detection.mean()), int(looks.counts.max()))


def _first_s(looks: Counted) -> float:
    """Time of the first plot that others follow: one alone before them is of no launch of the salvo."""
    seen = np.flatnonzero(looks.counts > 0.0)
    for i in range(len(seen) - 1):
        soon = looks.times_s[seen[i + 1]] - looks.times_s[seen[i]] < ALONE_S
        if looks.counts[seen[i]] > 1.0 or soon:
            return float(looks.times_s[seen[i]])
    return float(looks.times_s[seen[-1]])


def _periods(looks: Counted) -> Floats:
    """Seconds from look to look of each satellite."""
    out = np.full(int(looks.eye.max()) + 1, 10.0)
    for e in range(len(out)):
        times = looks.times_s[looks.eye == e]
        if len(times) > 1:
            out[e] = max(float(np.median(np.diff(times))), 1e-3)
    return out


def _of_any_detection(p: Floats, detection: float, largest: int) -> Floats:
    """The same where the probability of detection is known within `SURE_LOGIT` only: so many plots are of
    fewer launches that are seen oftener, or more."""
    numbers = np.arange(len(p), dtype=np.float64)
    out = np.zeros(len(p))
    logit = math.log(detection / (1.0 - detection))
    for off in LOGITS.tolist():
        ratio = 1.0 / (1.0 + math.exp(-logit - off)) / detection
        weight = math.exp(-0.5 * (off / SURE_LOGIT) ** 2)
        # the integral over each number's interval, of a density that is even within the old ones
        upto = np.interp((numbers + 0.5) * ratio, numbers + 0.5, np.cumsum(p))
        out += weight * np.diff(upto, prepend=0.0)
    # a look shows hardly more plots than there are launches
    out *= 0.02 ** np.clip(largest - numbers, 0.0, 20.0)
    return np.asarray(out / out.sum())


@njit(cache=True)
def _cells(
    times: Floats,
    eye: Ints,
    counts: Floats,
    far: Floats,
    scatter: Floats,
    detection: Floats,
    period: Floats,
    begins: Floats,
    begin_weight: Floats,
    spans: Floats,
    lasts: Floats,
    log_prior: Floats,
    background: float,
    shapes: Floats,
) -> Floats:
    """Cells (c, 5) of the grid: begin, span, how long one shows, log weight of the prior and of what flew how
    far, and the same with a rough weight of the counts."""
    out = np.empty((len(begins) * len(spans) * len(lasts), 5))
    now, n = times[-1], 0
    total = counts.sum()
    mean = np.empty(len(times))
    for i in range(len(begins)):
        for j in range(len(spans)):
            until = min(begins[i] + spans[j], now)
            if j > 0 and begins[i] + spans[j - 1] >= now:
                continue
            step = spans[j] - (spans[j - 1] if j > 0 else 0.0)
            span = until - begins[i]
            for k in range(len(lasts)):
                expected = 0.0
                for t in range(len(times)):
                    mean[t] = detection[t] * _part(times[t], begins[i], span, lasts[k])
                    expected += mean[t]
                if expected <= 0.0:
                    continue
                scale = total / expected
                rough = 0.0
                for t in range(len(times)):
                    m = scale * mean[t] + background + 0.02
                    rough += counts[t] * math.log(m) - m
                # uniform over when it begins, and over the logarithm of the span but for the shortest
                log_p = log_prior[k] + math.log(begin_weight[i] * step / (spans[j] + 10.0))
                out[n, 0], out[n, 1], out[n, 2], out[n, 3] = begins[i], span, lasts[k], log_p
                out[n, 4] = log_p + 0.5 * rough
                n += 1
    least = out[:n, 4].max() - ROUGH
    m = 0
    for c in range(n):
        if out[c, 4] < least:
            continue
        flown = 0.0
        for e in range(len(period)):
            flown += _flown(times, eye, counts, far, scatter, e, out[c, 0], out[c, 1], out[c, 2], shapes)
        for j in range(5):
            out[m, j] = out[c, j]
        out[m, 3] += flown
        out[m, 4] += flown
        m += 1
    return out[:m]


@njit(cache=True)
def _part(t: float, begin: float, span: float, lasts: float) -> float:
    """Share of launches, even over a span, that show at a time."""
    total = 0.0
    for q in range(3):
        one = lasts * math.exp(1.2 * LASTS_SPREAD * (q - 1.0))
        total += max(min(t, begin + span) - max(t - one, begin), 0.0)
    return total / (3.0 * span)


@njit(cache=True)
def _flown(
    times: Floats,
    eye: Ints,
    counts: Floats,
    far: Floats,
    scatter: Floats,
    e: int,
    begin: float,
    span: float,
    lasts: float,
    shapes: Floats,
) -> float:
    """Log-density of how far plots of a satellite have flown, where ages go from that of the last launch
    to that of the first; speed, middle and (summed) the blur of the area are its own."""
    n = 0.0
    for t in range(len(times)):
        if eye[t] == e:
            n += counts[t]
    if n < 3.0:
        return 0.0
    best = -1e30
    total = 0.0
    for b in range(len(shapes)):
        blur, apart, speeding = shapes[b, 0] ** 2, shapes[b, 1] ** 2, shapes[b, 2]
        w, ws, wh, log_w = 0.0, 0.0, 0.0, 0.0
        for pas in range(2):
            if pas == 1:
                s0, h0 = ws / w, wh / w
                a, c, d = 1e6, 0.0, 0.0
            for t in range(len(times)):
                if eye[t] != e or counts[t] == 0.0:
                    continue
                old = max(min(lasts, times[t] - begin), 0.0)
                young = min(max(0.0, times[t] - begin - span), old)
                middle = 0.5 * (old + young)
                wide = (old - young) ** 2 / 12.0
                h = middle + (middle * middle + wide) / (2.0 * speeding)
                spread = wide * (1.0 + middle / speeding) ** 2
                v = spread + blur + apart * h * h
                q = counts[t] / v
                if pas == 0:
                    w += q
                    ws += q * far[t]
                    wh += q * h
                    log_w += 0.5 * counts[t] * math.log(v)
                else:
                    a += (q * (far[t] - s0) ** 2) + scatter[t] / v
                    c += q * (far[t] - s0) * (h - h0)
                    d += q * (h - h0) ** 2
        # of m + speed * h, with a spread that goes by the speed: y is one over it
        y = (c + math.sqrt(c * c + 4.0 * a * n)) / (2.0 * a)
        log_p = (n * math.log(y) - 0.5 * (a * y * y - 2.0 * c * y + d) - log_w) * FLOWN_POWER
        if log_p > best:
            total = total * math.exp(best - log_p) + 1.0
            best = log_p
        else:
            total += math.exp(log_p - best)
    return best + math.log(total)


@njit(cache=True)
def _numbers(
    times: Floats, counts: Floats, detection: Floats, background: float, cells: Floats, out: Floats
) -> None:
    """Fill out (c, n): log weight of each number of launches in each cell."""
    k = len(times)
    part, share, cov = np.empty(k), np.empty((k, k)), np.empty((k, k))
    x, z = np.empty(k), np.empty(k)
    for c in range(len(cells)):
        begin, span, lasts = cells[c, 0], cells[c, 1], cells[c, 2]
        end = begin + span
        expected, total = 0.0, 0.0
        for i in range(k):
            part[i] = _part(times[i], begin, span, lasts)
            expected += detection[i] * part[i]
            total += counts[i]
        scale = max((total - k * background) / expected, 1.0)
        for i in range(k):
            for j in range(i + 1):
                both = 0.0
                for q in range(3):
                    one = lasts * math.exp(1.2 * LASTS_SPREAD * (q - 1.0))
                    both += max(min(times[j], end) - max(times[i] - one, begin), 0.0)
                both /= 3.0 * span
                share[i, j] = (both - part[i] * part[j]) * detection[i] * detection[j]
        rank = 0.0
        for i in range(k):
            share[i, i] += part[i] * detection[i] * (1.0 - detection[i])
            own = scale * share[i, i]
            rank += own / (own + background + ROUNDED)
        log_det, alpha, beta, gamma = 0.0, 0.0, 0.0, 0.0
        for i in range(k):
            for j in range(i + 1):
                s = share[i, j] + ((background + ROUNDED) / scale if i == j else 0.0)
                for m in range(j):
                    s -= cov[i, m] * cov[j, m]
                cov[i, j] = math.sqrt(max(s, 1e-9)) if i == j else s / cov[j, j]
            u, v = detection[i] * part[i], counts[i] - background
            for m in range(i):
                u -= cov[i, m] * x[m]
                v -= cov[i, m] * z[m]
            x[i], z[i] = u / cov[i, i], v / cov[i, i]
            log_det += math.log(cov[i, i] * math.sqrt(scale))
            alpha += x[i] * x[i]
            beta += x[i] * z[i]
            gamma += z[i] * z[i]
        for n in range(1, out.shape[1]):
            out[c, n] = (
                cells[c, 3] - log_det - 0.5 * rank * math.log(n / scale)
                - 0.5 * (gamma - 2.0 * n * beta + n * n * alpha) / n - math.log(n)
            )  # fmt: skip
