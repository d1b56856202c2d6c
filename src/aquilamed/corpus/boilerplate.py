"""Advertising, site furniture and impossible sequences of words: phrases in both languages, searched for in one pass. paper 2.1.1

Chinese is written in simplified characters; the search finds traditional ones too.
"""

import functools

import numpy as np
import pyarrow as pa

from aquilamed.hygiene import phrases
from aquilamed.hygiene.phrases import HARMLESS

SELLING_ZH = """
加{微信|微客服|薇信|v信|vx|wx|qq|q群|群领取|客服|好友领取} {微信|微信号|微信公众号}{同号|扫码|咨询|搜索} 微信号 咨询微信 添加微信 qq群 qq咨询 {咨询|免费|预约|订购|加盟|招商|24小时|服务|全国}热线 热线全天开放 拨打热线
{免费|在线|点击|立即|马上|电话|点我|一对一|专家}咨询 在线客服 {预约|网上|在线|一键}挂号 网上预约 点击{进入|咨询|查看|下载|购买|领取|预约|这里|此处|链接|下方|下面|购物车|抽奖|报名} 戳{这里|链接} {扫码|扫一扫|扫描二维码|长按二维码|识别二维码|长按识别} 公众号
关注{本号|公众号|主播|领取} 限时{优惠|抢购|特价|秒杀|折扣|特惠|免费|领取} {秒杀|抢购|拼团}{价|中|活动|专场} 包{治愈|治好|根治|见效|退换} 祖传秘方 {无效|不满意|假货}{退款|退全款|全额退款|包退} 七天无理由 货到付款 立即{购买|咨询|抢购|预约|下单|抢位|领取|报名|订购|拥有|加入|体验}
{马上|赶快|赶紧|火速|即刻}{下单|抢购|订购|预约|购买|领取|拥有} 全国包邮 包邮 优惠券 优惠{活动|大促|名额|套餐} 代金券 满减 低至{0|一|三}{元|折|百} {到手|疗程|会员|团购|拼团|一口}价 {原价|现价|特价|市场价}{0|一|二|两|三|四|五|六|七|八|九} {仅需|只需|只要|只卖|只售}{0元|0块|一块钱|十元|九十九元} 今日只要
专家在线 限量{发售|供应|抢购|0份|五百份} 招商加盟 {加盟|代理}{热线|咨询|优势|电话} 诚招{代理|加盟|经销|各级} 厂家直销 {买|购}{一|二|两|三|四|五|0}{送|赠|免}{一|二|两|三|四|五|0} {一|二|三|四|五|六|七|八|九|0}折{起|优惠|抢购|促销|封顶} 八折 半价 第二{件|瓶|盒}半价
下单{立减|即送|送|再送|领取|满减} {立减|直降|立省|首单减}{0|一|二|两|三|四|五|六|七|八|九|十|百|千} 直播间 {今晚|明晚|每晚}{八点|0点}直播 名额有限 手慢无 先到先得 {免费|注册|关注|限时}{领取|领|试用|送|体验|试听} {试用装|大礼包|新人礼包|红包|秘籍|资料包}{免费|领取|等你|限领} 大酬宾
{清仓|临期|年终|开业|周年庆|双十一|店庆}{特卖|特价|大促|促销|处理|大酬宾|优惠|钜惠} 店周年庆 {清仓|甩卖|钜惠|特卖会|促销价} {爆款|网红|明星同款|明星都在用}{返场|推荐|同款|热卖|直降} 明星同款 {已有|突破}{0万人|万人|十万人|百万人}{下单|购买|使用|见证} 库存{告急|不多} 售完即止 卖完即止 {亲测|真实}有效 {月入|日赚|日入|月赚}{0|三万|过万|上万|十万|两万|五万}
{在家|躺着|轻松}{赚钱|月入|日赚|就能赚} 零经验 {转发|分享}{朋友圈|集赞|到群|领} 集赞 {积分|会员}{翻倍|兑换|专享} 分期付款零利息 零首付 {专属|新人|专享}{福利|优惠|礼包|好礼} 邀请好友 现金红包 {输入|回复}{口令|邀请码|优惠码|关键词} 品牌旗舰店 官方旗舰店 {正品|官方}{保障|保证|授权|直营} 假一赔{十|0} 支持{七天|0天}无理由
{瘦身|减肥|丰胸|美白|祛斑|壮阳|增高|生发}{神器|套餐|产品|秘诀|茶|霜} {一盒|一瓶|一疗程|三天|七天}{见效|搞定|瘦0斤|立竿见影} {永不|绝不}{复发|反弹} {央视|卫视}{推荐|展播} {抢先|立即|点击}{试用|订购|报名} 电话订购 订购电话 订购热线 {本店|小店|网店}{新到|促销|活动|地址} 淘宝{店|搜索|链接} {拼多多|京东}{旗舰|搜索|链接} {商家|产品|厂家}{直供|供货} 批发价 出厂价
{专业|高价|上门}回收 {低价|长期|现货}{出售|转让|供应|代购} {搬家|开锁|疏通}公司 {贷款|信用卡}{办理|秒批|套现|无抵押} 无抵押贷款 {代写|代发}论文 {投资|创业}{好项目|秘籍|商机} {彩金|开户|充值}{送|返利} 首充 {装修|团购|租房|旅游}{报价|优惠} {医院|整形|口腔|门诊|美容院}{地址电话|乘车路线|优惠活动} {来院|到院}路线 {专家|名医}{坐诊时间表|一对一设计} 无痛人流{多少钱|价格|医院} {多少钱|价格表|收费标准}{在线咨询|点击}
"""
PAGES_ZH = """
版权所有 版权归{原作者|作者|本站} 转载请{注明|联系} 禁止转载 未经{书面|许可|允许|本站}授权 不得转载 责任编辑 责编 本文{来源|链接|地址|转载|由网友} 文章来源 来源{网络|综合整理|互联网} {上|下}一{篇|页|章}{返回|目录}  上一篇 下一篇 上一页 下一页 末页 跳转到第 每页显示 共0页 共{一|二|三|四|五|六|七|八|九|十}页 相关{阅读|推荐|文章|链接|资讯|新闻|专题} 返回{顶部|首页|列表|目录|搜狐} 打印本页 关闭窗口 加入收藏
设为首页 icp备 icp证 公网安备 网站地图 站点地图 免责{声明|条款} 用户协议 隐私{政策|条款|保护} 服务条款 友情链接 意见反馈 猜你喜欢 点击展开 展开全文 阅读{全文|原文|更多|量} 查看{更多|全文|全部|大图} 如有侵权 侵权{必究|删除} 忘记密码 别忘了{点赞|关注|收藏|转发} 下期再见 字号大 字号{大|中|小} 复制链接 {请先|请您先|您尚未|尚未|立即|后}登录 登录{后|或注册|注册}{发表|查看|可见|评论} 登录注册 注册账号 验证码登录 {点赞|收藏|转发|评论|分享}{点赞|收藏|转发|评论|分享|在看|加关注|举报|投币}
分享到 分享至 {热门|最新|精彩|编辑|本站|为您}推荐 热门{标签|文章|搜索|话题|关键词} 最新{评论|文章|发布} {发表|网友|全部|最新|暂无}评论 我要评论 评论0条 广告服务 关于我们{联系|广告|招聘|网站|加入|隐私} 联系我们 {招聘信息|人才招聘}网站 {联系方式|广告服务|招聘信息}{广告|招聘|网站地图|友情链接} 管理员删除 作者个人观点 与本站立场无关 不代表本{站|网|平台} {网友|用户}{上传|投稿|自行上传} {刷新|重试}页面 刷新重试 页面加载失败 网络连接后 错误代码 浏览器{版本过低|升级} 升级到最新版本 不再提示 缓存文件 浏览体验 接受全部 cookie{政策|设置}
{每周|订阅}{简报|我们|邮件|推送} 随时可以退订 取消订阅 输入您的邮箱 {客户端|app|手机版|扫码}{下载|打开|阅读} 下载app 打开app {点击|长按}{关注|订阅|图片|播放} {字幕|视频|音频}{制作|加载|播放失败|正在缓冲} 字幕组 {本片|本视频|本资源}{仅供|来自} 仅供学习交流 {发布|更新|采集}时间{来源|作者|阅读|点击} 浏览次数 {阅读|点击|浏览}量 {作者|来源|编辑}{佚名|未知|网络} 当前位置首页 首页{资讯|新闻|正文|频道} {资讯|百科|频道|新闻}正文 {收藏本站|收藏本页|本站收藏} 网站{首页|导航|声明|备案} 换一批 举报{反馈|投诉} {违法|不良}{信息举报|和不良信息} 举报电话 {增值电信|经营许可证|网文}{编号|证}
"""
EDITING_ZH = """
{视频|短视频}{剪辑|编辑}{教程|软件|素材|模板} 一键{抠图|换脸|美颜|成片|去水印|p图|修图|生成} 美图秀秀 {滤镜|贴纸|转场|字体|特效|调色}{素材|模板|教程|预设|大全} 剪映 高清{壁纸|图片素材|无水印} {图片|照片|视频}{去水印|素材下载|批量处理|拼接软件|加水印|压缩软件} photoshop{教程|素材|插件|抠图} ps{教程|抠图|素材|修图} {抠图|修图|美颜|p图}{软件|教程|神器|工具|app} 蒙版 图层{样式|混合} {导出|渲染}{视频|成片} 无水印{下载|高清|素材} {智能|自动}{抠图|美颜|配音|字幕} premiere{教程|模板} ae模板 {背景|人像}{虚化|替换}{教程|软件} {拍照|构图}技巧教程
"""
SELLING_EN = """
click {here|now|below|the link|to buy|to order|to claim|to subscribe} | tap {the cart|here to|the link} | {buy|order|shop|act|call|apply|register|book|enrol|sign up|subscribe|join|download} {now|today} | order yours | add to {cart|basket|bag|wishlist} | {free|fast|express} shipping | free {trial|sample|delivery|quote|consultation|gift|download|ebook|trial pack}
limited time {offer|only|deal} | limited {places|spots|stock|seats} | limited edition | call {us|our hotline|toll free} | hotline {now|open} | money back | {discount|promo|coupon|voucher|referral} code | coupon | {special|exclusive|introductory|limited} {offer|deal|discount} | miracle cure | {flash|clearance|anniversary|grand opening|black friday|cyber monday|holiday} {sale|deal|deals} | clearance {deal|item|items|price|prices} | s clearance | half price | {from|at} half price
buy {one|two|three|four|0} get | factory direct | {direct from|straight from} the factory | pay on delivery | cash on delivery | pay in instalments | {zero|no} interest | while {stock|stocks|supplies} {last|lasts} | stock running out | {almost|nearly} sold out | selling fast | group buy | group deals | drop shipping | {lowest|best|unbeatable|crazy low|low} {price|prices} {guaranteed|online|anywhere|ever} | lowest price | crazy low price | price slashed | slashed {by|to|price|prices} | first {0|hundred|one hundred} {orders|customers|buyers|callers} | order by phone
your money back | scan the {code|qr code} | {0|up to 0} off | save {up to 0|0 instantly|0 today|big|0 now} | was 0 today only | today only | only 0 packs | today s {deal|deals} | {double|loyalty|reward} points for members | for members only | sign up {now|today|for our|for free|to receive} | subscribe {now|today|to our} | book {now|today|a fitting|your appointment|your place|your seat|your spot} | sponsored {post|content|link|links} | {as seen on|seen on} tv | {doctors|they} hate | one weird trick | {will|shock you} blow your mind | you won t believe | could not believe my eyes | number {0|seven|five|three} will
grab your {place|spot|copy|deal} | claim your {0|free|coupon|discount|prize|bonus|gift} | your exclusive {gift|offer} | join our live stream | live stream at | earn 0 {a|per} {month|week|day} | {earn|make} money {online|from home|fast} | work from home opportunity | no experience needed | free success kit | no obligation | risk free | satisfaction guaranteed | results guaranteed | {invite|refer} {friends|a friend} | collect {thirty|0} likes | share this post | follow this page | reply {secret|yes|stop} | message our agent | flagship store | {official|online} store | best seller | bestseller is back | customer favourite
{we|our store} {ship|ships|deliver} worldwide | {add|apply} this {coupon|code} | {in|out of} stock now | {view|see} {cart|basket|pricing|our range} | proceed to checkout | {price|prices} start | starting at only | from only 0 | {compare|check} prices | {all|major} credit cards accepted | request a {quote|demo|callback} | get {started today|yours|your free|it now|a free quote} | contact us {today|now|for a} | {our|a} {friendly|dedicated} team | {casino|betting} bonus | payday loan | {cheap|discount} {flights|hotels|viagra|pills}
"""
PAGES_EN = """
all rights reserved | {privacy|cookie|refund|return|shipping} policy | terms {of|and} {use|service|conditions} | cookie {settings|preferences|notice} | {uses|accept|accept all|use} cookies | {manage|cookie} settings | browsing experience | share {this|on|via} {article|post|page|story|facebook|twitter|linkedin|email|whatsapp|pinterest} | share this {with|link|video} | share on {facebook|twitter|linkedin|whatsapp|pinterest} | follow us | follow me on | like us on | {read|show|load|view|see} more {posts|articles|comments|news|stories|from|about} | click to read | read more | continue reading | skip to {content|main content|navigation} | back to {top|list|home|the top} | site map | sitemap | {forgot|lost} {your|my} password | reset password | {you may|you might} also {like|enjoy|be interested}
next page | previous page | page 0 of 0 | show 0 per page | go to page | first previous | {next|previous|older|newer} {post|posts|article|articles|entry|entries|story} | {related|recent|popular|trending|similar|latest} {posts|articles|stories|topics|products|news|videos|tags} | popular tags | leave a {comment|reply} | post {a comment|comment} | {add|view all|no|0} comments | your email address will not be published | required fields are marked | {comments|comment} {are closed|policy|off} | be the first to {comment|review} | log in {or|to} {sign up|register|comment|post|view|your} | {login|log in|sign in} {register|to continue|with} | not logged in | log in with | create {an|your} account | {sign|log} out | my account | {remember|keep} me {logged|signed} | copyright 0 | copyright by | powered by {wordpress|blogger|disqus}
{enter|your} email address | weekly newsletter | {our|free|daily} newsletter | never miss a {post|deal|story} | unsubscribe | {subscribe|like save|save and subscribe} {to|and|via} | rss feed | print this {page|article} | close window | opens in a new window | text size | {about|contact} us {contact|careers|advertise|privacy|advertising|faq} | contact us | advertise with us | careers {site map|press|investors} | {home|news} {news|lifestyle|about|products|article|blog|health} {article|lifestyle|contact|news} | submitted by a user | reflects only the views | not of this site | report an infringement | contact the administrator | without written permission | may not be reproduced | views 0 | {posted|published} by admin | posted on 0 | filed {under|in} | posted at 0 | {page|site} failed to load | check your connection | error code | 404 not found | page not found | browser is out of date | upgrade to the latest version | do not show again | {enable|requires} javascript | {javascript|cookies} {is|are} {disabled|required} | your browser does not support
{subtitles|subs} by | {for|study} study and exchange only | see you in the next one | {like|save} and subscribe | bookmark report | copy link | {today s|this} video {if|is} | watch {now|more videos} | video player | {tags|categories|category} {uncategorized|news|health} | posted under | {this|the} entry was posted | trackback | permalink | {last|page last} {updated|modified} {on|by} | image {credit|source|via} | photo {credit|by|via} getty | getty images | {download|get} {our|the} app | app store | google play | {terms|privacy} {privacy|terms} | disclaimer {privacy|this website} | {return|go|back} {to the|to} {homepage|home page|previous page|main page|forum|forum index} | quick links | {select|choose} your {country|language|region|location} | {all|search} {categories|this site|our site|the site}
"""
EDITING_EN = """
{photo|video|image} {editor|editing app|editing software|editing tips|editing tutorial} | {background|watermark|object} {remover|removal tool|eraser} | {remove|erase} {background|watermark|the background} | no watermark | {lightroom|photoshop|premiere|capcut} {presets|preset|tutorial|template|templates|plugin|actions} | {transitions|overlays|luts|presets} pack | color grading | export {settings|your video} | {royalty free|stock} {music|footage|images|photos} | hd wallpapers | {layer|clipping} mask | {timeline|keyframe|keyframes} in {premiere|capcut|after effects} | after effects template
"""
HARMLESS_ZH = ("公众号召",)
IMPOSSIBLE_EN = (
    "{the|an} {the|a|an|of|and|is|are|or|with|from|was|were|be|that|has|have}", "of {of|for|and|is|are|or|was|were|be|has|to}", "for {of|and|is|are|was|were|has|or}",
    "and and", "{is|are|was|were} {is|are|was|were}", "to {of|and|is|are|was|were|has}", "in {of|and|is|are|or|was|were|has}",
)
"""Function words that seldom follow each other in English; of the pairs of words put in no order one in thirty is such."""


