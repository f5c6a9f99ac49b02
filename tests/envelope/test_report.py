"""All figures or none; a page that keeps everything else that is on it."""
import json

import pytest

import report


def filled(**changed):
    figures = report.Report(lambda _: None)
    for name in report.FIGURES:
        if name in changed and changed[name] is None:
            continue
        figures.add(name, f"what {name} is", changed.get(name, 7), "7 of it", 10, "< 10")
    return figures


def test_a_report_with_all_figures_is_whole():
    figures = filled()
    figures.check(counted=True)
    assert figures.missed() == []
    table = figures.table(["A note."])
    assert all(f"| what {name} is | 7 of it | < 10 |" in table for name in report.FIGURES)
    assert table.endswith("\n\nA note.")


@pytest.mark.parametrize("name", report.FIGURES)
def test_a_missing_figure_is_named(name):
    with pytest.raises(report.Incomplete, match=f"not measured: {name}$"):
        filled(**{name: None}).check(counted=True)


def test_what_only_a_cgroup_counts_may_miss_without_one():
    figures = filled(**{name: None for name in report.COUNTED})
    figures.check(counted=False)
    with pytest.raises(report.Incomplete):
        figures.check(counted=True)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "7"])
def test_what_cannot_have_been_measured_is_refused(value):
    figures = filled()
    figures.figures["request_rate"]["value"] = value
    with pytest.raises(report.Incomplete, match="request_rate"):
        figures.check(counted=True)


def test_a_figure_nobody_asks_for_is_refused():
    with pytest.raises(ValueError):
        filled().add("request_rte", "", 1, "1")


def test_a_missed_figure_is_told():
    figures = filled(idle_tls_resident=10)
    assert figures.missed() == ["what idle_tls_resident is: 7 of it, wanted < 10"]
    assert "| what idle_tls_resident is | 7 of it | **missed**: < 10 |" in figures.table([])


def test_the_page_changes_between_its_marks_only(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nbehind\n")
    report.publish(page, "| new |")
    assert page.read_text() == f"before\n{report.BEGIN}\n| new |\n{report.END}\nbehind\n"


@pytest.mark.parametrize("text", ["", f"{report.BEGIN}\n", f"{report.END}{report.BEGIN}", f"{report.BEGIN}{report.BEGIN}{report.END}"])
def test_a_page_without_its_marks_stays_as_it_is(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(SystemExit):
        report.publish(page, "new")
    assert page.read_text() == text


def test_the_page_of_the_project_has_the_marks(tmp_path):
    from conftest import ROOT

    page = tmp_path / "page.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text())
    report.publish(page, "| new |")
    assert "| new |" in page.read_text()


def test_json_has_every_figure(tmp_path):
    report.write_json(tmp_path / "deep" / "envelope.json", filled(), machine={"cores": 2})
    read = json.loads((tmp_path / "deep" / "envelope.json").read_text())
    assert list(read["figures"]) == list(report.FIGURES) and read["machine"] == {"cores": 2}
    assert read["figures"]["streams"] == {"what": "what streams is", "value": 7, "wanted": "< 10", "held": True}
