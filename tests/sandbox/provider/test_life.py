"""The life of a resource of every type in the table, against the emulator."""

import re
import secrets
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import InputError, ProviderError
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.provider.provider import Diff
from selfheal.sandbox.provider.spec import LOCAL
from selfheal.sandbox.provider.table import TABLE
from tests.sandbox.provider.cases import CASES, Case, Need
from tests.sandbox.provider.cloudfront_cases import CLOUDFRONT_CASES
from tests.sandbox.provider.pattern_cases import PATTERN_CASES
from tests.sandbox.provider.rest_cases import REST_CASES
from tests.sandbox.provider.s3_cases import S3_CASES

pytestmark = pytest.mark.slow

ALL = [*CASES, *REST_CASES, *PATTERN_CASES, *S3_CASES, *CLOUDFRONT_CASES]

Made = dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]]


def _fill(value: Any, outputs: dict[str, dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {k: _fill(v, outputs) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(v, outputs) for v in value]
    needed = re.fullmatch(r"\{(\w+)\.(\w+)\}", value) if isinstance(value, str) else None
    return outputs[needed[1]][needed[2]] if needed else value


def _make(provider: AwsProvider, needs: dict[str, Need]) -> Made:
    made: Made = {}
    for name, (type_, given) in needs.items():
        inputs = provider.check(type_, name, _fill(given, _outputs(made)), None, secrets.token_hex(16))
        id_, result = provider.create(type_, inputs)
        made[name] = (type_, id_, inputs, dict(result))
    return made


def _outputs(made: Made) -> dict[str, dict[str, Any]]:
    return {name: {"id": id_, **outputs} for name, (_, id_, _, outputs) in made.items()}


def _names(case: Case) -> str:
    return case.type.split(":")[-1]


def _drift(provider: AwsProvider, case: Case, id_: str, inputs: dict[str, Any]) -> Diff:
    found = provider.read(case.type, id_, inputs)
    assert found is not None
    return provider.diff(case.type, {**inputs, **found[0]}, inputs)


def _created_again(provider: AwsProvider, case: Case, id_: str, inputs: dict[str, Any]) -> None:
    """Nothing is adopted: a name that is taken is refused, unless AWS itself replaces or makes another."""
    if case.taken:
        with pytest.raises(ProviderError, match=f"creating: .*{case.taken}"):
            provider.create(case.type, inputs)
        return
    again, _ = provider.create(case.type, inputs)
    if case.many:
        assert again != id_
        provider.delete(case.type, again, inputs)
    else:
        assert again == id_


def _imported(provider: AwsProvider, case: Case, id_: str, inputs: dict[str, Any]) -> None:
    """What an import gives is what was created, and a program that says so has no difference."""
    if case.import_id is None:
        with pytest.raises(InputError, match=r"cannot be imported"):
            provider.lookup(case.type, id_, {})
        return
    found = provider.lookup(case.type, case.import_id.format(id=id_, **inputs), {})
    assert found is not None
    assert found[0] == id_
    local = {key: value for key, value in inputs.items() if TABLE[case.type].inputs[key] is LOCAL}
    checked = provider.check(case.type, "thing", {**found[1], **local}, None, secrets.token_hex(16))
    assert provider.diff(case.type, checked, inputs).changed == []
    assert provider.lookup(case.type, id_, inputs) == found  # `.get` with the id and what is known


@pytest.mark.parametrize("case", ALL, ids=_names)
def test_life_of_a_resource(provider: AwsProvider, clients: Clients, case: Case) -> None:
    made = _make(provider, case.needs)
    wanted = _fill(case.inputs, _outputs(made))
    inputs = provider.check(case.type, "thing", wanted, None, secrets.token_hex(16))

    id_, outputs = provider.create(case.type, inputs)
    assert id_
    missing = [key for key in TABLE[case.type].computed if outputs.get(key) is None]
    assert missing == []
    assert _drift(provider, case, id_, inputs).changed == []
    _imported(provider, case, id_, inputs)
    _created_again(provider, case, id_, inputs)
    assert _drift(provider, case, id_, inputs).changed == []

    change = _fill(case.change, _outputs(made))
    later = {key: value for key, value in {**inputs, **change}.items() if value is not None}
    diff = provider.diff(case.type, inputs, later)
    assert sorted(diff.changed) == sorted(change)
    assert diff.replace == []
    provider.update(case.type, id_, inputs, later)
    assert _drift(provider, case, id_, later).changed == []

    case.drift(clients, id_, later)
    found = provider.read(case.type, id_, later)
    assert (found is None) is (case.drifted is None)
    if found is not None:
        assert _drift(provider, case, id_, later).changed == [case.drifted]
    if found is not None and case.change:
        provider.update(case.type, id_, {**later, **found[0]}, later)
        assert _drift(provider, case, id_, later).changed == []

    provider.delete(case.type, id_, later)
    assert case.stays or provider.read(case.type, id_, later) is None
    provider.delete(case.type, id_, later)
    for type_, other, given, _ in reversed(list(made.values())):
        provider.delete(type_, other, given)
        assert provider.read(type_, other, given) is None


def test_every_type_of_the_table_has_a_case() -> None:
    assert {case.type for case in ALL} == set(TABLE)
