"""What is sealed can be read by this project alone, and what is hashed cannot be guessed by others."""

from typing import Any

import pytest

from rollout.sealing import SealError, keyed_hash, seal, unseal


def test_what_was_sealed_is_opened_with_the_keys_of_this_project_only(settings: Any) -> None:
    sealed = seal(b"secret")
    assert b"secret" not in sealed
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(SealError):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(sealed) == b"secret"


def test_a_hash_tells_values_apart_and_depends_on_the_key(settings: Any) -> None:
    hashes = {keyed_hash(b"%d" % number) for number in range(1000)}
    assert len(hashes) == 1000
    assert {len(found) for found in hashes} == {12}
    before = keyed_hash(b"1")
    assert before == keyed_hash(b"1")
    settings.SECRET_KEY = "another"
    assert keyed_hash(b"1") != before
