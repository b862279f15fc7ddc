"""A configuration that names a policy which the pack does not have."""

from collections.abc import Generator

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2
from selfheal_policies.misspelt import misspelt

from tests.conftest import ROOT
from tests.policies.support.client import Pack, PackError

POLICIES = ["lambda-function-failure-rate", "iam-role-boundary"]


def test_every_unknown_name_is_named_with_the_nearest_policy() -> None:
    told = misspelt(["iam-role-boundry", "iam-role-boundary", "zzz"], POLICIES)
    assert "iam-role-boundry, which is no policy of this pack (did you mean iam-role-boundary?)" in told
    assert "zzz, which is no policy of this pack. Correct" in told


def test_known_names_and_all_are_right() -> None:
    assert misspelt([*POLICIES, "all"], POLICIES) == ""


class Told(Pack):
    """A pack that can also be told what this client would not send."""

    def tell(self, name: str) -> None:
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        request.policyConfig[name].enforcementLevel = analyzer_pb2.MANDATORY
        self._asked("Configure", request)


@pytest.fixture(scope="module")
def pack() -> Generator[Told]:
    with Told(ROOT / "policies") as running:
        yield running


@pytest.mark.slow
def test_the_pack_refuses_it_over_its_protocol(pack: Told) -> None:
    pack.tell("iam-role-boundary")
    with pytest.raises(PackError, match=r"iam-role-boundry, which is no policy of this pack") as raised:
        pack.tell("iam-role-boundry")
    assert isinstance(raised.value.__cause__, grpc.RpcError)
    pack.tell("all")
