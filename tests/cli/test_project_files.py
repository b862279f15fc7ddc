"""What the project's files say, whatever state they are in."""

from pathlib import Path

from selfheal.cli.project_files import project_folder, project_name, stack_region


def test_files_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(b"\xff\nruntime:\n  name: python\nname:   shop-1.x\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aws:region:\n    secure: v1:abc\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert project_folder(below) == tmp_path.resolve()
    assert project_name(tmp_path) == "shop-1.x"
    assert stack_region(tmp_path, "dev") is None
    assert stack_region(tmp_path, "prod") is None
    assert project_name(below) is None
