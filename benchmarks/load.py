"""wrk as the client: prepared requests, played in turn; rate, percentiles, CPU and memory of the server."""

import os
import re
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

NUMBER = "@NUMBER"
"""Stands in a body for seven digits that no other request has, so that a change is one."""

SCRIPT = """
local requests, at, sent = {}, 0, os.time() * 9973
init = function()
  for line in io.lines(%(file)s) do
    local method, path, token, body = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)")
    local headers = { ["Authorization"] = token, ["Content-Type"] = "application/json" }
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end
request = function()
  at, sent = at %% #requests + 1, sent + 1
  return (requests[at]:gsub("@NUMBER", string.format("%%07d", sent %% 10000000)))
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%d %%d %%d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    token: str
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """Attributes:
    rate: Requests per second.
    p50: Milliseconds, as p99.
    cpu: Microseconds of the server's CPU for each request, the database's not counted.
    memory: MiB resident, of all of the server's processes.
    failed: Answers that were not 2xx or 3xx, and connections that broke.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    memory: float
    failed: int


def measure(url: str, requests: list[Request], pid: int, *, seconds: int, connections: int) -> Measured:
    """Plays the requests in turn for some seconds."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "requests"
        lines.write_text("".join(f"{r.method}\t{r.path}\t{r.token}\t{r.body}\n" for r in requests))
        script = Path(folder) / "script.lua"
        script.write_text(SCRIPT % {"file": f'"{lines}"'})
        before = cpu_seconds(pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        spent = cpu_seconds(pid) - before
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    assert found, output
    count, microseconds, p50, p99, failed = map(int, found.groups())
    rate = count / (microseconds / 1e6)
    return Measured(rate, p50 / 1000, p99 / 1000, spent / max(count, 1) * 1e6, memory(pid), failed)


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def wait_for(url: str, seconds: float = 60) -> float:
    """Seconds until the server answers anything at all."""
    started = time.perf_counter()
    host, port = url.removeprefix("http://").split(":")
    while time.perf_counter() - started < seconds:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return time.perf_counter() - started
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(url)
