"""What MkDocs does with a page beyond its theme: links out of docs/, and diagrams as pictures."""

import posixpath
import re
from typing import Any

REPOSITORY = "https://github.com/mlarnes/mlops-core/blob/main/"
# In the browser they would be drawn by a program from another host; see scripts/diagrams.py.
DIAGRAM = re.compile(r"^<!-- picture: (\w+) -->\n```mermaid\n.*?^```$", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()(\.\./[^)\s#]*)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return the text of `page` with links and diagrams that a site of docs/ alone can show."""
    folder = posixpath.dirname("docs/" + page.file.src_uri)

    def follow(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[0] if target.startswith("docs/") else match[1] + REPOSITORY + target

    return DIAGRAM.sub(r"![\1](pictures/\1.svg){ style=background:white }", LINK.sub(follow, markdown))
