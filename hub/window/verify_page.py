"""The page that verifies certificates in any browser: one file, no sign-in, no network but the county's key list.

The list of the moment of writing is inside; if ``keys.json`` lies beside the page, and the hub's key signed it, the
newer one counts. Nothing that a reader gives to the page leaves the browser.
"""

import json
from functools import cache
from pathlib import Path

from protocol.key_lists import KeyList
from replication.keys import raw_public_key

_TEMPLATE = Path(__file__).with_name("verify.html")


def page(signed_list: bytes, listed: KeyList, hub_key: str) -> bytes:
    """Return the page with the county's key list in it."""
    values = {
        "COUNTY_NAME": json.dumps(listed.name, ensure_ascii=False),
        "COUNTY_KEY": json.dumps(raw_public_key(hub_key).hex()),
        "SIGNED_LIST": signed_list.decode(),
    }
    text = _template()
    for name, value in values.items():
        # A text in a script must not be able to end it.
        text = text.replace(f"/*{name}*/", value.replace("<", "\\u003c"))
    return text.encode()


@cache
def _template() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")
