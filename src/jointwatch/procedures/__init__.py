"""Steps, deadlines, confirmations: what was due and what was done."""

from jointwatch.procedures.procedure import (
    Event,
    Procedure,
    Step,
    StepOutcome,
    follow,
    load_procedure,
    procedure_view,
)

__all__ = ["Event", "Procedure", "Step", "StepOutcome", "follow", "load_procedure", "procedure_view"]
