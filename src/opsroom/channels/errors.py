from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class BrokenChannel(Invalid):
    code = "broken_channel"
    text = "this channel cannot be: {0.why}"
    hint = "see docs/how-to/channels.md"
    why: str


@dataclass(eq=False)
class ChannelSilent(Conflict):
    code = "channel_silent"
    text = "channel {0.name!r} tells nothing: {0.why}"
    hint = "a channel tells what its production version says; move the label with `opsroom channel propose`"
    name: str
    why: str


@dataclass(eq=False)
class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    text = "channel {0.name!r} has no delivery {0.delivery_id!r}"
    hint = "list what there is with `opsroom channel deliveries NAME`"
    name: str
    delivery_id: str


@dataclass(eq=False)
class DeliveryUnderWay(Conflict):
    code = "delivery_under_way"
    text = "delivery {0.delivery_id!r} is under way already"
    hint = "look again in a moment"
    delivery_id: str
