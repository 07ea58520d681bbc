"""The registry's rows about one catalogue row: code, severity, reason and remedy in Chinese and English.

Sources: DA/T 13-2022 (reference codes), DA/T 18-2022 (description), DA/T 22-2015 (filing), and what real vendors' sheets
contain. A code is never renamed: reject files and statistics of past years carry it.
"""

from typing import Final

ROW_FINDINGS: Final[tuple[tuple[str, str, str, str, str, str], ...]] = (
    # Reference code 档号
    (
        *("ref_code_missing", "reject"),
        *("缺少档号。", "The reference code is missing."),
        *("补填档号后重新放入目录。", "Fill in the code and drop the file again."),
    ),
    (
        *("ref_code_damaged_by_spreadsheet", "reject"),
        *(
            "档号已被表格软件改成日期或数值。",
            "The spreadsheet program turned the reference code into a date or a number.",
        ),
        *(
            "将该列设为“文本”格式，按原件重新录入档号。",
            "Format the column as text and type the code again from the original.",
        ),
    ),
    (
        *("ref_code_duplicate", "reject"),
        *("同一文件内档号重复。", "Another row of this file has the same reference code."),
        *("核对原件，改正其中一行的档号。", "Check the originals and correct one of the two codes."),
    ),
    (
        *("fonds_missing_in_code", "warning"),
        *("档号中没有全宗号。", "The reference code has no fonds number."),
        *("按编制规则补上全宗号，或在节点配置中指定。", "Add the fonds number, or state it in the node's settings."),
    ),
    (
        *("profile_unknown", "warning"),
        *(
            "没有适用的档号编制规则，各段含义为推断。",
            "No code profile fits, so the meaning of the code's parts was guessed.",
        ),
        *("为该全宗和门类配置档号规则。", "Configure a code profile for this fonds and category."),
    ),
    (
        *("width_unusual", "warning"),
        *("档号流水号位数与惯例不符。", "A serial number in the code has an unusual number of digits."),
        *("核对是否丢失了前面的零。", "Check whether leading zeros were lost."),
    ),
    (
        *("code_year_short", "warning"),
        *("档号中的年度不是四位数。", "The year in the reference code does not have four digits."),
        *("年度写成四位，例如 2011。", "Write the year with four digits, for example 2011."),
    ),
    (
        *("code_retention_in_words", "warning"),
        *(
            "档号中的保管期限写成了文字，应为代码。",
            "The retention period in the code is written in words instead of its code.",
        ),
        *("改为 Y、D30、D10 等代码。", "Use Y, D30, D10 and so on."),
    ),
    (
        *("numbering_gap", "warning"),
        *("件号不连续，中间有缺号。", "The numbering has a gap."),
        *(
            "核对缺号的档案是否漏录、移出或销毁。",
            "Check whether the missing numbers were skipped, moved or destroyed.",
        ),
    ),
    # Title 题名 and responsible party 责任者
    (
        *("title_missing", "reject"),
        *("缺少题名。", "The title is missing."),
        *(
            "补填题名；原件无题名的，自拟题名并加方括号。",
            "Fill in the title; a title you supply goes in square brackets.",
        ),
    ),
    (
        *("ditto_without_previous", "reject"),
        *("“同上”之前没有可引用的内容。", "A ditto mark has nothing above it to repeat."),
        *("写出完整内容。", "Write the value in full."),
    ),
    (
        *("responsible_missing", "warning"),
        *("缺少责任者。", "The responsible party is missing."),
        *("补填形成文件的机关或个人。", "Name the body or person that made the document."),
    ),
    (
        *("responsible_unresolved", "warning"),
        *(
            "责任者写作“本局”“本公司”等，离开本单位无法辨认。",
            "The responsible party is written as “this office”, which says nothing elsewhere.",
        ),
        *("写出机关全称或规范简称。", "Write the body's full name or its standard short name."),
    ),
    # Document number 文号
    (
        *("doc_no_irregular", "warning"),
        *(
            "文号写法不规范，检索时按规范写法处理。",
            "The document number is written irregularly; it is searched in its regular form.",
        ),
        *(
            "年份用六角括号，序号不加“第”、不编虚位，例如〔2014〕12号。",
            "Use 〔2014〕12号: hexagonal brackets, no 第, no leading zero.",
        ),
    ),
    # Date 日期
    (
        *("date_missing", "warning"),
        *("缺少日期。", "The date is missing."),
        *("补填成文日期；确无日期的写“无日期”。", "Fill in the date; write 无日期 if there is none."),
    ),
    (
        *("date_unreadable", "warning"),
        *("日期无法识别，只保留原文。", "The date cannot be read; only its text is kept."),
        *("写成 20140305、2014-03 或 2014 这样的形式。", "Write it like 20140305, 2014-03 or 2014."),
    ),
    (
        *("date_impossible", "warning"),
        *(
            "日期在日历上不存在，只采用可信的年或年月。",
            "No calendar has this date; only its credible year or month is used.",
        ),
        *("按原件核对月、日。", "Check month and day against the original."),
    ),
    (
        *("date_contradicts_year", "warning"),
        *("日期与档号中的年度相差过大。", "The date is too far from the filing year in the reference code."),
        *("核对日期和年度，改正有误的一项。", "Check both and correct the wrong one."),
    ),
    (
        *("date_two_digit_year", "warning"),
        *("年份只有两位，世纪为推断。", "The year has two digits; its century was guessed."),
        *("写出四位年份。", "Write the year with four digits."),
    ),
    (
        *("date_lunar_calendar", "warning"),
        *("农历日期未换算，只按年份检索。", "A lunar date is not converted; it is searched by its year only."),
        *("如需精确，另注公历日期。", "Add the Gregorian date if precision matters."),
    ),
    (
        *("date_cycle_ambiguous", "warning"),
        *("该干支在此年号内出现两次或不出现。", "This cyclical year occurs twice in the reign, or never."),
        *("改写为年号加年数。", "Write the reign and the number of the year."),
    ),
    (
        *("date_order_unclear", "warning"),
        *("分不清月和日的先后，只采用年份。", "Day and month cannot be told apart; only the year is used."),
        *("写成 2014-03-05 的形式。", "Write it like 2014-03-05."),
    ),
    (
        *("date_range_reversed", "warning"),
        *("起止日期颠倒，已按先后对调。", "The range ends before it begins; its ends were swapped."),
        *("核对起止日期。", "Check both ends of the range."),
    ),
    # Retention, access and other vocabularies
    (
        *("retention_missing", "warning"),
        *("缺少保管期限。", "The retention period is missing."),
        *("补填永久、30年、10年等。", "Fill in 永久, 30年, 10年 and so on."),
    ),
    (
        *("retention_unreadable", "warning"),
        *("保管期限无法识别，只保留原文。", "The retention period cannot be read; only its text is kept."),
        *("写成永久、30年、长期等。", "Write it like 永久, 30年 or 长期."),
    ),
    (
        *("secrecy_unreadable", "warning"),
        *(
            "密级无法识别，按秘密处理，条目不离开本站。",
            "The classification cannot be read; the entry is treated as secret and stays at this site.",
        ),
        *("写成内部、秘密、机密、绝密，或留空。", "Write 内部, 秘密, 机密 or 绝密, or leave it empty."),
    ),
    (
        *("access_status_unreadable", "warning"),
        *("开放标识无法识别，按未审核处理。", "The access status cannot be read; the entry counts as unreviewed."),
        *("写成开放、控制、延期开放或未审核。", "Write 开放, 控制, 延期开放 or 未审核."),
    ),
    (
        *("disclosure_unreadable", "warning"),
        *("公开属性无法识别。", "The disclosure attribute cannot be read."),
        *("写成主动公开、依申请公开或不予公开。", "Write 主动公开, 依申请公开 or 不予公开."),
    ),
    (
        *("level_unreadable", "warning"),
        *("著录层级无法识别，按文件级处理。", "The level of description cannot be read; the entry counts as an item."),
        *("写成全宗级、类别级、案卷级或文件级。", "Write 全宗级, 类别级, 案卷级 or 文件级."),
    ),
    (
        *("form_unreadable", "warning"),
        *("生成方式无法识别。", "The form cannot be read."),
        *("写成原生、数字化或纸质。", "Write 原生, 数字化 or 纸质."),
    ),
    (
        *("page_count_not_number", "warning"),
        *("页数不是数字。", "The page count is not a number."),
        *("填写阿拉伯数字。", "Write it in digits."),
    ),
    (
        *("page_count_is_range", "warning"),
        *(
            "页数栏写的是起止页号，已折算为页数。",
            "The page count holds a range of page numbers; it was converted to a count.",
        ),
        *("页数与页号分栏填写。", "Keep page counts and page numbers in separate columns."),
    ),
    # Personal data
    (
        *("id_number_masked", "warning"),
        *("文字中的公民身份号码已遮盖。", "An identity number in the text was masked."),
        *("目录中不要填写身份号码。", "Keep identity numbers out of the catalogue."),
    ),
    (
        *("id_number_truncated", "warning"),
        *(
            "身份号码按数值存放，末三位已丢失。",
            "An identity number was stored as a number and lost its last three digits.",
        ),
        *("将该列设为“文本”格式后重新录入。", "Format the column as text and type it again."),
    ),
    # Any text
    (
        *("value_too_long", "reject"),
        *("内容超过允许的长度。", "The value is longer than allowed."),
        *("核对是否错列或粘入了正文。", "Check for a shifted column or pasted body text."),
    ),
    (
        *("control_characters", "warning"),
        *("内容含有不可见的控制字符，已去除。", "The value holds invisible control characters; they were removed."),
        *("在原表中清除后重新保存。", "Clean them in the sheet and save it again."),
    ),
    (
        *("text_garbled", "warning"),
        *("内容疑似乱码。", "The text looks garbled."),
        *(
            "核对文件编码，重新导出为 UTF-8 或 GB18030。",
            "Check the file's encoding; export it again as UTF-8 or GB18030.",
        ),
    ),
    (
        *("private_use_characters", "warning"),
        *("含有自造字，他处可能显示不出。", "The text holds private-use characters that other machines may not show."),
        *("改用 GB 18030 收录的正式编码字。", "Use the characters that GB 18030 encodes."),
    ),
    (
        *("number_precision_lost", "warning"),
        *("长数字按数值存放，末位可能已失真。", "A long number was stored as a value; its last digits may be wrong."),
        *("将该列设为“文本”格式后重新录入。", "Format the column as text and type it again."),
    ),
    (
        *("cell_formula_error", "warning"),
        *("单元格是公式错误值，按空白处理。", "The cell holds a formula error; it counts as empty."),
        *("改正公式或改填数值。", "Correct the formula or type the value."),
    ),
)
