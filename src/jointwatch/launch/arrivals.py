"""How many launches have cleared the clouds, from how many plots each look at a salvo holds: a distribution.

In: the looks of all satellites at one salvo, each with its time, its count of plots and its probability of
detection, and the prior of how long a launch burns above the clouds; out: draws of the number of launches
so far.  Model: each launch shows from when it clears the clouds to the end of its burn, so a look at t
counts Binomial(A(t), P) + Poisson(background), where A(t) launches show.  All satellites see the same A(t):
it is one state, not a vote of each.  Unknown together: the number (prior 1 / n), each launch's begin (even
over a span that is itself open) and how long it shows (lognormal about the salvo's own median, whose prior
is the classes', with an open spread), what P is beside what is stated, and the background.  Reversible-jump
Markov chain Monte Carlo (Green, Biometrika 82, 1995): launches are born from the prior, die, and move.  All
chance comes from the looks, so the same looks give the same draws.
"""

from __future__ import annotations

import math
import zlib
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from jointwatch.launch.arrivals_chain import DRAWN, EVERY, MOST, SETTLING, SHORTEST_SPAN_S, walk

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SURE_LOGIT = 0.3
"""How well a probability of detection is known, in its logit: 0.9 +- 0.027."""
LOGITS = SURE_LOGIT * np.linspace(-2.5, 2.5, 11)
BACKGROUNDS = 10.0 ** np.linspace(-3.0, 0.5, 15)
"""Plots of a look that are of no launch, as expected: what is asked."""
BACKGROUND_SPREAD = 1.5
"""Of its logarithm, about what the map of false plots expects."""
STARTS = 0.08, 0.25, 0.42, 0.58, 0.75, 0.92
"""Chains start from these quantiles of how long a launch may show: many launches that show shortly and few
that show for long can give the same counts, and between the two no chain passes soon."""
ASKED, ROUNDED = 8, 0.1
"""Draws of a chain that its weight is asked of; variance of a count for its being a whole number."""
TRUST = 0.5
"""Power of what counts say of a chain beside the others: it is Gaussian and of some draws only."""
QUASI = np.column_stack([
    (np.arange(400) + 0.5) / 400.0, np.random.Generator(np.random.PCG64(1)).permutation(
        [NormalDist().inv_cdf((k + 0.5) / 400.0) for k in range(400)]
    ),
])  # fmt: skip
"""Launches spread evenly over a span (0 to 1) and over how long they show (standard normal)."""


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
    log_lasts (g,), log_prior (g,): evenly spaced logarithms of how long a launch shows (s), and the
    log-density of the salvo's median there.
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
        kept = walk(
            rng, times_s, counts, np.log(shifted), np.log1p(-shifted), -0.5 * (LOGITS / SURE_LOGIT) ** 2,
            np.log(BACKGROUNDS), log_false, log_lasts, log_prior, log_factorial, log_lasts[start], each,
            out[c],
        )  # fmt: skip
        some = out[c, np.linspace(0, kept - 1, ASKED).astype(np.int64)]
        log_weight[c] = np.mean([_log_evidence(row, times_s, counts, shifted) for row in some])
    weight = np.exp(TRUST * (log_weight - log_weight.max()))
    weight = np.repeat(weight / weight.sum(), kept) / kept
    return out[:, :kept, 0].ravel().astype(np.int64), weight


def _log_evidence(row: Floats, times_s: Floats, counts: Ints, detection: Floats) -> float:
    """Log-density of all counts together where only what a draw says of the whole salvo is given, not when
    each launch began: Gaussian, with the mean and the covariance that independent launches have."""
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
