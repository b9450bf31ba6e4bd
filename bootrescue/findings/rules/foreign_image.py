"""foreign-image: the image was made for another machine, or for another kernel.

A host-only image holds the drivers and the device names of the machine that made it. Copied over another machine's
image, it waits for a disk that is not there.
"""

from collections.abc import Iterator

from bootrescue.findings.model import Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each image that names another machine or kernel; a warning where it may boot all the same."""
    for used in subject.images:
        links = [link for name in ("identity", "kernel-release") if (link := used.link(name)) is not None]
        broken = [link for link in links if link.state is State.BROKEN]
        strange = broken or [link for link in links if link.link == "identity" and link.state is State.UNKNOWN]
        if not strange or not (broken or subject.chain.sees_all):
            continue
        yield Finding(
            rule="foreign-image",
            severity=Severity.FATAL if broken else Severity.WARNING,
            subject=str(used.image.path),
            summary=f"The image {used.image.path} was made for another machine or kernel.",
            evidence=tuple(one for link in strange for one in link.evidence),
            entries=used.entry_ids,
            remedies=("restore-image", "point-entry"),
        )
