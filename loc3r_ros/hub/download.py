# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Download published weights: resumed where they were cut off, and checked before they are used."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.hub.registry import Published

# What the HTTP library below raises: requests' before version 1 of the Hub's client, then httpx's.
_FAILURES: tuple[Any, ...] = (OSError, *HfHubHTTPError.__bases__)
_CHUNK = 1 << 22


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        name: path within the repository.
        size: bytes.
        sha256: of the content, for large files; empty for small ones, which have `git_sha1`.
        git_sha1: of the content as git counts it.
    """

    name: str
    size: int
    sha256: str
    git_sha1: str

    @property
    def checksum(self) -> str:
        return self.sha256 or self.git_sha1

    def matches(self, path: Path) -> bool:
        """Whether a file on disk has this size and hash."""
        if path.stat().st_size != self.size:
            return False
        if self.sha256:
            digest = hashlib.sha256()
        else:
            digest = hashlib.sha1(b'blob %d\0' % self.size, usedforsecurity=False)
        with path.open('rb') as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == self.checksum


@dataclass(frozen=True)
class Listing:
    """What a repository holds of that which we use, at one commit."""

    commit: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def list_files(weights: Published, folder: Path, endpoint: str | None = None) -> Listing:
    """Ask the Hub what there is.

    Args:
        weights: of a repository on the Hub.
        folder: where the files are to go; named in the error.
        endpoint: address of the Hub; None for the public one or $HF_ENDPOINT.

    Raises:
        InputError: weights that are not on the Hub, or it cannot be reached; the message says what
            to place where.
    """
    if not weights.on_hub:
        raise InputError(
            f'{weights.name} cannot be fetched by this command. Download {weights.files[0]} from '
            f'{weights.where}, then: loc3r weights convert {weights.files[0]} '
            f'{weights.name}.safetensors'
        )
    try:
        info = HfApi(endpoint=endpoint).model_info(weights.where, files_metadata=True)
    except _FAILURES as error:
        raise InputError(_by_hand(weights, folder, endpoint, error)) from error
    files = tuple(
        RemoteFile(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else '', s.blob_id or '')
        for s in info.siblings or ()
        if any(fnmatch(s.rfilename, pattern) for pattern in weights.files)
    )
    if not any(file.name.endswith('.safetensors') for file in files):
        raise InputError(f'{weights.where} holds no safetensors now; nothing was downloaded')
    licence = info.card_data.get('license') if info.card_data else None
    return Listing(info.sha or 'main', licence or weights.licence, files)


def download(
    weights: Published,
    listing: Listing,
    folder: Path,
    *,
    endpoint: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Bring every file of a listing into a folder, unless it is there already.

    What was cut off goes on where it stopped, also in another process: recent clients of the Hub
    throw away what a cut download brought, so the partial files are ours.

    Raises:
        InputError: the disk is too small, or the connection broke; what came is kept.
        CheckpointError: a file is not what the Hub says that it is; it is not kept.
    """
    _make(folder)
    todo = [file for file in listing.files if not _is_there(file, folder)]
    there = sum(_partial(file, folder).stat().st_size for file in todo if _begun(file, folder))
    need, free = sum(file.size for file in todo) - there, shutil.disk_usage(folder).free
    if need > free:
        raise InputError(
            f'{folder}: {need / 1e9:.1f} GB are still to come and {free / 1e9:.1f} GB are free; '
            'make room, or give another folder with -o'
        )
    for file in listing.files:
        if file not in todo:
            say(f'{file.name}: already there, and whole')
            continue
        _bring(weights, listing.commit, file, folder, endpoint)
        say(f'{file.name}: {file.size / 1e6:.1f} MB, hash as published')


def _bring(
    weights: Published, commit: str, file: RemoteFile, folder: Path, endpoint: str | None
) -> None:
    url = hf_hub_url(weights.where, file.name, revision=commit, endpoint=endpoint)
    partial = _partial(file, folder)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open('ab') as target:
            if target.tell() > file.size:
                target.truncate(0)
            if target.tell() < file.size:
                http_get(
                    url,
                    target,
                    resume_size=target.tell(),
                    headers=build_hf_headers(),
                    expected_size=file.size,
                    displayed_filename=file.name,
                )
    except _FAILURES as error:
        have = partial.stat().st_size
        raise InputError(
            f'{file.name}: cut off after {have / 1e6:.1f} of {file.size / 1e6:.1f} MB '
            f'({_reason(error)}); run the same command again to go on from there'
        ) from error
    if not file.matches(partial):
        partial.unlink()
        raise CheckpointError(
            f'{file.name} from {weights.where} is not what the Hub lists: its hash or size differs '
            f'from {file.checksum}. It was removed; run the same command again'
        )
    partial.replace(folder / file.name)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'{folder}: no such folder can be made: {error.strerror}') from error


def _is_there(file: RemoteFile, folder: Path) -> bool:
    if '..' in PurePosixPath(file.name).parts or PurePosixPath(file.name).is_absolute():
        raise InputError(f'the repository lists {file.name!r}, which is outside of the folder')
    path = folder / file.name
    return path.is_file() and file.matches(path)


def _begun(file: RemoteFile, folder: Path) -> bool:
    return _partial(file, folder).is_file()


def _partial(file: RemoteFile, folder: Path) -> Path:
    # Named by the hash: bytes of an older version are never continued with those of a newer one.
    return folder / f'{file.name}.{file.checksum[:16]}.partial'


def _by_hand(weights: Published, folder: Path, endpoint: str | None, error: Exception) -> str:
    page = hf_hub_url(weights.where, '', endpoint=endpoint).removesuffix('/resolve/main/')
    return (
        f'{weights.where} cannot be reached ({_reason(error)}). Try again with a network; or on '
        f'another machine download from {page}, and place in {folder}: '
        f'{", ".join(weights.files)}'
    )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0]}'.rstrip(': ')
