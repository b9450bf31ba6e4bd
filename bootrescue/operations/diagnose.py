"""diagnose: a verdict for each boot entry, and findings with evidence. Writes nothing."""

from dataclasses import dataclass

from bootrescue.boot.collect import collect
from bootrescue.findings.diagnose import diagnose as judge
from bootrescue.findings.model import Diagnosis, Verdict
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, choose_system, look
from bootrescue.report.judging import diagnosis_document
from bootrescue.report.model import DiagnosisDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """The document, and whether every entry that boots by default is fine."""

    document: DiagnosisDocument
    fine: bool


def diagnose(host: Host, choice: TargetChoice) -> Diagnosed:
    """Judge the system asked for, or every system of the machine.

    Raises:
        BootRescueError: as operations.targets.
    """
    view = look(host, choice.source)
    systems = view.systems if len(view.systems) > 1 and not choice.system else (choose_system(view, choice.system),)
    found = [judge(collect(host, system, view.file_systems)) for system in systems]
    document = DiagnosisDocument(systems=tuple(diagnosis_document(one) for one in found))
    return Diagnosed(document=document, fine=all(is_fine(one) for one in found))


def is_fine(diagnosis: Diagnosis) -> bool:
    """Whether the entry that boots by default is proved to boot."""
    return diagnosis.default is not None and diagnosis.default.verdict is Verdict.BOOTS
