"""The functions: their archives, log groups and roles."""

from collections.abc import Callable
from pathlib import Path

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.function import FUNCTIONS, package
from selfheal.components.services.fragile_service import FragileService
from tests.components.support import iam
from tests.components.support.deployments import healer
from tests.support.pulumi_mocks import Deployment, deploy


@pytest.mark.parametrize(("function", "other"), [("fragile", "healer"), ("healer", "fragile")])
def test_an_archive_holds_the_function_and_what_is_shared_under_their_import_paths(
    function: str, other: str
) -> None:
    names = set(package(function).assets)
    assert "selfheal/functions/shared/remedies.json" in names
    assert {f"selfheal/functions/{name}" for name in (f"{function}/handler.py", "shared/emf.py")} <= names
    assert not any(name.startswith(f"selfheal/functions/{other}/") for name in names)
    assert {Path(name).suffix for name in names} <= {".py", ".json"}
    assert not any("__pycache__" in name for name in names)


def test_caches_and_settings_stay_out_and_subfolders_come_along(tmp_path: Path) -> None:
    root = tmp_path / "functions"
    for name in (
        "one/handler.py",
        "one/part/rule.json",
        "one/__pycache__/handler.pyc",
        "one/notes.md",
        "shared/log.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "__init__.py").write_text("")
    assert sorted(package("one", root).assets) == [
        "selfheal/__init__.py",
        "selfheal/functions/__init__.py",
        "selfheal/functions/one/handler.py",
        "selfheal/functions/one/part/rule.json",
        "selfheal/functions/shared/log.py",
    ]


def test_an_unknown_function_is_refused() -> None:
    with pytest.raises(ComponentError, match=r"no function 'heeler'.* Known: authorizer, breaker, downst"):
        package("heeler", FUNCTIONS)


COMPONENTS: dict[str, Callable[[bool], Deployment]] = {
    "fragile": lambda preview: deploy(
        lambda: FragileService("fragile", {"failure_rate": 0.3, "log_retention_days": 30}) and None,
        preview=preview,
    ),
    "healer": lambda preview: healer(preview, log_retention_days=30),
}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("name", COMPONENTS)
def test_a_function_has_its_own_log_group_and_a_bounded_role(name: str, preview: bool) -> None:
    deployment = COMPONENTS[name](preview)
    [function] = deployment.of("aws:lambda/function:Function")
    assert (function.inputs["runtime"], function.inputs["architectures"]) == ("python3.13", ["arm64"])
    assert function.inputs["handler"] == f"selfheal.functions.{name}.handler.handle"
    assert function.inputs["loggingConfig"] == {"logFormat": "Text", "logGroup": f"{name}-logs-1a2b3c4"}
    group, policy = deployment.named(f"{name}-logs"), deployment.named(f"{name}-policy")
    assert group.inputs["retentionInDays"] == 30
    # Both come first, so that the function may log from its first run on.
    assert {group.urn, policy.urn} <= function.dependencies
    role, boundary = deployment.named(f"{name}-role"), deployment.named(f"{name}-boundary")
    assert boundary.inputs["policy"] == policy.inputs["policy"]
    assert boundary.urn in role.property_dependencies["permissionsBoundary"]
    [trust] = iam.statements(role.inputs["assumeRolePolicy"])
    service = {"Service": "lambda.amazonaws.com"}
    assert trust == {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service}
    assert deployment.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") == []
