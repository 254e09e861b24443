"""What a connection may do, and for how long: versions, bad commands, commands too fast. No clock, no socket."""

from __future__ import annotations

import orjson

from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import Ping, Subscribe
from rmos.protocol.session import Dismissal, Refusal, ServerSession

PING = '{"action":"ping"}'


def session(*, is_v2: bool = False) -> ServerSession:
    return ServerSession(is_v2=is_v2, now=1000.0)


def error_code(outcome: object) -> str:
    assert isinstance(outcome, Refusal | Dismissal)
    code: str = orjson.loads(outcome.frame)["data"]["code"]
    return code


def test_sub_01_a_version_2_key_raises_the_version_for_good() -> None:
    connection = session()

    connection.receive(PING, 1000)
    assert connection.protocol == "rmos.monitor.v1"
    connection.receive('{"action":"ping","id":"1"}', 1001)
    connection.receive(PING, 1002)

    assert connection.protocol == "rmos.monitor.v2"


def test_sub_01_a_refused_command_does_not_raise_the_version() -> None:
    connection = session()

    connection.receive('{"action":"subscribe","channels":["x"]}', 1000)

    assert connection.protocol == "rmos.monitor.v1"


def test_cmd_14_the_twentieth_bad_command_in_a_row_is_answered_and_then_ends_the_connection() -> None:
    connection = session()

    outcomes = [connection.receive("[", 1000 + i) for i in range(20)]

    assert all(isinstance(o, Refusal) for o in outcomes[:19])
    assert isinstance(outcomes[19], Dismissal)
    assert outcomes[19].code is CloseCode.BAD_REQUEST
    assert error_code(outcomes[19]) == "invalid_json"


def test_cmd_14_an_accepted_command_starts_the_count_anew() -> None:
    connection = session()

    for round_s in (0, 100, 200):
        outcomes = [connection.receive("[", 1000 + round_s + i) for i in range(19)]
        assert all(isinstance(o, Refusal) for o in outcomes)
        assert isinstance(connection.receive(PING, 1000 + round_s + 20), Ping)


def test_cmd_13_binary_messages_count_as_bad_commands() -> None:
    connection = session()

    outcomes = [connection.receive_binary(1000 + i) for i in range(20)]

    assert error_code(outcomes[0]) == "binary_not_supported"
    assert isinstance(outcomes[-1], Dismissal)


def test_lim_02_thirty_at_once_then_ten_a_second() -> None:
    connection = session()

    burst = [connection.receive(PING, 1000.0) for _ in range(30)]
    refused = connection.receive(PING, 1000.0)
    later = [connection.receive(PING, 1001.0) for _ in range(10)]

    assert all(isinstance(o, Ping) for o in burst + later)
    assert error_code(refused) == "rate_limited"
    assert orjson.loads(refused.frame)["data"]["temporary"] is True
    assert orjson.loads(refused.frame)["data"]["retry_after"] > 0


def test_lim_02_what_is_too_fast_is_not_obeyed() -> None:
    connection = session()
    for _ in range(30):
        connection.receive(PING, 1000.0)

    refused = connection.receive('{"action":"subscribe","since":"e:1"}', 1000.0)

    assert not isinstance(refused, Subscribe)
    assert connection.protocol == "rmos.monitor.v1"


def test_lim_03_going_on_without_waiting_ends_the_connection() -> None:
    connection = session()

    outcomes = [connection.receive(PING, 1000.0) for _ in range(32)]

    assert isinstance(outcomes[30], Refusal)
    assert isinstance(outcomes[31], Dismissal)
    assert outcomes[31].code is CloseCode.ABUSIVE_RATE


def test_lim_03_who_waits_after_the_warning_is_warned_again() -> None:
    connection = session()
    for _ in range(31):
        connection.receive(PING, 1000.0)

    obeyed = connection.receive(PING, 1000.2)
    rest = [connection.receive(PING, 1000.2) for _ in range(2)]

    assert isinstance(obeyed, Ping)
    assert error_code(rest[-1]) == "rate_limited"
    assert isinstance(rest[-1], Refusal)
