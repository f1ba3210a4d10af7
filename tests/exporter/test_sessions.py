"""Sessions: what a cookie holds, and when it opens nothing any more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from exporter.sessions import LASTS_S, MOST_FAILURES, WITHIN_S, Attempts, Sessions

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TOKEN = SecretStr("fake-token-for-tests")
SESSIONS = Sessions(b"k" * 32)


def test_a_session_holds_for_a_shift_and_no_longer() -> None:
    session = SESSIONS.begin(TOKEN, NOW)
    assert SESSIONS.holds(session, TOKEN, NOW)
    assert SESSIONS.holds(session, TOKEN, NOW + timedelta(seconds=LASTS_S - 1))
    assert not SESSIONS.holds(session, TOKEN, NOW + timedelta(seconds=LASTS_S))


def test_a_session_does_not_hold_the_token_and_no_two_are_alike() -> None:
    first, second = SESSIONS.begin(TOKEN, NOW), SESSIONS.begin(TOKEN, NOW)
    assert TOKEN.get_secret_value() not in first
    assert first != second
    assert SESSIONS.form_token(first, TOKEN) != SESSIONS.form_token(second, TOKEN)
    assert "kkkk" not in repr(SESSIONS)


def test_a_restart_ends_no_session_and_a_changed_token_or_key_ends_all() -> None:
    session = SESSIONS.begin(TOKEN, NOW)
    assert Sessions(b"k" * 32).holds(session, TOKEN, NOW)
    assert not SESSIONS.holds(session, SecretStr("another"), NOW)
    assert not SESSIONS.holds(session, SecretStr(""), NOW)
    assert not Sessions(b"j" * 32).holds(session, TOKEN, NOW)
    assert not Sessions().holds(session, TOKEN, NOW)


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_session_with_any_other_character_does_not_hold(place: int) -> None:
    session = SESSIONS.begin(TOKEN, NOW)
    assert not SESSIONS.holds(
        f"{session[:place]}{'0' if session[place] != '0' else '1'}{session[place + 1 :]}", TOKEN, NOW
    )


@pytest.mark.parametrize("session", ["", ".", "..", "1", "9" * 400, "\ud800.x.y", "٣.abcdefghijklmnopqrst." + "a" * 64])
def test_what_is_no_session_does_not_hold(session: str) -> None:
    assert not SESSIONS.holds(session, TOKEN, NOW)


def test_an_ended_session_opens_nothing_and_is_forgotten_when_it_would_be_over() -> None:
    sessions = Sessions(b"k" * 32)
    session, other = sessions.begin(TOKEN, NOW), sessions.begin(TOKEN, NOW + timedelta(hours=1))
    sessions.end(session, NOW)
    assert not sessions.holds(session, TOKEN, NOW)
    assert sessions.holds(other, TOKEN, NOW)
    sessions.end(other, NOW + timedelta(seconds=LASTS_S))
    assert list(sessions.ended) == [other]


def test_over_https_the_cookie_is_bound_to_the_host() -> None:
    assert SESSIONS.cookie == "freezeframe"
    assert replace(SESSIONS, is_secure=True).cookie == "__Host-freezeframe"


def test_after_many_wrong_tokens_none_is_looked_at_for_the_rest_of_the_minute() -> None:
    attempts = Attempts()
    for second in range(MOST_FAILURES):
        assert attempts.wait_s(second) == 0
        attempts.failed(second)
    assert attempts.wait_s(MOST_FAILURES) == WITHIN_S - MOST_FAILURES
    assert attempts.wait_s(WITHIN_S) == 0
    attempts.failed(WITHIN_S)
    assert attempts.wait_s(WITHIN_S) == 1
    assert attempts.wait_s(10 * WITHIN_S) == 0
    assert attempts.failed_at_s == []
