"""CloudFront: distributions."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.names import found, given, same_names
from selfheal.sandbox.provider.spec import FLAG, LOCAL, VALUE, Kind, Props, Spec, values

_HOSTED_ZONE = "Z2FDTNDATAQYW2"
"""Of every distribution. Source: AWS general reference, "Amazon CloudFront endpoints and quotas"."""

_TOP = {
    **same_names("comment", "defaultRootObject", "enabled", "httpVersion", "priceClass"),
    "isIpv6Enabled": "IsIPV6Enabled",
    "webAclId": "WebACLId",
}
_ORIGIN = {**same_names("domainName", "originPath", "originAccessControlId"), "originId": "Id"}
_CUSTOM = {
    **same_names("originProtocolPolicy", "originReadTimeout", "originKeepaliveTimeout"),
    "httpPort": "HTTPPort",
    "httpsPort": "HTTPSPort",
}
_BEHAVIOR = same_names(
    *("targetOriginId", "viewerProtocolPolicy", "compress", "pathPattern"),
    *("cachePolicyId", "originRequestPolicyId", "responseHeadersPolicyId"),
)
_ERROR = {**same_names("errorCode", "responsePagePath"), "errorCachingMinTtl": "ErrorCachingMinTTL"}
_CERTIFICATE = {
    "acmCertificateArn": "ACMCertificateArn",
    "cloudfrontDefaultCertificate": "CloudFrontDefaultCertificate",
    "iamCertificateId": "IAMCertificateId",
    "minimumProtocolVersion": "MinimumProtocolVersion",
    "sslSupportMethod": "SSLSupportMethod",
}

# --- to AWS -------------------------------------------------------------------------------------------------


def _listed(members: Iterable[Any] | None) -> dict[str, Any]:
    """Return a list in CloudFront's form."""
    items = list(members or ())
    return {"Quantity": len(items), **({"Items": items} if items else {})}


def _config(inputs: Props, reference: str) -> dict[str, Any]:
    restriction = inputs["restrictions"]["geoRestriction"]
    ordered = inputs.get("orderedCacheBehaviors") or ()
    return {
        **given(inputs, _TOP),
        "Comment": inputs.get("comment") or "",
        "CallerReference": reference,
        "Aliases": _listed(inputs.get("aliases")),
        "Origins": _listed(_origin(origin) for origin in inputs["origins"]),
        "DefaultCacheBehavior": _behavior(inputs["defaultCacheBehavior"]),
        "CacheBehaviors": _listed(_behavior(behavior) for behavior in ordered),
        "CustomErrorResponses": _listed(_error(each) for each in inputs.get("customErrorResponses") or ()),
        "Restrictions": {
            "GeoRestriction": {
                "RestrictionType": restriction["restrictionType"],
                **_listed(restriction.get("locations")),
            }
        },
        "ViewerCertificate": given(inputs["viewerCertificate"], _CERTIFICATE),
    }


def _origin(origin: Props) -> dict[str, Any]:
    custom = origin.get("customOriginConfig")
    if not custom:
        # The AWS provider sends it empty as well, where there is an access control instead of an identity.
        return {**given(origin, _ORIGIN), "S3OriginConfig": {"OriginAccessIdentity": ""}}
    protocols = _listed(custom.get("originSslProtocols"))
    return {
        **given(origin, _ORIGIN),
        "CustomOriginConfig": {**given(custom, _CUSTOM), "OriginSslProtocols": protocols},
    }


def _behavior(behavior: Props) -> dict[str, Any]:
    cached = _listed(behavior.get("cachedMethods"))
    methods = {**_listed(behavior.get("allowedMethods")), "CachedMethods": cached}
    return {**given(behavior, _BEHAVIOR), "AllowedMethods": methods}


def _error(error: Props) -> dict[str, Any]:
    code = error.get("responseCode")
    return {**given(error, _ERROR), **({} if code is None else {"ResponseCode": str(code)})}


# --- from AWS -----------------------------------------------------------------------------------------------


def _items(block: Mapping[str, Any] | None) -> list[Any]:
    return list((block or {}).get("Items") or ())


