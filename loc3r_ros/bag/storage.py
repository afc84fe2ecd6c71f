# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The files of a bag as streams of raw messages: indexed where whole, salvaged where damaged."""

from __future__ import annotations

import sqlite3
import struct
from binascii import crc32
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.writer import MCAP0_MAGIC
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2 import Reader

_FORMATS = {'ros2msg': MessageDefinitionFormat.MSG, 'ros2idl': MessageDefinitionFormat.IDL}
_HEAD = struct.Struct('<BQ')  # of an MCAP record: opcode, length
_UNDEFINED = MessageDefinition(MessageDefinitionFormat.NONE, '')


@dataclass(frozen=True)
class TopicInfo:
    """What a bag says of a topic."""

    type_name: str
    count: int
    definition: MessageDefinition


class RawMessage(NamedTuple):
    """A serialised message (CDR) with its log time, ns."""

    topic: str
    log_ns: int
    data: bytes


class Storage(Protocol):
    """Some files of a bag."""

    topics: dict[str, TopicInfo]
    damage: str | None
    """Why reading ended early; known after a full pass at the latest."""

    def read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Messages of these topics up to the first damage, in the order of recording."""

    def close(self) -> None: ...


class IndexedStorage:
    """A whole rosbag2 directory or file, read by its index.

    Raises:
        Exception: whatever rosbags raises for a bag that is not whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        self._reader = Reader(path)
        self._reader.open()
        self.topics = {
            name: TopicInfo(info.msgtype, info.msgcount, info.msgdef)
            for name, info in self._reader.topics.items()
            if info.msgtype is not None
        }

    @property
    def has_index(self) -> bool:
        """False for an MCAP file without chunks, which rosbags reads only where it is sorted."""
        storage = self._reader.storage
        return self.path.suffix != '.mcap' or bool(getattr(storage, 'chunks', True))

    def read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        wanted = [c for c in self._reader.connections if c.topic in topics]
        if not wanted:
            return
        try:
            for connection, log_ns, data in self._reader.messages(wanted):
                yield RawMessage(connection.topic, log_ns, data)
        except Exception as error:  # a damaged chunk or page fails in as many ways as it has bytes
            self.damage = _describe(self.path, error)

    def close(self) -> None:
        self._reader.close()


class StreamedMcap:
    """An MCAP file read from front to back, up to the damage; no index is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        self.topics: dict[str, TopicInfo] = {}
        for channel, schema, _ in self._records():
            known = self.topics.get(channel.topic)
            definition = MessageDefinition(
                _FORMATS.get(schema.encoding, MessageDefinitionFormat.NONE), schema.data.decode()
            )
            count = known.count + 1 if known else 1
            self.topics[channel.topic] = TopicInfo(schema.name, count, definition)

    def read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        for channel, _, message in self._records():
            if channel.topic in topics:
                yield RawMessage(channel.topic, message.log_time, message.data)

    def close(self) -> None:
        pass

    def _records(self) -> Iterator[tuple[Channel, Schema, Message]]:
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        with self.path.open('rb') as file:
            try:
                if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                    raise ValueError('it does not begin as an MCAP file')
                for record in _walk(file, is_file=True):
                    if isinstance(record, Schema):
                        schemas[record.id] = record
                    elif isinstance(record, Channel):
                        channels[record.id] = record
                    elif isinstance(record, Message):
                        channel = channels[record.channel_id]
                        yield channel, schemas[channel.schema_id], record
            except Exception as error:  # as above
                self.damage = _describe(self.path, error)


def _walk(stream: BinaryIO, *, is_file: bool) -> Iterator[McapRecord]:
    """Schemas, channels and messages, also those in chunks; of a cut chunk, what there is of it.

    The mcap library's own stream reader gives up a record that is cut short, and the last chunk
    may be all there is.

    Raises:
        EOFError, ValueError: behind what could be read of a damaged stream.
    """
    end = stream.seek(0, SEEK_END)
    stream.seek(len(MCAP0_MAGIC) if is_file else 0)
    while head := stream.read(_HEAD.size):
        opcode, length = _HEAD.unpack(head)
        body = stream.read(min(length, end - stream.tell()))
        data = ReadDataStream(BytesIO(body))
        if opcode == Opcode.CHUNK:
            yield from _walk_chunk(Chunk.read(data))
        if opcode == Opcode.DATA_END:
            return
        if len(body) < length:
            raise EOFError('the file ends within a record')
        if opcode == Opcode.SCHEMA:
            yield Schema.read(data)
        elif opcode == Opcode.CHANNEL:
            yield Channel.read(data)
        elif opcode == Opcode.MESSAGE:
            yield Message.read(data, length)
    if is_file:
        raise EOFError('the file ends early')


def _walk_chunk(chunk: Chunk) -> Iterator[McapRecord]:
    data = _decompress(chunk)
    if len(data) == chunk.uncompressed_size and chunk.uncompressed_crc not in (0, crc32(data)):
        raise ValueError('a chunk does not match its checksum')
    yield from _walk(BytesIO(data), is_file=False)


def _decompress(chunk: Chunk) -> bytes:
    """The data of a chunk, as far as it goes."""
    if chunk.compression == 'zstd':
        return zstandard.ZstdDecompressor().decompressobj().decompress(chunk.data)
    if chunk.compression == 'lz4':
        return lz4.frame.LZ4FrameDecompressor().decompress(chunk.data)
    return chunk.data


class SalvagedSqlite:
    """A damaged or unfinished sqlite3 file, read row by row, up to the damage.

    An unfinished one keeps its last messages in a write-ahead log beside it, which sqlite reads
    as long as the file is not opened as immutable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        self.topics: dict[str, TopicInfo] = {}
        for topic, type_name, _, _ in self._rows('NULL'):
            known = self.topics.get(topic)
            count = known.count + 1 if known else 1
            self.topics[topic] = TopicInfo(type_name, count, _UNDEFINED)

    def read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        for topic, _, log_ns, data in self._rows('data'):
            if topic in topics:
                yield RawMessage(topic, log_ns, data)

    def close(self) -> None:
        pass

    def _rows(self, data: str) -> Iterator[tuple[str, str, int, bytes]]:
        uri = f'{self.path.absolute().as_uri()}?mode=ro'
        try:
            with closing(sqlite3.connect(uri, uri=True)) as db:
                # Or sqlite refuses a file that is shorter than its header says.
                db.execute('PRAGMA writable_schema=ON')
                topics = {
                    row[0]: row[1:] for row in db.execute('SELECT id, name, type FROM topics')
                }
                # By row, not by time: the index may be what is damaged.
                rows = db.execute(
                    f'SELECT topic_id, timestamp, {data} FROM messages NOT INDEXED ORDER BY id'
                )
                for key, log_ns, payload in rows:
                    yield (*topics[key], log_ns, payload)
        except (sqlite3.Error, KeyError) as error:
            self.damage = _describe(self.path, error)


def _describe(path: Path, error: Exception) -> str:
    return f'{path.name} is damaged ({type(error).__name__}: {error}); read up to there'
