"""Kernels by release: image and modules, or half of it."""

from pathlib import PurePosixPath

from bootrescue.systems.kernels import collect_kernels
from bootrescue.systems.model import Kernel
from tests.builders import debian, memory
from tests.image_builders import bzimage


def test_an_image_and_its_modules_meet_by_release() -> None:
    assert collect_kernels(memory(debian())) == (
        Kernel(
            release="6.1.0-18-amd64",
            image=PurePosixPath("/boot/vmlinuz-6.1.0-18-amd64"),
            modules_directory=PurePosixPath("/lib/modules/6.1.0-18-amd64"),
        ),
    )


def test_half_a_kernel_is_one_too() -> None:
    files = debian(("6.1.0-9", "6.1.0-18", "6.1.0-20"))
    del files["/boot/vmlinuz-6.1.0-9"], files["/lib/modules/6.1.0-20/modules.dep"]
    found = collect_kernels(memory(files))
    assert [kernel.release for kernel in found] == ["6.1.0-9", "6.1.0-18", "6.1.0-20"]
    assert [kernel.image is None for kernel in found] == [True, False, False]
    assert [kernel.modules_directory is None for kernel in found] == [False, False, True]


def test_the_banner_counts_not_the_name() -> None:
    files = debian(()) | {"/boot/vmlinuz-6.0": bzimage("5.5.5 (x) #1"), "/boot/vmlinuz-old": bzimage("6.0 (x) #1")}
    assert {kernel.release: str(kernel.image) for kernel in collect_kernels(memory(files))} == {
        "5.5.5": "/boot/vmlinuz-6.0",
        "6.0": "/boot/vmlinuz-old",
    }


def test_a_copy_does_not_hide_the_image_that_is_named_so() -> None:
    files = debian() | {
        "/boot/vmlinuz-6.1.0-18-amd64.bak": bzimage("6.1.0-18-amd64 (x) #1"),
        "/boot/vmlinuz-0": bzimage("6.1.0-18-amd64 (x) #1"),
    }
    assert [str(kernel.image) for kernel in collect_kernels(memory(files))] == ["/boot/vmlinuz-6.1.0-18-amd64"]


def test_what_is_no_kernel_is_passed_over() -> None:
    files = debian(()) | {"/boot/vmlinuz-x": b"text", "/boot/vmlinuz-y": b"", "/lib/modules/file": b""}
    assert collect_kernels(memory(files)) == ()
