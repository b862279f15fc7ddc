"""docs/detection.md says what the arithmetic of the alarms says."""

from pathlib import Path

from selfheal.components.healing.detection_doc import page

PAGE = Path(__file__).parents[3] / "docs" / "detection.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/detection.md is out of date. Write it anew: "
        "python -m selfheal.components.healing.detection_doc > docs/detection.md"
    )
