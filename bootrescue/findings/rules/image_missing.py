"""image-missing: a boot entry names an initramfs image that is not there.

The loader stops with "file not found", or boots the kernel without an image, which then cannot mount its root.
"""

from collections.abc import Iterator

from bootrescue.findings.model import EntryDiagnosis, Evidence, Finding, Severity
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each missing file."""
    by_path: dict[str, list[EntryDiagnosis]] = {}
    for found in subject.entries:
        for file in found.entry.initrds:
            if file.path is not None and not file.exists:
                by_path.setdefault(str(file.path), []).append(found)
    for path, entries in by_path.items():
        first = entries[0].entry
        yield Finding(
            rule="image-missing",
            severity=Severity.FATAL,
            subject=path,
            summary=f"The boot entry names the image {path}, which is not there.",
            evidence=(
                Evidence(path=f"{first.source_path}", text=f"entry '{first.title}' in line {first.source_line}"),
            ),
            entries=tuple(found.entry.id for found in entries),
            remedies=("point-entry", "restore-image"),
        )
