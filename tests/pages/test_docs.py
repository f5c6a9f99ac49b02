"""The documentation site: whole in both languages, right in its links, quiet under its policy, true in its commands."""
import functools
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import uuid

import pytest
from processes import BUILD, Gateway, wait_for
from web import PAGES, REPOSITORY

SITE = PAGES / "docs"
SOURCES = REPOSITORY / "docs" / "site" / "content"
LANGUAGES = ("en", "zh")
NAMES = sorted(path.stem for path in (SITE / "en").glob("*.html"))
EVERY = [f"{language}/{name}.html" for language in LANGUAGES for name in NAMES]
PLAIN = ["index.html", "404.html"]
AXE = pathlib.Path(os.environ.get("PROXYXAI_PAGES_NODE", REPOSITORY / "build" / "pages-node")) / "node_modules" / "axe-core" / "axe.min.js"
ATTRIBUTION = '<a href="https://proxyxai.com">proxyxai.com 提供基础支撑</a>'


class Document(html.parser.HTMLParser):
    """What the tests ask of a page: its language, anchors, links, headings, and whatever a strict policy would refuse."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.headings, self.inline, self.attributes = [], [], [], [], {}
        self.open = []
        self.text = (SITE / path).read_text()
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.attributes.setdefault(tag, []).append(attributes)
        self.anchors += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag in ("h1", "h2", "h3", "h4") and "id" in attributes:
            self.headings.append((tag, attributes["id"]))
        self.inline += [f"{tag} {name}" for name in attributes if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in attributes) else []


@functools.cache
def document(path):
    return Document(path)


def targets(path):
    """The files and anchors within the site that a page links to."""
    for link in document(path).links:
        if re.match(r"https?://", link):
            continue
        file, _, anchor = link.partition("#")
        base = pathlib.PurePosixPath("/") / path
        target = os.path.normpath(base.parent / file) if file else str(base)
        yield target.lstrip("/"), anchor, link


def test_site_has_the_same_pages_in_both_languages():
    assert NAMES == sorted(path.stem for path in (SITE / "zh").glob("*.html"))
    assert {"index", "start", "deploy", "sdk", "apps", "api", "faq", "changelog"} <= set(NAMES)
    for name in NAMES:
        english, chinese = (document(f"{language}/{name}.html") for language in LANGUAGES)
        assert english.headings == chinese.headings, name
        assert english.attributes["html"][0]["lang"] == "en" and chinese.attributes["html"][0]["lang"] == "zh-CN"
        # Prose is in the language of its page: Chinese ones are Chinese, English ones have none but what names things.
        assert len(re.findall(r"[\u4e00-\u9fff]", chinese.text)) > 400, name
        assert len(re.findall(r"[\u4e00-\u9fff]", english.text)) < 40, name


def test_every_page_is_reached_by_links():
    reached, waiting = set(), ["index.html"]
    while waiting:
        path = waiting.pop()
        if path in reached or not path.endswith(".html"):
            continue
        reached.add(path)
        waiting += [target for target, _, _ in targets(path)]
    assert reached == {*EVERY, "index.html"}


@pytest.mark.parametrize("path", EVERY + PLAIN)
def test_links_lead_to_what_is_there(path):
    for target, anchor, link in targets(path):
        assert (SITE / target).is_file(), link
        assert not anchor or anchor in document(target).anchors, link


@pytest.mark.parametrize("path", EVERY + PLAIN)
def test_page_has_attribution_and_nothing_inline(path):
    page = document(path)
    assert page.text.count(ATTRIBUTION) == 1 and page.text.index("<footer") < page.text.index(ATTRIBUTION)
    assert page.inline == []
    assert len(page.anchors) == len(set(page.anchors))
    assert len(page.attributes["h1"]) == 1


def test_site_stands_alone():
    files = [path for path in SITE.rglob("*") if not path.is_dir()]
    assert files and not any(path.is_symlink() for path in files)
    assert all("proxyxai.com" in link or not re.match(r"(https?:)?//", link) for path in EVERY for link in document(path).links)
    assert "MIT licence" in (SITE / "assets/minisearch.js").read_text().splitlines()[0]
    assert "Permission is hereby granted" in (SITE / "assets/minisearch.LICENSE.txt").read_text()


def test_site_is_what_its_sources_give():
    done = subprocess.run(["./scripts/docs", "--check"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_api_page_is_all_of_the_api_document():
    for language, source in zip(LANGUAGES, ("api.md", "api.zh-CN.md")):
        words = re.sub(r"<[^>]+>", "", document(f"{language}/api.html").text)
        for heading in re.findall(r"^## (.+)$", (REPOSITORY / "docs" / source).read_text(), re.M):
            assert heading in words
        assert words.count("curl -s") == (REPOSITORY / "docs" / source).read_text().count("curl -s")


# In a browser.


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", (320, 375, 768, 1280, 1920))
def test_pages_are_quiet_and_fit(site, pages, language, width):
    page = pages.open(width=width)
    for name in NAMES:
        page.goto(site.url("docs", f"/{language}/{name}.html"))
        # The script has run.
        page.wait_for_selector("#search-open:visible")
        assert overflow(page) <= 0, name
        # Code and tables that scroll within their box can be reached with the keyboard.
        page.wait_for_function("""() => [...document.querySelectorAll('.code pre, .table-box')]
            .every((box) => (box.scrollWidth > box.clientWidth) === (box.tabIndex === 0))""")


# Conditions are functions: a bare expression would be evaluated from a string, which the policy of the pages forbids.


def search(page, words):
    """Types words into the search and tells what it finds."""
    page.keyboard.press("/")
    page.fill("#search-words", words)
    page.wait_for_function("words => document.getElementById('search-words').value === words && /\\d|Nothing|没有/.test(document.getElementById('search-status').textContent)", arg=words)
    return page.locator("#search-results a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")


@pytest.mark.parametrize("language, words, wanted", [
    ("en", "idempotency", "api.html#once-and-only-once"),
    ("en", "lost root key", "operations.html#the-root-key-is-lost"),
    ("en", "CreditGranted", "api.html#changing"),
    ("en", "no_upstream_available", "compatibility.html#errors"),
    ("en", "upstream_available", "compatibility.html#errors"),
    ("en", "RESTOR", "operations.html#backup-and-restore"),
    ("en", "cherry studo", "apps.html#cherry-studio"),
    ("zh", "余额", "accounts.html#balance-and-cards"),
    ("zh", "更换密钥", "api.html#new-keys"),
    ("zh", "流", "compatibility.html#what-differs"),
    ("zh", "备份 恢复", "operations.html#backup-and-restore"),
    ("zh", "OpenAI的密钥丢了", "faq.html#i-lost-my-key-what-now"),
    ("zh", "HOLD_CAP", "settings.html#money"),
])
def test_search_finds(site, page, language, words, wanted):
    page.goto(site.url("docs", f"/{language}/index.html"))
    assert wanted in search(page, words)


def test_search_with_the_keyboard(site, page):
    page.goto(site.url("docs", "/en/start.html"))
    found = search(page, "idempotency")
    assert page.locator("mark").first.text_content().lower().startswith("idempotency")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == found[0]
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "search-words"
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/" + found[0])
    # On a page that has the result itself, the dialog must not stay in front of it.
    found = search(page, "idempotency")
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.getElementById('search').open")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#search-words:focus")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('search').open")


def test_search_without_anything_found(site, pages):
    page = pages.open(language="zh-CN")
    page.goto(site.url("docs", "/zh/index.html"))
    assert search(page, "zzqqxx") == [] and "没有找到" in page.text_content("#search-status")
    # Whatever is typed is text.
    assert search(page, '<img src=x onerror="document.title=1">') is not None
    assert page.locator("#search img").count() == 0


def test_search_says_when_its_index_is_away(site, page):
    page.expect_errors("search-en", "Failed to load resource")
    page.goto(site.url("docs", "/en/index.html"))
    page.route("**/search-en.json", lambda route: route.abort())
    page.keyboard.press("/")
    page.fill("#search-words", "key")
    page.wait_for_function("() => document.getElementById('search-status').textContent.includes('could not be loaded')")
    page.unroute("**/search-en.json")
    assert search(page, "keys")


@pytest.mark.parametrize("name", NAMES)
def test_language_switch_keeps_the_page(site, page, name):
    page.goto(site.url("docs", f"/en/{name}.html"))
    heading = document(f"en/{name}.html").headings[-1][1]
    page.evaluate("anchor => { location.hash = anchor; }", heading)
    page.click("#language")
    page.wait_for_url(f"**/zh/{name}.html#{heading}")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.click("#language")
    page.wait_for_url(f"**/en/{name}.html#{heading}")


def test_root_leads_to_the_language(site, pages):
    for browser_language, language in (("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("de-DE", "en")):
        page = pages.open(language=browser_language)
        page.goto(site.url("", "/"))
        page.wait_for_url(f"**/{language}/index.html")
        other = {"en": "zh", "zh": "en"}[language]
        page.click("#language")
        page.wait_for_url(f"**/{other}/index.html")
        page.goto(site.url("", "/"))
        page.wait_for_url(f"**/{other}/index.html")


def test_theme_is_remembered(site, pages):
    page = pages.open(theme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto(site.url("docs", "/en/index.html"))
    light = page.evaluate(background)
    page.select_option("#theme", "dark")
    dark = page.evaluate(background)
    page.click(".side >> text=Settings")
    assert light != dark and page.evaluate(background) == dark and page.input_value("#theme") == "dark"
    page.select_option("#theme", "system")
    page.reload()
    assert page.evaluate(background) == light


@pytest.mark.parametrize("secure", (False, True))
def test_code_is_copied(site, pages, secure):
    page = pages.open(permissions=["clipboard-read", "clipboard-write"] if secure else [])
    page.goto(site.url("docs", "/en/start.html", secure=secure))
    block = page.locator(".code").first
    block.hover()
    block.locator(".copy").click()
    wait_for(lambda: block.locator(".copy").text_content() == "Copied", what="the copy")
    page.keyboard.press("/")
    page.keyboard.press("Control+v")
    assert page.input_value("#search-words").strip() == "./scripts/run --demo"


def test_contents_follow_the_reader(site, page):
    page.goto(site.url("docs", "/en/api.html#deleting"))
    page.wait_for_function("() => document.querySelector('aside.contents [aria-current]')?.hash === '#deleting'")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("() => document.querySelector('aside.contents [aria-current]') === null || document.querySelector('aside.contents [aria-current]').hash === '#a-new-account'")


def test_pages_are_read_without_script(site, pages):
    page = pages.open(java_script_enabled=False)
    page.goto(site.url("", "/"))
    page.click("text=中文文档")
    assert page.locator("h1").text_content().startswith("ProxyXAI")
    assert not page.locator("#search-open").is_visible() and not page.locator("#theme").is_visible()
    page.click(".side a:text-is('部署')")
    assert page.url.endswith("/zh/deploy.html")
    page.click("#language")
    assert page.url.endswith("/en/deploy.html")
    page.click("a[rel=next]")
    page.click("aside.contents >> text=Mail")
    assert page.url.endswith("/en/settings.html#mail")
    narrow = pages.open(width=375, java_script_enabled=False)
    narrow.goto(site.url("docs", "/en/start.html"))
    narrow.click("text=All pages")
    narrow.click("body > details a:text-is('Upstream keys')")
    assert narrow.url.endswith("/en/keys.html")


def test_first_key_press_leads_past_the_navigation(site, page):
    page.goto(site.url("docs", "/en/index.html"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'content'")


@pytest.mark.parametrize("theme", ("light", "dark"))
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_no_fault(site, pages, language, theme):
    if not AXE.is_file():
        pytest.skip(f"{AXE} is not there: npm install in tests/pages")
    page, faults = pages.open(theme=theme), {}

    def look(name):
        page.evaluate(AXE.read_text())
        for fault in page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]:
            faults.setdefault(name, []).append((fault["id"], fault["impact"], [node["html"][:120] for node in fault["nodes"][:3]]))

    for name in NAMES:
        page.goto(site.url("docs", f"/{language}/{name}.html"))
        page.wait_for_selector("#search-open:visible")
        # What scrolls is made reachable by keyboard when it has been laid out: with the frame after the script ran.
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        look(name)
    search(page, {"en": "balance", "zh": "余额"}[language])
    look("search")
    page.goto(site.url("docs", "/404.html"))
    look("404")
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)


@pytest.mark.figures
def test_first_paint_is_soon(site, pages):
    def first_paint():
        page = pages.open()
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(site.url("docs", "/en/start.html"))
        page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
        return page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    # The best of some: what else the machine does is no fault of the page's.
    assert min(first_paint() for _ in range(5)) < 1000


def test_pictures(site, pages, shot):
    for language in LANGUAGES:
        for theme in ("light", "dark"):
            for width in (1280, 375):
                page = pages.open(width=width, theme=theme)
                for name in ("index", "start", "keys", "faq"):
                    page.goto(site.url("docs", f"/{language}/{name}.html"))
                    page.wait_for_selector("#search-open:visible")
                    shot(page, f"docs-{name}-{language}-{theme}-{width}")
                search(page, {"en": "balance", "zh": "余额"}[language])
                page.wait_for_selector("#search-results a")
                shot(page, f"docs-search-{language}-{theme}-{width}")
    page = pages.open()
    page.goto(site.url("docs", "/404.html"))
    shot(page, "docs-404")


# The commands on the pages, against the daemon. A block says after its language that it is run: `sh run` in a shell, `sh cli` with the
# program itself, `sh ops` on the operator's port, `python run`, `js run`.


def blocks(path):
    """(line, language, how, text) of the blocks of a source that are run, and the JSON that is said to be the answer to each."""
    source = (SOURCES / path).read_text()
    found = list(re.finditer(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", source, re.M | re.S))
    for at, block in enumerate(found):
        if not block[2]:
            continue
        after = found[at + 1] if at + 1 < len(found) else None
        answer = after[3] if after and after[1] == "json" and source[block.end():after.start()].strip() == "" else None
        yield source.count("\n", 0, block.start()) + 1, block[1], block[2], block[3], answer


def with_commands(how):
    return [f"{language}/{name}.md" for language in LANGUAGES for name in NAMES
            if re.search(rf"^```{how}$", (SOURCES / f"{language}/{name}.md").read_text(), re.M)]


@pytest.fixture
def daemon(site, tmp_path):
    """A gateway without anything in it but one key."""
    gateway = Gateway(tmp_path / "gateway", site.mock)
    yield gateway
    gateway.end()


def fill_in(text, daemon):
    """What a reader fills in: the address, keys of their own, each a different one."""
    text = text.replace("http://localhost:3443", f"http://127.0.0.1:{daemon.port}").replace("http://127.0.0.1:3444", f"http://127.0.0.1:{daemon.admin_port}")
    return re.sub(r'"sk-\.\.\."', lambda _: f'"sk-upstream-{uuid.uuid4().hex}"', text)


def run(command, daemon, directory, **variables):
    environment = {"PATH": f"{BUILD.resolve()}:{os.environ['PATH']}", "HOME": str(directory), "DATA_DIR": daemon.environment["DATA_DIR"], **variables}
    done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("path", with_commands("sh (?:run|cli|ops)"))
def test_commands_work_as_they_stand(daemon, tmp_path, path):
    (tmp_path / "keys.txt").write_text("sk-upstream-key-of-a-file-1\nsk-upstream-key-of-a-file-2\n")
    (tmp_path / "speech.wav").write_bytes(bytes(range(256)) * 40)
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail-with-body\nmax-time = 60\n")
    keys = {"ROOT_KEY": daemon.root}
    if "start.md" not in path:
        keys["ALICE_KEY"] = daemon.make_child(50, name="alice").key
    count = 0
    for line, language, how, text, answer in blocks(path):
        if language != "sh":
            continue
        output = run(["bash", "-ec", fill_in(text, daemon)], daemon, tmp_path, **keys)
        count += 1
        if made := re.search(r'"SecretKey":"(sk-Xvs\w{45})"', output):
            keys["ALICE_KEY"] = made[1]
        if answer:
            assert json.loads(output) == json.loads(answer), f"{path}:{line}"
    assert count


@pytest.mark.parametrize("path", with_commands("python run"))
def test_python_examples_work_as_they_stand(daemon, tmp_path, path):
    alice = daemon.make_child(50).key
    outputs = [run([sys.executable, "-c", fill_in(text.replace("sk-Xvs...", alice), daemon)], daemon, tmp_path)
               for _, language, _, text, _ in blocks(path) if language == "python"]
    assert [output.split()[0] for output in outputs] == ["word0", "word0", "Hello", outputs[3].strip()]
    assert 49 < float(outputs[3]) < 50


@pytest.mark.parametrize("path", with_commands("js run"))
def test_node_examples_work_as_they_stand(daemon, tmp_path, path):
    packages = pathlib.Path(os.environ.get("PROXYXAI_NODE", REPOSITORY / "build" / "e2e-node")) / "node_modules"
    if not (packages / "openai").is_dir():
        pytest.skip(f"{packages} has no package openai; ./scripts/test installs it")
    (tmp_path / "node_modules").symlink_to(packages)
    alice = daemon.make_child(50).key
    for _, language, _, text, _ in blocks(path):
        if language == "js":
            (tmp_path / "example.mjs").write_text(fill_in(text.replace("sk-Xvs...", alice), daemon))
            assert run([shutil.which("node"), "example.mjs"], daemon, tmp_path).count("word0") == 2


def test_both_languages_run_the_same():
    for name in NAMES:
        english, chinese = ([block[1:] for block in blocks(f"{language}/{name}.md")] for language in LANGUAGES)
        assert english == chinese, name


