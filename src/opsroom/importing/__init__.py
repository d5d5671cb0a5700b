"""Importing: bringing in what a team already has, all of it or nothing, as often as you like.

A reader turns files into a `Bundle`, on the client. One command on the server takes the
bundle in, in one transaction. Every part knows where it came from, so importing the same
files again changes nothing.
"""

from .errors import BadImport, UnknownFormat
from .model import Bundle, Report

__all__ = ["BadImport", "Bundle", "Report", "UnknownFormat"]
