"""What keeps `up` from undoing a remedy in the middle of an incident: the program asks the ledger first.

A Python program calls `refuse_while_open` before its first resource. The Healer asks too, for programs that
do not. It has to refuse the preview: when it refuses `up`, resources before it have already been updated.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum

import pulumi

from selfheal.components.errors import ComponentError
from selfheal.components.healing.ledger import UnreadableLedgerError, read_item
from selfheal.components.names import TABLE
from selfheal.functions.shared.contract import FLEET_KEY, Mode

HEALER_TYPE = "selfheal:index:Healer"

_CHANGED_BY_REMEDIES = {
    "aws:lambda/function:Function": ["environment", "reservedConcurrentExecutions"],
    "aws:lambda/alias:Alias": ["functionVersion"],
}
"""Properties that a remedy changes although Pulumi owns them."""

_told: ContextVar[Mapping[str, frozenset[str] | None] | None] = ContextVar("_told", default=None)
"""By ledger, the open targets of which this program was told before its first resource; None: unreadable."""


class WhileOpen(StrEnum):
    """What a Healer does while a change by it stands, if the program does not call `refuse_while_open`."""

    REFUSE = "refuse"
    """Fail preview and `up`."""
    WARN = "warn"
    """Warn at preview, for pull requests. `up` fails, unless the mode is OBSERVE: people may have to take the
    healer's permissions away, and deploy it alone to leave the change as it is."""
    RESTORE_BASELINE = "restore-baseline"
    """Warn, and let `up` put the baseline back over the change."""


def refuse_while_open(
    ledger_name: str,
    restore_baseline: bool = False,
    mode: Mode = Mode.ACT,
    opts: pulumi.InvokeOptions | None = None,
) -> None:
    """Refuse `up` while it would undo a change by the healer and restore the failing baseline.

    Call this before registering any resource, so that a refused `up` changes nothing. At preview it only
    warns. In mode OBSERVE, which takes the healer's permissions away, `up` goes on and leaves what remedies
    change as it is: environment and reserved concurrency of functions, and the version of aliases.

    Args:
        ledger_name: The table's name.
        restore_baseline: Whether people decided that the baseline is wanted all the same.
        mode: The mode that is about to be deployed.
        opts: Provider of the ledger. Default: the default provider.

    Raises:
        ComponentError: at `up`, when a target is open or the ledger cannot be read.

    """
    TABLE.check("ledger_name", ledger_name)
    names, problem = _look(ledger_name, opts)
    _told.set({**(_told.get() or {}), ledger_name: None if names is None else frozenset(names)})
    if problem is None:
        return
    if restore_baseline:
        _warn(problem, "restoreBaseline is true: `up` goes on")
    elif mode is Mode.OBSERVE:
        pulumi.runtime.register_stack_transformation(_leave_what_remedies_change)
        _warn(problem, "mode is observe: `up` goes on, and leaves what remedies change as it is")
    elif pulumi.runtime.is_dry_run():
        _warn(problem, "`up` will be refused")
    else:
        raise problem


def refuse_in_healer(
    ledger_name: str, while_open: WhileOpen, mode: Mode, healer: pulumi.ComponentResource
) -> None:
    """Refuse where the program did not ask before its first resource, or not where this Healer deploys.

    Args:
        ledger_name: The table's name.
        while_open: What to do.
        mode: The mode that is about to be deployed.
        healer: The component, whose provider and region are used.

    Raises:
        ComponentError: when a target is open, or the ledger cannot be read.

    """
    names, problem = _look(ledger_name, pulumi.InvokeOptions(parent=healer))
    told = _told.get() or {}
    if problem is None or (ledger_name in told and _includes(told[ledger_name], names)):
        return
    if while_open is WhileOpen.RESTORE_BASELINE:
        _warn(problem, f"while_open is {while_open}: `up` goes on")
    elif while_open is WhileOpen.WARN and mode is Mode.OBSERVE:
        _warn(problem, "while_open is warn and mode is observe: `up` goes on; deploy the healer alone")
    elif while_open is WhileOpen.WARN and pulumi.runtime.is_dry_run():
        _warn(problem, f"while_open is {while_open}: `up` will be refused, when resources have been updated")
    else:
        raise ComponentError(
            f"{problem} A Python program calls refuse_while_open({ledger_name!r}) before its first resource, "
            "with the provider of the Healer: then the preview only warns. Elsewhere, or for one deployment, "
            f"set while_open of the Healer to {WhileOpen.WARN} (preview of a pull request) or "
            f"{WhileOpen.RESTORE_BASELINE}."
        )


def open_targets(ledger_name: str, opts: pulumi.InvokeOptions | None = None) -> list[str]:
    """Return the targets with a change by the healer that `up` would undo, sorted.

    If there is no ledger yet, there are none.

    Raises:
        UnreadableLedgerError: when AWS answers with an error other than "no item" or "no table".

    """
    return sorted(read_item(ledger_name, FLEET_KEY, opts).get("targets", {}).get("SS", []))


def _look(
    ledger_name: str, opts: pulumi.InvokeOptions | None
) -> tuple[list[str] | None, ComponentError | None]:
    """Return the open targets, None if the ledger cannot be read, and why `up` is to be refused."""
    try:
        names = open_targets(ledger_name, opts)
    except UnreadableLedgerError as error:
        return None, error
    if not names:
        return [], None
    return names, ComponentError(
        f"an incident is open on {', '.join(names)}: `up` would put the baseline back over the "
        "healer's remedy. Allowed is `up` without an open incident. See `selfheal incidents`, "
        "wait until they are closed, take the remedy back with `selfheal rollback`, or decide to "
        "restore the baseline now: `pulumi config set restoreBaseline true`."
    )


def _includes(told: frozenset[str] | None, names: list[str] | None) -> bool:
    return names is None if told is None else names is not None and told.issuperset(names)


def _warn(problem: ComponentError, consequence: str) -> None:
    pulumi.log.warn(f"{problem} ({consequence})")


def _leave_what_remedies_change(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    properties = _CHANGED_BY_REMEDIES.get(args.type_)
    if properties is None or _is_of_a_healer(args.opts.parent):
        return None
    kept = pulumi.ResourceOptions(ignore_changes=properties)
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, kept))


def _is_of_a_healer(parent: pulumi.Resource | None) -> bool:
    return parent is not None and parent.pulumi_resource_type == HEALER_TYPE
