"""Change one word of a GRUB configuration and not one byte more."""

import re

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.model import GrubEntry, Word
from bootrescue.formats.grub.tokens import VARIABLE, TokenKind, tokenize
from bootrescue.formats.grub.tree import Script
from bootrescue.formats.grub.words import Expanded, expand, quote

_REFERENCE = re.compile(VARIABLE)


def replace_initrd(script: Script, entry: GrubEntry, old: str, new: str) -> bytes:
    """Give the file with one image of one entry replaced.

    Args:
        script: the file that the entry was read from.
        entry: the entry.
        old: the image as the entry shows it (`Word.text`).
        new: what shall stand there instead, as GRUB shall see it.

    Raises:
        BadInputError: the image stands in the entry not once but never or several times; it comes out of a
            variable or a function that other entries may share; or the new text cannot be written as a word.
    """
    matching = [word for word in entry.initrds if word.text == old]
    where = f"line {entry.line}: menu entry {entry.title!r}"
    if not matching:
        images = ", ".join(word.text for word in entry.initrds) or "none"
        raise BadInputError(f"{old!r} is not among its images ({images})", where=where)
    if len(matching) > 1:
        lines = ", ".join(str(script.line(word.span[0])) for word in matching)
        raise BadInputError(
            f"{old!r} stands in it {len(matching)} times (lines {lines}): which one is meant?", where=where
        )
    word = matching[0]
    start, end = word.span
    if not _stands_alone(entry, word):
        raise BadInputError(
            f"{old!r} does not stand in the entry itself but comes from a variable or a function",
            where=where,
            hint="change it where the variable or function is set; other entries may use it too",
        )
    raw = script.data[start:end]
    references = list(_REFERENCE.finditer(raw))
    literal = _literal(raw)
    if references and "$" in literal:
        written = _keep_variables(raw, references[-1].end(), old, new)
        if written is None and "$" in new:
            raise BadInputError(f"{new!r} does not begin with the variables that {old!r} begins with", where=where)
        written = written or quote(new)
    elif literal != old:
        raise BadInputError("the entry was not read from this file", where=where)
    else:
        written = quote(new, like=raw)
    return script.data[:start] + written + script.data[end:]


def _stands_alone(entry: GrubEntry, word: Word) -> bool:
    """Say whether the word is written inside the entry, and nothing else comes out of the same bytes."""
    inside = entry.span[0] <= word.span[0] and word.span[1] <= entry.span[1]
    return inside and sum(other.span == word.span for other in entry.initrds) == 1


def _keep_variables(raw: bytes, behind: int, old: str, new: str) -> bytes | None:
    """Write the new text with the variables at the word's beginning left as they are; None where it cannot be.

    Args:
        raw: the word as written.
        behind: the offset in it behind its last variable.
        old: its text.
        new: the text to write.
    """
    for closing in (b"", b'"'):
        if not raw.endswith(closing):
            continue
        tail = _literal(raw[behind : len(raw) - len(closing)])
        head = old.removesuffix(tail)
        rest = new[len(head) :]
        if head == old or not new.startswith(head) or not rest or (closing and set('"\\$') & set(rest)):
            continue
        written = raw[:behind] + (quote(rest, like=b'""')[1:] if closing else quote(rest))
        if _is_one_word(written) and _literal(written) == _literal(raw[:behind]) + rest:
            return written
    return None


def _is_one_word(raw: bytes) -> bool:
    token = next(tokenize(raw))
    return token.kind is TokenKind.WORD and (token.start, token.end) == (0, len(raw))


def _literal(raw: bytes) -> str:
    """Read a word as written; variables stay in it by name."""
    return "".join(word.text for word in expand(raw, lambda _name: (Expanded(text="", known=False),)))
