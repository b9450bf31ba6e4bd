"""Make a module index anew by this machine's depmod, on an overlay: the directory itself is only read."""

from pathlib import Path
from typing import Final

from bootrescue.errors import BadInputError
from bootrescue.host.host import Host
from bootrescue.host.mounts import overlaid
from bootrescue.host.runner import run

# depmod(8): every file of the index begins so
INDEX_PREFIX: Final = "modules."


def rebuilt_index(host: Host, modules_directory: Path, release: str) -> dict[str, bytes]:
    """The files of the index as depmod would write them, by name; unchanged ones among them.

    Raises:
        BadInputError: depmod found no module: an empty index would do harm.
        MachineLacksError: depmod or overlay mounts are missing here.
    """
    view = overlaid(host, modules_directory)
    tree = host.new_directory("depmod")
    modules = tree / "lib" / "modules" / release
    modules.parent.mkdir(parents=True)
    modules.symlink_to(view)
    run(["depmod", "--basedir", str(tree), release])
    index = {
        path.name: path.read_bytes()
        for path in sorted(view.iterdir())
        if path.name.startswith(INDEX_PREFIX) and path.is_file() and not path.is_symlink()
    }
    if not index.get("modules.dep"):
        raise BadInputError("depmod found no modules; its result is not used", where=str(modules_directory))
    return index
