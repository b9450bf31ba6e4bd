"""What stands between the processor and a disk."""

from pathlib import Path

from bootrescue.devices.hardware import QEMU_VIRTIO_DISK, hardware_of


def test_each_part_is_told_with_the_driver_that_serves_it_here(tmp_path: Path) -> None:
    bus = tmp_path / "pci0000:00/0000:00:02.0"
    disk = bus / "virtio1"
    disk.mkdir(parents=True)
    (bus / "modalias").write_text("pci:v00001AF4d00001042\n", encoding="ascii")
    (disk / "modalias").write_text("virtio:d00000002v00001AF4\n", encoding="ascii")
    for place, name in ((bus, "virtio-pci"), (disk, "virtio_blk")):
        (tmp_path / name).mkdir()
        (place / "driver").symlink_to(tmp_path / name)
    (tmp_path / "modules/virtio_blk").mkdir(parents=True)
    (tmp_path / "virtio_blk/module").symlink_to(tmp_path / "modules/virtio_blk")

    found = hardware_of(str(disk))

    assert found.modaliases == ("virtio:d00000002v00001AF4", "pci:v00001AF4d00001042")
    assert dict(found.drivers) == {
        "virtio:d00000002v00001AF4": "virtio_blk",
        "pci:v00001AF4d00001042": "virtio_pci",
    }
    assert not found.assumed


def test_a_device_without_hardware_is_judged_like_an_image(tmp_path: Path) -> None:
    assert hardware_of(str(tmp_path)) == QEMU_VIRTIO_DISK
