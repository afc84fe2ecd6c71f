# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""As much of the Hugging Face Hub, on this machine, as a download needs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = '0123456789abcdef0123456789abcdef01234567'


class SmallHub(ThreadingHTTPServer):
    """Serves files of one repository.

    Attributes:
        files: content by name; those that end in .safetensors are listed as large files are.
        listed: content that the listing tells of, where it is not what is served.
        cut_after: bytes after which each answer breaks off; None: never.
        broken: whether files are refused, as by a server that is down.
        ranges: what was asked for, in order: name and the header Range.
    """

    daemon_threads = True

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.repository = repository
        self.files = files
        self.listed: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.broken = False
        self.ranges: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        return f'http://127.0.0.1:{self.server_address[1]}'

    def listing(self) -> dict[str, object]:
        return {
            'id': self.repository,
            'sha': COMMIT,
            'cardData': {'license': 'apache-2.0'},
            'siblings': [_entry(name, content) for name, content in self._told().items()],
        }

    def _told(self) -> dict[str, bytes]:
        return self.files | self.listed


@contextmanager
def small_hub(repository: str, files: dict[str, bytes]) -> Iterator[SmallHub]:
    hub = SmallHub(repository, files)
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def _entry(name: str, content: bytes) -> dict[str, object]:
    git = hashlib.sha1(b'blob %d\0' % len(content) + content).hexdigest()
    entry: dict[str, object] = {'rfilename': name, 'size': len(content), 'blobId': git}
    if name.endswith('.safetensors'):
        sha256 = hashlib.sha256(content).hexdigest()
        entry['lfs'] = {'sha256': sha256, 'size': len(content), 'pointerSize': 130}
    return entry


class _Handler(BaseHTTPRequestHandler):
    server: SmallHub

    def do_GET(self) -> None:
        hub = self.server
        path = self.path.partition('?')[0]
        files = f'/{hub.repository}/resolve/{COMMIT}/'
        if path == f'/api/models/{hub.repository}':
            self._answer(200, json.dumps(hub.listing()).encode(), 'application/json')
        elif hub.broken:
            self._answer(503, b'down')
        elif path.startswith(files) and path.removeprefix(files) in hub.files:
            self._file(path.removeprefix(files))
        else:
            self._answer(404, b'no such thing')

    def _file(self, name: str) -> None:
        content, asked = self.server.files[name], self.headers.get('Range')
        self.server.ranges.append((name, asked))
        start = int(asked.removeprefix('bytes=').partition('-')[0]) if asked else 0
        self._answer(206 if asked else 200, content[start:])

    def _answer(self, status: int, body: bytes, kind: str = 'application/octet-stream') -> None:
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        cut = self.server.cut_after if kind.endswith('octet-stream') else None
        self.wfile.write(body[:cut])
        if cut is not None and cut < len(body):
            self.server.broken = True  # and stays down: a client's own second try fails
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass
