"""One frame in each of its forms."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.events import Category, Event
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.envelope import open_frame
from rmos.protocol.forms import TEXT_FRAMES, Form, Forms
from rmos.protocol.frames import payloads
from rmos.protocol.messages import closing_frame, event_frame, metrics_frame, system_frame
from rmos.protocol.sse import retry_line
from tests.streams import EventStreamReader, cloud_event_faults

EPOCH = "k3f9q2"
FORMS = Forms.of(epoch=EPOCH, site="bench-2")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.text() | st.sampled_from(["data", "timestamp", "id", ',"timestamp":']), json_values)
names = st.from_regex(r"[a-z][a-z0-9_.-]{0,63}", fullmatch=True)
words = st.text(min_size=1, max_size=20)
events = st.builds(
    lambda category, name, document, key, version, channels, actor, offset: Event(
        type=f"{category}:{name}",
        data=orjson.dumps(document),
        timestamp="2026-11-24T10:00:00.123Z",
        key=key,
        version=version,
        channels=tuple(channels),
        actor=actor,
        offset=offset,
    ),
    st.sampled_from([c.value for c in Category]),
    names,
    documents,
    st.none() | words,
    st.none() | st.integers(1, 2**31 - 1),
    st.lists(words, max_size=3),
    words,
    st.integers(1, 2**63 - 1),
)


def make_event(**changes: object) -> bytes:
    fields = {
        "type": "job:completed",
        "data": b'{"id":"j1",  "status":"completed"}',
        "timestamp": "2026-11-24T10:00:00.123Z",
        "key": "job/j1",
        "version": 7,
        "channels": ("project:p7", "machine:cnc1"),
        "actor": "operator-1",
        "offset": 1042,
    }
    return event_frame(Event(**(fields | changes)), EPOCH)


def streamed(form: Form, payload: bytes) -> tuple[dict[str, object], str]:
    """The one event of the stream, and where `Last-Event-ID` then is."""
    (event,) = EventStreamReader().feed(form.encode(payload))
    return event.frame, event.last_id


def cloud(payload: bytes) -> dict[str, object]:
    (document,) = payloads(FORMS.cloud_event_frames.encode(payload))
    return dict(orjson.loads(document))


def test_text_frame_holds_the_json_as_it_is():
    assert list(payloads(TEXT_FRAMES.encode(make_event()))) == [make_event()]


def test_stream_event_holds_the_same_bytes_and_the_cursor_as_its_id():
    payload = make_event()

    (event,) = EventStreamReader().feed(FORMS.event_stream.encode(payload))

    assert event.data.encode() == payload
    assert event.last_id == f"{EPOCH}:1042"
    assert event.name == "message"


def test_stream_event_survives_line_breaks_in_stored_json():
    payload = make_event(data=b'{\r\n"id":\n"j1"\r}')

    frame, _ = streamed(FORMS.event_stream, payload)

    assert frame == orjson.loads(payload)


@pytest.mark.parametrize("form", [FORMS.event_stream, FORMS.cloud_event_stream])
@pytest.mark.parametrize(
    ("name", "data", "cursor"),
    [
        ("heartbeat", {"offset": 9, "lag": 0, "time": "…"}, f"{EPOCH}:9"),
        ("caught_up", {"offset": 9}, f"{EPOCH}:9"),
        ("subscribed", {"offset": 9, "replay": None}, f"{EPOCH}:9"),
        ("subscribed", {"offset": 9, "replay": {"from": 4, "to": 9, "truncated": False}}, f"{EPOCH}:3"),
        ("subscribed", {"offset": 9, "replay": None, "snapshot": {"offset": 9}}, ""),  # CLI-13
        ("connected", {"offset": 9}, ""),
        ("error", {"code": "invalid_filter"}, ""),
    ],
)
def test_stream_ids_are_where_the_client_is_after_a_frame_of_the_connection(
    form: Form, name: str, data: dict[str, object], cursor: str
):
    _, last_id = streamed(form, system_frame(name, data))

    assert last_id == cursor


@pytest.mark.parametrize("form", [FORMS.event_stream, FORMS.cloud_event_stream])
def test_what_is_replayed_apart_from_the_subscription_does_not_move_the_stream(form: Form):
    payload = make_event()[:-1] + b',"replay":true}'

    _, last_id = streamed(form, payload)

    assert last_id == ""


@pytest.mark.parametrize("form", [FORMS.event_stream, FORMS.cloud_event_stream])
def test_a_comment_goes_with_every_heartbeat_of_a_stream(form: Form):
    reader = EventStreamReader()

    reader.feed(
        form.encode(system_frame("heartbeat", {"offset": 1, "lag": 0, "time": "…"})) + form.encode(make_event())
    )

    assert len(reader.comments) == 1


def test_retry_is_told_in_milliseconds():
    reader = EventStreamReader()

    assert reader.feed(retry_line(1.5)) == []
    assert reader.retry_ms == 1500


def test_cloud_event_of_a_logged_event():
    (document,) = payloads(FORMS.cloud_event_frames.encode(make_event()))

    event = orjson.loads(document)

    assert cloud_event_faults(event) == []
    assert event == {
        "specversion": "1.0",
        "id": "k3f9q2:1042",
        "source": "/rmos/bench-2",
        "type": "rmos.job.completed",
        "subject": "job/j1",
        "time": "2026-11-24T10:00:00.123Z",
        "datacontenttype": "application/json",
        "offset": "1042",
        "entityversion": 7,
        "channels": "project:p7,machine:cnc1",
        "actor": "operator-1",
        "data": {"id": "j1", "status": "completed"},
    }
    assert document.endswith(b'"data":{"id":"j1",  "status":"completed"}}')


def test_cloud_event_leaves_out_what_a_custom_event_has_not():
    event = cloud(make_event(key=None, version=None, channels=()))

    assert cloud_event_faults(event) == []
    assert event.keys().isdisjoint({"subject", "entityversion", "channels"})


def test_frames_that_are_not_in_the_log_are_cloud_events_with_ids_of_their_own():
    frames = [
        system_frame("subscribed", {"filters": ["job"], "offset": 3, "replay": None}),
        closing_frame(CloseCode.RESTART, "server restarts", reconnect=True, retry_after=1.0),
        metrics_frame({"jobs": {}}, "2026-11-24T10:00:00.123Z"),
        metrics_frame({"jobs": {}}, "2026-11-24T10:00:00.123Z"),
    ]

    events_ = [cloud(frame) for frame in frames]

    assert [cloud_event_faults(event) for event in events_] == [[]] * 4
    assert [event["type"] for event in events_] == [
        "rmos.system.subscribed",
        "rmos.system.closing",
        "rmos.metrics.snapshot",
        "rmos.metrics.snapshot",
    ]
    assert len({str(event["id"]) for event in events_}) == 4
    assert "time" not in events_[0]


@given(events)
def test_every_event_is_the_same_in_every_form(event: Event):
    payload = event_frame(event, EPOCH)
    frame = orjson.loads(payload)

    streamed_frame, last_id = streamed(FORMS.event_stream, payload)
    streamed_cloud, cloud_id = streamed(FORMS.cloud_event_stream, payload)
    cloud_event = cloud(payload)

    assert open_frame(payload).data == event.data
    assert streamed_frame == frame
    assert last_id == cloud_id == frame["id"] == cloud_event["id"]
    assert streamed_cloud == cloud_event
    assert cloud_event["data"] == frame["data"]
    assert cloud_event_faults(cloud_event) == []
