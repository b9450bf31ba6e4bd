"""foreign-image: the image was made for another machine, or for another kernel.

A host-only image holds the drivers and the device names of the machine that made it. Copied over another machine's
image, it waits for a disk that is not there.
"""

from collections.abc import Iterator

from bootrescue.findings.model import Evidence, Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each image that names another machine or kernel."""
    for used in subject.images:
        evidence: list[Evidence] = []
        for name in ("identity", "kernel-release"):
            link = used.link(name)
            if link is not None and link.state is State.BROKEN:
                evidence += link.evidence
        if not evidence:
            continue
        yield Finding(
            rule="foreign-image",
            severity=Severity.FATAL,
            subject=str(used.image.path),
            summary=f"The image {used.image.path} was made for another machine or kernel.",
            evidence=tuple(evidence),
            entries=used.entry_ids,
            remedies=("restore-image", "point-entry"),
        )
