"""Checks the links of every Markdown file in the repository.

In: nothing; it reads every .md file. Out: one line per broken link, exit code 1 if there is any. Links to files and to headings
are followed; links to the web are not.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
INLINE = r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
DEFINITION = r"^\[[^\]]+\]:\s+(\S+)"
TAG = r"<(?:img|a|source)\s[^>]*(?:src|srcset|href)=\"([^\"]+)\""
LINK = re.compile(f"{INLINE}|{DEFINITION}|{TAG}", re.M)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.M)
SKIPPED = {".git", ".venv", "build", "dist", "runs", "node_modules"}


def pages(root: Path) -> list[Path]:
    """Every Markdown file, generated and installed folders left out."""
    return [path for path in sorted(root.rglob("*.md")) if not SKIPPED & set(path.relative_to(root).parts)]


def links(text: str) -> Iterator[str]:
    """Targets of links and images, code left out."""
    for match in LINK.finditer(CODE.sub("", FENCE.sub("", text))):
        yield next(group for group in match.groups() if group)


def anchors(text: str) -> set[str]:
    """The anchors that headings get: lower case, punctuation dropped, spaces to hyphens, repeats numbered."""
    found: set[str] = set()
    for title in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        name = next(s for n in range(len(found) + 1) if (s := f"{slug}-{n}" if n else slug) not in found)
        found.add(name)
    return found


def broken(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    for link in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        file = page if not target else (ROOT / target.lstrip("/") if target.startswith("/") else page.parent / target)
        if not file.exists():
            yield f"{page}: {link} (no such file)"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page}: {link} (no such heading)"


def main() -> int:
    """Print broken links; return the exit code."""
    found = [line for page in pages(ROOT) for line in broken(page)]
    for line in found:
        print(line)
    print(f"links: {len(pages(ROOT))} pages, {len(found)} broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
