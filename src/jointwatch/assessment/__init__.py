"""How likely fire is: indicators, each partner's chances, pooling and scoring, posture."""

from jointwatch.assessment.assessment import LAUNCHES_EXPECTED, Assessment, as_input, assess, assessment_view
from jointwatch.assessment.pooling import brier, pool, spread

__all__ = [
    "LAUNCHES_EXPECTED",
    "Assessment",
    "as_input",
    "assess",
    "assessment_view",
    "brier",
    "pool",
    "spread",
]
