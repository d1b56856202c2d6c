"""What the words around a statement make of it: denied, doubted, supposed, asked, another's, taken back."""

import re
from collections.abc import Iterable

_CONCLUDES = r"\b(?:(?<!if\s)so(?!\s+(?:that|far|is|are))|therefore|thus|hence)\b|所以|因此|因而|(?<![缘事])故|综上|可见"
_JOINS = r"\b(?:but|and|because|since|as)\b|但是?|而|因为|由于|不过"
_SENTENCE = re.compile(rf"[;.。!?\n]|{_CONCLUDES}", re.IGNORECASE)
_CLAUSE = re.compile(rf"[,:;.。!?\n]|{_CONCLUDES}", re.IGNORECASE)
_PART = re.compile(rf"[,:;.。!?\n]|{_CONCLUDES}|{_JOINS}", re.IGNORECASE)
_REACH = 200
"""Characters before a statement in which its sentence is looked for."""
_NO_DENIAL = re.compile(
    r"(?:毫|并|确)?无(?:疑问?|争议|悬念)|没有?(?:任何|什么)?(?:疑问|争议|悬念)|不(?:难|言|得不|能不|妨|禁|仅|但|光|只是|论|管|同(?!意)|全|足(?!以)|良|适|齐|孕|育|稳定|明原因|典型|愈|张|随意)|非(?:常|甾|典型|小细胞|霍奇金)|[分特鉴级性区个类辨识]别|困难"
    r"|\b(?:no|without|beyond|little|not|n't|never)\s+(?:(?:a|any|all|real|reasonable)\s+)*(?:doubt|question|hesitation)\b|\bnot\s+(?:only|just|surprising\w*)\b"
    r"|\bn't\s+doubt\b", re.IGNORECASE)
"""What holds a word of denial and denies nothing."""
_DENIES = re.compile(
    r"[不没未无非勿莫否别难]|误(?=$|选|以为|认)|切忌|避免|以免|防止|拒绝|排除(?=$|了?选)|反对|怀疑|质疑|缺乏|放弃|除了|与其"
    r"|\b(?:no|not|never|nor|neither|none|nobody|nothing|cannot|hardly|scarcely|unlikely|impossible|doubt\w*|wrong|incorrect|false|untrue|mistake\w*|avoid\w*|refus\w*|reject\w*"
    r"|unable|hard|difficult"
    r"|fail(?:s|ed)?\s+to|far\s+from|myth|premature|stop|few|far\s+be|possibility|notion|ruled?\s+out|disagree\w*|little\s+(?:reason|evidence|support)|unclear|uncertain|unsure|torn"
    r"|hesitat\w*"
    r"|(?:instead|short)\s+of|rather\s+than)\b"
    r"|n't\b", re.IGNORECASE)
"""A denial or a doubt, anywhere before a statement in its part of the clause."""
_DENIES_THE_SAYING = re.compile(r"[不没未无难否][^,的]{0,6}(?:认为|觉得|说|确定|肯定|判断|相信|敢|知道|清楚|证据|表明|保证|意味|代表|同意|看出)|(?:怀疑|质疑|反对)|(?:[不非未勿]|没有?|并非|不是)$")
"""Before words that describe what is asked for, which may hold a denial themselves: `不宜使用的药物是B`."""
_HANGS_ON = re.compile(
    r"如果|如(?:若|选)|假[如设定使]|要是|(?<!般)若(?!干)|倘|万一|一旦|除非|^\s*设|只有[^,]*才$|即[使便]|哪怕|就算|当.{1,20}时,"
    r"|\b(?:if|unless|assum(?:e|ing)|suppos(?:e|ing)|provided\s+that|imagine|pretend|once|as\s+long\s+as|let(?:'s|\s+us)\s+say|when\s+in\s+doubt|in\s+case|(?:for|to)\s+(?:question|item)\s+\d+)\b|^\s*(?:were|had|should)\s"
    r"|\baccording\s+to\s+(?:\w+\s+)?(?:friends?|students?|colleagues?|teachers?|classmates?|people|user)\b", re.IGNORECASE)
"""In the sentence before a statement: it holds but under a condition, or for another."""
_FORCED = re.compile(r"(?:如果|假如|要是)(?:一定|必须|非)要?(?:得|让我)?选[^,.。]{0,6}|\bif\s+i\s+(?:must|have\s+to|had\s+to)\s+(?:choose|pick|commit|guess|answer|select)\b[^,.]{0,24}", re.IGNORECASE)
"""A condition that holds: the question asks for one."""
_ASKS = re.compile(
    r"[是能可应会]否|谁|哪(?:里|儿|来|能|会)|莫非|该不该|是不是|能不能|难道|岂|何以|凭什么|怎么(?:会|能|可能)|为(?:什么|何|啥)|\bwhether\b|\bwhy\s+(?:not|would|should|is|do|does|did)\b|^\s*(?:is|could|can|should|does|did"
    r"|might)\b", re.IGNORECASE)
