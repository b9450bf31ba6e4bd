"""root-driver-missing: the image has no driver for the root file system, or for the disk it lies on.

Early user space finds no root device, or finds it and cannot mount it.
"""

from collections.abc import Iterator

from bootrescue.findings.drivers import NOT_THERE
from bootrescue.findings.model import Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each image and kind of driver; a driver that is there and bad is another rule's."""
    for used in subject.images:
        for name, what in (("file-system-driver", "the root file system"), ("storage-driver", "the disk")):
            link = used.link(name)
            if link is None or link.state is not State.BROKEN:
                continue
            absent = tuple(evidence for evidence in link.evidence if evidence.text.endswith(NOT_THERE))
            if absent:
                yield Finding(
                    rule="root-driver-missing",
                    severity=Severity.FATAL,
                    subject=str(used.image.path),
                    summary=f"The image {used.image.path} has no driver for {what}.",
                    evidence=absent,
                    entries=used.entry_ids,
                    remedies=("restore-image", "point-entry"),
                )
