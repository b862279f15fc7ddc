"""What somebody who was woken does next: what it sends, starts and writes, and where its results end.

The links here begin where those of wiring.py end. What a role allows is taken to be done.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from selfheal_policies import arns, types
from selfheal_policies.dead_letters import NAMING
from selfheal_policies.definitions import calls_by_input
from selfheal_policies.documents import Statement, action_matches, has_wildcard, resource_matches
from selfheal_policies.endpoints import behind_apis
from selfheal_policies.grants import Grant, attachments_of, grants_of, queues_read_by, roles_of
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.links import HUB, Link
from selfheal_policies.managed import invokes_functions
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get, parsed, text
from selfheal_policies.wiring import TARGET_KINDS

_SENDING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("publish", arns.TOPIC, ("sns:publish",)),
    ("send", arns.QUEUE, ("sqs:sendmessage",)),
    ("put", arns.BUS, ("events:putevents",)),
    ("put", arns.STREAM, ("kinesis:putrecord", "kinesis:putrecords")),
    ("put", arns.DELIVERY, ("firehose:putrecord", "firehose:putrecordbatch")),
    (
        "put",
        arns.TABLE,
        (
            *("dynamodb:putitem", "dynamodb:updateitem", "dynamodb:deleteitem", "dynamodb:batchwriteitem"),
            *("dynamodb:transactwriteitems", "dynamodb:partiqlinsert", "dynamodb:partiqlupdate"),
            "dynamodb:partiqldelete",
        ),
    ),
    ("put", arns.BUCKET, ("s3:putobject",)),
    ("start", arns.MACHINE, ("states:startexecution", "states:startsyncexecution")),
    ("invoke", arns.FUNCTION, ("lambda:invokefunction", "lambda:invokeasync", "lambda:invokefunctionurl")),
)
"""Kind of link, kind of what it leads to, and the actions that make it."""

_KIND = {action: (link, kind) for link, kind, actions in _SENDING for action in actions}

_FORMS = {
    arns.BUCKET: ("s3", "{}"),
    arns.BUS: ("events", "event-bus/{}"),
    arns.DELIVERY: ("firehose", "deliverystream/{}"),
    arns.FUNCTION: ("lambda", "function:{}"),
    arns.MACHINE: ("states", "stateMachine:{}"),
    arns.QUEUE: ("sqs", "{}"),
    arns.STREAM: ("kinesis", "stream/{}"),
    arns.TABLE: ("dynamodb", "table/{}"),
    arns.TOPIC: ("sns", "{}"),
}
"""Kind to the service and the end of its ARNs."""

_TYPE = {kind: type_ for type_, (kind, _) in NAMED.items() if kind in _FORMS}

DESTINATIONS = (
    *("extendedS3Configuration", "elasticsearchConfiguration", "httpEndpointConfiguration"),
    *("icebergConfiguration", "opensearchConfiguration", "opensearchserverlessConfiguration"),
    *("redshiftConfiguration", "snowflakeConfiguration", "splunkConfiguration"),
)
"""Properties of a Firehose stream that say where its records go, and by which function."""

_FAILING = {
    types.QUEUE: "",
    types.REDRIVE_POLICY: "queueUrl",
    types.SUBSCRIPTION: "topic",
    types.EVENT_TARGET: "rule",
    types.EVENT_BUS: "",
    types.EVENT_SOURCE_MAPPING: "functionName",
    types.EVENT_INVOKE_CONFIG: "functionName",
    types.FUNCTION: "",
}
"""Type of what names where failures go, to the property that names what fails; empty for itself."""

_FAILING_KINDS = (arns.FUNCTION, arns.QUEUE, arns.TOPIC, arns.RULE)


@dataclass(frozen=True)
class _Sent:
    """Something that a role lets somebody start or send to."""

    target: Node
    kind: str
    via: Resource


class Relays:
    """The links of one stack by which somebody who was woken passes it on."""

    def __init__(self, index: Index) -> None:
        """Follow them. What cannot be resolved is left to those rules that judge it."""
        self._index = index
        self._by_role: dict[str, list[_Sent]] = {}
        self._hubs: dict[str, list[Link]] = {}
        self.links = [*self._of_roles(), *self._endings(), *self._of_buckets(), *self._of_logs()]
        self.links += [*self._pulled(), *self._of_delivery_streams(), *self._of_tables()]
        """All of them."""
        self.links += [link for links in self._hubs.values() for link in links]

    def _of_roles(self) -> Iterator[Link]:
        for actor in self._index.of(*types.ACTORS):
            for role in roles_of(self._index, actor):
                for sent in self._sent(role.resource) if role.resource else ():
                    # Whatever a workflow may invoke, it invokes what its definition names.
                    if sent.kind != "invoke" or actor.type == types.FUNCTION or calls_by_input(actor):
                        yield Link(actor.urn, sent.target, sent.via, sent.kind)

    def _pulled(self) -> Iterator[Link]:
        """Yield the links from queues to functions that may read them by themselves, without a mapping."""
        mapped = {
            (source.key, function.key)
            for mapping in self._index.of(types.EVENT_SOURCE_MAPPING)
            for source in self._index.follow_quietly(mapping, "eventSourceArn", TARGET_KINDS)
            for function in self._index.follow_quietly(mapping, "functionName", (arns.FUNCTION,))
        }
        for function in self._index.of(types.FUNCTION):
            node = self._index.node(function)
            for queue, via in queues_read_by(self._index, function):
                if (queue.key, node.key) not in mapped:
                    yield Link(queue.key, node, via, "receive")

    def _sent(self, role: Resource) -> list[_Sent]:
        if role.urn not in self._by_role:
            grants = list(grants_of(self._index, role))
            denied = {kind for grant in grants for statement in grant.document for kind in _denied(statement)}
            self._by_role[role.urn] = [
                _Sent(node, link, grant.resource)
                for grant in grants
                for statement in grant.document.allowing
                for link, kind in dict.fromkeys(_meant(statement))
                if kind not in denied
                for node in self._named(grant, statement, kind)
            ]
            self._by_role[role.urn] += [
                _Sent(node, "invoke", grant.resource)
                for grant in grants
                for statement in grant.document.allowing
                for node in self._called(statement)
            ]
            self._by_role[role.urn] += [
                _Sent(self._every(arns.FUNCTION), "invoke", attachment.resource)
                for attachment in attachments_of(self._index, role)
                if isinstance(attachment.arn, str) and invokes_functions(attachment.arn)
            ]
        return self._by_role[role.urn]

    def _called(self, statement: Statement) -> Iterator[Node]:
        """Yield what APIs of this stack pass signed requests to. An API's name is not known at preview."""
        index = self._index

        def may_be(api: Resource) -> bool:
            # Whatever is excluded, all the rest is not.
            resources: Iterable[str | Missing] = ("*",) if statement.not_resources else statement.resources
            named = [arns.parse_arn(each) if isinstance(each, str) else None for each in resources]
            return any(arn is None or index.place(api).may_hold(arn) for arn in named)

        if statement.covers("execute-api:Invoke", if_unknown=False):
            yield from behind_apis(index, may_be)
        if statement.covers("appsync:GraphQL", if_unknown=False):
            for source in filter(may_be, index.of(types.GRAPHQL_SOURCE)):
                called = get(source.get("lambdaConfig"), "functionArn")
                yield from self._read(source, "lambdaConfig", called, (arns.FUNCTION,))

    def _named(self, grant: Grant, statement: Statement, kind: str) -> Iterator[Node]:
        # Whatever is excluded, all the rest is not.
        resources: Iterable[str | Missing] = ("*",) if statement.not_resources else statement.resources
        for resource in resources:
            if resource is UNKNOWN:
                key = "inlinePolicies" if grant.resource.type == types.ROLE else "policy"
                yield from self._index.origins(grant.resource, key, (kind,))
            elif isinstance(resource, str):
                yield from self._matching(resource, kind)

    def _matching(self, pattern: str, kind: str) -> Iterator[Node]:
        arn = arns.parse_arn(pattern)
        if arn and not has_wildcard(arn.name):
            if arn.kind == kind:
                yield self._index.literal(pattern, kind)
            return
        if pattern == "*" or (arn and (arn.kind, arn.name) == (kind, "*")):
            yield self._every(kind, arn)
            if kind == arns.BUS:
                yield self._index.literal(f"{pattern[:-1]}default", arns.BUS)
            return
        for resource in self._index.of(_TYPE[kind]):
            if arn and not self._index.place(resource).may_hold(arn):
                continue
            name = text(resource.get(NAMED[resource.type][1]))
            if not isinstance(name, str) or resource_matches(pattern, _arn_like(pattern, kind, name)):
                yield self._index.node(resource)

    def _every(self, kind: str, at: arns.Arn | None = None) -> Node:
        """Return one node that leads to all of a kind, of the region and the account of an ARN if given."""
        where = "" if at is None else f"@{at.region}/{at.account}"
        hub = Node(HUB, f"{HUB}:every {kind}{where}")
        if hub.key not in self._hubs:
            self._hubs[hub.key] = [
                Link(hub.key, self._index.node(each), each, "put")
                for each in self._index.of(_TYPE[kind])
                if at is None or self._index.place(each).may_hold(at)
            ]
        return hub

    def _endings(self) -> Iterator[Link]:
        """Yield where results and failures go."""
        index = self._index
        for config in index.of(types.EVENT_INVOKE_CONFIG):
            yield from self._ending(config, "destinationConfig", ("onSuccess", "destination"), "destination")
        for type_, key, path in NAMING:
            if type_ in _FAILING:
                for owner in index.of(type_):
                    yield from self._ending(owner, key, path, "dead-letter")

    def _ending(self, owner: Resource, key: str, path: tuple[str, ...], kind: str) -> Iterator[Link]:
        value = get(parsed(owner.get(key)), *path)
        named_by = _FAILING[owner.type]
        for target in self._read(owner, key, value, (*_FAILING_KINDS, arns.BUS, arns.BUCKET)):
            if not named_by:
                yield Link(owner.urn, target, owner, kind)
                continue
            kinds = ("rule",) if named_by == "rule" else _FAILING_KINDS
            for start in self._index.follow_quietly(owner, named_by, _first(named_by, kinds)):
                yield Link(start.key, target, owner, kind)

    def _of_buckets(self) -> Iterator[Link]:
        lists = (
            ("lambdaFunctions", "lambdaFunctionArn", arns.FUNCTION),
            ("queues", "queueArn", arns.QUEUE),
            ("topics", "topicArn", arns.TOPIC),
        )
        for notification in self._index.of(types.BUCKET_NOTIFICATION):
            targets = [
                node
                for key, field, kind in lists
                for entry in entries(notification.get(key))
                for node in self._read(notification, key, get(entry, field), (kind,))
            ]
            for bucket in self._index.follow_quietly(notification, "bucket", (arns.BUCKET,)):
                yield from (Link(bucket.key, target, notification, "notification") for target in targets)

    def _of_tables(self) -> Iterator[Link]:
        """Yield the links from tables to the Kinesis streams that get their changes."""
        for copy in self._index.of(types.STREAM_OF_TABLE):
            streams = self._index.follow_quietly(copy, "streamArn", (arns.STREAM,))
            for table in self._index.follow_quietly(copy, "tableName", (arns.TABLE,)):
                yield from (Link(table.key, stream, copy, "put") for stream in streams)

    def _of_delivery_streams(self) -> Iterator[Link]:
        """Yield what feeds a Firehose stream, what transforms its records, and where it puts them."""
        for stream in self._index.of(types.DELIVERY_STREAM):
            node = self._index.node(stream)
            source = stream.get("kinesisSourceConfiguration", "kinesisStreamArn")
            for each in self._read(stream, "kinesisSourceConfiguration", source, (arns.STREAM,)):
                yield Link(each.key, node, stream, "put")
            for key in DESTINATIONS:
                held = stream.get(key)
                for value in _leaves(held):
                    kinds = (arns.BUCKET, arns.FUNCTION)
                    for each in self._read(stream, key, value, kinds):
                        if each.kind in kinds:
                            yield Link(
                                stream.urn, each, stream, "put" if each.kind == arns.BUCKET else "invoke"
                            )

    def _of_logs(self) -> Iterator[Link]:
        filters = self._index.of(types.LOG_SUBSCRIPTION)
        groups: set[str] = set()
        for each in filters:
            targets = self._read(each, "destinationArn", each.get("destinationArn"), TARGET_KINDS)
            nodes = self._index.follow_quietly(each, "logGroup", (arns.LOG_GROUP,))
            # The name of a group may be made from the name of its function.
            nodes = nodes or self._index.origins(each, "logGroup", (arns.FUNCTION,))
            for start in nodes:
                groups.add(start.key)
                yield from (Link(start.key, target, each, "log") for target in targets)
        for function in self._index.of(types.FUNCTION) if filters else ():
            for group in self._group_of(function):
                if group.key in groups:
                    yield Link(function.urn, group, function, "log")

    def _group_of(self, function: Resource) -> list[Node]:
        value = text(function.get("loggingConfig", "logGroup"))
        if isinstance(value, str):
            return [self._index.literal(value, arns.LOG_GROUP, function)]
        if value is UNKNOWN:
            return self._index.origins(function, "loggingConfig", (arns.LOG_GROUP,))
        name = text(function.get("name"))
        if not isinstance(name, str):
            return []
        return [self._index.literal(f"/aws/lambda/{name}", arns.LOG_GROUP, function)]

    def _read(self, owner: Resource, key: str, value: Any, kinds: tuple[str, ...]) -> list[Node]:
        if isinstance(value, str) and value:
            return [self._index.literal(value, kinds[0], owner)]
        return self._index.origins(owner, key, kinds) if value is UNKNOWN else []


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the ARNs in a value, and UNKNOWN once if one may be there."""
    todo, hidden = [value], False
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            todo += cast("dict[str, Any]", each).values()
        elif isinstance(each, list):
            todo += cast("list[Any]", each)
        elif isinstance(each, str) and arns.parse_arn(each):
            yield each
        elif each is UNKNOWN and not hidden:
            hidden = True
            yield UNKNOWN


def _first(key: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return kinds with that first which a bare name in a property is of."""
    first = {"queueUrl": arns.QUEUE, "topic": arns.TOPIC, "functionName": arns.FUNCTION}.get(key, kinds[0])
    return (first, *(kind for kind in kinds if kind != first))


