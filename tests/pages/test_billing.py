"""The page of balance and usage: whoever has keys sees what they have and used, whatever the data is."""
import contextlib
import csv
import io
import json
import os
import pathlib
import re

import pytest
from playwright.sync_api import expect

from processes import make_root_key, wait_for
from web import PAGES, REPOSITORY, Site

ATTRIBUTION = "proxyxai.com 提供基础支撑"
MARKUP = '<img src=x onerror="window.hacked=1"><b>bold</b>'
ARABIC = "\u202eمرحبا بالعالم"
LONG = "W" * 120
AXE = pathlib.Path(os.environ.get("PROXYXAI_PAGES_NODE", REPOSITORY / "build" / "pages-node")) / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"), CALL_MIN_BALANCE="0", USER_MIN_BALANCE="0")
    yield site
    site.end()


@pytest.fixture(scope="module")
def house(site):
    """A parent with a child below, both with requests of several models and results."""
    parent = site.make_child(900, "alice", RPM=600, RPD=5000, TPM=200000, Concurrency=20, HardLimit=1000, SoftLimit=800,
                             ModelLimits={"gpt-4o": {"rpm": 30, "tpm": 90000}}, AllowIPs="127.0.0.1 10.0.0.0/8")
    child = site.make_child(100, "bobby", by=parent)
    # The grant sets the limit of the month unless it is told.
    site.gateway.change(parent, CreditGranted=50, Days=5, HardLimit=1000, SoftLimit=800)
    site.chat(parent, 5, model="gpt-4o")
    site.chat(child, 3, model="gpt-4.1")
    site.mock.script("*", "bad_request", times=2)
    for _ in range(2):
        assert site.gateway.chat(key=parent.key, model="gpt-4o-mini")[0] == 400
    site.mock.clear()
    wait_for(lambda: len(parent.requests()) == 10, what="the requests in the books")
    return parent, child


def show(page, site, *keys, wait=True):
    """Opens the page and gives it keys in the middle of a text."""
    page.goto(site.url("usage"))
    add(page, *keys)
    if wait:
        expect(page.locator("#key-list [aria-busy='true']")).to_have_count(0)
        expect(page.locator("#detail")).to_have_attribute("aria-busy", "false")


def add(page, *keys):
    page.get_by_label("Paste one or more virtual keys").fill("Dear customer,\n" + ";\n".join(f"key = '{key}'" for key in keys))
    page.get_by_role("button", name="Show usage").click()


def keys_shown(page):
    return page.locator("#key-list .key-name")


def tile(page, name):
    return page.locator(".tile", has=page.get_by_role("heading", name=name, exact=True))


def table(page, name):
    return page.get_by_role("table", name=name)


def cells(row):
    return [re.sub(r"\s+", " ", text) for text in row.get_by_role("cell").all_inner_texts()]


