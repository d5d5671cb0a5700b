"""How a prompt with variables is asked about an item."""

from typing import Any

import pytest

from opsroom.app.kinds import KINDS
from opsroom.datasets import BadItem, Item
from opsroom.evals.compose import composer, load_prompts
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry


def asked(db: Database, actor: Actor, variables: dict[str, Any], input_: Any) -> str:
    text = " / ".join(f"{{{{ {name} }}}}" for name in variables)
    spec = {"format": "text", "text": f"Classify {text}", "variables": variables}
    with db.write(actor) as tx:
        registry.create_artifact(tx, ArtifactDraft(kind="prompt", name="sorter"), kinds=KINDS)
        version = registry.create_version(
            tx, "prompt", "sorter", VersionDraft(spec=spec), kinds=KINDS
        )
        compose = composer(version, load_prompts(tx, version), variant="")
    return compose(Item(id="i", input=input_), "0" * 64, 0).messages[-1].content or ""


ONE = {"goods": {"type": "text"}}
TWO = {**ONE, "origin": {"type": "text"}}


@pytest.mark.parametrize("input_", [{"goods": "pumps"}, "pumps"])
def test_a_text_is_the_only_variable(sqlite_db: Database, actor: Actor, input_: Any) -> None:
    assert asked(sqlite_db, actor, ONE, input_) == "Classify pumps"


def test_a_text_is_not_guessed_to_be_one_of_several(sqlite_db: Database, actor: Actor) -> None:
    with pytest.raises(BadItem, match="goods, origin"):
        asked(sqlite_db, actor, TWO, "pumps")
