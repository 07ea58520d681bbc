"""The registry's rows about a whole catalogue file: code, severity, reason and remedy in Chinese and English."""

from typing import Final

FILE_FINDINGS: Final[tuple[tuple[str, str, str, str, str, str], ...]] = (
    (
        *("file_unreadable", "reject"),
        *("文件损坏，无法读取。", "The file is damaged and cannot be read."),
        *(
            "在表格软件中打开并另存后重新放入。",
            "Open it in a spreadsheet program, save it under another name and drop it again.",
        ),
    ),
    (
        *("file_encrypted", "reject"),
        *("文件有密码保护。", "The file is protected by a password."),
        *("取消密码后重新保存。", "Remove the password and save it again."),
    ),
    (
        *("file_empty", "reject"),
        *("文件是空的。", "The file is empty."),
        *("核对是否放错文件。", "Check whether this is the right file."),
    ),
    (
        *("file_incomplete", "reject"),
        *("文件尚未写完或复制中断。", "The file was not written to its end."),
        *("重新复制该文件。", "Copy the file again."),
    ),
    (
        *("file_too_large", "reject"),
        *("文件超过允许的大小。", "The file is larger than allowed."),
        *("拆分成几个文件。", "Split it into several files."),
    ),
    (
        *("file_format_unsupported", "reject"),
        *("不支持这种文件格式。", "This file format is not supported."),
        *("另存为 .xlsx、.xls、.csv 或制表符分隔的 .txt。", "Save it as .xlsx, .xls, .csv or tab-separated .txt."),
    ),
    (
        *("too_many_rows", "reject"),
        *("行数超过允许的上限。", "The file has more rows than allowed."),
        *("按年度或全宗拆分。", "Split it by year or fonds."),
    ),
    (
        *("header_not_found", "reject"),
        *(
            "找不到表头：没有一行同时含有档号和题名等栏目。",
            "No header row: no row names columns such as 档号 and 题名.",
        ),
        *("补上表头，或在节点配置中写明列的对应。", "Add a header row, or map the columns in the node's settings."),
    ),
    (
        *("header_ambiguous", "warning"),
        *("有两列对应同一栏目，只采用第一列。", "Two columns mean the same field; the first is used."),
        *("删去重复的列，或在节点配置中写明列的对应。", "Remove one, or map the columns in the node's settings."),
    ),
    (
        *("column_unmapped", "warning"),
        *("有一列不认识，未采用。", "A column is not recognised and was left out."),
        *("需要的话，在节点配置中写明列的对应。", "Map it in the node's settings if it is needed."),
    ),
    (
        *("sheet_skipped", "warning"),
        *("有一张工作表没有表头，未读取。", "A sheet without a header row was skipped."),
        *("若其中有目录数据，补上表头。", "Add a header row if it holds catalogue rows."),
    ),
    (
        *("encoding_uncertain", "warning"),
        *("文件编码为推断。", "The file's encoding was guessed."),
        *("抽查汉字是否正确；另存为 UTF-8 更可靠。", "Check some characters; UTF-8 is safer."),
    ),
    (
        *("encoding_unreadable", "reject"),
        *("文件编码无法识别。", "The file's encoding cannot be recognised."),
        *("另存为 UTF-8 或 GB18030。", "Save it as UTF-8 or GB18030."),
    ),
)
