"""Whether an image can reach the disk: for each part of the way to it, a driver that answers to its modalias."""

from typing import Final

from bootrescue.boot.model import BootChain, ImageFacts, ModulesFacts
from bootrescue.devices.model import Hardware
from bootrescue.findings.drivers import NOT_THERE, Driver, judge_driver, worst
from bootrescue.findings.model import Evidence, Link, State

# Parts of a machine that work without a driver of their own: bridges of PCI (class 06), ACPI and platform nodes.
PASSIVE_BUSES: Final = ("acpi:", "platform:", "dmi:", "of:")
PCI_BRIDGE: Final = "bc06"


def storage_link(chain: BootChain, image: ImageFacts, modules: ModulesFacts) -> Link:
    """Judge each part of the way.

    For a disk image the way is that of the boot proof, an assumption: a driver that is there and cannot load is
    broken all the same, but one that is missing says only that nothing is known.
    """
    hardware = chain.hardware
    parts = [_judge_part(part, hardware, image, modules) for part in hardware.modaliases if not _is_passive(part)]
    device = chain.system.root.device
    if not parts:
        evidence = (Evidence(path=device, text="the way to the disk is not known"),)
        return Link(link="storage-driver", state=State.UNKNOWN, evidence=evidence)
    if hardware.assumed:
        parts = [(State.UNKNOWN if _is_absent(state, evidence) else state, evidence) for state, evidence in parts]
    state = worst(state for state, _ in parts)
    found = dict.fromkeys(one for part, evidence in parts if part is state for one in evidence)
    note = (Evidence(path=device, text="no hardware is in view: judged for the virtio disk of the boot proof"),)
    told = (*found, *(note if hardware.assumed and state is not State.BROKEN else ()))
    return Link(link="storage-driver", state=state, evidence=told)


def _is_passive(modalias: str) -> bool:
    return modalias.startswith(PASSIVE_BUSES) or (modalias.startswith("pci:") and PCI_BRIDGE in modalias)


def _is_absent(state: State, evidence: tuple[Evidence, ...]) -> bool:
    return state is State.BROKEN and all(one.text.endswith(NOT_THERE) for one in evidence)


def _judge_part(
    modalias: str, hardware: Hardware, image: ImageFacts, modules: ModulesFacts
) -> tuple[State, tuple[Evidence, ...]]:
    """Several drivers may answer to one part: it works when one does and none that is there is bad."""
    names = modules.answers.get(modalias, ()) or _built_in(modalias, hardware, modules)
    drivers = [judge_driver(name, image, modules) for name in names]
    if not drivers:
        place = f"{modules.directory}/modules.alias"
        return State.UNKNOWN, (Evidence(path=place, text=f"no driver is known for {modalias}"),)
    proved = _evidence(drivers, State.PROVED)
    if not proved:
        state = State.BROKEN if all(driver.state is State.BROKEN for driver in drivers) else State.UNKNOWN
        return state, _evidence(drivers, state)
    doubtful = [one for driver in drivers if not _is_absent(driver.state, driver.evidence) for one in driver.evidence]
    doubtful = [one for one in doubtful if one not in proved]
    return (State.UNKNOWN, tuple(doubtful)) if doubtful else (State.PROVED, proved)


def _built_in(modalias: str, hardware: Hardware, modules: ModulesFacts) -> tuple[str, ...]:
    """The drivers known to serve a part that are built into this kernel, whose index then has no alias for them."""
    return tuple(name for part, name in hardware.drivers if part == modalias and name in modules.builtin)


def _evidence(drivers: list[Driver], state: State) -> tuple[Evidence, ...]:
    return tuple(one for driver in drivers if driver.state is state for one in driver.evidence)
