"""The secret by which backends and controllers of one user know each other on a machine that others use, too."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

VARIABLE = "IBATCH_TOKEN"
LEAST_CHARACTERS = 32
"""A shorter one could be guessed by who sees a handshake."""


class TokenError(ValueError):
    """A token that cannot be had, or must not be used; one line for a person."""


def user_token() -> str:
    """That of the environment, which nobody who is started from here gets; else the user's own, which whoever needs it
    first makes. Raises TokenError."""
    given = os.fsencode(os.environ.pop(VARIABLE, ""))
    if given.strip():
        return token_in(given, VARIABLE)
    path = token_file()
    try:
        return read(path) or make(path)
    except OSError as error:
        raise TokenError(f"{path} cannot be used ({error.strerror}): mend that, or set {VARIABLE}") from None


def token_file() -> Path:
    """Beside what else is the user's own configuration (src/record/user-token.ts)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "ibatch", "token")


def read(path: Path) -> str | None:
    """None where there is no such file."""
    try:
        return token_in(read_secret(path), str(path))
    except FileNotFoundError:
        return None


def make(path: Path) -> str:
    """The name comes with the whole content: who makes it at the same time finds ours, or we find theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"token.{secrets.token_hex(8)}")  # in containers all of us may be process 1
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    return read(path) or make(path)


def read_secret(path: Path) -> bytes:
    """Raises TokenError where others may read the file, OSError where it cannot be read."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if sys.platform != "win32" and mode & 0o077:
            raise TokenError(
                f"{path} is a secret, and others may read it: chmod 600, or remove it and have a new one made"
            )
        return file.read(4096)


def token_in(content: bytes, where: str) -> str:
    """Raises TokenError where both sides could not take it alike."""
    try:
        token = content.decode().strip()
    except UnicodeDecodeError:
        raise TokenError(f"{where}: a token is text in UTF-8, as `openssl rand -hex 32` gives") from None
    if len(token) < LEAST_CHARACTERS:
        raise TokenError(
            f"{where}: a token has {LEAST_CHARACTERS} characters at least, as `openssl rand -hex 32` gives"
        )
    return token
