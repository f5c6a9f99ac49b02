"""The README against the program: every setting real, every real setting in it, its commands as they stand."""
import json
import pathlib
import re
import subprocess

from processes import BUILD

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def readme():
    return (ROOT / "README.md").read_text()


def test_settings_table_is_that_of_the_program():
    told = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|–) \|", readme(), re.M)
    shown = subprocess.run([str(BUILD / "proxyxai"), "config"], env={}, capture_output=True, text=True, cwd="/").stdout
    real = [tuple(line.split()[:2]) for line in shown.splitlines()]
    assert [(name, value or "-") for name, value in told] == real


def test_curl_lines_work_as_they_stand(start, mock):
    gateway = start(keys=[])
    lines = re.findall(r"^curl .*?[^\\]$", readme(), re.M | re.S)
    assert len(lines) == 3
    gateway.call("POST", "/x-users", {"Name": "alice", "Email": "alice@example.com", "CreditGranted": 5})
    answers = []
    for line in lines:
        line = line.replace("localhost:3443", f"127.0.0.1:{gateway.port}").replace('"sk-..."', '"sk-upstream-key-of-the-readme"')
        done = subprocess.run(["bash", "-c", line.replace("curl ", "curl -sS --fail ")], env={"ROOT_KEY": gateway.root, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    assert '"Action":"add"' in answers[0]
    assert answers[1].endswith("data: [DONE]\n\n")
    assert json.loads(answers[2])["User"]["Updates"]["CreditGranted"] == 15


def test_python_example_works_as_it_stands(gateway):
    code = re.search(r"```python\n(.*?)```", readme(), re.S)[1]
    code = code.replace("http://localhost:3443/v1", gateway.base_url).replace("sk-Xvs...", gateway.root)
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})  # noqa: S102 - the README's own text
    assert out.getvalue().startswith("word0")


def test_every_metric_has_a_help_line(gateway):
    gateway.chat()
    text = gateway.operations("/metrics")[2].decode()
    helped = set(re.findall(r"^# HELP (\S+) \S", text, re.M))
    names = {re.sub(r"_(bucket|sum|count)$", "", n) if re.sub(r"_(bucket|sum|count)$", "", n) in helped else n for n in re.findall(r"^([a-z_]+)[{ ]", text, re.M)}
    assert names == helped
