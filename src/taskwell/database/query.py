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
"""Makes a value from the columns of one row, in their order; a dataclass is one."""

Build: TypeAlias = Callable[[str], Sequence[Executable]]
"""Gives the statements for a dialect's name, run in one transaction; the last one's rows are the result."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement as the driver takes it.

    Attributes:
        is_read: It changes nothing, so it may be run again; a SELECT over a CTE that writes is none.
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

    It is compiled at its first use on each database and never again, so keep it: as a module's constant,
    or behind a cache keyed by what makes its text differ.
    """

    __slots__ = ("_build", "_compiled", "is_heavy", "shape")

    def __init__(self, statement: Executable | Build, shape: Shape[T], *, is_heavy: bool = False) -> None:
        """Args:
        statement: What to run, or what gives the statements for a dialect's name.
        shape: Makes the result from one row's columns.
        is_heavy: It may take longer than a few milliseconds, so SQLite runs it off the event loop.
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
    """A value of each row's columns, as they are processed; None where none of them needs to be."""
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
