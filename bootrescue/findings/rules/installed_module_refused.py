"""installed-module-refused: a module below /lib/modules is one that the kernel refuses to load.

The other half of a bad injection. The machine may boot with a good image, but the next image that is built takes
the bad module in again.
"""

from collections.abc import Iterator

from bootrescue.findings.drivers import judge_module
from bootrescue.findings.model import Evidence, Finding, Severity, State
from bootrescue.findings.subjects import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each such module."""
    for modules in subject.chain.modules:
        for copy in modules.installed:
            opinion = judge_module(copy.module, modules)
            if opinion.state is not State.BROKEN:
                continue
            yield Finding(
                rule="installed-module-refused",
                severity=Severity.WARNING,
                subject=str(copy.path),
                summary=f"The installed driver {copy.name} is bad: the next image built would take it in.",
                evidence=(Evidence(path=str(copy.path), text=opinion.text),),
                remedies=("restore-module",),
            )
