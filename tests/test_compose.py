"""compose.yaml: what the profile https lets through, and where its images come from."""

import re
from pathlib import Path

COMPOSE = (Path(__file__).parents[1] / "compose.yaml").read_text(encoding="utf-8")


def service(name: str) -> str:
    """The lines of one service."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", COMPOSE, re.M)
    assert found, f"there is no service {name}"
    return found[1]


def test_images_come_from_wherever_the_engine_takes_them() -> None:
    images = re.findall(r"^ +image: (\S+)", COMPOSE, re.M)
    assert len(images) == 2
    assert not [image for image in images if "/" in image], "a registry's name stands in it"


def test_https_is_only_started_when_it_is_asked_for() -> None:
    assert re.search(r"profiles:\n +- https\n", service("caddy"))
    assert "profiles" not in service("sarafan")
    assert "127.0.0.1:8080:8080" in service("sarafan"), "health and metrics stay on the machine"


def test_a_start_without_the_profile_needs_no_domain() -> None:
    assert re.findall(r"\$\{([^}]*)\}", COMPOSE) == ["DOMAIN:-localhost"], "compose reads all of the file"


def test_only_webhooks_and_the_dashboard_are_seen_from_outside() -> None:
    caddyfile = COMPOSE.partition("content: |")[2].partition("\nsecrets:")[0]
    assert re.findall(r"path (.*)", caddyfile) == ["/webhooks/* /dashboard /dashboard/*"]
    assert "handle {\n          respond 404" in caddyfile
    assert "request>uri delete" in caddyfile, "the webhooks' secret stands in their paths"


def test_the_proxy_has_no_more_powers_than_the_worker() -> None:
    for line in ("read_only: true", "- ALL", "no-new-privileges:true"):
        assert line in service("caddy")
    assert re.findall(r"cap_add:\n((?: +- .*\n)+)", COMPOSE) == ["      - NET_BIND_SERVICE\n"]
