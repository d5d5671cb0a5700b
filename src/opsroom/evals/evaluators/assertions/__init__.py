"""The assertions of promptfoo, with the meaning they have there.

A case says itself what is expected of an answer: `{"assert": […], "threshold": …}`. Everything
that needs no service outside is decided here, by pure functions; what a model has to decide is
asked of the grader that the evaluator names. Types that are not run are known by name, each
with the reason (`known.REFUSED`).
"""

from .grading import Graded, grade
from .known import TYPES, why_not
from .model import Answer, Unclear, Verdict, answer_of

__all__ = ["TYPES", "Answer", "Graded", "Unclear", "Verdict", "answer_of", "grade", "why_not"]
