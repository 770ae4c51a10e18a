"""The same over TLS, which is how every exchange but a local one is reached."""

import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchanges.errors import NotSent, Unavailable, UnknownOutcome
from tests.exchanges.lnmarkets.answers import CLOSED
from tests.exchanges.lnmarkets.clients import act, client_of, read, says
from tests.exchanges.rude_server import Behaviour, Peer, RudeServer, answer

GOOD = answer(CLOSED)


def certificate_for(host: str, path: Path) -> Path:
    """A key and a self-signed certificate for the address `host`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def server_of(certificate: Path, behave: Behaviour) -> RudeServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return RudeServer(behave, tls=context)


@pytest.fixture
def trusted(tmp_path, monkeypatch) -> Path:
    """A certificate for 127.0.0.1 that stands in for those of the public authorities."""
    certificate = certificate_for("127.0.0.1", tmp_path / "trusted.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    return certificate


def test_connections_are_kept(trusted):
    with server_of(trusted, says(GOOD)) as server:
        client = client_of(server.url)
        assert [act(client), act(client)] == [CLOSED["id"]] * 2

    assert (server.connections, len(server.received)) == (1, 2)


@pytest.mark.parametrize(
    "behave",
    [
        lambda peer: peer.drip(GOOD, every=0.05),
        Peer.say_nothing,
        Peer.hang_up,
        Peer.reset,
    ],
    ids=["one byte at a time", "never answers", "hangs up", "resets"],
)
def test_no_answer(trusted, behave):
    with server_of(trusted, behave) as server:
        with pytest.raises(UnknownOutcome):
            act(client_of(server.url, total_timeout=1))

        assert len(server.received) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"], ids=["unknown", "of another host"])
def test_a_wrong_certificate_is_told_nothing(trusted, host, tmp_path, monkeypatch):
    wrong = certificate_for(host, tmp_path / "wrong.pem")
    if host != "127.0.0.1":
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(wrong))

    with server_of(wrong, says(GOOD)) as server:
        with pytest.raises(Unavailable):
            read(client_of(server.url))
        with pytest.raises(NotSent, match="SSL"):
            act(client_of(server.url))

        assert server.connections == 2
        assert server.bytes_received == 0
