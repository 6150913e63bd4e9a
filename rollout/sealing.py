"""Seals what captured statements hold of people: encrypted and signed with keys that come from SECRET_KEY."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signals import setting_changed

_HASH_BYTES = 6


class SealError(ValueError):
    """What should be opened was not sealed with a key of this project, or was changed since."""


def seal(content: bytes) -> bytes:
    """Return the content sealed."""
    return _keys().encrypt(content)


def unseal(sealed: bytes) -> bytes:
    """Return what was sealed, with SECRET_KEY or with one of SECRET_KEY_FALLBACKS. Raises `SealError`."""
    try:
        return _keys().decrypt(sealed)
    except InvalidToken as error:
        raise SealError("It was not sealed with SECRET_KEY or SECRET_KEY_FALLBACKS, or was changed since.") from error


def keyed_hash(value: bytes) -> str:
    """Return 12 hexadecimal digits that tell values apart and that only this project can compute.

    They change with SECRET_KEY.
    """
    return hashlib.blake2b(value, key=_hash_key(), digest_size=_HASH_BYTES).hexdigest()


@lru_cache(maxsize=1)
def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(secret, b"readshift.shadow"))) for secret in secrets])


@lru_cache(maxsize=1)
def _hash_key() -> bytes:
    return _derive(settings.SECRET_KEY, b"readshift.shadow.hash")


def _derive(secret: str | bytes, purpose: bytes) -> bytes:
    """Return 32 bytes that are of use for nothing else (HKDF, RFC 5869)."""
    material = secret if isinstance(secret, bytes) else secret.encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(material)


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _keys.cache_clear()
        _hash_key.cache_clear()


setting_changed.connect(_forget, dispatch_uid="readshift.sealing")
