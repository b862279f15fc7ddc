"""What the emulator's enforcement of IAM gets wrong about CloudWatch, put right inside its process."""

import json
from collections.abc import Callable
from typing import Any

ExtractArn = Callable[[str, str, str, dict[str, str], bytes, dict[str, Any], str, str], str]

_DESCRIBE_ALARMS = ".DescribeAlarms"
"""End of the target header; the pinned botocore speaks JSON to CloudWatch."""


def alarms_named(extract: ExtractArn) -> ExtractArn:
    """Return the emulator's look-up of a request's resource, taught that DescribeAlarms names alarms.

    AWS checks cloudwatch:DescribeAlarms against the alarms that are named (Service Authorization Reference,
    "Actions, resources, and condition keys for Amazon CloudWatch"), so a policy may be scoped to them. The
    emulator looks at `*` only, and would refuse every scoped policy. One resource is all that it can check
    for a request of CloudWatch: of several alarms the first one counts.
    """

    def extracted(  # noqa: PLR0917 - ministack's own signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        arn = extract(service, method, path, headers, body, query_params, region, account_id)
        target = headers.get("x-amz-target", "")
        if arn != "*" or service != "monitoring" or not target.endswith(_DESCRIBE_ALARMS):
            return arn
        names: list[str] = json.loads(body).get("AlarmNames") or []
        return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{names[0]}" if names else arn

    return extracted
