"""What a plan would do, in words and as a difference, before anything is done."""

import difflib
from collections.abc import Iterator
from typing import Final

from bootrescue.boot.model import BootChain
from bootrescue.findings.candidates import compare
from bootrescue.plan.model import Plan, PointEntry, RebuildModuleIndex, RestoreImage, RestoreModule, Step
from bootrescue.plan.point_entry import edited

# As many module names as fit into two lines of 80 characters
NAMES_SHOWN: Final = 8
# Stands before each line of a difference, which must not be wrapped
BAR: Final = "| "


def preview(plan: Plan, chain: BootChain) -> tuple[str, ...]:
    """One block of lines for each step, then the notes."""
    if not plan.steps:
        return ("There is nothing to do.", *plan.notes)
    lines: list[str] = []
    configurations = {found.path: found.content for found in chain.configurations}
    for number, step in enumerate(plan.steps, start=1):
        lines += [f"{number}. {line}" if not index else f"   {line}" for index, line in enumerate(_step(step, chain))]
        if isinstance(step, PointEntry):
            before = configurations[step.path]
            after = edited(before, step.line, step.old, step.new)
            configurations[step.path] = after
            lines += [f"   {BAR}{line}" for line in _difference(before, after, str(step.path))]
    return (*lines, *(f"Note: {note}" for note in plan.notes))


def _step(step: Step, chain: BootChain) -> Iterator[str]:
    match step:
        case RestoreImage():
            yield f"restore-image {step.path}"
            yield f"from {step.source} ({step.size_bytes} bytes)"
            yield from _image_change(step, chain)
        case RestoreModule():
            yield f"restore-module {step.path}"
            yield f"from {step.source}!{step.member} ({step.size_bytes} bytes)"
        case RebuildModuleIndex():
            yield f"rebuild-module-index {step.path}"
            yield "by depmod, from the modules that lie there then"
        case PointEntry():
            yield f"point-entry {step.entry} in {step.path}"
            yield f"from {step.old} to {step.new}"


def _image_change(step: RestoreImage, chain: BootChain) -> Iterator[str]:
    old = chain.image_at(step.path)
    new = next((found.facts for found in chain.candidates if found.facts.image.sha256 == step.after_sha256), None)
    if old is None or new is None:
        return
    change = compare(old, new)
    for word, names in (
        ("changed", change.modules_changed),
        ("come back", change.modules_added),
        ("go", change.modules_removed),
    ):
        if names:
            more = len(names) - NAMES_SHOWN
            shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
            yield f"modules that {word}: {shown}" if word != "changed" else f"modules changed: {shown}"


def _difference(before: bytes, after: bytes, name: str) -> list[str]:
    old, new = (content.decode(errors="backslashreplace").splitlines() for content in (before, after))
    return list(difflib.unified_diff(old, new, f"{name} (now)", f"{name} (then)", lineterm="", n=1))
