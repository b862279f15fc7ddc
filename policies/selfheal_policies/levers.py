"""Which tables and buckets that an actor writes are levers: what they hold changes how something behaves.

A lever is read by a function that the alarms watch which reach the writer, or is named in the configuration.
Other readers, a status page for example, do not count: what they show is a record. To delete what a watched
table or bucket holds is a remedy for it as well.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.actions import DATA, deletes
from selfheal_policies.documents import is_pattern, overlap
from selfheal_policies.index import NAMED, Index
from selfheal_policies.managed import may_read_data
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Access, Write
from selfheal_policies.values import UNKNOWN, text

_KINDS = {"dynamodb": arns.TABLE, "s3": arns.BUCKET}


@dataclass(frozen=True)
class Store:
    """A table or bucket, or several by a pattern."""

    kind: str
    """Empty for both."""
    name: str
    """Physical; `*` and `?` are wildcards."""
    key: str
    """Of its node; empty for a pattern."""

    def may_be(self, other: "Store") -> bool:
        """Return whether two may be the same."""
        if self.kind and other.kind and self.kind != other.kind:
            return False
        if self.key and other.key:
            return self.key == other.key
        return overlap(self.name, other.name)

    @property
    def is_wide(self) -> bool:
        """Whether it may be many."""
        return not self.key


@dataclass(frozen=True)
class Lever:
    """A write of what somebody goes by."""

    write: Write
    key: str
    """Of the table or bucket; for a pattern, the pattern."""
    why: str
    """Who goes by it, as the end of a sentence."""

    @property
    def deed(self) -> str:
        """The write, as the end of a sentence."""
        return f"may {self.write.action} on {self.write.place}, {self.why}"


class Levers:
    """The levers of one stack."""

    def __init__(
        self,
        index: Index,
        access: Callable[[Resource], Access],
        watched: Callable[[Resource], Collection[str]],
        named: Collection[str],
    ) -> None:
        """Follow nothing yet.

        Args:
            index: The stack.
            access: Returns what the role of a function allows.
            watched: Returns the keys of what the alarms watch that reach an actor.
            named: Names of tables and buckets that the configuration calls levers.

        """
        self._index, self._access, self._watched, self._named = index, access, watched, named
        self._read: dict[str, list[Store]] = {}
        self._of: dict[str, list[Lever]] = {}

    def of(self, actor: Resource) -> list[Lever]:
        """Return the levers that an actor may move."""
        if actor.urn not in self._of:
            self._of[actor.urn] = list(self._found(actor))
        return self._of[actor.urn]

    def _found(self, actor: Resource) -> Iterator[Lever]:
        writes = [write for write in self._access(actor).records if write.kind == DATA]
        if not writes:
            return
        keys = set(self._watched(actor)) - {actor.urn}
        readers = [reader for key in keys if (reader := self._index.by_urn.get(key))]
        readers = [reader for reader in readers if reader.type in types.ACTORS]
        for write in writes:
            store = self.store(write)
            why = self._why(store, readers)
            if not why and store.key in keys and deletes(write.action):
                why = "which an alarm that wakes it watches"
            if why:
                yield Lever(write, store.key or store.name, why)

    def _why(self, store: Store, readers: Iterable[Resource]) -> str:
        if any(_is_called(self._index, store, name) for name in self._named):
            return "which the configuration calls a lever"
        reading = sorted(reader.name for reader in readers if self._reads(reader, store))
        return f"which {', '.join(reading)} reads, watched by an alarm that wakes it" if reading else ""

    def store(self, write: Write) -> Store:
        """Return the store that an action on data is allowed on."""
        kind = _KINDS.get(write.action.partition(":")[0].lower(), "")
        arn = arns.parse_arn(write.resource) if isinstance(write.resource, str) else None
        if arn is None or arn.kind not in _KINDS.values():
            return Store(kind, "*", "")
        if is_pattern(arn.name):
            return Store(arn.kind, arn.name, "")
        return Store(arn.kind, arn.name, self._index.literal(str(write.resource), arn.kind).key)

    def _reads(self, reader: Resource, store: Store) -> bool:
        return any(each.may_be(store) for each in self._stores_read(reader))

    def _stores_read(self, reader: Resource) -> list[Store]:
        if reader.urn not in self._read:
            self._read[reader.urn] = list(self._all_read(reader))
        return self._read[reader.urn]

    def _all_read(self, reader: Resource) -> Iterator[Store]:
        """Yield what a function reads. Which of many it may read, it is told by its environment."""
        access, told = self._access(reader), self._told(reader)
        for store in dict.fromkeys(self.store(read) for read in access.reads):
            chosen = [each for each in told if each.may_be(store)]
            yield from chosen if store.is_wide and chosen else [store]
        if access.unreadable or any(may_read_data(arn) for arn in access.managed):
            yield from told

    def _told(self, reader: Resource) -> list[Store]:
        """Return the tables and buckets of this stack that the environment of a function names."""
        variables = reader.get("environment", "variables")
        values = variables.values() if isinstance(variables, dict) else ()
        texts = {value for value in values if isinstance(value, str) and value}
        hidden = variables is UNKNOWN or any(value is UNKNOWN for value in values)
        origins = set(reader.references.get("environment", ())) if hidden else set[str]()
        found: list[Store] = []
        for resource in self._index.of(types.TABLE, types.BUCKET):
            kind, key = NAMED[resource.type]
            name = text(resource.get(key))
            said = isinstance(name, str) and any(name in value for value in texts)
            if said or resource.urn in origins:
                found.append(Store(kind, name if isinstance(name, str) else "*", resource.urn))
        return found


def _is_called(index: Index, store: Store, name: str) -> bool:
    resource = index.by_urn.get(store.key)
    return overlap(store.name, name) or (resource is not None and resource.name == name)
