"""The statements of a reply that name options: where each stands, which options it means, whether it takes back what was said before."""

import dataclasses
import functools
import re
from collections.abc import Sequence

from aquilamed.evals.visible import plain
from aquilamed.models.wording import LETTERS

_AND = r"\s*(?:[、;&+]|\band\b|和|与|及|以及)\s*"
_COMMA = r"\s*,\s*(?:and\s+|和\s*)?"
_CLOSED = r"(?=\s*(?:[,、;.。)\]\n&]|and\b|or\b|和|或|及|以及|与|$))"
SET = (rf"(?:[A-Z](?:\ +[A-Z])+(?=\s*(?:[,;.。)\n]|$))|[A-Z]{{2,}}|[A-Z](?:{_AND}\(?[A-Z]\)?(?![A-Za-z0-9'-])|{_COMMA}\(?[A-Z]\)?(?![A-Za-z0-9'-]){_CLOSED})*)")
"""Letters: with blanks between, run together, or joined by words and marks. After a comma stands one only if nothing is said of it alone."""
_SET = rf"(?P<set>(?>{SET}))"
_LINK = (
    r"(?:应该?|可能|答案|就|也|只能|的|是|为|选项|选择?|包括|有|最终|answers?|(?:is|are|was|would|should|must|will|be)\b"
    r"|(?:options?|choices?|letter|here|probably|likely|most|clearly|definitely|both|therefore|thus|to\s+(?:this|the)\s+question)\b|->|\([^()A-Z][^()]{0,9}\)|\((?i:answers?)\)|[:=>\s(\[{-])*")
"""Between the words that announce an answer and the answer."""
_SAYING = re.compile(
    rf"(?:(?P<name>答案|(?:正确|最佳|合适|恰当)(?:的?选项)|(?:不?正确|错误|符合题意|最?合适|恰当)的(?=是|为|:)|的(?:诊断|选项|选择|一项|说法|做法|措施|药物|检查|治疗|处理)(?=是|为))"
    rf"|(?:(?<=[,;.。:\s])|而)应该?(?:是|为)|而是|[应故]选择?|(?<!可)选择|(?<![挑筛入候当可])选(?!项)|答(?=[:\s])"
    rf"|(?P<noun>\b(?i:answers?|ans)\b|\b(?i:(?:correct|right|best|final|appropriate|suitable|my)\s+(?:choice|option|one)s?)\b)"
    rf"|\b(?i:choose|chose|select|pick|picked|go\s+with|going\s+with|it(?:'s|\s+is))\b|\bnot\s+[A-Z],?\s+but\b(?:\s+rather)?"
    rf"|(?:\b(?i:therefore|hence|thus|so)\b|因此|所以|综上|故),?(?=\s*\(?{SET}\)?\s*[.。]?\s*(?:$|\n)))(?P<link>(?i:{_LINK}))")
_MEANS = re.compile(r"是|为|:|=|->|-|>|\n|\b(?:is|are|was|be)\b", re.IGNORECASE)
"""What must stand between an English noun and the letters that it announces."""
_LETTERS = re.compile(_SET)
_HEAD = re.compile(rf"^(?:(?:选项|(?i:option|choice)\b)\s*)?\(?{_SET}\s*(?:项|选项)?\s*(?:[.,:、。)\]]|-\s|$|\n)")
_BARE = re.compile(rf"^\W*({SET})\W*$", re.MULTILINE)
_ENDS = re.compile(rf"\(?{SET}\)?\s*[.。]?\s*(?:$|\n)")
_VERDICT = re.compile(
    rf"(?<![A-Za-z0-9-])\(?{_SET}(?![A-Za-z0-9'-])\)?(?:\s*(?:[两三四选]?项)?\s*[是为均都]?\s*(?:最|唯一)?(?P<zh>正确(?!率)|对的|符合题意|最?佳|不|错|有误)"
    r"|\s+(?i:is|are|would\s+be)\s+(?i:(?:the|most)\s+)*(?P<en>(?i:correct|right|best|not|wrong|incorrect|false)\b))")
