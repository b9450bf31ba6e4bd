"""Documents of what was planned, done and proved."""

from bootrescue.plan.model import ABSENT, Plan, Step, kind_of
from bootrescue.report.model import (
    ChangeDocument,
    PlanDocument,
    ProofDocument,
    StepDocument,
    TransactionDocument,
    VerificationDocument,
)
from bootrescue.transaction.model import Transaction
from bootrescue.verification.model import Proof, Verification


def plan_document(plan: Plan) -> PlanDocument:
    """A plan."""
    return PlanDocument(
        id=plan.id, system=plan.system, steps=tuple(_step(step) for step in plan.steps), notes=plan.notes
    )


def _step(step: Step) -> StepDocument:
    undo = "remove the file" if step.before_sha256 == ABSENT else "put the kept bytes back"
    return StepDocument(
        kind=kind_of(step),
        path=str(step.path),
        before_sha256=step.before_sha256,
        after_sha256=step.after_sha256,
        undo=undo,
    )


def transaction_document(transaction: Transaction) -> TransactionDocument:
    """A transaction on a target."""
    return TransactionDocument(
        id=transaction.id,
        state=transaction.state,
        started=transaction.started,
        journal=str(transaction.journal),
        backups=tuple(str(transaction.directory / change.backup) for change in transaction.changes if change.backup),
        changes=tuple(
            ChangeDocument(path=str(change.path), before_sha256=change.before_sha256, after_sha256=change.after_sha256)
            for change in transaction.changes
        ),
    )


def verification_document(verification: Verification) -> VerificationDocument:
    """All kinds of proof."""
    return VerificationDocument(
        recheck=_proof(verification.recheck),
        grub_view=_proof(verification.grub_view),
        fit=_proof(verification.fit),
        boot_proof=_proof(verification.boot_proof),
    )


def _proof(proof: Proof) -> ProofDocument:
    return ProofDocument(outcome=proof.outcome, evidence=proof.evidence)
