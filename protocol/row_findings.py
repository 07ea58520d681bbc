"""The registry's rows about what a catalogue row says it is: its reference code, title, makers and document number.

Each row: code, severity, reason and remedy, both in Chinese and English. Sources: DA/T 13-2022 (reference codes), DA/T
22-2015 (filing), and what real vendors' sheets contain. A code is never renamed: reject files and statistics of past
years carry it.
"""

from typing import Final

ROW_FINDINGS: Final[tuple[tuple[str, str, str, str, str, str], ...]] = (
    (
        "ref_code_missing",
        "reject",
        "缺少档号。",
        "The reference code is missing.",
        "补填档号后重新放入目录。",
        "Fill in the code and drop the file again.",
    ),
    (
        "ref_code_damaged_by_spreadsheet",
        "reject",
        "档号已被表格软件改成日期或数值。",
        "The spreadsheet program turned the reference code into a date or a number.",
        "将该列设为“文本”格式，按原件重新录入档号。",
        "Format the column as text and type the code again from the original.",
    ),
    (
        "row_held_elsewhere",
        "reject",
        "另一个目录文件中已有完全相同的条目，未重复登记。",
        "Another catalogue file already lists the same record; it is not described twice.",
        "若两份文件确为重复，请移走其中一份。",
        "If the two files are the same, take one of them away.",
    ),
    (
        "row_withdrawn_before",
        "reject",
        "本行的条目在换机之前已经撤回，没有重新公布。",
        "This row's record was withdrawn before this computer was replaced; it is not published again.",
        "若目录文件是旧版，请换成新版；确要重新公布，运行 danglian-node restore --readmit 后重启节点。",
        "Put the newer sheet there; to publish it all the same, danglian-node restore --readmit, and restart the node.",
    ),
    (
        "ref_code_duplicate",
        "reject",
        "同一文件内档号重复。",
        "Another row of this file has the same reference code.",
        "核对原件，改正其中一行的档号。",
        "Check the originals and correct one of the two codes.",
    ),
    (
        "fonds_missing_in_code",
        "warning",
        "档号中没有全宗号。",
        "The reference code has no fonds number.",
        "按编制规则补上全宗号，或在节点配置中指定。",
        "Add the fonds number, or state it in the node's settings.",
    ),
    (
        "profile_unknown",
        "warning",
        "没有适用的档号编制规则，各段含义为推断。",
        "No code profile fits, so the meaning of the code's parts was guessed.",
        "为该全宗和门类配置档号规则。",
        "Configure a code profile for this fonds and category.",
    ),
    (
        "width_unusual",
        "warning",
        "档号流水号位数与惯例不符。",
        "A serial number in the code has an unusual number of digits.",
        "核对是否丢失了前面的零。",
        "Check whether leading zeros were lost.",
    ),
    (
        "code_year_short",
        "warning",
        "档号中的年度不是四位数。",
        "The year in the reference code does not have four digits.",
        "年度写成四位，例如 2011。",
        "Write the year with four digits, for example 2011.",
    ),
    (
        "code_retention_in_words",
        "warning",
        "档号中的保管期限写成了文字，应为代码。",
        "The retention period in the code is written in words instead of its code.",
        "改为 Y、D30、D10 等代码。",
        "Use Y, D30, D10 and so on.",
    ),
    (
        "numbering_gap",
        "warning",
        "件号不连续，中间有缺号。",
        "The numbering has a gap.",
        "核对缺号的档案是否漏录、移出或销毁。",
        "Check whether the missing numbers were skipped, moved or destroyed.",
    ),
    (
        "title_missing",
        "reject",
        "缺少题名。",
        "The title is missing.",
        "补填题名；原件无题名的，自拟题名并加方括号。",
        "Fill in the title; a title you supply goes in square brackets.",
    ),
    (
        "ditto_without_previous",
        "reject",
        "“同上”之前没有可引用的内容。",
        "A ditto mark has nothing above it to repeat.",
        "写出完整内容。",
        "Write the value in full.",
    ),
    (
        "responsible_missing",
        "warning",
        "缺少责任者。",
        "The responsible party is missing.",
        "补填形成文件的机关或个人。",
        "Name the body or person that made the document.",
    ),
    (
        "responsible_unresolved",
        "warning",
        "责任者写作“本局”“本公司”等，离开本单位无法辨认。",
        "The responsible party is written as “this office”, which says nothing elsewhere.",
        "写出机关全称或规范简称。",
        "Write the body's full name or its standard short name.",
    ),
    (
        "doc_no_irregular",
        "warning",
        "文号写法不规范，检索时按规范写法处理。",
        "The document number is written irregularly; it is searched in its regular form.",
        "年份用六角括号，序号不加“第”、不编虚位，例如〔2014〕12号。",
        "Use 〔2014〕12号: hexagonal brackets, no 第, no leading zero.",
    ),
)
