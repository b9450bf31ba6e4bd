"""Keeps what was built: an artefact is found again by the hash of everything that went into it."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LAB = Path(__file__).resolve().parent


def cache_root() -> Path:
    """Where artefacts live: outside the source tree, and elsewhere if the environment says so."""
    return Path(os.environ.get("BOOTRESCUE_LAB_CACHE", "/var/cache/bootrescue-lab"))


def recipe_key(*, sources: tuple[str, ...], parameters: tuple[str, ...]) -> str:
    """Hash the builder's own source files and its parameters: a changed recipe is another artefact."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(hashlib.sha256((LAB / source).read_bytes()).digest())
    for parameter in parameters:
        digest.update(hashlib.sha256(parameter.encode()).digest())
    return digest.hexdigest()[:20]


def artefact(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the artefact's directory, building it first if nobody has; builders wait for one another."""
    root = cache_root()
    target = root / f"{kind}-{key}"
    if target.is_dir():
        return target
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / f"{kind}.lock"):
        if target.is_dir():
            return target
        unfinished = Path(tempfile.mkdtemp(prefix=f"{kind}-unfinished-", dir=root))
        try:
            build(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(target)
        except BaseException:
            shutil.rmtree(unfinished)
            raise
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
