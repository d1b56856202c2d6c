"""Web pages, archives and PDF files: the page's own text, in any encoding, without its furniture."""

import io
from pathlib import Path

import opencc
import pdf_pages
import pytest
import web_pages
from fastwarc.warc import WarcRecord, WarcRecordType

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Documents, Reading, Source, pdf, web
from aquilamed.core.sources.files import Broken
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local

ZH = """<html><head><meta charset="{charset}"><title>高血压的饮食</title></head><body>
<div class="nav"><ul><li><a href="/">首页</a></li><li><a href="/jb">疾病</a></li></ul></div>
<div id="content"><h1>高血压的饮食</h1><p>高血压患者每天的食盐不宜超过五克，少吃腌制食品。</p>
<p>蔬菜和水果含钾较多，对控制血压有帮助；肾功能不全者除外。</p><table><tr><td>收缩压</td><td>一百四十</td></tr></table></div>
<div class="sidebar"><h3>相关阅读</h3><ul><li><a href="/1">糖尿病</a></li></ul></div>
<div class="comments"><p>网友甲：写得真好！</p></div><footer>版权所有 某某健康网</footer><script>var x = "广告";</script></body></html>"""
EN = """<html><head><title>Living with asthma</title></head><body><header><nav><a href="/">Home</a> <a href="/a">About us</a></nav></header>
<article><h1>Living with asthma</h1><p>Asthma is a long-term condition in which the airways narrow and swell.</p>
<p>Most people control it with an inhaler, taken twice a day.</p></article>
<aside>Subscribe to our newsletter</aside><footer>Copyright 2020. All rights reserved.</footer></body></html>"""
TRADITIONAL = opencc.OpenCC("s2t").convert(ZH)
FURNITURE = ("首页", "相关阅读", "网友", "版权", "广告", "About us", "newsletter", "Copyright")


@pytest.mark.parametrize(("page", "encoding", "charset"), [(ZH, "utf-8", "utf-8"), (ZH, "gb18030", "gb2312"), (ZH, "gb18030", "gbk"), (TRADITIONAL, "big5", "big5"), (EN, "utf-8", "utf-8"), (EN, "latin-1", "latin-1")])
def test_a_page_gives_its_own_text_in_any_encoding(page, encoding, charset):
    data = page.format(charset=charset).encode(encoding, "ignore") if "{charset}" in page else page.encode(encoding)
    found = web.page(data)
    assert not any(word in found["text"] for word in FURNITURE), found["text"]
    if page is EN:
        assert found["title"] == "Living with asthma" and found["text"].split("\n\n")[1:] == [
            "Asthma is a long-term condition in which the airways narrow and swell.", "Most people control it with an inhaler, taken twice a day."]
    else:
        text = opencc.OpenCC("t2s").convert(found["text"])
        assert "五克，少吃" in text and "肾功能不全者除外" in text and "一百四十" in text


def test_an_html_folder_is_documents_and_an_empty_page_is_counted(tmp_path):
    (tmp_path / "一.html").write_bytes(ZH.format(charset="gbk").encode("gb18030"))
    (tmp_path / "b.htm").write_text(EN, encoding="utf-8")
    (tmp_path / "c.html").write_text("<html><head><title>x</title></head><body><nav>Home</nav></body></html>", encoding="utf-8")
    source = Source(name="web", path=tmp_path, format="html", mapping=Documents(title="title"), license="MIT")
    counts = gather("documents", [source], tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 3, "out": 2, "dropped": {"no_text": 1}} and counts.langs == {"zh": 1, "en": 1}
    assert {row["text"].split("\n")[0] for row in tables.rows(tmp_path / "out", "documents")} == {"高血压的饮食", "Living with asthma"}


def test_pages_of_every_layout_keep_their_own_text_and_lose_their_furniture():
    sums = {lang: [0, 0, 0] for lang in ("zh", "en")}
    for page in web_pages.pages(2):
        found = web.page(page.html.encode())
        judged = web_pages.judged(found["text"] if isinstance(found, dict) else "", page)
        sums[page.lang] = [a + b for a, b in zip(sums[page.lang], judged, strict=True)]
        assert judged[1] == judged[0], (page.layout, page.lang, found)
        assert page.own or isinstance(found, Broken), "a page of links has no text of its own"
    for own, kept, others in sums.values():
        assert own == kept and kept / (kept + others) > 0.95


def test_lines_of_links_headings_over_nothing_rights_and_paths_go_and_terms_that_are_links_stay():
    page = """<html><body><div>首页 &gt; 疾病 &gt; 心内科</div><h1>高血压</h1><p>与<a href="/a">高盐饮食</a>、<a href="/b">肥胖</a>有关，需要长期治疗。</p><h2>用药</h2><p>a &lt; b &amp; c</p>
        <h2>相关阅读</h2><ul><li><a href="/1">糖尿病</a></li><li><a href="/2">痛风</a></li></ul><div>版权所有 © 2026 某站</div></body></html>"""
    assert web.page(page.encode())["text"].replace("\n\n", "\n").split("\n") == ["高血压", "与高盐饮食、肥胖有关，需要长期治疗。", "用药", "a < b & c"]


