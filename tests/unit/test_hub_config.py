from pathlib import Path

import pytest

from hub import config
from hub.home import home_at
from protocol.errors import BadSetting
from protocol.sites import Site
from replication.streams import STREAM_BYTES_MAX

LEAST = 'county = "330523000000"\nname = "某县档案馆"\n'


def test_the_example_loads_and_names_every_setting(project: Path) -> None:
    """The example is the manual: a setting that it does not mention does not exist for its reader."""
    path = project / "deploy" / "hub.example.toml"
    text = path.read_text(encoding="utf-8")

    settings = config.load(path)

    assert settings.site == Site(county="330523", town="000", village="000")
    named = {f"{name.rpartition('.')[2]} =": f"[[{name}]]" for name in config.EXAMPLES}
    assert [name for name, table in named.items() if name not in text and table not in text] == []


def test_the_commented_part_of_the_example_is_right_too(project: Path) -> None:
    text = (project / "deploy" / "hub.example.toml").read_text(encoding="utf-8")
    commented = text[text.index("# [external-broker]") :].replace("# ", "")

    settings = config.parse(LEAST + commented)

    assert settings.node_urls == settings.hub_urls == ("tls://nats.county.example:4222",)
    assert settings.broker_ca(home_at(Path("h"))) == Path("h").absolute() / "tls" / "nats-ca.pem"
    assert (settings.events.replicas, settings.events.bytes_max, settings.workers.parts) == (3, 64 * 1024**3, 16)


def test_a_scanner_that_cannot_be_reached_by_its_address_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"transfers\.scanner"):
        config.parse(LEAST + '[transfers]\nscanner = "clamd"')


def test_workers_without_a_broker_that_all_of_them_reach_are_refused() -> None:
    with pytest.raises(BadSetting, match=r"workers\.parts"):
        config.parse(LEAST + "[workers]\nparts = 2")


def test_the_commented_targets_of_the_example_are_right_too(project: Path) -> None:
    text = (project / "deploy" / "hub.example.toml").read_text(encoding="utf-8")
    commented = (
        text[text.index("# [[backup.target]]") : text.index("# 若县里已有")].replace("# ", "").replace("#\n", "\n")
    )
    lines = [line for line in commented.splitlines() if line.startswith("[[") or " = " in line]

    targets = config.parse(LEAST + "\n".join(lines)).backup.target

    assert [(one.name, one.kind, one.keep, one.alarm_days) for one in targets] == [
        ("nas", "online", 14, 2),
        ("safe", "offline", 14, 35),
    ]


def test_without_settings_there_are_no_targets_and_the_nightly_hour_is_set() -> None:
    settings = config.parse(LEAST).backup

    assert (settings.at, settings.target, settings.nightly) == ("02:30", (), ())


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ([("nas", "/a"), ("nas", "/b")], "two targets have the name nas"),
        ([("nas", "/a"), ("two", "/a/")], "two targets have the path /a"),
        ([("nas", "a/b")], "the path of nas is not absolute: a/b"),
        ([("../x", "/a")], "backup.target"),
    ],
)
def test_targets_that_would_be_confused_are_refused(targets: list[tuple[str, str]], names: str) -> None:
    text = "".join(f'[[backup.target]]\nname = "{name}"\nkind = "online"\npath = "{path}"\n' for name, path in targets)

    with pytest.raises(BadSetting) as caught:
        config.parse(LEAST + text)

    assert names in caught.value.reason.en
    assert caught.value.hint.en.startswith("For example: target = [")


def test_the_example_of_a_target_is_one() -> None:
    settings = config.parse(f"{LEAST}[backup]\n{config.EXAMPLES['backup.target']}")

    assert [one.name for one in settings.backup.target] == ["nas"]


def test_two_lines_are_enough() -> None:
    settings = config.parse(LEAST)

    assert settings.hub_urls == ("tls://127.0.0.1:4222",)
    assert settings.node_urls == ("tls://127.0.0.1:4222",)
    assert settings.certified_hosts == ("localhost", "127.0.0.1")
    assert settings.enrolment.port == 4223


