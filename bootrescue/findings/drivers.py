"""Whether an image can load a driver on this kernel: the module and all it needs, each as the kernel judges it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bootrescue.boot.model import ImageFacts, ImageModule, ModulesFacts
from bootrescue.findings.model import Evidence, State
from bootrescue.formats.kernel_module import KernelModule, ModuleFault, kernel_message, module_name, vermagic_fits

NOT_THERE = "is not in the image, and not built into the kernel"
# Only a kernel that unpacks modules itself stumbles over it (Linux 5.17 and later, where modprobe leaves it to the
# kernel); elsewhere modprobe unpacks them.
MAY_BE_TAKEN = frozenset({ModuleFault.COMPRESSION_CHECK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What is known of one driver in one image; the evidence is only that which makes the state."""

    state: State
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the kernel makes of one module, and why."""

    state: State
    text: str


def worst(states: Iterable[State]) -> State:
    """One broken part breaks the whole; one unknown part leaves it unknown."""
    found = set(states)
    if State.BROKEN in found:
        return State.BROKEN
    return State.UNKNOWN if State.UNKNOWN in found else State.PROVED


def judge_driver(name: str, image: ImageFacts, modules: ModulesFacts) -> Driver:
    """Follow a module's needs through the image: proved when each is built in, or there and loadable."""
    evidence: dict[State, list[Evidence]] = {state: [] for state in State}
    pending = [module_name(name)]
    seen: set[str] = set()
    while pending:
        wanted = pending.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        copies = _copies(wanted, image, modules)
        state, found = _judge_name(wanted, copies, image, modules)
        evidence[state] += found
        for copy in copies:
            pending.extend(module_name(need) for need in copy.module.depends)
            evidence[State.UNKNOWN] += _unmet_before(copy, image, modules)
    state = worst(state for state in State if evidence[state])
    return Driver(state=state, evidence=tuple(evidence[state]))


def _copies(name: str, image: ImageFacts, modules: ModulesFacts) -> list[ImageModule]:
    return [copy for copy in image.modules_for(modules.release) if copy.name == name]


def _judge_name(
    name: str, copies: list[ImageModule], image: ImageFacts, modules: ModulesFacts
) -> tuple[State, list[Evidence]]:
    """The verdict on one module. Where copies disagree, the image's modules.dep decides, which is not read."""
    if name in modules.builtin:
        return State.PROVED, [Evidence(path=f"{modules.directory}/modules.builtin", text=f"{name} is built in")]
    if not copies:
        state = State.BROKEN if modules.builtin_known else State.UNKNOWN
        return state, [Evidence(path=str(image.path), text=f"{name} {NOT_THERE}")]
    opinions = [judge_module(copy.module, modules) for copy in copies]
    states = {opinion.state for opinion in opinions}
    state = states.pop() if len(states) == 1 else State.UNKNOWN
    told = zip(copies, opinions, strict=True)
    return state, [Evidence(path=inside(copy), text=opinion.text) for copy, opinion in told]


def _unmet_before(copy: ImageModule, image: ImageFacts, modules: ModulesFacts) -> list[Evidence]:
    """What a module wants loaded before it and nothing in the image answers to: it may do without, or not."""
    carried = {found.name for found in image.modules_for(modules.release)} | modules.builtin
    return [
        Evidence(path=inside(copy), text=f"{copy.name} asks for {wanted} before it, which {NOT_THERE}")
        for wanted in copy.needed_before
        if not carried & {module_name(wanted), *modules.answers.get(wanted, ())}
    ]


def judge_module(module: KernelModule, modules: ModulesFacts) -> Opinion:
    """What the kernel makes of a module's bytes. Proved means: nothing in them speaks against it."""
    message = kernel_message(module)
    if module.faults:
        state = State.UNKNOWN if set(module.faults) <= MAY_BE_TAKEN else State.BROKEN
        text = f"the kernel would say: {message}" if message else f"the kernel does not load it: {module.faults[0]}"
        return Opinion(state=state, text=text)
    usual = usual_vermagic(modules)
    if usual and not vermagic_fits(module.vermagic, usual, module.has_versions):
        text = f"{module.name}: version magic '{module.vermagic}' should be '{usual}'"
        return Opinion(state=State.BROKEN, text=f"the kernel would say: {text}")
    built_for = module.vermagic.partition(" ")[0]
    if built_for != modules.release:
        text = f"{module.name} was built for kernel {built_for}; whether {modules.release} takes it is not known"
        return Opinion(state=State.UNKNOWN, text=text)
    return Opinion(state=State.PROVED, text=f"{module.name} is there and loadable")


def usual_vermagic(modules: ModulesFacts) -> str:
    """The version magic that most installed modules built for this kernel carry; empty when there is none."""
    votes = Counter(
        found.module.vermagic for found in modules.installed if found.module.vermagic.startswith(modules.release + " ")
    )
    return votes.most_common(1)[0][0] if votes else ""


def inside(copy: ImageModule) -> str:
    """How a file inside an image is named in evidence."""
    return f"{copy.image}!{copy.path}"


def refused_modules(image: ImageFacts, modules: ModulesFacts) -> dict[str, Evidence]:
    """The modules of an image that the kernel would refuse, by name."""
    refused = {}
    for copy in image.modules_for(modules.release):
        opinion = judge_module(copy.module, modules)
        if opinion.state is State.BROKEN:
            refused[copy.name] = Evidence(path=inside(copy), text=opinion.text)
    return refused
