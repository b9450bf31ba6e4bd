"""Makes a root tree an installed machine: its names, its init, and the token by which a boot is believed."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.machine import identity

ARRIVAL_MARK = "bootrescue-lab-token"

# /etc/inittab in the plain form of sysvinit: a boot proof may add a line of its own to it.
INITTAB = """\
# The default runlevel.
id:3:initdefault:

# System initialization.
si::sysinit:/etc/init.d/lab-start

# What to do when CTRL-ALT-DEL is pressed.
ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now

# What the machine is for.
tk:2345:once:/usr/local/sbin/lab-token
"""

START_SCRIPT = """\
#!/bin/sh
# Mounts what every later step expects.
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /run || mount -t tmpfs -o mode=0755 tmpfs /run
mount -o remount,rw /
hostname -F /etc/hostname
echo "lab-start: root is $(findmnt -n -o SOURCE,FSTYPE,OPTIONS /)"
"""

# The sleep holds the line open until the serial port has sent it.
TOKEN_SCRIPT = f"""\
#!/bin/sh
# Tells the host, with the token it chose for this boot, that this system's own init is running.
token=$(cat /sys/class/dmi/id/product_serial)
line="{ARRIVAL_MARK} $token $(uname -r) $(findmnt -n -o SOURCE /)"
echo "$line"
echo "$line" >/dev/ttyS1
sleep 2
"""

ARRIVAL_UNIT = """\
[Unit]
Description=Tell the host that this boot arrived
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lab-token
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The names of one installed system."""

    machine: str
    hostname: str
    fstab: str

    @property
    def machine_id(self) -> str:
        """Return the fixed content of /etc/machine-id."""
        return identity(self.machine, "machine-id").hex


def configure(root: Path, who: Identity) -> None:
    """Write the machine's names and the token script."""
    _write(root / "etc/hostname", who.hostname + "\n")
    _write(root / "etc/machine-id", who.machine_id + "\n")
    _write(root / "etc/fstab", who.fstab)
    _write(root / "etc/resolv.conf", "")
    _write(root / "usr/local/sbin/lab-token", TOKEN_SCRIPT, mode=0o755)


def use_sysvinit(root: Path) -> None:
    """Let sysvinit start the machine with two short scripts instead of a distribution's forty."""
    _write(root / "etc/inittab", INITTAB)
    _write(root / "etc/init.d/lab-start", START_SCRIPT, mode=0o755)


def use_systemd(root: Path) -> None:
    """Let systemd write the token; what a lab machine needs least and waits for most is masked."""
    units = root / "etc/systemd/system"
    _write(units / "lab-token.service", ARRIVAL_UNIT)
    wants = units / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "lab-token.service").symlink_to("/etc/systemd/system/lab-token.service")
    for name in MASKED_UNITS:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")


MASKED_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "boot-efi.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "serial-getty@ttyS0.service",
    "systemd-binfmt.service",
    "systemd-hwdb-update.service",
    "systemd-journal-flush.service",
    "systemd-networkd.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-rfkill.service",
    "systemd-timesyncd.service",
    "systemd-update-utmp.service",
)


def _write(path: Path, content: str, *, mode: int = 0o644) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
