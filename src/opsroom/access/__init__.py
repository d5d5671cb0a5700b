"""Access: who may do what, in which project.

People log in and get a session; programs carry a token. Both become an `Actor`, whose
permissions come from one table of roles, and every route's permission from one table of
routes.
"""

from .errors import LoginNeeded, MayNot, WrongCredentials
from .model import PERMISSIONS, ROLES, Role

__all__ = ["PERMISSIONS", "ROLES", "LoginNeeded", "MayNot", "Role", "WrongCredentials"]
