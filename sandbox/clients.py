"""Credentials, and clients and an opener for an endpoint, which ignore the environment and ~/.aws.

Whatever calls the sandbox's emulator makes its calls by these. The clients are botocore's, which are what
boto3 has: importing boto3 besides takes every plugin of the CLI longer.
"""

import ipaddress
import os
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.loaders import Loader
from botocore.plugin import PluginContext, reset_plugin_context, set_plugin_context
from botocore.session import Session

# Name in the configuration, variables, default, conversion. Without names of variables and with empty files
# each has its default, whatever the environment says.
_NOTHING_OF_THE_USERS: dict[str, Any] = {
    name: (None, None, default, conversion)
    for name, (_, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
} | {"config_file": (None, None, os.devnull, None), "credentials_file": (None, None, os.devnull, None)}

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs without the user's proxy, which cannot reach this machine and must not see what is sent."""


class Credentials(NamedTuple):
    """An AWS key pair, passed explicitly to every client."""

    access_key_id: str
    """For example `test`, the emulator's root user."""

    secret_access_key: str
    """The secret that belongs to the key."""

    session_token: str | None = None
    """Of temporary credentials only. Default: none."""


def is_loopback(endpoint: str) -> bool:
    """Return whether a URL is of this machine: localhost, 127.0.0.0/8 or [::1].

    Other names are not resolved, as their address may change before the call.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return local and parts.scheme in {"http", "https"}


@cache
def own_loader() -> Loader:
    """Return the loader of botocore's own data. A session's also reads AWS_DATA_PATH and ~/.aws/models.

    All sessions share it: it keeps what it has read, and reading takes longer than all else of a client.
    """
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def session_of(region: str, credentials: Credentials) -> Session:
    """Return a session that ignores the user's AWS configuration: environment and files."""
    session = Session(_NOTHING_OF_THE_USERS)
    session.register_component("data_loader", own_loader())
    session.set_config_variable("region", region)
    session.set_credentials(*credentials)
    return session


@dataclass
class Clients:
    """Clients of one endpoint, region and key, each made once and safe to share between threads."""

    endpoint: str
    """URL without a trailing slash, for example `http://127.0.0.1:4566`."""

    region: str
    """For example `us-east-1`."""

    credentials: Credentials
    """The key that signs every call."""

    retries: int = 4
    """Attempts of one call, the first included. Default 4."""

    read_timeout: int = 60
    """Seconds to wait for an answer. Default 60."""

    connect_timeout: int = 5
    """Seconds to wait for a connection. Default 5: the endpoint is usually on this machine."""

    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)
    _session: Session | None = field(default=None, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def get(self, service: str) -> Any:
        """Return the client of a service, by botocore's name for it (`lambda`, `iam`, ...)."""
        with self._lock:  # creating clients from one session is not thread-safe; using them is
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def patient(self, seconds: int) -> "Clients":
        """Return clients that send each call once, and wait that long for its answer."""
        return Clients(self.endpoint, self.region, self.credentials, retries=1, read_timeout=seconds)

    def _make(self, service: str) -> Any:
        if self._session is None:  # shared, because making one takes long
            self._session = session_of(self.region, self.credentials)
        local = is_loopback(self.endpoint)
        config = Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_pool_connections=16,  # programs create as many resources at a time
            # The user's http_proxy cannot reach this machine, and must not see these keys.
            proxies={} if local else None,
            retries={"mode": "standard", "total_max_attempts": self.retries},
            s3={"addressing_style": "path"},  # a bucket's name in front of `localhost` may not resolve
        )
        # True is botocore's own certificates; by None it would take those that REQUESTS_CA_BUNDLE names.
        verify = True if local else None
        before = set_plugin_context(PluginContext("DISABLED"))  # BOTOCORE_EXPERIMENTAL__PLUGINS names modules
        try:
            return self._session.create_client(
                service, endpoint_url=self.endpoint, config=config, verify=verify
            )
        finally:
            reset_plugin_context(before)
