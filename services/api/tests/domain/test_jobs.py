"""Job logs: transitions, times, durations."""

from __future__ import annotations

import pytest

from rmos.domain import jobs
from rmos.domain.entities import JsonValue
from rmos.domain.jobs import ENDED, OPEN, STATUSES, JobLog
from rmos.domain.revise import document_of
from rmos.errors import ConflictError, InvalidError

T0 = "2026-11-24T10:00:00.000Z"
T1 = "2026-11-24T10:10:00.000Z"
T2 = "2026-11-24T10:20:00.000Z"


def make_job(*, now: str = T0, **given: JsonValue) -> JobLog:
    return jobs.create({"job_type": "slice"} | given, entity_id="j1", now=now)


def change(job: JobLog, *, now: str = T1, **changes: JsonValue) -> JobLog:
    return jobs.change(job, changes, now=now)


def test_the_document_has_every_field_in_its_published_order():
    assert list(document_of(make_job()).items()) == [
        ("id", "j1"),
        ("job_type", "slice"),
        ("pattern_id", None),
        ("strip_family_id", None),
        ("status", "pending"),
        ("start_time", None),
        ("end_time", None),
        ("duration_seconds", None),
        ("parameters", {}),
        ("results", None),
        ("machine_id", None),
        ("project_id", None),
        ("operator", None),
        ("progress", None),
        ("reason", None),
        ("note", None),
        ("good_qty", None),
        ("scrap_qty", None),
        ("rework_qty", None),
        ("metadata", None),
        ("created_at", T0),
        ("updated_at", T0),
        ("version", 1),
    ]


def test_the_smoke_tests_bodies_are_accepted():
    job = make_job(pattern_id="p1", status="pending", parameters={"blade_id": "B-1", "speed": 1200})

    after = change(
        job,
        status="completed",
        end_time="2026-11-24T11:05:00.1234567+01:00",
        duration_seconds=45.3,
        results={"strips_produced": 12, "success_rate": 0.98},
    )

    assert (after.status, after.end_time, after.duration_seconds) == ("completed", "2026-11-24T10:05:00.123Z", 45.3)


# Transitions


@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("before", OPEN)
def test_an_open_job_may_take_every_status(before: str, after: str):
    assert change(make_job(status=before), status=after).status == after


@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("before", ENDED)
def test_an_ended_job_changes_its_status_only_when_it_is_reopened(before: str, after: str):
    job = make_job(status=before)

    if before != after:
        with pytest.raises(ConflictError, match=rf"job is {before} and cannot become {after}; send \"reopen\": true"):
            change(job, status=after)
        with pytest.raises(ConflictError):
            change(job, status=after, reopen=False)
    assert change(job, status=after, reopen=True).status == after


def test_repeating_the_status_of_an_ended_job_is_no_transition():
    job = make_job(status="completed")

    assert change(job, status="completed") is job
    assert change(job, status="completed", note="twice").version == 2


def test_reopen_alone_changes_nothing_and_is_not_stored():
    job = make_job(status="completed")

    assert change(job, reopen=True) is job


@pytest.mark.parametrize("reopen", ["yes", 1, None])
def test_reopen_is_true_or_false(reopen: JsonValue):
    with pytest.raises(InvalidError) as caught:
        change(make_job(status="completed"), status="running", reopen=reopen)

    assert caught.value.errors[0].pointer == "/reopen"


def test_error_is_another_word_for_failed():
    assert make_job(status="error").status == "failed"
    assert change(make_job(), status="error").status == "failed"
    job = make_job(status="failed")
    assert change(job, status="error") is job


@pytest.mark.parametrize("status", ["done", "", "Completed", 1, ["running"]])
def test_an_unknown_status_is_refused_and_the_accepted_ones_named(status: JsonValue):
    with pytest.raises(InvalidError) as caught:
        make_job(status=status)

    assert caught.value.errors[0].pointer == "/status"
    assert all(known in caught.value.errors[0].detail for known in STATUSES)


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("running", "completed", "completed"),
        ("running", "failed", "failed"),
        ("running", "held", "updated"),
        ("running", "cancelled", "updated"),
        ("pending", "completed", "completed"),
        ("failed", "completed", "completed"),
        ("completed", "completed", "updated"),
        ("failed", "failed", "updated"),
        ("completed", "running", "updated"),
    ],
)
def test_only_the_change_to_completed_or_failed_has_an_event_of_its_own(before: str, after: str, name: str):
    job = make_job(status=before)

    assert jobs.change_name(job, change(job, status=after, note="x", reopen=True)) == name


# Times


def test_starting_stamps_the_start():
    assert change(make_job(), status="running").start_time == T1


def test_a_job_created_as_running_starts_then():
    assert make_job(status="running").start_time == T0


