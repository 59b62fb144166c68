"""Jobs of a cluster, through its dashboard: submitted, followed to their end."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient
from ray.util.state import list_nodes

from raysweep.cluster.resources import DRIVER_SHARE
from raysweep.cluster.runtime import DRIVER_RESOURCE
from raysweep.errors import ExperimentError, ResourceError
from raysweep.experiment.drivers import Ended

ADDRESS = "RAY_API_SERVER_ADDRESS"
"""Stronger than any address that Ray's client is given."""
PATIENCE_SECONDS = 3.0
"""Between two questions to a cluster that does not answer, or a job that has nothing to say."""
START_SECONDS = 120.0
NOT_YET = "No available agent to submit job"
"""In the answer of a dashboard whose agent is still starting; or cannot, since another cluster's on the same machine
has its port."""
UNREACHABLE = (OSError, RuntimeError, aiohttp.ClientError)
"""What Ray's client raises where no dashboard answers, or one that has lost its head."""


@dataclass(frozen=True)
class Job:
    id: str
    entrypoint: str
    """A line for the shell."""
    runtime_env: Mapping[str, Any]
    resources: Mapping[str, float]
    """Of the node that the driver lives on; empty: the head, as Ray has it."""


class JobServer:
    """`address`: of the dashboard, such as http://127.0.0.1:8265; None: as Ray finds it.

    ResourceError where no cluster answers there, or it does not take this machine's token.
    """

    def __init__(self, address: str | None) -> None:
        if address is not None:
            os.environ[ADDRESS] = address
        try:
            self.client = JobSubmissionClient()
        except AuthenticationError as error:
            raise ResourceError(
                f"a cluster takes jobs from who has its token, and said: {error.message.splitlines()[0]}. "
                "Copy ~/.ray/auth_token from its head, or set RAY_AUTH_TOKEN."
            ) from None
        except UNREACHABLE as error:
            raise ResourceError(
                f"jobs are submitted to a cluster's dashboard, and none answers: {error} "
                "Name its --address; `ray dashboard cluster.yaml` brings it to http://127.0.0.1:8265."
            ) from None

    @property
    def url(self) -> str:
        return str(self.client.get_address())

    def driver_resources(self) -> dict[str, float]:
        """What keeps a driver on a node that is meant for drivers, where the cluster has such."""
        nodes = list_nodes(address=self.url, filters=[("state", "=", "ALIVE")])
        has_them = any(DRIVER_RESOURCE in node.resources_total for node in nodes)
        return {DRIVER_RESOURCE: DRIVER_SHARE} if has_them else {}

    def submit(self, job: Job) -> None:
        """A head that has just begun may need a while before it takes jobs."""
        until = time.monotonic() + START_SECONDS
        while (refusal := self._refusal(job)) is not None:
            if NOT_YET not in refusal or time.monotonic() > until:
                raise ExperimentError(f"the cluster did not take the job: {refusal}")
            time.sleep(PATIENCE_SECONDS)

    def _refusal(self, job: Job) -> str | None:
        try:
            self.client.submit_job(
                entrypoint=job.entrypoint,
                submission_id=job.id,
                runtime_env=dict(job.runtime_env),
                entrypoint_resources=dict(job.resources) or None,
            )
        except UNREACHABLE as error:
            return str(error)
        return None

    def follow(self, job: str, write: Callable[[str], None], tell: Callable[[str], None]) -> Ended:
        """Writes what the job prints until it is over, through times in which the cluster does not answer."""
        shown = 0

        async def tail() -> None:
            nonlocal shown
            place = 0  # every connection hears all from the start
            async for text in self.client.tail_job_logs(job):
                write(text[max(0, shown - place) :])
                place += len(text)
                shown = max(shown, place)

        while True:
            with suppress(*UNREACHABLE):
                asyncio.run(tail())
            details = {it.submission_id: it for it in self.all_jobs(tell)}.get(job)
            if details is None or details.status.is_terminal():
                return _ended(details)
            time.sleep(PATIENCE_SECONDS)

    def all_jobs(self, tell: Callable[[str], None]) -> list[JobDetails]:
        """Those of a cluster that may need a while to answer."""
        told = False
        while True:
            try:
                return list(self.client.list_jobs())
            except UNREACHABLE:
                if not told:
                    tell(f"{self.url} does not answer: waiting")
                told = True
                time.sleep(PATIENCE_SECONDS)


def _ended(details: JobDetails | None) -> Ended:
    """None: a head that began after the job did does not know it; the job died with its own."""
    if details is None:
        return Ended(1)
    if details.status == JobStatus.SUCCEEDED:
        return Ended(0)
    code = details.driver_exit_code or 1
    return Ended(code if code > 0 else 128 - code, is_stopped=details.status == JobStatus.STOPPED)
