"""modules-missing: a kernel's modules directory or its index is missing or does not fit what lies there."""

from collections.abc import Iterator

from bootrescue.findings.model import Evidence, Finding, Severity
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each kernel release with such a fault."""
    for modules in subject.chain.modules:
        if not modules.problems:
            continue
        place = str(modules.directory or f"/lib/modules/{modules.release}")
        yield Finding(
            rule="modules-missing",
            severity=Severity.WARNING,
            subject=place,
            summary=f"The modules of kernel {modules.release} are not all in order.",
            evidence=tuple(Evidence(path=place, text=problem) for problem in modules.problems[:20]),
            remedies=("rebuild-module-index",) if modules.directory else (),
        )
