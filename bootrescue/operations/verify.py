"""verify: what lies on the disk, GRUB's view of it, the boot path judged anew, and a boot in QEMU. Writes nothing."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from bootrescue.boot.collect import collect
from bootrescue.boot.model import BootEntry
from bootrescue.findings.diagnose import diagnose
from bootrescue.findings.model import Diagnosis, State, Verdict
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.operations.history import read_transactions
from bootrescue.operations.targets import TargetChoice, choose_system, look
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction.model import TransactionState
from bootrescue.verification.boot_proof import prove_boot
from bootrescue.verification.grub_view import grub_view
from bootrescue.verification.model import NOT_ASKED, Outcome, Proof, Verification
from bootrescue.verification.recheck import recheck

BOOT_DIRECTORIES = (PurePosixPath("/boot"), PurePosixPath("/efi"))


def verify(host: Host, choice: TargetChoice, *, boot: bool) -> tuple[Verification, bytes]:
    """Prove what a target would do at its next boot; gives the console of the boot proof as well.

    Raises:
        BootRescueError: as operations.targets; MachineLacksError when a boot was asked for and cannot be made here.
    """
    return prove(host, choice, choice.system, boot=boot)


def prove(host: Host, choice: TargetChoice, system_id: str, *, boot: bool) -> tuple[Verification, bytes]:
    """Look at a target afresh and make every proof asked for."""
    with host.scope() as looking:
        view = look(looking, choice.source)
        system = choose_system(view, system_id)
        diagnosis = diagnose(collect(looking, system, view.file_systems))
        read_back = _recheck_last(system)
        seen = _grub_view_of_default(system, diagnosis)
    fit = fit_proof(diagnosis)
    if not boot:
        return Verification(recheck=read_back, grub_view=seen, fit=fit), b""
    with host.scope() as booting:
        proved = prove_boot(booting, system)
    verification = Verification(recheck=read_back, grub_view=seen, fit=fit, boot_proof=proved.proof)
    return verification, proved.console


def fit_proof(diagnosis: Diagnosis) -> Proof:
    """The verdict on the default entry as a proof: only `boots` is one."""
    found = diagnosis.default
    if found is None:
        return Proof(outcome=Outcome.NOT_POSSIBLE, evidence=("which entry boots by default is not known",))
    if found.verdict is Verdict.BOOTS:
        text = f"every link from '{found.entry.title}' to its root file system is proved"
        return Proof(outcome=Outcome.PROVED, evidence=(text,))
    outcome = Outcome.FAILED if found.verdict is Verdict.DOES_NOT_BOOT else Outcome.NOT_POSSIBLE
    open_links = [link for link in found.chain if link.state is not State.PROVED]
    texts = tuple(f"{link.link}: {one.text}" for link in open_links for one in link.evidence[:1])
    return Proof(outcome=outcome, evidence=texts)


def grub_view_of(system: InstalledSystem, expected: Mapping[PurePosixPath, str]) -> Proof:
    """GRUB's view of those of the files that GRUB reads: the ones below /boot and the ESP."""
    files = {
        path: digest for path, digest in expected.items() if any(path.is_relative_to(top) for top in BOOT_DIRECTORIES)
    }
    if not files:
        return Proof(outcome=Outcome.NOT_ASKED, evidence=("no file that GRUB reads was changed",))
    return grub_view(system, files)


def _grub_view_of_default(system: InstalledSystem, diagnosis: Diagnosis) -> Proof:
    if diagnosis.default is None:
        return NOT_ASKED
    files = _files_of(diagnosis.default.entry)
    root = ConfinedRoot(path=system.directory)
    if not files:
        return Proof(outcome=Outcome.NOT_POSSIBLE, evidence=("the default entry names no file that is there",))
    if system.root.type == "directory":
        return Proof(outcome=Outcome.NOT_POSSIBLE, evidence=(f"{root.path} is a directory, no disk",))
    return grub_view(system, files)


def _files_of(entry: BootEntry) -> dict[PurePosixPath, str]:
    return {file.path: file.sha256 for file in (entry.kernel, *entry.initrds) if file.path is not None and file.exists}


def _recheck_last(system: InstalledSystem) -> Proof:
    """Read back what the last committed transaction wrote, if there is one."""
    committed = [found for found in read_transactions(system) if found.state is TransactionState.COMMITTED]
    if not committed:
        return Proof(outcome=Outcome.NOT_ASKED, evidence=("no transaction is on this target",))
    expected = {change.path: change.after_sha256 for change in committed[-1].changes}
    return recheck(ConfinedRoot(path=system.directory), expected)
