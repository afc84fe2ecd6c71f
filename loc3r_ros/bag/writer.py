# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Writing a rosbag2 directory that stays readable when the writer is killed.

The bag grows in splits. The split in progress has a name that no reader takes for a bag file; a
finished one is synced to disk, renamed, and then listed in a `metadata.yaml` that is replaced in
one step. At any instant the directory is a whole bag of all finished splits.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from mcap.writer import CompressionType, Writer

from loc3r_ros.bag.closing import Closing
from loc3r_ros.bag.metadata import Split, offered_qos, summarise, write_metadata
from loc3r_ros.bag.typestore import humble
from loc3r_ros.errors import InputError


class BagWriter(Closing):
    """Writes messages to a rosbag2 directory: MCAP storage, zstd chunks, CDR.

    `/tf_static` and every OccupancyGrid topic are offered as transient local, so that `ros2 bag
    play` latches them as their publishers do.

    Args:
        path: the bag's directory; made, with its parents, when absent.
        split_bytes: uncompressed payload after which a split is cut by itself.
        resume: continue the bag that is there, behind its finished splits.
        keep: with `resume`, how many finished splits to keep (as `cut` returned it when a
            checkpoint was made); later ones are removed. None keeps all.

    Raises:
        InputError: the directory holds something already and `resume` is not set, fewer splits are
            there than `keep` asks for, or it cannot be written; also from every method when the
            disk is full.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split_bytes: int = 256 << 20,
        resume: bool = False,
        keep: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._split_bytes = split_bytes
        self._splits: list[Split] = []
        self._file: BinaryIO | None = None
        self._broken = False
        with self._disk():
            self.path.mkdir(parents=True, exist_ok=True)
            if resume:
                self._splits = self._finished_splits(keep)
            elif any(self.path.iterdir()):
                raise InputError(
                    f'{self.path} is not empty; name a new directory, or resume the bag in it'
                )
            write_metadata(self.path, self._splits)

    def write(
        self, topic: str, message: Any, stamp_ns: int, *, type_name: str | None = None
    ) -> None:
        """Append a message; `stamp_ns` is its log and publish time.

        Args:
            topic: absolute topic name.
            message: a message of rosbags' classes, or any object with the same fields.
            stamp_ns: time, ns.
            type_name: such as `nav_msgs/msg/Path`; by default what the message's class says.
        """
        type_name = type_name or message.__msgtype__
        data = humble().serialize_cdr(message, type_name)
        with self._disk():
            if self._file is None:
                self._open_split()
            channel = self._channels.get(topic) or self._add_channel(topic, type_name)
            self._writer.add_message(channel, stamp_ns, bytes(data), stamp_ns)
            self._payload += len(data)
            if self._payload >= self._split_bytes:
                self.cut()

    def cut(self) -> int:
        """Finish the split in progress, if it holds anything: from here on a kill cannot harm it.

        Returns:
            The number of finished splits.
        """
        if self._file is None or self._broken:
            return len(self._splits)
        with self._disk():
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            finished = self._split_path(len(self._splits))
            self._partial_path().rename(finished)
            split = summarise(finished)
            write_metadata(self.path, [*self._splits, split])
            self._splits.append(split)
        return len(self._splits)

    def close(self) -> None:
        """Finish the bag; closing twice, or after a full disk, does nothing."""
        self.cut()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Make an OSError an InputError, and give up the split in progress."""
        if self._broken:
            raise InputError(f'{self.path}: an earlier write failed; nothing more is written')
        try:
            yield
        except OSError as error:
            self._abandon()
            raise InputError(
                f'cannot write the bag {self.path}: {error.strerror or error} '
                f'({_free_space(self.path)} free there); the {len(self._splits)} finished '
                'split(s) remain readable. Free some space or choose another disk, then resume'
            ) from error

    def _abandon(self) -> None:
        self._broken = True
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        self._file = None
        with suppress(OSError):
            self._partial_path().unlink(missing_ok=True)

    def _open_split(self) -> None:
        self._file = self._partial_path().open('wb')
        self._writer = Writer(self._file, compression=CompressionType.ZSTD)
        self._writer.start(profile='ros2', library='loc3r_ros')
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._payload = 0

    def _add_channel(self, topic: str, type_name: str) -> int:
        if type_name not in self._schemas:
            definition, _ = humble().generate_msgdef(type_name, ros_version=2)
            self._schemas[type_name] = self._writer.register_schema(
                type_name, 'ros2msg', definition.encode()
            )
        self._channels[topic] = self._writer.register_channel(
            topic,
            'cdr',
            self._schemas[type_name],
            {'offered_qos_profiles': offered_qos(topic, type_name)},
        )
        return self._channels[topic]

    def _finished_splits(self, keep: int | None) -> list[Split]:
        """Whole splits in their order; what is behind them is removed."""
        self._partial_path().unlink(missing_ok=True)
        splits: list[Split] = []
        while (path := self._split_path(len(splits))).exists() and len(splits) != keep:
            splits.append(summarise(path))
        if keep is not None and len(splits) < keep:
            raise InputError(
                f'{self.path} holds {len(splits)} finished split(s) but {keep} are to be resumed '
                'from; files are missing, start anew'
            )
        behind = len(splits)
        while (path := self._split_path(behind)).exists():
            path.unlink()
            behind += 1
        return splits

    def _split_path(self, index: int) -> Path:
        return self.path / f'{self.path.resolve().name}_{index}.mcap'

    def _partial_path(self) -> Path:
        return self.path / 'split.mcap.partial'


def _free_space(path: Path) -> str:
    while not path.exists():
        path = path.parent
    return f'{shutil.disk_usage(path).free / 1e6:.1f} MB'
