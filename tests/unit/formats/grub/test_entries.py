"""The menu that a configuration makes, compared with what grub-emu 2.06 made of the same text."""

from dataclasses import replace

import pytest

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.entries import GrubEntry, GrubMenu, default_entry, read_menu
from bootrescue.formats.grub.tree import parse

NESTED = b"""menuentry '0a' { linux zero
}
menuentry '1 b' { linux one
}
menuentry 'c' --id 'idc' { linux two
}
submenu S --id SS { menuentry 'Q>R' --id qr { linux q
}
 menuentry Z { linux z
}
}
"""


def menu_of(text: bytes, **environment: str) -> GrubMenu:
    return read_menu(parse(text), environment=environment)


def entry_of(body: bytes, **environment: str) -> GrubEntry:
    return menu_of(b"menuentry T {\n" + body + b"\n}\n", **environment).entries[0]


@pytest.mark.parametrize(
    ("default", "kernel"),
    [
        ("SS>Z", "z"),
        ("S>Q>>R", "q"),
        ("S>qr", "q"),
        ("3", "q"),
        ("3>1", "z"),
        ("3>nope", "q"),
        (">1", "zero"),
        ("3> 1", "z"),
        ("SS", "q"),
        ("S>9", "q"),
        (" 1", "one"),
        ("+1", "zero"),
        ("c", "two"),
        ("idc", "two"),
        ("1>7", "one"),
        ("1 b", "one"),
        ("0x1", "one"),
        ("08", "zero"),
        ("99999999999999999999", "zero"),
        ("nope", "zero"),
        (None, "zero"),
    ],
)
def test_the_default_is_found_as_grub_finds_it(default: str | None, kernel: str) -> None:
    entry = default_entry(replace(menu_of(NESTED), default=default))
    assert entry is not None
    assert entry.kernel == kernel


def test_places_and_submenus() -> None:
    menu = menu_of(NESTED)
    assert [(entry.index_path, entry.submenu) for entry in menu.entries] == [
        ("0", ()),
        ("1", ()),
        ("2", ()),
        ("3>0", ("S",)),
        ("3>1", ("S",)),
    ]
    assert [entry.line for entry in menu.entries] == [1, 3, 5, 7, 9]


@pytest.mark.parametrize(
    ("text", "default", "kernel"),
    [
        (b"x=1\nmenuentry T { linux a$x\n}\nx=2\n", "0", "a2"),
        (b"x=1\nsubmenu S { menuentry T { linux a$x\n}\n}\n", "0", "a"),
        (b"x=1\nexport x\nsubmenu S { menuentry T { linux a$x\n}\n}\n", "0", "a1"),
        (b'function f { menuentry "F $1" { linux $1\n}\n}\nf one\nf two\n', "1", "F"),
        (b"for i in a b; do menuentry $i { linux $i\n}\ndone\n", "1", "b"),
        (b"function f { linux $2 $1; }\nmenuentry T { f a b\n}\n", "0", "b"),
        (b"function f { if [ $1 = a ]; then linux A; return; fi; linux B; }\nmenuentry T { f a\n}\n", "0", "A"),
        (b"function f { shift; linux $1; }\nmenuentry T { f a b\n}\n", "0", "b"),
        (b"menuentry T {\nif [ a = b -o c = c ]; then linux yes; else linux no; fi\n}\n", "0", "yes"),
        (b"menuentry T {\nif [ ! a = a ]; then linux a; elif true; then linux b; else linux c; fi\n}\n", "0", "b"),
        (b"menuentry T {\nif [ ( a = b -o c = c ) -a -n x ]; then linux yes; else linux no; fi\n}\n", "0", "yes"),
        (b"menuentry T {\nif [ vmlinuz-2 -plt vmlinuz-11 ]; then linux yes; else linux no; fi\n}\n", "0", "yes"),
        (b"menuentry T {\nif [ 10 -gt 9 ]; then linux yes; else linux no; fi\n}\n", "0", "yes"),
        (b'menuentry T {\nif test -z "$q"; then linux yes; else linux no; fi\n}\n', "0", "yes"),
        (b"menuentry T {\nif ! false; then linux yes; fi\n}\n", "0", "yes"),
        (b"set s=16; c=linux\nmenuentry A {\n$c /k\n}\nmenuentry B {\nlinux$s /l\n}\n", "1", "/l"),
        (b"\xef\xbb\xbfset x=1\nmenuentry T {\nlinux /k$x\n}\n", "0", "/k"),
        (b"menuentry T {\r\n linux /k a\r\n}\r\n", "0", "/k"),
        (b"submenu { menuentry A { linux a\n}\n}\nmenuentry U { linux u\n}\n", "0", "u"),
        (b"menuentry --class x 'late title' --id z { linux a\n}\n", "z", "a"),
        (b"if true; then\nfunction f { true; }\nfi\nmenuentry U { linux u\n}\n", "0", "u"),
    ],
)
def test_the_script_is_followed(text: bytes, default: str, kernel: str) -> None:
    entry = default_entry(replace(menu_of(text), default=default))
    assert entry is not None
    assert entry.kernel == kernel


