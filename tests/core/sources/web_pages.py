"""Web pages whose own text is known: eleven layouts in both languages around pages of the clinic, with all the furniture of the web.

    for page in pages(5): page.html, page.own, page.either
"""

import dataclasses
import html
import itertools
from collections.abc import Iterator

from aquilamed.clinic import pages as clinic
from aquilamed.clinic.facts import load

WORDS = {
    "zh": {"nav": "首页 疾病库 药品大全 专家在线 医院查询 健康资讯 养生保健 登录 注册", "related": "更年期要注意什么 孩子夜里咳嗽怎么办 换季如何选衣服 十种常见的体检项目 老人跌倒如何预防",
           "foot": "关于我们 联系我们 版权声明 网站地图", "rights": "版权所有 © 2026 安康健康网 未经许可不得转载 某ICP备00000000号", "share": "分享到微信 分享到微博 收藏 打印 字号：大 中 小",
           "comment": "网友甲：写得真好，收藏了！ 网友乙：沙发。谢谢楼主分享。 网友丙：请问在哪里挂号？", "ad": "限时优惠！扫码关注公众号，立即领取体检大礼包，名额有限先到先得。",
           "login": "用户名 密码 记住我 忘记密码", "crumbs": "您现在的位置：首页 > 疾病库 > 正文", "by": "2026-03-02 09:15 来源：安康健康网 责任编辑：小林", "sign": "个人签名：天天开心 | 帖子 1024 | 积分 3300",
           "reply": "回复 引用 举报 只看该作者", "related_head": "相关阅读", "toc": "目录", "edit": "编辑", "book": "预约挂号电话 门诊时间 周一至周五 专家出诊表 网上预约", "votes": "有用 12 没用 3 追问", "caption": "图为门诊大厅。资料图片",
           "tags": "标签：健康 科普 门诊", "form": "发表评论 您的姓名 电子邮箱 验证码 提交", "question": "请问这种病应该注意什么？最近总是担心，希望有经验的医生讲一讲，谢谢。", "item": "项目", "value": "说明", "more": "点击查看更多内容 下一篇 上一篇",
           "cookie": "本站使用 Cookie 以改善您的体验，继续浏览即表示同意。"},
    "en": {"nav": "Home|Conditions A to Z|Medicines|Find a doctor|Hospitals|News|Wellness|Sign in|Register", "related": "What to expect at menopause|Why children cough at night|Ten common screening tests|How to prevent falls in older people|Choosing clothes for cold days",
           "foot": "About us|Contact|Privacy policy|Site map", "rights": "Copyright © 2026 Wellway Health. All rights reserved. No part may be copied without permission.", "share": "Share on social media|Save|Print|Text size: A A A",
           "comment": "anna77: Great read, thanks for posting!|bob: First!|carl: Where can I make an appointment?", "ad": "Limited offer! Scan the code and claim your free health check today, while places last.",
           "login": "User name|Password|Remember me|Forgot password", "crumbs": "You are here: Home > Conditions > Article", "by": "2 March 2026 | By the Wellway desk | Reviewed by an editor", "sign": "Posts: 1024 | Likes: 330 | Live and let live",
           "reply": "Reply|Quote|Report", "related_head": "Related articles", "toc": "Contents", "edit": "edit", "book": "Book an appointment|Opening hours: Monday to Friday|Our doctors|Online booking", "votes": "Helpful 12|Not helpful 3|Ask again",
           "caption": "The entrance hall of a clinic. File photo", "tags": "Tags: health, clinic, everyday", "form": "Leave a comment|Your name|E-mail|Code|Send", "question": "What should one look out for with this? It has been on my mind and I would like to hear from a doctor, thank you.",
           "item": "Item", "value": "Details", "more": "Read more|Next article|Previous article", "cookie": "We use cookies to improve your visit. By going on you agree to their use."},
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Web:
    """A page and what of it is its own text."""

    layout: str
    lang: str
    html: str
    own: tuple[str, ...]
    """Paragraphs that belong to it."""
    either: tuple[str, ...] = ()
    """What may be there or not: title, date line, caption."""


def pages(n: int) -> Iterator[Web]:
    """Every layout in both languages, around `n` subjects each."""
    facts = load()
    for (layout, write), lang in itertools.product(LAYOUTS.items(), ("zh", "en")):
        for number in range(n):
            subjects = [facts.conditions[(7 * number + k) % len(facts.conditions)] for k in range(3)]
            made = [clinic.subject_page(facts, subject, lang, number, seed=1) for subject in subjects]
            texts = [[line for line in one.text.split("\n") if line] for one in made]
            words = {key: [*text.split("|")] if lang == "en" else text.split(" ") for key, text in WORDS[lang].items()}
            body, own, either = write(made[0].title, texts, words)
            yield Web(layout=layout, lang=lang, html=_document(made[0].title, body, lang), own=tuple(own), either=(made[0].title, *either))


def _document(title: str, body: str, lang: str) -> str:
    site = "安康健康网" if lang == "zh" else "Wellway Health"
    return (f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(title)}_{site}</title><style>p {{margin: 0}}</style>'
            f'<script>var ad = "banner"; document.write("x");</script></head><body>{body}</body></html>')


