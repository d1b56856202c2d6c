"""The statements of a reply that name options: which options each means, whether it takes back what was said before."""

import dataclasses
import functools
import itertools
import re
from collections.abc import Sequence

from aquilamed.evals import clauses
from aquilamed.evals.visible import plain
from aquilamed.models.wording import LETTERS

_AND = r"\s*(?:[、;&+]|\band\b|和|与|及|以及)\s*"
_COMMA = r"\s*,\s*(?:and\s+|和\s*)?"
_CLOSED = r"(?=\s*(?:[,、;.。)\]\n&]|and\b|or\b|和|或|及|以及|与|$))"
SET = (rf"(?:[A-Z](?:\ +[A-Z])+(?=\s*(?:[,;.。)\n]|$))|[A-Z](?:\)\s*\([A-Z])+(?=\))|[A-Z]{{2,}}"
       rf"|[A-Z](?:\)?{_AND}\(?[A-Z]\)?(?![A-Za-z0-9'-])|\)?{_COMMA}\(?[A-Z]\)?(?![A-Za-z0-9'-]){_CLOSED})*)")
"""Letters: with blanks between, each in brackets, run together, or joined by words and marks. After a comma stands one only if nothing is said of it alone."""
_SET = rf"(?P<set>(?>{SET}))"
_TOLD = re.compile(
    r"[)\]]?\s*(?:(?:[两三四五]|[两三四五]?个)?选?项|者)?\s*(?:均|都|皆|全|也|(?:是|为)(?!因)|属|不|错|有误|可|则|见|用|说|(?i:is|are|was|were|has|have|can|do|does|all|both|would|will)\b)(?P<right>(?:是|为"
    r"|属)?(?:正确|对|符合)|\s+(?i:correct|right)\b)?")
"""After several letters: something is told of them, or of the last of them."""
_LINK = (
    r"(?:应[该当]?|可能|显然|肯定|一定|必然|无疑|当然|其实|实际上|答案|就|也|只能|的|是|系|为|选项|选择?|包括|有|最终|answers?|(?:is|are|was|would|should|must|will|be)\b"
    r"|(?:options?|choices?|letter|here|probably|likely|most|clearly|definitely|both|therefore|thus|to\s+(?:this|the)\s+(?:question|one|problem|item))\b|->|\([^()A-Z][^()]{0,9}\)"
    r"|\((?i:answers?)\)"
    r"|[:=>\s(\[{-])*")
"""Between the words that announce an answer and the answer."""
_IS = "(?=是|为|系|有|包括|:)"
_SAYING = re.compile(
    rf"(?:(?P<name>答案|正解|(?:正确|最佳|合适|恰当)(?:的?选项)|(?P<described>(?:不?(?:正确|恰当|合适|符合题意)|错误|最合适)的{_IS}|的(?:诊断|选项|选择|一项|说法|做法|措施|药物|检查|治疗|处理|[叙描陈表]述)(?=是|为|系)|\b(?i:except)(?=[ \t]*:[ \t]*\(?[A-Z](?![A-Za-z]))))"
    rf"|(?P<relative>(?:不(?:属于|包括|应|宜|能|可|会|符合|需|具有|引起|是)|属于|首选|最(?:可能|常见|主要|适宜))[^,;.。:\n是说认确选]{{0,24}}的(?=是))"
    rf"|(?:(?<=[,;.。:\s])|(?<=认为)|(?<=觉得)|而)应该?(?:是|为)|(?:(?<=认为)|(?<=觉得)|而)是|(?:应当?|故)选择?|(?<!可)选择|(?<![挑筛入候当可备次预任错漏])选(?!项|的(?!是))|答(?=[:\s])"
    rf"|(?P<noun>\b(?i:answers?|ans)\b|\b(?i:(?:correct|right|best|final|appropriate|suitable|matching|my)\s*(?:choice|option|one|response)s?)\b)"
    rf"|\b(?i:corresponds?\s+to\s+(?=(?:choice|option|letter)\b)|(?:that|this|which)\s+leaves(?:\s+us\s+with)?(?=\s))"
    rf"|(?P<verb>\b(?i:choose|chose|select|pick|picked|go\s+with|going\s+with)\b)|\b(?i:it(?:'s|\s+is|\s+(?:should|must)\s+be))\b|\bnot\s+[A-Z],?\s+but\b(?:\s+rather)?|不是\s*\(?[A-Z]\)?,\s*是"
    rf"|\b(?i:the\s+(?:one|option|choice|statement)\s+(?:that|which)\b)[^.,;:\n]{{1,60}}?\bis(?=\s+\(?[A-Z]\)?\s*[.。]?\s*(?:$|\n))"
    rf"|(?:\b(?i:therefore|hence|thus|so)\b|因此|所以|综上|故),?(?=\s*\(?{SET}\)?\s*[.。]?\s*(?:$|\n)))(?P<link>(?i:{_LINK}))")
