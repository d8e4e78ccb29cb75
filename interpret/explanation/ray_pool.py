"""Ray's workers, asked by hand: a few tasks each at a time, and again where a worker died.

Actors, and neither Ray Data nor its pool of actors: a task is one deterministic piece of work whose worker needs a
network that takes seconds to load, and this process decides what is asked for next and what is asked for again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import nn

from interpret.errors import InputError
from interpret.explanation.sent_networks import code_goes_along

Task = TypeVar("Task")

AHEAD = 2
"""Tasks that each worker was asked for and has not given yet (count): it begins the next one at once."""

TRIES = 3
"""How often a task is asked for whose worker died (count)."""


@dataclass(frozen=True)
class RayOptions:
    """Where Ray's workers are, how many, and what is sent to them.

    Attributes:
        address: of a running cluster, as ``ray.init`` takes it; a cluster on this machine is started if empty.
        workers: how many (count); if None, one for each GPU, or one for every few processors.
        ship: whether the bytes of the photos are sent with each shard, and the loaded network to each worker, so that
            workers read nothing from a path.
    """

    address: str = ""
    workers: int | None = None
    ship: bool = False


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The module ``ray``, with a cluster behind it: the one that is there already, or one that ends with the block.

    Raises:
        InputError: Ray is not installed or not reached.
    """
    try:
        import ray
    except ImportError:
        raise InputError("--ray needs Ray, which is not installed; run `pip install ray`.") from None
    began = not ray.is_initialized()
    if began:
        _join(ray, address)
    try:
        yield ray
    finally:
        if began:
            ray.shutdown()


def resources(ray: Any) -> tuple[int, int]:
    """Processors and GPUs of the cluster (count)."""
    there = ray.cluster_resources()
    return int(there.get("CPU", 1)), int(there.get("GPU", 0))


def _join(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(include_dashboard=False, **quiet)
    except Exception as error:  # of many kinds, by version
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        where = f"at {address}" if address else "on this machine"
        raise InputError(f"Ray cannot be reached {where} ({said}).") from None


def put(ray: Any, holder: Any, network: nn.Module, advice: str) -> Any:
    """Something that holds a network, where workers find it: with its code, as far as that is installed nowhere.

    Args:
        ray: from :func:`connected`.
        holder: what is put.
        network: the network in it.
        advice: what to do where it cannot be sent.

    Raises:
        InputError: the network holds something that cannot be sent.
    """
    try:
        with code_goes_along(ray.cloudpickle, network):
            return ray.put(holder)
    except Exception as error:  # of many kinds, by what the network holds
        said = (str(error).strip().splitlines() or ["no message"])[0][:160].rstrip(".")
        raise InputError(f"The network cannot be sent to workers ({type(error).__name__}: {said}); {advice}.") from None


class Pool(Generic[Task]):
    """The workers, and what each of them was asked for."""

    def __init__(
        self,
        ray: Any,
        count: int,
        make: Callable[[], Any],
        ask: Callable[[Any, Task], Any],
        named: Callable[[Task], str],
    ) -> None:
        """Start the workers.

        Args:
            ray: from :func:`connected`.
            count: of workers.
            make: starts one.
            ask: asks a worker for a task, and gives Ray's reference of the result.
            named: a task in words.
        """
        self._ray, self._make, self._ask, self._named = ray, make, ask, named
        self._workers = [make() for _ in range(count)]

    def __len__(self) -> int:
        return len(self._workers)

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """Every task with its result, in the order in which they come; tasks are taken when there is room for them.

        Raises:
            InputError: a worker raised an error, or a task's workers died :data:`TRIES` times.
        """
        waiting, again = enumerate(tasks), deque[tuple[int, Task]]()
        asked: dict[Any, tuple[Any, tuple[int, Task]]] = {}
        tries: dict[int, int] = {}

        def fill(worker: Any) -> None:
            while sum(each is worker for each, _ in asked.values()) < AHEAD:
                job = again.popleft() if again else next(waiting, None)
                if job is None:
                    return
                tries[job[0]] = tries.get(job[0], 0) + 1
                asked[self._ask(worker, job[1])] = (worker, job)

        for worker in self._workers:
            fill(worker)
        while asked:
            (done, *_), _ = self._ray.wait(list(asked))
            worker, job = asked.pop(done)
            try:
                result = self._ray.get(done)
            except self._ray.exceptions.RayActorError as error:
                lost = [job, *(held for each, held in asked.values() if each is worker)]
                asked = {reference: (each, held) for reference, (each, held) in asked.items() if each is not worker}
                for number, _ in lost[1:]:
                    tries[number] -= 1  # it waited behind the first, and may be innocent
                if tries[job[0]] >= TRIES:
                    raise self._died(job[1], error) from None
                again.extendleft(reversed(lost))
                self._workers[self._workers.index(worker)] = self._make()
                for each in self._workers:  # others may have run out of tasks
                    fill(each)
                continue
            except self._ray.exceptions.RayTaskError as error:
                cause = error.cause if isinstance(error.cause, Exception) else error
                if isinstance(cause, InputError):
                    raise cause from None
                said = f"{type(cause).__name__}: {cause}"
                raise InputError(f"A worker failed at {self._named(job[1])}: {said}.") from None
            yield job[1], result
            fill(worker)

    def _died(self, task: Task, error: Exception) -> InputError:
        said = (str(error).strip().splitlines() or ["no message"])[0][:200].rstrip(".")
        return InputError(f"Workers died {TRIES} times at {self._named(task)} ({said}).")
