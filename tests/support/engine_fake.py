"""A provider whose cloud is a dictionary, or a JSON file where two processes must see the same one."""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.errors import ProviderError, UnknownPropertyError, UnknownTypeError
from sandbox.provider import assets
from sandbox.provider.provider import Diff
from sandbox.provider.wire import UNKNOWN

THING = "fake:index:Thing"
SOLO = "fake:index:Solo"  # there can be only one of a name: must be deleted before it is replaced
_KNOWN = {"name", "size", "kind", "ref", "code", "tags", "token"}
_REPLACING = {"name", "kind", "ref"}


class FakeProvider:
    """Remembers every call; `on_create` runs after a creation took effect, before the engine hears of it."""

    def __init__(self, file: Path | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self.failing: dict[str, str] = {}
        """Logical name to the error that its create, update or delete raises."""
        self.on_create: Callable[[str], None] = lambda _: None
        self._file = file
        self._memory: dict[str, dict[str, Any]] = {}
        self._guard = threading.Lock()

    @property
    def cloud(self) -> dict[str, dict[str, Any]]:
        """Physical name to live properties."""
        if self._file is None:
            return self._memory
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def drift(self, name: str, **properties: Any) -> None:
        """Change a live resource behind the engine's back."""
        self._store(name, {**self.cloud[name], **properties})

    def vanish(self, name: str) -> None:
        """Remove a live resource behind the engine's back."""
        self._store(name, None)

    def named(self, call: str) -> list[str]:
        """Return the logical names that `call` was made for, in order."""
        return [name for made, name in self.calls if made == call]

    def check(
        self,
        type_: str,
        urn_name: str,
        inputs: Mapping[str, Any],
        old: Mapping[str, Any] | None,
        seed: str,
        /,
    ) -> dict[str, Any]:
        if type_ not in {THING, SOLO}:
            raise UnknownTypeError(f"the fake knows {THING} and {SOLO}, not {type_}")
        unknown = sorted(set(inputs) - _KNOWN)
        if unknown:
            raise UnknownPropertyError(f"unknown property {', '.join(unknown)}; known are {sorted(_KNOWN)}")
        checked = dict(inputs)
        checked.setdefault("name", (old or {}).get("name", f"{urn_name}-{seed[:7]}"))
        return checked

    def diff(self, type_: str, old: Mapping[str, Any], new: Mapping[str, Any], /) -> Diff:
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        return Diff(changed, [key for key in changed if key in _REPLACING], type_ == SOLO)

    def preview(self, _: str, inputs: Mapping[str, Any], old: Mapping[str, Any] | None, /) -> dict[str, Any]:
        return {**inputs, "arn": UNKNOWN if old is None else old["arn"]}

    def create(self, _: str, inputs: Mapping[str, Any], /) -> tuple[str, dict[str, Any]]:
        name = inputs["name"]
        self._call("create", name)
        if name not in self.cloud:
            self._store(name, _live(inputs))
        self.on_create(name)
        return name, {"arn": f"arn:{name}"}

    def read(
        self, _: str, id_: str, inputs: Mapping[str, Any], /
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        live = self.cloud.get(id_)
        if live is None:
            return None
        readable = {key: live.get(key) for key in inputs if key != "code"}  # content cannot be read back
        return readable, {**live, "arn": f"arn:{id_}"}

    def update(self, _: str, id_: str, _old: Mapping[str, Any], new: Mapping[str, Any], /) -> dict[str, Any]:
        self._call("update", id_)
        self._store(id_, _live(new))
        return {"arn": f"arn:{id_}"}

    def delete(self, _: str, id_: str, _inputs: Mapping[str, Any], /) -> None:
        self._call("delete", id_)
        self._store(id_, None)

    def invoke(self, token: str, args: Mapping[str, Any], /) -> dict[str, Any]:
        if token == "fake:index:double":
            return {"result": args["value"] * 2}
        raise ProviderError("there is no such thing")

    def _call(self, call: str, physical: str) -> None:
        logical = physical.rsplit("-", 1)[0]
        with self._guard:
            self.calls.append((call, logical))
        if logical in self.failing:
            raise ProviderError(self.failing[logical])

    def _store(self, name: str, properties: dict[str, Any] | None) -> None:
        with self._guard:
            cloud = self.cloud
            if properties is None:
                cloud.pop(name, None)
            else:
                cloud[name] = properties
            if self._file is not None:
                self._file.write_text(json.dumps(cloud))


def _live(inputs: Mapping[str, Any]) -> dict[str, Any]:
    # Reading a blob here fails if the engine hands over a hash without its content.
    return {
        key: value.read().hex() if isinstance(value, assets.Blob) else value for key, value in inputs.items()
    }
