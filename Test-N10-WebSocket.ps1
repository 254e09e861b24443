# The published N10.0 WebSocket smoke test.
#
#   .\Test-N10-WebSocket.ps1 [-BaseUrl http://localhost:8000]
#
# Start the server first. This is a line-by-line transcription of scripts/smoke.py, which runs on every system and is
# what the test suite runs; a change belongs there first. (The byte order mark is needed: without it PowerShell 5.1
# would read the ticks in the local code page.) Unlike its Python twin, this script does not open a WebSocket.

param(
    [string]$BaseUrl = "http://localhost:8000"
)

$ErrorActionPreference = "Stop"
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8

$Stores = "$BaseUrl/api/rmos/stores"
$script:Passed = 0
$script:Failed = 0
$script:PatternId = $null
$script:JobLogId = $null

function Invoke-Check([int]$Number, [string]$Title, [scriptblock]$Check) {
    Write-Host "$Number. $Title..."
    try {
        & $Check
        $script:Passed++
    }
    catch {
        Write-Host "   ✗ $($_.Exception.Message)" -ForegroundColor Red
        $script:Failed++
    }
    Write-Host ""
}

function Send-Json([string]$Method, [string]$Uri, [hashtable]$Body) {
    Invoke-RestMethod -Method $Method -Uri $Uri -ContentType "application/json" -TimeoutSec 10 `
        -Body ($Body | ConvertTo-Json -Depth 10)
}

function Write-Ok([string]$Text) {
    Write-Host "   ✓ $Text" -ForegroundColor Green
}

function Write-EventNote([string]$EventType) {
    Write-Host "     (WebSocket event '$EventType' should have been broadcast)"
}

Write-Host "=== N10.0 WebSocket Smoke Test ==="
Write-Host ""

Invoke-Check 1 "Testing server availability" {
    Invoke-RestMethod -Uri "$BaseUrl/health" -TimeoutSec 10 | Out-Null
    Write-Ok "Server is running"
}

Invoke-Check 2 "Checking WebSocket router registration" {
    $openApi = Invoke-RestMethod -Uri "$BaseUrl/openapi.json" -TimeoutSec 10
    if (-not ($openApi.paths.PSObject.Properties.Name -contains "/ws/monitor")) {
        throw "/ws/monitor is not among the paths of /openapi.json"
    }
    Write-Ok "WebSocket endpoint registered at /ws/monitor"
}

Invoke-Check 3 "Testing RMOS entity creation" {
    $pattern = (Send-Json "POST" "$Stores/patterns" @{
        name       = "WebSocket Test Pattern"
        ring_count = 3
        geometry   = @{
            rings = @(
                @{ radius = 40; angle = 0 },
                @{ radius = 45; angle = 15 },
                @{ radius = 50; angle = 30 }
            )
        }
    }).pattern
    $script:PatternId = $pattern.id
    Write-Ok "Pattern created: $($pattern.id)"
    Write-EventNote "pattern:created"

    $jobLog = (Send-Json "POST" "$Stores/joblogs" @{
        job_type   = "slice"
        pattern_id = $script:PatternId
        status     = "pending"
        parameters = @{ blade_id = "blade-001"; speed = 1200 }
    }).joblog
    $script:JobLogId = $jobLog.id
    Write-Ok "JobLog created: $($jobLog.id)"
    Write-EventNote "job:created"
}

Invoke-Check 4 "Testing joblog update (status change)" {
    if (-not $script:JobLogId) {
        throw "there is no job log to update, because none was created"
    }
    $jobLog = (Send-Json "PUT" "$Stores/joblogs/$($script:JobLogId)" @{
        status           = "completed"
        end_time         = (Get-Date).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffZ")
        duration_seconds = 45.3
        results          = @{ strips_produced = 24; success_rate = 0.96 }
    }).joblog
    if ($jobLog.status -ne "completed") {
        throw "the job log is '$($jobLog.status)' instead of 'completed'"
    }
    Write-Ok "JobLog updated to 'completed'"
    Write-EventNote "job:completed"
}

Invoke-Check 5 "Verifying WebSocket infrastructure" {
    $apiFolder = Join-Path $PSScriptRoot "services/api"
    $python = Join-Path $apiFolder ".venv/Scripts/python.exe"
    if (-not (Test-Path $python)) {
        $python = Join-Path $apiFolder ".venv/bin/python"
    }
    $code = @'
from app.websocket.monitor import (
    broadcast_job_event, broadcast_material_event, broadcast_metrics_snapshot, broadcast_pattern_event,
    get_connection_manager,
)
functions = (broadcast_job_event, broadcast_material_event, broadcast_metrics_snapshot, broadcast_pattern_event)
assert all(callable(function) for function in functions), functions
manager = get_connection_manager()
print(type(manager).__name__, len(manager.active_connections))
'@
    Push-Location $apiFolder
    try {
        $printed = & $python -c $code
    }
    finally {
        Pop-Location
    }
    if ($LASTEXITCODE -ne 0) {
        throw "app.websocket.monitor cannot be imported; see above"
    }
    $name, $connections = "$printed".Split(" ")
    Write-Ok "All broadcast functions importable"
    if ($name -ne "ConnectionManager") {
        throw "get_connection_manager() returned a $name"
    }
    Write-Ok "ConnectionManager instance: $name"
    if ($connections -ne "0") {
        throw "$connections active connections outside a server"
    }
    Write-Ok "Active connections: $connections"
}

Write-Host ("=" * 44)
Write-Host "Tests Passed: $script:Passed"
Write-Host "Tests Failed: $script:Failed"
Write-Host ""
if ($script:Failed -gt 0) {
    Write-Host "✗ $script:Failed of 5 smoke tests failed" -ForegroundColor Red
    exit 1
}
Write-Host "✓ All N10.0 WebSocket smoke tests passed!" -ForegroundColor Green
exit 0
