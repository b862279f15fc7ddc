"""What the items of the ledger say that are no incidents. Those are converted by items.py."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from boto3.dynamodb.types import TypeDeserializer

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.items import reading
from selfheal.functions.healer.readings import Fleet, ModeOverride, Request, Trouble
from selfheal.functions.healer.states import Effect, Reason, Verb
from selfheal.functions.shared.contract import FLEET_KEY, Mode


def mode_of(item: Mapping[str, Any]) -> ModeOverride:
    """Return the override of the mode that an item holds; version 0 if there is none.

    Raises:
        UnreadableItemError: when the mode is unknown, or the item damaged.

    """
    if not item:
        return ModeOverride(0)
    with reading("override of the mode", item) as raw:
        mode = Mode(raw["mode"]) if "mode" in raw else None
        return ModeOverride(int(raw["version"]), mode, raw["by"], raw["why"], raw["at"])


def request_of(
    item: Mapping[str, Any], kind: Literal["approval", "command"], incident: Incident
) -> Request | None:
    """Return the request that an item holds, if there is one for this incident that was not answered yet.

    Args:
        item: The item, or nothing.
        kind: What it must be.
        incident: The target's current or last incident.

    Raises:
        UnreadableItemError: when it is damaged, of a later schema, or of a kind that has not this verb.

    """
    if not item:
        return None
    with reading(kind, item) as raw:
        if raw["incident"] != incident.id or raw["id"] in incident.answered:
            return None
        verb = Verb(raw["verb"])
        if (verb is Verb.APPROVE) != (kind == "approval"):
            raise ValueError(f"{verb} is no {kind}; nothing is done about either")
        if parse_iso(raw["until"]).tzinfo is None:
            raise ValueError(f"its end {raw['until']} has no time zone")
        fields = ("id", "incident", "by", "at", "until")
        why, plan = raw.get("why", ""), raw.get("plan")
        return Request(verb=verb, why=why, plan=plan, **{name: raw[name] for name in fields})


def fleet_of(item: Mapping[str, Any]) -> Fleet:
    """Return what the item says that all targets share. What is damaged is left out, and is its `problem`."""
    wrong: list[str] = []

    def read(name: str, load: Callable[[Any], Any], empty: Any) -> Any:
        try:
            value = TypeDeserializer().deserialize(item[name]) if name in item else None
            return empty if value is None else load(value)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            wrong.append(f"{name} ({error})")
            return empty

    none = frozenset[str]()
    fleet = Fleet(
        version=read("version", int, 0),
        acting=read("acting", _names, none),
        blocking=read("targets", _names, none),
        acts=read("acts", _moments, ()),
        standing=read("standing", _names, none),
        unfinished=read("unfinished", _names, none),
        trouble=read("trouble", lambda raw: {name: Trouble(**each) for name, each in raw.items()}, {}),
        mode_told=read("mode_told", _text, None),
    )
    if not wrong:
        return fleet
    told = (
        f"the ledger's item {FLEET_KEY['pk']['S']}/{FLEET_KEY['sk']['S']}, which all targets share, is "
        f"damaged in {', '.join(wrong)}: no remedy is applied. Mend these attributes, or delete them: the "
        "sets are made again from the incidents, and the budget begins anew"
    )
    return replace(fleet, problem=told)


def troubles_attribute(trouble: Mapping[str, Trouble]) -> dict[str, Any]:
    """Return what could not be handled as `fleet_of` reads it, in the attribute `trouble`."""
    return {
        "M": {
            name: {"M": {"since": {"S": each.since}} | ({"told": {"S": each.told}} if each.told else {})}
            for name, each in trouble.items()
        }
    }


def membership(incident: Incident | None) -> frozenset[str]:
    """Return the sets of the fleet's item that a target belongs to.

    "acting" holds the targets with a change in progress, "targets" those whose change blocks `up`, "standing"
    those with a change that is still in place, and "unfinished" those that someone has to look at again.
    """
    if incident is None:
        return frozenset()
    unfinished = {"unfinished"} if incident.is_open or incident.effect is not None else set[str]()
    if incident.reason is Reason.TARGET_REMOVED:
        # It blocks nothing any more. People have to close what is open or stands.
        return frozenset(unfinished | ({"unfinished"} if incident.drifts else set()))
    standing = unfinished | ({"standing"} if incident.standing else set())
    if not incident.is_open:
        return frozenset(standing)
    plans = [each.plan for each in incident.standing]
    if incident.plan is not None and incident.effect in (Effect.APPLY, Effect.REVERT):
        plans.append(incident.plan)
    blocks = any(plan.is_pulumis for plan in plans)
    return frozenset(
        standing | {name for name, member in (("acting", incident.is_acting), ("targets", blocks)) if member}
    )


def _names(raw: Any) -> frozenset[str]:
    if not isinstance(raw, set) or not all(isinstance(each, str) for each in cast("set[Any]", raw)):
        raise TypeError("not a set of names")
    return frozenset(cast("set[str]", raw))


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("not a text")
    return raw


def _moments(raw: Any) -> tuple[str, ...]:
    return tuple(each for each in raw if parse_iso(each))
