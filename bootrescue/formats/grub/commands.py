"""The commands that change what is known, or say something about the menu; all others change nothing here.

Sources: grub-core/script/main.c, grub-core/kern/corecmd.c, grub-core/commands/loadenv.c and the manual of
GRUB 2.06. `blscfg` is Red Hat's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bootrescue.formats.grub import conditions
from bootrescue.formats.grub.conditions import Truth
from bootrescue.formats.grub.entry_commands import LOADER_KEYWORDS, parse_search
from bootrescue.formats.grub.model import OtherFile, Word
from bootrescue.formats.grub.state import ROOT_UUID, State
from bootrescue.formats.grub.tree import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command about to run.

    Attributes:
        node: where it stands.
        keyword: its name.
        words: the words behind the name.
    """

    node: Command
    keyword: str
    words: Sequence[Word]


def _set(state: State, call: Call) -> Truth:
    if call.words:
        assign_word(state, call.words[0])
    return True


def assign_word(state: State, word: Word) -> bool:
    """Carry out `name=value`; False when the word is no assignment."""
    name, equals, value = word.text.partition("=")
    if not equals or not name:
        return False
    state.assign(name, value, known=word.known)
    return True


def _unset(state: State, call: Call) -> Truth:
    for word in call.words:
        state.variables.assign(word.text, None)
    return True


def _export(state: State, call: Call) -> Truth:
    for word in call.words:
        state.variables.export(word.text)
    return True


def _test(state: State, call: Call) -> Truth:
    return conditions.evaluate(call.words, state.file_test)


def _true(_state: State, _call: Call) -> Truth:
    return True


def _false(_state: State, _call: Call) -> Truth:
    return False


def _search(state: State, call: Call) -> Truth:
    search = parse_search(call.keyword, call.words)
    if search.variable == "root":
        state.assign_root_uuid(search.wanted if search.kind == "fs-uuid" else None)
    elif search.variable:
        state.assign(search.variable, "", known=False)
    return None


def _load_env(state: State, call: Call) -> Truth:
    """Bring in the environment block; another file than `grubenv` leaves unknown what it sets."""
    words = [word.text for word in call.words]
    names = [word for word in words if not word.startswith("-")]
    if words[:1] in (["-f"], ["--file"]):
        names = names[1:]
        if not words[1:2] or not words[1].endswith("/grubenv"):
            _note_file(state, call, call.words[1:2])
            for name in names:
                state.assign(name, "", known=False)
            return None
    for name, value in state.environment.items():
        if not names or name in names:
            state.assign(name, value)
    return True


def _other_file(state: State, call: Call) -> Truth:
    _note_file(state, call, call.words[:1])
    return None


def _note_file(state: State, call: Call, path: Sequence[Word]) -> None:
    if path:
        line = state.line(call.node.start)
        uuid = state.known_text(ROOT_UUID)
        state.other_files.append(OtherFile(keyword=call.keyword, path=path[0], root_uuid=uuid, line=line))


def _blscfg(state: State, _call: Call) -> Truth:
    state.uses_blscfg = True
    return None


def _load(state: State, call: Call) -> Truth:
    if state.record is not None:
        state.record.note(call.keyword, call.words, certain=not state.uncertain)
    return None


def _leave(state: State, call: Call) -> Truth:
    if state.uncertain:
        state.may_leave = True
    else:
        state.leaving = call.keyword
    return None


def _shift(state: State, call: Call) -> Truth:
    count = conditions.number(call.words[0].text) if call.words else 1
    state.parameters = (state.parameters or ())[max(count, 0) :]
    return True


def _setparams(state: State, call: Call) -> Truth:
    state.parameters = tuple(call.words)
    return True


def _read(state: State, call: Call) -> Truth:
    for word in call.words:
        state.assign(word.text, "", known=False)
    return None


COMMANDS: Mapping[str, Callable[[State, Call], Truth]] = {
    "set": _set,
    "unset": _unset,
    "export": _export,
    "[": _test,
    "test": _test,
    "true": _true,
    "false": _false,
    "search": _search,
    "search.fs_uuid": _search,
    "search.fs_label": _search,
    "search.file": _search,
    "load_env": _load_env,
    "source": _other_file,
    ".": _other_file,
    "configfile": _other_file,
    "normal": _other_file,
    "legacy_configfile": _other_file,
    "legacy_source": _other_file,
    "syslinux_configfile": _other_file,
    "blscfg": _blscfg,
    "return": _leave,
    "break": _leave,
    "continue": _leave,
    "shift": _shift,
    "setparams": _setparams,
    "read": _read,
} | dict.fromkeys(LOADER_KEYWORDS, _load)


def run_other(state: State, call: Call) -> Truth:
    """Follow a command that is not modelled: only what its `--set` names is no longer known."""
    position = 0
    while position < len(call.words):
        name, equals, value = call.words[position].text.partition("=")
        position += 1
        if name not in {"--set", "-s"}:
            continue
        if not equals and position < len(call.words):
            value = call.words[position].text
        state.assign(value.rpartition(":")[2], "", known=False)
    return None
