"""image-damaged: an initramfs image ends too early or cannot be unpacked whole.

A full /boot, a broken copy or a bad disk leave such images. A listing may still show every file: the image is judged
to its last byte. The kernel unpacks what it can and then panics or drops into an emergency shell.
"""

from collections.abc import Iterator

from bootrescue.findings.model import Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each damaged image that an entry uses."""
    for used in subject.images:
        for link in used.links:
            if link.link != "image-content" or link.state is not State.BROKEN:
                continue
            path = link.evidence[0].path
            yield Finding(
                rule="image-damaged",
                severity=Severity.FATAL,
                subject=path,
                summary=f"The image {path} is damaged or cut off: it cannot be unpacked whole.",
                evidence=link.evidence,
                entries=used.entry_ids,
                remedies=("restore-image", "point-entry"),
            )
