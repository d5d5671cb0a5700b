"""Importing over HTTP: one bundle, one answer."""

from fastapi import APIRouter, Request

from opsroom.access.http import Write

from . import commands
from .model import Bundle, Report

router = APIRouter(prefix="/v1/imports", tags=["imports"])


@router.post("")
def take_in(bundle: Bundle, tx: Write, request: Request) -> Report:
    """Store everything in the bundle that is not here yet: all of it, or nothing."""
    return commands.take_in(tx, bundle, kinds=request.app.state.kinds)
