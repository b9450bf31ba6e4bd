"""The witness: what is put into the overlay for each init, and which inits none is known for."""

from pathlib import Path

import pytest

from bootrescue.errors import MachineLacksError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.verification.witness import place

TOKEN = "0123456789abcdef"  # noqa: S105 -- says that one boot was that boot, and opens nothing
INITTAB = "id:3:initdefault:\nsi::sysinit:/etc/init.d/rcS\n"


def tree(top: Path, init: str, inittab: str | None = None) -> ConfinedRoot:
    """A root whose /sbin/init leads to a program, by absolute links as distributions have them."""
    program = top / init.lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF")
    (top / "etc").mkdir(exist_ok=True)
    (top / "sbin").mkdir(exist_ok=True)
    if not (top / "sbin/init").exists():
        (top / "sbin/init").symlink_to(init)
    if inittab is not None:
        (top / "etc/inittab").write_text(inittab, encoding="utf-8")
        (top / "etc/inittab").chmod(0o640)
    return ConfinedRoot(path=top)


def test_systemd_starts_it_by_a_link_from_its_basic_target(tmp_path: Path) -> None:
    root = tree(tmp_path, "/lib/systemd/systemd", INITTAB)
    assert place(root, TOKEN) == "systemd"
    unit = tmp_path / "etc/systemd/system/bootrescue-witness.service"
    wish = tmp_path / "etc/systemd/system/basic.target.wants/bootrescue-witness.service"
    assert str(wish.readlink()) == "/etc/systemd/system/bootrescue-witness.service"
    assert "ExecStart=/bin/sh /etc/bootrescue-witness\n" in unit.read_text(encoding="utf-8")
    script = tmp_path / "etc/bootrescue-witness"
    assert TOKEN in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111
    assert (tmp_path / "etc/inittab").read_text(encoding="utf-8") == INITTAB


@pytest.mark.parametrize("table", [INITTAB, INITTAB.rstrip("\n"), ""])
def test_sysvinit_gets_one_line_more(table: str, tmp_path: Path) -> None:
    root = tree(tmp_path, "/sbin/init", table)
    assert place(root, TOKEN) == "sysvinit"
    lines = (tmp_path / "etc/inittab").read_text(encoding="utf-8").splitlines()
    assert lines == [*table.splitlines(), "br:2345:once:/bin/sh /etc/bootrescue-witness"]
    assert (tmp_path / "etc/inittab").stat().st_mode & 0o777 == 0o640


def test_busybox_gets_a_line_without_a_terminal(tmp_path: Path) -> None:
    root = tree(tmp_path, "/bin/busybox", "::sysinit:/etc/init.d/rcS\n")
    assert place(root, TOKEN) == "busybox"
    lines = (tmp_path / "etc/inittab").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "::once:/bin/sh /etc/bootrescue-witness"


@pytest.mark.parametrize("init", ["/sbin/openrc-init", "/usr/bin/runit-init", "/usr/bin/dinit"])
def test_an_inittab_that_its_init_does_not_read_is_no_help(init: str, tmp_path: Path) -> None:
    with pytest.raises(MachineLacksError, match="no witness is known"):
        place(tree(tmp_path, init, INITTAB), TOKEN)
    assert not (tmp_path / "etc/bootrescue-witness").exists()


def test_upstart_is_called_init_too(tmp_path: Path) -> None:
    root = tree(tmp_path, "/sbin/init", INITTAB)
    (tmp_path / "etc/init").mkdir()
    (tmp_path / "etc/init/rc.conf").touch()
    with pytest.raises(MachineLacksError, match="no witness is known"):
        place(root, TOKEN)


@pytest.mark.parametrize("init", ["/sbin/init", "/bin/busybox"])
def test_no_inittab(init: str, tmp_path: Path) -> None:
    with pytest.raises(MachineLacksError, match="no witness is known"):
        place(tree(tmp_path, init), TOKEN)


def test_no_init(tmp_path: Path) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/init").symlink_to("/nowhere")
    with pytest.raises(MachineLacksError, match="no /sbin/init"):
        place(ConfinedRoot(path=tmp_path), TOKEN)
