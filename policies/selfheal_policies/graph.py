"""The stack as a graph, built once per run and shared by all rules: each healer with all that makes it one.

It is made of three layers: what alarms reach (reach.py), who heals (healing.py), and here what belongs to a
healer: its alarms, the ways from them, its grants.
"""

from collections.abc import Sequence
from functools import cached_property

from selfheal_policies import arns, types
from selfheal_policies.dead_letters import DeadLetters
from selfheal_policies.grants import Grant, attachments_of, boundary_of, grants_of, roles_of
from selfheal_policies.healing import Healing
from selfheal_policies.index import Node
from selfheal_policies.links import Link
from selfheal_policies.recognition import Recognition
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Finding
from selfheal_policies.ways import ahead


class Graph(Healing):
    """What belongs to each healer."""

    def __init__(self, resources: Sequence[Resource], recognition: Recognition | None = None) -> None:
        """Follow every reference of the stack; `recognition` is what the owner says of it."""
        super().__init__(resources, recognition)
        self._alarms_of: dict[str, list[Resource]] = {}
        self._wake_links: dict[str, list[Link]] = {}
        self.dead_letters = DeadLetters(self.index, self.access)

    @cached_property
    def health_alarms(self) -> dict[str, Resource]:
        """Alarms on a healer's own health, by URN.

        They name the healer or what shows that it fails: where its failures end, what it reads, its logs.
        What covers a healer among others, or the table to which it writes, is one only if it wakes it.
        """
        own = {healer.urn for healer in self.healers}
        sights = [(alarm, self.wiring.watching.sight(alarm)) for alarm in self.alarms]
        return {
            alarm.urn: alarm
            for alarm, sight in sights
            if sight.named & own
            or (sight.wide & own and any(self.wakes(alarm, healer) for healer in self.healers))
            or any(
                self.wakes(alarm, healer)
                for key in sight.named & self.ledgers.keys()
                for healer in self.ledgers[key]
            )
        }

    @cached_property
    def ledgers(self) -> dict[str, list[Resource]]:
        """Key of each table to which healers write, their ledgers among them, to these healers."""
        found: dict[str, list[Resource]] = {}
        for healer in self.healers:
            access = self.access(healer)
            nodes = [
                write.named(self.index) for write in (*access.writes, *access.records) if not write.control
            ]
            for key in {node.key for node in nodes if node and node.kind == arns.TABLE}:
                found.setdefault(key, []).append(healer)
        return found

    def alarms_of(self, healer: Resource) -> list[Resource]:
        """Return the alarms that are wired to a healer, those on a healer's own health left out."""
        if healer.urn not in self._alarms_of:
            keys = self._waking_states(healer).keys() - self.health_alarms.keys()
            self._alarms_of[healer.urn] = [alarm for alarm in self.alarms if alarm.urn in keys]
        return self._alarms_of[healer.urn]

    @cached_property
    def wake_alarms(self) -> dict[str, Resource]:
        """The alarms that are wired to any healer, by URN."""
        return {alarm.urn: alarm for healer in self.healers for alarm in self.alarms_of(healer)}

    def concerned(self, alarm: Resource) -> str:
        """Return the URN of a healer that an alarm wakes or watches; empty for none."""
        return self._concerned.get(alarm.urn, "")

    @cached_property
    def _concerned(self) -> dict[str, str]:
        found: dict[str, str] = {}
        own = {healer.urn for healer in self.healers}
        for healer in self.healers:
            found |= {alarm.urn: healer.urn for alarm in self.alarms_of(healer) if alarm.urn not in found}
        for alarm in self.alarms:
            sight = self.wiring.watching.sight(alarm)
            for urn in sorted((sight.named | sight.meant | sight.wide) & own)[:1]:
                found.setdefault(alarm.urn, urn)
            for key in sorted(sight.named & self.ledgers.keys()):
                found.setdefault(alarm.urn, self.ledgers[key][0].urn)
        for composite in self.index.of(types.COMPOSITE_ALARM):
            if composite.urn in found:
                below = self.wiring.trees.metric_alarms(composite)
                found = {alarm.urn: found[composite.urn] for alarm in below} | found
        return found

    def targets_of(self, healer: Resource) -> frozenset[str]:
        """Return the keys of the functions that the alarms of a healer watch, but for itself."""
        # One on a healer's own health must not wake it, as another rule says: what it watches is watched.
        waking = (self.index.by_urn[urn] for urn in self._waking_states(healer))
        return frozenset[str]().union(*(self.wiring.watched(alarm) for alarm in waking)) - {healer.urn}

    # The ways from its alarms to it

    def wake_links(self, healer: Resource) -> list[Link]:
        """Return every link on a way from an alarm, of this stack or another, to a healer."""
        if healer.urn not in self._wake_links:
            behind = self._ways.behind(healer.urn)
            entering = self.woken_from_outside(healer)
            starts = [alarm.urn for alarm in self.alarms_of(healer)] + [waker.key for waker in entering]
            into = [(waker, link) for waker in entering for link in self._ways.links_to(waker.key)]
            # What a topic of another stack is permitted, that stack may subscribe: nothing is missing here.
            found = [link for waker, link in into if link.via is waker.via and link.kind != "permission"]
            passed = ahead(starts, lambda key: () if key == healer.urn else self._within(key, behind))
            for key in sorted(passed - {healer.urn}):
                found += self._within(key, behind)
            self._wake_links[healer.urn] = list(dict.fromkeys(found))
        return self._wake_links[healer.urn]

    def _within(self, key: str, keys: frozenset[str]) -> list[Link]:
        return [link for link in self._ways.links_from(key) if link.target.key in keys]

    def wake_vias(self, kind: str) -> list[Resource]:
        """Return the resources that make the links of a kind on the ways to healers, each once."""
        links = [link for healer in self.healers for link in self.wake_links(healer)]
        return list({link.via.urn: link.via for link in links if link.kind == kind}.values())

    @cached_property
    def wake_topics(self) -> dict[str, tuple[Node, Resource]]:
        """The topics on ways from alarms to healers, by key, each with a resource that leads to it."""
        links = [link for healer in self.healers for link in self.wake_links(healer)]
        topics = [(link.target, link.via) for link in reversed(links) if link.target.kind == arns.TOPIC]
        return {node.key: (node, via) for node, via in topics}

    def tells_people(self, alarm: Resource) -> bool:
        """Return whether an alarm, or a composite alarm that asks it, can reach a person."""
        return any(self.reaches_people(each) for each in self.wiring.trees.with_parents(alarm))

    def reaches_people(self, alarm: Resource) -> bool:
        """Return whether an alarm that fires can reach a person."""
        healers = {healer.urn for healer in self.healers}
        return any(
            self.wiring.tells_people(link.target, self.reach(link.target.key), healers)
            for link in self.wiring.links_from(alarm.urn)
            if "ALARM" in link.states
        )

    # What it is made of

    @cached_property
    def roles(self) -> list[Resource]:
        """The roles of this stack that healers and their actuators have, each once."""
        actuators = [self.index.by_urn[urn] for urn in self._starters]
        found = {role.urn: role for actor in (*self.healers, *actuators) for role in self.roles_of(actor)}
        return list(found.values())

    @cached_property
    def grants(self) -> list[Grant]:
        """The documents in force for the roles of healers, each once. Those of boundaries grant nothing."""
        found = [grant for role in self.roles for grant in grants_of(self.index, role)]
        # Two roles may share a policy, and a policy may be attached twice.
        return list({(grant.urn, grant.where): grant for grant in found}.values())

    def is_of_actuators(self, grant: Grant) -> bool:
        """Return whether only actuators have a document, and no healer."""
        return (grant.urn, grant.where) not in self._of_healers

    @cached_property
    def _of_healers(self) -> frozenset[tuple[str, str]]:
        roles = {role.urn: role for healer in self.healers for role in self.roles_of(healer)}
        found = (grant for role in roles.values() for grant in grants_of(self.index, role))
        return frozenset((grant.urn, grant.where) for grant in found)

    def parts_of(self, healer: Resource) -> set[str]:
        """Return the keys of what a healer is made of: itself, its role, and all that wakes it."""
        keys = {healer.urn, *(node.key for node in roles_of(self.index, healer))}
        for link in self.wake_links(healer):
            keys |= {link.source, link.target.key, link.via.urn}
        return keys

    def why_about(self, finding: Finding) -> str:
        """Return why that counts as a healer which a finding is about; empty if it is about none."""
        actor = self._healer_of.get(finding.about or finding.urn)
        return self.why(actor) if actor else ""

    @cached_property
    def _healer_of(self) -> dict[str, Resource]:
        """A healer for each resource that makes one, by URN: the first, if they share it."""
        found: dict[str, Resource] = {}
        for healer in reversed(self.healers):
            parts: list[str | None] = [actuator.urn for actuator in self.actuators_of(healer)]
            parts += [key for key, healers in self.ledgers.items() if healer in healers]
            parts += [config.urn for config in self.wiring.invoke_configs(healer)]
            parts += [permission.urn for permission, _ in self.wiring.permissions(healer)]
            for role in (
                role for each in (healer, *self.actuators_of(healer)) for role in self.roles_of(each)
            ):
                parts += [role.urn, *(grant.urn for grant in grants_of(self.index, role))]
                parts += [attachment.resource.urn for attachment in attachments_of(self.index, role)]
                bound = boundary_of(self.index, role)
                parts.append(bound.urn if bound else None)
            for link in self.wake_links(healer):
                parts += [link.source, link.target.key, link.via.urn]
            found |= {part: healer for part in parts if part in self.index.by_urn}
        return found | {healer.urn: healer for healer in self.healers}
