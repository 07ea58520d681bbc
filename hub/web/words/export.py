"""The words of exports, in both languages side by side."""

import msgspec


class ExportWords(msgspec.Struct, frozen=True, kw_only=True):
    """Exports of a result."""

    title: str
    export: str
    hint: str
    file_title: str
    writing: str
    written: str
    done: str
    failed: str
    failed_hint: str
    bounded: str
    cut: str
    fetch: str
    kept: str
    restricted: str
    look_again: str


EXPORT_CHINESE = ExportWords(
    title="导出",
    export="导出",
    hint="最多 {count} 条，写入审计。",
    file_title="目录检索结果",
    writing="正在写出",
    written="已写出 {count} 条",
    done="已写好，共 {count} 条",
    failed="导出没有完成。",
    failed_hint="请返回检索页重新导出。",
    bounded="已到上限 {count} 条，结果中还有更多条目没有写出。请限定范围后分次导出。",
    cut="有的检索超时，文件可能缺少条目。",
    fetch="下载 {format}（{size}）",
    kept="文件保留一小时，枢纽重启后即不再保留。",
    restricted="其中控制使用的 {count} 条，请按规定保管。",
    look_again="刷新进度",
)

EXPORT_ENGLISH = ExportWords(
    title="Export",
    export="Export",
    hint="{count:entry|entries} at most; noted in the audit log.",
    file_title="Entries found in the catalogue",
    writing="Being written",
    written="{count:entry|entries} written",
    done="Written: {count:entry|entries}",
    failed="The export did not succeed.",
    failed_hint="Go back to the search and export again.",
    bounded="The bound of {count:entry|entries} is reached and there are more. Narrow the search and export in parts.",
    cut="Some searches ran out of time: entries may be missing.",
    fetch="Fetch {format} ({size})",
    kept="The file is kept for an hour, and not over a restart of the hub.",
    restricted="{count} of them are under restricted use: keep the file accordingly.",
    look_again="Look again",
)
