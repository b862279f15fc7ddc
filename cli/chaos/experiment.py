"""Prepares a run on a stack, carries it out, and ends what another run left behind."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.chaos.approval import Approvals
from selfheal.cli.chaos.faults import Kill, Switch, Throttle, Way
from selfheal.cli.chaos.fis import Experiment
from selfheal.cli.chaos.lease import Lease
from selfheal.cli.chaos.orders_sent import OrdersSent
from selfheal.cli.chaos.progress import Shown
from selfheal.cli.chaos.record import (
    LEASE_SECONDS,
    Records,
    RunItem,
    TakenError,
    Undo,
    left_behind,
    this_process,
)
from selfheal.cli.chaos.recording import Recording
from selfheal.cli.chaos.rules import check_place, digest_of, percent_of
from selfheal.cli.chaos.run import FAULT_MARGIN_SECONDS, Run, not_ready
from selfheal.cli.chaos.signals import Signals
from selfheal.cli.chaos.stack import Stack
from selfheal.cli.chaos.tokens import choose
from selfheal.cli.chaos.undo import Tell, undo_all
from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso
from selfheal.sandbox.faults import Faults
from selfheal.scenarios.faults import DownstreamFault, FunctionFault, ThrottleFault
from selfheal.scenarios.scenario import Scenario

STOP_WAIT_SECONDS = 120
"""How long `stop` waits for a run that is alive to end."""


def carry_out(stack: Stack, scenario: Scenario, given: Mapping[str, str], shown: Shown) -> Recording:
    """Run a scenario with tokens by caller, and return what was recorded.

    Raises:
        CliError: when it may not be run there, another run is under way, or a signal came and the fault could
            not be undone.
        KeyboardInterrupt: after everything was undone.

    """
    by, run_id = stack.caller(), uuid4().hex
    check_place(scenario, emulated=stack.is_emulated, production=stack.is_production)
    tokens, note = choose(scenario, given)
    stack.check_clock()
    records = Records(stack.dynamodb, stack.ledger)
    clear(stack, records, shown.say)
    allow, approved = _permission(stack, scenario, by)
    setting = {
        "endpoint": "sandbox" if stack.is_emulated else "AWS",
        "stack is": "production" if stack.is_production else "a sandbox",
        "region": str(stack.dynamodb.meta.region_name),
        "orders a second": f"{scenario.traffic.per_second:g}",
        "callers": ", ".join(tokens),
        "share of the calls broken": f"{percent_of(scenario.fault):.0f} %",
        **({"approved by": approved} if approved else {}),
    }
    sent = OrdersSent.of(str(stack.outputs["url"]), tokens, scenario.traffic, run_id)
    # Before the first order what the stack lacks, and what is in the way.
    reason = way_of(stack, scenario, run_id, until=0.0).problem()
    if not reason:
        shown.say("Sending the first orders.")
        reason = not_ready(stack, sent)
    began = datetime.now(UTC)
    until = began.timestamp() + scenario.before_seconds + scenario.fault_seconds + FAULT_MARGIN_SECONDS
    way = way_of(stack, scenario, run_id, until)
    recording = Recording(
        scenario=scenario,
        stack=stack.name,
        by=by,
        began=began,
        how=way.how,
        notes=tuple(each for each in (note, *_notes(stack)) if each),
        setting=setting,
        not_started=reason,
    )
    if reason:
        return recording
    record = RunItem(
        id=run_id,
        scenario=scenario.name,
        by=by,
        started=iso(began),
        alive_until=began.timestamp() + LEASE_SECONDS,
        ends=until,
        undo=way.undo,
        process=this_process(),
    )
    signals, lease, undo = Signals(), Lease(records, run_id), _undoing(stack, shown.say)
    run = Run(recording, stack, sent, way, lease, records, undo, shown, signals, allow)
    return _go(run, record, stack, shown.say)


def _go(run: Run, record: RunItem, stack: Stack, tell: Tell) -> Recording:
    """Run it between the writing and the deletion of its record, which stays where not all was undone."""
    with run.signals.handled():
        try:
            run.records.begin(record)
            with run.lease:
                return run.go()
        except TakenError as error:
            raise CliError(_under_way(error.other, stack)) from error
        except KeyboardInterrupt as signalled:
            if run.is_undone:
                raise
            raise CliError(run.recording.stopped) from signalled
        finally:
            with run.signals.held():
                if run.is_undone:
                    _end(run.records, record.id, tell)


def _end(records: Records, run_id: str, tell: Tell) -> None:
    try:
        records.end(run_id)
    except (BotoCoreError, ClientError) as error:
        tell(f"All is undone, but the run's record could not be deleted: {error}. The next command does it.")


def _permission(stack: Stack, scenario: Scenario, by: str) -> tuple[Callable[[], None], str]:
    """Return what uses up the approval, and whose it is; nothing, and no name, where none is needed.

    Raises:
        CliError: when there is none.

    """
    if not stack.is_production:
        return lambda: None, ""
    approvals, digest = Approvals(stack.dynamodb, stack.ledger), digest_of(scenario, stack.name)
    approval = approvals.valid(digest, by, alone=stack.is_emulated)
    return lambda: approvals.use(approval, by), f"{approval.by}, digest {digest}"


def _undoing(stack: Stack, tell: Tell) -> Callable[[Sequence[Undo]], None]:
    def undo(what: Sequence[Undo]) -> None:
        undo_all(what, stack.access.clients, tell)

    return undo


def _notes(stack: Stack) -> list[str]:
    if stack.is_emulated:
        return ["This ran in the project's sandbox, not on AWS: times are the emulator's."]
    return []


def way_of(stack: Stack, scenario: Scenario, run_id: str, until: float) -> Way:
    """Return how the fault of a scenario is made on a stack.

    Raises:
        CliError: when the stack lacks what that needs.

    """
    fault = scenario.fault
    match fault:
        case DownstreamFault():
            return Switch(stack.dynamodb, str(stack.outputs["downstreamTable"]), fault, until)
        case FunctionFault():
            template = stack.outputs.get("experiments", {}).get(scenario.name)
            if not template:
                raise CliError(
                    f"The stack {stack.name} has no experiment template for {scenario.name} (output "
                    "`experiments`). Faults of functions are made by AWS FIS: set `chaos: true`, and deploy."
                )
            function = _function(stack, fault.target)
            fis = stack.access.clients.get("fis")
            return Experiment(fis, str(template), fault, function, scenario.fault_seconds, run_id)
        case ThrottleFault():
            return Throttle(Faults(stack.endpoint), fault, run_id, until)
        case _:
            return Kill(Faults(stack.endpoint), _function(stack, fault.target), fault)


def _function(stack: Stack, target: str) -> str:
    functions = stack.outputs.get("functions", {})
    if target not in functions:
        raise CliError(
            f"The stack {stack.name} has no function {target!r} (output `functions`). "
            f"It has {', '.join(sorted(functions)) or 'none'}."
        )
    return str(functions[target])


def clear(stack: Stack, records: Records, tell: Tell) -> None:
    """Undo what a run left behind that was killed.

    Raises:
        CliError: when the run is alive, or could not be undone.

    """
    left = records.read()
    if left is None:
        return
    if left.is_alive(time.time()):
        raise CliError(_under_way(left, stack))
    tell(
        f"The run of {left.scenario} by {left.by}, begun {left.started}, was killed. Undoing what it "
        f"recorded: {left_behind(left.undo)}."
    )
    undo_all(left.undo, stack.access.clients, tell)
    records.end(left.id)


def _under_way(run: RunItem, stack: Stack) -> str:
    seconds = max(0.0, run.alive_until - time.time())
    return (
        f"{run.scenario} is run in {stack.name} by {run.by} since {run.started}: one at a time. Wait, or end "
        f"it with selfheal chaos stop. If it was killed, it counts as alive for {seconds:.0f} s more."
    )


def stop(stack: Stack, tell: Tell, sleep: Callable[[float], None] = time.sleep) -> bool:
    """End the run that is under way or was left behind. Return False if there is none.

    Raises:
        CliError: when something could not be undone, or the run does not end.

    """
    records = Records(stack.dynamodb, stack.ledger)
    run = records.read()
    if run is None:
        return False
    tell(f"{run.scenario} by {run.by}, begun {run.started}.")
    if run.is_alive(time.time()):
        records.ask_to_stop(run.id, stack.caller())
        # At once: whoever runs it hears of it only when he next renews his record.
        undo_all(run.undo, stack.access.clients, tell)
        if _has_ended(records, run.id, sleep):
            return True
    # It was killed, and may have made the fault after the first undoing.
    undo_all(run.undo, stack.access.clients, tell)
    records.end(run.id)
    return True


def _has_ended(records: Records, run_id: str, sleep: Callable[[float], None]) -> bool:
    """Wait until a run ends. Return False if it was killed, so that its record is still there."""
    deadline = time.monotonic() + STOP_WAIT_SECONDS
    while (now := records.read()) is not None and now.id == run_id:
        if not now.is_alive(time.time()):
            return False
        if time.monotonic() > deadline:
            raise CliError(f"The run is still at work after {STOP_WAIT_SECONDS} s: end its process.")
        sleep(1)
    return True
