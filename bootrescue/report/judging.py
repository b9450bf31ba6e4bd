"""Documents of what was judged: verdicts, findings, candidates, images."""

from datetime import UTC, datetime

from bootrescue.boot.model import ImageFacts
from bootrescue.findings.model import Diagnosis, EntryDiagnosis, Evidence, Finding, JudgedCandidate, Link
from bootrescue.report.model import (
    CandidateDocument,
    ComparisonDocument,
    EntryVerdictDocument,
    EvidenceDocument,
    FindingDocument,
    ImageDocument,
    KernelViewDocument,
    LinkDocument,
    ModuleDocument,
    SegmentDocument,
    SystemDiagnosisDocument,
)


def diagnosis_document(diagnosis: Diagnosis) -> SystemDiagnosisDocument:
    """The verdicts and findings of one system."""
    return SystemDiagnosisDocument(
        id=diagnosis.chain.system.id,
        name=diagnosis.chain.system.name,
        entries=tuple(_verdict(found) for found in diagnosis.entries),
        findings=tuple(_finding(finding) for finding in diagnosis.findings),
    )


def _verdict(found: EntryDiagnosis) -> EntryVerdictDocument:
    return EntryVerdictDocument(
        id=found.entry.id,
        title=found.entry.title,
        default=found.entry.default,
        verdict=found.verdict,
        chain=tuple(_link(link) for link in found.chain),
    )


def _link(link: Link) -> LinkDocument:
    return LinkDocument(link=link.link, state=link.state, evidence=_evidence(link.evidence))


def _evidence(evidence: tuple[Evidence, ...]) -> tuple[EvidenceDocument, ...]:
    return tuple(EvidenceDocument(path=one.path, offset=one.offset, text=one.text) for one in evidence)


def _finding(finding: Finding) -> FindingDocument:
    return FindingDocument(
        rule=finding.rule,
        severity=finding.severity,
        subject=finding.subject,
        summary=finding.summary,
        entries=finding.entries,
        evidence=_evidence(finding.evidence),
        remedies=finding.remedies,
    )


def candidate_document(judged: JudgedCandidate) -> CandidateDocument:
    """A backup image with its fit."""
    facts = judged.candidate.facts
    return CandidateDocument(
        path=str(judged.candidate.paths[0]),
        paths=tuple(str(path) for path in judged.candidate.paths),
        file_system=judged.candidate.file_system_uuid,
        grub_path=judged.candidate.grub_path,
        sha256=facts.image.sha256,
        size_bytes=facts.image.size_bytes,
        generator=facts.generator,
        kernel_releases=facts.kernel_releases,
        modified=time_text(facts.modified_ns),
        fit=judged.fit,
        reasons=tuple(_link(link) for link in judged.reasons),
        compared_to_current=ComparisonDocument(
            modules_added=judged.compared.modules_added,
            modules_removed=judged.compared.modules_removed,
            modules_changed=judged.compared.modules_changed,
        ),
        used_by=judged.candidate.used_by,
        rank=judged.rank,
    )


def time_text(modified_ns: int) -> str:
    """RFC 3339 in UTC; empty for a time outside the calendar (years 1 to 9999), which file systems can hold."""
    try:
        modified = datetime.fromtimestamp(modified_ns // 1_000_000_000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return modified.isoformat().replace("+00:00", "Z")


def image_document(facts: ImageFacts, path: str) -> ImageDocument:
    """What is in one image."""
    image = facts.image
    return ImageDocument(
        path=path,
        size_bytes=image.size_bytes,
        sha256=image.sha256,
        complete=image.complete,
        kernel_view=KernelViewDocument(accepted=image.kernel_view.accepted, message=image.kernel_view.message),
        proved=image.proved,
        problems=image.problems,
        generator=facts.generator,
        generator_version=facts.generator_version,
        kernel_releases=facts.kernel_releases,
        segments=tuple(
            SegmentDocument(
                offset=segment.offset,
                stored_size_bytes=segment.stored_size_bytes,
                size_bytes=segment.size_bytes,
                codec=segment.codec,
                role=segment.role,
                entry_count=segment.entry_count,
            )
            for segment in image.segments
        ),
        modules=tuple(
            ModuleDocument(
                name=copy.module.name,
                path=copy.path,
                version=copy.module.version,
                vermagic=copy.module.vermagic,
                stripped=copy.module.stripped,
                signed=copy.module.signed,
                sha256=copy.module.sha256,
            )
            for copy in facts.modules
        ),
    )
