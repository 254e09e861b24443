"""The bodies of requests and answers as Pydantic models, for the description at `/openapi.json`.

Those of the log and its audit are in `log_models`, those of logging in, users and keys in `access_models`.

Rule: they describe, the domain decides. Bodies are read by `rmos.domain.fields`, answers are joined from stored bytes;
a test holds the fields of these models against the fields that the domain reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY
from rmos.domain.jobs import REASONS, STATUSES, SYNONYMS
from rmos.domain.materials import LANES
from rmos.domain.patterns import PATTERN_TYPES

JsonMap: TypeAlias = dict[str, Any]  # Any: a free JSON object
Time: TypeAlias = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-24T10:00:00.000Z"])
]
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Status: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": [*STATUSES, *SYNONYMS]})]
Reason: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})]
Lane: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(LANES)})]
PatternType: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(PATTERN_TYPES)})]
Quantity: TypeAlias = Annotated[float, Field(ge=0)]


class Model(BaseModel):
    """Base of all: what is not described is refused."""

    model_config = ConfigDict(extra="forbid")


class Stored(Model):
    """What the server adds to every entity."""

    id: Id
    created_at: Time
    updated_at: Time
    version: Annotated[int, Field(ge=1, description="1, 2, 3, …; the `ETag` is this number in quotes.")]


class PatternFields(Model):
    name: Name | None = None
    pattern_type: Annotated[PatternType | None, Field(description="Default: from the geometry.")] = None
    ring_count: Annotated[int | None, Field(ge=1, description="Default: the number of rings in the geometry.")] = None
    geometry: Annotated[
        JsonMap | None,
        Field(
            description="`soundhole_diameter_mm` and `rings`, from the inside out; further members are kept.",
            examples=[{"rings": [{"radius_mm": 45.0, "width_mm": 3.0, "tile_length_mm": 2.4}]}],
        ),
    ] = None
    strip_family_id: Annotated[Id | None, Field(description="The family that the rings are made of.")] = None
    metadata: JsonMap | None = None


class PatternCreate(PatternFields):
    id: Annotated[Id | None, Field(description="Default: a new UUIDv7.")] = None
    name: Name


class Pattern(PatternFields, Stored):
    name: Name
    ring_count: int
    geometry: JsonMap


class JobLogFields(Model):
    job_type: Annotated[Name | None, Field(examples=["slice", "glue_up"])] = None
    pattern_id: Id | None = None
    strip_family_id: Id | None = None
    status: Annotated[Status | None, Field(description="`error` means `failed`. Default: `pending`.")] = None
    start_time: Annotated[Time | None, Field(description="Default: when the job becomes `running`.")] = None
    end_time: Annotated[Time | None, Field(description="Default: when the job ends.")] = None
    duration_seconds: Annotated[Quantity | None, Field(description="Default: from start to end.")] = None
    parameters: JsonMap | None = None
    results: JsonMap | None = None
    machine_id: Annotated[str | None, Field(max_length=128)] = None
    project_id: Annotated[str | None, Field(max_length=128)] = None
    operator: Name | None = None
    progress: Annotated[float | None, Field(ge=0, le=1)] = None
    reason: Reason | None = None
    note: Annotated[str | None, Field(max_length=10_000)] = None
    good_qty: Quantity | None = None
    scrap_qty: Quantity | None = None
    rework_qty: Quantity | None = None
    metadata: JsonMap | None = None


class JobLogCreate(JobLogFields):
    id: Annotated[Id | None, Field(description="Default: a new UUIDv7.")] = None
    job_type: Name


class JobLogChange(JobLogFields):
    reopen: Annotated[bool, Field(description="True lets a job that has ended change its status.")] = False


class JobLog(JobLogFields, Stored):
    job_type: Name
    status: str
    parameters: JsonMap


class StripFamilyFields(Model):
    name: Name | None = None
    strip_width_mm: Annotated[float | None, Field(gt=0)] = None
    strip_thickness_mm: Annotated[float | None, Field(gt=0)] = None
    material_type: Annotated[Name | None, Field(examples=["maple"])] = None
    strips: Annotated[list[JsonMap] | None, Field(examples=[[{"id": "s1", "length_mm": 650.0, "position": 1}]])] = None
    lane: Lane | None = None
    min_stock_mm: Quantity | None = None
    materials: Annotated[list[JsonMap] | None, Field(description="The parts of a mixed family.")] = None
    metadata: JsonMap | None = None


class StripFamilyCreate(StripFamilyFields):
    id: Annotated[Id | None, Field(description="Default: a new UUIDv7.")] = None
    name: Name
    strip_width_mm: Annotated[float, Field(gt=0)]
    strip_thickness_mm: Annotated[float, Field(gt=0)]
    material_type: Name


class StripFamily(StripFamilyFields, Stored):
    name: Name
    strip_width_mm: float
    strip_thickness_mm: float
    material_type: Name
    strips: list[JsonMap]


class Success(Model):
    """The published envelope."""

    success: Literal[True]


class PatternAnswer(Success):
    pattern: Pattern


class JobLogAnswer(Success):
    joblog: JobLog


class StripFamilyAnswer(Success):
    strip_family: StripFamily


class Matches(Success):
    count: Annotated[int, Field(description="How many are on this page.")]


class PatternMatches(Matches):
    patterns: list[Pattern]


class JobLogMatches(Matches):
    joblogs: list[JobLog]


class StripFamilyMatches(Matches):
    strip_families: list[StripFamily]


class PatternList(PatternMatches):
    total: Annotated[int, Field(description="How many match in all.")]


class JobLogList(JobLogMatches):
    total: Annotated[int, Field(description="How many match in all.")]


class StripFamilyList(StripFamilyMatches):
    total: Annotated[int, Field(description="How many match in all.")]


class Deleted(Success):
    message: Annotated[str, Field(examples=["Pattern deleted: 0198c2f0-…"])]


class Statistics(Success):
    statistics: JsonMap


class Analytics(BaseModel):
    """Figures beside `success`; `docs/reference/analytics.md` defines each."""

    model_config = ConfigDict(extra="allow")

    success: Literal[True]


class PlanAnswer(Success):
    plan: Annotated[JsonMap, Field(description="Members as in docs/reference/plan.md.")]


class Predict(Model):
    """What is known of a job before it runs; each part may be left out."""

    jobType: Annotated[str | None, Field(examples=["slice"])] = None
    material: Annotated[str | None, Field(examples=["maple"])] = None
    toolDiameter: Annotated[float | None, Field(ge=0, le=1000, description="In mm.", examples=[0.8])] = None


class PatternDetails(Success):
    pattern: Pattern
    analytics: JsonMap


class Change(Model):
    path: Annotated[str, Field(description="JSON pointer.", examples=["/status"])]
    before: Annotated[Any, Field(alias="from")]
    after: Annotated[Any, Field(alias="to")]


class HistoryEntry(Model):
    version: int | None
    time: Time
    actor: str
    request_id: str | None
    cause: Annotated[
        str | None, Field(description="What brought it about besides the request.", examples=["delete pattern/p7"])
    ]
    event: Annotated[str, Field(examples=["job:updated"])]
    diff: list[Change]


class History(Success):
    history: list[HistoryEntry]


class Operation(Model):
    op: Literal["create", "update", "delete"]
    entity: Literal["pattern", "joblog", "strip_family"]
    id: Id | None = None
    version: Annotated[int | None, Field(description="The version that must be stored, as with `If-Match`.")] = None
    data: JsonMap | None = None


class Bulk(Model):
    operations: list[Operation]


class FieldProblem(Model):
    pointer: Annotated[str, Field(description="JSON pointer into the body.", examples=["/ring_count"])]
    detail: str


class OperationResult(Model):
    index: int
    status: Annotated[int, Field(description="As the status of a request of its own.")]
    id: str | None
    version: int | None
    error: JsonMap | None = None


class BulkResults(Success):
    results: list[OperationResult]


class ImportResult(Success):
    created: int
    updated: int
    unchanged: int


class Preset(Model):
    key: Annotated[str, Field(examples=["torres_diamond"])]
    name: str
    description: str
    geometry: JsonMap
    tilings: Annotated[list[JsonMap | None], Field(description="How each ring is divided; null where it is not.")]


class Species(Model):
    key: Annotated[str, Field(examples=["maple"])]
    name: str
    color: Annotated[str, Field(examples=["#e9d5ab"])]
    density_kg_m3: float


class Presets(Success):
    presets: list[Preset]
    species: list[Species]


class Problem(Model):
    """Every refused or failed request (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(examples=["Pattern not found: 0198c2f0-…"])]
    code: Annotated[str, Field(description="Stable, for programs.", examples=["not_found"])]
    request_id: str | None
    errors: list[FieldProblem]


Models: TypeAlias = Mapping[str, type[BaseModel]]
"""Models of each kind, by its name."""

CREATE: Final[Models] = {PATTERN.name: PatternCreate, JOBLOG.name: JobLogCreate, STRIP_FAMILY.name: StripFamilyCreate}
CHANGE: Final[Models] = {PATTERN.name: PatternFields, JOBLOG.name: JobLogChange, STRIP_FAMILY.name: StripFamilyFields}
ANSWER: Final[Models] = {PATTERN.name: PatternAnswer, JOBLOG.name: JobLogAnswer, STRIP_FAMILY.name: StripFamilyAnswer}
LIST: Final[Models] = {PATTERN.name: PatternList, JOBLOG.name: JobLogList, STRIP_FAMILY.name: StripFamilyList}
MATCHES: Final[Models] = {
    PATTERN.name: PatternMatches,
    JOBLOG.name: JobLogMatches,
    STRIP_FAMILY.name: StripFamilyMatches,
}
