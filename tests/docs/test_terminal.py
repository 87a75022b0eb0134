"""What is typed is compared with what the page says."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.docs.terminal import terminal, type_page

PAGE = """
<!-- run -->
```bash
export NAME=world && mkdir there && cd there
```

<!-- not run: would be wrong here -->
```bash
false
```

<!-- run -->
```bash
echo "hello $NAME"
echo '{"a": 1}' > ../a.json
```

<!-- output -->
```text
hello …
```

<!-- run -->
```bash
cat ../a.json
```

<!-- output -->
```json
{"a":   1}
```
"""


def type_text(text: str, folder: Path) -> int:
    page = folder / "page.md"
    page.write_text(text)
    (folder / "home").mkdir()
    with terminal(folder / "home") as opened:
        return type_page(blocks(page), opened)


def test_blocks_follow_each_other(tmp_path: Path) -> None:
    assert type_text(PAGE, tmp_path) == 3


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("hello …", "bye …"), ("hello …", "hello"), ('{"a":   1}', '{"a": 2}'), ("cat ../a.json", "cat b.json")],
)
def test_what_differs_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="page.md"):
        type_text(PAGE.replace(right, wrong), tmp_path)
