"""Reads configuration values, each checked, with refusals that name the key and what is allowed."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar, cast

import pulumi
from pulumi.runtime import config as pulumi_config

from selfheal.components.function import RETENTION_DAYS
from selfheal.components.healing.topics import is_email

_Word = TypeVar("_Word", bound=StrEnum)

_NAMESPACES = ("aws", "pulumi")
"""Of the provider and of the engine."""

_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


class SettingsError(pulumi.RunError):
    """A configuration value cannot be used. The text names the key, what is allowed, what was given."""

    def __init__(self, key: str, allowed: str, given: str, arguments: str) -> None:
        super().__init__(
            f"configuration key {key} must be {allowed}, got {given}. Set it with: pulumi config set "
            f"{arguments}"
        )


class Reader:
    """Reads one namespace. Each method returns a checked value or raises a SettingsError."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config

    def full_key(self, key: str) -> str:
        """Return a key with its namespace."""
        return self._config.full_key(key)

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise for a key that nobody reads: a misspelt one would silently leave its default in force."""
        names = sorted(known)
        prefix = f"{self._config.name}:"
        # The CLI hands configuration over in the environment, the Automation API in the context.
        given = {*pulumi_config.CONFIG.get(), *pulumi_config.get_config_env()}
        self._refuse_other_namespaces(given, names)
        for key in sorted(key.removeprefix(prefix) for key in given if key.startswith(prefix)):
            if key in names:
                continue
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise pulumi.RunError(
                f"configuration key {prefix}{key} is not known. {hint}Known are: {', '.join(names)}. "
                f"Remove it with: pulumi config rm {key}"
            )

    def _refuse_other_namespaces(self, given: Iterable[str], names: Iterable[str]) -> None:
        """Raise for a key of a namespace that nothing reads, such as a renamed project's old name.

        The provider checks its own keys by itself.
        """
        own = self._config.name
        for full in sorted(given):
            namespace, _, key = full.partition(":")
            if namespace in {own, *_NAMESPACES}:
                continue
            close = difflib.get_close_matches(namespace, _NAMESPACES, n=1)
            meant = f"{own}:{key}" if key in names else f"{close[0]}:{key}" if close else ""
            hint = f"Did you mean {meant}? Then set that one first. " if meant else ""
            raise pulumi.RunError(
                f"configuration key {full} is of a namespace that nothing here reads, so it would be without "
                f"effect. Read are {own} (this project), {' and '.join(_NAMESPACES)}. {hint}Remove it with: "
                f"pulumi config rm {full}"
            )

    def number(
        self, key: str, default: str | None, low: float, high: float, example: str, *, above: bool = False
    ) -> float:
        """Return a number from `low` (not itself, with `above`) to `high`."""
        bounds = (
            f"a number above {low:g} and at most {high:g}" if above else f"a number from {low:g} to {high:g}"
        )
        text = self._config.get(key)
        if text is None:
            text = default
        if text is None:
            raise SettingsError(self._config.full_key(key), bounds, "nothing", f"{key} {example}")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        # NaN fails every comparison, so it is refused here too.
        if not (low < value <= high if above else low <= value <= high):
            raise SettingsError(self._config.full_key(key), bounds, repr(text), f"{key} {example}")
        return value

    def word(self, key: str, default: _Word) -> _Word:
        """Return a member of the default's enumeration."""
        kind = type(default)
        text = self._config.get(key)
        if text is None:
            return default
        if text not in list(kind):
            close = difflib.get_close_matches(text, list(kind), n=1)
            example = close[0] if close else default.value
            raise SettingsError(
                self._config.full_key(key), f"one of {', '.join(kind)}", repr(text), f"{key} {example}"
            )
        return kind(text)

    def words(self, key: str, allowed: tuple[_Word, ...], default: tuple[_Word, ...]) -> tuple[_Word, ...]:
        """Return a list of these words, which configuration holds as JSON, each at most once."""
        text = self._config.get(key)
        if text is None:
            return default
        entries = _strings(text)
        if entries is None or len(set(entries)) < len(entries) or not set(entries) <= set(allowed):
            raise SettingsError(
                self._config.full_key(key),
                f"a list of {', '.join(allowed)}, each at most once",
                repr(text),
                f"--path '{key}[0]' {default[0]}",
            )
        return tuple(type(allowed[0])(entry) for entry in entries)

    def entries(self, key: str, default: tuple[str, ...], example: str) -> tuple[str, ...]:
        """Return a list of texts, each once, which configuration holds as JSON."""
        text = self._config.get(key)
        if text is None:
            return default
        found = _strings(text)
        if (
            found
            and all(each.strip() and "," not in each for each in found)
            and len(set(found)) == len(found)
        ):
            return tuple(found)
        allowed = "a list of one or more texts without commas, each once"
        raise SettingsError(self._config.full_key(key), allowed, repr(text), f"--path '{key}[0]' {example}")

    def secrets(self, key: str, example: str) -> pulumi.Output[Mapping[str, str]]:
        """Return an object of texts, as a secret. It never appears in a message."""
        text = self._config.get(key)
        try:
            found: object = json.loads(text or "{}")
        except ValueError:
            found = None
        entries = cast("dict[object, object]", found) if isinstance(found, dict) else {0: 0}
        if not all(isinstance(each, str) for pair in entries.items() for each in pair):
            raise SettingsError(
                self._config.full_key(key),
                "an object of texts",
                "another value",
                f"--secret --path {example}",
            )
        if entries and not self._is_secret(key):
            pulumi.log.warn(
                f"configuration key {self._config.full_key(key)} is plain text in the stack's file. Encrypt "
                f"it with: pulumi config set --secret --path {example}"
            )
        return pulumi.Output.secret(cast("Mapping[str, str]", entries))

    def ledger_name(self, key: str, protected: bool) -> str:
        """Return a table's name. What nothing protects needs one that does not follow the stack's."""
        text = self._config.get(key)
        default = f"{pulumi.get_project()}-{pulumi.get_stack()}-ledger"
        if not text and protected:
            return default
        if not text or not _TABLE_NAME.fullmatch(text):
            why = "" if protected else " while protectLedger is false (a renamed stack would lose its ledger)"
            allowed = f"a table's name, 3 to 255 letters, digits, dots, hyphens and underscores{why}"
            given = repr(text) if text else "nothing"
            raise SettingsError(self._config.full_key(key), allowed, given, f"{key} {default}")
        return text

    def arn(self, key: str, form: re.Pattern[str], example: str) -> str:
        """Return an ARN of this form; empty if there is none."""
        text = self._config.get(key)
        if not text:
            return ""
        if not form.fullmatch(text):
            raise SettingsError(
                self._config.full_key(key), f"an ARN such as {example}", repr(text), f"{key} {example}"
            )
        return text

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in map(str, range(low, high + 1)):
            allowed = f"a whole number from {low} to {high}"
            raise SettingsError(self._config.full_key(key), allowed, repr(text), f"{key} {default}")
        return int(text)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in ("true", "false"):
            raise SettingsError(
                self._config.full_key(key), "true or false", repr(text), f"{key} {str(default).lower()}"
            )
        return text == "true"

    def days(self, key: str, default: int) -> int:
        """Return a retention that CloudWatch Logs knows."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in map(str, RETENTION_DAYS):
            allowed = f"one of {', '.join(map(str, RETENTION_DAYS))}"
            raise SettingsError(self._config.full_key(key), allowed, repr(text), f"{key} {default}")
        return int(text)

    def _is_secret(self, key: str) -> bool:
        return pulumi_config.is_config_secret(self._config.full_key(key))

    def emails(self, key: str) -> tuple[str, ...]:
        """Return a list of addresses, which configuration holds as JSON."""
        text = self._config.get(key)
        if text is None:
            return ()
        addresses = _strings(text)
        if addresses is not None and all(map(is_email, addresses)) and len(set(addresses)) == len(addresses):
            return tuple(addresses)
        raise SettingsError(
            self._config.full_key(key),
            'a list of e-mail addresses such as ["oncall@example.com"], each once',
            # What is secret stays so; a list that cannot be read may hold addresses too.
            "a secret" if self._is_secret(key) else repr(text),
            f"--path '{key}[0]' oncall@example.com",
        )


def _strings(text: str) -> list[str] | None:
    """Return a JSON list of strings; None if it is anything else."""
    try:
        entries = json.loads(text)
    except ValueError:
        return None
    if not isinstance(entries, list):
        return None
    found = [entry for entry in cast("list[object]", entries) if isinstance(entry, str)]
    return found if len(found) == len(cast("list[object]", entries)) else None
