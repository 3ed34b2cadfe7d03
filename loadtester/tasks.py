"""What becomes of a `POST /`: understood, permitted, run, and answered with Flagger's statuses."""

from collections.abc import Callable

from loadtester import payload, report
from loadtester.command import permit, understood
from loadtester.payload import Kind
from loadtester.programs import Programs
from loadtester.runner import Runner

Answer = tuple[int, str]


class Tasks:
    """`shell`: whether tasks of type `bash` are run, which are not bound to the list of programs."""

    def __init__(self, programs: Programs, runner: Runner, *, shell: bool = False) -> None:
        self._programs, self._runner, self._shell = programs, runner, shell

    def answer(self, body: bytes, gone: Callable[[], bool]) -> Answer:
        """Status and words. Raises the errors that stand for another status, and HungUp once `gone` says so."""
        task = payload.task(body)
        pipeline = understood(task, shell=self._shell)
        if task.kind is not Kind.BASH:
            permit(pipeline, self._programs.names)
        paths = self._programs.paths(pipeline)
        if task.kind.waits:
            ending = self._runner.verdict(task, pipeline, paths, gone)
            return 500 if ending.failed else 200, report.answer(task, report.names(pipeline), ending)
        started = self._runner.start(task, pipeline, paths)
        return 202, "started" if started else "the same command runs already"
