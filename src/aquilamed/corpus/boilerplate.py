"""Advertising, site navigation and broken encoding: patterns in both languages, on the folded text. paper 2.1.1"""

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.hygiene.kernels import folded

PHRASES = (
    # zh: selling
    r"加微信|微信号[:是]|加qq|qq[:群]|咨询热线|免费咨询|免费热线|在线咨询|预约热线|预约挂号|网上预约|点击(?:进入|咨询|查看|下载|购买|领取|预约|这里|此处)|扫码|扫一扫|公众号"
    r"|限时(?:优惠|抢购|特价|秒杀)|包治愈|包治好|祖传秘方|无效退款|货到付款|立即(?:购买|咨询|抢购|预约|下单)|全国包邮|优惠券|低至\d|原价|疗程价|专家在线|拨打.{0,8}(?:热线|电话)|点我咨询|限量发售|招商加盟|扫描二维码|限时抢购"
    r"|厂家直销|买[一二两三四五1-5]送[一二三四五1-5]|包邮|[一二三四五六七八九]折起|八折|下单立减|直播间|诚招.{0,4}代理|名额有限|手慢无|先到先得|领取.{0,8}(?:礼包|试用装|优惠)|大酬宾|清仓"
    # zh: pages
    r"|版权所有|转载请注明|责任编辑|本文来源|上一篇|下一篇|相关(?:阅读|推荐|文章|链接)|返回(?:顶部|首页|列表)|打印本页|关闭窗口|加入收藏|设为首页|icp备|网站地图|免责声明|用户协议|隐私政策|友情链接|意见反馈|末页|猜你喜欢|点击展开"
    r"|如有侵权|忘记密码|别忘了点赞|下期再见|字号[:：]|复制链接|登录后|注册账号|点赞|分享到|热门推荐"
    # zh: picture and video editing
    r"|视频剪辑教程|一键抠图|美图秀秀|滤镜素材|剪映|高清壁纸"
    # en: selling
    r"|\bclick here\b|\bbuy now\b|\border now\b|\border today\b|\badd to cart\b|\bfree shipping\b|\blimited[- ]time offer"
    r"|\bcall (?:us )?(?:now|today)\b|\bmoney[- ]back guarantee|\bdiscount code\b|\bpromo code\b"
    r"|\bspecial offer\b|\bact now\b|\bshop now\b|\bmiracle cure\b|\bflash sale\b|\bcoupon\b|\bhalf price\b|\bbuy (?:one|two|three|\d) get\b"
    r"|\bfactory direct\b|\bpay on delivery\b|\bfree trial\b|\bclick the link\b|\bwhile stocks? lasts?\b|\bgroup buy\b|\bdrop shipping\b"
    r"|\blowest price\b|\bfirst \d+ orders\b|\border by phone\b|\byour money back\b|\bscan the code\b|\b\d+ ?% off\b"
    r"|\bsign up (?:now|today|for our|for free)\b"
    r"|\bsubscribe (?:now|today|to our)\b|\bbook (?:now|today|your)\b|\bsponsored\b|\badvertisement\b"
    # en: pages
    r"|\ball rights reserved\b|\bprivacy policy\b|\bterms (?:of|and) (?:use|service|conditions)\b|\bcookie (?:policy|settings)\b"
    r"|\b(?:uses|accept(?: all)?) cookies\b|\bshare (?:this|on)\b|\bfollow us\b|\bread more\b"
    r"|\bskip to (?:main )?content\b|\bback to top\b|\bsite map\b|\bforgot your password\b|\byou may also like\b"
    r"|\bnext page\b|\bclick to read\b|\bto post a comment\b|\b(?:like, save and )?subscribe(?: to our| \||, and)|\bunsubscribe\b"
    r"|\bbrowsing experience\b|\bprevious (?:post|article)\b|\bnext (?:post|article)\b"
    r"|\brelated (?:posts|articles)\b"
    r"|\bleave a (?:comment|reply)\b|\blog ?in\b.{0,12}\bregister\b|\bcopyright (?:©|\(c\)|\d{4})"
    r"|\bphoto editor\b|\bvideo editor\b|\bbackground remover\b"
)
_STOP = r"\n。!?！？;；"
_SENTENCE = rf"[^{_STOP}.]*(?:{PHRASES})[^{_STOP}.]*"

_LATIN_TRACES = r"[\x{C2}\x{C3}][\x{80}-\x{BF}]|[\x{E4}-\x{E9}][\x{80}-\x{BF}\x{152}-\x{178}\x{2013}-\x{2122}]|â€|ï¿½|锟斤拷|烫烫烫|屯屯屯"
"""What UTF-8 looks like when read as Latin-1, and the best-known remains of double decoding."""
_GBK_TRACES = "[" + "".join(bytes([lead, trail]).decode("gb18030") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0)) + "]"
"""The characters that the first two bytes of a Chinese character in UTF-8 make when read as GBK: a third of such a text, and seldom else."""


def boilerplate_share(texts: pa.Array) -> pa.Array:
    """Share, 0..1, of a text's characters that stand in sentences with such a phrase; 0 for an empty text."""
    plain = folded(texts)
    hit = pc.match_substring_regex(plain, PHRASES)
    some = plain.filter(hit)
    left = pc.utf8_length(pc.replace_substring_regex(some, _SENTENCE, ""))
    share = pc.subtract(1.0, pc.divide(left.cast(pa.float64()), pc.utf8_length(some).cast(pa.float64())))
    return pc.replace_with_mask(pa.array([0.0] * len(texts), pa.float64()), hit, share)


def latin_traces(texts: pa.Array) -> pa.Array:
    """How many traces of UTF-8 read as Latin-1 each text has."""
    return pc.count_substring_regex(texts, _LATIN_TRACES)


def gbk_traces(texts: pa.Array) -> pa.Array:
    """How many characters of each text could come from UTF-8 read as GBK."""
    return pc.count_substring_regex(texts, _GBK_TRACES)
