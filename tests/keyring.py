"""The master key of tests: always the same, so that a database can be opened again."""

from opsroom.kit.sealing import Keyring, SealingKey

KEYRING = Keyring((SealingKey(bytes(range(32))),))
