"""A part of the page, as whoever writes it hands it over."""

from typing import NamedTuple


class Section(NamedTuple):
    """The page puts `body` into `<section id=... aria-labelledby=...>`, under a heading that holds `title`."""

    id: str
    """Of the section, and the link to it: letters, digits and hyphens, once a page."""
    title: str
    """Plain text; the page escapes it."""
    body: str
    """HTML, in which whatever came from outside is escaped."""
    style: str = ""
    """CSS for it; the page has one style sheet, so selectors begin with `#<id>`. Colours are the page's variables
    (`page.css`), which know the dark."""
    script: str = ""
    """JavaScript that runs once the page is there, in a function of its own."""
