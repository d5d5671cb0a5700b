"""An action to carry out."""

from datetime import UTC, datetime

from opsroom.actions.model import Action


def call() -> Action:
    return Action(
        id="act_1",
        turn="trn_1",
        agent="clerk",
        manifest="m",
        environment="production",
        tool="order",
        contract="contract/order@1",
        contract_digest="c",
        arguments={"id": "7"},
        digest="d",
        proposed_at=datetime(2026, 11, 20, tzinfo=UTC),
    )
