"""Configuration of a function: parameters (Systems Manager) and secrets (Secrets Manager), through a cache.

Load it in the init phase, in the handler's module:

    CONFIGURATION = connect(parameters=["/shop/rate"], secrets=["shop/key"])

and ask for a value in each request. A value is read again after a time to live, by one thread, while the
others continue with the known one. While the store fails, throttles, or cannot decrypt, the last known value
is used, up to a maximum staleness, and the store is asked again at growing, random pauses. So a store that is
down for an hour is not felt, except by execution environments that start meanwhile: these need a default. A
parameter that was deleted counts as one that cannot be read, if it has no default.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.functions.shared.backoff import full_jitter
from selfheal.functions.shared.cached import Cached, FailureLog, within

TTL_SECONDS = (1.0, 60.0, 3600.0)
"""Minimum, default and maximum time to live. Systems Manager answers 40 calls a second by default, to all
functions of an account and region together: enough for 2,400 environments at 60 s."""

STALE_SECONDS = (60.0, 86400.0, 604800.0)
"""Minimum, default and maximum age of a value while its store fails. A day, because a function should not
fail because the store of its configuration does; bounded, because a value that was withdrawn must end."""

TIMEOUT_SECONDS = 1.0
"""Timeout to connect, and again to read. A store that does not answer delays one request by this a pause."""

LOAD_ATTEMPTS = 3
"""Attempts to read a store in the init phase, which may last 10 s."""

LOAD_BASE_SECONDS = 0.2
"""The longest pause between the first two of them."""

PAUSE_SECONDS = 1.0
"""The least pause after a failure. A random one is added, which grows up to the time to live."""

_CHUNK = 10  # Source: API reference of GetParameters.


class ConfigurationError(RuntimeError):
    """A value is not known: it was never read, or is too old."""


@dataclass(frozen=True)
class Surroundings:
    """What the cache takes from the machine."""

    clock: Callable[[], float] = time.time
    """Returns the time in seconds. A wall clock: it also advances while Lambda is frozen."""
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    """Returns a number in [0, 1)."""


class ConfigurationCache:
    """Parameters and secrets of one function.

    Args:
        ssm: A boto3 Systems Manager client with short timeouts and no retries. Unused without parameters.
        secrets_manager: The same of Secrets Manager. Unused without secrets.
        parameters: Names or ARNs of parameters, without a version. All are read together, decrypted, so a
            refresh is one call for ten.
        secrets: Names or ARNs of secrets, as text. Each is read on its own.
        defaults: Values of parameters that need not exist, and of which none may be known. Never secrets.
        ttl: Seconds until a value is read again, 1 to 3,600.
        stale: Seconds after it was read for which a value is used while its store fails: from the time to
            live, at least 60, to 604,800 (7 days).
        surroundings: Clock, sleep and chance.

    Raises:
        ValueError: when a time is out of its range, or a default is of no parameter.

    """

    def __init__(
        self,
        ssm: Any,
        secrets_manager: Any,
        *,
        parameters: Sequence[str] = (),
        secrets: Sequence[str] = (),
        defaults: Mapping[str, str] | None = None,
        ttl: float = TTL_SECONDS[1],
        stale: float = STALE_SECONDS[1],
        surroundings: Surroundings | None = None,
    ) -> None:
        self._ssm, self._secrets_manager = ssm, secrets_manager
        self._names = tuple(parameters)
        self._defaults = dict(defaults or {})
        _in_range("ttl", ttl, TTL_SECONDS)
        _in_range("stale", stale, STALE_SECONDS)
        if stale < ttl:
            raise ValueError(
                f"stale must be at least ttl, got {stale} s and {ttl} s: raise stale or lower ttl"
            )
        if unknown := sorted(self._defaults.keys() - set(self._names)):
            raise ValueError(
                f"defaults are for parameters, got some for {', '.join(unknown)}: name them there"
            )
        self._ttl, self._stale = ttl, stale
        self._around = surroundings or Surroundings()
        self._log = FailureLog("configuration not read", self._around.clock)
        self._needed = tuple(name for name in self._names if name not in self._defaults)
        self._seen: dict[str, tuple[str, float]] = {}
        self._parameters = self._cached("parameters", self._read_parameters)
        self._secrets = {name: self._cached(f"secret {name}", self._reader(name)) for name in secrets}

    def load(self) -> None:
        """Read everything. Call it in the init phase.

        Raises:
            ConfigurationError: when something without a default could not be read. The function then does not
                start, and Lambda tries again with the next invocation.

        """
        if self._names:
            self._load("parameters", self._parameters, self._needed)
            known = self._parameters.get() or {}
            if missing := [name for name in self._needed if name not in known]:
                raise ConfigurationError(
                    f"there is no parameter {', '.join(missing)}: create it in this account and region, or "
                    "give a default"
                )
        for name, cached in self._secrets.items():
            self._load(f"secret {name}", cached, [name])

    def parameter(self, name: str) -> str:
        """Return a parameter's value, or its default if none is known.

        Raises:
            ConfigurationError: when no value is known and there is no default.
            KeyError: when the name is none of `parameters`.

        """
        if name not in self._names:
            raise KeyError(
                f"{name} is none of this function's parameters: {', '.join(self._names) or 'none'}"
            )
        value = (self._parameters.get() or {}).get(name, self._defaults.get(name))
        if value is None:
            raise ConfigurationError(self._unknown(f"parameter {name}"))
        return value

    def secret(self, name: str) -> str:
        """Return a secret's text.

        Raises:
            ConfigurationError: when it is not known.
            KeyError: when the name is none of `secrets`.

        """
        if name not in self._secrets:
            raise KeyError(f"{name} is none of this function's secrets: {', '.join(self._secrets) or 'none'}")
        value = self._secrets[name].get()
        if value is None:
            raise ConfigurationError(self._unknown(f"secret {name}"))
        return value

    def _unknown(self, what: str) -> str:
        return (
            f"{what} is not known: it was never read, or last more than {self._stale:.0f} s ago. "
            "The log says why: look for 'configuration not read'."
        )

    def _load(self, what: str, cached: Cached[Any], needed: Sequence[str]) -> None:
        for attempt in range(1, LOAD_ATTEMPTS + 1):
            pause = full_jitter(attempt, self._around.random, base=LOAD_BASE_SECONDS, cap=1.0)
            self._around.sleep(pause)
            try:
                cached.load()
            except Exception as error:
                if attempt == LOAD_ATTEMPTS and needed:
                    raise ConfigurationError(
                        f"{what} could not be read in {attempt} attempts ({_kind(error)}), and there is no "
                        f"default of {', '.join(needed)}. Does it exist, and may this function's role read "
                        "and decrypt it?"
                    ) from error
            else:
                return

    def _cached(self, what: str, read: Callable[[], Any]) -> Cached[Any]:
        return Cached(
            read,
            self._around.clock,
            ttl=self._ttl,
            trust=self._stale,
            pause=self._pause,
            failed=lambda error: self._log(_kind(error), what=what),
        )

    def _pause(self, failures: int) -> float:
        longest = max(PAUSE_SECONDS, self._ttl)
        return PAUSE_SECONDS + full_jitter(failures + 1, self._around.random, base=PAUSE_SECONDS, cap=longest)

    def _reader(self, name: str) -> Callable[[], str]:
        return lambda: str(self._secrets_manager.get_secret_value(SecretId=name)["SecretString"])

    def _read_parameters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(self._names), _CHUNK):
            names = self._names[start : start + _CHUNK]
            answer = self._ssm.get_parameters(Names=list(names), WithDecryption=True)
            for each in answer["Parameters"]:
                for asked in (each["Name"], each.get("ARN")):
                    if asked in names:
                        found[asked] = str(each["Value"])
        now = self._around.clock()
        self._seen |= {name: (value, now) for name, value in found.items()}
        deleted = [name for name in self._needed if name not in found and name in self._seen]
        if deleted:
            self._log("ParameterNotFound", what=", ".join(deleted))
        kept = {name: self._seen[name] for name in deleted}
        return found | {name: value for name, (value, at) in kept.items() if within(at, now, self._stale)}


def connect(
    *,
    parameters: Sequence[str] = (),
    secrets: Sequence[str] = (),
    defaults: Mapping[str, str] | None = None,
    ttl: float = TTL_SECONDS[1],
    stale: float = STALE_SECONDS[1],
) -> ConfigurationCache:
    """Return a loaded cache, with credentials and region from the function's environment.

    Raises:
        ConfigurationError: when something without a default could not be read.
        ValueError: when a time is out of its range, or a default is of no parameter.

    """
    # Imported here, so that importing this module costs no boto3; a client each only where it is used.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    cache = ConfigurationCache(
        boto3.client("ssm", config=config) if parameters else None,
        boto3.client("secretsmanager", config=config) if secrets else None,
        parameters=parameters,
        secrets=secrets,
        defaults=defaults,
        ttl=ttl,
        stale=stale,
    )
    cache.load()
    return cache


def _in_range(name: str, value: float, limits: tuple[float, float, float]) -> None:
    least, default, most = limits
    if not least <= value <= most:
        raise ValueError(
            f"{name} must be {least:g} to {most:g} seconds, got {value}. Leave it out for {default:g}."
        )


def _kind(error: Exception) -> str:
    """Return the code of an AWS error, or the class of another. Never its text, which may quote a secret."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", type(error).__name__))
    return type(error).__name__
