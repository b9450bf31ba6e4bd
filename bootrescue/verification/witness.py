"""The witness: a small script put into the overlay only, by which the machine's own init says that it is up.

It lies on the root file system and is started by init, so its word means: this root was mounted, and init has reached
its base target. It says a token chosen for this one boot on the second serial port.
"""

from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import make_directories as make_private_directories
from bootrescue.host.durable import make_link, replace
from bootrescue.host.reading import read_attributes, read_chunks

SCRIPT: Final = PurePosixPath("/etc/bootrescue-witness")
UNIT: Final = PurePosixPath("/etc/systemd/system/bootrescue-witness.service")
WANTS: Final = PurePosixPath("/etc/systemd/system/basic.target.wants/bootrescue-witness.service")
INITTAB: Final = PurePosixPath("/etc/inittab")
PORT: Final = "/dev/ttyS1"
SAID: Final = "bootrescue-witness"
PROGRAM: Final = Attributes(mode=0o755)

# What init's real name says of the table it reads: busybox's first field is a terminal, and it knows no runlevels
# (init/init.c, parse_inittab); sysvinit's is a label (inittab(5)).
INITTAB_LINES: Final = {
    "busybox": f"::once:/bin/sh {SCRIPT}\n",
    "init": f"br:2345:once:/bin/sh {SCRIPT}\n",
}
# Upstart's /sbin/init is called init too; it reads of an inittab no more than the runlevel
UPSTART: Final = PurePosixPath("/etc/init/rc.conf")

# systemd.unit(5): a target is ordered after all it wants, which would be a circle here; DefaultDependencies=no ends it
UNIT_TEXT: Final = f"""[Unit]
Description=Tell bootrescue that this machine is up
DefaultDependencies=no
After=basic.target

[Service]
Type=oneshot
ExecStart=/bin/sh {SCRIPT}
"""


def place(root: ConfinedRoot, token: str) -> str:
    """Put the witness into a mounted overlay; gives the kind of init that will start it.

    Raises:
        MachineLacksError: no init is there that a witness is known for.
        OSError: the overlay cannot be written to.
    """
    kind = kind_of_init(root)
    script = f"#!/bin/sh\nfor turn in 1 2 3; do\n  echo '{SAID} {token}' > {PORT}\n  sleep 1\ndone\n"
    replace(root, SCRIPT, (script.encode(),), PROGRAM)
    if kind == "systemd":
        make_private_directories(root, WANTS.parent)
        replace(root, UNIT, (UNIT_TEXT.encode(),), Attributes())
        # systemd takes nothing but links for wishes (src/core/load-dropin.c)
        make_link(root, WANTS, str(UNIT))
    else:
        table = b"".join(read_chunks(root, INITTAB))
        end = b"" if table.endswith(b"\n") or not table else b"\n"
        line = INITTAB_LINES["busybox" if kind == "busybox" else "init"].encode()
        replace(root, INITTAB, (table, end, line), read_attributes(root, INITTAB))
    return kind


def kind_of_init(root: ConfinedRoot) -> str:
    """`systemd`, `sysvinit` or `busybox`, by where /sbin/init leads and what it reads.

    Raises:
        MachineLacksError: it is another one, or there is none.
    """
    try:
        init = root.real_name(PurePosixPath("/sbin/init"))
    except OSError as error:
        raise MachineLacksError("there is no /sbin/init to start a witness", where="/sbin/init") from error
    if init.name == "systemd":
        return "systemd"
    if init.name not in INITTAB_LINES or not _is_there(root, INITTAB) or _is_there(root, UPSTART):
        raise MachineLacksError(f"no witness is known for the init {init}", where=str(init))
    return "sysvinit" if init.name == "init" else "busybox"


def _is_there(root: ConfinedRoot, path: PurePosixPath) -> bool:
    try:
        root.real_name(path)
    except OSError:
        return False
    return True
