"""What a walk through a GRUB script knows and has found at one moment."""

from collections.abc import Mapping, Sequence

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.conditions import Truth
from bootrescue.formats.grub.entry_commands import EntryRecord
from bootrescue.formats.grub.model import OtherFile, Word
from bootrescue.formats.grub.tokens import Token
from bootrescue.formats.grub.tree import Script
from bootrescue.formats.grub.variables import SET_BY_GRUB, UNKNOWN, Variables
from bootrescue.formats.grub.words import Expanded, decode, expand, is_plain

MAX_STEPS = 250_000
"""Commands and expansions of one walk; a configuration of 5 MB needs about 100,000."""

MAX_PROBLEMS = 200
"""A damaged file has one problem a line; more of them tell nobody anything new."""

CHARACTERS_A_STEP = 16
"""An expanded variable counts as one step for so many characters, so that doubling variables end soon."""

ROOT_SET = " root as set"
ROOT_UUID = " root by UUID"
"""Kept among the variables, so that arms of an `if` that agree on the root file system merge like variables do;
the blank keeps them apart from GRUB's names."""


class State:
    """Everything that commands read and change.

    Attributes:
        script: the file that is walked.
        environment: the variables of the environment block, which `load_env` brings in.
        variables: what is set now.
        parameters: `$1`, `$2`, ... of the function or entry that runs; None at the top level.
        record: where loader commands are noted; None outside an entry.
        uncertain: how many arms deep the walk is of which nobody can tell whether they run.
        leaving: `return`, `break` or `continue` on its way out; empty else.
        may_leave: True behind a `return` or `break` that may or may not have run.
    """

    def __init__(self, script: Script, environment: Mapping[str, str]) -> None:
        self.script = script
        self.environment = environment
        self.variables = Variables({name: environment[name] for name in environment if name in SET_BY_GRUB})
        self.variables.export(ROOT_SET)
        self.variables.export(ROOT_UUID)
        self.parameters: tuple[Word, ...] | None = None
        self.record: EntryRecord | None = None
        self.uncertain = 0
        self.leaving = ""
        self.may_leave = False
        self.uses_blscfg = False
        self.other_files: list[OtherFile] = []
        self.problems: dict[str, None] = {}
        self._steps = 0
        self._plain: dict[bytes, str] = {}

    def spend(self, steps: int = 1) -> None:
        """Count work.

        Raises:
            BadInputError: more than MAX_STEPS were spent.
        """
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise BadInputError(
                f"the GRUB configuration does not come to an end within {MAX_STEPS} steps",
                hint="it loops or grows without end; no generated configuration does",
            )

    def problem(self, offset: int, text: str) -> None:
        """Note what could not be understood or told."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems[f"line {self.script.line(offset)}: {text}"] = None

    def line(self, offset: int) -> int:
        """Give the number of the line of this byte."""
        return self.script.line(offset)

    def words(self, tokens: Sequence[Token]) -> list[Word]:
        """Expand words as written into the words that a command receives."""
        words: list[Word] = []
        plain = self._plain
        for _, start, end, raw in tokens:
            text = plain.get(raw)
            if text is not None:
                words.append(Word(text=text, span=(start, end), known=True))
            elif is_plain(raw):
                plain[raw] = text = decode(raw)
                words.append(Word(text=text, span=(start, end), known=True))
            else:
                words += (
                    Word(text=word.text, span=(start, end), known=word.known) for word in expand(raw, self.lookup)
                )
        return words

    def lookup(self, name: str) -> Sequence[Expanded]:
        """Give the value of a variable, or of a positional parameter."""
        if name in {"@", "*", "#"} or name.isdigit():
            values = self._parameter(name)
        else:
            value = self.variables.value(name)
            values = (value,) if value is not None and (value.text or not value.known) else ()
        self.spend(1 + sum(len(value.text) for value in values) // CHARACTERS_A_STEP)
        return values

    def _parameter(self, name: str) -> tuple[Expanded, ...]:
        parameters = self.parameters or ()
        if name == "#":
            count = "" if self.parameters is None else str(len(parameters))
            return (Expanded(text=count, known=True),)
        chosen = parameters
        if name not in {"@", "*"}:
            number = int(name[:6])
            chosen = parameters[number - 1 : number] if number else ()
        return tuple(Expanded(text=word.text, known=word.known) for word in chosen)

    def assign(self, name: str, text: str, *, known: bool = True) -> None:
        """Set a variable as `set` does, and follow which root is meant."""
        value = Expanded(text=text, known=known)
        self.variables.assign(name, value)
        if name == "root":
            self.variables.assign(ROOT_SET, value)
            self.variables.assign(ROOT_UUID, None)

    def assign_root_uuid(self, wanted: Word | None) -> None:
        """Note that `search` sets the root; None when what it looks for is no UUID."""
        self.variables.assign("root", UNKNOWN)
        uuid = UNKNOWN if wanted is None else Expanded(text=wanted.text, known=wanted.known)
        self.variables.assign(ROOT_UUID, uuid)

    def known_text(self, name: str) -> str:
        """Give a variable's text; empty when it is unset or not known."""
        value = self.variables.value(name)
        return value.text if value is not None and value.known else ""

    def file_test(self, _operator: str, path: Word) -> Truth:
        """Answer a test for a file: known only for the environment block, whose variables were handed in."""
        return bool(self.environment) if path.text.endswith("/grubenv") else None
