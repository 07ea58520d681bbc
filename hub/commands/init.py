"""``danglian-hub init``: makes the home of a new hub, with its keys and certificates."""

import argparse
import datetime
import json
import os

from hub import broker, config
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.membership import certificates
from hub.membership.broker_config import users_text
from hub.vocabulary.word_tables import gazetteer_table, synonym_table
from hub.web_settings import WEB_PORT
from hub.window.disposal_table import disposal_table
from hub.window.dispute_table import dispute_table
from hub.window.rule_table import rule_table
from protocol.enrolment import BROKER_PORT, ENROLMENT_PORT
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import Parsers, say, say_json
from replication.county_key import COUNTY_KEY_BYTES, write_county_key
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE, write_whole
from replication.keys import load_identity, new_seed, write_seed


def add(parsers: Parsers) -> None:
    """Add the command to the command line."""
    parser = parsers.add_parser("init", help="建立县级枢纽的目录、密钥和证书 / make the home of a new hub")
    add_home_option(parser)
    parser.add_argument("--county", required=True, metavar="CODE", help="县档案馆站点代码（12 位）/ the county's code")
    parser.add_argument("--name", required=True, help="县档案馆名称 / name of the county archive")
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        help="各站点访问本机用的主机名或地址，可重复 / name or address under which the sites reach this machine",
    )
    parser.add_argument("--listen", default=config.EVERYWHERE[0], help="监听地址 / address to listen on")
    parser.add_argument("--port", type=int, default=BROKER_PORT, help="消息端口 / the broker's port")
    parser.add_argument("--enrol-port", type=int, default=ENROLMENT_PORT, help="登记端口 / the enrolment door's port")
    parser.add_argument(
        "--web-port", type=int, default=WEB_PORT, help="控制台端口，0 表示不开 / the console's port, 0: none"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the home; an existing one is never touched.

    Raises:
        BadSetting: the home exists, or a setting is wrong.

    """
    text = settings_text(args.county, args.name, args.host, args.listen, args.port, args.enrol_port, args.web_port)
    settings = config.parse(text, "init")
    home = home_at(args.home)
    public_key = make_home(home, settings, text, datetime.datetime.now(datetime.UTC))
    if args.json:
        say_json({"home": str(home.root), "county": settings.county, "name": settings.name, "hub_key": public_key})
        return 0
    say(Text(zh=f"已建立县级枢纽：{home.root}", en=f"The hub's home is made: {home.root}"))
    say(
        Text(
            zh="下一步：danglian-hub run 启动，并给出控制台首次使用的链接；danglian-hub enrol 站点代码 为各站发登记码。"
            "请备份 keys 与 tls 目录。",
            en="Next: danglian-hub run starts it and prints the link for the console's first user;"
            " danglian-hub enrol SITE issues codes. Back up keys and tls.",
        )
    )
    if not settings.hosts:
        say(
            Text(
                zh="提示：未给 --host，各站点暂时只能从本机连接；请在 hub.toml 的 hosts 中填写本机地址。",
                en="Note: without --host only this machine can connect; name its address under hosts in hub.toml.",
            )
        )
    return 0


def make_home(home: HubHome, settings: HubConfig, text: str, now: datetime.datetime) -> str:
    """Make everything that is missing and return the hub's public key; ``hub.toml`` comes last and completes it.

    Raises:
        BadSetting: the home is complete already.

    """
    if home.settings.exists():
        raise BadSetting(
            Text(zh=f"此目录已是县级枢纽：{home.root}", en=f"there is a hub in this home already: {home.root}"),
            Text(
                zh="不会覆盖已有的密钥和数据；请用 --home 指定新的目录。",
                en="Keys and data are never overwritten: name a new folder with --home.",
            ),
        )
    home.hub_seed.parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    if not home.hub_seed.exists():
        write_seed(home.hub_seed, new_seed(os.urandom(32)))
    if not home.county_key.exists():
        write_county_key(home.county_key, os.urandom(COUNTY_KEY_BYTES))
    public_key = load_identity(home.hub_seed).public_key
    certificates.provide(home, settings.county, settings.certified_hosts, now)
    broker.configure(home, settings, public_key)
    write_whole(home.broker_users, users_text(public_key, ()).encode("ascii"), mode=PRIVATE_MODE)
    gazetteer_table(home).provide()
    synonym_table(home).provide()
    rule_table(home).provide()
    dispute_table(home).provide()
    disposal_table(home).provide()
    write_whole(home.settings, text.encode("utf-8"))
    return public_key


def settings_text(
    county: str, name: str, hosts: list[str], listen: str, port: int, enrol_port: int, web_port: int = 0
) -> str:
    """Return the text of a new ``hub.toml``."""
    return f"""\
# 本文件由 danglian-hub init 生成，可以修改；各项设置见 deploy/hub.example.toml。修改后请重新启动。
# Written by danglian-hub init, yours to change; deploy/hub.example.toml explains every setting. Restart after a change.

# 县档案馆的站点代码与名称 / site code and name of the county archive
county = {_quoted(county)}
name = {_quoted(name)}

# 各站点访问本机用的主机名或地址 / names and addresses under which the sites reach this machine
hosts = [{", ".join(_quoted(host) for host in hosts)}]

[broker]
host = {_quoted(listen)}
port = {port}

[enrolment]
host = {_quoted(listen)}
port = {enrol_port}

# 控制台（浏览器）；在其他电脑上使用请设 host 与 tls / the console; for other machines set host and tls
[web]
host = "127.0.0.1"
port = {web_port}
"""


def _quoted(text: str) -> str:
    return json.dumps("".join(character for character in text if character.isprintable()), ensure_ascii=False)
