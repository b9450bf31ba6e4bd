"""kernel-missing: a boot entry names a kernel that is not there, or that is no kernel."""

from collections.abc import Iterator

from bootrescue.findings.model import Evidence, Finding, Severity
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each entry without its kernel."""
    for found in subject.entries:
        kernel = found.entry.kernel
        if kernel.path is None or not found.entry.kernel_problem:
            continue
        yield Finding(
            rule="kernel-missing",
            severity=Severity.FATAL,
            subject=str(kernel.path),
            summary=f"The kernel {kernel.path} of the entry '{found.entry.title}' {found.entry.kernel_problem}.",
            evidence=(Evidence(path=str(kernel.path), text=found.entry.kernel_problem),),
            entries=(found.entry.id,),
        )
