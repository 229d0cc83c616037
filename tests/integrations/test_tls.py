"""Certificates are checked, and read once."""

import ssl

import pytest

from integrations.channels.secret_path import SecretPath
from integrations.http import Http
from integrations.tls import trusted


def test_one_reading_serves_every_client(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    real = ssl.create_default_context

    def note(*given: str, **named: str) -> ssl.SSLContext:
        read.append((given, named))
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl, "create_default_context", note)
    trusted.cache_clear()
    Http("amocrm", "https://example.amocrm.ru")
    SecretPath("1234567890:AAE")
    SecretPath("1234567890:AAE")
    assert len(read) == 1


def test_a_stranger_is_not_trusted() -> None:
    assert trusted().verify_mode is ssl.CERT_REQUIRED
    assert trusted().check_hostname
    assert trusted().get_ca_certs()
