"""Write OLE compound files, as old Office programs and those that encrypt do ([MS-CFB])."""

import struct

from product_importer.imports.parsing.compound_files import MAGIC

END, FREE = 0xFFFFFFFE, 0xFFFFFFFF
FATS_IN_HEADER = 109


def compound_file(names: list[str], *, shift: int = 9, before: int = 0, is_chained_back: bool = False) -> bytes:
    """Return a compound file whose directory has empty streams of these names.

    `shift` is the binary logarithm of the size of a sector. `before` sectors of contents precede the directory. With
    `is_chained_back` its sectors are in reverse order.
    """
    size = 1 << shift
    entries = b"".join(map(_entry, ["Root Entry", *names], [5] + [2] * len(names)))
    parts = [entries[at : at + size].ljust(size, b"\0") for at in range(0, len(entries), size)]
    directory = list(range(before, before + len(parts)))
    order = directory[::-1] if is_chained_back else directory
    following = dict(zip(order, [*order[1:], END], strict=True))
    in_use = before + len(parts)
    tables = -(-in_use // (size // 4)) + 1
    # The tables follow the directory, and the lists of tables that do not fit into the header follow these.
    in_list = size // 4 - 1
    lists = max(0, -(-(tables - FATS_IN_HEADER) // in_list))
    numbers = [in_use + place for place in range(tables)]
    chain = [following.get(number, END) for number in range(in_use)]
    fat = struct.pack(f"<{tables * size // 4}I", *chain, *([FREE] * (tables * size // 4 - in_use)))
    beyond = numbers[FATS_IN_HEADER:]
    listed = b"".join(
        struct.pack(
            f"<{in_list + 1}I",
            *(beyond[at : at + in_list] + [FREE] * (in_list - len(beyond[at : at + in_list]))),
            in_use + tables + place + 1 if place + 1 < lists else END,
        )
        for place, at in enumerate(range(0, len(beyond), in_list))
    )
    sectors = {number: parts[place] for place, number in enumerate(order)}
    content = b"".join([b"x" * size * before, *(sectors[number] for number in directory), fat, listed])
    return _header(shift, order[0], numbers, in_use + tables if lists else END).ljust(size, b"\0") + content


def _header(shift: int, directory: int, tables: list[int], first_list: int) -> bytes:
    head = MAGIC + bytes(16) + struct.pack("<HHHHH", 0x3E, 3 if shift == 9 else 4, 0xFFFE, shift, 6)
    head += bytes(10) + struct.pack("<I", len(tables)) + struct.pack("<I", directory)
    head += struct.pack("<IIIII", 0, 4096, END, 0, first_list) + struct.pack("<I", 0)
    shown = tables[:FATS_IN_HEADER]
    return head + struct.pack(f"<{FATS_IN_HEADER}I", *shown, *([FREE] * (FATS_IN_HEADER - len(shown))))


def _entry(name: str, kind: int) -> bytes:
    text = f"{name}\0".encode("utf-16-le")
    return (text.ljust(64, b"\0") + struct.pack("<HB", len(text), kind)).ljust(128, b"\0")