def test_saved_and_next_entry_come_from_the_environment_block() -> None:
    head = b"""if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
elif [ "${saved_entry}" ]; then
   set default="${saved_entry}"
else
   set default="2"
fi
"""
    assert menu_of(head, saved_entry="c").default == "c"
    assert menu_of(head, saved_entry="c", next_entry="SS>Z").default == "SS>Z"
    assert menu_of(head).default == "2"


def test_an_unknown_default_is_named_and_not_guessed() -> None:
    menu = menu_of(b"set default=$root\n" + NESTED)
    assert (menu.default, menu.default_known) == ("$root", False)
    assert default_entry(menu) is None


def test_both_arms_of_an_unknown_condition_are_listed() -> None:
    menu = menu_of(b"if [ -f /x ]; then\nmenuentry A { linux a\n}\nelse\nmenuentry B { linux b\n}\nfi\n")
    assert [(entry.title, entry.conditional) for entry in menu.entries] == [("A", True), ("B", True)]
    assert default_entry(menu) is None


def test_arms_that_agree_on_the_root_file_system_leave_it_known() -> None:
    body = b"if [ $grub_platform = efi ]; then search --fs-uuid --set=root %s; else search -u -s root %s; fi\nlinux /k"
    assert entry_of(body % (b"AA-BB", b"AA-BB")).root_uuid == "AA-BB"
    assert entry_of(body % (b"AA-BB", b"CC-DD")).root_uuid == ""
    assert entry_of(body % (b"AA-BB", b"CC-DD"), grub_platform="efi").root_uuid == "AA-BB"


@pytest.mark.parametrize(
    ("search", "uuid"),
    [
        (b"search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt1 --hint='hd0,gpt1'  U-1", "U-1"),
        (b"search --fs-uuid --set U-1", "U-1"),
        (b"search --set=root --fs-uuid U-1 --hint hd0,gpt1", "U-1"),
        (b"search -n -u -s root U-1", "U-1"),
        (b"search.fs_uuid U-1 root hd0,gpt1", "U-1"),
        (b"search --label --set=root BOOT", ""),
        (b"search --fs-uuid --set=other U-1", ""),
        (b"search --fs-uuid --set=root U-1; set root='hd0,gpt2'", ""),
    ],
)
def test_search(search: bytes, uuid: str) -> None:
    assert entry_of(search + b"\nlinux /k").root_uuid == uuid


def test_images_keep_their_order_over_several_lines() -> None:
    entry = entry_of(b"linux /k\ninitrd /ucode.img /a.img $tuned_initrd\ninitrd /b.img")
    assert [word.text for word in entry.initrds] == ["/ucode.img", "/a.img", "/b.img"]
    assert entry.initrd_keyword == "initrd"


