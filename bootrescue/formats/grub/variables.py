"""What is known about GRUB's variables while a script is walked.

Sources: grub-core/kern/env.c, grub-core/normal/context.c and the list `features` in grub-core/normal/main.c of
GRUB 2.06.
"""

from collections.abc import Iterable, Mapping

from bootrescue.formats.grub.words import MAX_WORD_CHARACTERS, Expanded

FEATURES = frozenset(
    f"feature_{name}"
    for name in (
        "chainloader_bpb",
        "ntldr",
        "platform_search_hint",
        "default_font_path",
        "all_video_module",
        "menuentry_id",
        "menuentry_options",
        "200_final",
        "nativedisk_cmd",
        "timeout_style",
    )
)
SET_BY_GRUB = frozenset(
    (
        "?",
        "root",
        "prefix",
        "cmdpath",
        "config_file",
        "config_directory",
        "grub_platform",
        "grub_cpu",
        "chosen",
        "lang",
        "locale_dir",
        "fw_path",
        "lockdown",
        "shim_lock",
        "secureboot",
        "bootable",
        "net_default_server",
        "net_default_interface",
        "net_default_ip",
        "net_default_mac",
        "pxe_default_server",
        "btrfs_subvol",
        "biosnum",
    )
)
"""Variables that GRUB or its commands set by themselves: unset in the script does not mean empty."""

_EXPORTED_BY_GRUB = frozenset(
    (
        "root",
        "prefix",
        "pager",
        "color_normal",
        "color_highlight",
        "grub_cpu",
        "grub_platform",
        "lang",
        "net_default_server",
        "cmdpath",
        "config_file",
        "config_directory",
        "chosen",
    )
)

UNKNOWN = Expanded(text="", known=False)


class Variables:
    """The variables of one context, in layers: a layer is opened for each arm that may or may not run."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Begin with the variables that GRUB sets itself, as far as the caller knows them."""
        first: dict[str, Expanded | None] = dict.fromkeys(FEATURES, Expanded(text="y", known=True))
        first |= dict.fromkeys(SET_BY_GRUB, UNKNOWN)
        first |= {name: Expanded(text=value, known=True) for name, value in given.items()}
        self._layers = [first]
        self._exported: set[str] = set(FEATURES | _EXPORTED_BY_GRUB)
        self._contexts: list[int] = []

    def value(self, name: str) -> Expanded | None:
        """Give a variable's value; None when it is not set at all."""
        lowest = 0
        if self._contexts and name not in self._exported:
            lowest = self._contexts[-1]
        for layer in reversed(self._layers[lowest:] if lowest else self._layers):
            if name in layer:
                return layer[name]
        return None

    def assign(self, name: str, value: Expanded | None) -> None:
        """Set a variable, or unset it with None."""
        if value is not None and len(value.text) > MAX_WORD_CHARACTERS:
            value = UNKNOWN
        self._layers[-1][name] = value

    def export(self, name: str) -> None:
        """Let a variable be seen in the submenus opened later."""
        self._exported.add(name)

    def open_layer(self) -> None:
        """Keep the assignments that follow apart until `close_layer`."""
        self._layers.append({})

    def close_layer(self) -> dict[str, Expanded | None]:
        """Forget the assignments since `open_layer` and give them."""
        return self._layers.pop()

    def open_context(self) -> None:
        """Enter a submenu: only exported variables are seen in it, and what it sets is lost behind it."""
        self._contexts.append(len(self._layers))
        self._layers.append({})

    def close_context(self) -> None:
        """Leave the submenu."""
        del self._layers[self._contexts.pop() :]

    def merge(self, arms: Iterable[Mapping[str, Expanded | None]]) -> None:
        """Take the outcome of arms of which one will run: what they do not agree on becomes unknown."""
        arms = tuple(arms)
        for name in {name for arm in arms for name in arm}:
            before = self.value(name)
            values = {arm.get(name, before) for arm in arms}
            self.assign(name, values.pop() if len(values) == 1 else UNKNOWN)
