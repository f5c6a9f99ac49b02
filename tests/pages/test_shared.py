"""Pieces that the pages share, each in a browser, as a page uses it."""
import json

import pytest

KEY = "sk-Xvs" + "".join("abcdefghi"[i % 9] for i in range(45))
OTHER = "sk-Xvs" + "Z9" * 22 + "q"


@pytest.fixture
def lab(site, page):
    """A page under the site's policy, whose modules tests may call: lab('format', 'm.money(1)')."""
    page.goto(site.url("usage"))

    def run(module, expression, **values):
        return page.evaluate(
            """async ([module, expression, values]) => {
                 const m = await import(`/shared/${module}.js`);
                 return await CALL;
               }""".replace("CALL", f"(async (m, v) => ({expression}))(m, values)"),
            [module, expression, values])

    run.page = page
    return run


def test_keys_are_found_in_any_text(lab):
    text = f'''Hello, your key: {KEY}. Also export OPENAI_API_KEY="{OTHER}"
      <b>{KEY}</b> Authorization: Bearer {OTHER},{KEY}密钥{OTHER}'''
    assert lab("keys", "m.findKeys(v.text)", text=text) == [KEY, OTHER]


@pytest.mark.parametrize("text", ["", "sk-Xvs", KEY[:-1], KEY + "1", "sk-proj-" + KEY[6:], KEY.upper(), KEY.replace("a", "-")])
def test_what_is_no_key_is_not_found(lab, text):
    assert lab("keys", "m.findKeys(v.text)", text=text) == []


def test_a_key_is_shown_short(lab):
    shown = lab("keys", "m.shorten(v.key)", key=KEY)
    assert shown == "sk-Xvs…" + KEY[-4:]


def test_a_chosen_key_ends_with_the_tab_unless_it_is_to_be_remembered(lab):
    stored = "[localStorage.getItem('k'), sessionStorage.getItem('k')]"
    assert lab("keys", f"(new m.KeyChoice('k').set(v.key), {stored})", key=KEY) == [None, KEY]
    assert lab("keys", f"(new m.KeyChoice('k').set(v.key, true), {stored})", key=KEY) == [KEY, None]
    assert lab("keys", "[new m.KeyChoice('k').key, new m.KeyChoice('k').isRemembered]") == [KEY, True]
    assert lab("keys", f"(new m.KeyChoice('k').clear(), {stored})") == [None, None]


def test_what_else_gets_into_the_list_is_no_key(lab):
    found = lab("keys", "(localStorage.setItem('l', v.text), new m.KeyList('l').all())", text=f'["{KEY}", "<script>"]\n\n{{}}')
    assert found == [KEY]


@pytest.mark.parametrize("value", ["=1+1", "+49", "-2+3", "@SUM(A1)", "\t=1", "  =cmd|' /C calc'!A0", "\r=1", "＝1+1", "＋1", " －2", "＠SUM(A1)",
                                   "a;=1", "a;  -1", "a\t+1", "a,@b", "a\n=1", "a\r\n ＝1", 'a;"=1'])
def test_spreadsheets_run_nothing_of_a_file(lab, value):
    field = lab("csv", "m.toCsv([[v.value]])", value=value)
    assert field.lstrip('"').startswith("'"), field


def test_files_for_spreadsheets_keep_quotes_lines_and_numbers(lab):
    text = lab("csv", "m.toCsv([['a', 'b'], [-1.5, 'x,\"y\"\\nz'], [null, false]])")
    assert text == 'a,b\r\n-1.5,"x,""y""\nz"\r\n,false\r\n'


def test_money_shows_what_a_request_costs(lab):
    shown = lab("format", "[0, 1234.5, 0.0000147, 0.009, -12, 1e9].map(m.money)")
    assert shown == ["$0.00", "$1,234.50", "$0.0000147", "$0.009", "-$12.00", "$1,000,000,000.00"]


