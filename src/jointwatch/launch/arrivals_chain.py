"""The Markov chain over the launches of a salvo: each with when it clears the clouds and how long it shows.

In: looks with their counts of plots, and tables of the priors (`launch.arrivals` says of what model); out:
draws of the number of launches and of what is common to them.  Moves: one is born from the prior or dies;
one moves; the span, how long all show and its spread change, with the launches where they are or carried
along; one more of them, each shorter by as much as keeps the mean count; detection and background step on
their grids.  While it settles the counts weigh little and then more.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST = 400
"""Launches of one salvo at most."""
SPREADS = 0.01, 0.4
"""Between which the spread of the logarithm of how long launches of one salvo show lies."""
SHORTEST_SPAN_S, LONGEST_SPAN_S = 3.0, 400.0
"""The prior of a salvo's span falls as the inverse of span and the first; it is no longer than the second."""
FALSE_TERMS = 8
"""Numbers of false plots of one look, beside those that must be, that are summed over."""
SETTLING = 0.3
"""Part of the moves until the chain is held to have forgotten its start."""
EVERY = 20
"""Moves from one draw kept to the next."""
DRAWN = 7
"""Values of a draw."""


@leaf
def _log_count(y: int, a: int, log_p: float, log_q: float, log_b: float, log_factorial: Floats) -> float:
    """Log-probability that of `a` launches that show, and the background, y plots are."""
    least = max(0, y - a)
    top, total = -1e300, 0.0
    for j in range(least, min(y, least + FALSE_TERMS) + 1):
        k = y - j
        term = (
            log_factorial[a] - log_factorial[k] - log_factorial[a - k] + k * log_p + (a - k) * log_q
            + j * log_b - log_factorial[j]
        )  # fmt: skip
        if term > top:
            total = total * math.exp(top - term) + 1.0 if total > 0.0 else 1.0
            top = term
        else:
            total += math.exp(term - top)
            if term < top - 20.0:
                break
    return top + math.log(total) - math.exp(log_b)


@leaf
def _first_at(times: Floats, t: float) -> int:
    """Index of the first look not before t."""
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < t:
            low = middle + 1
        else:
            high = middle
    return low


@leaf
def _prior_at(log_lasts: Floats, log_prior: Floats, x: float) -> float:
    """The log-density of the median there, between two of the grid; next to nothing beyond it."""
    at = (x - log_lasts[0]) / (log_lasts[1] - log_lasts[0])
    i = math.floor(at)
    if i < 0 or i >= len(log_lasts) - 1:
        return -1e300
    return float(log_prior[i] + (at - i) * (log_prior[i + 1] - log_prior[i]))


