"""Keys and token of a backend, against pyzmq and the definition (test_server.py tries the handshake itself)."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

import pytest
import zmq
import zmq.auth
from zmq.utils import z85

from py_backend import user_token
from py_backend.admission import Admission, KeysError
from py_backend.user_token import TokenError


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """As pyzmq's own program makes them: a backend's pair, and the public key of a client."""
    zmq.auth.create_certificates(tmp_path, "server")
    zmq.auth.create_certificates(tmp_path, "client")
    (tmp_path / "client.key_secret").unlink()
    (tmp_path / "server.key_secret").chmod(0o600)
    return tmp_path


def test_the_certificates_of_pyzmq_are_taken(keys: Path) -> None:
    admission = Admission.by_keys(str(keys))
    public, secret = zmq.auth.load_certificate(keys / "server.key_secret")
    assert admission.server == (public, secret)
    assert admission.clients == {zmq.auth.load_certificate(keys / "client.key")[0]}


def test_the_backends_own_public_key_lets_nobody_in(keys: Path) -> None:
    (keys / "client.key").unlink()
    with pytest.raises(KeysError, match="no client's public key"):
        Admission.by_keys(str(keys))


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [("server.key_secret", 0o640, "others may read it"), ("client.key", 0o666, "others may change it")],
)
def test_files_that_others_may_use_are_refused(keys: Path, name: str, mode: int, said: str) -> None:
    (keys / name).chmod(mode)
    with pytest.raises(KeysError, match=f"{name}: {said}"):
        Admission.by_keys(str(keys))


def test_a_directory_in_which_others_may_put_keys_is_refused(keys: Path) -> None:
    keys.chmod(0o777)
    with pytest.raises(KeysError, match="others may change it"):
        Admission.by_keys(str(keys))


def test_a_link_that_leads_nowhere_is_named(keys: Path) -> None:
    (keys / "gone.key").symlink_to("nowhere")
    with pytest.raises(KeysError, match=r"gone\.key cannot be used \(No such file or directory\)"):
        Admission.by_keys(str(keys))


def test_a_directory_that_cannot_be_looked_into_is_named(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", forbidden)
    with pytest.raises(KeysError, match=r"server\.key_secret cannot be used \(Permission denied\)"):
        Admission.by_keys(str(keys))


def test_a_secret_key_of_another_public_one_is_refused(keys: Path) -> None:
    path = keys / "server.key_secret"
    public, _ = zmq.auth.load_certificate(path)
    assert public is not None
    path.write_text(path.read_text().replace(public.decode(), zmq.curve_keypair()[0].decode()))
    with pytest.raises(KeysError, match="no secret key that belongs to its public key"):
        Admission.by_keys(str(keys))


def test_a_secret_key_where_a_public_one_belongs_is_refused(
    keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, secret = zmq.auth.create_certificates(tmp_path_factory.mktemp("theirs"), "client")
    (keys / "client.key").write_bytes(Path(secret).read_bytes())
    with pytest.raises(KeysError, match=r"client\.key has a secret key in it, which only a \.key_secret may hold"):
        Admission.by_keys(str(keys))


def test_one_client_alone_is_let_in_by_its_key_and_the_backends_own_is_new_each_time() -> None:
    client = zmq.curve_keypair()[0]
    one, another = Admission.to_client(client.decode()), Admission.to_client(client.decode())
    assert one.clients == {client}
    assert one.is_new
    assert zmq.curve_public(one.server.secret) == one.server.public
    assert one.server != another.server


@pytest.mark.parametrize("key", ["", "short", "~" * 40, "#" * 40, "\ufffd" * 40])
def test_what_is_no_clients_key_is_refused(key: str) -> None:
    with pytest.raises(KeysError, match="a public key of 40 characters of Z85 is expected"):
        Admission.to_client(key)


@pytest.mark.parametrize("text", ["", "nothing of a key", 'curve\n    public-key = "short"\n', "\ufffd" * 90])
def test_what_is_no_key_file_is_named(keys: Path, text: str) -> None:
    (keys / "client.key").write_text(text)
    with pytest.raises(KeysError, match=r"client\.key is no key file"):
        Admission.by_keys(str(keys))


def test_keys_of_a_token_are_those_of_its_hmac() -> None:
    token = "t" * 32
    admission = Admission.by_token(token)

    def secret(role: str) -> bytes:
        return z85.encode(hmac.digest(token.encode(), f"ibatch {role}".encode(), hashlib.sha256))

    assert admission.server == (zmq.curve_public(secret("server")), secret("server"))
    assert admission.clients == {zmq.curve_public(secret("client"))}
    assert Admission.by_token("u" * 32).clients.isdisjoint(admission.clients)


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "ibatch" / "token"


def test_the_users_token_is_made_once_and_for_its_owner_alone(configuration: Path) -> None:
    token = user_token.user_token()
    assert len(bytes.fromhex(token)) == 32
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert user_token.user_token() == token == configuration.read_text().strip()
    assert [path.name for path in configuration.parent.iterdir()] == ["token"]


def test_a_token_that_another_made_meanwhile_is_taken(configuration: Path) -> None:
    configuration.parent.mkdir()
    configuration.write_text("theirs" * 8)
    configuration.chmod(0o600)
    assert user_token.make(configuration) == "theirs" * 8


def test_what_a_killed_process_of_our_number_left_is_in_nobodys_way(configuration: Path) -> None:
    configuration.parent.mkdir()
    configuration.with_name(f"token.{os.getpid()}").touch()
    assert len(user_token.user_token()) == 64


def test_the_token_of_the_environment_goes_to_nobody_who_is_started_from_here(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IBATCH_TOKEN", "e" * 32)
    assert user_token.user_token() == "e" * 32
    assert "IBATCH_TOKEN" not in os.environ
    assert not configuration.exists()


def test_a_token_that_can_be_guessed_is_refused(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBATCH_TOKEN", "short")
    with pytest.raises(TokenError, match="IBATCH_TOKEN: a token has 32 characters at least"):
        user_token.user_token()


def test_a_token_that_is_no_text_is_refused_wherever_it_is_from(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ": a token is text in UTF-8"
    monkeypatch.setenv("IBATCH_TOKEN", os.fsdecode(b"\xff" * 40))
    with pytest.raises(TokenError, match=f"IBATCH_TOKEN{said}"):
        user_token.user_token()
    user_token.user_token()
    configuration.write_bytes(b"\xff" * 40)
    with pytest.raises(TokenError, match=f"{configuration}{said}"):
        user_token.user_token()


def test_a_token_that_others_may_read_is_refused(configuration: Path) -> None:
    user_token.user_token()
    configuration.chmod(0o644)
    with pytest.raises(TokenError, match="others may read it"):
        user_token.user_token()
