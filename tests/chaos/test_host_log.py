"""Nobody takes the log: its reader stands still or is gone, or its disk is full. Service does not depend on it, nor does the end."""
import signal

import pytest

from crowd import Crowd, make_customers
from piped_gateway import PipedGateway
from processes import SLOW, Gateway, wait_for
from small_disk import SmallDisk, mounts


def test_a_reader_that_stands_still_and_goes_on(start, mock, calm, seed):
    gateway = start(PipedGateway, LOG_LEVEL="debug")
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        gateway.stand_still()
        for _ in range(10):
            gateway.process.send_signal(signal.SIGHUP)
            crowd.wait_for_answers(10)
        before.served_at_once()
        gateway.go_on()
        crowd.wait_for_answers()
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)
    # Lines that waited are there, whole.
    last = crowd.journal.answers[-1].request_id
    wait_for(lambda: last in gateway.text(), 20 * SLOW, "the last line")
    before.require_end(answers=crowd.journal.answers)


def test_a_reader_that_goes_away(start, mock, calm, seed):
    gateway = start(PipedGateway)
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        gateway.go_away()
        for _ in range(3):
            gateway.process.send_signal(signal.SIGHUP)
            crowd.wait_for_answers(20)
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)


def test_a_daemon_whose_log_nobody_reads_ends_all_the_same(start, mock, calm, seed):
    """At SIGTERM it gives the reader a moment, and no more."""
    gateway = start(PipedGateway, DRAIN_TIMEOUT="2s")
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        gateway.stand_still()
        # More than the pipe takes, of either kind of line.
        crowd.wait_for_answers(40)
        for _ in range(40):
            gateway.process.send_signal(signal.SIGHUP)
            gateway.operations("/healthz")
    try:
        gateway.process.send_signal(signal.SIGTERM)
        wait_for(lambda: gateway.process.poll() is not None, 6 * SLOW, "its end")
    finally:
        gateway.go_on()
        gateway.process.wait(20 * SLOW)
    before.require_end(answers=crowd.journal.answers)


class LoggingGateway(Gateway):
    """Its log is on a disk of its own."""

    def __init__(self, directory, *rest, disk, **more):
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / "gateway.log"
        log.symlink_to(disk.place / "gateway.log")
        super().__init__(directory, *rest, **more)


@mounts
def test_a_full_disk_for_the_log(tmp_path, start, mock, calm, seed):
    with SmallDisk(tmp_path) as disk:
        gateway = start(LoggingGateway, disk=disk)
        customers = make_customers(gateway)
        before = calm(gateway)
        with Crowd(gateway, seed, customers) as crowd:
            disk.fill()
            for _ in range(3):
                gateway.process.send_signal(signal.SIGHUP)
                crowd.wait_for_answers(20)
            size = len(gateway.text())
            disk.free()
            crowd.wait_for_answers()
            wait_for(lambda: len(gateway.text()) > size, 20 * SLOW, "the log to go on")
        assert not crowd.journal.refused, crowd.codes()
        before.require_calm(answers=crowd.journal.answers)
        before.require_end(answers=crowd.journal.answers)
        # For the fixture, which looks at it once more.
        (gateway.directory / "gateway.log").unlink()
        (gateway.directory / "gateway.log").touch()
