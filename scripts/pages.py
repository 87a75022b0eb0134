"""What MkDocs does with a page beyond its theme: links out of docs/ go to the file in the repository."""

import posixpath
import re
from typing import Any

REPOSITORY = "https://github.com/mlarnes/mlops-core/blob/main/"
LINK = re.compile(r"(\]\()(\.\./[^)\s#]*)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return the text of `page` with links that a site of docs/ alone can keep."""
    folder = posixpath.dirname("docs/" + page.file.src_uri)

    def follow(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[0] if target.startswith("docs/") else match[1] + REPOSITORY + target

    return LINK.sub(follow, markdown)