@contextlib.contextmanager
def answering(page, path, answer):
    """While inside, calls of a path are answered by answer(query) instead of the daemon."""
    def fulfil(route):
        query = dict(pair.split("=", 1) for pair in route.request.url.partition("?")[2].split("&") if pair)
        result = answer(query)
        status, body = result if isinstance(result, tuple) else (200, result)
        route.fulfill(status=status, body=json.dumps(body), content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    pattern = re.compile(re.escape(path) + r"(\?|$)")
    page.route(pattern, fulfil)
    yield
    page.unroute(pattern)


# Keys


def test_keys_are_found_in_pasted_text_and_kept_in_this_browser_only(site, house, page):
    sent = []
    page.on("request", lambda request: sent.append(request))
    parent, child = house
    show(page, site, parent.key, child.key, parent.key)
    expect(keys_shown(page)).to_have_text(["alice", "bobby"])
    assert page.get_by_label("Paste one or more").input_value() == ""
    page.reload()
    expect(keys_shown(page)).to_have_text(["alice", "bobby"])
    for request in sent:
        assert "sk-Xvs" not in request.url and "sk-Xvs" not in (request.post_data or "")
        assert not request.all_headers().get("authorization") or request.url.startswith(site.api)
    assert page.context.cookies() == []
    assert "sk-Xvs" not in page.url + page.title()
    assert parent.key not in page.content()
    for log in site.nginx.directory.glob("*.log"):
        assert parent.key not in log.read_text(errors="replace")


def test_a_text_without_a_key_is_told_so(site, page):
    page.goto(site.url("usage"))
    page.get_by_label("Paste one or more").fill("my key is sk-Xvs12345")
    page.get_by_role("button", name="Show usage").click()
    expect(page.get_by_text("No key found.")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0


def test_a_key_that_is_there_already_is_not_there_twice(site, house, page):
    show(page, site, house[0].key)
    add(page, house[0].key)
    expect(page.get_by_text("in the list already")).to_be_visible()
    expect(keys_shown(page)).to_have_text(["alice"])


def test_keys_are_removed_one_by_one_or_all(site, house, page):
    others = [site.make_child(3) for _ in range(2)]
    show(page, site, house[1].key, *[other.key for other in others])
    page.get_by_role("button", name=f"Remove {others[0].name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(keys_shown(page)).to_have_count(3)
    page.get_by_role("button", name=f"Remove {others[0].name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(keys_shown(page)).to_have_text(["bobby", others[1].name])
    assert others[0].key not in page.evaluate("JSON.stringify(localStorage)")
    page.reload()
    expect(keys_shown(page)).to_have_text(["bobby", others[1].name])
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(page.locator("#key-list li")).to_have_count(0)
    expect(page.locator("#detail")).to_be_hidden()
    assert "sk-Xvs" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    page.reload()
    expect(page.locator("#keys")).to_be_hidden()


def test_what_another_tab_removes_is_gone_here(site, house, page):
    show(page, site, house[0].key, house[1].key)
    other = page.context.new_page()
    other.goto(site.url("usage"))
    other.get_by_role("button", name="Remove alice").click()
    other.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(keys_shown(page)).to_have_text(["bobby"])
    expect(page.locator("#account-title")).to_have_text("bobby")


# Figures


def test_an_account_is_shown_with_its_figures(site, house, page, shot):
    parent, _ = house
    show(page, site, parent.key)
    detail = page.locator("#detail")
    expect(detail.get_by_role("heading", name="alice")).to_be_visible()
    expect(detail.get_by_text("alice@example.com").first).to_be_visible()
    expect(detail.get_by_text("Active", exact=True)).to_be_visible()
    expect(tile(page, "Left")).to_contain_text("$850.00")
    used = float(parent.info()["credit_used"])
    assert 0 < used < 0.01
    expect(tile(page, "Left")).to_contain_text(f"{float(f'{used:.3g}'):.10f}".rstrip("0") + " used so far")
    expect(tile(page, "Today")).to_contain_text("7 requests")
    expect(tile(page, "This month")).to_contain_text("of the limit of $1,000.00")
    expect(tile(page, "This month").get_by_role("img", name="of the limit of $1,000.00")).to_be_visible()
    expect(tile(page, "Requests")).to_contain_text("7")
    shot(page, "billing-account")


def test_cards_are_listed_with_what_is_left_and_until_when(site, house, page):
    show(page, site, house[0].key)
    rows = table(page, "Prepaid cards").locator("tbody tr")
    first, second = cells(rows.nth(0)), cells(rows.nth(1))
    assert first[:2] == ["$50.00", "$50.00"] and re.search(r"in [45] days", first[2])
    assert second[:2] == ["$800.00", "$900.00"] and second[4] == "granted by root"
    assert "in" not in second[2]


def test_limits_and_access_are_listed(site, house, page):
    show(page, site, house[0].key)
    rows = table(page, "Rate limits").locator("tbody tr")
    assert rows.all_inner_texts() == ["Requests\t600\tno limit\t5,000", "Tokens\t200,000\tno limit\tno limit"]
    assert cells(table(page, "Limits of single models").locator("tbody tr")) == ["gpt-4o", "30", "90,000"]
    facts = page.locator("#detail .facts")
    expect(facts).to_contain_text("10.0.0.0/8")
    expect(facts).to_contain_text("20")


def test_a_long_list_of_what_is_allowed_scrolls_in_its_own_box(site, page):
    addresses = [f"10.{n // 250}.{n % 250}.0/24" for n in range(998)]
    account = site.make_child(5, AllowIPs="127.0.0.1 " + " ".join(addresses))
    show(page, site, account.key)
    box = page.locator(".words").filter(has_text="10.3.247.0/24")
    assert box.locator("code").count() == 999
    assert box.bounding_box()["height"] <= 160


@pytest.mark.parametrize("used, kind", [(799, ""), (801, "warn"), (1200, "bad")])
def test_the_bar_of_the_month_warns(site, house, page, used, kind):
    info = json.loads(site.gateway.call("GET", "/dashboard/x_user/info", key=house[0].key)[2])
    info["monthly_usage"]["CreditUsed"] = used
    with answering(page, "/dashboard/x_user/info", lambda _: info):
        show(page, site, house[0].key)
        bar = tile(page, "This month").locator(".bar-track")
        assert bar.get_attribute("class").split()[1:] == ([kind] if kind else [])
        filled, whole = bar.locator("span").bounding_box()["width"], bar.bounding_box()["width"]
        assert filled / whole == pytest.approx(min(1, used / 1000), abs=0.01)
        expect(page.get_by_text("The limit of this month is reached")).to_have_count(1 if kind == "bad" else 0)


def test_roots_balance_is_unlimited_and_in_no_sum(site, house, page):
    show(page, site, site.root_key, house[1].key)
    own = json.loads(site.gateway.call("GET", "/dashboard/x_user/info", key=house[1].key)[2])["balance"]
    expect(tile(page, "Left").locator(".figure")).to_have_text("unlimited")
    expect(page.locator("#key-list li").first).to_contain_text("unlimited")
    expect(page.locator("#totals dd").first).to_have_text(f"${own:.2f}")
    expect(page.locator(".notice.warn")).to_have_count(0)
    page.get_by_label("Language").select_option("zh")
    expect(tile(page, "剩余").locator(".figure")).to_have_text("不限")


@pytest.mark.parametrize("balance, words", [(4.99, "Requests are refused below $5.00"), (0, "Nothing is left"), (5, None)])
def test_little_is_what_the_service_calls_little(site, house, page, balance, words):
    info = json.loads(site.gateway.call("GET", "/dashboard/x_user/info", key=house[0].key)[2])
    info |= {"balance": balance, "minimums": {"call": 5, "user": 2, "manage": 20}}
    with answering(page, "/dashboard/x_user/info", lambda _: info):
        show(page, site, house[0].key)
        expect(page.locator(".notice.warn")).to_have_text([re.compile(re.escape(words))] if words else [])


def test_several_keys_are_summed_up_and_chosen(site, house, page):
    rich = site.make_child(12.5)
    show(page, site, house[1].key, rich.key)
    expect(page.locator("#totals")).to_contain_text("$112.50")
    page.get_by_role("button", name=rich.name).first.click()
    expect(page.locator("#account-title")).to_have_text(rich.name)
    expect(tile(page, "Left")).to_contain_text("$12.50")
    expect(page.locator("#key-list [aria-current='true']")).to_contain_text(rich.name)


def test_refresh_shows_what_changed_and_keeps_the_filter(site, page):
    account = site.make_child(30)
    site.chat(account, 2, model="gpt-4o")
    show(page, site, account.key)
    page.get_by_label("Model", exact=True).fill("gpt-4.1")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No request matches.")).to_be_visible()
    site.gateway.change(account, CreditGranted=11)
    site.chat(account, 1, model="gpt-4.1")
    wait_for(lambda: len(account.requests()) == 3, what="the request in the books")
    page.get_by_role("button", name="Refresh").click()
    expect(tile(page, "Left")).to_contain_text("$41.00")
    expect(table(page, "Requests").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_label("Model", exact=True)).to_have_value("gpt-4.1")


# The last 30 days


def day(date, **models):
    details = {name: {"requests": n, "prompt": 10 * n, "cached": n, "completion": 5 * n, "cost": cost} for name, (n, cost) in models.items()}
    return {"aggregation_timestamp": 0, "date": date, "n_requests": 0, "n_context_tokens_total": 0, "n_cached_tokens_total": 0,
            "n_generated_tokens_total": 0, "cost": sum(cost for _, cost in models.values()), "usage_details": details}


def bill(days, users=()):
    total = {"requests": sum(use["requests"] for each in days for use in each["usage_details"].values()), "cost": sum(each["cost"] for each in days)}
    return {"object": "list", "data": days, "total_usage": total, "usage_users": list(users)}


def chart_table(page):
    page.get_by_text("Show as a table").click()
    rows = page.locator(".chart tbody tr")
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows.all()}


def test_spending_of_the_real_books_is_shown_by_model_and_account(site, house, page):
    parent, _ = house
    show(page, site, parent.key)
    expect(page.get_by_role("img", name="Use in the last 30 days by model")).to_be_visible()
    assert {name.split()[0] for name in page.locator(".legend li").all_inner_texts()} == {"gpt-4o", "gpt-4.1", "gpt-4o-mini"}
    models = {cells(row)[0]: cells(row) for row in table(page, "By model").locator("tbody tr").all()}
    assert models["gpt-4o"][3] == "5" and models["gpt-4.1"][3] == "3"
    assert {cells(row)[0] for row in table(page, "By account").locator("tbody tr").all()} == {"alice", "bobby"}
    page.get_by_label("Of", exact=True).select_option("own")
    expect(table(page, "By model").get_by_text("gpt-4.1")).to_have_count(0)


def test_thirty_days_are_drawn_by_cost_requests_and_tokens(site, house, page, shot):
    days = [day(f"2026-11-{n:02}", **{"gpt-4o": (n, n / 10), "o3": (2, 0.5)}) for n in range(1, 26)]
    page.clock.install(time="2026-11-25T15:00:00Z")
    with answering(page, "/x-bill", lambda query: bill(days)):
        show(page, site, house[0].key)
        expect(page.get_by_text("$45.00 for 375 requests")).to_be_visible()
        shown = chart_table(page)
        assert len(shown) == 30 and list(shown)[0] == "Oct 27, 2026" and list(shown)[-1] == "Nov 25, 2026"
        assert shown["Oct 27, 2026"] == ["$0.00", "$0.00"] and shown["Nov 20, 2026"] == ["$2.00", "$0.50"]
        page.get_by_label("Show", exact=True).select_option("requests")
        expect(page.locator(".chart tbody tr").last).to_have_text(re.compile(r"25\s*2"))
        page.get_by_label("Show", exact=True).select_option("tokens")
        expect(page.locator(".chart tbody tr").last).to_have_text(re.compile(r"375\s*30"))
        shot(page, "billing-thirty-days")


@pytest.mark.parametrize("clock", ["2025-01-01T00:00:00Z", "2026-11-24T10:00:00Z", "2026-11-26T23:00:00Z", "2038-06-01T00:00:00Z"])
def test_a_clock_that_is_wrong_hides_nothing(site, house, page, clock):
    page.clock.set_fixed_time(clock)
    days = [day("2026-11-01", a=(1, 1.0)), day("2026-11-25", a=(1, 2.0))]
    with answering(page, "/x-bill", lambda query: bill(days)):
        show(page, site, house[0].key)
        shown = chart_table(page)
        assert len(shown) == 30
        assert [texts for texts in shown.values() if texts != ["$0.00"]] == [["$1.00"], ["$2.00"]]
    expect(table(page, "Prepaid cards").get_by_text("$800.00")).to_be_visible()
    expect(page.get_by_text("Active", exact=True)).to_be_visible()


# Requests


def test_requests_are_filtered_by_model_result_account_and_days(site, house, page):
    parent, child = house
    show(page, site, parent.key)
    rows = table(page, "Requests").locator("tbody tr")
    expect(rows).to_have_count(10)
    form = page.get_by_role("form", name="Filter")

    def matching(**values):
        form.get_by_role("button", name="Reset").click()
        expect(rows).to_have_count(10)
        for label, value in values.items():
            field = form.get_by_label(label, exact=True)
            field.select_option(label=value) if label == "Result" else field.fill(value)
        form.get_by_role("button", name="Apply").click()
        expect(page.locator("#detail [aria-busy='true']")).to_have_count(0)
        return [] if page.get_by_text("No request matches.").is_visible() else [cells(row) for row in rows.all()]

    today = str(parent.requests()[0]["time"])[:10]
    assert [row[2].split()[0] for row in matching(Model="gpt-4.1")] == ["gpt-4.1"] * 3
    assert [row[1] for row in matching(Account="bobby")] == ["bobby"] * 3
    assert [row[3] for row in matching(Result="refused (4xx)")] == ["400", "400"]
    assert {row[3] for row in matching(Result="succeeded")} == {"200"}
    assert matching(Result="failed (5xx)") == []
    assert len(matching(From=today, To=today)) == 10
    assert matching(To="2020-01-01") == [] and matching(From="2060-01-01") == []
    assert len(matching(Model="gpt-4o", Account="alice", Result="succeeded", From=today)) == 5
    assert matching(Model="no-such-model") == []


def test_days_the_wrong_way_round_are_not_asked_for(site, house, page):
    show(page, site, house[0].key)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("From", exact=True).fill("2026-11-20")
    page.get_by_label("To", exact=True).fill("2026-11-10")
    page.get_by_role("button", name="Apply").click()
    assert page.get_by_label("To", exact=True).evaluate("field => !field.validity.valid")
    assert asked == []


@pytest.fixture(scope="module")
def busy(site):
    account = site.make_child(50, "busy-bee")
    for number in range(130):
        site.chat(account, 1, text="x" * number, model=["gpt-4o", "gpt-4o-mini"][number % 2])
    wait_for(lambda: len(account.requests()) == 130, what="the requests in the books")
    return account


def test_pages_of_requests_show_each_one_once(site, busy, page):
    show(page, site, busy.key)
    rows = table(page, "Requests").locator("tbody tr")
    section = page.get_by_role("region", name="Requests").filter(has=page.get_by_role("form"))
    seen, number = [], 1
    while True:
        expect(section.get_by_text(f"Page {number}", exact=True)).to_be_visible()
        seen += rows.locator("code").evaluate_all("codes => codes.map((code) => code.title)")
        if not section.get_by_role("button", name="Next").last.is_enabled():
            break
        section.get_by_role("button", name="Next").last.click()
        number += 1
    assert number == 6
    assert seen == [row["request_id"] for row in busy.requests()]
    section.get_by_role("button", name="Previous").last.click()
    expect(section.get_by_text("Page 5", exact=True)).to_be_visible()
    expect(rows.locator("code").first).to_have_attribute("title", seen[100])


def download_of(page, timeout=None):
    with page.expect_download(timeout=timeout) as waiting:
        page.get_by_role("button", name="Export CSV").click()
    return waiting.value


def rows_of(file):
    return list(csv.DictReader(io.StringIO(pathlib.Path(file.path()).read_text(encoding="utf-8-sig"))))


def test_the_file_has_all_requests_that_match(site, busy, page):
    show(page, site, busy.key)
    file = download_of(page)
    assert re.fullmatch(r"requests-busy-bee-\d{4}-\d\d-\d\d\.csv", file.suggested_filename)
    rows = rows_of(file)
    books = busy.requests()
    assert [row["request_id"] for row in rows] == [row["request_id"] for row in books]
    assert [float(row["cost"]) for row in rows] == [float(row["cost"]) for row in books]
    assert rows[0]["time"] == books[0]["time"] and rows[0]["user"] == "busy-bee"
    expect(page.get_by_text("130 requests in requests-busy-bee")).to_be_visible()
    page.get_by_label("Model", exact=True).fill("gpt-4o")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Page 1", exact=True)).to_be_visible()
    rows = rows_of(download_of(page))
    assert [row["model"] for row in rows] == ["gpt-4o"] * 65


def made_up(number, **more):
    return {"id": number, "time": "2026-11-25T07:22:32+01:00", "user_id": 2, "user": "alice", "model": "gpt-4o", "path": "chat/completions",
            "status": 200, "attempts": 1, "prompt_tokens": 17, "cached_tokens": 0, "completion_tokens": 8, "cost": 1.47e-05, "duration_ms": 20,
            "first_byte_ms": 20, "stream": False, "estimated": False, "request_id": f"req_{number}", **more}


def endless(total, make=made_up):
    """A list of requests by cursor, as long as wanted."""
    def answer(query):
        after, size = int(query.get("after", total + 1)), int(query.get("size", 100))
        numbers = list(range(after - 1, max(0, after - 1 - size), -1))
        more = bool(numbers) and numbers[-1] > 1
        return {"object": "list", "data": [make(n) for n in numbers], "has_more": more, "next": str(numbers[-1]) if more else None}
    return answer


def test_a_file_has_a_bound_and_says_so(site, house, page):
    with answering(page, "/x-requests", endless(150_000)):
        show(page, site, house[0].key)
        file = download_of(page, 120_000)
        assert sum(1 for _ in open(file.path())) == 100_001
        expect(page.get_by_text("The file has the newest 100,000 requests")).to_be_visible()


def test_an_export_shows_how_far_it_is_and_is_cancelled(site, house, page):
    pages = endless(50_000)
    held = []

    def answer(query):
        if query.get("size") == "1000" and query.get("after") and int(query["after"]) <= 48_001:
            held.append(query)
            page.get_by_role("button", name="Cancel").wait_for()
            return 429, {"error": {"message": "slow down", "code": "rate_limit_exceeded", "param": None}}
        return pages(query)

    page.expect_errors("429")
    with answering(page, "/x-requests", answer):
        show(page, site, house[0].key)
        page.get_by_role("button", name="Export CSV").click()
        expect(page.get_by_text("Too many requests.")).to_be_visible()
        assert held
        expect(page.get_by_role("button", name="Export CSV")).to_be_enabled()
    release = []
    page.route(re.compile("/x-requests"), lambda route: release.append(route))
    page.get_by_role("button", name="Export CSV").click()
    expect(page.get_by_text("0 requests read")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Export cancelled.")).to_be_visible()
    for route in release:
        with contextlib.suppress(Exception):
            route.abort()


def test_rare_results_are_looked_for_within_a_bound(site, house, page):
    rare = lambda n: made_up(n, status=500 if n == 500 else 200)  # noqa: E731
    with answering(page, "/x-requests", endless(15_000, rare)):
        show(page, site, house[0].key)
        page.get_by_label("Result", exact=True).select_option("server")
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_text("Looked through 10,000 requests so far.")).to_be_visible()
        page.get_by_role("button", name="Look further").click()
        rows = table(page, "Requests").locator("tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.locator("code")).to_have_attribute("title", "req_500")
        expect(page.get_by_role("button", name="Look further")).to_have_count(0)


# What goes wrong


def test_each_key_that_fails_says_why_in_words(site, house, page, shot):
    page.expect_errors("401", "403")
    stopped = site.make_child(5)
    site.gateway.change(stopped, Status=False)
    elsewhere = site.make_child(5, AllowIPs="10.1.2.3")
    unknown = make_root_key()
    show(page, site, house[0].key, unknown, stopped.key, elsewhere.key)
    errors = page.locator("#key-list .key-error")
    expect(errors).to_have_count(3)
    said = errors.all_inner_texts()
    assert "not valid" in said[0] and "disabled" in said[1] and "your address" in said[2]
    expect(page.locator("#account-title")).to_have_text("alice")
    page.locator(".key-choice", has_text=unknown[-4:]).click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    expect(tile(page, "Left")).to_have_count(0)
    shot(page, "billing-errors")
    site.gateway.change(stopped, Status=True)
    page.locator(".key-choice", has_text=stopped.key[-4:]).click()
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.locator("#account-title")).to_have_text(stopped.name)


@pytest.mark.parametrize("body", ["<html>captive portal</html>", '{"hello": 1}', "null", "[]"])
def test_something_else_than_the_api_is_told(site, house, page, body):
    page.route(re.compile("/dashboard/"), lambda route: route.fulfill(body=body, headers={"Access-Control-Allow-Origin": "*"}))
    show(page, site, house[0].key)
    expect(page.get_by_role("alert")).to_contain_text("Something other than the API answered at " + site.api)


def test_an_api_that_is_away_is_told_and_comes_back(site, house, page):
    page.expect_errors()
    show(page, site, house[1].key)
    with site.away():
        page.get_by_role("button", name="Refresh").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.reload()
        expect(page.locator("#key-list .key-error")).to_be_visible()
        assert page.evaluate("localStorage.length") == 1
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(tile(page, "Left")).to_contain_text("$100.00")


def test_a_network_that_breaks_keeps_what_was_shown(site, house, page):
    page.expect_errors("ERR_", "request failed")
    show(page, site, house[1].key)
    page.context.set_offline(True)
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(tile(page, "Left")).to_contain_text("$100.00")
    page.context.set_offline(False)
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_parts_that_fail_are_tried_again_alone(site, house, page):
    page.expect_errors("500")
    failing = {"error": {"message": "", "code": "internal_error", "param": None}}
    with answering(page, "/x-bill", lambda _: (500, failing)):
        show(page, site, house[0].key)
        spending = page.get_by_role("region", name="Last 30 days")
        expect(spending).to_contain_text("The server failed (500)")
        expect(table(page, "Requests").locator("tbody tr")).to_have_count(10)
    spending.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("img", name="Use in the last 30 days by model")).to_be_visible()


def test_an_account_whose_credit_expired_or_is_spent_says_what_to_do(site, page):
    account = site.make_child(5, Days=1e-6)
    wait_for(lambda: account.balance() == 0, what="the card's expiry")
    show(page, site, account.key)
    expect(page.get_by_text("Nothing is left")).to_be_visible()
    expect(page.get_by_text("No card has anything left.")).to_be_visible()
    expect(page.locator("#key-list")).to_contain_text("No balance")
    expect(page.get_by_text("Nothing to draw yet.")).to_be_visible()
    expect(page.get_by_text("No request matches.")).to_be_visible()


# Hostile data


def test_names_and_models_with_markup_stay_text(site, page, shot):
    account = site.make_child(40, "hostile")
    site.gateway.change(account, Alias=MARKUP)
    for model in [MARKUP, ARABIC, LONG, "=1+1", "__proto__", "constructor", "{count}"]:
        assert site.gateway.chat(key=account.key, model=model)[0] == 200
    wait_for(lambda: len(account.requests()) == 7, what="the requests in the books")
    show(page, site, account.key)
    expect(page.locator("#account-title")).to_have_text(MARKUP)
    models = table(page, "By model")
    for shown in [MARKUP, ARABIC.strip("\u202e"), LONG, "__proto__", "constructor", "{count}"]:
        expect(models.get_by_text(shown, exact=True)).to_be_visible()
        expect(table(page, "Requests").get_by_text(shown, exact=True)).to_be_visible()
    assert page.locator("main img, main script, main iframe, main b").count() == 0
    assert page.evaluate("[window.hacked, document.documentElement.scrollWidth <= innerWidth]") == [None, True]
    text = pathlib.Path(download_of(page).path()).read_text(encoding="utf-8-sig")
    assert "'=1+1" in text and ",=1+1" not in text
    shot(page, "billing-hostile")
    page.get_by_role("button", name=f"Remove {MARKUP}").click()
    expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    page.keyboard.press("Escape")


def test_ten_thousand_children_and_models_are_shown_in_pages(site, house, page):
    users = [{"id": n, "name": f"child-{n}", "email": f"c{n}@example.com", "total_requests": n, "total_cost": n / 100} for n in range(10_000)]
    days = [day("2026-11-25", **{f"model-{n}": (1, n / 1000) for n in range(10_000)})]
    with answering(page, "/x-bill", lambda _: bill(days, users)):
        show(page, site, house[0].key)
        expect(page.get_by_text("1–10 of 10,000")).to_have_count(2)
        assert page.locator("tbody tr").count() < 200
        assert page.locator(".legend li").count() == 7
        assert page.locator("option").count() < 500


def test_two_hundred_keys_are_a_list_that_grows_on_demand(site, page):
    info = json.loads(site.gateway.call("GET", "/dashboard/x_user/info")[2])
    keys = [make_root_key() for _ in range(200)]
    with answering(page, "/dashboard/x_user/info", lambda _: {**info, "level": 1, "balance": 2, "credit_balance": []}), \
            answering(page, "/x-bill", lambda _: bill([])), answering(page, "/x-requests", endless(0)):
        show(page, site, *keys)
        expect(page.locator("#totals")).to_contain_text("$400.00", timeout=30_000)
        expect(page.locator("#key-list li")).to_have_count(20)
        page.get_by_role("button", name="Show 20 more").click()
        expect(page.locator("#key-list li")).to_have_count(40)


# For everybody


@pytest.mark.parametrize("width", [320, 375, 768, 1920])
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_no_width_scrolls_sideways(site, house, pages, shot, width, language):
    page = pages.open(width=width, language=language, theme="dark" if language == "zh-CN" else "light")
    page.goto(site.url("usage"))
    page.locator("#pasted").fill(" ".join(account.key for account in house))
    page.locator("#add button").click()
    expect(page.locator("#requests-title")).to_be_visible()
    expect(page.locator("#detail [aria-busy='true']")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"billing-{width}-{language}")


def test_everything_is_said_in_chinese(site, house, pages):
    page = pages.open(language="zh-CN")
    page.goto(site.url("usage"))
    page.get_by_label("粘贴一个或多个虚拟密钥").fill(house[0].key)
    page.get_by_role("button", name="查看用量").click()
    expect(table(page, "请求记录").locator("tbody tr")).to_have_count(10)
    expect(page.locator(".tile").first).to_contain_text("剩余")
    text = page.locator("main").inner_text()
    for word in ["Left", "Requests", "limit", "Expires", "Model", "Status", "Page", "Export", "Cost", "All", "key", "Key"]:
        assert word not in re.sub(r"sk-Xvs\S*", "", text), word
    assert not re.search(r"\b(requests|models|cards|limits|account|keys|tile|spending|export)\.\w+", text)
    page.get_by_label("语言").select_option("en")
    expect(page.locator(".tile").first).to_contain_text("Left")
    assert not re.search("[\u4e00-\u9fff]", page.locator("main").inner_text())


def test_both_languages_have_the_same_texts_with_the_same_slots(site, page):
    page.goto(site.url("usage"))
    texts = page.evaluate("import('/texts.js').then((m) => m.texts)")
    assert texts["en"].keys() == texts["zh"].keys()
    for key, english in texts["en"].items():
        assert set(re.findall(r"\{(\w+)", english)) - {"one"} == set(re.findall(r"\{(\w+)", texts["zh"][key])) - {"one"} or "plural" in english, key
        assert texts["zh"][key], key
    # What is there before the texts are is what they say.
    html = site.get("usage")[2].decode()
    for key, text in re.findall(r'data-t="([^"]+)"[^>]*>([^<]*)<', html):
        assert text == page.evaluate("([key]) => import('/shared/i18n.js').then((m) => m.t(key))", [key]), key


def test_all_is_done_by_keyboard(site, house, page):
    page.goto(site.url("usage"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Paste one or more")).to_be_focused()
    page.keyboard.insert_text(f"{house[0].key} {house[1].key}")
    page.keyboard.press("Control+Enter")
    expect(keys_shown(page)).to_have_text(["alice", "bobby"])
    second = page.locator(".key-choice").nth(1)
    second.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#account-title")).to_have_text("bobby")
    expect(second).to_be_focused()
    expect(page.locator("#said")).to_have_text("Showing bobby.")
    outline = second.evaluate("button => getComputedStyle(button).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_no_fault(site, house, pages, theme, width):
    page = pages.open(width=width, theme=theme)
    page.expect_errors("401")
    unknown = make_root_key()
    page.goto(site.url("usage"))
    states = [run_axe(page)]
    show(page, site, house[0].key, unknown)
    page.get_by_text("Show as a table").click()
    states.append(run_axe(page))
    page.locator(".key-choice").nth(1).click()
    states.append(run_axe(page))
    page.locator(".key-remove").nth(1).click()
    states.append(run_axe(page))
    assert states == [[]] * 4


def run_axe(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(each["id"], each["impact"], [node["target"] for node in each["nodes"]][:3]) for each in found]


def test_the_attribution_is_in_the_page_as_it_is_served(site, page):
    _, _, html = site.get("usage")
    assert f'<a href="https://proxyxai.com">{ATTRIBUTION}</a>' in html.decode()
    page.goto(site.url("usage"))
    expect(page.get_by_role("contentinfo").get_by_role("link", name=ATTRIBUTION)).to_have_attribute("href", "https://proxyxai.com")


@pytest.mark.figures
def test_the_page_is_small_and_soon_there(site, house, page):
    sizes = {}
    page.on("response", lambda response: sizes.update({response.url: len(response.body())}) if "usage." in response.url else None)
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(site.url("usage"), wait_until="networkidle")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 1000 * max(1.0, float(os.environ.get("PROXYXAI_SLOW", "4")) / 2), paint
    assert sum(sizes.values()) < 100 * 1024, sizes


def test_nothing_is_rendered_from_text():
    """No way from data to markup, and nothing that the policy would refuse."""
    for file in [*(PAGES / "billing").glob("*.*"), *(PAGES / "shared").glob("*.*")]:
        text = file.read_text()
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"]:
            assert forbidden not in text, (file, forbidden)
        if file.suffix == ".html":
            assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text), file
