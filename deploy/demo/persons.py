"""Persons who never lived: names put together at random, and identity numbers that were never issued.

Every identity number names a birth in 1900 at the earliest registration area of the county: the check digit is right,
so that readers recognise and mask it, and the year makes sure that it belongs to nobody.
"""

from random import Random

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_GIVEN_FIRST = "国建志文明永春秋海金玉水根林山竹茶福祥桂兰凤英秀美丽阿小大长荣华德庆兴顺和连生松梅荷菊芳忠义仁"
_GIVEN_SECOND = "根生林山珍珠英娣仙妹宝财法泉泰良芳云龙虎民华军平伟明强勇娟花香琴妃囡毛苟奎元方成富贵红芬"
RARE_CHARACTERS = ("𠮷", "𣲗", "𬇙", "𬍛", "𩽾", "𡐓", "㛃", "䶮")
"""Characters found in names that old software cannot write; the first six lie outside the basic plane."""
PRIVATE_USE_CHARACTERS = ("\ue001", "\ue0a5", "\ue233")
"""What a GBK export leaves where its operator drew a missing character by hand."""
TRADITIONAL = str.maketrans(
    "张陈刘杨黄赵吴孙马罗郑谢许韩冯邓彭肖苏吕卢钟谭陆贾韦邹邱闫顾龚万钱严国华长荣兴顺连兰凤丽义龙军伟强坞里乡县结记",
    "張陳劉楊黃趙吳孫馬羅鄭謝許韓馮鄧彭蕭蘇呂盧鍾譚陸賈韋鄒邱閆顧龔萬錢嚴國華長榮興順連蘭鳳麗義龍軍偉強塢裏鄉縣結記",
)
"""Enough simplified to traditional forms for an old hand-written form."""
HOMOPHONES = str.maketrans("根林英芳珍娣凤荣华明", "跟琳瑛方贞弟风容花民")
"""How a clerk who only heard the name wrote it."""

_AREA = "330523"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def invented_name(chance: Random) -> str:
    """Return the name of a person who is made up: a common surname and one or two common given characters."""
    second = chance.choice(_GIVEN_SECOND) if chance.random() < 0.8 else ""
    return f"{chance.choice(SURNAMES)}{chance.choice(_GIVEN_FIRST)}{second}"


def rare_name(chance: Random) -> str:
    """Return a made-up name with a character that needs GB 18030."""
    return f"{chance.choice(SURNAMES)}{chance.choice(_GIVEN_FIRST)}{chance.choice(RARE_CHARACTERS)}"


def private_use_name(chance: Random) -> str:
    """Return a made-up name in which one character is lost to a private code."""
    return f"{chance.choice(SURNAMES)}{chance.choice(PRIVATE_USE_CHARACTERS)}{chance.choice(_GIVEN_SECOND)}"


def identity_number(chance: Random) -> str:
    """Return an 18-digit identity number (GB 11643-1999) of somebody born in 1900, with its right check digit."""
    body = f"{_AREA}1900{chance.randint(1, 12):02}{chance.randint(1, 28):02}{chance.randint(1, 999):03}"
    return f"{body}{check_digit(body)}"


def old_identity_number(chance: Random) -> str:
    """Return a 15-digit identity number (GB 11643-1989) of somebody born in 1900."""
    return f"{_AREA}00{chance.randint(1, 12):02}{chance.randint(1, 28):02}{chance.randint(1, 999):03}"


def check_digit(body: str) -> str:
    """Return the eighteenth digit for the first seventeen (ISO 7064 MOD 11-2, GB 11643-1999)."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]
