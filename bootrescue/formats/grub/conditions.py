"""The `test` and `[` commands of GRUB, with three answers: true, false, cannot be told.

Follows `test_parse` in grub-core/commands/test.c of GRUB 2.06.
"""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile

from bootrescue.formats.grub.model import Word

Truth = bool | None
"""None: cannot be told."""

FileTest = Callable[[str, Word], Truth]
"""Answers `-e`, `-f`, `-s`, `-d` for a path."""

MAX_PARENTHESES = 100
"""test.c: MAX_TEST_RECURSION_DEPTH."""

_NUMBER = re.compile(r"\s*(-?)(0[xX][0-9a-fA-F]+|\d+)")
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "-eq": lambda a, b: number(a) == number(b),
    "-ne": lambda a, b: number(a) != number(b),
    "-lt": lambda a, b: number(a) < number(b),
    "-le": lambda a, b: number(a) <= number(b),
    "-gt": lambda a, b: number(a) > number(b),
    "-ge": lambda a, b: number(a) >= number(b),
    "-plt": lambda a, b: _behind_prefix(a, b) < _behind_prefix(b, a),
    "-pgt": lambda a, b: _behind_prefix(a, b) > _behind_prefix(b, a),
}
_FILE_TESTS = ("-d", "-e", "-f", "-s")
_FILE_TIMES = ("-nt", "-ot")


def number(text: str) -> int:
    """Read a number as `grub_strtoul` does with base 0: what follows it is ignored, nothing is zero."""
    match = _NUMBER.match(text)
    if match is None:
        return 0
    digits = match[2][:20]
    if digits[:2] in {"0x", "0X"}:
        value = int(digits, 16)
    elif digits.startswith("0"):
        value = int("".join(takewhile("01234567".__contains__, digits)), 8)
    else:
        value = int(digits)
    return -value if match[1] else value


def _behind_prefix(text: str, other: str) -> int:
    """Give the number behind the prefix that both texts share (`vmlinuz-2 -plt vmlinuz-11`)."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False)))
    while shared > 0 and text[shared - 1].isdigit():
        shared -= 1
    return number(text[shared:])


def negate(truth: Truth) -> Truth:
    """Invert an answer; what cannot be told stays so."""
    return None if truth is None else not truth


def both(first: Truth, second: Truth) -> Truth:
    """And, in three values."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def either(first: Truth, second: Truth) -> Truth:
    """Or, in three values."""
    return negate(both(negate(first), negate(second)))


def evaluate(arguments: Sequence[Word], file_test: FileTest) -> Truth:
    """Evaluate the arguments of `test`, or of `[` with its closing bracket."""
    if arguments and arguments[-1].known and arguments[-1].text == "]":
        arguments = arguments[:-1]
    return _Expression(arguments, file_test).evaluate(0)


class _Expression:
    """One run over the arguments, with the place where it stands."""

    def __init__(self, arguments: Sequence[Word], file_test: FileTest) -> None:
        self._arguments = arguments
        self._file_test = file_test
        self._position = 0

    def evaluate(self, depth: int) -> Truth:
        """Read up to the end or to the closing parenthesis; `-a` means nothing, as in GRUB."""
        alternatives: Truth = False
        current: Truth = True
        inverted = False
        while self._position < len(self._arguments):
            is_test, truth = self._test()
            if not is_test:
                word = self._take()
                if word.text == ")":
                    break
                if word.text == "!":
                    inverted = not inverted
                if word.text == "-o":
                    alternatives, current = either(alternatives, current), True
                if word.text in {"!", "-a", "-o"}:
                    continue
                truth = self._group(depth) if word.text == "(" else _is_not_empty(word)
            current = both(current, negate(truth) if inverted else truth)
            inverted = False
        return either(alternatives, current)

    def _take(self) -> Word:
        word = self._arguments[self._position]
        self._position += 1
        return word

    def _group(self, depth: int) -> Truth:
        if depth < MAX_PARENTHESES:
            return self.evaluate(depth + 1)
        self._position = len(self._arguments)
        return None

    def _test(self) -> tuple[bool, Truth]:
        """Read one test of three or two words, when there is one here."""
        words = self._arguments[self._position : self._position + 3]
        if len(words) == 3:  # noqa: PLR2004 - a test of three words
            operator = words[1].text
            comparison = _COMPARISONS.get(operator)
            if comparison or operator[:3] in _FILE_TIMES:
                self._position += 3
                if comparison is None or not (words[0].known and words[2].known):
                    return True, None
                return True, comparison(words[0].text, words[2].text)
        if len(words) > 1 and words[0].text in {"-n", "-z", *_FILE_TESTS}:
            self._position += 2
            operator = words[0].text
            if operator in _FILE_TESTS:
                return True, self._file_test(operator, words[1])
            filled = _is_not_empty(words[1])
            return True, filled if operator == "-n" else negate(filled)
        return False, None


def _is_not_empty(word: Word) -> Truth:
    return bool(word.text) if word.known else None
