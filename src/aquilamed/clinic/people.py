"""Made-up people for clinical notes: names, homes and how to reach them, of no living person.

The name lists are the generator's own and wider than those of `hygiene.names`, on purpose: what is measured on the notes must not be the lists' agreement.
Telephone numbers, addresses on the network and e-mail come from ranges that are kept for examples.
"""

from collections.abc import Callable

import numpy as np

from aquilamed.clinic.identifiers import digits
from aquilamed.clinic.phrasing import pick

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米"
    "池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙伏岑习胥保和蔺水云昌凤酆皮嵇郇郗仉逄蹇亓揣"
    "仝麻邝濮郦撒缪农寻芮羿储汲邴糜松隗山班仰秋伊暴甘钭厉戎祖束幸韶郏蓟印宿怀蒲鄂索咸籍赖乔阴鬱能苍双闻莘翟贡劳逄扶堵宰郦雍却璩濮寿通边扈尚农别庄柴阎充慕茹宦鱼容古慎戈终暨居衡步耿满弘国寇广禄阙东沃利蔚越夔隆师巩厍"
)
"""Common, less common and rare Chinese surnames; a name that stands twice is drawn twice as often."""
COMPOUND = "欧阳 上官 司马 诸葛 皇甫 尉迟 夏侯 慕容 令狐 东方 司徒 公孙 端木 呼延 轩辕 宇文 长孙 南宫 闻人 濮阳 淳于 单于 太史 申屠 公冶 澹台 独孤 赫连 万俟 百里".split()
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂建国华红玉文春志海燕小梅荣云凤林东雪波飞鹏宇浩欣怡然梓涵子轩雨泽一诺思远晓琳佳慧淑珍美玲立新永福德胜忠义学礼宏达家兴振邦少华月娥香莲素贞菊花金凤银花根生水生土旺来福"
    "长庚向阳应龙自强可欣多吉言午安康宁乐天祥瑞麟麒骏驰锦程鸿运启航承志继先绍祖念慈怀远若兰诗涵梦瑶紫萱雅婷婉清曼妮依娜嘉怡俊彦博文哲瀚卓然睿智恒毅铭轩炜彤晗昕晟煜烨焱垚淼鑫森品众晶磊犇羴骉"
    "彩凤翠花巧云爱民卫东援朝跃进解放拥军庆余守业富贵满仓铁柱栓子二妮三喜四清五福六顺七斤八斤大为中正民生时雨风雷电光石松竹冬夏秋"
)
ETHNIC = ("阿依古丽·买买提", "迪丽热巴尔·艾合买提", "巴特尔·苏和", "扎西·次仁", "卓玛·央金", "努尔兰·哈森", "热依汗·吐尔逊", "乌云·其木格", "玛依拉·别克")
TRADITIONAL = "王李張劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅梁宋鄭謝韓唐馮董蕭程曹鄧許沈曾彭呂蘇盧蔣蔡葉潘戴鍾汪田姜范方鄒陸孔康邱顧賴龔詹簡游歐莊巫塗卓翁凃溫紀施江洪侯傅薛連關鄺麥冼區岑甘霍符阮駱"
TRADITIONAL_GIVEN = "志明家豪淑芬美玲怡君雅婷俊傑建宏文雄麗華國強秀英詠詩嘉欣浩然子軒柏宇冠廷承恩佩珊慧儀偉倫永康德榮玉蘭月桂寶珠錦輝耀東啟銘"
FIRST = """Aaliyah Abdul Adaeze Agnes Aidan Aisha Akira Alasdair Alejandra Alice Amara Anaya Anders Anneliese Anthony Arjun Astrid Aurelia Beatriz
Bernadette Bjorn Blessing Brendan
Brigid Callum Camila Carlos Casper Catarina Cedric Chidi Chloe Ciara Clementine Cormac Dafydd Daisuke Dalia Dariusz Dashiell Delphine Dimitri Divya
Dolores Edmund Efua Eilidh Elena Elif
Eloise Emeka Emilio Enrique Esme Esther Fatima Fiona Florence Francesca Freya Gareth Genevieve Georgina Giovanni Gordon Gudrun Gwendolyn Haruka Hassan
Heloise Henrietta Hiroshi Ibrahim Imogen
Ingrid Isolde Ivan Jasmine Javier Jerome Joanna John Jorge Josephine Juliet Kamala Kareem Katarzyna Kenji Kofi Krishna Kwame Lakshmi Lars Latoya Leticia
Lorenzo Lucinda Magnus Malik Marcus
Margot Mariam Mary Matilda Maureen Mehmet Mei Michael Miguel Mohammed Moira Muriel Nadia Neema Niamh Nikolai Nnamdi Noor Octavia Oksana Olga Omar Oscar
Padraig Paloma Pedro Penelope
Philippa Piotr Priya Quentin Rafael Ramona Ravi Rebecca Reginald Robert Rosalind Rupert Sabine Salma Samira Sanjay Sarah Seamus Selma Siobhan Soren Stella
Sunita Svetlana Tamsin Tariq Tatiana
Temperance Theodora Thomas Tobias Ursula Valentina Vasily Venkatesh Vikram Wanda Wilhelmina Winifred Xavier Yasmin Yetunde Yusuf Zainab Zoltan""".split()
LAST = """Abernathy Adeyemi Aldridge Alvarez Anderson Appiah Arbuckle Ashworth Bagchi Balakrishnan Barrow Beaumont Bergstrom Bhattacharya Blackwood Bonnet
Bouchard Brennan Brown Callahan Carmichael
Castellanos Chakraborty Chukwu Cohen Colquhoun Cruickshank Czajkowski D'Angelo Davies Delacroix Demir Desrosiers Dlamini Dombrowski Donnelly Drummond
Dunmore Eriksson Estrada Fairweather Featherstone Fenwick
Ferreira Fitzgerald Fontaine Forsyth Fujimoto Gallagher Garcia Gethin Ghorbani Gilchrist Goldberg Gonzalez Greenwood Grimaldi Gunawardena Gupta Halloway
Hargreaves Haverford Hendricks Hernandez Higashi Holmgren
Iglesias Ivanova Jablonski Jacobsen Jankowski Johnson Jovanovic Kapoor Karlsson Kensington Khan Kowalski Kuznetsov Lachlan Langley Larkspur Lindqvist
Lockwood Lombardi MacGregor Mahoney Marchetti Marchetti Martinez McAllister
McDonald McGillicuddy Mensah Mercer Middleton Miyamoto Montgomery Morales Mukherjee Nakamura Nguyen Nkemelu Novak Nowak O'Brien O'Sullivan Oduya Okafor
Okonkwo Olufemi Ortega Osei Ostrowski Papadopoulos Patel Pemberton
Pereira Petrov Pettigrew Pietersen Preston Quigley Raghunathan Ramirez Rasmussen Redgrave Ribeiro Rosenthal Rowntree Rutherford Sandoval Santiago
Satterthwaite Schroeder Sengupta Shah Shimizu Sinclair Singh Smith
Sokolov Somerville Srinivasan Stavros Stewart-Jones Suleiman Swinburne Takahashi Tennant Thackeray Thompson Tremblay Ubaldo Underhill Vanterpool Vasquez
Venter Villanueva Wadsworth Walczak Warsame Weatherby Whitfield Wickramasinghe Wilkinson
Williams Winterbourne Wojcik Yamaguchi Yilmaz Zamora Zielinski""".split()
PINYIN = "Zhang Wang Li Chen Liu Xu Ouyang Zhou Qian Feng Lu Huang Xie Gao".split()
PINYIN_GIVEN = "Wei Xiaoming Jianguo Lihua Yuting Haoran Meiling Zhiqiang Xinyi Guoqiang Fang Rui".split()

