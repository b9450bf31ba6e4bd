"""The grammar of GRUB scripts, by recursive descent.

Follows grub-core/script/parser.y of GRUB 2.06. What GRUB refuses with "syntax error" becomes a `NotUnderstood`
node that covers what GRUB would skip: from the first line of the statement to the end of the line with the error
(the whole rest when GRUB waits for a closing quote, brace or `fi`).
"""

from collections.abc import Iterator

from bootrescue.formats.grub.nodes import (
    Branch,
    Command,
    Comment,
    For,
    Function,
    If,
    Node,
    NotUnderstood,
    While,
)
from bootrescue.formats.grub.tokens import Token, TokenKind, tokenize, why_bad

MAX_NESTING = 50
"""Blocks within blocks that are followed; real configurations stay below ten."""

_RESERVED = frozenset(
    (
        *(b"case", b"do", b"done", b"elif", b"else", b"esac", b"fi", b"for"),
        *(b"function", b"if", b"in", b"select", b"then", b"until", b"while"),
    )
)


def top_level(data: bytes) -> Iterator[Node]:
    """Yield the statements and comments of a file in order; only white space lies between them."""
    return _Parser(data).top_level()


class _SyntaxProblem(Exception):  # noqa: N818 - never leaves this module: it unwinds the descent
    """GRUB would say "syntax error" at the token where the parser stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Parser:
    """Recursive descent over the tokens of one file; each method begins at its rule's first token."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._tokens = tokenize(data)
        self._nesting = 0
        self._here = next(self._tokens)
        self._behind = 0

    def _advance(self) -> None:
        self._behind = self._here.end
        self._here = next(self._tokens)

    def _at(self, kind: TokenKind) -> bool:
        return self._here.kind is kind

    def _at_word(self, *words: bytes) -> bool:
        return self._here.kind is TokenKind.WORD and self._here.raw in words

    def top_level(self) -> Iterator[Node]:
        """Yield statement after statement; GRUB drops a line as a whole when one of its statements is bad."""
        while not self._at(TokenKind.END):
            start = self._here.start
            try:
                nodes = self._line()
            except _SyntaxProblem as problem:
                yield self._skip_line(start, problem.reason)
            else:
                yield from nodes

    def _line(self) -> list[Node]:
        """`script: script statement delimiter newlines0`, up to the newline that ends the line."""
        nodes: list[Node] = []
        while not self._at(TokenKind.END):
            if self._at(TokenKind.NEWLINE):
                self._advance()
                break
            if self._at(TokenKind.COMMENT):
                nodes.append(self._comment())
                continue
            nodes.append(self._function() if self._at_word(b"function") else self._command())
            if self._at(TokenKind.SEMICOLON):
                self._advance()
            elif self._here.kind not in {TokenKind.NEWLINE, TokenKind.END, TokenKind.COMMENT}:
                raise self._problem("a statement must end before this")
        return nodes

    def _skip_line(self, start: int, reason: str) -> NotUnderstood:
        error_at = self._here.start
        last = error_at if self._at(TokenKind.NEWLINE) else max(error_at, self._here.end - 1)
        line_end = self._data.find(b"\n", last)
        if line_end < 0 or self._at(TokenKind.END) or self._nesting >= MAX_NESTING:
            line_end = len(self._data)
        self._tokens = tokenize(self._data, line_end)  # GRUB never looks at the rest of such a line
        self._nesting = 0
        self._advance()
        return NotUnderstood(start=start, end=line_end, error_at=error_at, reason=reason)

    def _problem(self, reason: str) -> _SyntaxProblem:
        if self._at(TokenKind.BAD):
            reason = why_bad(self._data, self._here)
        elif self._at(TokenKind.END):
            reason = "the file ends in the middle of a block"
        return _SyntaxProblem(reason)

    def _comment(self) -> Comment:
        token = self._here
        self._advance()
        return Comment(start=token.start, end=token.end)

    def _expect(self, word: bytes) -> None:
        if not self._at_word(word):
            raise self._problem(f"`{word.decode('ascii')}` is missing")
        self._advance()

    def _name(self) -> Token:
        token = self._here
        if not self._at(TokenKind.WORD) or token.raw in _RESERVED or not token.raw.isascii():
            raise self._problem("a name is missing")
        if not token.raw.decode("ascii").isidentifier():
            raise self._problem("this is not a name")
        self._advance()
        return token

    def _words(self) -> tuple[Token, ...]:
        words: list[Token] = []
        token = self._here
        while token.kind is TokenKind.WORD:
            words.append(token)
            token = next(self._tokens)
        self._here = token
        if words:
            self._behind = words[-1].end
        return tuple(words)

    def _command(self) -> Node:
        if not self._at(TokenKind.WORD):
            raise self._problem("a command is missing")
        raw = self._here.raw
        if raw in _RESERVED:
            if raw == b"if":
                return self._if()
            if raw == b"for":
                return self._for()
            if raw in {b"while", b"until"}:
                return self._while()
            raise self._problem(f"`{raw.decode('ascii')}` may not stand here")
        start = self._here.start
        words = self._words()
        body = self._block() if self._at(TokenKind.OPEN_BRACE) else None
        return Command(start=start, end=self._behind, words=words, body=body)

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting >= MAX_NESTING:
            raise _SyntaxProblem(f"nested deeper than {MAX_NESTING} blocks")
        self._advance()

    def _block(self) -> tuple[Node, ...]:
        """`block: "{" commands1 delimiters0 "}"`."""
        self._enter()
        nodes, _ = self._commands()
        if not self._at(TokenKind.CLOSE_BRACE):
            raise self._problem("`}` is missing")
        self._advance()
        self._nesting -= 1
        return nodes

    def _commands(self, *terminators: bytes) -> tuple[tuple[Node, ...], bool]:
        """`commands1` and the delimiters behind it, up to one of the reserved words or a closing brace.

        The second value says whether a delimiter stood at the end.
        """
        nodes: list[Node] = []
        self._newlines(nodes)
        nodes.append(self._command())
        while self._delimiter(nodes):
            if self._at(TokenKind.CLOSE_BRACE):
                return tuple(nodes), True
            if self._at_word(*terminators):
                return tuple(nodes), True
            nodes.append(self._command())
        return tuple(nodes), False

    def _delimiter(self, nodes: list[Node]) -> bool:
        """`delimiters1`: one `;` or newline, then newlines only."""
        if self._at(TokenKind.COMMENT):
            nodes.append(self._comment())
        if self._at(TokenKind.SEMICOLON):
            self._advance()
        elif not self._at(TokenKind.NEWLINE):
            return False
        self._newlines(nodes)
        return True

    def _newlines(self, nodes: list[Node]) -> None:
        while True:
            if self._at(TokenKind.NEWLINE):
                self._advance()
            elif self._at(TokenKind.COMMENT):
                nodes.append(self._comment())
            else:
                return

    def _if(self) -> If:
        start = self._here.start
        branches: list[Branch] = []
        self._enter()
        while True:
            condition, _ = self._commands(b"then")
            self._expect(b"then")
            body, _ = self._commands(b"elif", b"else", b"fi")
            branches.append(Branch(condition=condition, body=body))
            if not self._at_word(b"elif"):
                break
            self._advance()
        if self._at_word(b"else"):
            self._advance()
            body, _ = self._commands(b"fi")
            branches.append(Branch(condition=None, body=body))
        self._expect(b"fi")
        self._nesting -= 1
        return If(start=start, end=self._behind, branches=tuple(branches))

    def _for(self) -> For:
        start = self._here.start
        self._enter()
        name = self._name()
        self._expect(b"in")
        words = self._words()
        if not self._delimiter([]):
            raise self._problem("`do` must stand on a line of its own or behind `;`")
        body = self._loop_body()
        return For(start=start, end=self._behind, name=name, words=words, body=body)

    def _while(self) -> While:
        start = self._here.start
        until = self._here.raw == b"until"
        self._enter()
        condition, _ = self._commands(b"do")
        body = self._loop_body()
        return While(start=start, end=self._behind, until=until, condition=condition, body=body)

    def _loop_body(self) -> tuple[Node, ...]:
        self._expect(b"do")
        body, _ = self._commands(b"done")
        self._expect(b"done")
        self._nesting -= 1
        return body

    def _function(self) -> Function:
        """`function: "function" "name" newlines0 "{" commands1 delimiters1 "}"`."""
        start = self._here.start
        self._enter()
        name = self._name()
        self._newlines([])
        if not self._at(TokenKind.OPEN_BRACE):
            raise self._problem("`{` is missing")
        self._advance()
        body, delimited = self._commands()
        if not self._at(TokenKind.CLOSE_BRACE) or not delimited:
            raise self._problem("a function ends with `}` on a line of its own or behind `;`")
        self._advance()
        self._nesting -= 1
        return Function(start=start, end=self._behind, name=name, body=body)
