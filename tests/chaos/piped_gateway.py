"""A gateway whose log goes into a pipe, as under journald or Docker: the reader can stop reading, go on, and go away."""
import fcntl
import os
import select
import subprocess
import threading

from processes import Gateway, Process


class PipedProcess(Process):
    def __init__(self, command, environment, log):
        self.log_path = log
        self.out = open(log, "wb")
        self.pipe, writing = os.pipe()
        # The least there is, which is soon full.
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(command, env=environment, stdout=writing, stderr=writing)
        os.close(writing)
        self.reads, self.is_over = threading.Event(), threading.Event()
        self.reads.set()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while not self.is_over.is_set():
            self.reads.wait()
            if select.select([self.pipe], [], [], 0.05)[0] and self.reads.is_set():
                piece = os.read(self.pipe, 65536)
                if not piece:
                    return
                self.out.write(piece)
                self.out.flush()

    def stand_still(self):
        self.reads.clear()

    def go_on(self):
        self.reads.set()

    def go_away(self):
        self.is_over.set()
        self.go_on()
        self.reader.join()
        os.close(self.pipe)
        self.pipe = None

    def stop(self, *rest, **more):
        code = super().stop(*rest, **more)
        if self.pipe is not None:
            self.go_away()
        return code


class PipedGateway(Gateway, PipedProcess):
    pass