_REGIONS = ("江南省临江市东湖区", "北岭省清河市桥西区", "云川省安和县城关镇", "临江市西山区", "清河市高新区", "江南省平远县柳溪乡", "南海市滨城区", "云川省白塔市古城街道")
_ROADS = ("望江路", "中山东路", "人民大街", "槐花巷", "长寿街", "幸福里", "学院南路", "文昌弄", "迎宾大道", "竹园新村")
_TOWNS = ("江南省临江市", "云川省白塔市", "清河市桥西区", "北岭省清河市", "临江市", "平远县柳溪乡")
_REGIONS_HANT = ("臨江市東湖區", "南海縣柳溪鎮", "清河市高新區", "新港區")
_ROADS_HANT = ("望江路", "中山東路", "民權街", "學院南路", "彌敦新道")
_STREETS = "Wexford Kingfisher Old Mill Larkspur Harbour Chestnut Juniper Maple Hollow Saddleback Prospect Abbey Quarry Linden".split()
_STREET_TYPES = ("Street", "St", "Avenue", "Ave.", "Road", "Lane", "Drive", "Court", "Boulevard", "Blvd", "Way", "Terrace", "Place")
_CITIES = ("Millbrook", "Fairhaven", "Cedar Falls", "Port Ellis", "Ashbourne", "Lakewood", "Brookfield", "San Marino", "Great Hollow", "Dunwich")
_STATES = ("OH", "IL", "CA", "NY", "TX", "WA", "Ohio", "Vermont", "MA")


def name_zh(rng: np.random.Generator) -> str:
    """Surname and one or two characters; now and then a compound surname, a name with a middle dot, or one in Latin letters."""
    kind = rng.random()
    if kind < 0.03:
        return pick(rng, ETHNIC)
    surname = pick(rng, COMPOUND) if kind < 0.08 else pick(rng, SURNAMES[:100] if kind < 0.55 else SURNAMES)
    return surname + "".join(pick(rng, GIVEN) for _ in range(1 if rng.random() < 0.25 else 2))


def name_hant(rng: np.random.Generator) -> str:
    return pick(rng, TRADITIONAL) + "".join(pick(rng, TRADITIONAL_GIVEN) for _ in range(1 if rng.random() < 0.1 else 2))


