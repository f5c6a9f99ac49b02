"""What holds for every page: attribution, both languages, access for everybody, weight, speed, policy, phones, keyboard."""
import json
import os
import pathlib
import re
from html.parser import HTMLParser

import pytest

from processes import SLOW
from visits import ADMIN, DOCS, TOOLS, fill_books, html_files, settle, sources
from web import REPOSITORY

AXE = pathlib.Path(os.environ.get("PROXYXAI_PAGES_NODE", REPOSITORY / "build" / "pages-node")) / "node_modules" / "axe-core" / "axe.min.js"
ATTRIBUTION = "proxyxai.com 提供基础支撑"
WEIGHT = 100 * 1024

DOCUMENTS = ["/en/index.html", "/en/start.html", "/en/api.html", "/zh/index.html", "/zh/faq.html", "/zh/settings.html", "/404.html"]

every_page = pytest.mark.parametrize("visit", [*TOOLS, DOCS], ids=lambda visit: visit.directory)
every_tool = pytest.mark.parametrize("visit", TOOLS, ids=lambda visit: visit.directory)


@pytest.fixture(scope="module")
def books(site):
    """Accounts with requests, and one that has neither children nor requests."""
    parent, children = fill_books(site)
    return {"parent": parent, "children": children, "fresh": site.make_child(100, "fresh")}


def key_for(visit, site, books, filled):
    if visit is ADMIN:
        return site.root_key
    return (books["parent"] if filled else books["fresh"]).key


def inside(visit, site, books, page, filled=True):
    """Comes in, and goes through all views."""
    visit.come(site, page)
    yield "entrance"
    if visit is DOCS:
        for path in DOCUMENTS:
            visit.come(site, page, path)
            yield path
        return
    visit.enter(page, key_for(visit, site, books, filled))
    yield from visit.each_view(page, books["children"][0] if filled else None)


# The files as they are


class Footer(HTMLParser):
    """The links in the footer: {address: text}."""

    def __init__(self):
        super().__init__()
        self.in_footer, self.link, self.links = False, None, {}

    def handle_starttag(self, tag, attributes):
        if tag == "footer":
            self.in_footer = True
        elif tag == "a" and self.in_footer:
            self.link = dict(attributes).get("href")
            self.links[self.link] = ""

    def handle_data(self, data):
        if self.link:
            self.links[self.link] += data

    def handle_endtag(self, tag):
        if tag == "footer":
            self.in_footer = False
        elif tag == "a":
            self.link = None


@every_page
def test_attribution_is_in_the_footer_of_every_document(visit):
    documents = html_files(visit.directory)
    assert documents
    for path in documents:
        footer = Footer()
        footer.feed(path.read_text())
        assert footer.links.get("https://proxyxai.com") == ATTRIBUTION, f"{path}: {footer.links}"


@every_page
def test_attribution_is_seen_and_leads_there(visit, site, page):
    visit.come(site, page)
    link = page.locator("footer").get_by_role("link", name=ATTRIBUTION, exact=True)
    assert link.is_visible() and link.get_attribute("href") == "https://proxyxai.com"


@every_page
def test_sources_keep_to_the_policy(visit):
    """Nothing that makes markup of text, no script or style inside documents."""
    forbidden = {
        ".js": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser|srcdoc",
        ".html": r"\sstyle\s*=|\son\w+\s*=|<style\b|javascript:|<script(?![^>]*\bsrc=)",
        ".css": r"@import|url\(\s*['\"]?(?:https?:)?//",
    }
    for name, path in sources(visit.directory).items():
        text = path.read_text()
        if path.suffix == ".html":
            # What is shown as an example is no markup.
            text = re.sub(r"<(code|pre)\b.*?</\1>", "", text, flags=re.S)
        found = re.search(forbidden[path.suffix], text)
        assert not found, f"{visit.directory}/{name}: {found.group()}"
        assert not re.search(r"sk-Xvs[A-Za-z0-9]{45}", text), f"a key is in {name}"


