"""The small formats: wire values, assets and archives. Pure."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from selfheal.sandbox.errors import AssetError, UnsupportedError
from selfheal.sandbox.provider import assets, wire

SIGNATURE = assets.SIGNATURE_KEY


def test_the_markers_are_those_of_the_sdk() -> None:
    ours = {
        "UNKNOWN": wire.UNKNOWN,
        "_special_sig_key": assets.SIGNATURE_KEY,
        "_special_asset_sig": assets.ASSET_SIGNATURE,
        "_special_archive_sig": assets.ARCHIVE_SIGNATURE,
        "_special_secret_sig": wire.SECRET_SIGNATURE,
    }

    assert {name: vars(rpc)[name] for name in ours} == ours


def struct(value: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(value)
    return made


def test_wire_values_become_plain(tmp_path: Path) -> None:
    secret = {SIGNATURE: wire.SECRET_SIGNATURE, "value": "s"}
    value = {
        "whole": 14.0,
        "fraction": 0.5,
        "none": None,
        "nested": {"none": None, "list": [None, True, "x"]},
        "secret": secret,
        "deep": {"list": [{"in": secret}]},
        "unknown": wire.UNKNOWN,
        "text": {SIGNATURE: assets.ASSET_SIGNATURE, "text": "hi"},
    }

    plain, secrets = wire.decode(struct(value), tmp_path)

    assert plain.pop("text").read() == b"hi"
    assert plain == {
        "whole": 14,
        "fraction": 0.5,
        "nested": {"list": [None, True, "x"]},
        "secret": "s",
        "deep": {"list": [{"in": "s"}]},
        "unknown": wire.UNKNOWN,
    }
    assert isinstance(plain["whole"], int)
    assert secrets == {"secret", "deep"}


def test_plain_values_go_back_with_their_secrets_and_without_content() -> None:
    encoded = wire.encode({"a": 1, "s": [1], "code": {"x": assets.Asset("ab")}}, {"s"})

    assert encoded == struct({"a": 1, "s": {SIGNATURE: wire.SECRET_SIGNATURE, "value": [1]}})


def test_an_asset_goes_back_as_the_program_gave_it(tmp_path: Path) -> None:
    """The engine does not complete what a creation returns, and the SDK refuses an asset without content."""
    text = {SIGNATURE: assets.ASSET_SIGNATURE, "text": "hi", "hash": "h" * 64}
    path = {SIGNATURE: assets.ASSET_SIGNATURE, "path": "page.html", "hash": "g" * 64}
    plain, _ = wire.decode(struct({"text": text, "path": path}), tmp_path)
    assert wire.encode(plain, blobs=True) == struct({"text": text, "path": path})


def test_a_resource_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="carries the signature"):
        wire.decode(struct({"r": {SIGNATURE: vars(rpc)["_special_resource_sig"], "urn": "u"}}), tmp_path)


def archive(**members: Any) -> dict[str, Any]:
    return {SIGNATURE: assets.ARCHIVE_SIGNATURE, **members}


def asset(**members: Any) -> dict[str, Any]:
    return {SIGNATURE: assets.ASSET_SIGNATURE, **members}


def test_an_archive_is_packed_the_same_every_time(tmp_path: Path) -> None:
    lib = tmp_path / "lib" / "__pycache__"
    lib.mkdir(parents=True)
    (tmp_path / "lib" / "z.py").write_text("z")
    (lib / "c.pyc").write_bytes(b"c")
    value = archive(
        assets={"pkg": archive(path="lib"), "a.txt": asset(text="a"), "x/m.py": asset(path="lib/z.py")}
    )

    first = assets.decode(value, tmp_path)
    (tmp_path / "lib" / "z.py").touch()
    second = assets.decode(value, tmp_path)

    assert first == second
    assert first.read() == second.read()
    with zipfile.ZipFile(io.BytesIO(first.read())) as packed:
        assert packed.namelist() == ["a.txt", "pkg/__pycache__/c.pyc", "pkg/z.py", "x/m.py"]
        assert {info.date_time for info in packed.infolist()} == {(1990, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in packed.infolist()} == {0o644}

    (tmp_path / "lib" / "z.py").write_text("changed")
    assert assets.decode(value, tmp_path) != first


def test_archive_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("f")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "f", "dir/f")
    (tmp_path / "x.zip").write_bytes(assets.make_zip({"dir/f": b"f"}))

    tar_archive = assets.decode(archive(path="x.tar.gz"), tmp_path)
    zip_archive = assets.decode(archive(path="x.zip"), tmp_path)

    assert tar_archive == zip_archive
    assert zip_archive.read() == (tmp_path / "x.zip").read_bytes()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (asset(path="none"), r"FileAsset\('none'\): No such file"),
        (asset(uri="https://x"), "RemoteAsset is not fetched"),
        (archive(uri="https://x"), "RemoteArchive is not fetched"),
        (archive(path="none"), "neither a directory nor one of .zip"),
        (archive(path="broken.zip"), "cannot be read"),
        (archive(assets={"../x": asset(text="x")}), "outside its archive"),
        (archive(assets={"a/b": asset(text="x"), "a": archive(assets={"b": asset(text="y")})}), "twice"),
    ],
)
def test_what_cannot_be_packed_is_named(tmp_path: Path, value: dict[str, Any], problem: str) -> None:
    (tmp_path / "broken.zip").write_text("no zip")

    with pytest.raises(AssetError, match=problem):
        assets.decode(value, tmp_path)