def _properties(config: Mapping[str, Any]) -> Props:
    restriction = config["Restrictions"]["GeoRestriction"]
    return {
        **found(config, _TOP),
        "aliases": _items(config.get("Aliases")),
        "origins": [_live_origin(origin) for origin in _items(config["Origins"])],
        "defaultCacheBehavior": _live_behavior(config["DefaultCacheBehavior"]),
        "orderedCacheBehaviors": [_live_behavior(each) for each in _items(config.get("CacheBehaviors"))],
        "customErrorResponses": [_live_error(each) for each in _items(config.get("CustomErrorResponses"))],
        "restrictions": {
            "geoRestriction": {
                "restrictionType": restriction["RestrictionType"],
                "locations": _items(restriction),
            }
        },
        "viewerCertificate": found(config["ViewerCertificate"], _CERTIFICATE),
    }


def _live_origin(origin: Mapping[str, Any]) -> Props:
    custom = origin.get("CustomOriginConfig")
    if not custom:
        return found(origin, _ORIGIN)
    protocols = _items(custom.get("OriginSslProtocols"))
    return {
        **found(origin, _ORIGIN),
        "customOriginConfig": {**found(custom, _CUSTOM), "originSslProtocols": protocols},
    }


def _live_behavior(behavior: Mapping[str, Any]) -> Props:
    methods = behavior.get("AllowedMethods") or {}
    return {
        **found(behavior, _BEHAVIOR),
        "allowedMethods": _items(methods),
        "cachedMethods": _items(methods.get("CachedMethods")),
    }


def _live_error(error: Mapping[str, Any]) -> Props:
    code = error.get("ResponseCode")
    return {**found(error, _ERROR), **({"responseCode": int(code)} if code else {})}


# --- the row ------------------------------------------------------------------------------------------------


def _create(clients: Clients, inputs: Props) -> str:
    config = _config(inputs, str(uuid.uuid4()))
    return str(clients.get("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["Id"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    answer = clients.get("cloudfront").get_distribution(Id=id_)
    live = answer["Distribution"]
    return {
        **_properties(live["DistributionConfig"]),
        **found(live, {"arn": "ARN", **same_names("domainName", "status")}),
        "etag": answer["ETag"],
        "hostedZoneId": _HOSTED_ZONE,
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    api = clients.get("cloudfront")
    live = api.get_distribution_config(Id=id_)
    config = _config(new, live["DistributionConfig"]["CallerReference"])
    api.update_distribution(Id=id_, IfMatch=live["ETag"], DistributionConfig=config)


def _delete(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    """Disable it first: one that is enabled cannot be deleted."""
    api = clients.get("cloudfront")
    live = api.get_distribution_config(Id=id_)
    etag, config = live["ETag"], live["DistributionConfig"]
    if config["Enabled"]:
        config["Enabled"] = False
        etag = api.update_distribution(Id=id_, IfMatch=etag, DistributionConfig=config)["ETag"]
    api.delete_distribution(Id=id_, IfMatch=etag)


_BEHAVIOR_KINDS: Mapping[str, Kind] = {
    **values(*(name for name in _BEHAVIOR if name not in ("compress", "pathPattern"))),
    "compress": FLAG,
    "allowedMethods": [VALUE],
    "cachedMethods": [VALUE],
}

DISTRIBUTION = Spec(
    inputs={
        **values("comment", "defaultRootObject", "httpVersion", "priceClass", "webAclId"),
        "enabled": FLAG,
        "isIpv6Enabled": FLAG,
        "aliases": [VALUE],
        "origins": [
            {
                **values(*_ORIGIN),
                "customOriginConfig": {**values(*_CUSTOM), "originSslProtocols": [VALUE]},
            }
        ],
        "defaultCacheBehavior": _BEHAVIOR_KINDS,
        # The first whose pattern fits decides.
        "orderedCacheBehaviors": ({"pathPattern": VALUE, **_BEHAVIOR_KINDS},),
        "customErrorResponses": [{**values(*_ERROR), "responseCode": VALUE}],
        "restrictions": {"geoRestriction": {"restrictionType": VALUE, "locations": [VALUE]}},
        "viewerCertificate": values(*_CERTIFICATE),
        "waitForDeployment": LOCAL,
        "retainOnDelete": LOCAL,
    },
    required=frozenset({"defaultCacheBehavior", "enabled", "origins", "restrictions", "viewerCertificate"}),
    computed=frozenset({"arn", "domainName", "etag", "hostedZoneId", "status"}),
    defaults={
        "httpVersion": "http2",
        "priceClass": "PriceClass_All",
        "retainOnDelete": False,
        "waitForDeployment": True,
    },
    # With the default certificate AWS sets it, whatever was asked for.
    unset={"viewerCertificate": {"minimumProtocolVersion": "TLSv1"}},
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
