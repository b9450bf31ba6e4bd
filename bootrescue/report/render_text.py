"""Documents as text for a person at an 80-column terminal. Nothing from a target reaches the terminal unescaped."""

import textwrap
from collections.abc import Iterator

from bootrescue.plan.preview import BAR
from bootrescue.report.model import (
    BackupsDocument,
    CandidateDocument,
    DeviceDocument,
    DiagnosisDocument,
    EntriesDocument,
    EntryDocument,
    EvidenceDocument,
    HistoryDocument,
    ImageDocument,
    RepairDocument,
    ScanDocument,
    SystemDiagnosisDocument,
    VerificationDocument,
)

COLUMNS = 80
EVIDENCE_SHOWN = 6
MARKS = {"proved": "+", "broken": "X", "unknown": "?", "failed": "X", "not-asked": "-", "not-possible": "?"}
Document = (
    ScanDocument
    | DiagnosisDocument
    | BackupsDocument
    | EntriesDocument
    | HistoryDocument
    | ImageDocument
    | RepairDocument
)


def render_text(document: Document) -> str:
    """The lines of any document, ready to print."""
    return "".join(f"{line}\n" for whole in _lines(document) for line in fitted(safe(whole)))


def fitted(line: str) -> list[str]:
    """A line as lines of at most 80 columns, indented below the first; names are never cut, differences stay."""
    text = line.lstrip(" ")
    if len(line) <= COLUMNS or text.startswith(BAR):
        return [line]
    indent = " " * (len(line) - len(text))
    return textwrap.wrap(
        text, COLUMNS, initial_indent=indent, subsequent_indent=indent + "  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def safe(text: str) -> str:
    """Text without anything that a terminal would act on: control and undecodable characters are escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", errors="surrogatepass").decode("ascii")
        for letter in text
    )


def size(size_bytes: int) -> str:
    """A size that reads well: 512 B, 12.3 MB (powers of 1000)."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":  # noqa: PLR2004 -- SI prefixes
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1000
    raise AssertionError


def _lines(document: Document) -> Iterator[str]:
    match document:
        case ScanDocument():
            yield from _scan(document)
        case DiagnosisDocument():
            for system in document.systems:
                yield from _diagnosis(system)
        case BackupsDocument():
            yield from _backups(document)
        case EntriesDocument():
            for entry in document.entries:
                yield from _entry(entry)
            yield from (f"Problem: {problem}" for problem in document.problems)
        case HistoryDocument():
            yield from _history(document)
        case ImageDocument():
            yield from _image(document)
        case RepairDocument():
            yield from _repair(document)


def _scan(document: ScanDocument) -> Iterator[str]:
    for device in document.devices:
        yield from _device(device, document, "")
    for system in document.systems:
        yield ""
        yield f"{system.name}  ({system.id})"
        places = [f"/ on {system.root}"]
        places += [f"/boot on {system.boot}"] if system.boot else []
        places += [f"ESP on {system.esp}"] if system.esp else []
        yield f"  {', '.join(places)}; firmware {system.firmware}"
        for kernel in system.kernels:
            missing = "" if kernel.image and kernel.modules_directory else "  (only half of it is there)"
            yield f"  kernel {kernel.release}{missing}"
        for entry in system.entries:
            yield f"  {'*' if entry.default else ' '} {entry.title}"
        yield from (f"  ! {problem}" for problem in system.problems)
    if not document.systems:
        yield "No installed system was found."
    yield from (f"! {text}" for text in document.unread)


def _device(device: DeviceDocument, document: ScanDocument, indent: str) -> Iterator[str]:
    content = [found for found in document.file_systems if found.device == device.path]
    what = " ".join([*(f"{found.type} {found.label}".strip() for found in content), device.partition_table]).strip()
    name = " ".join(filter(None, (device.model, device.serial)))
    yield f"{indent}{device.path}  {size(device.size_bytes)}  {what}  {name}".rstrip()
    for child in device.children:
        yield from _device(child, document, indent + "  ")


def _diagnosis(system: SystemDiagnosisDocument) -> Iterator[str]:
    yield f"{system.name}  ({system.id})"
    for entry in system.entries:
        yield f"{'*' if entry.default else ' '} {entry.title}: {entry.verdict.replace('-', ' ')}"
        worst = "broken" if entry.verdict == "does-not-boot" else "unknown"
        for link in entry.chain:
            if link.state == worst:
                yield f"    {MARKS[link.state]} {link.link}: {link.evidence[0].text}"
    for finding in system.findings:
        yield ""
        yield f"{finding.severity.upper()} {finding.rule}: {finding.summary}"
        yield from (f"    {place(one)}: {one.text}" for one in finding.evidence[:EVIDENCE_SHOWN])
        if len(finding.evidence) > EVIDENCE_SHOWN:
            yield f"    and {len(finding.evidence) - EVIDENCE_SHOWN} more"
        if finding.remedies:
            yield f"    remedies: {', '.join(finding.remedies)}"
    if not system.findings:
        fine = all(entry.verdict == "boots" for entry in system.entries)
        yield "Nothing was found that stops the boot." if fine else "No rule names a fault; not everything is proved."


def place(evidence: EvidenceDocument) -> str:
    """Where a piece of evidence lies."""
    return evidence.path if evidence.offset < 0 else f"{evidence.path} at byte {evidence.offset}"


def _backups(document: BackupsDocument) -> Iterator[str]:
    yield f"Backup images for {document.entry} of {document.system}"
    for candidate in document.candidates:
        yield from _candidate(candidate)
    if not document.candidates:
        yield "None was found."


def _candidate(candidate: CandidateDocument) -> Iterator[str]:
    yield f"{candidate.rank}. {candidate.path}: {candidate.fit.replace('-', ' ')}"
    releases = " ".join(candidate.kernel_releases)
    yield f"   {size(candidate.size_bytes)}, {candidate.generator}, {releases}, {candidate.modified}"
    yield from (f"   also {path}" for path in candidate.paths[1:])
    if candidate.used_by:
        yield f"   in use by {', '.join(candidate.used_by)}"
    for reason in candidate.reasons:
        if reason.state != "proved":
            yield f"   {MARKS[reason.state]} {reason.link}: {reason.evidence[0].text}"


def _entry(entry: EntryDocument) -> Iterator[str]:
    yield f"{'*' if entry.default else ' '} {entry.title}"
    yield f"    id {entry.id}  ({entry.source.path} line {entry.source.line})"
    if entry.submenu:
        yield f"    in {' > '.join(entry.submenu)}"
    yield f"    kernel {entry.kernel}"
    yield from (f"    initrd {initrd}" for initrd in entry.initrds)
    yield f"    {entry.command_line}"


def _history(document: HistoryDocument) -> Iterator[str]:
    for transaction in document.transactions:
        yield f"{transaction.id}  {transaction.state}  {transaction.started}"
        yield from (f"    {change.path}" for change in transaction.changes)
    if not document.transactions:
        yield "No transaction was found on this target."


def _image(document: ImageDocument) -> Iterator[str]:
    state = "complete" if document.complete else "NOT COMPLETE"
    yield f"{document.path}: {size(document.size_bytes)}, {state}, the kernel takes it {document.kernel_view.accepted}"
    if document.kernel_view.message:
        yield f"  the kernel would say: {document.kernel_view.message}"
    yield from (f"  ! {problem}" for problem in document.problems)
    releases = " ".join(document.kernel_releases) or "no kernel"
    yield f"  made by {document.generator} {document.generator_version} for {releases}".replace("  for", " for")
    yield f"  SHA-256 {document.sha256}"
    yield "  every byte is covered by a checksum" if document.proved else "  not every byte is covered by a checksum"
    yield "    offset      stored    unpacked  codec  role   files"
    for one in document.segments:
        sizes = f"{one.offset:>8}  {one.stored_size_bytes:>10}  {one.size_bytes:>10}"
        yield f"  {sizes}  {one.codec:<5}  {one.role:<5}  {one.entry_count:>5}"
    stripped = [module.name for module in document.modules if module.stripped]
    yield f"  {len(document.modules)} modules" + (f", stripped: {', '.join(stripped)}" if stripped else "")


def _repair(document: RepairDocument) -> Iterator[str]:
    yield from document.preview
    if document.already_so:
        yield "Everything is already so; nothing was written."
    if document.transaction is not None:
        yield f"Transaction {document.transaction.id}: {document.transaction.state}"
        yield from (f"    {change.path}" for change in document.transaction.changes)
    if document.verification is not None:
        yield from _verification(document.verification)


def _verification(document: VerificationDocument) -> Iterator[str]:
    for name, proof in (
        ("read back", document.recheck),
        ("GRUB's view", document.grub_view),
        ("fit", document.fit),
        ("boot proof", document.boot_proof),
    ):
        yield f"{MARKS[proof.outcome]} {name}: {proof.outcome.replace('-', ' ')}"
        yield from (f"    {text}" for text in proof.evidence)
