"""Signatures of calls and notices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.signing import TOLERANCE_SECONDS, place_of, sign, verify

SECRETS = ("a" * 32, "b" * 32)
NOW = 1_800_000_000.0


def test_the_header_is_what_other_programs_compute() -> None:
    # echo -n '1800000000.{"all": true}' | openssl dgst -sha256 -hmac aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    assert sign(b'{"all": true}', SECRETS[0], NOW) == (
        "t=1800000000,v1=9889dda8bf393341d81e5f64c703d0ff9c76854ad0afaaeaea2bb4f1e043f5a8"
    )


@given(st.binary(max_size=99), st.integers(0, 1), st.floats(-TOLERANCE_SECONDS, TOLERANCE_SECONDS - 1))
def test_what_was_signed_with_any_of_the_secrets_is_known(body: bytes, number: int, drift: float) -> None:
    signed = verify(sign(body, SECRETS[number], NOW), body, SECRETS, NOW + drift)
    assert signed is not None
    assert signed.secret == number
    assert signed.signature.hex() in sign(body, SECRETS[number], NOW)


@given(st.binary(max_size=99), st.binary(max_size=99))
def test_another_body_is_refused(body: bytes, other: bytes) -> None:
    assert (verify(sign(body, SECRETS[0], NOW), other, SECRETS, NOW) is None) == (body != other)


def test_another_secret_another_time_and_none_are_refused() -> None:
    header = sign(b"{}", "c" * 32, NOW)
    assert verify(header, b"{}", SECRETS, NOW) is None
    header = sign(b"{}", SECRETS[0], NOW)
    assert verify(header, b"{}", (), NOW) is None
    assert verify(header.replace("t=1800000000", "t=1800000001"), b"{}", SECRETS, NOW) is None


@pytest.mark.parametrize("drift", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_an_old_signature_and_one_of_the_future_are_refused(drift: float) -> None:
    assert verify(sign(b"{}", SECRETS[0], NOW), b"{}", SECRETS, NOW + drift) is None


@given(st.text(max_size=120))
def test_anything_else_is_no_signature(header: str) -> None:
    assert verify(header, b"{}", SECRETS, NOW) is None


@given(st.text(max_size=40))
def test_a_secret_that_is_sent_as_it_is_has_its_place(credential: str) -> None:
    assert place_of(credential, SECRETS) is None
    assert [place_of(secret, SECRETS) for secret in SECRETS] == [0, 1]


def test_what_grafana_signs_is_known_with_the_time_of_its_other_header() -> None:
    # echo -n '1800000000:{"all": true}' | openssl dgst -sha256 -hmac aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    header = "6b0a7b5537c9353d881beee6f3b84c6fa093387c16b4f43acce7277780554111"
    body = b'{"all": true}'
    assert verify(header, body, SECRETS, NOW, sent_at="1800000000")
    assert verify(header, body, SECRETS, NOW, sent_at="1800000001") is None
    assert verify(header, body, SECRETS, NOW) is None
    assert verify(header, body, SECRETS, NOW + TOLERANCE_SECONDS + 1, sent_at="1800000000") is None
    assert verify(sign(body, SECRETS[0], NOW), body, SECRETS, NOW, sent_at="1800000000") is None
