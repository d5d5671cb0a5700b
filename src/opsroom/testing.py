"""A real opsroom for a program's own tests; see `opsroom.sdk.testing`."""

from opsroom.sdk.testing import Room, fake

__all__ = ["Room", "fake"]
