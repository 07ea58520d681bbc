"""The words of a site's contact, its declared settings, its files and their quality, in both languages."""

import msgspec


class ContactWords(msgspec.Struct, frozen=True, kw_only=True):
    """How a site could be heard, and what it says of itself."""

    title: str
    picture_lead: str
    day_told: str
    not_yet: str
    story: str
    earlier: str
    declared: str
    declared_lead: str


class QualityWords(msgspec.Struct, frozen=True, kw_only=True):
    """A site's catalogue files, and what would mend them."""

    title: str
    lead: str
    look: str
    look_lead: str
    heard_now: str
    kept_of: str
    never_told: str
    marks: str
    marks_lead: str
    wrong_rows: str
    fixes: str
    fixes_lead: str
    no_fixes: str
    fix_rows: str
    fix_file: str
    not_in_catalogue: str
    in_files: str
    files: str
    file: str
    taken: str
    rejected: str
    warned: str
    read_at: str
    why: str
    missing: str
    loading: str
    refused: str
    count: str
    next_files: str
    first_files: str


CONTACT_CHINESE = ContactWords(
    title="联系情况",
    picture_lead="最近 {days} 天，每行一天，从 0 时到 24 时。",
    day_told="{date}：在线 {minutes} 分钟",
    not_yet="还没有记录：从枢纽这一版本开始记起。",
    story="经过",
    earlier="更早的 {count} 项",
    declared="该站自述",
    declared_lead="来自该站最近一次联系，在该站的设置文件中修改。",
)

QUALITY_CHINESE = QualityWords(
    title="目录质量",
    lead="该站读取的目录文件、收录与拒收的行数和原因。行中的内容不离开该站。",
    look="查看文件与质量",
    look_lead="哪些文件已收录、哪些行被拒收、先改什么最有用。",
    heard_now="{time} 由该站答复",
    kept_of="现在问不到该站（{reason}）。以下为该站 {time} 的答复。",
    never_told="现在问不到该站（{reason}），此前也没有答复过。最近一次联系时的数目见站点页面。",
    marks="评分",
    marks_lead="按行计：没有此类疑点的行所占的比例，共 {rows} 行。",
    wrong_rows="{count} 行有疑点",
    fixes="最值得先改的",
    fixes_lead="按能改好的行数排列；被拒收的行尚未进入目录，排在前面。",
    no_fixes="没有需要改的。",
    fix_rows="{count} 行",
    fix_file="整个文件",
    not_in_catalogue="未进入目录",
    in_files="所在文件：",
    files="目录文件",
    file="文件",
    taken="收录",
    rejected="拒收",
    warned="有疑点",
    read_at="读取时间",
    why="原因",
    missing="文件现在不在文件夹中，已收录的条目保留。",
    loading="正在读取",
    refused="整个文件未读取",
    count="共 {count} 个文件",
    next_files="后面的文件",
    first_files="从头看起",
)

CONTACT_ENGLISH = ContactWords(
    title="Contact",
    picture_lead="The last {days:day|days}, one a line, from midnight to midnight.",
    day_told="{date}: on line for {minutes:minute|minutes}",
    not_yet="Nothing is noted yet: it begins with this version of the hub.",
    story="What happened",
    earlier="{count} earlier ones",
    declared="What the site says of itself",
    declared_lead="From its last sign of life; changed in the settings file at the site.",
)

QUALITY_ENGLISH = QualityWords(
    title="Quality of the catalogue",
    lead="The catalogue files that the site reads, how many rows were taken and rejected, and why. What stands in a "
    "row does not leave the site.",
    look="Files and quality",
    look_lead="Which files were taken, which rows were rejected, and what to mend first.",
    heard_now="answered by the site, {time}",
    kept_of="The site cannot be asked now ({reason}). This is what it said at {time}.",
    never_told="The site cannot be asked now ({reason}), and never answered before. Its last counts stand on its page.",
    marks="Marks",
    marks_lead="By rows: the share without such a remark, of {rows:row|rows}.",
    wrong_rows="{count:row|rows} with remarks",
    fixes="What to mend first",
    fixes_lead="By the rows that it would mend; rejected rows are not in the catalogue and come first.",
    no_fixes="There is nothing to mend.",
    fix_rows="{count:row|rows}",
    fix_file="the whole file",
    not_in_catalogue="not in the catalogue",
    in_files="in",
    files="Catalogue files",
    file="File",
    taken="Taken",
    rejected="Rejected",
    warned="With remarks",
    read_at="Read",
    why="Why",
    missing="It is not in its folder now; what was taken from it stays.",
    loading="being read",
    refused="not read at all",
    count="{count:file|files}",
    next_files="More files",
    first_files="From the beginning",
)
