"""Documents of Systems Manager, which ministack lacks, and the public parameters of AWS FIS.

A document is kept with its versions, and never run. Sources: Systems Manager API reference (CreateDocument
and the like) and user guide, "Schemas, features, and examples" of documents; AWS FIS user guide, "Available
versions of the AWS FIS extension for Lambda".
"""

import copy
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import yaml

Answer = tuple[int, dict[str, str], Any]

_FIS_EXTENSION = re.compile(r"/aws/service/fis/lambda-extension/AWS-FIS-extension-(arm64|x86_64)/1\.x\.x")
_FIS_ACCOUNT = "211125607513"
"""Of the extension's layer in us-east-1, the emulator's region."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{3,128}")
_AUTOMATION_SCHEMA = "0.3"


class DocumentError(Exception):
    """A call is refused, with AWS's code."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


def extension_published(find: Callable[[str], Any], region: Callable[[], str]) -> Callable[[str], Any]:
    """Return the replacement of `_public_parameter`, which knows the layer of AWS FIS.

    The layer itself is not there: ministack attaches a layer of another account as an empty one.
    """

    def found(name: str) -> Any:
        extension = _FIS_EXTENSION.fullmatch(name)
        if not extension:
            return find(name)
        layer = f"arn:aws:lambda:{region()}:{_FIS_ACCOUNT}:layer:aws-fis-extension-{extension[1]}:9"
        arn = f"arn:aws:ssm:{region()}::parameter{name}"
        return {
            "Name": name,
            "Type": "String",
            "Value": layer,
            "Version": 1,
            "LastModifiedDate": 1730160000,
        } | {"ARN": arn}

    return found


