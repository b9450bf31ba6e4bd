"""image examine and image list: what is in one image file. Needs no root, writes nothing."""

from pathlib import Path, PurePosixPath

from bootrescue.boot.images import ModuleCache, examine_image
from bootrescue.errors import BadInputError
from bootrescue.filesystems.access import confined_tree
from bootrescue.report.judging import image_document
from bootrescue.report.model import ImageDocument


def examine(name: str) -> ImageDocument:
    """Examine an image file of this machine; a damaged one is described, not refused.

    Raises:
        BadInputError: there is no such file, or it is no file.
    """
    path = Path(name).resolve()
    tree = confined_tree(path.parent)
    try:
        facts = examine_image(tree, PurePosixPath("/") / path.name, ModuleCache())
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=name) from error
    return image_document(facts, name)
