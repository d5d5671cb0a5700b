"""Configurations of promptfoo, read as they are.

A configuration becomes prompts (a version for each provider that is asked), one dataset
whose items say what is expected, and evaluators; its runs are made by the one engine of
evaluations. What cannot be done here is named, all of it, before anything is stored. Nothing
in a configuration is executed, and no file outside its folder is read.
"""

from .bundling import Planned, bundled
from .reading import Wanted, read_suite
from .suite import NotRunnable, Suite

__all__ = ["NotRunnable", "Planned", "Suite", "Wanted", "bundled", "read_suite"]