@pytest.mark.parametrize("status", ENDED)
def test_a_job_created_as_ended_gets_no_invented_times(status: str):
    job = make_job(status=status)

    assert (job.start_time, job.end_time, job.duration_seconds) == (None, None, None)


@pytest.mark.parametrize("status", ENDED)
def test_ending_stamps_the_end_and_derives_the_duration(status: str):
    job = change(make_job(status="running"), status=status)

    assert (job.start_time, job.end_time, job.duration_seconds) == (T0, T1, 600)


def test_a_job_that_never_ran_has_an_end_and_no_duration():
    job = change(make_job(), status="completed")

    assert (job.start_time, job.end_time, job.duration_seconds) == (None, T1, None)


def test_given_times_are_kept_and_brought_to_one_form():
    job = change(
        make_job(), status="completed", start_time="2026-11-24T11:00:00+01:00", end_time="2026-11-24T10:00:30Z"
    )

    assert (job.start_time, job.end_time, job.duration_seconds) == (T0, "2026-11-24T10:00:30.000Z", 30)


def test_going_on_after_a_hold_keeps_the_start():
    held = change(make_job(status="running"), status="held", reason="GLUE_DRY")

    assert change(held, status="running", now=T2).start_time == T0


def test_reopening_takes_the_end_and_the_duration_back():
    ended = change(make_job(status="running"), status="failed")

    again = change(ended, status="running", reopen=True, now=T1)
    finished = change(again, status="completed", now=T2)

    assert (again.start_time, again.end_time, again.duration_seconds) == (T0, None, None)
    assert (finished.end_time, finished.duration_seconds) == (T2, 1200)


def test_correcting_one_end_into_another_keeps_the_times():
    ended = change(make_job(status="running"), status="completed")

    corrected = change(ended, status="failed", reopen=True, now=T2)

    assert (corrected.end_time, corrected.duration_seconds) == (T1, 600)


def test_a_start_of_a_fast_clock_does_not_make_the_end_impossible():
    ahead = make_job(status="running", start_time=T2)

    ended = change(ahead, status="completed", now=T1)

    assert (ended.end_time, ended.duration_seconds) == (T2, 0)


@pytest.mark.parametrize("start", [T1, T2])
def test_a_job_cannot_end_before_it_starts(start: str):
    with pytest.raises(InvalidError) as caught:
        make_job(start_time=start, end_time=T0)

    assert caught.value.errors[0].pointer == "/end_time"
    with pytest.raises(InvalidError):
        change(make_job(start_time=start), end_time=T0)


# Durations


def test_a_given_duration_beats_the_times():
    assert make_job(start_time=T0, end_time=T1, duration_seconds=45.3).duration_seconds == 45.3
    assert change(make_job(status="running"), status="completed", duration_seconds=0).duration_seconds == 0


def test_a_derived_duration_follows_the_times():
    job = make_job(start_time=T0, end_time=T1)

    assert job.duration_seconds == 600
    assert change(job, end_time=T2).duration_seconds == 1200
    assert change(job, end_time=None).duration_seconds is None


def test_a_given_duration_does_not_follow_the_times():
    job = make_job(start_time=T0, end_time=T1, duration_seconds=45.3)

    assert change(job, end_time=T2).duration_seconds == 45.3


def test_null_clears_a_duration():
    assert change(make_job(start_time=T0, end_time=T1), duration_seconds=None).duration_seconds is None


# Values


@pytest.mark.parametrize("reason", jobs.REASONS)
def test_every_reason_is_known(reason: str):
    assert make_job(reason=reason, note="first line\nsecond line").reason == reason


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"job_type": None}, "/job_type"),
        ({"job_type": " "}, "/job_type"),
        ({"status": None}, "/status"),
        ({"pattern_id": 7}, "/pattern_id"),
        ({"start_time": "soon"}, "/start_time"),
        ({"duration_seconds": -1}, "/duration_seconds"),
        ({"duration_seconds": True}, "/duration_seconds"),
        ({"progress": 1.01}, "/progress"),
        ({"progress": -0.01}, "/progress"),
        ({"good_qty": -1}, "/good_qty"),
        ({"scrap_qty": "2"}, "/scrap_qty"),
        ({"rework_qty": -0.5}, "/rework_qty"),
        ({"reason": "BORED"}, "/reason"),
        ({"parameters": []}, "/parameters"),
        ({"results": 1}, "/results"),
        ({"results": {"rate": float("nan")}}, "/results/rate"),
        ({"machine_id": "x" * 129}, "/machine_id"),
        ({"operator": ""}, "/operator"),
        ({"reopen": True}, "/reopen"),
    ],
)
def test_a_bad_job_is_refused_with_the_place(given: dict[str, JsonValue], pointer: str):
    with pytest.raises(InvalidError) as caught:
        make_job(**given)

    assert [fault.pointer for fault in caught.value.errors] == [pointer]