def test_an_image_behind_an_unknown_variable_is_not_known() -> None:
    entry = entry_of(b"linux ($root)/k\ninitrd ($root)/a.img /b.img")
    assert [(word.text, word.known) for word in entry.initrds] == [("($root)/a.img", False), ("/b.img", True)]
    assert not entry.kernel_known


def test_what_a_function_sets_reaches_the_command_line() -> None:
    head = b"function gfxmode {\nif [ $1 = keep ]; then set vt_handoff=vt.handoff=7; else set vt_handoff=; fi\n}\n"
    body = b"menuentry T {\ngfxmode $mode\nlinux /k quiet $vt_handoff\n}\n"
    assert menu_of(head + b"mode=keep\n" + body).entries[0].command_line == "quiet vt.handoff=7"
    assert menu_of(head + b"mode=text\n" + body).entries[0].command_line == "quiet"
    unknown = menu_of(head + b"if hwmatch /x; then mode=keep; else mode=text; fi\n" + body).entries[0]
    assert unknown.command_line == "quiet $vt_handoff"
    assert not unknown.arguments[-1].known


def test_multiboot() -> None:
    entry = entry_of(b"multiboot2 /xen.gz dom0\nmodule2 /vmlinuz root=x\nmodule2 --nounzip /initrd.img")
    assert (entry.kernel_keyword, entry.kernel, entry.command_line) == ("multiboot2", "/xen.gz", "dom0")
    assert [word.text for word in entry.modules] == ["/vmlinuz", "/initrd.img"]
    assert [word.text for word in entry.initrds] == ["/initrd.img"]
    assert entry.initrd_keyword == "module2"


def test_two_kernels_under_a_condition_are_a_problem() -> None:
    menu = menu_of(b"menuentry T {\nif [ -f /a ]; then linux /a; else linux /b; fi\n}\n")
    assert menu.entries[0].kernel == "/a"
    assert not menu.entries[0].kernel_known
    assert menu.problems[0].startswith("line 1: ")


def test_users_without_a_value_make_an_entry_for_red_hat_only() -> None:
    menu = menu_of(b"menuentry T --users $grub_users --id X { linux a\n}\n")
    assert [(entry.title, entry.id) for entry in menu.entries] == [("T", "X")]
    assert "Red Hat" in menu.problems[0]


def test_other_files_and_blscfg_are_named() -> None:
    menu = menu_of(b"search.fs_uuid U-1 root\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\nblscfg\n")
    file = menu.other_files[0]
    assert (file.keyword, file.path.text, file.path.known) == ("configfile", "($root)/grub/grub.cfg", False)
    assert (file.root_uuid, file.line) == ("U-1", 3)
    assert menu.uses_blscfg


@pytest.mark.parametrize(
    "text",
    [
        b"function f { submenu x { f\n}\n}\nf\n",
        b"function f { if [ -f /x ]; then f; fi; }\nf\n",
        b"while true; do a; done\n",
        b"function f { $1; }\nf f\n",
    ],
)
def test_endless_scripts_end(text: bytes) -> None:
    assert menu_of(text).entries == ()


@pytest.mark.parametrize(
    "text",
    [
        b"function f { f; f; }\nf\n",
        b"function f0 { true; }\n"
        + b"".join(b"function f%d { f%d; f%d; }\n" % (n, n - 1, n - 1) for n in range(1, 40))
        + b"f39\n",
        b"x='" + b"a " * 30_000 + b"'\n" + b"for i in $x $x; do for j in $x; do true; done; done\n",
    ],
    ids=["recursion", "calls", "loops"],
)
def test_work_without_bound_is_refused(text: bytes) -> None:
    with pytest.raises(BadInputError) as caught:
        menu_of(text)
    assert caught.value.hint


@pytest.mark.parametrize("doubling", [b'set x="$x$x"\n', b'x="$x $x"\n', b"x=$x$x\n"])
def test_values_do_not_grow_without_bound(doubling: bytes) -> None:
    with pytest.raises(BadInputError):
        menu_of(b"x=12\n" + doubling * 40 + b"menuentry $x { linux $x\n}\n")
