"""What needs attention, for programs."""

from fastapi import APIRouter

from opsroom.access.http import Read

from .attention import Attention, attention

router = APIRouter(prefix="/v1/attention", tags=["overview"])


@router.get("")
def show(tx: Read) -> tuple[Attention, ...]:
    """Agents whose last hour is worse than their own past, the most surprising first."""
    return tuple(attention(tx))