_OTHERS = re.compile(
    r"^(?!(?:因此|所以|总之|那么|\s|我们?|本人|笔者|个人|一般|可以|目前|普遍|通常|还是|仍然?|更|也|都|会|就|倾向于?)*(?:认为|觉得|相信))[^,]*?(?:认为|觉得|相信|主张|断言|坚持)"
    r"|(?:有的?|别|很多|不少|多数|许多|某些?|[某几]个|些)人|考生|同学|学生|学员|老师|同事|朋友|网友|大家|(?<!其)[他她]们?(?!们?汀)|用户|提问者|AI|模型|给出?的$|写着|书上|网上|评论|题库|搜索|教材|小[明红王李张]"
    r"|(?:患者|病人|护士|家属|医生|医师|专家)们?(?:都|已)?$|[你您]们?(?:会|的|选|说|写|填|可能|一定)*$|误?以为|据说|声?称|(?<![来话是以])说(?![明法到])"
    r"|\b(?:says|said|thinks|believe[sd]|claim(?:s|ed)|argue[sd]|insist(?:s|ed)|reckons|wrote|writes|tells?|told|answer(?:ed|s\s+that))\b"
    r"|\b(?:some(?:one|body)?|many|others|people|students?|colleagues?|friends?|teachers?|professors?|examinees?|candidates?|classmates?|he|she|they|most(?=\s+(?:people|students"
    r"|would|will)))\b"
    r"[^,]{0,30}?(?:\b(?:say|think|thought|believe|claim|argue|would|might|suggest(?:s|ed)?)\b|(?:pick|choose|select|go(?:\s+with)?)?\s*$)"
    r"|\bone\s+(?:might|may|could)\b|\b(?:your|his|her|their)\s*$|\byou\s+(?:chose|picked|said|wrote|selected)\b", re.IGNORECASE)
