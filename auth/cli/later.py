"""Commands that are imported when somebody wants them: the service does not wait for what administrators do."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


class Later(MutableMapping[str, Any]):
    """Commands by name, as `typer.core.TyperGroup` has them.

    Args:
        commands: those that are there.
        places: of the others: name -> `module:name` of a function, or of a group of commands.
    """

    def __init__(self, commands: Mapping[str, Any], places: Mapping[str, str]) -> None:
        self._commands = dict(commands)
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:
        if name not in self._commands:
            self._commands[name] = _imported(name, self._places[name])
        return self._commands[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        self._commands.pop(name, None)
        self._places.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter({**self._commands, **self._places})

    def __len__(self) -> int:
        return len({**self._commands, **self._places})


def later(places: Mapping[str, str]) -> type[TyperGroup]:
    """A group with commands that are imported when they are wanted; see `Later`."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = Later(self.commands, places)

    return Group


def _imported(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    app = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
        return typer.main.get_group(app).commands[name]
    app.command(name)(found)
    return typer.main.get_command(app)
