"""Towards upstream the certificate and the name are always verified: refused means not one key byte is sent."""
import subprocess

import pytest

from processes import Mock, wait_for

KEY = "sk-upstream-key-000001"


def make_certificate(folder, name, days=None, host="localhost", authority=None):
    """A certificate by the openssl program: self-signed, or by (certificate, key) of an authority."""
    key, certificate, request = folder / f"{name}.key", folder / f"{name}.pem", folder / f"{name}.csr"

    def run(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    run("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key)
    run("req", "-new", "-key", key, "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-out", request)
    signer = ["-signkey", key] if authority is None else ["-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial"]
    period = ["-days", "30"] if days is None else ["-days", str(days)]
    run("x509", "-req", "-in", request, *signer, *period, "-copy_extensions", "copy", "-out", certificate)
    return certificate, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    key, certificate = folder / "ca.key", folder / "ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=Test authority", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


def upstream_with(tmp_path, files):
    mock = Mock(tmp_path / "other-mock", "--tls-cert", files[0], "--tls-key", files[1], tls=False)
    mock.url = mock.url.replace("http://", "https://")
    return mock


@pytest.mark.parametrize("fault", ["wrong host", "expired", "self-signed"])
def test_bad_certificate_is_refused_and_no_key_byte_sent(start, tmp_path, authority, fault):
    options = {"wrong host": dict(host="other.example", authority=authority), "expired": dict(days=-1, authority=authority), "self-signed": {}}[fault]
    mock = upstream_with(tmp_path, make_certificate(tmp_path, "server", **options))
    gateway = start(mock=mock, keys=[KEY], UPSTREAM_CA_FILE=authority[0], RETRY_ATTEMPTS="2")
    status, _, body = gateway.chat()
    assert status == 503, body
    assert "is rejected" in wait_for(lambda: "is rejected" in gateway.text() and gateway.text(), what="the reason in the log")
    import http.client
    import ssl

    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("localhost", mock.port, context=context)
    connection.request("GET", "/_mock/stats")
    import json

    stats = json.loads(connection.getresponse().read())
    connection.close()
    mock.stop()
    assert stats["requests"] == 0


def test_good_certificate_is_accepted(start, tmp_path, authority):
    mock = upstream_with(tmp_path, make_certificate(tmp_path, "server", authority=authority))
    gateway = start(mock=mock, keys=[KEY], UPSTREAM_CA_FILE=authority[0])
    assert gateway.chat()[0] == 200
    gateway.stop()
    mock.stop()


def test_sessions_are_resumed_and_connections_kept(start, mock):
    gateway = start(keys=[KEY])
    before = mock.stats()
    for _ in range(20):
        assert gateway.chat()[0] == 200
    after = mock.stats()
    assert after["connections_total"] - before["connections_total"] <= 2 + 21, "the control calls use one each"
    assert len({r["connection_id"] for r in mock.requests()}) == 1
    mock.script(KEY, "close_before", times=1)
    assert gateway.chat()[0] == 200
    assert mock.requests()[-1]["tls_resumed"]


def test_the_client_side_speaks_tls_too(start, mock, tmp_path, authority):
    import http.client
    import ssl

    certificate, key = make_certificate(tmp_path, "front", authority=authority)
    gateway = start(keys=[KEY], TLS_CERT=certificate, TLS_KEY=key)
    context = ssl.create_default_context(cafile=str(authority[0]))
    connection = http.client.HTTPSConnection("localhost", gateway.port, context=context)
    for _ in range(3):
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {gateway.root}"})
        answer = connection.getresponse()
        assert answer.status == 200 and b"gpt-4o" in answer.read()
    connection.close()
