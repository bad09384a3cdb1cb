from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from tasks.core.programs.interrupt import deferred_interrupt


def test_ctrl_c_sets_the_event_and_raises_nothing() -> None:
    with deferred_interrupt() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()


def test_afterwards_ctrl_c_is_what_it_was_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_the_signal_alone() -> None:
    seen: list[bool] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with deferred_interrupt() as stop:
            seen.extend([signal.getsignal(signal.SIGINT) is before, stop.is_set()])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, False]


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    code = (
        "import os, signal\n"
        "from tasks.core.programs.interrupt import deferred_interrupt\n"
        "with deferred_interrupt() as stop:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print(stop.is_set(), signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = subprocess.run([sys.executable, "-c", code], preexec_fn=ignore, capture_output=True, text=True, check=False)
    assert done.stdout == "False True\n", done.stderr