@njit(cache=True)
def walk(
    rng: np.random.Generator,
    times: Floats,
    counts: Ints,
    log_p: Floats,
    log_q: Floats,
    log_detection: Floats,
    log_b: Floats,
    log_false: Floats,
    log_lasts: Floats,
    log_prior: Floats,
    log_factorial: Floats,
    start: float,
    moves: int,
    out: Floats,
) -> int:
    """The chain: fills `out` (n, DRAWN) with draws of the number, the median and the spread of how long
    launches show (logarithms), from when to when they begin, and the indices of detection and background;
    returns n."""
    looks = len(times)
    last = times[looks - 1]
    earliest = times[0]
    begin, lasts = np.empty(MOST), np.empty(MOST)
    low, high = np.zeros(MOST, np.int64), np.zeros(MOST, np.int64)
    shows = np.zeros(looks, np.int64)
    trial = np.zeros(looks, np.int64)
    new_begin, new_lasts = np.empty(MOST), np.empty(MOST)
    cached = np.full((looks, MOST + 1), 1.0)  # a log-probability is never above nought
    first = looks
    for k in range(looks - 1, -1, -1):
        if counts[k] > 0:
            first = k
    if first == looks:
        return 0
    # begins with launches that show as long as stated, as many before each look as it wants for
    d, f = len(log_detection) // 2, int(np.argmax(log_false))
    middle, spread, n = start, 0.1, 0
    for k in range(first, looks):
        wanted = round(counts[k] / math.exp(log_p[d, k]))
        while shows[k] < wanted and n < MOST - 1:
            before = times[k - 1] if k > 0 else times[k] - 1.0
            begin[n], lasts[n] = before + (0.05 + 0.9 * rng.random()) * (times[k] - before), middle
            low[n], high[n] = _first_at(times, begin[n]), _first_at(times, begin[n] + math.exp(middle))
            # what shows too shortly to be looked at shows at this look
            if high[n] <= k:
                begin[n], low[n], high[n] = times[k] - 1e-3, k, k + 1
            for i in range(low[n], high[n]):
                shows[i] += 1
            n += 1
    from_s, to_s = begin[0], begin[0]
    for i in range(n):
        from_s, to_s = min(from_s, begin[i]), max(to_s, begin[i])
    to_s = min(last, max(to_s, from_s + 0.5))
    earliest = min(earliest, from_s)
    settled = int(SETTLING * moves)
    kept = 0
    log_narrow, log_wide = math.log(SPREADS[0]), math.log(SPREADS[1])
    for move in range(moves):
        heat = min(1.0, 0.1 + move / (0.6 * settled)) if move < settled else 1.0
        u = rng.random()
        if u < 0.5:  # one is born, or dies
            if rng.random() < 0.5:
                if n < MOST:
                    a = from_s + (to_s - from_s) * rng.random()
                    x = middle + spread * rng.standard_normal()
                    i, j = _first_at(times, a), _first_at(times, a + math.exp(x))
                    gain = 0.0
                    for k in range(i, j):
                        gain += _gain(
                            cached,
                            k,
                            shows[k] + 1,
                            shows[k],
                            counts,
                            log_p,
                            log_q,
                            log_b,
                            d,
                            f,
                            log_factorial,
                        )
                    if math.log(rng.random()) < heat * gain + math.log(n / (n + 1.0)):
                        begin[n], lasts[n], low[n], high[n] = a, x, i, j
                        n += 1
                        for k in range(i, j):
                            shows[k] += 1
            elif n > 1:
                one = int(n * rng.random())
                gain = 0.0
                for k in range(low[one], high[one]):
                    gain += _gain(
                        cached, k, shows[k] - 1, shows[k], counts, log_p, log_q, log_b, d, f, log_factorial
                    )
                if math.log(rng.random()) < heat * gain + math.log(n / (n - 1.0)):
                    for k in range(low[one], high[one]):
                        shows[k] -= 1
                    n -= 1
                    begin[one], lasts[one], low[one], high[one] = begin[n], lasts[n], low[n], high[n]
        elif u < 0.84:  # one begins at another time, shows for longer or shorter
            one = int(n * rng.random())
            a, x = begin[one], lasts[one]
            if rng.random() < 0.6:
                a += (
                    8.0 * rng.standard_normal()
                    if rng.random() < 0.5
                    else 0.2 * (to_s - from_s) * rng.standard_normal()
                )
            else:
                x = middle + spread * rng.standard_normal()
            if from_s <= a <= to_s:
                i, j = _first_at(times, a), _first_at(times, a + math.exp(x))
                gain = 0.0
                for k in range(min(i, low[one]), max(j, high[one])):
                    was = 1 if low[one] <= k < high[one] else 0
                    now = 1 if i <= k < j else 0
                    if was != now:
                        gain += _gain(
                            cached,
                            k,
                            shows[k] + now - was,
                            shows[k],
                            counts,
                            log_p,
                            log_q,
                            log_b,
                            d,
                            f,
                            log_factorial,
                        )
                if math.log(rng.random()) < heat * gain:
                    for k in range(low[one], high[one]):
                        shows[k] -= 1
                    for k in range(i, j):
                        shows[k] += 1
                    begin[one], lasts[one], low[one], high[one] = a, x, i, j
        elif u < 0.88:  # the span, with the launches where they are
            narrow, wide = begin[0], begin[0]
            for i in range(n):
                narrow, wide = min(narrow, begin[i]), max(wide, begin[i])
            step = 4.0 if rng.random() < 0.5 else 20.0
            a, b = from_s, to_s
            if rng.random() < 0.5:
                a += step * rng.standard_normal()
            else:
                b += step * rng.standard_normal()
            if earliest <= a <= narrow and wide <= b <= last and b - a < LONGEST_SPAN_S:
                gain = n * math.log((to_s - from_s) / (b - a))
                gain += math.log((to_s - from_s + SHORTEST_SPAN_S) / (b - a + SHORTEST_SPAN_S))
                if math.log(rng.random()) < gain:
                    from_s, to_s = a, b
        elif u < 0.91:  # how long they show, each as long as it does
            x, s = middle, math.log(spread)
            if rng.random() < 0.5:
                x += 0.15 * rng.standard_normal() * (1.0 if rng.random() < 0.5 else spread * 4.0)
            else:
                s += 0.4 * rng.standard_normal()
            if log_narrow <= s <= log_wide:
                e = math.exp(s)
                gain = _prior_at(log_lasts, log_prior, x) - _prior_at(log_lasts, log_prior, middle)
                gain += n * (math.log(spread) - s)
                for i in range(n):
                    gain += 0.5 * ((lasts[i] - middle) / spread) ** 2 - 0.5 * ((lasts[i] - x) / e) ** 2
                # spreads are proposed by steps of their logarithm, of which the prior is even
                if math.log(rng.random()) < gain:
                    middle, spread = x, e
        elif u < 0.98:  # all of them show longer, or all begin elsewhere, or one more of them shows shorter
            x, s, a, b, more = middle, math.log(spread), from_s, to_s, 0
            v = rng.random()
            if v < 0.5:
                more = 1 if rng.random() < 0.5 else -1
                if n + more < 1 or n + more >= MOST:
                    more = 0
                x += math.log(n / (n + more))
            elif v < 0.7:
                x += (0.03 if rng.random() < 0.7 else 0.2) * rng.standard_normal()
            elif v < 0.8:
                s += 0.4 * rng.standard_normal()
            elif v < 0.9:
                a += 1.5 * rng.standard_normal()
            else:
                b += 1.5 * rng.standard_normal()
            if log_narrow <= s <= log_wide and earliest <= a < b <= last and b - a < LONGEST_SPAN_S:
                e = math.exp(s)
                gone = int(n * rng.random()) if more < 0 else -1
                trial[:] = 0
                m = 0
                for i in range(n + max(more, 0)):
                    if i == gone:
                        continue
                    if i < n:
                        new_begin[m] = a + (begin[i] - from_s) * (b - a) / (to_s - from_s)
                        new_lasts[m] = x + (lasts[i] - middle) * e / spread
                    else:
                        new_begin[m], new_lasts[m] = a + (b - a) * rng.random(), x + e * rng.standard_normal()
                    for k in range(
                        _first_at(times, new_begin[m]),
                        _first_at(times, new_begin[m] + math.exp(new_lasts[m])),
                    ):
                        trial[k] += 1
                    m += 1
                gain = 0.0
                for k in range(looks):
                    if trial[k] != shows[k]:
                        gain += _gain(
                            cached, k, trial[k], shows[k], counts, log_p, log_q, log_b, d, f, log_factorial
                        )
                gain *= heat
                gain += _prior_at(log_lasts, log_prior, x) - _prior_at(log_lasts, log_prior, middle)
                gain += math.log((to_s - from_s + SHORTEST_SPAN_S) / (b - a + SHORTEST_SPAN_S))
                gain += math.log(n / m)
                if math.log(rng.random()) < gain:
                    middle, spread, from_s, to_s, n = x, e, a, b, m
                    for i in range(n):
                        begin[i], lasts[i] = new_begin[i], new_lasts[i]
                        low[i] = _first_at(times, begin[i])
                        high[i] = _first_at(times, begin[i] + math.exp(lasts[i]))
                    shows[:] = trial
        else:  # detection, background
            i, j = d, f
            if rng.random() < 0.5:
                i += 1 if rng.random() < 0.5 else -1
            else:
                j += 1 if rng.random() < 0.5 else -1
            if 0 <= i < len(log_detection) and 0 <= j < len(log_b):
                gain = 0.0
                for k in range(looks):
                    y, a_k = counts[k], shows[k]
                    gain += _log_count(y, a_k, log_p[i, k], log_q[i, k], log_b[j], log_factorial)
                    gain -= _log_count(y, a_k, log_p[d, k], log_q[d, k], log_b[f], log_factorial)
                gain = heat * gain + log_detection[i] - log_detection[d] + log_false[j] - log_false[f]
                if math.log(rng.random()) < gain:
                    d, f = i, j
                    cached[:] = 1.0
        if move >= settled and (move - settled) % EVERY == 0:
            out[kept, 0], out[kept, 1], out[kept, 2], out[kept, 3] = n, middle, spread, from_s
            out[kept, 4], out[kept, 5], out[kept, 6] = to_s, d, f
            kept += 1
    return kept


@leaf
def _likely(
    cached: Floats,
    k: int,
    a: int,
    counts: Ints,
    log_p: Floats,
    log_q: Floats,
    log_b: Floats,
    d: int,
    f: int,
    log_factorial: Floats,
) -> float:
    """Log-probability of the look k if `a` launches show, remembered until detection or background change."""
    found = float(cached[k, a])
    if found > 0.0:
        found = _log_count(counts[k], a, log_p[d, k], log_q[d, k], log_b[f], log_factorial)
        cached[k, a] = found
    return found


@leaf
def _gain(
    cached: Floats,
    k: int,
    now: int,
    was: int,
    counts: Ints,
    log_p: Floats,
    log_q: Floats,
    log_b: Floats,
    d: int,
    f: int,
    log_factorial: Floats,
) -> float:
    """How much likelier the look k is with so many launches than with as many as were."""
    after = _likely(cached, k, now, counts, log_p, log_q, log_b, d, f, log_factorial)
    return after - _likely(cached, k, was, counts, log_p, log_q, log_b, d, f, log_factorial)
