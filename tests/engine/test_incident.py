"""What `preview`, `up` and `destroy` do while the healer's remedy stands, one after the other."""

from tests.engine.live import BASELINE, REMEDY, close, everything, rate, stand
from tests.support.stacks import FAILED, Stack
from tools.explain_deployment import reasons

OPEN = "an incident is open on fragile"


def test_preview_warns_and_up_is_refused_with_nothing_changed(dev: Stack) -> None:
    stand(dev)
    before = everything(dev)
    told = dev.preview()
    assert OPEN in told
    assert "`up` will be refused" in told

    for preview in ((), ("--skip-preview",)):
        told = dev.run("up", *preview, code=FAILED)
        assert f"error: {OPEN}" in told, told
        assert "pulumi config set restoreBaseline true" in told
        assert "Traceback" not in told
        assert rate(dev) == REMEDY
        [why] = reasons("dev", [told])  # what the workflow of a deployment says of it
        assert "An incident is open on fragile in dev" in why
    assert everything(dev) == before


def test_mode_observe_lets_up_through_and_leaves_the_remedy(dev: Stack) -> None:
    """How docs/operations.md takes the healer's permissions away in the middle of an incident."""
    dev.configure(mode="observe", failureRate="0.2")
    told = dev.run("up")
    assert "mode is observe: `up` goes on, and leaves what remedies change as it is" in told, told
    healer = dev.outputs()["healerName"]
    functions, iam = dev.account.clients.get("lambda"), dev.account.clients.get("iam")
    live = functions.get_function_configuration(FunctionName=healer)
    assert live["Environment"]["Variables"]["MODE"] == "observe"
    role = live["Role"].split("/")[-1]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert "UpdateFunctionConfiguration" not in str(policy)
    assert rate(dev) == REMEDY

    dev.configure(mode="act", failureRate="0.3")
    assert f"error: {OPEN}" in dev.up(code=FAILED)


def test_restore_baseline_lets_up_through(dev: Stack) -> None:
    dev.configure(restoreBaseline="true")
    told = dev.up()
    dev.configure(restoreBaseline=None)
    assert OPEN in told
    assert "restoreBaseline is true: `up` goes on" in told
    assert rate(dev) == BASELINE


def test_once_it_is_closed_up_restores_the_baseline_and_nothing_else(dev: Stack) -> None:
    stand(dev)
    close(dev)
    assert "~ 1 updated" in dev.up()
    assert rate(dev) == BASELINE


def test_destroy_goes_on_in_an_incident(dev: Stack) -> None:
    """It runs no program, so nothing can refuse it: `selfheal incidents` is to be looked at before."""
    stand(dev)
    dev.run("destroy")
    assert not any(everything(dev).values()), everything(dev)