def _p(texts: list[str], tag: str = "p") -> str:
    return "".join(f"<{tag}>{html.escape(text)}</{tag}>\n" for text in texts)


def _links(texts: list[str], *, by: str = "li") -> str:
    return "".join(f'<{by}><a href="/p/{number}">{html.escape(text)}</a></{by}>' for number, text in enumerate(texts))


def _line(texts: list[str]) -> str:
    return html.escape(" ".join(texts))


def news(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[1]
    return (f'<header><nav><ul>{_links(w["nav"])}</ul></nav></header><main><article><h1>{title}</h1><p class="byline">{_line(w["by"])}</p>'
            f'<figure><img src="a.jpg"><figcaption>{_line(w["caption"])}</figcaption></figure>{_p(own)}<div class="share-buttons">{_links(w["share"], by="span")}</div></article>'
            f'<aside><h3>{_line(w["related_head"])}</h3><ul>{_links(w["related"])}</ul></aside><section id="comments" class="comments">{_p(w["comment"])}</section></main>'
            f'<footer><ul>{_links(w["foot"])}</ul><p>{_line(w["rights"])}</p></footer>', own, [_line(w["by"]), _line(w["caption"])])


def old_tables(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[2]
    body = "<br>\n".join(f"　　{html.escape(text)}" for text in own)
    menu = "".join("<tr>" + _links([text], by="td") + "</tr>" for text in w["related"])
    return (f'<table width="960" border="0"><tr>{_links(w["nav"], by="td")}</tr></table><table width="960"><tr><td width="180" valign="top"><table>'
            f'{menu}</table></td><td valign="top"><font size="2">{_line(w["crumbs"])}</font>'
            f'<div align="center"><b><font size="5">{title}</font></b></div><font size="3">{body}</font><br><br><a href="/n">{_line(w["more"])}</a></td></tr></table>'
            f'<table width="960"><tr><td align="center">{_links(w["foot"], by="font")}<br>{_line(w["rights"])}</td></tr></table>', own, [])


def forum(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    posts = [w["question"], texts[0], texts[1]]
    made = "".join(f'<div id="post_{number}" class="post"><div class="author"><a href="/u">user{number}</a><p>{_line(w["sign"])}</p></div>'
                   f'<div class="postmessage" id="msg{number}">{_p(post)}</div><div class="post-actions">{_links(w["reply"], by="span")}</div></div>' for number, post in enumerate(posts))
    return (f'<div id="hd"><div id="nv"><ul>{_links(w["nav"])}</ul></div></div><div id="pt">{_line(w["crumbs"])}</div><div id="wp"><h1 id="thread_subject">{title}</h1>{made}</div>'
            f'<div id="quick-reply"><form>{_p(w["form"], "label")}<textarea></textarea></form></div><div id="ft"><p>{_line(w["rights"])}</p></div>', [*w["question"], *texts[0], *texts[1]], [])


def encyclopaedia(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    cells = [("37.5", "120/80"), ("36.8", "118/76"), ("38.2", "131/85")]
    table = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in cells)
    body = "".join(f'<h2><span class="mw-headline">{w["item"][0]} {number}</span><span class="mw-editsection">[<a href="#">{w["edit"][0]}</a>]</span></h2>{_p(part)}' for number, part in enumerate(texts, start=1))
    return (f'<div id="mw-navigation"><div id="p-personal" role="navigation"><ul>{_links(w["login"])}</ul></div><div id="p-navigation" class="portal"><ul>{_links(w["nav"])}</ul></div></div>'
            f'<div id="content" class="mw-body"><h1 id="firstHeading">{title}</h1><div id="toc" class="toc"><h2>{w["toc"][0]}</h2><ul>{_links(w["related"][:2])}</ul></div>'
            f'<div id="mw-content-text">{body}<table class="wikitable"><tr><th>{w["item"][0]}</th><th>{w["value"][0]}</th></tr>{table}</table></div>'
            f'<div id="catlinks" class="catlinks"><ul>{_links(w["related"])}</ul></div></div><div id="footer" role="contentinfo"><p>{_line(w["rights"])}</p></div>',
            [*itertools.chain(*texts), *itertools.chain(*cells)], [*(f"{w['item'][0]} {number}" for number in (1, 2, 3)), w["item"][0], w["value"][0]])


def hospital(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[1]
    return (f'<div class="top"><div class="menu"><ul class="menu-list">{_links(w["nav"])}</ul></div></div><div class="banner"><img src="b.jpg" alt="banner"></div>'
            f'<div class="wrap"><div class="left-box"><h3>{_line(w["book"][:1])}</h3><ul>{_links(w["book"])}</ul></div><div class="right-box"><div class="position">{_line(w["crumbs"])}</div>'
            f'<div class="news-detail"><h2>{title}</h2><div class="info">{_line(w["by"])}</div><div class="content-txt">{_p(own)}</div></div><div class="prev-next">{_links(w["more"], by="p")}</div></div></div>'
            f'<div class="foot"><p>{_line(w["foot"])}</p><p>{_line(w["rights"])}</p></div>', own, [_line(w["by"])])


def answers(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    made = "".join(f'<div class="answer" itemprop="suggestedAnswer"><div class="answer-text">{_p(text)}</div><div class="vote-bar">{_links(w["votes"], by="span")}</div></div>' for text in texts[:2])
    return (f'<nav class="topbar">{_links(w["nav"], by="span")}</nav><div class="ad-slot">{_line(w["ad"])}</div><div class="question"><h1>{title}</h1><div class="question-body">{_p(w["question"])}</div></div>'
            f'<div class="answers">{made}</div><div class="related-questions"><h3>{_line(w["related_head"])}</h3><ul>{_links(w["related"])}</ul></div><footer>{_line(w["rights"])}</footer>',
            [*w["question"], *texts[0], *texts[1]], [])


def blog(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[1]
    half = len(own) // 2
    said = "".join(f'<li class="comment"><p>{text}</p></li>' for text in w["comment"])
    return (f'<div id="page"><header id="masthead" class="site-header"><nav id="site-navigation"><ul>{_links(w["nav"])}</ul></nav></header><div id="primary" class="content-area"><main id="main">'
            f'<article class="post hentry"><header class="entry-header"><h1 class="entry-title">{title}</h1><div class="entry-meta">{_line(w["by"])}</div></header><div class="entry-content">{_p(own[:half])}'
            f'<blockquote><p>{html.escape(texts[2][0])}</p></blockquote>{_p(own[half:])}</div><footer class="entry-footer">{_line(w["tags"])}</footer></article>'
            f'<div id="comments" class="comments-area"><ol class="comment-list">{said}</ol><div id="respond"><form>{_p(w["form"], "label")}</form></div></div></main></div>'
            f'<div id="secondary" class="widget-area"><section class="widget"><h2>{_line(w["related_head"])}</h2><ul>{_links(w["related"])}</ul></section></div>'
            f'<footer id="colophon" class="site-footer"><p>{_line(w["rights"])}</p></footer></div><div class="cookie-banner">{_line(w["cookie"])}</div>', [*own, texts[2][0]], [_line(w["by"]), _line(w["tags"])])


def bare(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[1]
    return f'<p>{_links(w["nav"], by="span")}</p><h1>{title}</h1>{_p(own)}<ul>{_links(w["related"])}</ul><hr><p>{_line(w["rights"])}</p>', own, []


def unnamed(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    own = texts[0] + texts[2]
    body = "<br><br>".join(html.escape(text) for text in own)
    return (f'<div class="css-1a9x"><div class="css-77q">{_links(w["nav"], by="div")}</div></div><div class="css-0zk"><div class="css-3m"><h1 class="css-h">{title}</h1><div class="css-p2">{body}</div></div>'
            f'<div class="css-9r">{_links(w["related"], by="div")}</div></div><div class="css-f0"><div>{_links(w["foot"], by="span")}</div><div>{_line(w["rights"])}</div></div>', own, [])


def lists(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    points = texts[0] + texts[1]
    return (f'<div id="header"><ul id="nav">{_links(w["nav"])}</ul></div><div id="main"><h1>{title}</h1><ol>{_p(points, "li")}</ol><dl><dt>{html.escape(texts[2][0])}</dt><dd>{html.escape(texts[2][-1])}</dd></dl></div>'
            f'<div id="sidebar"><div class="widget"><h3>{_line(w["related_head"])}</h3><ul>{_links(w["related"])}</ul></div><div class="ads">{_line(w["ad"])}</div></div><div id="footer">{_line(w["rights"])}</div>',
            [*points, texts[2][0], *texts[2][-1:]], [])


def index(title: str, texts: list[list[str]], w: dict) -> tuple[str, list[str], list[str]]:
    links = [text[:24] for text in itertools.chain(*texts)]
    return (f'<div class="nav"><ul>{_links(w["nav"])}</ul></div><div class="list"><ul>{_links(links + w["related"])}</ul></div><div class="pages">{_links(["1", "2", "3"], by="span")}</div>'
            f'<div class="footer">{_line(w["rights"])}</div>', [], [])


LAYOUTS = {"news": news, "old tables": old_tables, "forum": forum, "encyclopaedia": encyclopaedia, "hospital": hospital, "answers": answers, "blog": blog, "bare": bare, "unnamed": unnamed,
           "lists": lists, "index": index}


def judged(text: str, page: Web) -> tuple[int, int, int]:
    """(Characters of the page's own text, how many of them `text` holds, how many characters `text` holds that belong to it neither way); blanks aside."""
    left, own = _dense(text), [_dense(part) for part in page.own]
    found = 0
    for part in sorted(own, key=len, reverse=True):
        if part in left:
            found += len(part)
            left = left.replace(part, "\n", 1)
    for part in sorted(map(_dense, page.either), key=len, reverse=True):
        left = left.replace(part, "\n", 1)
    return sum(map(len, own)), found, len(left.replace("\n", ""))


def _dense(text: str) -> str:
    return "".join(text.split())
