"""Reading node.toml: what is right is understood, what is wrong is named with the remedy."""

from pathlib import Path

import pytest

from node.config import EXAMPLES, NodeConfig, load, parse
from node.home import home_at
from protocol.errors import BadSetting
from protocol.reference_codes import SegmentKind
from protocol.vocabularies import Level

PLAIN = 'site = "330523108204"\nname = "某村"\n'
HUB = '[hub]\nurls = ["tls://hub.example:4222"]\n'


def test_plain_settings_watch_the_default_folder(tmp_path: Path) -> None:
    config = parse(PLAIN + HUB)
    home = home_at(tmp_path)
    assert [folder.place(home) for folder in config.folders] == [home.catalogues]
    assert config.parsed_site.code == "330523108204"
    assert (config.brake.rows, config.brake.share) == (50, 0.05)


def test_example_explains_settings_that_load(project: Path) -> None:
    config = load(project / "deploy" / "node.example.toml")
    shared = config.folders[1]
    assert shared.level is Level.VOLUME
    assert [segment.kind for segment in shared.profiles[0].segments][-1] is SegmentKind.ITEM
    assert shared.profiles[0].segments[-1].width == 4
    assert config.settle_of(shared) == config.network_settle_s
    assert config.settle_of(config.folders[0]) == config.settle_s


def test_every_setting_stands_in_the_example(project: Path) -> None:
    text = (project / "deploy" / "node.example.toml").read_text(encoding="utf-8")
    missing = [name for name in EXAMPLES if name.rpartition(".")[2] not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (HUB + 'site = "330523108204"', "site"),
        ('name = "x"\n' + HUB, "site"),
        ('site = "33"\nname = "x"\n' + HUB, "site"),
        (PLAIN, "hub"),
        (PLAIN + "settle = 2\n" + HUB, "settle"),
        (PLAIN + 'settle-s = "two"\n' + HUB, "settle-s"),
        (PLAIN + "settle-s = 0\n" + HUB, "settle-s"),
        (PLAIN + "[brake]\nshare = 5\n" + HUB, "brake.share"),
        (PLAIN + '[transfers]\nscanner = "clamd"\n' + HUB, "transfers.scanner"),
        (PLAIN + HUB + '[[folders]]\nlevel = "卷"\n', "folders[0].level"),
        (PLAIN + HUB + '[[folders]]\nowner = "村委会"\n', "folders[0].owner"),
        (PLAIN + HUB + '[[folders]]\nlivelihood-kind = "forest"\n', "folders[0].livelihood-kind"),
        (PLAIN + HUB + '[[folders]]\n[folders.columns]\ntitel = "题名"\n', "folders[0].columns"),
        (PLAIN + HUB + "[[folders]]\n[[folders]]\n", "folders[1].path"),
        (PLAIN + HUB + '[[folders]]\ncode-profiles = [{ id = "a", segments = ["nr"] }]', "folders[0].code-profiles"),
        (
            PLAIN + HUB + '[[folders]]\ncode-profiles = [{ id = "a", fonds-no = "(", segments = ["item_no"] }]',
            "folders[0].code-profiles",
        ),
    ],
)
def test_wrong_setting_is_named_with_a_line_that_would_be_right(text: str, named: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(text)
    assert named in caught.value.reason.zh
    assert named in caught.value.reason.en
    assert "例如" in caught.value.hint.zh


def test_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(BadSetting, match="not TOML"):
        parse("site = 3305 23")


def test_missing_file_tells_to_run_init(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        load(tmp_path / "node.toml")
    assert "init" in caught.value.hint.en


def test_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_bytes((PLAIN + HUB).encode("gb18030"))
    with pytest.raises(BadSetting, match="cannot read"):
        load(tmp_path / "node.toml")


def test_examples_of_single_settings_are_right() -> None:
    """The line that an error suggests must not be wrong itself."""
    for name, line in EXAMPLES.items():
        section, _, _ = name.rpartition(".")
        if line.startswith("[") or name in ("site", "name") or "code-profiles" in name:
            continue
        if section == "hub":
            text = PLAIN + "[hub]\n" + (line if name == "hub.urls" else 'urls = ["tls://a"]\n' + line)
        elif section in ("folders", "scans"):
            text = f"{PLAIN}{HUB}[[{section}]]\n{line}"
        elif section == "policy.rules":
            rule = line if name.endswith("treatment") else 'treatment = "mask"\n' + line
            text = f"{PLAIN}{HUB}[[policy.rules]]\n{rule}"
        elif section:
            text = f"{PLAIN}{HUB}[{section}]\n{line}"
        else:
            text = PLAIN + line + "\n" + HUB
        assert isinstance(parse(text), NodeConfig), name


def test_a_site_that_says_nothing_promises_the_hours_that_all_offices_share() -> None:
    plain = parse('site = "330523108204"\nname = "x"\n[hub]\nurls = ["tls://h:1"]')

    assert [(one.days, one.opens, one.closes) for one in plain.rhythm.promised.hours] == [
        ((1, 2, 3, 4, 5), 540, 690),
        ((1, 2, 3, 4, 5), 840, 1020),
    ]
    assert plain.rhythm.promised.time_zone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ('office-hours = ["always"]', "rhythm.office-hours"),
        ('time-zone = "Asia/Nowhere"', "rhythm.time-zone"),
        ("heartbeat-s = 3600", "rhythm.heartbeat-s"),
    ],
)
def test_a_rhythm_that_makes_no_sense_is_named(setting: str, named: str) -> None:
    text = f'site = "330523108204"\nname = "x"\n[hub]\nurls = ["tls://h:1"]\n[rhythm]\n{setting}'
    with pytest.raises(BadSetting) as refused:
        parse(text)

    assert named in refused.value.reason.en
    assert "For example" in refused.value.hint.en