_RIGHT = re.compile("正确|对的|符合|最?佳|correct|right|best", re.IGNORECASE)
_THING = re.compile(r"(?:维生素|肝炎|血型|型|组|类|族|vitamin|hepatitis|type|group|protein|factor|influenza|class|grade|stage|antigen)\s*$", re.IGNORECASE)
"""Before a letter that is a part of a name."""
_NAME = re.compile(
    r"[A-Za-z0-9']|-\s?[A-Za-z0-9\u4e00-\u9fff]|\+(?!\s*[A-Z]\b)|\)?\s*(?:型|族|组|群|类(?!似)|超|级|期|肽|反应|细胞|链球菌)"
    r"|[\u4e00-\u9fff](?<![项选是因为所故对正不错有均都两三四五而但且即最符或还和与及吧])"
    r"|[ \t]+(?!because\b|since\b|as\b|is\b|are\b|for\b|due\b|which\b|and\b|or\b|in\s+my\b|but\b|therefore\b|given\b|based\b|option\b|rather\b)[a-z]|\.\s*[a-z]|\.[\d,]")
"""After a letter that is a part of a name or the word `a`: a type, a film, `E. coli`."""
_NOT_BEFORE = re.compile(
    r"(?:不|非|没|勿|(?<![分特])别|莫|排除|\bnot\b|n't|\bnever\b|\bcannot\b|不确定|是否|该不该|难道|为什么|为何|如果|假如|若|误|原|\bif\b[^.]{0,12})\s*(?:能|可|宜|应该?|要|会|be|to)?\s*(?:说|认为)?\s*$"
    r"|(?:有人|很多人|不少人|多数人|考生|同学|以为|初步|乍看|容易|\bsome\b|\bmany\b|\bone\s+might\b|\binitially\b|\bat\s+first\b|\btempting\b|\bstudents\b)[^.。,;\n]{0,24}$", re.IGNORECASE)
"""Before a statement that is denied, only asked or supposed, or another's."""
_NOT_AFTER = re.compile(r"[)\]]*\s*(?:项|选项)?\s*(?:(?:is|are)\b|是|为)?\s*(?:不|错|有误|排除|(?:not|wrong|incorrect|false)\b|n't)|\s*[)\]]?\s*[吗呢吧]?\s*\?|\s*吗", re.IGNORECASE)
_OR_BEFORE = re.compile(r"(?:或者?|还是|\bor\b|\beither\b|/)\s*$", re.IGNORECASE)
_OR_AFTER = re.compile(r"[)\]]?\s*(?:/|或|还是|\bor\b)|[^.。\n]{0,20}(?:也可能|也有可能|也不排除|(?:或者|还是)\s*是?[A-Z]|不确定|could\s+also|not\s+sure)")
_MARK = re.compile(r"\s*(?:选?项)?\s*(?:[.:)]|、(?!\s*[A-Z]\b)|-\s)")
_ITEM = re.compile(rf"[\s;(,.。、](?P<letter>[A-Z]){_MARK.pattern}\s*\S")
"""A letter before one of several options."""
_BETWEEN = re.compile(r"[)\]]?\s*(?:选?项)?\s*(?:[.:、)\]-]|,?\s*(?:即|也就是|(?i:i\.e\.|that\s+is))\s*[:,]?)?\s*\(?")
"""Between an option's letter and its words."""
_ON = re.compile(r"[\s,;、]*(?:and\b|和|与|及)?\s*\(?(?P<letter>[A-Z])(?=\s*[.:、)])")
"""To the next letter of several, each with its words."""
_TAKEN_BACK = re.compile(r"[。.,;\n]\s*(?:不,|不对(?!的)|其实不|我觉得不|等等|但?只能选一|(?i:wait|on\s+second\s+thought|scratch\s+that|(?:now|but)\s+i\s+doubt)\b)")
"""After the last statement: it does not stand."""
_MENDS = re.compile(r"更正|等等|不对|重新|再看|再想|改为|而是|而应|最终|\b(?:wait|actually|correction|reflection|instead|final)\b", re.IGNORECASE)
_END = r"(?=\s*(?:$|-\s|[.,](?!\d)|[\n。!?)(\]/}]|(?:because|since|as|which|or)\b|或|还是|吗))"
_BEFORE = 60
"""Characters before a statement in which what it hangs on is looked for."""
_YES_OR_NO = frozenset({"yes", "no", "maybe"})


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


def statements(text: str, options: Sequence[str]) -> list[Said]:
    """What `text` says the answer is, in order; what it denies, asks, supposes or reports of others is left out."""
    found = [said for said in [_at_head(text, options)] if said]
    for match in _SAYING.finditer(text):
        begun, before = found[-1].end if found else 0, text[max(0, match.start() - _BEFORE):match.start()]
        named = _named(text, match.end(), options) if _announces(match) else None
        if named is None or named.end <= begun or _NOT_BEFORE.search(before) or _NOT_AFTER.match(text, named.end):
            continue
        if named.by_words and not (match["name"] or match["noun"] or not text[named.end:].strip(" .。!\n")):
            continue
        wavers = _OR_BEFORE.search(before) or _OR_AFTER.match(text, named.end)
        mends = bool(_MENDS.search(text, begun, match.end()))
        found.append(Said(end=named.end, options=None if wavers else named.options, mends=mends))
    if found and _TAKEN_BACK.search(text, found[-1].end):
        found.append(Said(end=len(text), options=None, mends=True))
    return found


