"""Python imports this when a process of a fault run starts: its clock goes wrong by the seconds that a file says.

libfaketime would do it from outside, but breaks ``time.sleep`` of Python 3.11.
"""

import os
from pathlib import Path
from threading import Thread
from time import sleep, time


class WrongClock:
    """The clock of this process, which a thread sets as the file changes; time that is measured is not concerned."""

    def __init__(self, file: Path) -> None:
        self._file, self._wrong = file, 0.0
        self._travel = None

    def follow(self) -> None:
        Thread(target=self._follow, daemon=True, name="wrong-clock").start()

    def _follow(self) -> None:
        while True:
            wrong = float(self._file.read_text() or 0) if self._file.exists() else 0.0
            if wrong != self._wrong:
                self._set(wrong)
            sleep(0.2)

    def _set(self, wrong: float) -> None:
        from time_machine import travel

        if self._travel:
            self._travel.stop()
        self._travel = travel(time() + wrong) if wrong else None
        if self._travel:
            self._travel.start()
        self._wrong = wrong


if file := os.environ.get("FAULT_CLOCK"):
    clock = WrongClock(Path(file))
    clock.follow()
    os.register_at_fork(after_in_child=clock.follow)  # no thread survives a fork