_MEANS = re.compile(r"是|为|:|=|->|-|>|\n|\b(?:is|are|was|be)\b", re.IGNORECASE)
"""What must stand between an English noun and the letters that it announces."""
_LETTERS = re.compile(_SET)
_HEAD = re.compile(r"^(?:(?:选项|(?i:option|choice)\b)\s*)?\(?")
_HEAD_ENDS = re.compile(r"\)?\s*(?:项|选项)?\s*(?:[.,:、。)\]]|-\s|$|\n)")
_JUDGED_AFTER = re.compile(r"\s*(?:项|选项)?\s*[.:、)\]-]+\s*(?:错误?的?(?=\s*(?:$|[,;:.。!\n]))|不(?:正确|对|符合)|(?:正确|对)(?=\s*(?:$|[,;.。\n]))|(?i:incorrect|correct|wrong|right|true|false)\b)")
"""After a letter at the head: the first of several that are judged."""
_BARE = re.compile(rf"^\W*({SET})\W*$", re.MULTILINE)
_ENDS = re.compile(rf"\(?{SET}\)?\s*[.。]?\s*(?:$|\n)")
_VERDICT = re.compile(
    rf"(?<![A-Za-z0-9-])(?P<named>(?i:选项|答案|\boptions?\s|\bchoices?\s)\s*)?\(?{_SET}(?![A-Za-z0-9'-])\)?(?:\s*(?P<item>(?:[两三四五]|[两三四五]?个)?选?项)?\s*[也则才]?[是为均都皆]?\s*(?:最|唯一)?(?P<zh>正确"
    rf"|对的|符合题意|最?佳|不|错|有误)"
    r"|\s+(?i:is|are|would\s+be)\s+(?i:(?:the|most|also)\s+)*(?P<en>(?i:correct|right|best|not|wrong|incorrect|false)\b))")
_RIGHT = re.compile("正确|对的|符合|最?佳|correct|right|best", re.IGNORECASE)
_ALONE_BEFORE = re.compile(
    r"(?:\s|我们?|认为|觉得|相信|应该|故|所以|因此|综上|所述|可见|显然|由此|可知|只有|仅|本题|其中|则|判断|[(:]|\b(?:i|we|would|say|think|believe|feel|am|sure|confident|that|so|thus|therefore|hence|then|only|both|clearly|the"
    r"|letter|answer|here)\b)*$", re.IGNORECASE)
"""Before a bare letter that is judged, in its clause: nothing that could make it the letter of something else."""
_JUDGED_ENDS = re.compile(
    r"(?:的)?(?:答案|选项|选择|一项|项)?(?=\s*(?:$|[,;.。!)\]:\n]|因为|由于|所以|故))|\s*(?:(?:answer|choice|option|one)s?\b)?\s*(?:here\b|for\s+this\s+(?:question|case|patient)\b"
    r"|to\s+this\s+question\b)?(?=\s*(?:$|[,;.:!)\n]|i\.e\.|because\b|since\b|as\b|given\b|due\b))", re.IGNORECASE)
_NAME = re.compile(
    r"[A-Za-z0-9']|-\s?[A-Za-z0-9\u4e00-\u9fff]|\+(?!\s*[A-Z]\b)|\s*(?:[~–—]\s*[A-Z]|[>=≥≤]|<(?!/))|[ \t]+\(?(?!I\b)[A-Z]\)?(?![A-Za-z.):、-])|[两三四五](?!个?选?项|者)|\)?\s*(?:型|族|组|群"
    r"|类(?!似)|超|级|期|肽|反应|细胞|链球菌)"
    r"|[\u4e00-\u9fff](?<![项选是因为所故对正不错均都皆两三四五而但且即最符或还和与及吧哦啦呀啊])"
    r"|[ \t]+(?!because\b|since\b|as\b|is\b|are\b|for\b|due\b|which\b|and\b|or\b|in\s+my\b|but\b|therefore\b|given\b|based\b|option\b|rather\b|over\b)[a-z]|\.\s*[a-z]|\.[\d,]"
    r"|\.\s*[A-Z][a-z]+\s+(?:first\s+)?(?:discovered|described|reported|proposed|introduced|coined)\b"
    r"|\.\s*(?i:diff(?:icile)?|coli|albicans|auris|glabrata|aureus|epidermidis|botulinum|tetani|perfringens|trachomatis|pneumoniae|psittaci|burgdorferi|cereus|anthracis|subtilis"
    r"|pertussis|parapertussis|fumigatus|flavus|niger"
    r"|baumannii|fragilis|faecalis|faecium|histolytica|granulosus|multilocularis|duodenale|lumbricoides|jejuni|freundii|diphtheriae|neoformans|gattii|immitis|dermatitidis|henselae"
    r"|quintana|abortus|melitensis|suis|cepacia"
    r"|pseudomallei|parvum|hominis|medinensis|latum|cloacae|aerogenes|vermicularis|recurrentis|microti|bovis|malayi|israelii|hydrophila|avium|canis|elegans)\b")
"""After a letter that is a part of a name or the word `a`: a type, a film, `E. coli`."""
_MARK = re.compile(r"\s*(?:选?项)?\s*(?:[.:)]|、(?!\s*[A-Z]\b)|-\s)")
_ITEM = re.compile(rf"[\s;(,.。、项](?P<letter>[A-Z]){_MARK.pattern}\s*\S")
"""A letter before one of several options."""
_BETWEEN = re.compile(r"[)\]]?\s*(?:选?项)?\s*(?:,?\s*(?:即|也就是|(?i:i\.e\.|that\s+is))\s*[:,]?|[.:、,)\]-])?\s*\(?")
"""Between an option's letter and its words."""
_ON = re.compile(r"[\s,;、]*(?:and\b|和|与|及)?\s*\(?(?P<letter>[A-Z])(?=\s*[.:、)])")
"""To the next letter of several, each with its words."""
_MENDS = re.compile(r"更正|等等|不对|重新|再看|再想|改为|而是|而应|最终|\b(?:wait|actually|correction|reflection|instead|final)\b", re.IGNORECASE)
_END = r"(?=\s*(?:$|-\s|[.,;](?!\d)|[\n。!?)(\]/}]|(?:because|since|as|which|or|rather|instead)\b|或|还是|吗))"
_CONCLUDING = re.compile(r"(?:(?:therefore|hence|thus|so|因此|所以|综上|故|而)(?![a-z])\s*)?", re.IGNORECASE)
_CHOOSES = re.compile(
    r"(?:^\W*|\b(?:i|we|you|us|to|please|and|but|or|then|not|let's)(?:\W+(?:d|m|ll|ve|would|should|will|must|can|may|have|had|not|t|never|always|simply|just|best|still|rather|\w+ly))*\W*"
    r"|^\W*(?:then|not|simply|just|always|never|\w+ly|would|answer\W)\W*|[\u4e00-\u9fff]\s*)$", re.IGNORECASE)
"""Before a verb of choosing, in its clause: the writer, or nobody else."""
_NOT_THE = re.compile(r"(?:\b(?:not|rather\s+than|instead\s+of)|不是|不选|而非|并非)\s*(?:the\s+)?$", re.IGNORECASE)
_BESIDE = 12
"""Characters after an option's words in which its letter may follow."""
_BEYOND = 160
"""Characters after a yes or no in which another is looked for."""
_YES_OR_NO = frozenset({"yes", "no", "maybe"})
_ANOTHER = re.compile(r"\s*[,;.]\s*(?:(?:but|and|or)\s+)?(?P<word>yes|no|maybe)(?=\s*(?:$|[.,;!]|(?:in|for|if|when|on)\b))", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Named:
    """Options that are named at one place."""

    options: frozenset[int] | None
    """None where letters and words name two, or others are named beside them."""
    end: int
    by_words: bool = False


@dataclasses.dataclass(frozen=True)
class Said:
    """One statement."""

    end: int
    options: frozenset[int] | None
    """None where it wavers between options, or where its letter and its words name two."""
    mends: bool
    """Whether it takes back what was said before."""


def statements(text: str, options: Sequence[str], n_options: int) -> list[Said]:
    """What `text` says the answer is, in order; what it denies, asks, supposes or reports of others is left out."""
    found = [said for said in [_at_head(text, options)] if said]
    for match in _SAYING.finditer(text):
        begun = found[-1].end if found else 0
        named = _named(text, match.end(), options) if _announces(match) else None
        if named is None or named.end <= begun or not _is_outright(match) or clauses.asked(text, named.end) or is_list(text[match.end():named.end], n_options):
            continue
        if named.options and len(named.options) > 2 and max(named.options) >= n_options:
            continue                                        # `ACEI`: no letters of options
        if named.by_words and not (match["name"] or match["noun"] or match["verb"] or not text[named.end:].strip(" .。!\n")):
            continue
        mends = bool(_MENDS.search(text, begun, match.end()))
        opens = clauses.wavers(text, match.start(), named.end) or (named.by_words and re.search("有|包括", match["link"]))
        found.append(Said(named.end, None if opens else named.options, mends))
    if found and clauses.taken_back(text, found[-1].end, [LETTERS[index] for index in found[-1].options or ()]):
        found.append(Said(len(text), None, mends=True))
    return found


def _is_outright(match: re.Match) -> bool:
    """Whether the writer says it outright; what precedes a word that concludes is no part of it."""
    if match["verb"] and not _CHOOSES.search(clauses.clause(match.string, match.start())):
        return False
    start = match.start() + _CONCLUDING.match(match[0]).end()
    return clauses.stated(match.string, start, of_answer=match["name"] == "答案" or bool(match["noun"]), described=bool(match["described"] or match["relative"]))


def _announces(match: re.Match) -> bool:
    """Whether the words go on to say which: `答案A` and `answer A` are but names of an option, and the question said again goes on with its options on the next line."""
    if (match["described"] or match["relative"]) and "\n" in match["link"]:
        return False
    if match["name"]:
        return bool(match["link"]) or bool(_ENDS.match(match.string, match.end()))
    return not match["noun"] or bool(_MEANS.search(match["link"]))


def verdict(text: str) -> frozenset[int] | None:
    """The options of the only judgement in `text`, where that is that they are right; none where others are judged too."""
    judged = list(_VERDICT.finditer(text))
    if len(judged) != 1 or not _RIGHT.match(judged[0]["zh"] or judged[0]["en"]) or not _JUDGED_ENDS.match(text, judged[0].end()):
        return None
    start, end = judged[0].start(), judged[0].end()
    named = judged[0]["named"] or judged[0]["item"] or _ALONE_BEFORE.match(clauses.clause(text, start))
    told = clauses.stated(text, start) and not clauses.asked(text, end) and not clauses.wavers(text, start, end)
    return indices(judged[0]["set"]) if named and told and not clauses.taken_back(text, end, judged[0]["set"]) else None


def indices(named: str) -> frozenset[int] | None:
    """`A and C` as {0, 2}; None where letters run together out of order, as in CAD."""
    if re.fullmatch("[A-Z]+", named) and named != "".join(sorted(set(named))):
        return None
    return frozenset(map(LETTERS.index, re.findall(r"(?<![a-z])[A-Z](?![a-z])", named)))


def is_list(named: str, n_options: int) -> bool:
    """Whether it is every letter there is with nothing but blanks or brackets between, as options are listed."""
    return n_options > 1 and bool(re.search(r"[A-Z][\s()]+[A-Z]", named)) and re.sub(r"[\s()]", "", named) == LETTERS[:n_options]


def worded(text: str, options: Sequence[str], at: int = 0) -> tuple[int, int] | None:
    """(option, end) of the option whose words stand whole at `at`: the longest; None where two are alike."""
    found = [(match.end(), i) for i, option in enumerate(options) if (match := _wording(option).match(text, at)) and match["whole"] is not None]
    longest = [i for end, i in found if end == max(found)[0]]
    return (longest[0], max(found)[0]) if len(longest) == 1 else None


def _at_head(text: str, options: Sequence[str]) -> Said | None:
    """What the text begins with: letters, unless it goes on to list the others, or a yes, no or maybe that was asked for."""
    if _is_yes_or_no(options) and (words := worded(text, options)):
        others = any(found["word"].lower() != options[words[0]].lower() for found in _ANOTHER.finditer(text, words[1], words[1] + _BEYOND))
        return None if re.match(r"\.\s*\d", text[words[1]:]) else Said(words[1], None if others or clauses.wavers(text, 0, words[1]) else frozenset({words[0]}), mends=False)
    begin = _HEAD.match(text).end()
    match = _LETTERS.match(text, begin)
    if not match or not _HEAD_ENDS.match(text, _own(text, match, announced=False)[1]) or (len(set(_BARE.findall(text))) > 1 if _BARE.match(text) else _lists(text, match.end("set"))):
        return None
    named = _named(text, begin, options, announced=False)
    if named is None or named.by_words or clauses.asked(text, named.end) or _JUDGED_AFTER.match(text, named.end):
        return None
    return Said(named.end, None if clauses.wavers(text, 0, named.end) else named.options, mends=False)


def _named(text: str, start: int, options: Sequence[str], announced: bool = True) -> Named | None:
    """What is named at `start`, by letters or by an option's words; None where nothing is."""
    words, match = worded(text, options, start), _LETTERS.match(text, start)
    letters = indices(match["set"]) if match else None
    beyond = options and letters and max(letters) >= len(options)
    if words and (letters is None or beyond or words[1] > match.end()):
        return _by_words(text, words, options)
    if letters is None:
        return None
    if len(letters) == 1 and (told := _with_words(text, match, options)):
        return told
    letters, end = _own(text, match, announced)
    if _NAME.match(text, end):
        return None
    return Named(None if words and letters != {words[0]} or _lists(text, end) else letters, end)


def _own(text: str, match: re.Match, announced: bool) -> tuple[frozenset[int] | None, int]:
    """(letters, end) of what is announced: without those after a comma that the next clause is about; None where that stays open."""
    letters = list(re.finditer("[A-Z](?![a-z])", match["set"]))
    steps = list(enumerate(itertools.pairwise(letters), 1))
    commas = [i for i, (one, other) in steps if re.search("[,;]", match["set"][one.end():other.start()])]
    falls = [i for i, (one, other) in steps if other[0] <= one[0]]
    told = _TOLD.match(text, match.end()) if steps else None
    if not told or (told["right"] and not commas):
        return None if falls else indices(match["set"]), match.end()
    cut = falls[0] if falls else commas[0] if announced and len(commas) == 1 else 0
    if cut not in commas or len(falls) > 1:
        return None, match.end()
    end = letters[cut - 1].end()
    return indices(match["set"][:end]), match.start("set") + end


def _by_words(text: str, words: tuple[int, int], options: Sequence[str]) -> Named:
    """An option by its words; its letter may follow in brackets, but no other option in the sentence."""
    index, end = words
    again = re.match(r"\s*\(([A-Z])[)对错]", text[end:end + _BESIDE])
    sentence = re.split(r"[。\n]|\.\s", text[end:], maxsplit=1)[0]
    beside = (found for i, option in enumerate(options) if i != index for found in _wording(option, apart=True).finditer(sentence))
    others = not _is_yes_or_no(options) and any(not _NOT_THE.search(sentence, 0, found.start()) for found in beside)
    return Named(None if others or (again and LETTERS.index(again[1]) != index) else frozenset({index}), end, by_words=True)


def _with_words(text: str, match: re.Match, options: Sequence[str]) -> Named | None:
    """Letters that stand each before its option's words; no options where the words are another's, or all options stand there, one a line."""
    found, letter, end = set(), match["set"], match.end()
    while LETTERS.index(letter) < len(options):
        begin = _BETWEEN.match(text, end).end()
        own, other = _wording(options[LETTERS.index(letter)]).match(text, begin), worded(text, options, begin)
        if other and other[0] != LETTERS.index(letter) and (not own or other[1] > own.end()):
            return Named(None, other[1])
        if not own:
            begun = [said.end() for option in options if (said := _wording(option, apart=True).match(text, begin))]
            if begun and not found and "\n" not in text[end:begin]:
                return Named(None, max(begun))
            break
        found.add(LETTERS.index(letter))
        end = own.end()
        on = _ON.match(text, end)
        if not on:
            break
        letter, end = on["letter"], on.end()
    is_list = len(found) == len(options) and "\n" in text[match.end():end]
    return Named(None if is_list else frozenset(found), end) if found else None


def _lists(text: str, end: int) -> bool:
    """Whether the letter before `end` is one of several that stand before options: of the next on its line, or of the next in the alphabet."""
    item = _ITEM.search(text, end) if _MARK.match(text, end) else None
    return bool(item) and ("\n" not in text[end:item.start("letter")] or LETTERS.index(item["letter"]) == LETTERS.index(text[end - 1]) + 1)


def _is_yes_or_no(options: Sequence[str]) -> bool:
    return bool(options) and _YES_OR_NO.issuperset(map(str.lower, options))


@functools.lru_cache(maxsize=4096)
def _wording(option: str, apart: bool = False) -> re.Pattern:
    """The option's words in any width, case and spacing; group `whole` where they end there; `apart`: not run into by more letters."""
    words = plain(option).rstrip(" .。")
    letters = r"\s*".join(re.escape(letter) for letter in words if not letter.isspace())
    begin = r"(?<![A-Za-z0-9])" if re.match("[A-Za-z0-9]", words) else ""
    end = r"(?![A-Za-z0-9])" if apart and re.search("[A-Za-z0-9]$", words) else ""
    return re.compile(f"{begin}{letters}{end}(?P<whole>{_END})?" if letters else "(?!)(?P<whole>)", re.IGNORECASE)
