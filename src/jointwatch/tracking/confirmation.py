"""When a chain of plots is a track: the threshold that keeps false tracks under a rate an operator states.

In: how many new objects a day the tracker expects and how many false tracks a day are borne; out: the log
odds of existence to confirm at, and the Poisson bounds by which a measured rate is judged.

The threshold is Ville's maximal inequality ("Etude critique de la notion de collectif", 1939) for the
branching chains of `tentative`, as Wald's sequential test has it for a single one.  Suppose there is clutter
alone, a Poisson process of density c(z) in each look, each look independent of the others.

1. A chain of odds L, seen with probability pd with a plot of density g(z), has after a look the continuations
   "missed" with odds (1 - pd) L and, for each plot z in its reach, odds L pd g(z) / c(z).  By Campbell's
   theorem the expected sum over the plots is the integral of L pd g(z) / c(z) times c(z), that is pd L, or
   less where a gate cuts g.  With the missed one it is L: the summed odds of all continuations are a
   martingale.  Whatever is dropped (branches too many, stale chains, those that share a confirmed one's
   plots), and every cap on the odds, can only lessen the sum: then it is a supermartingale.
2. A plot z begins a chain at odds b(z) / c(z), b being the density of new objects.  By the same theorem the
   begun odds of a look sum to the integral of b, the births expected in that look; over a day, to the births
   expected in a day, B.
3. A chain is taken out as confirmed once its odds are A or more.  The odds that were ever taken out and those
   that are left sum, in expectation, to no more than was put in: A times the expected number of false
   confirmations in a day <= B.

So with A = B / F at most F false tracks a day are expected, at whatever amount of clutter.  The bound is not
tight, for a plot lifts the odds over A by a step, and chains that are dropped take odds with them.  It
rests on the clutter density c' that the tracker uses in place of c: a plot's expected gain is then c / c',
and where c' is k times too low, chains of n plots are up to k**n too sure of themselves.  A map that is
learned keeps the bound if c' is the posterior mean of c under a prior that describes the site, for then the
mean of c / c' given what was seen is 1; a bare average over few looks does not, for it takes a cell in
which nothing happened to fall for one in which nothing can.  Clutter that stays in place from look to look
is not Poisson but the map's business.  What holds in the end is what is counted over days of clutter alone.
"""

from __future__ import annotations

import math

from jointwatch.records import BadInput

CONFIDENCE = 0.95


def confirm_log_odds(births_per_day: float, false_tracks_per_day: float) -> float:
    """Log odds ln(births / false tracks) to confirm at: no more false tracks than that are to be expected.

    births_per_day: of all the node's sensors together (`undetected.births_per_day`).  Above nought both;
    BadInput otherwise.
    """
    for name, value in ("births_per_day", births_per_day), ("false_tracks_per_day", false_tracks_per_day):
        if not (math.isfinite(value) and value > 0.0):
            raise BadInput("confirmation", name, value, "a number above 0")
    # a difference of logarithms: the quotient of two numbers may be none
    return math.log(births_per_day) - math.log(false_tracks_per_day)


def poisson_upper(count_expected: float) -> int:
    """The largest count that is consistent with an expectation: more come with less than 5 % probability.

    The least n with P(N <= n) >= 0.95 for a Poisson N.  BadInput for an expectation that cannot be.
    """
    if not (math.isfinite(count_expected) and count_expected >= 0.0):
        raise BadInput("confirmation", "count_expected", count_expected, "a number from 0 on")
    from scipy.special import pdtr  # only studies ask, and SciPy takes a while to load

    # Cantelli's inequality: P(N > m + k sqrt m) < 1 / (1 + k^2) = 0.05 at k = sqrt 19
    low, high = -1, math.ceil(count_expected + math.sqrt(19.0 * count_expected))
    while high - low > 1:
        middle = (low + high) // 2
        if pdtr(middle, count_expected) >= CONFIDENCE:
            high = middle
        else:
            low = middle
    return high


def rate_upper(counted: int, days: float) -> float:
    """The greatest rate per day that `counted` events in `days` do not rule out, with 95 % confidence.

    The rate r with P(N <= counted) = 0.05 for a Poisson N of mean r days; nothing in a quarter of an hour
    leaves 290 a day open.  BadInput for a count or a time that cannot be.
    """
    if counted < 0:
        raise BadInput("confirmation", "counted", counted, "a count from 0 on")
    if not (math.isfinite(days) and days > 0.0):
        raise BadInput("confirmation", "days", days, "a number above 0")
    from scipy.special import gammaincinv

    return float(gammaincinv(counted + 1.0, CONFIDENCE)) / days
