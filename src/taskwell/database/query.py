"""Statements: composed once with SQLAlchemy, compiled once for each database, run close to the driver."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import CompoundSelect, Dialect, Select
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from taskwell.database.base import Processor

T = TypeVar("T")
Shape: TypeAlias = Callable[..., T]
"""Makes a value from the columns of one row, in their order, such as a dataclass."""

Build: TypeAlias = Callable[[str], Sequence[Executable]]
"""Gives the statements for a dialect's name. They run in one transaction; the last one gives the rows."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement in the driver's form.

    Attributes:
        is_read: It changes nothing, so it may run again. False for a SELECT over a CTE that writes.
    """

    text: str
    parameters: tuple[tuple[str, object, Processor], ...]
    processors: tuple[Processor, ...] | None
    is_read: bool

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The positional arguments.

        Raises:
            KeyError: a parameter of the statement has no value.
        """
        return [
            process(value) if process is not None else value
            for name, default, process in self.parameters
            for value in (values[name] if default is _REQUIRED else values.get(name, default),)
        ]


_REQUIRED = object()


class Query(Generic[T]):
    """A statement and the shape of its rows.

    It is compiled once for each database, at its first use. So keep it as a constant of a module, or in a cache whose
    key determines the text.
    """

    __slots__ = ("_build", "_compiled", "is_heavy", "shape")

    def __init__(self, statement: Executable | Build, shape: Shape[T], *, is_heavy: bool = False) -> None:
        """Keeps the statement without compiling it.

        Args:
            is_heavy: The statement may take more than a few milliseconds, so SQLite runs it in a thread.
        """
        self._build: Build = (lambda _: [statement]) if isinstance(statement, Executable) else statement
        self._compiled: dict[str, tuple[Step, ...]] = {}
        self.shape = shape
        self.is_heavy = is_heavy

    def steps(self, dialect: Dialect) -> tuple[Step, ...]:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = tuple(_compile(statement, dialect) for statement in self._build(dialect.name))
            self._compiled[dialect.name] = found
        return found

    def read(self, step: Step, rows: Sequence[Sequence[Any]]) -> list[T]:
        return shaped(self.shape, step.processors, rows)


def shaped(shape: Shape[T], processors: Sequence[Processor] | None, rows: Sequence[Sequence[Any]]) -> list[T]:
    """The rows as values. ``processors`` is None if no column needs one."""
    if processors is None:
        return [shape(*row) for row in rows]
    return [
        shape(*[value if process is None else process(value) for process, value in zip(processors, row, strict=True)])
        for row in rows
    ]


def _compile(statement: Executable, dialect: Dialect) -> Step:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    parameters = []
    for name in compiled.positiontup or ():
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        parameters.append((name, _REQUIRED if bind.required else bind.value, process))
    columns = getattr(statement, "exported_columns", ())
    processors = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
    return Step(
        str(compiled),
        tuple(parameters),
        processors if any(processors) else None,
        isinstance(statement, Select | CompoundSelect)
        and not any(getattr(cte.element, "is_dml", False) for cte in compiled.ctes or ()),
    )
