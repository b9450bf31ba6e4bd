"""module-refused: a module inside an image is one that the kernel refuses to load.

`strip` takes the symbol table ("module has no symbols (stripped?)"), a module built for another kernel has another
version magic. When it serves the disk or the root file system the machine does not boot; else it is a warning.
"""

from collections.abc import Iterator

from bootrescue.findings.drivers import refused_modules
from bootrescue.findings.model import Evidence, Finding, Severity, State
from bootrescue.findings.subjects import Subject, UsedImage


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each image that holds such modules."""
    for used in subject.images:
        modules = subject.chain.modules_of(used.kernel_release)
        if modules is None:
            continue
        refused = refused_modules(used.image, modules)
        if not refused:
            continue
        needed = _needed(used, refused)
        names = ", ".join(needed or sorted(refused))
        consequence = _consequence(used, needed)
        yield Finding(
            rule="module-refused",
            severity=Severity.FATAL if needed else Severity.WARNING,
            subject=str(used.image.path),
            summary=f"The image {used.image.path} holds a driver that the kernel refuses, {names}, {consequence}.",
            evidence=tuple(refused[name] for name in sorted(refused)),
            entries=used.entry_ids,
            remedies=("restore-image", "point-entry"),
        )


def _consequence(used: UsedImage, needed: list[str]) -> str:
    if needed:
        return "so the machine does not boot"
    way = used.link("storage-driver")
    if way is None or way.state is State.UNKNOWN:
        return "and whether the disk needs it is not known"
    return "which the boot does not need"


def _needed(used: UsedImage, refused: dict[str, Evidence]) -> list[str]:
    """Which of the refused modules stand on the way to the root file system."""
    paths = set()
    for name in ("storage-driver", "file-system-driver"):
        link = used.link(name)
        if link is not None and link.state is State.BROKEN:
            paths |= {evidence.path for evidence in link.evidence}
    return sorted(name for name, evidence in refused.items() if evidence.path in paths)