def test_what_is_no_number_or_time_is_a_dash(lab):
    names = "['money', 'number', 'compact', 'percent', 'date', 'dateTime', 'time', 'duration', 'relative']"
    shown = lab("format", f"{names}.flatMap((name) => [null, undefined, NaN, 'x', ''].map((value) => m[name](value)))")
    assert set(shown) == {"–"}


def test_a_day_of_the_server_is_that_day_everywhere(pages, site):
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"]:
        page = pages.open(timezone_id=zone)
        page.goto(site.url("usage"))
        shown = page.evaluate("import('/shared/format.js').then((m) => [m.date('2026-11-25'), m.shortDate('2026-11-25')])")
        assert shown == ["Nov 25, 2026", "11/25"]


def test_lengths_and_distances_of_time(lab):
    assert lab("format", "[0, 999, 1234, 61000, 7260000].map(m.duration)") == ["0 ms", "999 ms", "1.2 sec", "1 min 1 sec", "2 hr 1 min"]
    now = "Date.parse('2026-11-25T12:00:00Z')"
    shown = lab("format", f"['2026-11-28T12:00:01Z', '2026-11-25T10:00:00Z', '2026-11-25T12:00:00Z'].map((at) => m.relative(at, {now}))")
    assert shown == ["in 3 days", "2 hours ago", "now"]


@pytest.mark.parametrize("place, origin", [
    ("https://usage.example.com", "https://api.example.com"),
    ("http://sub.example.com:8080", "http://api.example.com:8080"),
    ("https://admin.a.b.example.com", "https://api.a.b.example.com"),
    ("https://docs.example.com", "https://api.example.com"),
    ("https://www.example.com", "https://api.example.com"),
    ("https://example.com", "https://api.example.com"),
    ("https://usage.com", "https://api.usage.com"),
    ("https://usage.usage.com", "https://api.usage.com"),
    ("http://localhost:8000", "http://localhost:3443"),
    ("http://127.0.0.1", "http://127.0.0.1:3443"),
    ("http://[::1]:8000", "http://[::1]:3443"),
])
def test_the_api_is_found_from_the_pages_own_name(lab, place, origin):
    assert lab("api", "m.apiOrigin(new URL(v.place), '')", place=place) == origin
    assert lab("api", "m.apiOrigin(new URL(v.place), 'https://gateway.test:9/')", place=place) == "https://gateway.test:9"


@pytest.mark.parametrize("error, words", [
    ({"status": 401, "code": "invalid_api_key"}, "not valid"),
    ({"status": 401, "code": "account_disabled"}, "disabled"),
    ({"status": 403, "code": "ip_not_allowed"}, "your address"),
    ({"status": 429, "code": "rate_limit_exceeded", "retryAfter": 7}, "Try again in 7 seconds"),
    ({"status": 429, "code": "unheard_of"}, "Try again in a moment"),
    ({"isNetwork": True, "code": "network"}, "cannot be reached"),
    ({"isNetwork": True, "code": "network"}, "CORS_ORIGINS"),
    ({"status": 429, "code": "hard_limit_reached"}, "next month"),
    ({"isNetwork": True, "code": "timeout"}, "in time"),
    ({"status": 400, "code": "invalid_value", "param": "Name", "message": "Name must have 4 to 63 letters."}, "Name: Name must have"),
    ({"status": 502, "code": "unheard_of"}, "failed (502)"),
    ({"status": 418, "message": "Teapot."}, "Teapot."),
])
def test_errors_are_told_in_words(lab, error, words):
    assert words in lab("api", "m.explain(new m.ApiError(v.error))", error=error)
    chinese = lab("i18n", "(m.setLanguage('zh'), import('/shared/api.js').then((api) => api.explain(new api.ApiError(v.error))))", error=error)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese) or error.get("message") in chinese


