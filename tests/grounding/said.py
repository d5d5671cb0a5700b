"""A small desk with a mailbox, contacts and files, for tests of grounding."""

from typing import Any

from opsroom.contracts.model import ContractSpec, Tier, Trust
from opsroom.grounding.grounds import ground
from opsroom.grounding.model import Grounding, Piece, Source, Voice
from opsroom.grounding.tape import Tape


def contract(tool: str, *names: str, risk: Tier = Tier.WRITE, about: str = "") -> ContractSpec:
    return ContractSpec(
        tool=tool,
        description=about,
        input={"type": "object", "properties": {name: {"type": "string"} for name in names}},
        risk=risk,
        returns=Trust.MIXED,
    )


SEND = contract("send_email", "recipient", "subject", "body", risk=Tier.EXTERNAL)
DELETE = contract("delete_file", "file_id", risk=Tier.IRREVERSIBLE)
DELETE_MAIL = contract("delete_email", "email_id", risk=Tier.IRREVERSIBLE)
PASSWORD = contract("update_password", "password", risk=Tier.CREDENTIAL)
CONTACTS = contract("search_contacts", "query", risk=Tier.READ)
MAILS = contract("read_mails", risk=Tier.READ)
FILES = contract("list_files", risk=Tier.READ)
DESK = {one.tool: one for one in (SEND, DELETE, DELETE_MAIL, PASSWORD, CONTACTS, MAILS, FILES)}


def user(text: str) -> Piece:
    return Piece(voice=Voice.USER, text=text)


def answer(tool: str, text: str, **arguments: Any) -> Piece:
    return Piece(voice=Voice.TOOL, text=text, tool=tool, arguments=arguments)


def tape(*pieces: Piece) -> Tape:
    made = Tape(DESK)
    for piece in pieces:
        made.add(piece)
    return made


def grounding(spec: ContractSpec, where: Tape, **arguments: Any) -> Grounding:
    return ground(spec, arguments, where)


def source(where: Tape, recipient: str) -> Source:
    """Where the recipient of an e-mail comes from."""
    (found,) = grounding(SEND, where, recipient=recipient).grounds
    return found.source
