"""Small grammar of the two languages: articles, lists, capitals and full stops around the short texts of a fact."""

import re

_BOUNDARY = frozenset(
    "with of in on from after at to for by around over under during like that which despite without behind near and or "
    "beside between across through as due into within when while than before until against along inside outside above below".split())
_ING_NOUNS = frozenset("swelling bleeding ring feeling tingling burning lightening ceiling thing being spring wheezing".split())
_COUNT = frozenset(
    "ache headache rash cough lump mass nodule ulcer sore patch blister plaque wart pimple spot bump abscess cyst tumor adenoma "
    "polyp clot stone fracture hernia sprain tear rupture defect mutation infection allergy injury reaction deficiency drop "
    "rise fall spell heartbeat pulse murmur tremor seizure spasm tongue throat nose spleen liver face neck voice sensation "
    "feeling sense urge change discharge test scan biopsy electrocardiogram echocardiogram electroencephalogram "
    "angiogram mammogram radiograph ultrasound assay screen culture smear examination exam count index score diary swab challenge "
    "injection spray pacemaker course combination drink cast splint brace operation vaccine disorder syndrome "
    "condition tendency virus parasite bacterium fungus mite enzyme antibody gene pathway imbalance blocker inhibitor agonist "
    "antagonist antibiotic antihistamine antidepressant anticoagulant analgesic diuretic statin steroid corticosteroid laxative "
    "bronchodilator vasodilator antipsychotic antiepileptic antifungal antiviral supplement sedative grip hormone antacid antiemetic "
    "stimulant hypnotic anesthetic suppressant expectorant mucolytic relaxant stabilizer modulator analogue analog derivative "
    "agent drug medicine preparation nitrate barbiturate benzodiazepine penicillin cephalosporin macrolide fluoroquinolone "
    "tetracycline aminoglycoside cramp limp bruise gait hump lesion bite sting burn hematoma thrombus embolus pregnancy "
    "dislocation concussion cataract stye hydrocele varicocele prolactinoma pheochromocytoma fibroid deformity curvature "
    "hallucination delusion attack convulsion migraine cold stroke hemorrhage fissure fistula keloid mole wound cut "
    "pneumothorax aneurysm snakebite overdose obstruction arrest chalazion pterygium meningioma glioma hemangioma ganglion "
    "neuroma lipoma contracture eschar grin abnormality angioedema goiter cavity tooth gum eye eyelid ear knee ankle wrist "
    "elbow shoulder finger toe heel leg arm foot hand joint breast belly abdomen bladder stool stream bulge dislocation prolapse "
    "malformation anomaly septum perforation dissection block fetus uterus ovary bump pouch pustule papule wheal scale crust".split())
_BARE_NAMES = frozenset("disease syndrome disorder arrest deficiency infection obstruction block migraine condition angioedema hemorrhage".split())
"""Nouns that take no article where they are the name of an illness."""
_PLURAL = frozenset(
    "stones hemorrhoids warts fibroids polyps varices veins cataracts tumors ulcers cysts fractures contractions bunions burns "
    "gallstones seizures tics worms lice floaters headaches nodules spasms hives attacks disorders convulsions terrors".split())
_VOWEL_SOUND = re.compile(r"(?:[aeio]|u(?!ni|re|ro|ti|su|rin|te|se)|h(?:our|eir)|(?:ACE|ECG|EEG|MRI|NSAID|SSRI|H2|HIV|X)\b)", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"(?:one\b|eu|ur[ie]|uni)", re.IGNORECASE)
_DETERMINERS = frozenset("a an the too any no one both two three several more less much repeated".split())
_END = ("。", "！", "？", ".", "!", "?")


def head(phrase: str) -> str:
    """The noun that an English noun phrase is about: `dull headache at the back` -> `headache`."""
    words = phrase.replace(",", " ,").split()
    for number, word in enumerate(words):
        follows = words[number + 1] if number < len(words) - 1 else ","
        is_clause = number > 0 and word.endswith("ing") and word not in _ING_NOUNS and follows not in _BOUNDARY and follows != ","
        if word in _BOUNDARY or word == "," or is_clause:
            return words[number - 1].lower() if number else ""
    return words[-1].lower()


def indefinite(phrase: str) -> str:
    """`phrase` with a or an where its noun needs one; as it is where not, or where it is a list of several things."""
    first = phrase.split()[0].lower()
    is_activity = first.endswith("ing") and first not in _ING_NOUNS
    if head(phrase) not in _COUNT or is_activity or first in _DETERMINERS:
        return phrase
    rest = re.split(r" (?:and|or) ", phrase, maxsplit=1)
    if len(rest) == 2 and head(rest[1]) in _COUNT and head(phrase) == rest[0].split()[-1]:
        return phrase
    sounds_vowel = _VOWEL_SOUND.match(phrase) and not _CONSONANT_SOUND.match(phrase)
    return f"{'an' if sounds_vowel else 'a'} {phrase}"


def is_plural(name: str) -> bool:
    """Whether an English name takes a plural verb: `kidney stones`, but not `diabetes`."""
    return head(name) in _PLURAL


def capital(text: str) -> str:
    """`text` with its first letter made a capital; Greek letters and Han characters stay."""
    return text[0].upper() + text[1:] if text[:1].isascii() else text


def listing(items: list[str], lang: str) -> str:
    """`a, b, and c`; `甲、乙和丙`."""
    if len(items) == 1:
        return items[0]
    if lang == "zh":
        return "、".join(items[:-1]) + "和" + items[-1]
    return f"{items[0]} and {items[1]}" if len(items) == 2 else ", ".join(items[:-1]) + ", and " + items[-1]


def danger(flag: str, lang: str) -> str:
    """A red flag ready to stand after a colon: `a or b or c` becomes `a, b, or c`."""
    parts = re.split(r" or (?!others\b)", flag)
    if lang == "zh" or len(parts) < 3 or flag.startswith("unable"):
        return flag
    return ", ".join(parts[:-1]) + ", or " + parts[-1]


def sentence(text: str, lang: str) -> str:
    """`text` begun with a capital and ended with a full stop, each where it lacks one."""
    text = capital(text.strip())
    return text if text.endswith(_END) else text + ("。" if lang == "zh" else ".")


def join(sentences: list[str], lang: str) -> str:
    """Sentences as one paragraph: a blank between them in English, none in Chinese."""
    return ("" if lang == "zh" else " ").join(sentence(text, lang) for text in sentences if text)


def slots(name: str, lang: str) -> dict[str, str]:
    """What a template may say of a name: bare, with its article, capitalised, and the verbs that agree with it."""
    if lang == "zh":
        return {"name": name}
    with_article = name if is_plural(name) or head(name) in _BARE_NAMES or name == "heat stroke" else indefinite(name)
    verbs = {"is": "are", "does": "do", "s": ""} if is_plural(name) else \
            {"is": "is", "does": "does", "s": "s"}
    return {"name": name, "Name": capital(name), "a_name": with_article, "A_name": capital(with_article), **verbs}
