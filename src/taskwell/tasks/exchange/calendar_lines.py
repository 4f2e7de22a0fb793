"""The lines of an iCalendar file: unfolded as bytes, then decoded strictly (RFC 5545 sections 3.1 and 3.4)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from taskwell.errors import Invalid
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import MAX_ROWS, too_many_rows

MAX_LINES = 20 * MAX_ROWS
MAX_VALUE = 100_000
"""The longest value in characters, more than any field takes."""
NO_END = "END:VTODO"
"""The line that a VTODO lacks if the file was cut off."""
MAX_DEPTH = 10
"""The deepest nesting of components; RFC 5545 has three levels."""

_FOLD = re.compile(rb"\r?\n[ \t]")
_BEGIN = re.compile(rb"^BEGIN:VTODO", re.IGNORECASE | re.MULTILINE)
_PROPERTY = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:])*){0,50}):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
_CHARSET = re.compile(rb";CHARSET=\"?(ISO-8859-1|WINDOWS-1252|UTF-8)\"?[;:]", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_OF_FILES = frozenset({"VERSION", "PRODID", "CALSCALE", "METHOD"})
_NAMES_OF_CALENDARS = ("X-WR-CALNAME", "NAME")


@dataclass(frozen=True, slots=True)
class Property:
    """One line of the file.

    Attributes:
        name: The name in capitals.
        parameters: The values by their names in capitals.
    """

    name: str
    parameters: Mapping[str, str]
    value: str


@dataclass(slots=True)
class Todo:
    """The lines of one VTODO.

    Attributes:
        calendar: The name of its calendar.
        unreadable: The beginning of each line that is not a property.
    """

    number: int
    calendar: str = ""
    properties: list[Property] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def first(self, name: str) -> str:
        return next((each.value.strip() for each in self.properties if each.name == name), "")


def refuse_long(content: bytes) -> None:
    """Checks the size of a file before it is read.

    Raises:
        Invalid: the file has too many tasks or lines.
    """
    if sum(1 for _ in _BEGIN.finditer(content)) > MAX_ROWS:
        raise too_many_rows()
    folded = content.count(b"\n ") + content.count(b"\n\t")
    if content.count(b"\n") - folded > MAX_LINES:
        raise Invalid.field("rows", f"A calendar may hold {MAX_LINES} lines; split it.", "too_many_lines")


def todos(content: bytes, reading: Reading) -> Iterator[Todo]:
    """Each VTODO of each calendar in the file; reports all other components as ignored."""
    components = _Components(reading)
    for line in _FOLD.sub(b"", content).splitlines():
        mark, _, name = line.strip().upper().partition(b":")
        if mark == b"BEGIN":
            finished = components.begin(name.decode(errors="replace"))
        elif mark == b"END":
            finished = components.end(name.decode(errors="replace"))
        else:
            finished = None
            components.take(line)
        if finished is not None:
            yield finished
    if components.todo is not None:
        yield _unfinished(components.todo)


class _Components:
    """The nested components at the current line.

    Attributes:
        todo: The VTODO that is open.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._inside: list[str] = []
        self._calendar = ""
        self._count = 0
        self.todo: Todo | None = None

    def begin(self, name: str) -> Todo | None:
        """Opens a component; gives the open VTODO if it has no end."""
        finished = None
        if name == "VTODO":
            finished = None if self.todo is None else _unfinished(self.todo)
            self._count += 1
            self.todo = Todo(self._count, self._calendar)
        elif name == "VCALENDAR":
            self._calendar = ""
        elif name != "VTIMEZONE" and "VTIMEZONE" not in self._inside:
            self._reading.left_out.add(name)
        if len(self._inside) < MAX_DEPTH:
            self._inside.append(name)
        return finished

    def end(self, name: str) -> Todo | None:
        """Closes a component; gives the VTODO that ends here."""
        if name in self._inside:
            while self._inside.pop() != name:
                pass
        if name != "VTODO":
            return None
        finished, self.todo = self.todo, None
        return finished

    def take(self, line: bytes) -> None:
        if not line.strip():
            return
        if self.todo is not None and self._inside[-1:] == ["VTODO"]:
            _take(line, self.todo)
        elif self._inside == ["VCALENDAR"]:
            self._calendar = _name_of_calendar(line, self._reading) or self._calendar


def _unfinished(todo: Todo) -> Todo:
    todo.unreadable.append(NO_END)
    return todo


def _take(line: bytes, todo: Todo) -> None:
    found = parsed(line)
    if found is None:
        todo.unreadable.append(line[:40].decode(errors="replace"))
    elif found.value.strip():
        todo.properties.append(found)


def _name_of_calendar(line: bytes, reading: Reading) -> str:
    found = parsed(line)
    if found is None:
        reading.left_out.add("lines that are not iCalendar in UTF-8", line[:40].decode(errors="replace"))
    elif found.name in _NAMES_OF_CALENDARS:
        return unescaped(found.value)
    elif found.name not in _OF_FILES and found.value.strip():
        reading.left_out.add(found.name, found.value)
    return ""


def parsed(line: bytes) -> Property | None:
    """The line as a property; None if it is not one, or is in neither UTF-8 nor its CHARSET."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = _declared(line)
    found = _PROPERTY.fullmatch(text)
    if found is None:
        return None
    parameters = {name.upper(): value.replace('"', "") for name, value in _PARAMETER.findall(found[2])}
    return Property(found[1].upper(), parameters, found[3])


def _declared(line: bytes) -> str:
    """Decodes a line that names its encoding, as the older vCalendar allows."""
    found = _CHARSET.search(line.partition(b":")[0] + b":")
    try:
        return line.decode(found[1].decode()) if found else ""
    except UnicodeDecodeError:
        return ""


def unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def several(value: str) -> list[str]:
    """The texts of a value, which commas separate."""
    return [unescaped(each) for each in re.findall(r"(?:\\.|[^\\,])+|\\$", value, re.DOTALL)]
