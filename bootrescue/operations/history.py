"""history: the transactions whose journals lie on the target. Writes nothing."""

from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, choose_system, look
from bootrescue.report.model import HistoryDocument
from bootrescue.report.repairing import transaction_document
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import Transaction


def read_transactions(system: InstalledSystem) -> tuple[Transaction, ...]:
    """The transactions on a system that is open for looking.

    Raises:
        BadInputError: a journal is damaged.
    """
    return read_history(ConfinedRoot(path=system.directory))


def history(host: Host, choice: TargetChoice) -> HistoryDocument:
    """Tell what bootrescue changed on a target.

    Raises:
        BootRescueError: as operations.targets; BadInputError for a damaged journal.
    """
    system = choose_system(look(host, choice.source), choice.system)
    return HistoryDocument(transactions=tuple(transaction_document(found) for found in read_transactions(system)))
