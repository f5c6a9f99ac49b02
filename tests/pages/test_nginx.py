"""nginx with config/nginx before the daemon and the pages."""
import json


def test_configuration_has_no_fault(site):
    code, text = site.nginx.check()
    assert code == 0 and "warn" not in text and "emerg" not in text, text
    assert site.nginx.start_log() == ""


def test_api_answers_by_name(site):
    status, headers, body = site.get("api", "/v1/models", {"Authorization": f"Bearer {site.root_key}"})
    assert status == 200 and json.loads(body)["object"] == "list"
