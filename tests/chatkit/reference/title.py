"""The title of a thread, by the rule of the server under test."""

MAX_CHARS = 100


def title_from(text: str) -> str:
    """One line of at most MAX_CHARS, cut between words where there are two."""
    text = " ".join(text.split())
    if len(text) <= MAX_CHARS:
        return text
    space = text[: MAX_CHARS + 1].rfind(" ")
    return text[: space if space > 0 else MAX_CHARS]