def _announces(match: re.Match) -> bool:
    """Whether the words go on to say which: `答案A` and `answer A` are but names of an option."""
    if match["name"]:
        return bool(match["link"]) or bool(_ENDS.match(match.string, match.end()))
    return not match["noun"] or bool(_MEANS.search(match["link"]))


def verdict(text: str) -> frozenset[int] | None:
    """The options of the only judgement in `text`, where that is that they are right; none where others are judged too."""
    if _TAKEN_BACK.search(text):
        return None
    judged = [match for match in _VERDICT.finditer(text) if not _THING.search(text[max(0, match.start("set") - _BEFORE):match.start("set")])]
    return indices(judged[0]["set"]) if len(judged) == 1 and _RIGHT.match(judged[0]["zh"] or judged[0]["en"]) else None


def indices(named: str) -> frozenset[int] | None:
    """`A and C` as {0, 2}; None where letters run together out of order, as in CAD."""
    if re.fullmatch("[A-Z]+", named) and named != "".join(sorted(set(named))):
        return None
    return frozenset(map(LETTERS.index, re.findall(r"(?<![a-z])[A-Z](?![a-z])", named)))


def worded(text: str, options: Sequence[str], at: int = 0) -> tuple[int, int] | None:
    """(option, end) of the option whose words stand whole at `at`: the longest; None where two are alike."""
    found = [(match.end(), i) for i, option in enumerate(options) if (match := _wording(option).match(text, at)) and match["whole"] is not None]
    longest = [i for end, i in found if end == max(found)[0]]
    return (longest[0], max(found)[0]) if len(longest) == 1 else None


def _at_head(text: str, options: Sequence[str]) -> Said | None:
    """What the text begins with: letters, unless it goes on to list the others, or a yes, no or maybe that was asked for."""
    if _is_yes_or_no(options) and (words := worded(text, options)):
        return Said(end=words[1], options=None if _OR_AFTER.match(text, words[1]) else frozenset({words[0]}), mends=False)
    match = _HEAD.match(text)
    if not match or (len(set(_BARE.findall(text))) > 1 if _BARE.match(text) else _lists(text, match.end("set"))):
        return None
    named = _named(text, match.start("set"), options)
    if named is None or named.by_words or _NOT_AFTER.match(text, named.end):
        return None
    return Said(end=named.end, options=None if _OR_AFTER.match(text, named.end) else named.options, mends=False)


def _named(text: str, start: int, options: Sequence[str]) -> Named | None:
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
    if _NAME.match(text, match.end()):
        return None
    return Named(None if words and letters != {words[0]} or _lists(text, match.end()) else letters, match.end())


def _by_words(text: str, words: tuple[int, int], options: Sequence[str]) -> Named:
    """An option by its words; its letter may follow in brackets, but no other option in the sentence."""
    index, end = words
    again = re.match(r"\s*\(([A-Z])\)", text[end:])
    sentence = re.split(r"[。\n]|\.\s", text[end:], maxsplit=1)[0]
    others = not _is_yes_or_no(options) and any(_wording(option, apart=True).search(sentence) for i, option in enumerate(options) if i != index)
    return Named(None if others or (again and LETTERS.index(again[1]) != index) else frozenset({index}), end, by_words=True)


def _with_words(text: str, match: re.Match, options: Sequence[str]) -> Named | None:
    """Letters that stand each before its option's words; no options where the words are another's."""
    found, letter, end = set(), match["set"], match.end()
    while LETTERS.index(letter) < len(options):
        begin = _BETWEEN.match(text, end).end()
        own, other = _wording(options[LETTERS.index(letter)]).match(text, begin), worded(text, options, begin)
        if other and other[0] != LETTERS.index(letter) and (not own or other[1] > own.end()):
            return Named(None, other[1])
        if not own:
            break
        found.add(LETTERS.index(letter))
        end = own.end()
        on = _ON.match(text, end)
        if not on:
            break
        letter, end = on["letter"], on.end()
    return Named(frozenset(found), end) if found else None


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
