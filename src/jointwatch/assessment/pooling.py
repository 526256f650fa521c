"""How likely fire is, from several partners' own probabilities: pooled, spread and scored.

Probabilities go in, plain numbers come out.  Partners are pooled in log-odds (logarithmic opinion pool for a
yes-or-no question, Genest & Zidek, "Combining probability distributions", Statistical Science 1986, sec. 3):

    logit(p) = a * sum(w_i * logit(p_i)) / sum(w_i)

The extremising factor a is 1 unless stated.  A factor above 1 moves the pool away from 1/2, which is right
only where partners know different things (Satopaa et al., Int. J. Forecasting 2014; Baron et al., Decision
Analysis 2014); partners who read the same reports do not, so 1 is the honest default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from jointwatch.records import BadInput


def log_odds(probability: float) -> float:
    """log(p / (1 - p)); BadInput unless 0 < p < 1: nobody is certain, and certainty cannot be pooled."""
    if not 0.0 < probability < 1.0:
        raise BadInput("assessment", "probability", probability, "a probability above 0 and below 1")
    return math.log(probability) - math.log1p(-probability)


def pool(
    probabilities: Sequence[float], weights: Sequence[float] | None = None, extremise: float = 1.0
) -> float:
    """The pooled probability of several in (0, 1).

    weights: one a probability, not negative and not all 0; equal if None.  extremise: the factor a above, >
    0.
    """
    if not probabilities:
        raise BadInput("assessment", "probabilities", "none", "at least one")
    weights = [1.0] * len(probabilities) if weights is None else weights
    if len(weights) != len(probabilities):
        raise BadInput(
            "assessment", "weights", len(weights), f"one for each of {len(probabilities)} partners"
        )
    total = math.fsum(weights)
    if not all(0.0 <= weight < math.inf for weight in weights) or not total > 0.0:
        raise BadInput("assessment", "weights", list(weights), "numbers not below 0 and not all 0")
    if not 0.0 < extremise < math.inf:
        raise BadInput("assessment", "extremise", extremise, "a factor above 0")
    mean = math.fsum(w * log_odds(p) for w, p in zip(weights, probabilities, strict=True)) / total
    pooled = extremise * mean
    # the two branches keep exp() from overflowing
    return 1.0 / (1.0 + math.exp(-pooled)) if pooled >= 0.0 else math.exp(pooled) / (1.0 + math.exp(pooled))


def spread(probabilities: Sequence[float]) -> tuple[float, float]:
    """How far partners differ: greatest less least, in probability and in log-odds."""
    if not probabilities:
        raise BadInput("assessment", "probabilities", "none", "at least one")
    odds = [log_odds(p) for p in probabilities]
    return max(probabilities) - min(probabilities), max(odds) - min(odds)


def brier(probability: float, outcome: bool) -> float:
    """Brier's score (Monthly Weather Review 1950) of a yes-or-no question: 0 best, 1 worst."""
    if not 0.0 <= probability <= 1.0:
        raise BadInput("assessment", "probability", probability, "a probability from 0 to 1")
    return (probability - float(outcome)) ** 2