@pytest.mark.parametrize(("data", "encoding", "has"), [
    (ZH.format(charset="utf-16").encode("utf-16"), "utf-16", "五克，少吃"),
    (b'<?xml version="1.0" encoding="gb2312"?>' + ZH.replace('<meta charset="{charset}">', "").encode("gb18030"), "gb18030", "五克，少吃"),
    (ZH.format(charset="klingon-8").encode("gb18030"), "gb18030", "五克，少吃"),
    (ZH.format(charset="iso-8859-1").encode("gb18030"), "gb18030", "五克，少吃"),
    (ZH.format(charset="utf-8").encode().replace("食盐".encode(), "食".encode() + b"\xff"), "utf-8", "每天的食\ufffd不宜"),
])
def test_an_encoding_that_is_declared_wrongly_or_damaged_is_found(data, encoding, has):
    found = web.page(data)
    assert found["encoding"] == encoding and has in found["text"]


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 30, bytes(range(128, 256)) * 40, b"%PDF-1.4\n" + bytes(range(256)) * 20,
                                  b"<html><body>" + b"<div>" * 100_000 + b"deep" + b"</div>" * 100_000])
def test_junk_and_nesting_without_end_are_no_pages(data):
    assert web.page(data).reason == "not_html"


def test_many_paragraphs_that_are_not_closed_are_not_deep():
    assert "line 8999" in web.page(b"<html><body>" + b"".join(b"<p>line %d of the book." % n for n in range(9000)))["text"]


def record(url: str, body: bytes, kind: str = "text/html; charset=utf-8", status: int = 200) -> bytes:
    made = WarcRecord()
    made.init_headers(WarcRecordType.response)
    made.headers["WARC-Target-URI"], made.headers["WARC-Date"] = url, "2026-11-26T00:00:00Z"
    made.headers["Content-Type"] = "application/http; msgtype=response"
    made.set_bytes_content(f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body)
    file = io.BytesIO()
    made.write(file)
    return file.getvalue()


def test_an_archive_gives_its_pages_and_counts_what_is_none(tmp_path):
    parts = [record("https://a.example.org/zh", ZH.format(charset="gbk").encode("gb18030"), "text/html"), record("https://a.example.org/en", EN.encode()),
             record("https://a.example.org/p.png", b"\x89PNG", "image/png"), record("https://a.example.org/gone", b"gone", status=404)]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    source = Source(name="crawl", path=tmp_path, format="warc", mapping=Documents(meta={"url": "url", "date": "date"}), license="unknown")
    counts = gather("documents", [source], tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 4, "out": 2, "dropped": {"http_error": 1, "not_html": 1}}
    assert {row["meta"]["url"] for row in tables.rows(tmp_path / "out", "documents")} == {"https://a.example.org/zh", "https://a.example.org/en"}
    gone = tables.load(tmp_path / "out/dropped/raw-00000.parquet").to_pylist()
    assert [(row["reason"], row["detail"]) for row in gone] == [("not_html", "https://a.example.org/p.png: image/png"), ("http_error", "https://a.example.org/gone: status 404")]
    (tmp_path / "a.warc").write_bytes(b"no archive at all")
    with pytest.raises(RecordError, match="a.warc"):
        gather("documents", [source], tmp_path / "other", Local(1))


PAGES = [["内科学讲义 第1章", "高血压是指动脉血压持续升高的慢性病，早期多没有明显的症状，", "常在体检时发现。", "长期升高会损害心、脑、肾等器官，因此应当定期随访并且按时", "服药。", "- 1 -"],
         ["内科学讲义 第1章", "The treatment of hypertension begins with changes of life-", "style: less salt, more exercise, and a diet rich in vegeta-", "bles. Drugs follow.", "", "- 2 -"],
         ["内科学讲义 第1章", "随访的间隔由医生决定。", "- 3 -"]]


def test_a_pdf_gives_paragraphs_without_heads_and_page_numbers(tmp_path):
    pdf_pages.write(tmp_path / "讲义.pdf", PAGES)
    ((number, row),) = pdf.pdf(tmp_path / "讲义.pdf", Reading(format="pdf"), "")
    assert (number, row["pages"], row["furniture"]) == (1, "3", "6")
    assert row["text"].split("\n") == [
        "高血压是指动脉血压持续升高的慢性病，早期多没有明显的症状，常在体检时发现。", "长期升高会损害心、脑、肾等器官，因此应当定期随访并且按时服药。",
        "The treatment of hypertension begins with changes of lifestyle: less salt, more exercise, and a diet rich in vegetables. Drugs follow.", "随访的间隔由医生决定。"]
    assert [number for number, _ in pdf.pdf(tmp_path / "讲义.pdf", Reading(format="pdf", unit="page"), "")] == [1, 2, 3]


def test_scanned_damaged_and_locked_files_are_told(tmp_path):
    pdf_pages.write(tmp_path / "scan.pdf", [[], []])
    ((_, broken),) = pdf.pdf(tmp_path / "scan.pdf", Reading(format="pdf"), "")
    assert broken.reason == "no_text_layer" and broken.detail == "2 pages without a text layer: scanned; recognise it first (OCR)"
    (tmp_path / "cut.pdf").write_bytes(Path(tmp_path / "scan.pdf").read_bytes()[:40])
    with pytest.raises(RecordError, match="cut.pdf: not a PDF that can be opened .*is it cut off"):
        list(pdf.pdf(tmp_path / "cut.pdf", Reading(format="pdf"), ""))
    with pytest.raises(ConfigError, match="unit='page' is not for format='txt'"):
        Reading(format="txt", unit="page")
