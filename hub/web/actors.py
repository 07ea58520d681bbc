"""Who did something, as people read it: a login is a person; commands, tokens and the hub have names of their own.

Stored names stay as they are (``hub:lookup``, ``cli:root``): the audit log is searched and proved by them.
"""

from protocol.wording import Text

_HUB = "hub"
_KINDS = {
    "cli": Text(zh="命令行 {name}", en="{name} (command line)"),
    "token": Text(zh="接口令牌 {name}", en="token {name}"),
}


def spoken_actor(who: str, language: str) -> str:
    """Return who it was in a reader's language; a login as it is."""
    kind, mark, name = who.partition(":")
    if kind == _HUB and (mark or not name):
        return Text(zh="系统", en="the system").in_language(language)
    if mark and kind in _KINDS:
        return _KINDS[kind].in_language(language).format(name=name)
    return who
