"""Judge one installed system: a verdict for each entry, and every rule's findings, the gravest first."""

from typing import Final

from bootrescue.boot.model import BootChain
from bootrescue.findings.boot_path import diagnose_entry
from bootrescue.findings.model import Diagnosis, Severity
from bootrescue.findings.rules import (
    early_user_space_missing,
    foreign_image,
    image_damaged,
    image_missing,
    installed_module_refused,
    kernel_missing,
    module_refused,
    modules_missing,
    root_driver_missing,
    root_not_found,
)
from bootrescue.findings.subjects import subject_of

RULES: Final = (
    kernel_missing.check,
    image_missing.check,
    image_damaged.check,
    early_user_space_missing.check,
    foreign_image.check,
    module_refused.check,
    root_driver_missing.check,
    root_not_found.check,
    installed_module_refused.check,
    modules_missing.check,
)
_ORDER: Final = {Severity.FATAL: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def diagnose(chain: BootChain) -> Diagnosis:
    """Judge every entry, then let every rule look."""
    entries = tuple(diagnose_entry(chain, entry) for entry in chain.entries)
    subject = subject_of(chain, entries)
    findings = [finding for check in RULES for finding in check(subject)]
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    return Diagnosis(chain=chain, entries=entries, findings=tuple(findings))
