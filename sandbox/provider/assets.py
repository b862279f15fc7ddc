"""Packs assets and archives reproducibly, from their form in Pulumi's protocol.

Zip entries are sorted and have a fixed timestamp, so that the same files give the same bytes. The hash covers
names and contents only, so that it does not depend on the version of zlib. As with Pulumi, an archive of a
directory contains everything below it.
"""

import hashlib
import io
import posixpath
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfheal.sandbox.errors import AssetError

SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"

# Pulumi's own constant: later than 1980, where the zip format's dates begin.
_ENTRY_DATE = (1990, 1, 1, 0, 0, 0)
_ENTRY_MODE = 0o644 << 16
_TAR_SUFFIXES = (".tar", ".tgz", ".tar.gz")
_ZIP_SUFFIXES = (".zip", ".jar")
_CONTENT = {"path", "assets", "text", "uri"}


@dataclass(frozen=True)
class Blob:
    """Content that is identified by its hash."""

    sha256: str
    """In lower-case hex; the engine's own, if it sends one."""
    content: "bytes | Callable[[], bytes] | None" = field(default=None, compare=False, repr=False)
    """The bytes, or a function that packs them, or None if only the hash is known (from the state)."""

    def read(self) -> bytes:
        """Return the bytes. Raises AssetError if only the hash is known."""
        if self.content is None:
            raise AssetError(
                f"Only the hash {self.sha256[:12]} of this content is known, not the content itself. "
                "Run `up` so that the program supplies it again."
            )
        return self.content() if callable(self.content) else self.content


@dataclass(frozen=True)
class Asset(Blob):
    """One file; `read()` gives its bytes."""

    source: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)
    """Its `text` or `path`, as the program gave it, without which Pulumi's SDK takes no asset back."""


@dataclass(frozen=True)
class Archive(Blob):
    """A tree of files; `read()` gives a zip."""


def decode(value: Mapping[str, Any], folder: Path) -> Asset | Archive:
    """Return the asset or archive of an object with a signature.

    Relative paths are relative to `folder`, the program's working directory. With the engine's `hash` nothing
    is read before the bytes are requested. Raises AssetError, now or then, for a missing file, a remote URI
    (the sandbox downloads nothing) or a name outside of the archive.
    """
    asset = value[SIGNATURE_KEY] == ASSET_SIGNATURE
    known = str(value.get("hash") or "")
    if known:
        there = bool(value.keys() & _CONTENT)
        if asset:
            return Asset(known, (lambda: _asset_bytes(value, folder)) if there else None, _source(value))
        return Archive(known, (lambda: _archive_bytes(value, folder)) if there else None)
    if asset:
        content = _asset_bytes(value, folder)
        return Asset(hashlib.sha256(content).hexdigest(), content, _source(value))
    return Archive(_hash(_archive_entries(value, folder)), _archive_bytes(value, folder))


def encode(blob: Blob) -> dict[str, str]:
    """Return the object for an asset or archive: its hash, and of an asset what the program gave."""
    if isinstance(blob, Asset):
        return {SIGNATURE_KEY: ASSET_SIGNATURE, "hash": blob.sha256, **blob.source}
    return {SIGNATURE_KEY: ARCHIVE_SIGNATURE, "hash": blob.sha256}


def make_zip(entries: Mapping[str, bytes]) -> bytes:
    """Return a zip of paths and contents; equal entries give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _ENTRY_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # unix, so that the mode below is read as one
            info.external_attr = _ENTRY_MODE
            archive.writestr(info, entries[name])
    return buffer.getvalue()


def _source(value: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value[key]) for key in ("path", "text", "uri") if key in value}


def _archive_bytes(value: Mapping[str, Any], folder: Path) -> bytes:
    path = folder / str(value["path"]) if "path" in value else None
    if path is not None and path.is_file() and path.name.endswith(_ZIP_SUFFIXES):
        return path.read_bytes()  # a zip is used unchanged
    return make_zip(_archive_entries(value, folder))


def _hash(entries: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(entries):
        digest.update(name.encode() + b"\0" + hashlib.sha256(entries[name]).digest())
    return digest.hexdigest()


def _asset_bytes(value: Mapping[str, Any], folder: Path) -> bytes:
    if "text" in value:
        return str(value["text"]).encode()
    if "path" in value:
        path = folder / str(value["path"])
        try:
            return path.read_bytes()
        except OSError as error:
            raise AssetError(f"FileAsset('{value['path']}'): {error.strerror}. Looked for {path}.") from error
    raise AssetError(f"RemoteAsset is not fetched by the sandbox: {value.get('uri')}. Use a FileAsset.")


def _archive_entries(value: Mapping[str, Any], folder: Path) -> dict[str, bytes]:
    if "assets" in value:
        return _nested_entries(value["assets"], folder)
    if "path" not in value:
        raise AssetError(
            f"RemoteArchive is not fetched by the sandbox: {value.get('uri')}. Use a FileArchive."
        )
    path = folder / str(value["path"])
    try:
        if path.is_dir():
            return _directory_entries(path)
        if path.name.endswith(_TAR_SUFFIXES):
            return _tar_entries(path)
        if path.name.endswith(_ZIP_SUFFIXES):
            return _zip_entries(path)
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise AssetError(f"FileArchive('{value['path']}') cannot be read: {error}") from error
    raise AssetError(
        f"FileArchive('{value['path']}') is neither a directory nor one of "
        f"{', '.join((*_ZIP_SUFFIXES, *_TAR_SUFFIXES))}. Looked for {path}."
    )


def _nested_entries(members: Mapping[str, Any], folder: Path) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    for key in sorted(members):
        member: Mapping[str, Any] = members[key]
        if member[SIGNATURE_KEY] == ASSET_SIGNATURE:
            found = {key: _asset_bytes(member, folder)}
        else:
            found = {
                posixpath.join(key, name): data for name, data in _archive_entries(member, folder).items()
            }
        for raw, data in found.items():
            name = posixpath.normpath(raw)
            if name.startswith(("/", "../")) or name in {".", ".."}:
                raise AssetError(f"'{raw}' lies outside its archive. Use a relative path without `..`.")
            if name in entries:
                raise AssetError(f"'{name}' is in the archive twice. Give each member a path of its own.")
            entries[name] = data
    return entries


def _directory_entries(path: Path) -> dict[str, bytes]:
    return {
        found.relative_to(path).as_posix(): found.read_bytes() for found in path.rglob("*") if found.is_file()
    }


def _tar_entries(path: Path) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            data = archive.extractfile(member) if member.isfile() else None
            if data is not None:
                entries[posixpath.normpath(member.name)] = data.read()
    return entries


def _zip_entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