def test_values_in_sentences_stay_text_and_turn_nothing(lab):
    texts = {"en": {"x.hello": "Hello {name}, {count, plural, one {# key} other {# keys}}."}, "zh": {}}
    say = "(m.setTexts(v.texts), m.t('x.hello', {name: v.name, count: v.count}))"
    assert lab("i18n", say, texts=texts, name="<b>{count}</b>", count=1) == "Hello <b>{count}</b>, 1 key."
    assert lab("i18n", say, texts=texts, name="\u202edlrow", count=1200) == "Hello dlrow, 1,200 keys."
    assert lab("i18n", say, texts=texts, name="שלום", count=0) == "Hello \u2068שלום\u2069, 0 keys."


def test_both_languages_have_the_same_texts(lab):
    missing = lab("words", "Object.keys(m.words.en).filter((key) => !m.words.en[key] || !m.words.zh[key])")
    assert missing == []


SHOW_TABLE = """
    (window.table = new m.Table({
       caption: 'total', pageSize: 50, columns: [
         {key: 'name', title: 'day', value: (row) => row.name},
         {key: 'size', title: 'total', align: 'end', value: (row) => row.size},
       ]}), document.getElementById('main').replaceChildren(window.table.element),
     window.table.setRows(Array.from({length: v.count}, (_, i) => ({name: `row ${i}`, size: (i * 7919) % 10007}))), null)
"""


def test_ten_thousand_rows_are_shown_in_pages(lab):
    page = lab.page
    lab("table", SHOW_TABLE, count=10_000)
    rows = page.locator("#main tbody tr")
    assert rows.count() == 50
    assert page.get_by_text("1–50 of 10,000").is_visible()
    page.get_by_role("button", name="Next").click()
    assert rows.first.inner_text().startswith("row 50")
    head = page.get_by_role("columnheader", name="Total")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert rows.first.inner_text().split()[-1] == "10006"
    assert page.get_by_text("1–50 of 10,000").is_visible()
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert rows.first.inner_text().split()[-1] == "0"


def test_no_rows_are_told_in_words(lab):
    lab("table", SHOW_TABLE, count=0)
    assert lab.page.get_by_text("Nothing here yet.").is_visible()
    assert not lab.page.get_by_role("button", name="Next").is_visible()


def test_sorted_by_name_numbers_count_as_numbers(lab):
    lab("table", SHOW_TABLE, count=12)
    lab.page.get_by_role("columnheader", name="Day").get_by_role("button").click()
    assert lab.page.locator("#main tbody td:first-child").all_inner_texts()[:3] == ["row 0", "row 1", "row 2"]


SHOW_CHART = """
    (window.chart = new m.BarChart({caption: 'total'}), document.getElementById('main').replaceChildren(window.chart.element),
     window.chart.setData(v.data), new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null)))))
"""


def test_a_chart_is_a_picture_with_a_name_and_a_table(lab):
    lab("chart", SHOW_CHART, data={"labels": ["a", "b"], "series": [{"name": "<i>x</i>", "values": [1, 3]}, {"name": "y", "values": [2, 0]}]})
    page = lab.page
    assert page.get_by_role("img", name="Total").is_visible()
    assert page.locator("#main svg rect:not(.touch)").count() == 3
    page.get_by_text("Show as a table").click()
    assert page.get_by_role("row").all_inner_texts() == ["Day\t<i>x</i>\ty", "a\t1\t2", "b\t3\t0"]


def test_more_series_than_colours_are_summed_up(lab):
    data = {"labels": ["a"], "series": [{"name": f"m{i}", "values": [i]} for i in range(1, 301)]}
    lab("chart", SHOW_CHART, data=data)
    legend = lab.page.locator("#main .legend li")
    assert legend.count() == 7
    assert legend.last.inner_text().split() == ["Others", str(sum(range(1, 295)))]


@pytest.mark.parametrize("data", [{"labels": [], "series": []}, {"labels": ["a"], "series": [{"name": "m", "values": [0]}]}])
def test_a_chart_of_nothing_says_so(lab, data):
    lab("chart", SHOW_CHART, data=data)
    assert lab.page.get_by_text("Nothing to draw yet.").is_visible()


