"""Draw the diagrams of docs/ as the site shows them: `make diagrams`. GitHub draws them by itself.

Above a diagram stands `<!-- picture: name -->`; it becomes docs/pictures/name.svg, which ends with the digest
of what it was drawn from.
Needs npm, which fetches Mermaid, and Chromium, which runs it.
"""

import hashlib
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
MERMAID = "mermaid@11.12.2"
DIAGRAM = re.compile(r"^<!-- picture: (\w+) -->\n```mermaid\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
PAGE = """<!doctype html><meta charset="utf-8"><body><script src="{program}"></script><script>
const flowchart = {{htmlLabels: false}}; // plain SVG, which may stand in an <img>
mermaid.initialize({{startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart}});
mermaid.render("diagram", {source}).then(({{svg}}) => document.body.innerHTML = svg);
</script>"""


def diagrams() -> list[tuple[str, str]]:
    """Return the name and the source of each diagram."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))]
    return [found for page in pages for found in DIAGRAM.findall(page)]


def drawn_from(source: str) -> str:
    """Return the comment that a picture of `source` ends with."""
    return f"<!-- drawn from {hashlib.sha256(source.encode()).hexdigest()} -->\n"


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or shutil.which("npm") is None:
        sys.exit("error: npm and Chromium are needed: apt-get install npm chromium")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["npm", "pack", "--silent", MERMAID], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        (archive,) = folder.glob("*.tgz")
        shutil.unpack_archive(archive, folder)
        program = (folder / "package/dist/mermaid.min.js").as_uri()
        for title, source in diagrams():
            page = folder / f"{title}.html"
            page.write_text(PAGE.format(program=program, source=repr(source)), encoding="utf-8")
            options = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--virtual-time-budget=10000",
                "--dump-dom",
            ]
            shown = subprocess.run(
                [chromium, *options, page.as_uri()], capture_output=True, text=True, check=True
            )
            svg = re.search(r"<svg.*</svg>", shown.stdout, flags=re.DOTALL)
            if svg is None:
                sys.exit(f"error: {title}: {html.unescape(shown.stdout)[-500:]}")
            file = DOCS / f"pictures/{title}.svg"
            file.write_text(f"{svg[0]}\n{drawn_from(source)}", encoding="utf-8")
            print(file)


if __name__ == "__main__":
    main()
