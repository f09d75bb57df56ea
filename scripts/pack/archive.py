"""Writes a .tar.xz from a list of files, the same bytes for the same files, and prints what its parts weigh.

Standard input is JSON: folder and time (seconds since 1970) of all in it, the machine that it is for, the path of the
output, and parts with name and files. A file has its place (`at`), where it lies (`from`) or its text, and whether it
is a program.
Each part is an xz stream of its own, one after another: `tar -xJf` and `python3 -m tarfile -e` take them as one.
"""

import json
import lzma
import sys
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

# 64 MiB is what a decoder needs, too. The filter for programs of x86 makes Node a tenth smaller.
COMPRESSION = {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 64 << 20}
FILTERS = {"x86_64": [{"id": lzma.FILTER_X86}, COMPRESSION]}
END = b"\0" * 1024


def main() -> None:
    asked = json.load(sys.stdin)
    seen = []
    filters = FILTERS.get(asked["machine"], [COMPRESSION])
    with open(asked["output"], "wb") as output:
        for part in asked["parts"]:
            start = output.tell()
            raw = write_stream(output, members(asked["folder"], part["files"], asked["time"]), filters)
            seen.append(
                {"name": part["name"], "files": len(part["files"]), "bytes": raw, "packed": output.tell() - start}
            )
        write_stream(output, iter([END]), filters)
    print(json.dumps(seen))


def write_stream(output: BinaryIO, blocks: Iterator[bytes], filters: list[dict[str, int]]) -> int:
    """One xz stream; bytes before compression."""
    raw = 0
    compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters)
    for block in blocks:
        raw += len(block)
        output.write(compressor.compress(block))
    output.write(compressor.flush())
    return raw


def members(folder: str, files: list[dict[str, Any]], time: int) -> Iterator[bytes]:
    for file in sorted(files, key=lambda file: file["at"]):
        content = read(file)
        info = tarfile.TarInfo(f"{folder}/{file['at']}")
        info.mtime = time
        info.size, info.mode = len(content), 0o755 if file.get("program") else 0o644
        yield info.tobuf(tarfile.GNU_FORMAT)
        yield content
        yield b"\0" * (-len(content) % tarfile.BLOCKSIZE)


def read(file: dict[str, Any]) -> bytes:
    if "text" in file:
        return str(file["text"]).encode()
    with open(file["from"], "rb") as source:
        return source.read()


if __name__ == "__main__":
    main()
