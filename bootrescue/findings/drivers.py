"""Whether an image can load a driver on this kernel: the module and all it needs, each as the kernel judges it."""

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bootrescue.boot.model import ImageFacts, ImageModule, ModulesFacts
from bootrescue.findings.model import Evidence, State
from bootrescue.formats.kernel_module import kernel_message, module_name, vermagic_fits

# modules.dep of real kernels goes six deep; a circle in damaged data must end.
MOST_NEEDED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What is known of one driver in one image."""

    name: str
    state: State
    evidence: tuple[Evidence, ...]


def judge_driver(name: str, image: ImageFacts, modules: ModulesFacts) -> Driver:
    """Follow a module's needs through the image: proved when each is built in, or there and loadable."""
    evidence: list[Evidence] = []
    state = State.PROVED
    pending = [module_name(name)]
    seen: set[str] = set()
    while pending and len(seen) < MOST_NEEDED:
        wanted = pending.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        if wanted in modules.builtin:
            evidence.append(Evidence(path=f"{modules.directory}/modules.builtin", text=f"{wanted} is built in"))
            continue
        copy = image.module(wanted)
        refusal = missing(wanted, image) if copy is None else judge_module(copy, image, modules)
        if refusal is not None:
            evidence.append(refusal)
            state = State.BROKEN
        if copy is not None:
            pending.extend({module_name(need) for need in copy.module.depends if need})
            if refusal is None:
                evidence.append(Evidence(path=inside(image, copy.path), text=f"{wanted} is there and loadable"))
    return Driver(name=name, state=state, evidence=tuple(evidence))


def missing(name: str, image: ImageFacts) -> Evidence:
    """The evidence that a module is not in an image."""
    return Evidence(path=str(image.path), text=f"{name}.ko is not in the image, and not built into the kernel")


def judge_module(copy: ImageModule, image: ImageFacts, modules: ModulesFacts) -> Evidence | None:
    """Why the kernel would refuse a module; None when nothing speaks against it."""
    message = kernel_message(copy.module)
    if message:
        return Evidence(path=inside(image, copy.path), text=f"the kernel would say: {message}")
    witness = usual_vermagic(modules)
    if witness and copy.module.vermagic and not vermagic_fits(copy.module.vermagic, witness, has_versions=True):
        text = f"{copy.module.name}: version magic '{copy.module.vermagic}' should be '{witness}'"
        return Evidence(path=inside(image, copy.path), text=f"the kernel would say: {text}")
    return None


def usual_vermagic(modules: ModulesFacts) -> str:
    """The version magic that most installed modules of this kernel carry; empty when none is installed."""
    votes = Counter(found.module.vermagic for found in modules.installed if found.module.vermagic)
    return votes.most_common(1)[0][0] if votes else ""


def inside(image: ImageFacts, name: str) -> str:
    """How a file inside an image is named in evidence."""
    return f"{image.path}!{name}"


def drivers_for(modalias: str, modules: ModulesFacts) -> tuple[str, ...]:
    """The modules, or built-in parts, that answer to a modalias, as modprobe would resolve it."""
    return tuple(sorted({module_name(name) for pattern, name in modules.aliases if fnmatchcase(modalias, pattern)}))
