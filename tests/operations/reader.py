"""Somebody who follows docs/operations.md on a machine of their own."""
import os
import re
import subprocess
import uuid

from processes import BUILD, SLOW


class Reader:
    """Somebody who types what the document says, beside a gateway."""

    def __init__(self, gateway, directory):
        self.gateway, self.directory = gateway, directory
        self.variables = {"ROOT_KEY": gateway.root}
        (directory / "keys.txt").write_text(f"sk-upstream-{uuid.uuid4().hex}\nsk-upstream-{uuid.uuid4().hex}\n")
        (directory / ".curlrc").write_text("fail-with-body\nshow-error\nmax-time = 60\n")

    def environment(self, **more):
        settings = {name: value for name, value in self.gateway.environment.items() if name not in ("INIT_USERS", "PATH", "HOME")}
        settings["ADMIN_LISTEN"] = f"127.0.0.1:{self.gateway.admin_port}"
        return {"PATH": f"{BUILD.resolve()}:{os.environ['PATH']}", "HOME": str(self.directory), **settings, **self.variables, **more}

    def type(self, text, code=0, **more):
        text = text.replace("http://localhost:3443", f"http://127.0.0.1:{self.gateway.port}")
        text = text.replace("http://127.0.0.1:3444", f"http://127.0.0.1:{self.gateway.admin_port}")
        text = re.sub(r'"sk-\.\.\."', lambda _: f'"sk-upstream-{uuid.uuid4().hex}"', text)
        done = subprocess.run(["bash", "-euc", text], env=self.environment(**more), cwd=self.directory, capture_output=True, text=True, timeout=120 * SLOW)
        assert done.returncode == code, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout
