"""The set as Croissant metadata (MLCommons, version 1.1): files with their checksums, and what each column holds."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from aquilamed.release import card, licences

VERSION_URL = "http://mlcommons.org/croissant/1.1"
TERMS = (
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath",
    "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)
"""Words of the standard that mean what its own vocabulary says."""
PARQUET = "application/x-parquet"
TEXT = "sc:Text"


def metadata(config, facts, files: Mapping[str, tuple[str, int]], columns: pa.Schema) -> dict:
    """The JSON-LD; `files` maps a path to its SHA-256 and bytes, `columns` are those of the published Parquet files."""
    given = {"datePublished": config.published, "url": config.url, "citeAs": config.cite}
    maker = {"creator": {"@type": "sc:Organization", "name": config.creator}} if config.creator else {}
    return {
        "@context": context(), "@type": "sc:Dataset", "conformsTo": VERSION_URL, "name": config.title, "version": config.version,
        "description": {lang: card.summary(config, facts, lang) for lang in ("en", "zh")},
        "license": sorted(facts.all.by(3)), "inLanguage": sorted(lang for lang in facts.all.by(1) if lang in ("zh", "en")), "isLiveDataset": False,
        "usageInfo": card.NOTICE["en"], "keywords": ["medical", "bilingual", licences.DUTIES[licences.STRICTNESS[min(map(licences.strictness, facts.all.by(3)))]].en],
        **{key: value for key, value in given.items() if value}, **maker,
        "distribution": [*_files(files), *(_file_set(split) for split in facts.censuses)],
        "recordSet": [{"@type": "cr:RecordSet", "@id": split, "name": split, "field": [_field(split, column) for column in columns]} for split in facts.censuses],
    }


def context() -> dict:
    """What the names in the metadata stand for, as the standard has it."""
    return {
        "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo", **{term: f"cr:{term}" for term in TERMS},
        "data": {"@id": "cr:data", "@type": "@json"}, "examples": {"@id": "cr:examples", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "name": {"@container": "@language"}, "description": {"@container": "@language"},
    }


def _files(files: Mapping[str, tuple[str, int]]) -> Iterator[dict]:
    for path, (sha256, size) in files.items():
        yield {"@type": "cr:FileObject", "@id": path, "name": path, "contentUrl": path, "contentSize": f"{size} B", "encodingFormat": PARQUET, "sha256": sha256}


def _file_set(split: str) -> dict:
    return {"@type": "cr:FileSet", "@id": f"{split}-files", "name": f"{split}-files", "encodingFormat": PARQUET, "includes": f"data/{split}-*.parquet"}


def _field(split: str, column: pa.Field) -> dict:
    """A column; what is nested in it is reached by a path of its own."""
    name, kind = f"{split}/{column.name}", column.type
    made = {"@type": "cr:Field", "@id": name, "name": column.name, "description": {lang: words[lang] for words in (card.COLUMNS[column.name],) for lang in ("en", "zh")}}
    inner = kind.value_type if pa.types.is_list(kind) else kind
    if not pa.types.is_struct(inner):
        return {**made, "dataType": TEXT, "source": _source(split, column.name)}
    many = {"repeated": True} if pa.types.is_list(kind) else {}
    parts = [{"@type": "cr:Field", "@id": f"{name}/{part.name}", "name": part.name, "dataType": TEXT, "source": {**_source(split, column.name), "transform": {"jsonPath": part.name}}} for part in inner]
    return {**made, **many, "subField": parts}


def _source(split: str, column: str) -> dict:
    return {"fileSet": {"@id": f"{split}-files"}, "extract": {"column": column}}