# Weight and speed


def weigh(page, site, visit, size_of):
    """Collects {path: size} of what the page gets from its own host."""
    sizes = {}

    def add(request):
        if request.url.startswith(site.url(visit.host, "/")) and request.response().status == 200:
            sizes[request.url.split(site.url(visit.host, ""))[1]] = size_of(request)

    page.on("requestfinished", add)
    return sizes


@every_tool
def test_a_page_weighs_less_than_its_budget_when_it_is_opened(visit, site, books, page):
    bodies = weigh(page, site, visit, lambda request: len(request.response().body()))
    visit.come(site, page)
    visit.enter(page, key_for(visit, site, books, True))
    assert len(bodies) > 4 and sum(bodies.values()) < WEIGHT, (sum(bodies.values()), bodies)


@every_tool
def test_a_page_weighs_less_than_its_budget_with_all_of_its_views(visit, site, books, page):
    """As it is sent: the console and the page for sub-accounts fetch a view when it is opened, and few open them all."""
    sent = weigh(page, site, visit, lambda request: request.sizes()["responseBodySize"])
    for _ in inside(visit, site, books, page):
        pass
    assert len(sent) > 4 and 10_000 < sum(sent.values()) < WEIGHT, (sum(sent.values()), dict(sorted(sent.items(), key=lambda each: -each[1])))


@pytest.mark.figures
@every_page
def test_first_paint_within_a_second_on_a_slow_computer(visit, site, pages):
    def first_paint():
        page = pages.open()
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        visit.come(site, page)
        paints = page.evaluate("performance.getEntriesByType('paint').map((each) => [each.name, each.startTime])")
        assert {"first-paint", "first-contentful-paint"} <= {name for name, _ in paints}
        return max(time for _, time in paints)

    # The best of some: what else the machine does is no fault of the page's.
    times = [first_paint() for _ in range(5)]
    assert min(times) < 1000 * max(1, SLOW / 2), times


# Languages


def visible_text(page):
    return page.evaluate("document.body.innerText")


HAN = re.compile(r"[\u4e00-\u9fff]")


@every_tool
def test_both_languages_and_the_switch_remembers(visit, site, pages):
    for browser_language, first in [("zh-CN", "zh"), ("en-US", "en"), ("de-DE", "en")]:
        page = pages.open(language=browser_language)
        visit.come(site, page)
        assert page.evaluate("document.documentElement.lang").startswith(first)
        without = visible_text(page).replace(ATTRIBUTION, "").replace("中文", "").replace("简体中文", "")
        assert bool(HAN.search(without)) == (first == "zh"), without
    title = page.title()
    page.locator("#language").select_option("zh")
    settle(page)
    assert page.title() != title and HAN.search(page.title())
    page.reload()
    settle(page)
    assert page.evaluate("document.documentElement.lang").startswith("zh") and HAN.search(page.title())


@every_tool
def test_nothing_is_left_untranslated(visit, site, books, pages):
    """In Chinese every control and heading has Chinese in it, or stands for what is the same in both; in English none has."""
    same = re.compile(r"^(?:[\W\d\s]*|.*\b(?:RPM|RPH|RPD|TPM|TPH|TPD|USD|API|CSV|IP|URL|ID|JSON|p50|p99|gpt|sk-|English|Chat)\b.*|https?:\S+|/\S+)$", re.S)
    look = """() => [...document.querySelectorAll('h1,h2,h3,h4,button,label,legend,th,summary,nav a,caption,[data-t],[aria-label],[placeholder]')]
      .filter((each) => each.checkVisibility() && !each.closest('bdi, [lang]:not(html), #language'))
      .flatMap((each) => [each.dataset.t ? each.textContent : each.innerText, each.getAttribute('aria-label'), each.getAttribute('placeholder')])
      .filter((text) => text && text.trim())"""
    page = pages.open(language="zh-CN")
    left = {}
    for view in inside(visit, site, books, page, filled=False):
        for text in page.evaluate(look):
            if not HAN.search(text) and not same.match(text) and "@" not in text and "fresh" not in text:
                left.setdefault(text.strip()[:60], view)
    page = pages.open(language="en-US")
    wrong = {}
    for view in inside(visit, site, books, page, filled=False):
        for text in page.evaluate(look):
            if HAN.search(text):
                wrong.setdefault(text.strip()[:60], view)
    print("not in Chinese:", left)
    assert not wrong, wrong
    raw = {text: view for text, view in left.items() if re.fullmatch(r"[a-z]+(?:[._][A-Za-z]+)+|[a-z]+[A-Z]\w*", text)}
    assert not raw, f"keys of texts instead of texts: {raw}"


