"""installed-module-refused: a module below /lib/modules is one that the kernel refuses to load.

The other half of a bad injection. The machine may boot with a good image, but the next image that is built takes
the bad module in again.
"""

from collections.abc import Iterator

from bootrescue.findings.model import Evidence, Finding, Severity
from bootrescue.findings.subjects import Subject
from bootrescue.formats.kernel_module import kernel_message


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each such module."""
    for modules in subject.chain.modules:
        for copy in modules.installed:
            message = kernel_message(copy.module)
            if not message:
                continue
            yield Finding(
                rule="installed-module-refused",
                severity=Severity.WARNING,
                subject=str(copy.path),
                summary=f"The installed driver {copy.module.name} is bad: the next image built would take it in.",
                evidence=(Evidence(path=str(copy.path), text=f"the kernel would say: {message}"),),
                remedies=("restore-module",),
            )
