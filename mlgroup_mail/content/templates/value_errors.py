"""What goes wrong when a text works with its values, in our words: Python's own sentences are for programmers."""

import re

_OURS = "the filter “"
"""So the language's filters begin what they say: it is in our words already."""

_SLIPS = (
    (r"division by zero|.* by zero", "a division by zero", "Ask first: {% if x %}{{ y / x }}{% endif %}."),
    (
        r"can only concatenate|unsupported operand|must be str|bad operand",
        "a text and a number, or nothing, cannot be reckoned with each other",
        "Join texts with ~; make a number of a text with | int.",
    ),
    (
        r".*not supported between",
        "a text and a number, or nothing, cannot be compared",
        "Make a number of the text with | int.",
    ),
    (r".*object is not callable", "only macros and range take brackets", "Write the value without ( )."),
    (
        r".*object is not iterable|cannot unpack|.*values to unpack|object of type .* has no len",
        "this is one value, and a list is needed here",
        "Name a list, or leave the loop or filter out.",
    ),
    (
        r".*missing \d+ required|.*takes .* arguments?|.*unexpected keyword argument|.*required positional",
        "a filter, test or macro gets too few or too many values",
        "See docs/templates.md, or the Jinja documentation, for what it takes in its brackets.",
    ),
    (r"no first item|no last item|.*sequence was empty", "the list is empty", "Ask first: {% if x %}...{% endif %}."),
    (r".*cannot be interpreted as an integer|.*__round__|.*invalid literal", "a number is needed here", "Use | int."),
)
"""How Python's and Jinja's sentences go, what we say, and what helps."""


def value_error(error: Exception) -> tuple[str, str]:
    """The message and what to write instead."""
    said = str(error)
    if said.startswith(_OURS):
        return said.rstrip("."), ""
    for pattern, message, mend in _SLIPS:
        if re.match(pattern, said, re.IGNORECASE):
            return message, mend
    return "this cannot be worked out from its values", "Look at the filters on this line, and at what they are given."