REMAINS = ("锟斤拷", "烫烫烫", "屯屯屯")
"""What replacement characters and unset memory become when read as GBK."""


def _split(zh: tuple[str, ...], en: tuple[str, ...]) -> list[str]:
    """Chinese phrases stand between blanks, English ones between bars with blanks."""
    return [phrase for block in zh for phrase in block.split()] + [phrase for block in en for line in block.strip().splitlines() for phrase in line.split(" | ")]


@functools.cache
def compiled() -> phrases.Phrases:
    """`phrases_by_label`, made for search."""
    return phrases.compiled(phrases_by_label())


def phrases_by_label() -> dict[str, list[str]]:
    """The phrases under `boilerplate`, `impossible`, `remains` and `harmless`."""
    said = _split((SELLING_ZH, PAGES_ZH, EDITING_ZH), (SELLING_EN, PAGES_EN, EDITING_EN))
    return {"boilerplate": said, "impossible": [*IMPOSSIBLE_EN], "remains": [*REMAINS], HARMLESS: [*HARMLESS_ZH]}


def shares(texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each text the share, 0..1, of its characters that stand in sentences with boilerplate; how many impossible pairs of words it has; and
    the share of its characters that are remains of a wrong reading."""
    hits = phrases.search(texts, compiled())
    ink = np.maximum(hits.ink, 1)
    return hits.covered[:, 0] / ink, hits.n[:, 1], len(REMAINS[0]) * hits.n[:, 2] / ink