class Documents:
    """The documents, kept with the state of ministack's module `ssm`."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        """Begin without one."""
        self._responses = modules["responses"]
        self._all = self._responses.AccountRegionScopedDict()

    def answering(self, handle: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
        """Return the replacement of `handle_request`, which also knows the operations on documents."""
        calls: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateDocument": self._create,
            "DescribeDocument": lambda given: {"Document": self._described(given)},
            "GetDocument": self._get,
            "UpdateDocument": self._update,
            "UpdateDocumentDefaultVersion": self._default,
            "DeleteDocument": self._delete,
        }

        async def handled(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Answer:
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            if operation not in calls:
                return await handle(method, path, headers, body, query)
            try:
                answer = calls[operation](json.loads(body))
            except DocumentError as error:
                return cast("Answer", self._responses.error_response_json(error.code, str(error), 400))
            return cast("Answer", self._responses.json_response(answer))

        return handled

    def saved(self, state: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        """Return the replacement of `get_state`."""
        return lambda: {**state(), "selfheal_documents": copy.deepcopy(self._all)}

    def loaded(self, load: Callable[[Any], Any]) -> Callable[[Any], None]:
        """Return the replacement of `load_persisted_state`."""

        def taken_over(data: Any) -> None:
            load(data)
            self._all.update((data or {}).get("selfheal_documents", {}))

        return taken_over

    def forgotten(self, reset: Callable[[], Any]) -> Callable[[], None]:
        """Return the replacement of `reset`."""

        def forgot() -> None:
            reset()
            self._all.clear()

        return forgot

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["Name"]
        if not _NAME.fullmatch(name) or name.lower().startswith(("aws", "amazon", "amzn")):
            raise DocumentError(
                "ValidationException",
                f"a document's name has 3 to 128 letters, digits, _, - and ., got {name!r}",
            )
        if name in self._all:
            raise DocumentError("DocumentAlreadyExists", f"Document {name} already exists")
        kind = given.get("DocumentType", "Command")
        version = _version(given, kind, given.get("DocumentFormat", "JSON"))
        self._all[name] = {
            "Name": name,
            "DocumentType": kind,
            "CreatedDate": time.time(),
            "Owner": self._responses.get_account_id(),
            "DefaultVersion": "1",
            "Versions": [version],
        }
        return {"DocumentDescription": self._described(given)}

    def _described(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._found(given["Name"])
        number, version = _chosen(found, given.get("DocumentVersion", "$DEFAULT"))
        kept = ("Name", "DocumentType", "CreatedDate", "Owner", "DefaultVersion")
        return {
            **{key: found[key] for key in kept},
            **{key: value for key, value in version.items() if key != "Content"},
            "DocumentVersion": str(number),
            "LatestVersion": str(len(found["Versions"])),
            "Status": "Active",
            "PlatformTypes": ["Windows", "Linux", "MacOS"],
            "Tags": [],
        }

    def _get(self, given: dict[str, Any]) -> dict[str, Any]:
        described = self._described(given)
        _, version = _chosen(self._found(given["Name"]), given.get("DocumentVersion", "$DEFAULT"))
        kept = ("Name", "CreatedDate", "DocumentVersion", "Status", "DocumentType", "DocumentFormat")
        return {**{key: described[key] for key in kept}, "Content": version["Content"]}

    def _update(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._found(given["Name"])
        _, base = _chosen(found, given.get("DocumentVersion", "$LATEST"))
        version = _version(given, found["DocumentType"], given.get("DocumentFormat", base["DocumentFormat"]))
        if any(version["Hash"] == other["Hash"] for other in found["Versions"]):
            raise DocumentError(
                "DuplicateDocumentContent", "The content of the document is that of a version"
            )
        found["Versions"].append(version)
        return {"DocumentDescription": self._described({**given, "DocumentVersion": "$LATEST"})}

    def _default(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._found(given["Name"])
        number, _ = _chosen(found, given["DocumentVersion"])
        found["DefaultVersion"] = str(number)
        return {"Description": {"Name": given["Name"], "DefaultVersion": str(number)}}

    def _delete(self, given: dict[str, Any]) -> dict[str, Any]:
        del self._all[self._found(given["Name"])["Name"]]
        return {}

    def _found(self, name: str) -> dict[str, Any]:
        if name not in self._all:
            raise DocumentError("InvalidDocument", f"Document with name {name} does not exist.")
        return cast("dict[str, Any]", self._all[name])


def _chosen(found: Mapping[str, Any], asked: str) -> tuple[int, dict[str, Any]]:
    versions = found["Versions"]
    named = {"$DEFAULT": found["DefaultVersion"], "$LATEST": str(len(versions))}.get(asked, asked)
    if not named.isdigit() or not 1 <= int(named) <= len(versions):
        raise DocumentError("InvalidDocumentVersion", f"The document has no version {asked}")
    return int(named), versions[int(named) - 1]


def _version(given: Mapping[str, Any], kind: str, form: str) -> dict[str, Any]:
    content = given["Content"]
    document = _parsed(content, form)
    schema = str(document.get("schemaVersion", ""))
    if not schema:
        raise DocumentError("InvalidDocumentSchemaVersion", "The document has no schemaVersion")
    if kind == "Automation":
        steps = document.get("mainSteps")
        if schema != _AUTOMATION_SCHEMA or not isinstance(steps, list) or not steps:
            wanted = f"schemaVersion {_AUTOMATION_SCHEMA} and mainSteps"
            text = f"an Automation document has {wanted}, got schemaVersion {schema!r}"
            raise DocumentError("InvalidDocumentContent", text)
    return {
        "Content": content,
        "DocumentFormat": form,
        "Description": str(document.get("description", "")),
        "SchemaVersion": schema,
        "Hash": hashlib.sha256(content.encode()).hexdigest(),
        "HashType": "Sha256",
        "Parameters": [
            {"Name": name, "Type": parameter.get("type", "String")}
            for name, parameter in (document.get("parameters") or {}).items()
        ],
        **{key: given[key] for key in ("TargetType", "VersionName") if given.get(key)},
    }


def _parsed(content: str, form: str) -> dict[str, Any]:
    try:
        document = json.loads(content) if form == "JSON" else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError):
        document = None
    if not isinstance(document, dict):
        raise DocumentError("InvalidDocumentContent", f"The content is no {form} document")
    return cast("dict[str, Any]", document)
