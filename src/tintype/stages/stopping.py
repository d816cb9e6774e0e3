"""A stage that is told to end: by Ctrl-C, by SIGTERM, or because the `dvc` that started it is gone.

Whichever it is, the main thread gets a `Stopped`, an interrupt like Python's own, so that files, runs and locks are
closed on its way up; at its end stand a sentence and the exit code that a shell gives a process ended by that signal.
Native code that does not return, or a store that does not answer, holds the process for `GRACE_SECONDS` at most.

Only the standard library is imported: a stage listens before its first import that takes time.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, NoReturn

GRACE_SECONDS = 8.0  # from the signal to the end, in any case
_LOOK_SECONDS = 1.0  # between two looks at the parent
_SHELLS = {"sh", "bash", "dash", "fish", "ksh", "zsh"}
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """The process is to end."""


_told: list[signal.Signals] = []  # the signal, once there was one
_orphaned = threading.Event()


def was_told() -> bool:
    """Whether this process is to end: whatever is raised from then on is a consequence."""
    return bool(_told)


def listen() -> None:
    """Let signals, and the end of the `dvc` that started this process, end it in an orderly way."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    # Python's handlers run between two steps of the main thread, which may be in native code for long; the byte that
    # is written here is seen at once.
    signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, _stop)
    sys.excepthook = _hook
    threading.Thread(target=_watch, args=(ours, theirs), name="stopping", daemon=True).start()


def _stop(number: int, frame: Any) -> None:
    if not _told:  # one is enough: another would break what the first one tidies up
        _told.append(signal.Signals(number))
        raise Stopped


def _hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if _told or isinstance(error, KeyboardInterrupt):
        end()
    sys.__excepthook__(kind, error, trace)


def _watch(ours: socket.socket, theirs: socket.socket) -> None:
    """Look at signals and at the parent, for as long as the process lives. `ours` is kept open."""
    started_by = _parents()
    while True:
        if select.select([theirs], [], [], _LOOK_SECONDS)[0]:
            number = theirs.recv(1)[0]
            if number in _SIGNALS:
                break
        elif started_by and _parents() != started_by:
            _orphaned.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    end(number)


def _parents() -> tuple[int, ...]:
    """Of a stage that `dvc` started, `dvc`'s process number, behind that of a shell if there is one between; else none.

    A stage that a person started goes on without its terminal, as `nohup` has it.
    """
    if "DVC_STAGE" not in os.environ or not hasattr(signal, "pthread_kill"):
        return ()
    import psutil

    parent = os.getppid()
    try:
        shell = psutil.Process(parent)
        return (parent, shell.ppid()) if shell.name() in _SHELLS else (parent,)
    except psutil.Error:
        return (parent,)


def end(number: int | None = None) -> NoReturn:
    """Say why, take the processes along that work for this one, and end it, without waiting for threads."""
    from multiprocessing import active_children, util

    number = signal.Signals(number or (_told[0] if _told else signal.SIGINT))
    how = "Ctrl-C" if number == signal.SIGINT else number.name
    why = ": the `dvc` that started it is gone" if _orphaned.is_set() else f" by {how}"
    with suppress(OSError, ValueError):  # nobody may be there to read it
        sys.stderr.write(f"\nstopped{why}. What is finished is kept, and `dvc repro` goes on from there.\n")
        sys.stderr.flush()
        sys.stdout.flush()
    for child in active_children():
        child.kill()
    util._run_finalizers(0)  # type: ignore[attr-defined]  # of semaphores, or `multiprocessing` warns of them
    os._exit(128 + number)
