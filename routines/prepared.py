"""Querysets that are compiled once.

Django makes the SQL of a queryset anew each time it is used. For a look-up by a key that takes
several times as long as the database takes to answer, and a press of Run waits for ten of them.
A prepared queryset is written like any other, but its SQL is made at its first use and kept:

    @prepared(slug=SlugField())
    def _by_slug(slug: Given) -> QuerySet[Routine]:
        return Routine.objects.current().filter(slug=slug)

    found = _by_slug(slug="release-notes")  # a list

`prepared_update` does the same for an UPDATE of the rows that a queryset finds, PreparedInsert for
an object that is new.

For what every page or press asks; anything else is better off without a second way.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.subqueries import InsertQuery, UpdateQuery
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")
Made = TypeVar("Made")


class Given(Expression):
    """In a prepared queryset, a value that comes with each call."""

    def __init__(self, name: str, field: "Field[Any, Any]", *, is_written: bool = False) -> None:
        super().__init__(output_field=field)
        self.name, self.is_written = name, is_written  # else it is compared

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]  # itself, where its value belongs

    def value_for(self, connection: BaseDatabaseWrapper, values: Mapping[str, Any]) -> Any:
        value = values[self.name]
        if self.is_written:
            return self.output_field.get_db_prep_save(value, connection)
        if value is None:
            raise TypeError(f"{self.name} is None, and in SQL nothing is equal to that.")
        return self.output_field.get_db_prep_value(value, connection)


class _Once(Generic[Made]):
    """What is made at the first use, for each kind of database."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: dict[str, Made] = {}

    def on(self, connection: BaseDatabaseWrapper) -> Made:
        if connection.vendor not in self._made:
            self._made[connection.vendor] = self._make()
        return self._made[connection.vendor]


class Prepared(Generic[Row]):
    """Called with a value for each Given, by name: the rows as a list."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], given: list[Given]) -> None:
        self._build, self._given = build, given
        self._once = _Once(self._make)

    def __call__(self, **values: Any) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        queryset, compiler, sql, params = self._once.on(connection)
        if queryset.query.select_for_update:
            _look_for_a_transaction(connection)
        bound = _bound(params, connection, values)
        # Copies: other threads use the same at the same time, each with its own connection.
        compiler = copy.copy(compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (sql, bound)  # type: ignore[method-assign]
        queryset = queryset.all()
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)

    def _make(self) -> tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]:
        queryset = self._build(**{given.name: given for given in self._given})
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        compiler.connection = None  # each call brings its own; this thread's must not be kept
        return queryset, compiler, sql, tuple(params)


def _look_for_a_transaction(connection: BaseDatabaseWrapper) -> None:
    """As Django does when it makes the SQL, which is here done once: a lock needs one to last."""
    if connection.features.has_select_for_update and connection.get_autocommit():
        raise TransactionManagementError("select_for_update cannot be used outside a transaction.")


class PreparedUpdate:
    """Called with a value for each Given and each field that it sets: how many rows it changed."""

    def __init__(
        self, build: Callable[..., QuerySet[Any, Any]], given: list[Given], sets: Sequence[str]
    ) -> None:
        self._build, self._given, self._sets = build, given, sets
        self._once = _Once(self._make)

    def __call__(self, **values: Any) -> int:
        connection = connections[DEFAULT_DB_ALIAS]
        sql, params = self._once.on(connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(params, connection, values))
            return int(cursor.rowcount)

    def _make(self) -> tuple[str, tuple[Any, ...]]:
        queryset = self._build(**{given.name: given for given in self._given})
        field = queryset.model._meta.get_field
        query: Any = queryset.query.chain(UpdateQuery)
        query.add_update_values({it: Given(it, field(it), is_written=True) for it in self._sets})
        sql, params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        return sql, tuple(params)


class PreparedInsert:
    """Called with a new object: inserts it and gives it its primary key.

    As Django's `save(force_insert=True)` does, but neither a `save` of the model's own nor a
    field's `pre_save` is called, no default is left to the database, and no signal is sent.
    """

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._once = _Once(self._make)

    def __call__(self, new: Model) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        sql, params = self._once.on(connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(params, connection, new.__dict__))
            [new.pk] = cursor.fetchone()
        new._state.adding, new._state.db = False, DEFAULT_DB_ALIAS

    def _make(self) -> tuple[str, tuple[Any, ...]]:
        options = self._model._meta
        fields = [field for field in options.concrete_fields if not field.primary_key]
        given = {it.attname: Given(it.attname, it, is_written=True) for it in fields}
        query = InsertQuery(self._model)
        query.insert_values(fields, [cast("Model", SimpleNamespace(**given))], raw=True)
        compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        compiler.returning_fields = [options.pk]
        [(sql, params)] = compiler.as_sql()
        return sql, tuple(params)


def _bound(
    params: tuple[Any, ...], connection: BaseDatabaseWrapper, values: Mapping[str, Any]
) -> tuple[Any, ...]:
    return tuple(it.value_for(connection, values) if isinstance(it, Given) else it for it in params)


def prepared_update(
    *sets: str, **fields: "Field[Any, Any]"
) -> Callable[[Callable[..., QuerySet[Any, Any]]], PreparedUpdate]:
    """Make the decorated function a PreparedUpdate of the fields named in `sets`."""
    given = [Given(name, field) for name, field in fields.items()]
    return lambda build: PreparedUpdate(build, given, sets)


def prepared(
    **fields: "Field[Any, Any]",
) -> Callable[[Callable[..., QuerySet[Any, Row]]], Prepared[Row]]:
    """Make the decorated function a Prepared; `fields` say of what kind each of its values is."""
    given = [Given(name, field) for name, field in fields.items()]
    return lambda build: Prepared(build, given)
