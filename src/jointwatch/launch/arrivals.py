"""How many launches have cleared the clouds, from how many plots each look at a salvo holds: a distribution.

In: the looks of all satellites at one salvo, each with its time, its count of plots and its probability of
detection, and the prior of how long a launch burns above the clouds; out: draws of the number of launches so
far.  Model: each launch shows from when it clears the clouds to the end of its burn, so a look at t counts
Binomial(A(t), P) + Poisson(background), where A(t) launches show.  All satellites see the same A(t): it is one
state, not a vote of each.  Unknown together: the number (prior 1 / n), each launch's begin (even over a span
that is itself open) and how long it shows (lognormal about the salvo's own median, whose prior is the classes',
with an open spread), what P is beside what is stated, and the background.  Reversible-jump Markov chain Monte
Carlo (Green, Biometrika 82, 1995): launches are born from the prior, die, and move.  All chance comes from the
looks, so the same looks give the same draws.
"""

from __future__ import annotations

import math
import zlib
from statistics import NormalDist

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST = 400
"""Launches of one salvo at most."""
SURE_LOGIT = 0.3
"""How well a probability of detection is known, in its logit: 0.9 +- 0.027."""
LOGITS = SURE_LOGIT * np.linspace(-2.5, 2.5, 11)
BACKGROUNDS = 10.0 ** np.linspace(-3.0, 0.5, 15)
"""Plots of a look that are of no launch, as expected: what is asked."""
BACKGROUND_SPREAD = 1.5
"""Of its logarithm, about what the map of false plots expects."""
SPREADS = 0.01, 0.4
"""Between which the spread of the logarithm of how long launches of one salvo show lies."""
SHORTEST_SPAN_S = 3.0
SPAN_PRIOR_S = 400.0
FALSE_TERMS = 8
SETTLING = 0.3
"""Part of the moves until the chain is held to have forgotten its start."""
STARTS = 0.08, 0.25, 0.42, 0.58, 0.75, 0.92
"""Chains start from these quantiles of how long a launch may show: many launches that show shortly and few that
show for long can give the same counts, and between the two no chain passes soon."""
ASKED, ROUNDED = 8, 0.1
"""Draws of a chain that its weight is asked of; variance of a count for its being a whole number."""
TRUST = 0.5
"""Power of what counts say of a chain beside the others: it is Gaussian and of some draws only."""
DRAWN = 7
QUASI = np.column_stack([
    (np.arange(400) + 0.5) / 400.0, np.random.Generator(np.random.PCG64(1)).permutation(
        [NormalDist().inv_cdf((k + 0.5) / 400.0) for k in range(400)]
    ),
])  # fmt: skip
"""Launches spread evenly over a span (0 to 1) and over how long they show (standard normal)."""
EVERY = 20
"""Moves from one draw kept to the next."""