def test_hosts_are_where_nodes_connect_and_what_the_certificate_bears() -> None:
    settings = config.parse(LEAST + 'hosts = ["archive.example", "fd00::5"]\n[broker]\nhost = "10.0.0.9"\nport = 4300')

    assert settings.node_urls == ("tls://archive.example:4300", "tls://[fd00::5]:4300")
    assert settings.hub_urls == ("tls://10.0.0.9:4300",)
    assert settings.certified_hosts == ("archive.example", "fd00::5", "10.0.0.9", "localhost", "127.0.0.1")


def test_the_least_store_is_what_the_stream_reserves() -> None:
    """With less the broker would start and then refuse the stream."""
    assert config.STORE_MIB_MIN * 1024 * 1024 == STREAM_BYTES_MAX


@pytest.mark.parametrize(
    ("text", "names", "example"),
    [
        ('name = "某县"', "county", 'county = "330523000000"'),
        (LEAST + "prot = 1", "prot", ""),
        (LEAST + "[broker]\nprot = 4222", "broker.prot", "port = 4222"),
        (LEAST + '[broker]\nport = "4222"', "broker.port", "port = 4222"),
        (LEAST + "[broker]\nport = 70000", "broker.port", "port = 4222"),
        (LEAST + "[broker]\nstore-mib-max = 100", "broker.store-mib-max", "store-mib-max"),
        (LEAST + "[enrolment]\ncode-days = 400", "enrolment.code-days", "code-days = 7"),
        (LEAST + 'hosts = "archive"', "hosts", "hosts = ["),
        (LEAST + 'hosts = ["档案馆"]', "hosts", "hosts = ["),
        (LEAST + 'hosts = ["0.0.0.0"]', "hosts", "hosts = ["),
        (LEAST + 'hosts = ["tls://archive:4222"]', "hosts", "hosts = ["),
        (LEAST + "hosts = [1]", "hosts", "hosts = ["),
        (LEAST + '[external-broker]\nurls = []\nca-file = "x"', "external-broker.urls", "urls = ["),
        (LEAST + '[external-broker]\nurls = ["tls://x"]', "external-broker.ca-file", "ca-file ="),
        (LEAST.replace("330523000000", "330523108204"), "county", 'county = "330523000000"'),
        (LEAST.replace("330523000000", "33"), "county", 'county = "330523000000"'),
        ('county = "330523000000"\nname = " "', "name", 'name = "某县档案馆"'),
    ],
)
def test_a_wrong_setting_is_named_with_a_line_that_would_be_right(text: str, names: str, example: str) -> None:
    with pytest.raises(BadSetting) as raised:
        config.parse(text)

    error = raised.value
    assert names in error.reason.en
    assert names in error.reason.zh
    assert "hub.toml" in error.reason.zh
    assert example in error.hint.en


@pytest.mark.parametrize("text", ["county = ", "county = 'x", "=", "[broker", LEAST + LEAST])
def test_what_is_no_toml_says_where(text: str) -> None:
    with pytest.raises(BadSetting, match=r"at (line|end of)"):
        config.parse(text)


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as raised:
        config.load(tmp_path / "hub.toml")

    assert "danglian-hub init" in raised.value.hint.zh


def test_a_file_in_another_encoding_is_refused_in_words(tmp_path: Path) -> None:
    """Windows editors write GB18030 or UTF-8 with a mark; the mark is fine."""
    path = tmp_path / "hub.toml"
    path.write_bytes(LEAST.encode("gb18030"))
    with pytest.raises(BadSetting, match="cannot read"):
        config.load(path)

    path.write_bytes(LEAST.encode("utf-8-sig"))
    assert config.load(path).name == "某县档案馆"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ('[alarms]\noffice-hours = ["x"]', "alarms.office-hours"),
        (
            '[alarms]\nescalation = [{ who = "county", after-hours = 0 }, { who = "village", after-hours = 1 }]',
            "alarms.escalation",
        ),
        ('[[alarms.escalation]]\nwho = "mayor"\nafter-hours = 0', "alarms.escalation"),
    ],
)
def test_settings_of_alarms_that_make_no_sense_are_named(setting: str, named: str) -> None:
    with pytest.raises(BadSetting) as refused:
        config.parse(f'county = "330523000000"\nname = "x"\n{setting}')

    assert named in refused.value.reason.en
