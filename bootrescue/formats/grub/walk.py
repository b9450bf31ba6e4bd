"""Walk a GRUB script as GRUB would, to see which menu it makes; what cannot be told stays unknown.

Sources: grub-core/script/execute.c, grub-core/normal/menu.c and grub-core/commands/menuentry.c of GRUB 2.06.
A body is walked with the variables as they are at the end of the file, since GRUB runs it only when it is chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bootrescue.formats.grub.commands import COMMANDS, Call, assign_word, run_other
from bootrescue.formats.grub.conditions import Truth, negate
from bootrescue.formats.grub.entry_commands import EntryRecord
from bootrescue.formats.grub.menu_options import Header, parse_header
from bootrescue.formats.grub.model import GrubEntry, GrubMenu, Word
from bootrescue.formats.grub.state import ROOT_SET, ROOT_UUID, State
from bootrescue.formats.grub.tree import Command, For, Function, If, Node, NotUnderstood, Script, While
from bootrescue.formats.grub.words import Expanded, decode

MAX_DEPTH = 80
"""Calls, blocks and submenus within each other that are followed."""

_WITH_BLOCK = ("menuentry", "submenu")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """A menu entry or submenu that the walk came across, to be opened when its menu is complete."""

    node: Command
    header: Header
    is_submenu: bool
    conditional: bool


@dataclass(slots=True, kw_only=True)
class _Menu:
    """A menu while it is filled: the top one, or a submenu."""

    prefix: str = ""
    titles: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    conditional: bool = False
    choices: list[_Choice] = field(default_factory=list)


class Walker:
    """One walk through one script."""

    def __init__(self, script: Script, environment: Mapping[str, str]) -> None:
        self._state = State(script, environment)
        self._functions: dict[str, Function] = {}
        self._menu = _Menu()
        self._depth = 0

    def menu(self) -> GrubMenu:
        """Walk everything.

        Raises:
            BadInputError: the script does not end within bounds.
        """
        state = self._state
        for node in state.script.nodes:
            if isinstance(node, NotUnderstood):
                state.problem(node.error_at, f"GRUB does not understand this: {node.reason}")
        self._execute(state.script.nodes)
        default = state.variables.value("default")
        entries = tuple(self._open(self._menu))
        return GrubMenu(
            entries=entries,
            default=None if default is None else default.text or _spelled("default", default),
            default_known=default is None or default.known,
            uses_blscfg=state.uses_blscfg,
            other_files=tuple(state.other_files),
            problems=tuple(state.problems),
        )

    def _open(self, menu: _Menu) -> Iterator[GrubEntry]:
        """Yield the entries of a menu, those of its submenus at their place."""
        for index, choice in enumerate(menu.choices):
            if choice.is_submenu:
                yield from self._open_submenu(menu, choice, index)
            else:
                yield self._entry(menu, choice, index)

    def _open_submenu(self, menu: _Menu, choice: _Choice, index: int) -> Iterator[GrubEntry]:
        if self._depth >= MAX_DEPTH:
            self._state.problem(choice.node.start, f"deeper than {MAX_DEPTH} levels: not followed")
            return
        inner = _Menu(
            prefix=f"{menu.prefix}{index}>",
            titles=(*menu.titles, choice.header.title),
            ids=(*menu.ids, choice.header.id),
            conditional=menu.conditional or choice.conditional,
        )
        self._state.variables.open_context()
        self._menu = inner
        self._depth += 1
        self._run_body(choice)
        yield from self._open(inner)
        self._depth -= 1
        self._menu = menu
        self._state.variables.close_context()

    def _run_body(self, choice: _Choice) -> None:
        state = self._state
        state.parameters, state.uncertain, state.leaving = choice.header.parameters, 0, ""
        self._execute(choice.node.body or ())
        state.parameters, state.uncertain, state.leaving = None, 0, ""

    def _entry(self, menu: _Menu, choice: _Choice, index: int) -> GrubEntry:
        state, node = self._state, choice.node
        state.variables.open_layer()
        state.record = record = EntryRecord()
        self._run_body(choice)
        state.record = None
        root, root_uuid = state.known_text(ROOT_SET), state.known_text(ROOT_UUID)
        state.variables.close_layer()
        kernel, certain = record.kernel()
        if not certain or not record.certain_images:
            state.problem(node.start, "which kernel and images this entry loads depends on a condition")
        words = kernel.words if kernel else ()
        return GrubEntry(
            title=choice.header.title,
            id=choice.header.id,
            submenu=menu.titles,
            submenu_ids=menu.ids,
            index_path=f"{menu.prefix}{index}",
            line=state.line(node.start),
            span=(node.start, node.end),
            conditional=menu.conditional or choice.conditional,
            classes=choice.header.classes,
            kernel_keyword=kernel.keyword if kernel else "",
            kernel=words[0].text if words else "",
            kernel_known=not words or (certain and words[0].known),
            command_line=" ".join(word.text for word in words[1:]),
            arguments=words[1:],
            initrd_keyword=record.initrd_keyword,
            initrds=tuple(record.initrds),
            modules=tuple(record.modules),
            loader=record.loader,
            root=root,
            root_uuid=root_uuid,
        )

    def _execute(self, nodes: Sequence[Node]) -> Truth:
        """Run commands in order and give the last status."""
        if self._depth >= MAX_DEPTH:
            if nodes:
                self._state.problem(nodes[0].start, f"deeper than {MAX_DEPTH} levels: not followed")
            return None
        self._depth += 1
        status: Truth = True
        for node in nodes:
            if self._state.leaving:
                break
            if isinstance(node, Command):
                status = self._command(node)
            elif isinstance(node, If):
                status = self._if(node)
            elif isinstance(node, For):
                status = self._for(node)
            elif isinstance(node, While):
                status = self._while(node)
            elif isinstance(node, Function):
                self._functions[node.name.raw.decode("ascii")] = node
        self._depth -= 1
        return status

    def _command(self, node: Command) -> Truth:
        state = self._state
        state.spend()
        words = state.words(node.words)
        inverted = bool(words) and words[0].text == "!"
        if inverted:
            words = words[1:]
        if not words:
            return None
        status = self._run(node, words)
        return negate(status) if inverted else status

    def _run(self, node: Command, words: Sequence[Word]) -> Truth:
        name = words[0].text
        if node.body is not None and name not in _WITH_BLOCK:
            words = [*words, self._block_as_word(node)]
        call = Call(node=node, keyword=name, words=words[1:])
        known = COMMANDS.get(name)
        if known is not None:
            return known(self._state, call)
        if name in _WITH_BLOCK:
            return self._add_choice(call)
        function = self._functions.get(name)
        if function is not None:
            return self._call(function, call)
        if assign_word(self._state, words[0]):
            return True
        if not words[0].known:
            self._state.problem(node.start, f"which command `{name}` is depends on an unknown variable")
        return run_other(self._state, call)

    def _block_as_word(self, node: Command) -> Word:
        """Give the block in braces as the last word: so other commands than `menuentry` receive it."""
        data = self._state.script.data
        start = data.index(b"{", node.words[-1].end)
        return Word(text=decode(data[start : node.end]), span=(start, node.end), known=True)

    def _add_choice(self, call: Call) -> Truth:
        state, node = self._state, call.node
        header = parse_header(call.words)
        if node.body is None:
            state.problem(node.start, f"`{call.keyword}` without a block in braces")
        elif not header.parameters:
            state.problem(node.start, f"GRUB refuses this `{call.keyword}`: {header.problem}")
        elif state.record is None:
            if header.problem:
                state.problem(node.start, f"only Red Hat's GRUB takes this `{call.keyword}`: {header.problem}")
            self._menu.choices.append(
                _Choice(
                    node=node,
                    header=header,
                    is_submenu=call.keyword == "submenu",
                    conditional=state.uncertain > 0,
                )
            )
        return True

    def _call(self, function: Function, call: Call) -> Truth:
        state = self._state
        before = state.parameters, state.uncertain
        state.parameters = tuple(call.words)
        status = self._execute(function.body)
        state.parameters, state.uncertain = before
        if state.leaving == "return":
            state.leaving = ""
            status = None
        return status

    def _if(self, node: If) -> Truth:
        """Run the arm that GRUB would run; where that cannot be told, run each and keep what they agree on."""
        state = self._state
        arms: list[Mapping[str, Expanded | None]] = []
        for branch in node.branches:
            truth = True if branch.condition is None else self._execute(branch.condition)
            if truth is False:
                continue
            if truth and not arms:
                return self._execute(branch.body)
            arms.append(self._maybe(branch.body))
            if truth:
                break
        else:
            arms.append({})
        if len(arms) > 1:
            state.variables.merge(arms)
            state.uncertain += state.may_leave
            state.may_leave = False
        return None

    def _maybe(self, body: Sequence[Node]) -> Mapping[str, Expanded | None]:
        """Run what may or may not run, and give what it would set."""
        state = self._state
        state.uncertain += 1
        uncertain = state.uncertain
        state.variables.open_layer()
        self._execute(body)
        state.uncertain = uncertain - 1
        return state.variables.close_layer()

    def _for(self, node: For) -> Truth:
        state = self._state
        name = node.name.raw.decode("ascii")
        words = state.words(node.words)
        if not all(word.known for word in words):
            state.problem(node.start, "what this `for` runs over is not known")
            return self._loop_unknown(node.body, name)
        for word in words:
            state.spend()
            state.assign(name, word.text)
            self._execute(node.body)
            if state.leaving == "continue":
                state.leaving = ""
            if state.leaving:
                break
        if state.leaving == "break":
            state.leaving = ""
        return None

    def _while(self, node: While) -> Truth:
        """Run the body of a loop once, as something that may run, unless the condition forbids it."""
        truth = self._execute(node.condition)
        if node.until:
            truth = negate(truth)
        if truth is False:
            return None
        return self._loop_unknown(node.body, "")

    def _loop_unknown(self, body: Sequence[Node], name: str) -> Truth:
        """Run a body once where it is not known how often it runs: what it sets is not known before or after."""
        state = self._state
        for changed in {name, *_assigned(body)} - {""}:
            state.assign(changed, "", known=False)
        state.variables.merge((self._maybe(body), {}))
        state.leaving, state.may_leave = "", False
        return None


def _spelled(name: str, value: Expanded) -> str:
    return value.text if value.known else f"${{{name}}}"


def _assigned(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the names that are plainly assigned somewhere in these nodes."""
    for node in nodes:
        if isinstance(node, Command) and node.body is None:
            words = node.words[1:] if node.words[0].raw == b"set" else node.words
            for word in words[:1]:
                name, equals, _ = word.raw.partition(b"=")
                if equals and name.isascii():
                    yield name.decode("ascii")
        elif isinstance(node, If):
            for branch in node.branches:
                yield from _assigned(branch.body)
        elif isinstance(node, For | While):
            yield from _assigned(node.body)
