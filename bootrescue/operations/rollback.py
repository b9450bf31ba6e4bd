"""rollback: diagnose, plan, apply and verify in one go, for a bad driver injection."""

from collections.abc import Callable

from bootrescue.host.host import Host
from bootrescue.operations.apply import apply
from bootrescue.operations.plan import Planned, plan
from bootrescue.operations.targets import TargetChoice
from bootrescue.operations.writing import Repaired
from bootrescue.plan.model import Wish


def rollback(
    host: Host, choice: TargetChoice, wish: Wish, confirm: Callable[[Planned], None], *, boot: bool
) -> Repaired:
    """Put a machine right. `confirm` is shown the plan before anything is written, and raises to stop.

    Raises:
        BootRescueError: as operations.plan and operations.apply, and whatever confirm raises.
    """
    with host.scope() as looking:
        planned = plan(looking, choice, wish)
    if planned.plan.steps:
        confirm(planned)
    return apply(host, choice, planned.plan, boot=boot)
