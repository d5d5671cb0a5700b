"""Evidence: what may be concluded from samples. Pure functions, no I/O.

This vocabulary is light. The arithmetic lives in modules that callers import by name:

- `paired`, `numeric`: two versions on the same items (gate, shadow report)
- `sequential`, `means`, `guardrail`, `allocation`: anything that is looked at more than
  once (shadow, canary, autonomy)
- `calibration`, `worsening`: what a reported confidence is worth, and whether it still is
- `power`, `rates`, `multiple`, `thresholds`, `agreement`, `twosample`
"""

from .errors import ImpossibleCounts, NotFinite, NothingToCompare, OutOfRange, UnequalSamples
from .model import (
    BinaryComparison,
    Comparison,
    Direction,
    Interval,
    Moments,
    NumericComparison,
    Pairs,
    Stretch,
    Tally,
    Verdict,
    verdict,
)

__all__ = [
    "BinaryComparison",
    "Comparison",
    "Direction",
    "ImpossibleCounts",
    "Interval",
    "Moments",
    "NotFinite",
    "NothingToCompare",
    "NumericComparison",
    "OutOfRange",
    "Pairs",
    "Stretch",
    "Tally",
    "UnequalSamples",
    "Verdict",
    "verdict",
]
