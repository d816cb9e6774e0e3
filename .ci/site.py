"""What the site has beside docs/: pages from elsewhere in the project, and mermaid's diagrams drawn while it is built.

A hook of MkDocs (mkdocs.yml).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from merm import render_diagram
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[1]
STARTER = "src/tintype/models/starter"
# Where a file of the project is in the site, if not under docs/.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    f"{STARTER}/bundle/README.md": "starter.md",
    f"{STARTER}/reliability.png": "pictures/starter-reliability.png",
}
FROM = {site: project for project, site in ELSEWHERE.items()}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let blocks of mermaid be drawn by Python: its script would have to be fetched from elsewhere."""
    fence = {"name": "mermaid", "class": "mermaid", "format": _diagram}
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = [fence]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/."""
    for project, site in ELSEWHERE.items():
        files.append(File.generated(config, site, abs_src_path=str(PROJECT / project)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to where the site has the file that they mean in the project."""
    here = page.file.src_uri
    folder = (PROJECT / FROM.get(here, f"docs/{here}")).parent
    up = "../" * len(PurePosixPath(here).parent.parts)

    def moved(link: re.Match[str]) -> str:
        target = (folder / link[1]).resolve().relative_to(PROJECT).as_posix()
        return up + ELSEWHERE.get(target, target.removeprefix("docs/"))

    return _LINK.sub(moved, markdown)


def on_page_context(context: Any, page: Page, **_: Any) -> Any:
    """Give a page that stands alone in its tab the room of the list of pages."""
    if page.parent is None:
        page.meta["hide"] = ["navigation"]
    return context


def on_post_page(output: str, page: Page, **_: Any) -> None:
    """Refuse a page that would load something from elsewhere."""
    elsewhere = re.findall(
        r"<(?:script|img|iframe)[^>]*src=.?https?:[^>]*>|<link[^>]*href=.?https?:[^>]*>", output
    )
    if elsewhere:
        raise PluginError(f"Expected {page.file.src_uri} to load nothing from elsewhere. Found: {elsewhere}.")


def _diagram(source: str, *_: Any, **__: Any) -> str:
    drawn = render_diagram(re.sub("<b>(.*?)</b>", r"\1:", source))
    return f'<div class="diagram">{drawn}</div>'
