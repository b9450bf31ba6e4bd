"""The lab by hand: build a machine, boot an image, break an image."""

import argparse
import sys
from pathlib import Path

from tests.lab.breaks import BREAKS
from tests.lab.build import MACHINES, build
from tests.lab.commands import LabError
from tests.lab.dirty import dirty
from tests.lab.machine import Firmware, machine_of
from tests.lab.qemu import boot


def main() -> int:
    """Do what the command line says; the exit status is 1 if the machine did not boot or something failed."""
    arguments = _parser().parse_args()
    try:
        if arguments.verb == "build":
            return _build(arguments.machine, arguments.output)
        if arguments.verb == "boot":
            return _boot(arguments.image, arguments.firmware)
        return _break(arguments.image, arguments.kind)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("build", help="build a machine, or take it from the cache")
    verb.add_argument("machine", choices=MACHINES)
    verb.add_argument("-o", "--output", type=Path, help="copy the disk to this file")
    verb = verbs.add_parser("boot", help="boot an image on an overlay and show its console")
    verb.add_argument("image", type=Path)
    verb.add_argument("--firmware", choices=[mode.value for mode in Firmware], default=Firmware.BIOS.value)
    verb = verbs.add_parser("break", help="break an image that `build -o` made")
    verb.add_argument("image", type=Path)
    verb.add_argument("kind", choices=(*BREAKS, "dirty"))
    return parser


def _build(name: str, output: Path | None) -> int:
    machine = build(name)
    if output is not None:
        machine = machine.copy_to(output)
    print(machine.disk)
    return 0


def _boot(image: Path, firmware: str) -> int:
    result = boot(image, firmware)
    print(result.console)
    print(f"{'booted' if result.reached else 'did not boot'} after {result.seconds:.0f} s: {result.reason}")
    return 0 if result.reached else 1


def _break(image: Path, kind: str) -> int:
    machine = machine_of(image)
    if kind == "dirty":
        print(*dirty(machine), sep="\n")
        return 0
    done = BREAKS[kind](machine)
    for change in done.changes:
        print(f"{change.path}\n  before {change.before}\n  after  {change.after}")
    print(f"the good image is {done.backup}; the console will say {' or '.join(done.console)}")
    return 0


sys.exit(main())
