"""early-user-space-missing: the image has no /init.

An image with only microcode in it, or one repacked from its early part alone. The kernel says "VFS: Unable to mount
root fs".
"""

from collections.abc import Iterator

from bootrescue.findings.model import Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each complete image without /init; a cut one is another rule's."""
    for used in subject.images:
        link = used.link("early-user-space")
        content = used.link("image-content")
        if link is None or link.state is not State.BROKEN or (content and content.state is State.BROKEN):
            continue
        yield Finding(
            rule="early-user-space-missing",
            severity=Severity.FATAL,
            subject=str(used.image.path),
            summary=f"The image {used.image.path} holds no /init: there is nothing for the kernel to start.",
            evidence=link.evidence,
            entries=used.entry_ids,
            remedies=("restore-image", "point-entry"),
        )