def draws_of_number(
    times_s: Floats,
    counts: Ints,
    detection: Floats,
    background: float,
    log_lasts: Floats,
    log_prior: Floats,
    moves: int = 90_000,
) -> tuple[Ints, Floats]:
    """Draws (n,) of the number of launches that cleared the clouds by the last look, and their weights (n,).

    times_s (k,): of the looks, rising; counts (k,): plots of each in the salvo's region; detection (k,): of
    its satellite, as stated.  background: expected plots of a look in the region that are of no launch.
    log_lasts (g,), log_prior (g,): evenly spaced logarithms of how long a launch shows (s), and the log-density
    of the salvo's median there.
    """
    key = b"".join(np.ascontiguousarray(a).tobytes() for a in (times_s, counts, detection, log_prior))
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key)))
    logit = np.log(detection / (1.0 - detection))
    shifted = 1.0 / (1.0 + np.exp(-(logit[None] + LOGITS[:, None])))
    log_false = -0.5 * (np.log(BACKGROUNDS / max(background, BACKGROUNDS[0])) / BACKGROUND_SPREAD) ** 2
    log_factorial = np.array([math.lgamma(n + 1.0) for n in range(max(int(counts.max()), MOST) + 2)])
    if not counts.any():
        return np.zeros(1, np.int64), np.ones(1)
    each = moves // len(STARTS)
    out = np.empty((len(STARTS), (each - int(SETTLING * each)) // EVERY + 1, DRAWN))
    upto = np.cumsum(np.exp(log_prior - log_prior.max()))
    log_weight = np.empty(len(STARTS))
    for c, start in enumerate(np.searchsorted(upto, np.array(STARTS) * upto[-1]).tolist()):
        kept = _walk(
            rng, times_s, counts, np.log(shifted), np.log1p(-shifted), -0.5 * (LOGITS / SURE_LOGIT) ** 2,
            np.log(BACKGROUNDS), log_false, log_lasts, log_prior, log_factorial, log_lasts[start], each, out[c],
        )  # fmt: skip
        some = out[c, np.linspace(0, kept - 1, ASKED).astype(np.int64)]
        log_weight[c] = np.mean([_log_evidence(row, times_s, counts, shifted) for row in some])
    weight = np.exp(TRUST * (log_weight - log_weight.max()))
    weight = np.repeat(weight / weight.sum(), kept) / kept
    return out[:, :kept, 0].ravel().astype(np.int64), weight


def _log_evidence(row: Floats, times_s: Floats, counts: Ints, detection: Floats) -> float:
    """Log-density of all counts together where only what a draw says of the whole salvo is given, not when each
    launch began: Gaussian, with the mean and the covariance that independent launches have."""
    n, middle, spread, from_s, to_s, d, f = row.tolist()
    begin = from_s + (to_s - from_s) * QUASI[:, 0]
    lasts = np.exp(middle + spread * QUASI[:, 1])
    shows = ((begin[:, None] <= times_s) & (times_s < (begin + lasts)[:, None])).astype(np.float64)
    part = shows.mean(axis=0)
    p = detection[round(d)]
    covariance = n * (shows.T @ shows / len(shows) - np.outer(part, part)) * np.outer(p, p)
    false = BACKGROUNDS[round(f)]
    covariance += np.diag(n * part * p * (1.0 - p) + false + ROUNDED)
    root = np.linalg.cholesky(covariance)
    off = np.linalg.solve(root, counts - n * part * p - false)
    span = math.log(to_s - from_s + SHORTEST_SPAN_S)
    return float(-0.5 * off @ off - np.log(np.diag(root)).sum() - math.log(n) - span)


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
    i = int(math.floor(at))
    if i < 0 or i >= len(log_lasts) - 1:
        return -1e300
    return log_prior[i] + (at - i) * (log_prior[i + 1] - log_prior[i])


@njit(cache=True)
def _walk(
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
    """The chain: fills `out` (n, DRAWN) with draws of the number, the median and the spread of how long launches
    show (logarithms), from when to when they begin, and the indices of detection and background; returns n."""
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
        wanted = int(round(counts[k] / math.exp(log_p[d, k])))
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
                        gain += _likely(
                            cached, k, shows[k] + 1, counts, log_p, log_q, log_b, d, f, log_factorial
                        )
                        gain -= _likely(cached, k, shows[k], counts, log_p, log_q, log_b, d, f, log_factorial)
                    if math.log(rng.random()) < heat * gain + math.log(n / (n + 1.0)):
                        begin[n], lasts[n], low[n], high[n] = a, x, i, j
                        n += 1
                        for k in range(i, j):
                            shows[k] += 1
            elif n > 1:
                one = int(n * rng.random())
                gain = 0.0
                for k in range(low[one], high[one]):
                    gain += _likely(cached, k, shows[k] - 1, counts, log_p, log_q, log_b, d, f, log_factorial)
                    gain -= _likely(cached, k, shows[k], counts, log_p, log_q, log_b, d, f, log_factorial)
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
                        gain += _likely(
                            cached, k, shows[k] + now - was, counts, log_p, log_q, log_b, d, f, log_factorial
                        )
                        gain -= _likely(cached, k, shows[k], counts, log_p, log_q, log_b, d, f, log_factorial)
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
            if earliest <= a <= narrow and wide <= b <= last and b - a < SPAN_PRIOR_S:
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
            if log_narrow <= s <= log_wide and earliest <= a < b <= last and b - a < SPAN_PRIOR_S:
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
                        gain += _likely(cached, k, trial[k], counts, log_p, log_q, log_b, d, f, log_factorial)
                        gain -= _likely(cached, k, shows[k], counts, log_p, log_q, log_b, d, f, log_factorial)
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
