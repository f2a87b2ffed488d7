"""CSV files of other systems: read, changed in one column, and written back as they were."""

import csv
import io
from dataclasses import dataclass

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, if a cell begins with it."""


class ExportError(ValueError):
    """Grades cannot be written for another system; says why, and what would be right."""


@dataclass(frozen=True)
class Exported:
    """A file for another system.

    Attributes:
        text: what it holds.
        warnings: what a person should know before it is imported.
    """

    text: str
    warnings: list[str]


@dataclass
class Table:
    """A CSV file.

    Attributes:
        header: its first row.
        rows: the others, each as long as the first.
        delimiter: between cells.
        newline: between rows.
        bom: whether it begins with a byte order mark.
    """

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    newline: str = "\r\n"
    bom: bool = False

    @classmethod
    def read(cls, content: bytes, what: str) -> "Table":
        """The table in a file.

        Args:
            content: of the file.
            what: the file's name, for errors.

        Raises:
            ExportError: if it is not text in UTF-8, is empty, or a row is longer than the first.
        """
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ExportError(f"{what}: is not text in UTF-8; save it anew as CSV in UTF-8") from error
        bom = text.startswith(BOM)
        text = text.removeprefix(BOM)
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        newline = "\r\n" if first.endswith("\r") else "\n"
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
        except csv.Error as error:
            raise ExportError(f"{what}: is not a CSV file: {error}") from error
        if not rows:
            raise ExportError(f"{what}: is empty; export it anew")
        header = rows[0]
        for number, row in enumerate(rows[1:], start=2):
            if len(row) > len(header):
                raise ExportError(
                    f"{what}, row {number}: has {len(row)} cells; expected {len(header)}, as in the first"
                )
            row.extend([""] * (len(header) - len(row)))
        return cls(header, rows[1:], delimiter, newline, bom)

    def write(self) -> str:
        """The text of the file."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.newline).writerows([self.header, *self.rows])
        return (BOM if self.bom else "") + text.getvalue()

    def position(self, *names: str) -> int | None:
        """Where the first of these columns is that is there, whatever its case."""
        here = [name.strip().casefold() for name in self.header]
        return next((here.index(name.casefold()) for name in names if name.casefold() in here), None)

    def disarm(self, *names: str) -> None:
        """Put an apostrophe before names that a spreadsheet would run as a formula. No system finds people by these."""
        for at in [position for name in names if (position := self.position(name)) is not None]:
            for row in self.rows:
                if row[at].startswith(FORMULA) and not (row[at].startswith('="') and row[at].count('"') == 2):
                    row[at] = f"'{row[at]}"  # but ="..." is a text, and how Canvas itself writes such a name


def alike(identity: str) -> str:
    """An id as it is compared with others: without blanks around it, and whatever its case."""
    return identity.strip().casefold()


def listed(names: list[str], most: int = 10) -> str:
    """Names for a message."""
    rest = len(names) - most
    return ", ".join(sorted(names)[:most]) + (f" and {rest} more" if rest > 0 else "")
