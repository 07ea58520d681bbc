"""What can be wrong with a bag, each with its words and what to do about it."""

from enum import StrEnum
from typing import Final

import msgspec

from protocol.wording import Text

PATH_SHOWN_CHARS = 160
"""Characters of a path in a message; a longer one is cut in the middle."""


class BagFaultCode(StrEnum):
    """One word for programs."""

    NO_DECLARATION = "no_declaration"
    DECLARATION = "declaration"
    VERSION = "version"
    ENCODING = "encoding"
    NO_PAYLOAD = "no_payload"
    NO_MANIFEST = "no_manifest"
    ALGORITHM = "algorithm"
    LINE = "line"
    INFO = "info"
    OXUM = "oxum"
    PATH = "path"
    OUTSIDE = "outside"
    LISTED_TWICE = "listed_twice"
    CONTRADICTORY = "contradictory"
    NOT_IN_EVERY_MANIFEST = "not_in_every_manifest"
    MANIFEST_UNLISTED = "manifest_unlisted"
    MISSING = "missing"
    HOLE = "hole"
    FETCH = "fetch"
    UNLISTED = "unlisted"
    DIGEST = "digest"
    UNREADABLE = "unreadable"
    LINK = "link"
    CHANGED = "changed"
    TOO_MANY = "too_many"
    CLASH = "clash"
    SPELLING = "spelling"
    PORTABLE = "portable"
    SYSTEM_FILE = "system_file"
    BOM = "bom"
    MD5SUM = "md5sum"
    DOT_SLASH = "dot_slash"


class BagFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: of the bag, or of the file at ``path``; ``is_warning`` where the bag is valid all the same."""

    code: BagFaultCode
    path: str = ""
    line: int = 0
    """Line of the tag file named in the text, from 1; 0 where none is meant."""
    is_warning: bool = False
    text: Text
    remedy: Text


_AGAIN: Final = ("请移交方重新制作或重新复制该包。", "Ask the sender to make or copy the package again.")
_RENAME: Final = ("改名后重新打包。", "Rename it and make the package again.")
_UNPACK_SAFE: Final = (
    "不要打开该包，请与移交方核实来源。",
    "Do not open the package; ask the sender where it comes from.",
)

_WORDS: Final[dict[BagFaultCode, tuple[str, str, tuple[str, str]]]] = {
    BagFaultCode.NO_DECLARATION: ("没有 bagit.txt，不是 BagIt 包", "there is no bagit.txt, so this is no bag", _AGAIN),
    BagFaultCode.DECLARATION: ("bagit.txt 不合格式", "bagit.txt is not as the standard wants it", _AGAIN),
    BagFaultCode.VERSION: ("BagIt 版本号无法识别", "the version of BagIt is unknown", _AGAIN),
    BagFaultCode.ENCODING: (
        "标签文件的编码无法识别或与内容不符",
        "the encoding of the tag files is unknown or not kept to",
        _AGAIN,
    ),
    BagFaultCode.NO_PAYLOAD: ("没有 data 文件夹", "there is no folder data", _AGAIN),
    BagFaultCode.NO_MANIFEST: ("没有载荷清单 manifest-*.txt", "there is no payload manifest", _AGAIN),
    BagFaultCode.ALGORITHM: (
        "本机不能计算该摘要算法，无法核对",
        "this machine cannot compute the digest, so nothing was compared",
        ("换一台装有 OpenSSL 3 的机器核对。", "Check it on a machine with OpenSSL 3."),
    ),
    BagFaultCode.LINE: ("清单中有一行无法解读", "a line of the manifest cannot be read", _AGAIN),
    BagFaultCode.INFO: ("bag-info.txt 中有一行无法解读", "a line of bag-info.txt cannot be read", _AGAIN),
    BagFaultCode.OXUM: (
        "Payload-Oxum（总字节数.文件数）与实际不符",
        "Payload-Oxum (bytes.files) is not what is there",
        _AGAIN,
    ),
    BagFaultCode.PATH: ("清单中的路径不安全", "a path of the manifest is not safe", _UNPACK_SAFE),
    BagFaultCode.OUTSIDE: (
        "载荷清单列出了 data 之外的文件",
        "the payload manifest lists a file outside of data",
        _AGAIN,
    ),
    BagFaultCode.LISTED_TWICE: ("同一文件在清单中列了两次", "the manifest lists the file twice", _AGAIN),
    BagFaultCode.CONTRADICTORY: (
        "同一文件列了两次且摘要不同",
        "the file is listed twice with different digests",
        _AGAIN,
    ),
    BagFaultCode.NOT_IN_EVERY_MANIFEST: (
        "有的载荷清单没有列出该文件",
        "not every payload manifest lists the file",
        _AGAIN,
    ),
    BagFaultCode.MANIFEST_UNLISTED: (
        "标签清单没有列出载荷清单",
        "the tag manifest does not list the payload manifest",
        _AGAIN,
    ),
    BagFaultCode.MISSING: ("清单列出但包中没有该文件", "the file is listed but is not there", _AGAIN),
    BagFaultCode.HOLE: (
        "该文件要从别处下载，包不完整",
        "the file would have to be fetched from elsewhere: the bag has a hole",
        (
            "请移交方放入该文件；本系统从不从包中的网址下载。",
            "Ask the sender to put the file in; nothing is ever fetched from here.",
        ),
    ),
    BagFaultCode.FETCH: (
        "包中有 fetch.txt，但所列文件都在",
        "there is a fetch.txt, but all of its files are here",
        ("可以接收；下次请不要带 fetch.txt。", "It can be taken; leave fetch.txt out next time."),
    ),
    BagFaultCode.UNLISTED: ("包中多出清单没有列出的文件", "the file is there but not listed", _AGAIN),
    BagFaultCode.DIGEST: ("文件内容与清单中的摘要不符", "the content does not have the digest that is listed", _AGAIN),
    BagFaultCode.UNREADABLE: (
        "文件读不出",
        "the file cannot be read",
        ("检查载体后重新复制。", "Look at the carrier, then copy it again."),
    ),
    BagFaultCode.LINK: (
        "是链接或特殊文件，不是普通文件",
        "it is a link or a special file, not a plain one",
        _UNPACK_SAFE,
    ),
    BagFaultCode.CHANGED: ("核对期间文件发生变化", "the file changed while it was checked", _AGAIN),
    BagFaultCode.TOO_MANY: (
        "包中文件过多",
        "there are too many files",
        ("分成几个包移交。", "Divide it into several packages."),
    ),
    BagFaultCode.CLASH: (
        "只有大小写或字符写法不同的两个名称",
        "two names differ only in case or in how characters are written",
        _RENAME,
    ),
    BagFaultCode.SPELLING: (
        "清单与磁盘上的名称字符写法不同",
        "manifest and disk write the characters of the name differently",
        _RENAME,
    ),
    BagFaultCode.PORTABLE: ("该名称在有的系统上不能使用", "some systems cannot hold this name", _RENAME),
    BagFaultCode.SYSTEM_FILE: (
        "是操作系统自动生成的文件",
        "it is a file that an operating system left behind",
        ("删去后重新打包。", "Remove it and make the package again."),
    ),
    BagFaultCode.BOM: ("标签文件带有字节顺序标记", "the tag file begins with a byte order mark", _AGAIN),
    BagFaultCode.MD5SUM: ("清单带有 md5sum 工具的星号", "the manifest has the asterisks of md5sum", _AGAIN),
    BagFaultCode.DOT_SLASH: ("清单中的路径以 ./ 开头", "a path of the manifest begins with ./", _AGAIN),
}


def bag_fault(
    code: BagFaultCode, path: str = "", *, detail: str = "", line: int = 0, warning: bool = False
) -> BagFault:
    """Return a fault with its words; ``detail`` is shown in both languages as it is."""
    zh, en, remedy = _WORDS[code]
    where = f"{_shown(path)}" if path else ""
    more = f"（{detail}）" if detail else ""
    further = f" ({detail})" if detail else ""
    return BagFault(
        code=code,
        path=path,
        line=line,
        is_warning=warning,
        text=Text(
            zh=f"{where}：{zh}{more}" if where else f"{zh}{more}",
            en=f"{where}: {en}{further}" if where else en + further,
        ),
        remedy=Text(zh=remedy[0], en=remedy[1]),
    )


def _shown(path: str) -> str:
    """Return a path that can be printed: without line ends or bytes that are no text, and not too long."""
    plain = path.encode("utf-8", "backslashreplace").decode("utf-8")
    visible = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in plain)
    half = PATH_SHOWN_CHARS // 2
    return visible if len(visible) <= PATH_SHOWN_CHARS else f"{visible[:half]}…{visible[-half:]}"
