"""Where a process stands in a request to a provider over HTTP/1.1, read off the bytes that it writes and reads."""

import re

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]+)")
_VERSION = len(b"HTTP/1.1 ")


class HttpTalk:
    """One connection: what of a request was written, and whether its answer is still to come."""

    content = "content"

    def __init__(self) -> None:
        self.last: frozenset[str] = frozenset()
        self.begins_with = 0
        self._head = b""
        self._left = 0

    def labels(self, data: bytes) -> frozenset[str]:
        """What these bytes would be: a request's head, its content, or both."""
        return self._read(data)[0]

    def written(self, data: bytes) -> None:
        """These bytes have been written: from now on what is read is the answer to them."""
        _, self._head, self._left = self._read(data)
        self.last, self.begins_with = frozenset({"answer"}), _VERSION

    def heard(self, data: bytes) -> None:
        """These bytes have been read: the answer is there, and what follows is only the rest of it."""
        if data:
            self.last, self.begins_with = frozenset(), 0

    def _read(self, data: bytes) -> tuple[frozenset[str], bytes, int]:
        found: set[str] = set()
        head, left = self._head, self._left
        while data:
            if left:
                found.add("content")
                data, left = data[left:], max(left - len(data), 0)
                continue
            found.add("head")
            joined, data = head + data, b""
            end = joined.find(_END)
            if end < 0:
                head = joined
            else:
                length = _LENGTH.search(joined[:end])
                head, data, left = b"", joined[end + len(_END) :], int(length[1]) if length else 0
        return frozenset(found), head, left
