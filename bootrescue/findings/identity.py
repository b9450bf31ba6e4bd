"""Whether an image was made for this machine: the devices that it waits for, and the names that it carries."""

import re
from typing import Final

from bootrescue.boot.model import BootChain, ImageFacts
from bootrescue.findings.model import Evidence, Link, State

# dracut writes one such file for each device that the machine needs (modules.d/99base/dracut-lib.sh, dracut 059:
# wait_for_dev); early user space waits until all of them are there.
WAITED_FOR: Final = re.compile(r"devexists-(?P<device>[^/]+)\.sh$")
ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
BY_UUID: Final = "/dev/disk/by-uuid/"
ROOT_ARGUMENT: Final = re.compile(r"(?:^|\s)root=(?:block:)?(?:UUID=|/dev/disk/by-uuid/)([0-9A-Fa-f-]+)")


def identity_link(chain: BootChain, image: ImageFacts) -> Link:
    """Compare the file systems that an image names with those on this machine's disks."""
    here = {found.uuid.lower() for found in chain.file_systems if found.uuid}
    strange = [
        Evidence(path=f"{image.path}!{name}", text=f"waits for the file system {uuid}, which is not on this machine")
        for name, uuid in waited_for(image)
        if uuid.lower() not in here
    ]
    if strange:
        state = State.BROKEN if chain.sees_all else State.UNKNOWN
        return Link(link="identity", state=state, evidence=tuple(strange))
    named = [
        Evidence(path=f"{image.path}!{name}", text=f"its own command line has the root {uuid}, which is not here")
        for name, uuid in embedded_roots(image)
        if uuid.lower() not in here
    ]
    if named:
        return Link(link="identity", state=State.UNKNOWN, evidence=tuple(named))
    ours = [uuid for _, uuid in (*waited_for(image), *embedded_roots(image))]
    text = f"names this machine's file system {ours[0]}" if ours else "names no machine"
    return Link(link="identity", state=State.PROVED, evidence=(Evidence(path=str(image.path), text=text),))


def waited_for(image: ImageFacts) -> list[tuple[str, str]]:
    """(file name in the image, file-system UUID) for each device that dracut's early user space waits for."""
    found = []
    for name in sorted(image.names):
        match = WAITED_FOR.search(name)
        if match is None:
            continue
        device = ESCAPED.sub(lambda code: chr(int(code[1], 16)), match["device"])
        if device.startswith(BY_UUID):
            found.append((name, device.removeprefix(BY_UUID)))
    return found


def embedded_roots(image: ImageFacts) -> list[tuple[str, str]]:
    """(file name in the image, file-system UUID) for each root= in a command line kept inside the image."""
    found = []
    for name, text in sorted(image.texts.items()):
        if name.startswith("etc/cmdline"):
            found += [(name, uuid) for uuid in ROOT_ARGUMENT.findall(text.decode(errors="replace"))]
    return found