def _meant(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the kinds of links that a statement allows, each with the kind of what they lead to."""
    if statement.not_actions:
        yield from (meant for action, meant in _KIND.items() if statement.covers(action, if_unknown=True))
    for action in statement.actions:
        if not isinstance(action, str) or (action.lower() == "sns:publish" and statement.is_to_phones):
            continue
        if not has_wildcard(action):
            if found := _KIND.get(action.lower()):
                yield found
            continue
        yield from (meant for each, meant in _KIND.items() if action_matches(action, each))


def _denied(statement: Statement) -> Iterator[str]:
    """Yield the kinds of which a statement denies everything, whoever asks: text messages are not topics."""
    if statement.allows or statement.condition is not ABSENT:
        return
    for _, kind, actions in _SENDING:
        if all(statement.covers(action, if_unknown=False) for action in actions):
            named = (arns.parse_arn(each) for each in statement.resources if isinstance(each, str))
            every = (
                arn.kind == kind and {arn.name, arn.region, arn.account} <= {"*", ""} for arn in named if arn
            )
            if "*" in statement.resources or any(every):
                yield kind


def _arn_like(pattern: str, kind: str, name: str) -> str:
    """Return what the ARN of a resource may be, as far as account and region can be read in a pattern."""
    service, form = _FORMS[kind]
    known = ["arn", "aws", service, "region", "account"]
    for position, part in enumerate(pattern.split(":")[:5]):
        if part and not has_wildcard(part) and position != 2:  # noqa: PLR2004 - the service is the kind's
            known[position] = part
    if kind == arns.BUCKET:
        known[3:] = ["", ""]
    return ":".join((*known, form.format(name)))
