"""PDF files by hand: pages of lines in any script, in a font that is not embedded but tells the characters of its codes."""

from pathlib import Path


def write(path: Path, pages: list[list[str]]) -> None:
    """A PDF of these lines, top to bottom; an empty page has no text layer."""
    chars = sorted({char for lines in pages for line in lines for char in line})
    codes = {char: number for number, char in enumerate(chars, start=1)}
    mapping = "\n".join(f"<{number:04x}> <{char.encode('utf-16-be').hex()}>" for char, number in codes.items())
    cmap = f"/CIDInit /ProcSet findresource begin begincmap /CMapName /X def 1 begincodespacerange <0000> <ffff> endcodespacerange {len(chars)} beginbfchar\n{mapping}\nendbfchar endcmap end"
    objects = {1: "<< /Type /Catalog /Pages 2 0 R >>", 3: "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
               4: "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 6 0 R /DW 500 >>",
               5: _stream(cmap), 6: "<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 500 500] /ItalicAngle 0 /Ascent 500 /Descent 0 /CapHeight 500 /StemV 50 >>"}
    numbers = [7 + 2 * place for place in range(len(pages))]
    objects[2] = f"<< /Type /Pages /Kids [{' '.join(f'{number} 0 R' for number in numbers)}] /Count {len(pages)} >>"
    for number, lines in zip(numbers, pages, strict=True):
        drawn = "".join(f"1 0 0 1 50 {780 - 14 * row} Tm <{''.join(f'{codes[char]:04x}' for char in line)}> Tj\n" for row, line in enumerate(lines))
        objects[number] = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> /Contents {number + 1} 0 R >>"
        objects[number + 1] = _stream(f"BT /F 10 Tf\n{drawn}ET" if lines else "")
    path.write_bytes(_file(objects))


def _stream(data: str) -> str:
    return f"<< /Length {len(data)} >>\nstream\n{data}\nendstream"


def _file(objects: dict[int, str]) -> bytes:
    data, offsets = b"%PDF-1.7\n", {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(data)
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start, n = len(data), max(objects) + 1
    data += f"xref\n0 {n}\n0000000000 65535 f \n".encode() + b"".join(f"{offsets[number]:010d} 00000 n \n".encode() for number in range(1, n))
    return data + f"trailer << /Size {n} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
