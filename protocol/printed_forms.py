"""Printed forms that the table of traditional characters (``protocol.variants``) does not know.

Old prints and old typewriters, Japanese forms in papers of the thirties and forties, and the radicals that come out of
a PDF in the place of characters (U+2E80 to U+2EFF have no compatibility mapping). A form is in this table only if
nobody's name is told apart by it: such forms are other spellings of a name, found in a rank of their own.
"""

from typing import Final

PRINTED: Final = (
    "両乗亀亊亜仏仮伝値児凖凢剣剤勅勧勲単厰厳収吿呉営噐囘団囯囲図圏塁塩塲壊壌壱売夀変奨姫姸嬢実寃寛寳対専尭巣帋帯帰庁広廃廐弾徃徳応恵悩悪慙憇懐戦戯戸択拝拠拡挙挿捜掲揷揺搆摂撃撹攷斈斉斎昻昿晩暁暦柹栁栄桒桜"
    "桟検椶楽槀様権檪歓歩歯歳歴毎気氷沢浄涙淸済渉渋渓湼満溌滝濶瀬焔焼煖猟獣畄畧畳疎痩癎発皐皷県砕砲秌稲穂穏窓竃竒竜篏粋粛紥経絵継続総縁縄繊罸羮聟聡聴肎胷脇脳膓臓臯舎艶苐苺荅荘菓葢蔵蕋薗薬蘂蚘蛍蜋蝋蝱蝿衂袵"
    "裠覔覚覧覩観觧訳読諌譌譲讃豊貎貭賍賎賛賸躭躰躱軆転軰軽輭辤辧辺迯逓遅遯邉郞郷鄕酔酧釈釡釼鉄鉱銕銭鋳錬鍳閙関闗闘阯陥険隠隣隷雑雝霊霛靑靣靭韈韤頚頥頼顕飜駅駆騐騒験髄髙髪鬂鬦鬪鳫鴎鴬鶏鶵麁麤麹麺黒黙鼡齢龝"
)
"""Forms as they are printed."""

USUAL: Final = (
    "两乘龟事亚佛假传值儿准凡剑剂敕劝勋单厂严收告吴营器回团国围图圈垒盐场坏壤一卖寿变奖姬妍娘实冤宽宝对专尧巢纸带归厅广废厩弹往德应惠恼恶惭憩怀战戏户择拜据扩举插搜揭插摇构摄击搅考学齐斋昂旷晚晓历柿柳荣桑樱"
    "栈检棕乐槁样权栎欢步齿岁历每气冰泽净泪清济涉涩溪涅满泼泷阔濑焰烧暖猎兽留略叠疏瘦痫发皋鼓县碎炮秋稻穗稳窗灶奇龙嵌粹肃扎经绘继续总缘绳纤罚羹婿聪听肯胸胁脑肠脏皋舍艳第莓答庄果盖藏蕊园药蕊蛔萤螂蜡虻蝇衄衽"
    "裙觅觉览睹观解译读谏讹让赞丰貌质赃贱赞剩耽体躲体转辈轻软辞办边逃递迟遁边郎乡乡醉酬释釜剑铁矿铁钱铸炼鉴闹关关斗址陷险隐邻隶杂雍灵灵青面韧袜袜颈颐赖显翻驿驱验骚验髓高发鬓斗斗雁鸥莺鸡雏粗粗曲面黑默鼠龄秋"
)
"""The simplified character that each is searched as, in the same order."""

RADICALS: Final = (
    "⺁⺠⺞⺟⺎⺐⺓⺤⺬⺮⺶⺷⺹⺼⺽⻁⻃⻄⻅⻆⻇⻉⻊⻋⻏⻑⻒⻓⻔⻕⻗⻘⻙⻚⻛⻜⻝⻞⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳"
)
"""Radicals that look like characters."""

RADICAL_CHARACTERS: Final = (
    "厂民歹母兀尢幺爪示竹羊羊老肉臼虎西西见角角贝足车邑长长长门阜雨青韦页风飞食食首马骨鬼鱼鸟卤麦黄黾齐齐齿齿龙龙龟龟龟"
)
"""The characters that they look like, in the same order."""
