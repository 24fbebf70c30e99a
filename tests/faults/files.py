"""Write random files with every kind of row: new, changed, unchanged, duplicate and rejected."""

from random import Random

from tests.faults.oracle import File, Oracle, Product, Row

TEXTS = (
    "plain",
    'with "quotes"',
    "two\nlines",
    "Windows\r\nlines",
    "comma, semicolon; tab\t",
    "naïve Ωμέγα 日本語 🛒",
    "a\N{COMBINING ACUTE ACCENT} combining",
    "\\N and \\. and \\",
    "=1+1",
    "'90s",
    "{}[]%s%%\N{RIGHT-TO-LEFT OVERRIDE}",
    "long " * 60,
)
TAILS = ("", "", "", "-ä", "-ß", " x", "-Ω")
ATTRIBUTES = ("colour", "größe")
TRUE = ("true", "Yes", "1", " on ", "")
FALSE = ("false", "NO", "0", "inactive")
# The share of each kind of row; the rest are new.
CHANGED, UNCHANGED, DUPLICATE, REJECTED, BLANK_LINE = 0.35, 0.25, 0.08, 0.04, 0.01


def random_file(random: Random, oracle: Oracle, shelf: str, rows: int) -> File:
    """Return a file of about `rows` rows for the products whose SKUs begin with `shelf`."""
    held = [product for key, product in oracle.products.items() if key.startswith(f"{shelf}-".lower())]
    writer = Writer(random, shelf, random.sample(held, min(len(held), rows)))
    for _ in range(rows):
        writer.write_any()
    return File(writer.content, writer.rows, writer.rejects)


class Writer:
    """Write rows as CSV and keep what each of them means."""

    def __init__(self, random: Random, shelf: str, held: list[Product]):
        self.rows: list[Row] = []
        self.rejects: dict[int, str] = {}
        self._random = random
        self._shelf = shelf
        self._held = held
        self._end = random.choice(("\n", "\r\n"))
        self._attributes = [name for name in ATTRIBUTES if random.random() < 0.5]
        self._columns = ["sku", "name", "description", *self._attributes]
        if random.random() < 0.6:
            self._columns.append("active")
        random.shuffle(self._columns)
        self._line = 1
        self._quotes_all = False
        self._texts: list[str] = []
        self._put([name if name in ATTRIBUTES else random.choice((name, name.upper())) for name in self._columns])

    @property
    def content(self) -> bytes:
        return "".join(self._texts).encode()

    def write_any(self) -> None:
        """Write one row of a random kind."""
        chance = self._random.random()
        for share, write in (
            (CHANGED, self._write_changed),
            (UNCHANGED, self._write_unchanged),
            (DUPLICATE, self._write_duplicate),
            (REJECTED, self._write_bad),
            (BLANK_LINE, self._write_blank_line),
        ):
            if chance < share:
                return write()
            chance -= share
        return self._write_new()

    def _write_new(self) -> None:
        self._write(f"{self._shelf}-{self._random.getrandbits(40):011x}{self._random.choice(TAILS)}")

    def _write_changed(self) -> None:
        if not self._held:
            return self._write_new()
        return self._write(self._respelled(self._held.pop().sku))

    def _write_unchanged(self) -> None:
        if not self._held:
            return self._write_new()
        held = self._held.pop()
        attributes = {name: held.attributes.get(name, "") for name in self._attributes}
        return self._write_as(self._respelled(held.sku), held.name, held.description, held.active, attributes)

    def _write_duplicate(self) -> None:
        """Repeat an SKU of any earlier row."""
        if not self.rows:
            return self._write_new()
        return self._write(self._respelled(self._random.choice(self.rows).sku))

    def _write_bad(self) -> None:
        good = {name: self._text() for name in self._columns}
        good |= {"sku": f"{self._shelf}-bad", "name": "bad", "active": "yes"}
        code, change = self._random.choice(
            [
                ("no_sku", {"sku": self._random.choice(("", "  "))}),
                ("no_name", {"name": " "}),
                ("too_long", {"sku": "x" * 256}),
                ("nul", {"description": "a\0b"}),
                ("ragged", {}),
                ("malformed", {}),
                *([("bad_active", {"active": "maybe"})] if "active" in self._columns else []),
            ]
        )
        cells = [(good | change)[name] for name in self._columns]
        if code not in ("ragged", "malformed"):
            self.rejects[self._line] = code
            return self._put(cells)
        self._write_delimiting_row()
        self.rejects[self._line] = code
        if code == "malformed":
            # It has as many fields as the others, so only its quotes are wrong.
            self._put_line('bad,"closed too "early' + ",x" * (len(self._columns) - 2))
        else:
            self._put([*cells, "more"])
        return self._write_delimiting_row()

    def _write_delimiting_row(self) -> None:
        """Write a new product with every cell quoted. The reader recovers from a malformed row here at the latest."""
        self._quotes_all = True
        sku = f"{self._shelf}-{self._random.getrandbits(40):011x}"
        self._write_as(sku, "delimiting", "plain", active=True, attributes=dict.fromkeys(self._attributes, "red"))
        self._quotes_all = False

    def _write_blank_line(self) -> None:
        self._put_line("")

    def _write(self, sku: str) -> None:
        attributes = {name: self._random.choice(("", "red", "größer, 2\nlines")) for name in self._attributes}
        name = f"{self._text()} {self._random.randrange(10**6)}"
        self._write_as(sku, name, self._text(), self._random.random() < 0.8, attributes)

    def _write_as(self, sku: str, name: str, description: str, active: bool, attributes: dict[str, str]) -> None:
        has_active = "active" in self._columns
        self.rows.append(Row(self._line, sku, name, description, active if has_active else None, attributes))
        cells = {
            "sku": sku,
            "name": self._maybe_escaped(name),
            "description": self._maybe_escaped(description),
            **attributes,
        }
        cells["active"] = self._random.choice(TRUE if active else FALSE)
        self._put([cells[column] for column in self._columns])

    def _text(self) -> str:
        return self._random.choice(TEXTS)

    def _respelled(self, sku: str) -> str:
        return self._random.choice((sku, sku.upper(), sku.lower(), f"  {sku} "))

    def _maybe_escaped(self, value: str) -> str:
        """Escape a formula as an export does, half of the time."""
        return f"'{value}" if value.startswith("=") and self._random.random() < 0.5 else value

    def _put(self, cells: list[str]) -> None:
        self._put_line(",".join(map(self._cell, cells)))

    def _put_line(self, text: str) -> None:
        self._texts.append(text + self._end)
        self._line += 1 + text.count("\n")

    def _cell(self, value: str) -> str:
        if self._quotes_all or any(character in value for character in '",\r\n') or self._random.random() < 0.1:
            return '"' + value.replace('"', '""') + '"'
        return value
