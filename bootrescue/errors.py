"""What went wrong, where, and what the person at the keyboard can do next.

Lower layers raise these; only a face prints them and turns the kind into an exit code.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes (docs/reference/exit-codes.md)."""

    DONE = 0
    WRONG = 1
    USAGE = 2
    DECISION_NEEDED = 3
    REFUSED = 4
    TAKEN_BACK = 5
    NOT_TAKEN_BACK = 6
    MACHINE_LACKS = 7
    BAD_INPUT = 8
    CANCELLED = 130


class BootRescueError(Exception):
    """The root of all errors that a user may see.

    Attributes:
        what: one sentence: what went wrong.
        where: the file, device or option it is about; empty when the sentence says it.
        hint: what to do next; empty when there is nothing to do.
    """

    exit_code = ExitCode.WRONG

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class UsageError(BootRescueError):
    """The command line asks for something that does not exist or contradicts itself."""

    exit_code = ExitCode.USAGE


class DecisionNeededError(BootRescueError):
    """Several answers are equally good, and nobody may choose for the operator."""

    exit_code = ExitCode.DECISION_NEEDED


class RefusedError(BootRescueError):
    """The target is not what the plan was made for; nothing was written."""

    exit_code = ExitCode.REFUSED


class TakenBackError(BootRescueError):
    """The transaction failed and was taken back; the target is as before."""

    exit_code = ExitCode.TAKEN_BACK


class NotTakenBackError(BootRescueError):
    """The transaction failed and could not be taken back whole; the journal says where it stands."""

    exit_code = ExitCode.NOT_TAKEN_BACK


class MachineLacksError(BootRescueError):
    """This machine lacks what is needed: privilege, a tool, a kernel feature, space."""

    exit_code = ExitCode.MACHINE_LACKS


class BadInputError(BootRescueError):
    """The input is damaged or hostile: an image, a configuration, a plan file, a disk."""

    exit_code = ExitCode.BAD_INPUT


class CancelledError(BootRescueError):
    """The operator stopped the work."""

    exit_code = ExitCode.CANCELLED
