"""The posterior Cramer-Rao bound: how well any filter could have known a state, whatever it computes.

In: Jacobians of motion and measurement along true flights of many runs, noise covariances, the information at
the start, the probability of detection; out: a covariance for each step, below which no filter's mean
squared error lies (Tichavsky, Muravchik & Nehorai 1998, "Posterior Cramer-Rao bounds for discrete-time
nonlinear filtering").

Missed detections are met in one of two ways.  `pcrlb` weighs each step's information by the probability that
there is any (Zhang, Willett & Bar-Shalom 2005, the information reduction factor): quick, and a little too
kind.  `pcrlb_over_detections` averages the bounds of whole sequences of hits and misses (Farina, Ristic &
Timmoneri 2002, enumeration; Hernandez, Farina & Ristic 2006): tighter, and never below the other.

The recursion is that of the paper, rewritten so that it needs neither the process noise's nor the start's
inverse.  With F the mean of the transition Jacobians, M = E[(F_run - F)' Q^-1 (F_run - F)] and
A = F'^-1 (J + M) F^-1, the paper's D22 - D21 (J + D11)^-1 D12 without the measurement is
    (Q + A^-1)^-1 = (I + A Q)^-1 A
(M takes the inverse over the directions that Q drives; where the transition varies between runs in a
direction that Q does not drive, the bound is that along the mean transition.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pcrlb(f_jac: Array, q: Array, h_jac: Array, r: Array, j0: Array, pd: float | Array = 1.0) -> Array:
    """Covariances (steps, n, n) below which no filter's mean squared error lies after each step.

    f_jac (runs, steps, n, n): Jacobian of the motion from each true state to the next, invertible.
    q: covariance of the process noise, (n, n) or (steps, n, n), of any rank.
    h_jac (runs, steps, d, n): Jacobian of the measurement at the state that each step leads to.
    r: covariance of the measurement noise, (d, d) or whatever extends to (runs, steps, d, d).
    j0 (n, n): information before the first step, of any rank.
    pd: probability of detection, whatever extends to (runs, steps): it may depend on the state.
    All is infinite where the measurements so far do not give the state.  Monte-Carlo error as of any mean
    over runs.  Units are the state's.
    """
    gains = _information(h_jac, r, np.broadcast_to(pd, h_jac.shape[:2]))
    return np.array([covariance_of(j) for j in _recursion(f_jac, q, gains, j0)])


def pcrlb_over_detections(
    f_jac: Array,
    q: Array,
    h_jac: Array,
    r: Array,
    j0: Array,
    pd: float | Array,
    sequences: int = 1000,
    seed: int = 0,
) -> Array:
    """As `pcrlb`, averaged over sequences of hits and misses.

    sequences: how many at most; all where there are no more, else so many drawn with the seed.
    pd: probability of detection, a number or (steps,): here it may not depend on the state.
    """
    steps = h_jac.shape[1]
    pd = np.broadcast_to(np.asarray(pd, float), (steps,))
    gains = _information(h_jac, r, np.ones(h_jac.shape[:2]))
    if 2**steps <= sequences:
        hit = (np.arange(2**steps)[:, None] >> np.arange(steps)) & 1 > 0
        weight = np.where(hit, pd, 1.0 - pd).prod(axis=1)
    else:
        hit = np.random.default_rng(seed).random((sequences, steps)) < pd
        weight = np.full(sequences, 1.0 / sequences)
    hit, weight = hit[weight > 0.0], weight[weight > 0.0]
    # (steps, sequences, n, n), so that all sequences go through the recursion side by side
    taken = hit.T[:, :, None, None] * gains[:, None]
    start = np.broadcast_to(j0, (len(hit), *j0.shape))
    informations = _recursion(f_jac, q, taken, start)
    return np.array([np.einsum("s,sij->ij", weight, covariance_of(j)) for j in informations])


def information_of_each(f_jac: Array, q: Array, gains: Array, j0: Array) -> Array:
    """Information (runs, steps, n, n) after each step of each run by itself, all side by side.

    What `pcrlb` does for the average of many runs of one flight, for flights that differ; `covariance_of` the
    outcome is each one's bound.

    f_jac, q (runs, steps, n, n): as for `pcrlb`, of each run.  gains (runs, steps, n, n): information that
    each step's measurements give, pd H' R^-1 H, 0 where there is none.  j0: (n, n) or (runs, n, n).
    A run that is shorter than others goes on with identity, no noise and no information.
    """
    runs, steps, n, _ = f_jac.shape
    back, identity = np.linalg.inv(f_jac), np.eye(n)
    j = np.broadcast_to(j0, (runs, n, n))
    out = np.empty_like(f_jac)
    for k in range(steps):
        a = np.swapaxes(back[:, k], 1, 2) @ j @ back[:, k]
        j = np.linalg.solve(identity + a @ q[:, k], a) + gains[:, k]
        j = out[:, k] = 0.5 * (j + np.swapaxes(j, 1, 2))
    return out


def jacobians(function: Callable[[Array], Array], states: Array, spread: Array) -> Array:
    """Jacobians (..., d, n) of a function of states (..., n) -> (..., d), by central differences.

    spread (n,): how far to either side each element is moved; the error is of its square times the third
    derivative.  Angles must not wrap between the two, nor may the function jump: a few runs that straddle a
    jump (a layer of air, say) make a false spread of Jacobians, and the bound too low.
    """
    columns = []
    for i, h in enumerate(spread):
        step = np.zeros(states.shape[-1])
        step[i] = h
        columns.append((function(states + step) - function(states - step)) / (2.0 * h))
    return np.stack(columns, axis=-1)


def _information(h_jac: Array, r: Array, pd: Array) -> Array:
    """E[pd H' R^-1 H] over runs, (steps, n, n)."""
    weighed = np.linalg.solve(np.broadcast_to(r, (*h_jac.shape[:2], *r.shape[-2:])), h_jac)
    out: Array = np.einsum("rk,rkdi,rkdj->kij", pd, h_jac, weighed) / len(h_jac)
    return out


def _recursion(f_jac: Array, q: Array, gains: Array, j: Array) -> list[Array]:
    """Information after each step: (n, n), or (sequences, n, n) where the gains have that axis."""
    steps = f_jac.shape[1]
    q = np.broadcast_to(q, (steps, *q.shape[-2:]))
    mean = f_jac.mean(axis=0)
    around = f_jac - mean
    identity = np.eye(q.shape[-1])
    out = []
    for k in range(steps):
        varying = np.einsum("rai,ab,rbj->ij", around[:, k], _driven_inverse(q[k]), around[:, k]) / len(f_jac)
        back = np.linalg.inv(mean[k])
        a = back.T @ (j + varying) @ back
        j = np.linalg.solve(identity + a @ q[k], a) + gains[k]
        j = 0.5 * (j + np.swapaxes(j, -1, -2))
        out.append(j)
    return out


def _driven_inverse(q: Array) -> Array:
    """Inverse of a covariance over the directions that it drives, 0 over the others."""
    sigma = np.sqrt(np.diagonal(q))
    scale = np.where(sigma > 0.0, 1.0 / np.where(sigma > 0.0, sigma, 1.0), 0.0)
    # units taken out first, so that "nothing" means the same for metres and for radians
    both = np.outer(scale, scale)
    out: Array = np.linalg.pinv(q * both, rcond=1e-10, hermitian=True) * both
    return out


def covariance_of(j: Array) -> Array:
    """Inverse of informations (..., n, n); infinite throughout where one does not give the state."""
    sigma = np.sqrt(np.maximum(np.diagonal(j, axis1=-2, axis2=-1), 0.0))
    scale = np.where(sigma > 0.0, 1.0 / np.where(sigma > 0.0, sigma, 1.0), 0.0)
    both = scale[..., :, None] * scale[..., None, :]
    value, vector = np.linalg.eigh(j * both)
    known = value[..., :1] > 1e-13 * value[..., -1:]
    inverse = (vector / np.where(known, value, 1.0)[..., None, :]) @ np.swapaxes(vector, -1, -2) * both
    out: Array = np.where(known[..., None], inverse, np.inf)
    return out
