"""The named places at which an action may be cut off: before and after all that outlasts it.

Each is a `boundary(...)` in the code. Tests end a process at every one of them.
"""

DECIDING = ("action.judged", "action.proposed", "inbox.asked", "inbox.answered")
HOLDING = (
    "budget.counted",
    "budget.reserved",
    "budget.booked",
    "budget.settled",
    "budget.freed",
)
CARRYING_OUT = (
    "inbox.consumed",
    "action.begun",
    "action.before_effect",
    "action.after_effect",
    "action.recorded",
    "action.lapsed",
    "action.reconciled",
)
COMMITTING = ("tx.before_commit", "tx.after_commit", "outbox.before_cursor")
POINTS = (*DECIDING, *HOLDING, *CARRYING_OUT, *COMMITTING)