"""In the clause before a statement: it is another's."""
_OTHER_TIME = re.compile(
    r"去年|往年|以前|起初|最初|初步|一开始|开始时|乍看|乍一看|本来|原(?:本|来|先|以为|$)|曾|我(?:之前|刚才|先前)|[上前下]一?[道个]?题|例题|容易(?!看)|干扰|迷惑"
    r"|\b(?:initially|originally|at\s+first|previous(?:ly)?|earlier|former|first\s+(?:guess|impression)|my\s+first|i\s+(?:\w+\s+)?thought|tempt\w*|distract\w*|(?:next|last|other"
    r"|example)\s+question|used\s+to)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"(?:说|认为|写|老师|同学|学生.?|考生.{0,2}|用户|提问者|\b(?:says?|said|claims?|students?|teachers?|user|examinee|patient))\s*:[^:,;.。!?\n]{0,16}$", re.IGNORECASE)
_WRONG_ANSWER = re.compile(
    r"(?:错误|干扰|迷惑|其[他它]|备选|候选|不正确)的?$|[\u4e00-\u9fff](?<![题我本佳确终后适当好目问空准能意])的$|(?<!let)(?<!question)(?<!here)(?<!that)(?<!it)'s\s+(?:correct\s+|final\s+)?$"
    r"|\b(?:marked|given|alternative|other|common|popular|official|usual)\s*$", re.IGNORECASE)
_ASKED = re.compile(r"[^,;.。!?\n]{0,24}?(?:吗|么(?=\s*$)|\?)|\s*,?\s*(?:right|correct|is(?:n't)?\s+it|no|yes|对|是|对不对|是不是)[吗吧嘛]?\s*\?"
    r"|\)?\s*\(\s*(?:存疑|待|不确定|不一定|猜|\?|not\s+sure|unsure|guess)|\)?(?:\s+|\s*,\s*|(?<=\)))(?:(?:if|unless|provided|assuming|only)\b)|\)?\s*,?\s*(?:如果|前提|除非)|\s*,?\s*(?:said|says"
    r"|claimed|thought)\b", re.IGNORECASE)
"""After a statement that is only asked, holds but under a condition, or is another's."""
_DENIED = re.compile(
    r"[)\]]*\s*(?:项|选项)?\s*(?:,?\s*which\s+)?(?:(?:is|are|would\s+be|looks?|seems?)\b|是|为)?\s*(?:不(?!\s*[选是]\s*\(?[A-Z])|错|有误|排除|(?:not|wrong|incorrect|false|unlikely"
    r"|impossible)\b(?!\s+\(?[A-Z]\b)|n't)"
    r"|\s*,\s*(?:[那这]?[就则便](?:会|要)?[错不误漏]|[那这](?:是|显然)?(?:错|不对))", re.IGNORECASE)
_OR_BEFORE = re.compile(r"(?:或者?|还是|\bor\b|\beither\b|/)\s*$", re.IGNORECASE)
_OR_AFTER = re.compile(r"[)\]]?\s*(?:项|选项)?\s*(?:(?:和|与|及|\band\b)?\s*/|[,.。]?\s*(?:或|还是|\bor\b))|[^.。\n]{0,20}(?:(?:或者|还是)\s*是?[A-Z])", re.IGNORECASE)
_THOUGH = r"[,;.。!\n]\s*(?:(?:但是?|不过|可是?|然而|只是|虽然|尽管|其实|说实话|(?:but|though|although|however|yet|honestly)\b)\s*,?\s*)?"
_UNSURE = re.compile(
    rf"{_THOUGH}(?:我|对此|自己|i'm|i\s+am|am|still)?\s*(?:也|并|还|其实)?\s*(?:不(?:太|是很|很|大|敢|能|够|是?十分|完全|是?特别)?\s*(?:确定|肯定|确信)|没(?:有|什么|太大)?\s*(?:十足的?)?把握|拿不准|吃不准|不一定(?=[对是]|正确|[,.。!]|$)|(?:实在|真的?)?不会(?=$|做|[,.。])"
    r"|(?:i\s+)?(?:not|can(?:not|'t|\s+not)\s+be)\s+(?:\w+\s+)?(?:sure|certain|confident)|unsure|(?:now\s+)?i\s+(?:now\s+)?(?:doubt|could\s+be\s+wrong|may\s+be\s+wrong"
    r"|might\s+be\s+wrong))", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"[。.,;!\n…—]\s*(?:不,|我收回|哎呀|更正|算了|[哦啊]不|不对(?!的)|不是,|其实不|我觉得不|等等|等一下|但?只能选一|抱歉|(?:仔细|再|重新)(?:一|仔细)?想|(?:correction|hold\s+on|i\s+take\s+(?:that|it)\s+back|wait|hmm|sorry|oops|i\s+meant?"
    r"|on\s+second\s+thought|scratch\s+that|(?:but\s+)?(?:that|this)\s+(?:is\s+(?:wrong|incorrect|not\s+(?:right|correct))|can(?:not|'t)\s+be\s+(?:right|correct|true|it))"
    r"|(?:actually,?\s+)?no(?=[,.!]\s|[.!]?\s*$))\b)", re.IGNORECASE)
_ELSE = re.compile(r"[,;.。]\s*(?:否则|(?i:otherwise|or\s+else)\b)[^.。\n]{0,16}?(?<![A-Za-z])[A-Z](?![A-Za-z])")
_SOON = 60
"""Characters after a statement in which a condition may still be told: `A, or else C`."""
_LETTER = r"(?<![A-Za-z0-9'-])\(?(?P<{}>[A-Z])\)?(?![A-Za-z0-9'-])"
_ENDS = r"(?=\s*(?:的|[了吧啊呀]|$|[,;.。!)\n]))"
_RIVAL = re.compile("|".join((
    _LETTER.format("also") + rf"\s*(?:选?项)?\s*(?:似乎|好像|大概|可能|其实|应该|反而|也许|看起来|显然)?\s*(?:也|亦|同样|更)\s*(?:是|为|算|加)?\s*"
    rf"(?:(?:对|正确|好|佳|合适|适合|合理|恰当|准确|优|有可能|说得通|成立|不错|有道理)|(?:可以?|能?行|可能|选|符合(?:题意)?){_ENDS})",
    _LETTER.format("better") + r"\s+(?:(?i:is|are|would\s+be|could\s+be|may\s+be|might\s+be|seems?|looks?|sounds?)\s+)+"
    r"(?i:(?:also|equally|just\s+as|as|even|probably|perhaps|actually|a|an|the|far|much)\s+)*"
    r"(?i:better|preferable|more\s+(?:appropriate|suitable|accurate|likely|correct))\b",
    _LETTER.format("too") + r"\s+(?i:is|are|would\s+be|could|may|might|can|seems?)\s+(?i:also|equally|just\s+as|as)\b",
    r"\b(?i:so|as)\s+(?i:is|are|does|would)\s+(?i:option\s+)?" + _LETTER.format("so"),
    r"(?:也(?:有|是)?可能|也可以?|(?i:\b(?:also|equally|just\s+as\s+well)\s+be))\s*(?:是|选|为)?\s*(?i:option\s+)?" + _LETTER.format("maybe"),
    r"(?i:\b(?:it|answer)\s+(?:could|might|may)(?:\s+\w+)?\s+be)\s+(?i:option\s+)?" + _LETTER.format("could"), _LETTER.format("both") + r"\s*都(?:说得过去|说得通|有可能|有道理)",
    r"(?:倾向于?|改[成为选]|(?i:\blean(?:ing)?\s+towards?))\s*(?i:option\s+)?" + _LETTER.format("rather"), _LETTER.format("fits") + r"\s+(?i:fits|suits|works|matches)\s+(?:\w+\s+){0,3}(?i:better)\b",
    r"(?i:综上(?:所述)?|因此|所以|\b(?:therefore|thus|hence))\s*,?\s*(?i:选项|option\b)?\s*" + _LETTER.format("then")
    + r"\s*(?:选?项)?\s*(?i:is|是|为|最)?\s*(?i:正确|符合题意|(?:the\s+)?(?:correct|right|best)\b)")))
"""Another option for which as much is said, or more."""
_LINES = re.compile(r"(?:[ .]*\n\s*[A-Z])+\s*$")
"""Nothing more than letters, one a line."""
_DISOWNED = re.compile(
    r"(?:不(?:应该?|能|会|再)?选|答案(?:并?不是|并非)|(?i:answer\s+(?:is\s+not|isn't|cannot\s+be|can't\s+be)|answers?\s*:\s*not|not\s+(?:choose|pick|select)))\s*"
    r"(?:选项|(?i:option)\b)?\s*" + _LETTER.format("no"))
"""An option that is denied to be the answer."""


def stated(text: str, start: int, *, of_answer: bool = False, described: bool = False) -> bool:
    """Whether what begins at `start` is said outright by the writer and now.

    `of_answer`: it begins with the word itself, of which `错误` before makes another; `described`: with words for what was asked for.
    """
    begin = max(0, start - _REACH)
    sentence, clause, part = (text[_last(bound, text, begin, start):start] for bound in (_SENTENCE, _CLAUSE, _PART))
    if _HANGS_ON.search(_FORCED.sub("", sentence)) or _ASKS.search(clause) or _OTHER_TIME.search(clause) or _OTHERS.search(clause) or _SPEAKER.search(text, begin, start):
        return False
    if of_answer and _WRONG_ANSWER.search(part):
        return False
    part = _NO_DENIAL.sub("", part)
    return not (_DENIES_THE_SAYING if described else _DENIES).search(part)


def clause(text: str, start: int) -> str:
    """What stands before `start` in its clause."""
    return text[_last(_CLAUSE, text, max(0, start - _REACH), start):start]


def asked(text: str, end: int) -> bool:
    """Whether what ends at `end` is but asked, or denied by what follows."""
    return bool(_ASKED.match(text, end) or _DENIED.match(text, end))


def wavers(text: str, start: int, end: int) -> bool:
    """Whether `or` stands before or after."""
    return bool(_OR_BEFORE.search(text, max(0, start - _REACH), start) or _OR_AFTER.match(text, end))


def taken_back(text: str, end: int, named: Iterable[str]) -> bool:
    """Whether what follows `end` leaves the options of the letters `named` no answer: doubts them, denies them, or says as much for another."""
    more = re.findall("[A-Z]", text[end:]) if _LINES.match(text, end) else []
    if more and more[0] > max(named, default=""):           # `A` and, on the next lines, `B` and `D`: a set, or else a list of the options
        return True
    if _UNSURE.search(text, end) or _TAKEN_BACK.search(text, end) or _ELSE.search(text, end, end + _SOON):
        return True
    rivals = ({letter for letter in found.groups() if letter} for found in _RIVAL.finditer(text, end))
    return any(not rival <= set(named) for rival in rivals) or any(found["no"] in named for found in _DISOWNED.finditer(text, end))


def _last(bound: re.Pattern, text: str, begin: int, end: int) -> int:
    """Where the last clause of `text[begin:end]` begins."""
    found = begin
    for match in bound.finditer(text, begin, end):
        found = match.end()
    return found