# Access for everybody


def axe(page):
    page.evaluate(AXE.read_text() + "; undefined")
    result = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")
    return [f"{each['id']} ({each['impact']}): " + "; ".join(f"{node['target']} {node['failureSummary']}"[:300] for node in each["nodes"][:3])
            for each in result["violations"] if each["impact"] in ("serious", "critical")]


@every_page
@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_no_serious_fault(visit, site, books, pages, theme, filled, width):
    if visit is DOCS and not filled:
        pytest.skip("the documentation has no data")
    page = pages.open(theme=theme, width=width)
    found = {}
    for view in inside(visit, site, books, page, filled):
        if faults := axe(page):
            found[view] = faults
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


FOCUSABLE = """[...document.querySelectorAll('a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), '
  + 'textarea:not([disabled]), summary, [tabindex]')].filter((each) => each.tabIndex >= 0 && each.checkVisibility({visibilityProperty: true})
    && !(each.type === 'radio' && !each.checked && document.querySelector(`input[type=radio][name="${each.name}"]:checked`)))"""
STEP = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  if (window.last === each) return {same: true};  // a date has several places of its own
  window.last = each;
  const describe = `${each.tagName.toLowerCase()}#${each.id} ${(each.innerText || each.getAttribute('aria-label') || '').slice(0, 40)}`;
  const style = getComputedStyle(each);
  // In sight is what has a point of its own, or of its label, that nothing covers.
  const mine = (hit) => hit && (each.contains(hit) || [...(each.labels ?? [])].some((label) => label.contains(hit)));
  const points = [...each.getClientRects()].flatMap((box) => [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map(
    (y) => [box.left + x * box.width, box.top + y * box.height])));
  const again = window.visited.has(each);
  window.visited.add(each).add(each.innerText || each);
  return {
    describe, again, where: JSON.stringify(each.getBoundingClientRect()),
    shown: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none',
    seen: points.some(([x, y]) => mine(document.elementFromPoint(x, y))),
  };
}"""


@every_page
@pytest.mark.parametrize("width", [1280, 375])
def test_keyboard_reaches_every_control_and_shows_where_it_is(visit, site, books, pages, width):
    """At 375 px too: so is a wide screen that somebody has enlarged to read."""
    page, faults = pages.open(width=width), {}
    for view in inside(visit, site, books, page):
        page.evaluate("() => { window.visited = new Set(); window.last = null; document.activeElement?.blur(); getSelection().removeAllRanges(); }")
        page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); scrollTo(0, 0); }")
        count = page.evaluate(f"{FOCUSABLE}.length")
        positive = page.evaluate("[...document.querySelectorAll('[tabindex]')].filter((each) => each.tabIndex > 0).length")
        found = [f"{positive} with a tabindex over 0"] if positive else []
        for _ in range(2 * count + 20):
            page.keyboard.press("Tab")
            step = page.evaluate(STEP)
            if step and "same" in step:
                continue
            if step is None or step["again"]:
                break
            if not step["shown"]:
                found.append(f"focus is not shown: {step['describe']}")
            if not step["seen"]:
                found.append(f"focus is out of sight: {step['describe']} at {step['where']}")
        found += page.evaluate(f"""{FOCUSABLE}.filter((each) => !window.visited.has(each) && !(each.innerText && window.visited.has(each.innerText)))
            .map((each) => `not reached: ${{each.tagName.toLowerCase()}}#${{each.id}} ${{(each.innerText || '').slice(0, 40)}}`)""")
        if found:
            faults[view] = found[:10]
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)


@every_page
def test_structure_for_screen_readers(visit, site, books, page):
    for view in inside(visit, site, books, page):
        faults = page.evaluate("""() => {
          const shown = (each) => each.checkVisibility({visibilityProperty: true});
          const found = [];
          for (const [what, count] of [['main', 1], ['h1', 1], ['header', 1], ['footer', 1]]) {
            const there = [...document.querySelectorAll(what)].filter(shown).length;
            if (there < count || (what !== 'header' && what !== 'footer' && there > count)) found.push(`${there} ${what}`);
          }
          if (document.querySelector('nav, select') && !document.querySelector('a[href^="#"]')) found.push('no skip link');
          for (const table of document.querySelectorAll('table')) {
            if (!shown(table)) continue;
            if (!table.caption) found.push(`a table without caption: ${table.innerText.slice(0, 40)}`);
            for (const cell of table.querySelectorAll('th:not([scope])')) found.push(`th without scope: ${cell.innerText}`);
          }
          return found;
        }""")
        if visit is DOCS:
            faults = [each for each in faults if "caption" not in each and "scope" not in each]
        assert not faults, (view, faults)


# Widths


@every_page
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
def test_the_page_does_not_scroll_sideways(visit, site, books, pages, width, language):
    page = pages.open(width=width, language=language)
    faults = {}
    for view in inside(visit, site, books, page):
        wide = page.evaluate("""(width) => document.scrollingElement.scrollWidth <= width ? null : [document.scrollingElement.scrollWidth,
          ...[...document.body.querySelectorAll('*')].filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > width + 1)
            .map((each) => `${each.tagName.toLowerCase()}#${each.id}.${each.className} ${Math.round(each.getBoundingClientRect().right)}`).slice(0, 8)]""", width)
        if wide:
            faults[view] = wide
    assert not faults, json.dumps(faults, indent=1)


@every_tool
def test_controls_are_large_enough_for_fingers(visit, site, books, phone):
    faults = {}
    for view in inside(visit, site, books, phone):
        small = phone.evaluate("""() => [...document.querySelectorAll('button, select, input:not([type=checkbox]):not([type=radio]), textarea')]
          .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.closest('.visually-hidden, thead'))
          .filter((each) => { const box = each.getBoundingClientRect(); return box.height < 24 || box.width < 24; })
          .map((each) => `${each.tagName.toLowerCase()}#${each.id} ${each.innerText.slice(0, 30)}`).slice(0, 8)""")
        if small:
            faults[view] = small
    assert not faults, faults


# Hostile data, and keys


@every_tool
def test_data_is_never_markup_and_keys_are_never_in_addresses(visit, site, books, page):
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))
    for view in inside(visit, site, books, page):
        assert page.locator("img[src=x], main b:text-is('Bold')").count() == 0, view
        assert "sk-Xvs" not in page.url
    assert addresses and not [each for each in addresses if "sk-Xvs" in each]
    logs = site.nginx.access_log.read_text()
    assert site.root_key not in logs and books["parent"].key not in logs


@every_tool
def test_themes_follow_the_system_and_the_switch_remembers(visit, site, pages):
    page = pages.open(theme="dark")
    visit.come(site, page)

    def is_dark():
        color = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(int(each) for each in re.findall(r"\d+", color)[:3]) < 3 * 128

    assert is_dark()
    page.locator("#theme").select_option("light")
    assert not is_dark()
    page.reload()
    settle(page)
    assert not is_dark()
