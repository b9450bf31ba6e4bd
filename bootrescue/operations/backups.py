"""backups: candidate initramfs images, found by content, ranked, with the proof of their fit. Writes nothing."""

from bootrescue.findings.candidates import judge_candidates
from bootrescue.findings.diagnose import diagnose
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, gather
from bootrescue.plan.remedies import choose_entry
from bootrescue.report.judging import candidate_document
from bootrescue.report.model import BackupsDocument


def backups(host: Host, choice: TargetChoice, entry: str) -> BackupsDocument:
    """Judge every image on the target for one entry (the default one when none is named).

    Raises:
        BootRescueError: as operations.targets; UsageError for an unknown entry.
    """
    diagnosis = diagnose(gather(host, choice))
    found = choose_entry(diagnosis, entry)
    judged = judge_candidates(diagnosis.chain, found.entry)
    return BackupsDocument(
        system=diagnosis.chain.system.id,
        entry=found.entry.id,
        candidates=tuple(candidate_document(one) for one in judged),
    )
