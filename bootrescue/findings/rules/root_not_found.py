"""root-not-found: the command line's root= names a file system that is on no disk."""

from collections.abc import Iterator

from bootrescue.findings.model import Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each entry with such a root=."""
    for found in subject.entries:
        for link in found.chain:
            if link.link == "root" and link.state is State.BROKEN:
                yield Finding(
                    rule="root-not-found",
                    severity=Severity.FATAL,
                    subject=str(found.entry.source_path),
                    summary=f"The entry '{found.entry.title}' asks for a root file system that is not there.",
                    evidence=link.evidence,
                    entries=(found.entry.id,),
                )
