"""Who may speak to a backend over tcp: ZeroMQ's CURVE decides it in the handshake, before a message of ours is read.

Each side proves that it has its secret key, and everything between them is encrypted. The keys are files that
`ibatch keys` makes, or follow from a token that both sides know: so a stranger who listens where a backend is looked
for learns nothing that would open the backend to him.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.auth import load_certificate
from zmq.utils import z85

ZAP = "inproc://zeromq.zap.01"
DOMAIN = "ibatch"
KEY_CHARACTERS = 40
ADDRESSES_TOLD = 100


class KeysError(ValueError):
    """Keys that cannot or must not be used; one line for a person."""


class KeyPair(NamedTuple):
    """In Z85, as ZeroMQ's options and certificates have them."""

    public: bytes
    secret: bytes


@dataclass(frozen=True)
class Admission:
    """The backend's own keys, and the public keys of those who are let in; `why`: what these have that others lack."""

    server: KeyPair
    clients: frozenset[bytes]
    why: str
    is_new: bool = False
    """Nobody can know our own key yet: it is said with where we listen."""

    @staticmethod
    def by_keys(directory: str) -> Admission:
        """server.key_secret, and whoever else's `*.key` lie beside it. Raises KeysError."""
        folder = Path(directory)
        secret = folder / "server.key_secret"
        if not is_there(secret):
            raise KeysError(f"--keys {directory}: there is no {secret.name}: copy it from where `ibatch keys` made it")
        refuse_others(secret, 0o077, "read", "chmod 600")
        for path in (folder, *folder.glob("*.key")):
            refuse_others(path, 0o022, "change", "chmod go-w")
        clients = [path for path in sorted(folder.glob("*.key")) if path.name != "server.key"]
        if not clients:
            raise KeysError(f"--keys {directory}: there is no client's public key (client.key, any *.key) beside it")
        return Admission(
            key_pair(secret), frozenset(map(public_key, clients)), f"its key is none of the *.key in {directory}"
        )

    @staticmethod
    def to_client(key: str) -> Admission:
        """Who has the secret to this public key; who we are a new key of our own shows. Raises KeysError."""
        try:
            is_key = len(key) == KEY_CHARACTERS and len(z85.decode(key)) == 32
        except (ValueError, LookupError, struct.error):
            is_key = False
        if not is_key:
            raise KeysError(f"--client-key {key}: a public key of {KEY_CHARACTERS} characters of Z85 is expected")
        server = KeyPair(*zmq.curve_keypair())
        return Admission(server, frozenset([key.encode()]), "its key is not that of --client-key", is_new=True)

    @staticmethod
    def by_token(token: str) -> Admission:
        server, client = derived(token, "server"), derived(token, "client")
        return Admission(server, frozenset([client.public]), "it has another token")

    def guard(self, socket: zmq.Socket[bytes]) -> None:
        """To be called before it is bound."""
        socket.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self.server.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.server.secret)


class Porter:
    """Answers ZeroMQ's own question at each handshake (ZAP, RFC 27): is this key let in?"""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], admission: Admission) -> None:
        self._admission = admission
        self._told: set[bytes] = set()
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ZAP)

    def answer(self) -> None:
        """The question that has come."""
        version, number, _domain, address, _identity, mechanism, *proof = self.socket.recv_multipart()
        known = mechanism == b"CURVE" and len(proof) == 1 and z85.encode(proof[0]) in self._admission.clients
        verdict = [b"200", b"OK"] if known else [b"400", b"unknown key"]
        self.socket.send_multipart([version, number, *verdict, b"", b""])
        if not known:
            self._tell(address)

    def close(self) -> None:
        self.socket.close()

    def _tell(self, address: bytes) -> None:
        """Once of each address, and not of a thousand."""
        if address in self._told or len(self._told) == ADDRESSES_TOLD:
            return
        self._told.add(address)
        who = address.decode("ascii", "replace")
        print(f"py_backend: refused a client at {who}: {self._admission.why}", file=sys.stderr, flush=True)


def derived(token: str, role: str) -> KeyPair:
    """The keys of one side that follow from a token (src/backend/credentials.ts)."""
    secret = z85.encode(hmac.new(token.encode(), f"ibatch {role}".encode(), hashlib.sha256).digest())
    return KeyPair(zmq.curve_public(secret), secret)


def is_there(file: Path) -> bool:
    """Raises KeysError where that cannot be seen."""
    try:
        return file.is_file()
    except OSError as error:  # of a directory that is another user's
        raise KeysError(f"{file} cannot be used ({error.strerror}): have a directory of your own") from None


def key_pair(path: Path) -> KeyPair:
    public, secret = certificate(path)
    if secret is None or zmq.curve_public(secret) != public:
        raise KeysError(f"{path} has no secret key that belongs to its public key; `ibatch keys` makes such files")
    return KeyPair(public, secret)


def public_key(path: Path) -> bytes:
    """Raises KeysError where it has none, or a secret one as well."""
    public, secret = certificate(path)
    if secret is not None:
        raise KeysError(
            f"{path} has a secret key in it, which only a .key_secret may hold: have the public file that "
            "`ibatch keys` made beside that in its place, and new keys where others have seen this one"
        )
    return public


def certificate(path: Path) -> tuple[bytes, bytes | None]:
    """Public and secret key. Raises KeysError where it has no such keys."""
    try:
        public, secret = load_certificate(path)
        for key in filter(None, (public, secret)):
            if len(key) != KEY_CHARACTERS or len(z85.decode(key)) != 32:
                raise ValueError("a key has 40 characters of Z85")
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise KeysError(f"{path} is no key file ({error}); `ibatch keys` makes such files") from None
    return public, secret


def refuse_others(path: Path, mask: int, what: str, instead: str) -> None:
    """Raises KeysError where others may do with it what they must not, or it cannot be looked at."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:  # as a link that leads nowhere
        raise KeysError(f"{path} cannot be used ({error.strerror}): mend that, or remove it") from None
    if sys.platform != "win32" and mode & mask:
        raise KeysError(f"{path}: others may {what} it: {instead} {path}")
