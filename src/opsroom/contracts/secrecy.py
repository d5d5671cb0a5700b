"""Credentials among the arguments of a call, where its contract does not ask for any."""

from collections.abc import Mapping
from typing import Any

from opsroom.kit.redaction import credentials_out
from opsroom.kit.texts import texts

from .errors import BrokenContract
from .model import ArgumentKind, ContractSpec
from .sinks import sinks_of, values_at


def refuse_credentials(spec: ContractSpec, arguments: Mapping[str, Any]) -> None:
    """Raise `BrokenContract` for an argument that holds a credential, unless that is what the
    contract says of it. Records of actions are kept, and a credential is cited, not carried.
    """
    if not any(any(credentials_out().spotted(one)) for one in texts(arguments)):
        return
    meant = {
        place
        for sink in sinks_of(spec)
        if sink.kind is ArgumentKind.SECRET
        for place, _ in values_at(arguments, sink.path)
    }
    for name, value in arguments.items():
        if f"/{name}" in meant:
            continue
        for text in texts(value):
            for rule, _ in credentials_out().spotted(text):
                why = f"holds a credential ({rule}); contracts cite those as secret:NAME"
                raise BrokenContract(spec.tool, f"/{name}", why)
