from dataclasses import dataclass

from opsroom.kit.errors import NotFound


@dataclass(eq=False)
class MemoryNotFound(NotFound):
    code = "memory_not_found"
    text = "there is no memory {0.memory_id!r} in this project"
    hint = "list what an agent remembers with `opsroom memory list AGENT`"
    memory_id: str
