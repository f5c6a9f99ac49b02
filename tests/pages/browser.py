"""Chromium, and what it complains of."""
import contextlib
import os
import re

CHROMIUM = os.environ.get("PROXYXAI_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.proxyxai.test 127.0.0.1, MAP proxyxai.test 127.0.0.1",
]

WATCH = """
document.addEventListener('securitypolicyviolation', (event) => {
  window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
});
"""


class Faults:
    """Everything a page complained of, which must be nothing but what the test said it expects."""

    def __init__(self, page):
        self.page, self.found, self.expected, self.any = page, [], [], False
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.add(f"page error: {error}"))
        page.on("requestfailed", self.on_failed)
        page.expose_function("reportViolation", lambda text: self.add(f"policy violated: {text}"))
        page.add_init_script(WATCH)

    def on_console(self, message):
        if message.type == "error":
            self.add(f"console: {message.text} ({message.location.get('url', '')})")

    def on_failed(self, request):
        # What a page gives up itself, by leaving or by an abort signal, is no fault.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.add(f"request failed: {request.method} {request.url} {request.failure}")

    def add(self, text):
        self.found.append(text)

    def expect(self, *patterns):
        """From here on complaints that match any of the patterns are no fault; without a pattern, none but a policy's is."""
        self.expected += [re.compile(pattern) for pattern in patterns]
        self.any = self.any or not patterns

    def left(self):
        def is_expected(text):
            if any(pattern.search(text) for pattern in self.expected):
                return True
            return self.any and not re.search("policy violated|Content.Security.Policy|TrustedHTML", text, re.I)

        return [text for text in self.found if not is_expected(text)]


def options(width=1280, height=900, language="en-US", theme="light", **more):
    """Options of a browser context; a narrow one is a phone's."""
    phone = width < 600
    return {"viewport": {"width": width, "height": height}, "locale": language, "color_scheme": theme,
            "is_mobile": phone, "has_touch": phone, "device_scale_factor": 2 if phone else 1,
            "ignore_https_errors": True, "accept_downloads": True, **more}


class Pages:
    """Opens pages that are watched; at the end they must have complained of nothing."""

    def __init__(self, browser):
        self.browser, self.contexts, self.faults = browser, [], []

    def open(self, **more):
        """A page in a context of its own: open(width=375, language='zh-CN', theme='dark')."""
        context = self.browser.new_context(**options(**more))
        context.set_default_timeout(10_000 * float(os.environ.get("PROXYXAI_SLOW", "4")))
        self.contexts.append(context)
        page = context.new_page()
        page.faults = Faults(page)
        page.expect_errors = page.faults.expect
        self.faults.append(page.faults)
        return page

    def close(self):
        left = [text for faults in self.faults for text in faults.left()]
        for context in self.contexts:
            with contextlib.suppress(Exception):
                context.close()
        assert not left, "the page complained:\n" + "\n".join(left)