def name_en(rng: np.random.Generator) -> tuple[str, str]:
    """(given, family); a tenth are romanised Chinese names."""
    if rng.random() < 0.1:
        return pick(rng, PINYIN_GIVEN), pick(rng, PINYIN)
    return pick(rng, FIRST), pick(rng, LAST)


def mobile_zh(rng: np.random.Generator) -> str:
    number = f"{pick(rng, ('199', '139', '158', '186', '177'))}0000{digits(rng, 4)}"
    apart = f"{number[:3]}{{0}}{number[3:7]}{{0}}{number[7:]}"
    return pick(rng, (number, number, number, apart.format(" "), apart.format("-"), f"+86 {number}", f"+86-{number}", f"86{number}"))


def landline_zh(rng: np.random.Generator) -> str:
    area, number = pick(rng, (("010", "5550" + digits(rng, 4)), ("021", "5550" + digits(rng, 4)), ("0571", "8555" + digits(rng, 4)),
                              ("0755", "555" + digits(rng, 4)), ("0431", "8555" + digits(rng, 4))))
    return pick(rng, (f"{area}-{number}", f"{area}-{number}", f"({area}){number}", f"{area} {number}", f"{area}{number}",
                      f"{area}-{number}-{digits(rng, 3)}"))


def phone_hant(rng: np.random.Generator) -> str:
    return pick(rng, (f"0900-000-{digits(rng, 3)}", f"0900000{digits(rng, 3)}", f"(02)2555-0{digits(rng, 3)}", f"02-2555-0{digits(rng, 3)}",
                      f"+852 5550 0{digits(rng, 3)}", f"+886-900-000-{digits(rng, 3)}"))


def phone_en(rng: np.random.Generator) -> str:
    end, area = f"01{digits(rng, 2)}", pick(rng, ("212", "415", "617", "303", "716"))
    return pick(rng, (
        f"({area}) 555-{end}", f"{area}-555-{end}", f"{area}.555.{end}", f"{area} 555 {end}", f"+1 {area} 555 {end}", f"1-{area}-555-{end}",
        f"+1 ({area}) 555-{end}",
        f"07700 900{digits(rng, 3)}", f"020 7946 0{digits(rng, 3)}", f"+44 20 7946 0{digits(rng, 3)}", f"({area})555-{end}"))


def email(rng: np.random.Generator) -> str:
    given, family = name_en(rng)
    user = pick(rng, ("{g}.{f}", "{g}{f}", "{g}_{f}", "{f}{n}", "{g}-{f}{n}")).format(g=given, f=family.replace("'", ""), n=digits(rng, 2)).lower()
    return f"{user}@{pick(rng, ('example.com', 'example.org', 'mail.example.net', 'example.com.cn'))}"


def address_zh(rng: np.random.Generator) -> str:
    road = f"{pick(rng, _ROADS)}{rng.integers(1, 990)}号"
    return pick(rng, _REGIONS) + road + pick(rng,
                                             ("", f"{rng.integers(1, 30)}幢{rng.integers(101, 2600)}室",
                                              f"{rng.integers(1, 30)}栋{rng.integers(1, 5)}单元{rng.integers(101, 2600)}",
                                              f"{rng.integers(1, 20)}号楼{rng.integers(101, 999)}室"))


def address_hant(rng: np.random.Generator) -> str:
    return f"{pick(rng, _REGIONS_HANT)}{pick(rng, _ROADS_HANT)}{rng.integers(1, 400)}號" + pick(rng,
        ("", f"{rng.integers(2, 20)}樓", f"{rng.integers(2, 20)}樓之{rng.integers(1, 5)}", f"{rng.integers(2, 20)}樓B室"))


def address_en(rng: np.random.Generator) -> str:
    street = f"{rng.integers(1, 9900)} {pick(rng, _STREETS)} {pick(rng, _STREET_TYPES)}"
    flat = pick(rng, ("", "", f", Apt {rng.integers(1, 40)}{pick(rng, 'ABCD')}", f", Unit {rng.integers(1, 90)}", f" #{rng.integers(1, 300)}"))
    return street + flat + pick(rng, (f", {pick(rng, _CITIES)}, {pick(rng, _STATES)} {postcode_en(rng)}", f", {pick(rng, _CITIES)}, {pick(rng, _STATES)}",
                                      f", {pick(rng, _CITIES)}"))


def town_en(rng: np.random.Generator) -> str:
    return f"{pick(rng, _CITIES)}, {pick(rng, _STATES)}"


def town_zh(rng: np.random.Generator) -> str:
    return pick(rng, _TOWNS)


def postcode_en(rng: np.random.Generator) -> str:
    return pick(rng, (digits(rng, 5), f"{digits(rng, 5)}-{digits(rng, 4)}"))


PLACES: dict[str, dict[str, Callable[[np.random.Generator], str]]] = {
    "zh": {"address": address_zh, "town": town_zh, "phone": mobile_zh, "landline": landline_zh},
    "hant": {"address": address_hant, "town": lambda rng: pick(rng, _REGIONS_HANT), "phone": phone_hant, "landline": phone_hant},
    "en": {"address": address_en, "town": town_en, "phone": phone_en, "landline": phone_en},
}
"""Script -> slot -> maker of its value."""
