"""Answers for the public parameter that tells which version of the extension of FIS there is."""

from collections.abc import Mapping
from typing import Any

from tests.support.pulumi_mocks import REGION

LAYER = f"arn:aws:lambda:{REGION}:211125607513:layer:aws-fis-extension-%s:9"


def extension(args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a layer by the name of its parameter."""
    start, _, rest = str(args["name"]).partition("AWS-FIS-extension-")
    architecture, _, version = rest.partition("/")
    assert (start, version) == ("/aws/service/fis/lambda-extension/", "1.x.x")
    return {"value": LAYER % architecture}


INVOKES = {"aws:ssm/getParameter:getParameter": extension}
