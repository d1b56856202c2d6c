"""WARC archives: packed, damaged, in every compression; what is no page is counted, and a cut-off archive is never a shorter one."""

import bz2
import gzip
import io

import pyarrow as pa
import pytest
from fastwarc.warc import WarcRecord, WarcRecordType

from aquilamed.core import tables
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import Documents, Reading, Source, archive
from aquilamed.core.sources.files import Broken
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local

ZH = "<html><head><title>高血压</title></head><body><nav><a href='/'>首页</a></nav><p>高血压患者每天的食盐不宜超过五克，少吃腌制食品。</p></body></html>"
EN = "<html><head><title>Asthma</title></head><body><p>Asthma is a long-term condition in which the airways narrow.</p></body></html>"


def record(body: bytes, *headers: str, url="https://a.example.org/x", status="200 OK", kind=WarcRecordType.response, warc_type="application/http; msgtype=response") -> bytes:
    made = WarcRecord()
    made.init_headers(kind)
    made.headers["WARC-Target-URI"], made.headers["WARC-Date"], made.headers["Content-Type"] = url, "2026-11-26T00:00:00Z", warc_type
    http = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, ""))
    made.set_bytes_content((http.encode() if "http" in warc_type else b"") + body)
    file = io.BytesIO()
    made.write(file)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def read(path, data: bytes, **reading) -> list:
    path.write_bytes(data)
    return [row for _, row in archive.records(path, Reading(format="warc", **reading), "")]


PAGES = [record(ZH.encode("gb18030"), "Content-Type: text/html; charset=gb2312"), record(EN.encode(), "Content-Type: text/html")]


@pytest.mark.parametrize(("name", "pack"), [("a.warc", bytes), ("a.warc.gz", gzip.compress), ("a.warc.bz2", bz2.compress), ("a.warc.zst", zstd)])
def test_every_compression_gives_the_same_pages_and_every_cut_is_told(tmp_path, name, pack):
    whole = pack(b"".join(PAGES)) if name != "a.warc.gz" else b"".join(map(pack, PAGES))
    rows = read(tmp_path / name, whole)
    assert [row["text"] for row in rows] == ["高血压患者每天的食盐不宜超过五克，少吃腌制食品。", "Asthma is a long-term condition in which the airways narrow."]
    for size in (len(whole) - 60, len(whole) - len(pack(PAGES[1])) + 30, len(whole) // 2, 40):
        with pytest.raises(RecordError, match=r"a\.warc.*, record \d: .*fetch it again"):
            read(tmp_path / name, whole[:size])


@pytest.mark.parametrize(("headers", "pack"), [
    (("Content-Encoding: gzip",), gzip.compress), (("Transfer-Encoding: chunked",), lambda body: f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"),
    (("Content-Encoding: gzip", "Transfer-Encoding: chunked"), lambda body: f"{len(gzip.compress(body)):x}\r\n".encode() + gzip.compress(body) + b"\r\n0\r\n\r\n"),
    (("Content-Encoding: gzip", "Transfer-Encoding: chunked"), bytes), ((), bytes),
])
def test_a_response_is_unpacked_as_it_says_and_read_as_it_stands_where_it_is_not(tmp_path, headers, pack):
    (row,) = read(tmp_path / "a.warc", record(pack(EN.encode()), "Content-Type: text/html", *headers))
    assert row["text"] == "Asthma is a long-term condition in which the airways narrow."


def test_what_is_no_page_is_counted_with_its_reason_and_every_document_keeps_its_url(tmp_path):
    parts = [*PAGES, record(b"", url="https://a.example.org/copy", kind=WarcRecordType.revisit), record(b"moved", "Content-Type: text/html", status="301 Moved", url="https://a.example.org/old"),
             record(b"%PDF-1.4", "Content-Type: application/pdf"), record(bytes(range(256)) * 30, "Content-Type: text/html"), record(b"<html><body></body></html>", "Content-Type: text/html"),
             record(b"GET / HTTP/1.1", kind=WarcRecordType.request, warc_type="application/http; msgtype=request"), record(b"software: x", kind=WarcRecordType.warcinfo, warc_type="application/warc-fields"),
             record("糖尿病患者应定期监测血糖。".encode(), url="https://a.example.org/wet", kind=WarcRecordType.conversion, warc_type="text/plain"),
             record(EN.replace("Asthma is", "Eczema is").encode(), url="https://a.example.org/bare", kind=WarcRecordType.resource, warc_type="text/html")]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    counts = gather("documents", [Source(name="s", path=tmp_path / "a.warc", format="warc", mapping=Documents(), license="unknown")], tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 9, "out": 4, "dropped": {"http_error": 1, "no_text": 1, "not_html": 2, "revisit": 1}}
    metas = {row["text"][:3]: row["meta"] for row in tables.rows(tmp_path / "out", "documents")}
    assert metas["糖尿病"]["url"] == "https://a.example.org/wet" and metas["Ecz"]["url"] == "https://a.example.org/bare" and metas["高血压"]["date"] == "2026-11-26T00:00:00Z"


def test_a_record_too_large_for_a_page_is_counted_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr("aquilamed.core.sources.web.MAX_PAGE", 400)
    rows = read(tmp_path / "a.warc", record(b"x" * 500, "Content-Type: text/html") + PAGES[1])
    assert isinstance(rows[0], Broken) and rows[0].reason == "too_large" and "Asthma" in rows[1]["text"]


def test_a_text_file_is_no_archive(tmp_path):
    with pytest.raises(RecordError, match="record 1: no WARC record.*check format="):
        read(tmp_path / "a.warc", b"just a text\n" * 20)
