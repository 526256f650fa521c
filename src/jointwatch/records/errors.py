"""The one way the house says that something handed in is wrong.

`BadInput` names the file or source, the record or key, what was found and what was wanted, as one
sentence.  The command line prints it and exits with status 2; a node counts and journals it.
"""

from __future__ import annotations


class BadInput(ValueError):
    """Something handed in is wrong; `str()` is one sentence a person can act on.

    source: file or sensor; field: key or record within it; found, wanted: in words.
    """

    def __init__(self, source: str, field: str, found: object, wanted: str) -> None:
        self.source, self.field, self.found, self.wanted = source, field, found, wanted
        # one sentence, one line: what cannot be printed is shown as Python would
        text = found if isinstance(found, str) and found.isprintable() else repr(found)
        if len(text) > 120:
            text = text[:117] + "..."
        super().__init__(f"{source}: {field}: found {text}, wanted {wanted}")