def test_a_chart_that_waits_for_its_data_has_its_names(lab):
    lab("chart", "(document.getElementById('main').replaceChildren(new m.BarChart({caption: 'total'}).element), null)")
    assert lab.page.locator("#main summary").inner_text() == "Show as a table"
    assert lab.page.locator("#main figcaption").text_content() == "Total"


def ask(lab, **options):
    lab("dialog", "(window.answer = 'open', m.confirmDialog(v.options).then((yes) => { window.answer = yes; }), null)",
        options={"title": "Delete bob?", "body": "$5.00 goes back.", "confirm": "Delete", **options})


def test_what_is_dangerous_is_not_what_enter_does(lab):
    page = lab.page
    page.locator("#pasted").focus()
    ask(lab, danger=True)
    dialog = page.get_by_role("dialog", name="Delete bob?")
    assert dialog.get_by_text("$5.00 goes back.").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.answer === false")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.id") == "pasted"


def test_a_question_is_answered_by_keyboard(lab):
    page = lab.page
    ask(lab)
    page.keyboard.press("Escape")
    page.wait_for_function("() => window.answer === false")
    ask(lab)
    page.get_by_role("button", name="Delete").press("Enter")
    page.wait_for_function("() => window.answer === true")


def test_a_key_that_is_held_down_answers_nothing(lab):
    page = lab.page
    page.locator("#pasted").focus()
    for key in ("Enter", "Space"):
        page.keyboard.down(key)
        ask(lab)
        for _ in range(3):
            page.keyboard.down(key)
        page.keyboard.up("Enter") if key == "Enter" else page.keyboard.press("Tab")
        assert page.get_by_role("dialog", name="Delete bob?").is_visible() and page.evaluate("window.answer") == "open"
        page.keyboard.press("Escape")
        page.wait_for_function("() => window.answer === false")
        if key == "Space":
            page.keyboard.up("Space")


def test_a_secret_is_not_lost_by_escape_and_is_copied(lab):
    page = lab.page
    lab("dialog", "(window.done = false, m.showSecret({title: 'The key of bob', secret: v.key}).then(() => { window.done = true; }), null)", key=KEY)
    dialog = page.get_by_role("dialog", name="The key of bob")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert dialog.get_by_label("Key").input_value() == KEY
    dialog.get_by_role("button", name="Copy").click()
    dialog.get_by_text("Copied").wait_for()
    dialog.get_by_role("button", name="I have kept it").click()
    page.wait_for_function("() => window.done")
    assert KEY not in page.content()


def test_language_and_theme_are_remembered(site, pages):
    page = pages.open(language="de-DE")
    page.goto(site.url("usage"))
    assert page.locator("html").get_attribute("lang").startswith("en")
    page.get_by_label("Language").select_option("zh")
    assert page.get_by_role("heading", level=1).inner_text() == "余额与用量"
    page.get_by_label("主题").select_option("dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.reload()
    assert page.get_by_role("heading", level=1).inner_text() == "余额与用量"
    assert page.title() == "余额与用量"
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
    page.get_by_label("主题").select_option("system")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark


def test_language_and_theme_follow_the_system_at_first(site, pages):
    page = pages.open(language="zh-TW", theme="dark")
    page.goto(site.url("usage"))
    assert page.get_by_role("heading", level=1).inner_text() == "余额与用量"
    light, dark = (sum(json.loads("[" + colour[4:-1] + "]")) for colour in [
        page.evaluate("getComputedStyle(document.body).color"), page.evaluate("getComputedStyle(document.documentElement).backgroundColor")])
    assert light > 3 * dark


def test_a_browser_that_keeps_nothing_still_works(site, page):
    page.add_init_script("""for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }});""")
    account = site.make_child(5)
    page.goto(site.url("usage"))
    page.get_by_label("Theme").select_option("dark")
    page.locator("#pasted").fill(account.key)
    page.get_by_role("button", name="Show usage").click()
    page.get_by_role("heading", name=account.name).wait_for()
