"""The errors that a user can cause: each is a whole sentence, and none deserves a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right. The message says what, where, what was expected, what to do.

    Attributes:
        exit_status: what the process ends with. The numbers are those of BSD's ``sysexits.h``; all are
            above the 0 to 3 that a verdict uses.
    """

    exit_status = 70


class OutputError(UserError):
    """The report cannot be printed: a full disk behind ``>>``, for one."""

    exit_status = 74


class UsageError(UserError):
    """An argument on the command line is not of the form that the task takes."""

    exit_status = 64


class RefusedToRoot(UserError):
    """Root is not to change the project, or cannot do so as its owner."""

    exit_status = 77


class SettingsError(UserError):
    """The settings, or a file that holds them, cannot be used."""

    exit_status = 78


class DeclarationError(UserError):
    """A procedure's declaration contradicts itself or another one."""

    exit_status = 78
