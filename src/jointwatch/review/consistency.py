"""Whether a filter's errors are as large as its covariances say.

In: errors (or innovations) and covariances, usually of many runs; out: normalised squared errors, their
averages and the bounds within which these lie if the filter is consistent (Bar-Shalom, Li & Kirubarajan 2001,
"Estimation with applications to tracking and navigation", section 5.4).  Averages are not divided by the
dimension: the ideal is the number of elements of the state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm


def nees(errors: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised estimation errors squared e' P^-1 e: (...) from errors (..., n) and covariances (..., n, n).

    Each is chi-square of n degrees of freedom if the filter is consistent.  The relative error is that of
    inverting the correlations, so elements may be of any units.  ValueError where a covariance is not
    positive definite.
    """
    errors = np.asarray(errors, float)
    covariances = np.asarray(covariances, float)
    sigma = np.sqrt(_variances(covariances))
    scaled = covariances / (sigma[..., :, None] * sigma[..., None, :])
    try:
        low = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        raise ValueError("a covariance is not positive definite") from None
    white = np.linalg.solve(low, (errors / sigma)[..., None])[..., 0]
    out: NDArray[np.float64] = np.square(white).sum(axis=-1)
    return out


def nis(innovations: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised innovations squared y' S^-1 y: (...) from innovations (..., d) and covariances (..., d, d).

    Needs no truth, so it can be had in service.  Chi-square of d degrees of freedom, like `nees`.
    """
    return nees(innovations, covariances)


def anees(errors: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """NEES averaged over runs, the first axis: (...) from errors (runs, ..., n); the ideal is n.

    For innovations it is the average NIS, with ideal d.
    """
    out: NDArray[np.float64] = nees(errors, covariances).mean(axis=0)
    return out


def average_bounds(dimension: int, runs: int, level: float = 0.95) -> tuple[float, float]:
    """Between which an average of so many independent NEES or NIS lies with probability `level`, two-sided.

    The sum over N runs is chi-square of N n degrees of freedom.  Samples of one run at several times count as
    runs only where they are independent: innovations of an optimal filter are, errors are not.
    """
    if dimension < 1 or runs < 1 or not 0.0 < level < 1.0:
        raise ValueError("bounds need a dimension and runs of at least 1, and a level between 0 and 1")
    freedom = dimension * runs
    low, high = chi2.ppf([0.5 * (1.0 - level), 0.5 * (1.0 + level)], freedom) / runs
    return float(low), float(high)


def normalised_errors(errors: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each element's error by its own standard deviation: (..., n); of mean 0 and variance 1 if consistent.

    Where NEES says that something is wrong, these say which element, and on which side.
    """
    out: NDArray[np.float64] = np.asarray(errors, float) / np.sqrt(_variances(np.asarray(covariances, float)))
    return out


def mean_error_bound(runs: int, level: float = 0.95) -> float:
    """Within plus or minus which the mean of so many independent normalised errors lies, if unbiased."""
    if runs < 1 or not 0.0 < level < 1.0:
        raise ValueError("a bound needs runs of at least 1, and a level between 0 and 1")
    return float(norm.ppf(0.5 * (1.0 + level)) / np.sqrt(runs))


def _variances(covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Diagonals (..., n); ValueError where one is not positive."""
    variances: NDArray[np.float64] = np.diagonal(covariances, axis1=-2, axis2=-1)
    if not (variances > 0.0).all():
        raise ValueError("a covariance is not positive definite")
    return variances
