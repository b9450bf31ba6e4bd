"""plan: what would be done, as data, with its preview. Writes nothing to the target."""

from dataclasses import dataclass

from bootrescue.findings.diagnose import diagnose
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, gather
from bootrescue.plan.model import Plan, Wish
from bootrescue.plan.preview import preview
from bootrescue.plan.remedies import remedies
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import plan_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it would do in words; `machine` says in words what it would do it to."""

    plan: Plan
    preview: tuple[str, ...]
    machine: str

    def document(self) -> RepairDocument:
        """The plan for scripts."""
        return RepairDocument(plan=plan_document(self.plan), preview=self.preview)


def plan(host: Host, choice: TargetChoice, wish: Wish) -> Planned:
    """Diagnose, and say what to do about it.

    Raises:
        BootRescueError: as operations.targets and plan.remedies.
    """
    chain = gather(host, choice)
    made = remedies(diagnose(chain), wish)
    system = chain.system
    machine = f"{system.name} ({system.id}) on {system.root.device}"
    return Planned(plan=made, preview=preview(made, chain), machine=machine)
