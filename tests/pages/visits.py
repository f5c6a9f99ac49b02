"""The pages as a visitor goes through them: where each is, how to come in, which views it has; and data that is hard to show."""
import re
import time

from playwright.sync_api import expect

from web import PAGES

# Names that try to be markup, that turn the text around, that never end.
MARKUP = "<img src=x onerror=alert(1)><b>Bold</b> &amp; \"quoted\" '"
TURNING = "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"
ENDLESS = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


class Visit:
    """One page: `host` by name, `directory` in pages/, and how to come in with a key."""

    def __init__(self, host, directory, field=None, inside=None, views=()):
        self.host, self.directory, self.field, self.inside, self.views = host, directory, field, inside, views

    def come(self, site, page, path="/"):
        page.goto(site.url(self.host, path))
        settle(page)

    def enter(self, page, key):
        """Signs in, or adds the key: there is one field for it, and Enter or the form's button."""
        field = page.locator(self.field)
        field.fill(key)
        field.evaluate("(field) => field.form.requestSubmit()")
        expect(page.locator(self.inside)).to_be_visible()
        settle(page)

    def go(self, page, view):
        if view:
            page.evaluate("(view) => { location.hash = view; }", view)
            if self is USER:
                # Its part is loaded when first wanted, takes the focus when it shows, and is quiet until then.
                expect(page.locator(f"#view-{view.split('-')[0]}")).to_be_visible()
            settle(page)

    def each_view(self, page, account=None):
        """Goes to one view after the other, those of the account `account` among them."""
        for view in self.views or ("",):
            if "{id}" in view:
                if account is None:
                    continue
                view = view.format(id=account.id)
            self.go(page, view)
            if self is USER and view == "list" and page.locator("#load").is_visible():
                # The list costs a fee, and so is asked for.
                page.locator("#load").click()
                settle(page)
            yield view or "start"


BILLING = Visit("usage", "billing", "#pasted", "#detail")
USER = Visit("sub", "user", "#key", "#home", ("list", "create", "bulk", "self", "account-{id}"))
ADMIN = Visit("admin", "admin", "#root-key", "#console", ("live", "pool", "load", "spend", "prices", "mapping"))
DOCS = Visit("", "docs")
TOOLS = [BILLING, USER, ADMIN]


def settle(page, seconds=20):
    """Until nothing is busy and the page has stopped changing."""
    look = """() => [document.querySelectorAll('[aria-busy=true]').length === 0 && document.readyState === 'complete',
                     document.documentElement.outerHTML.length, document.body?.innerText.length]"""
    end, last, same = time.monotonic() + seconds, None, 0
    while time.monotonic() < end:
        now = page.evaluate(look)
        same = same + 1 if now[0] and now == last else 0
        if same >= 4:
            return
        last = now
        page.wait_for_timeout(40)
    raise AssertionError(f"the page did not come to rest: {last}")


def fill_books(site):
    """A family of accounts with names that are hard to show, and requests of theirs; gives the parent and its children."""
    parent = site.make_child(1000, "parent", Alias=TURNING)
    children = [site.make_child(10 + index, by=parent, Alias=alias) for index, alias in
                enumerate([MARKUP, TURNING, ENDLESS[:120], "", "普通的名字", "Bob"])]
    for account in (parent, children[0], children[4]):
        for model in ("gpt-4o", "gpt-4o-mini", "text-" + "long-" * 12 + "name"):
            site.gateway.chat(key=account.key, model=model)
    site.gateway.call("POST", "/x-keys", {"SecretKey": "sk-upstream-key-named-001", "Name": MARKUP})
    site.gateway.call("POST", "/x-keys", {"SecretKey": "sk-upstream-key-named-002", "Name": ENDLESS[:100], "Status": False})
    return parent, children


def html_files(directory):
    return [path for path in (PAGES / directory).rglob("*.html")]


def sources(directory):
    """Every file of a page, the shared ones too, by its path inside."""
    top = PAGES / directory
    return {str(path.relative_to(top)): path for path in [*top.rglob("*"), *(top / "shared").glob("*")]
            if path.is_file() and re.search(r"\.(html|js|css)$", path.name)}
