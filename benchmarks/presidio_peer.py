"""The peer of `benchmarks/identifiers.py`: presidio-analyzer with its own recognisers on a blank English pipeline.

Runs in an environment of its own that has `presidio-analyzer` and `spacy`: reads texts as JSON from standard input and writes the spans and the CPU
seconds to standard output.
"""

import json
import sys
import tempfile
import time

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

KINDS = {
    "PERSON": "name", "LOCATION": "address", "DATE_TIME": "date", "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "US_SSN": "ssn",
    "CREDIT_CARD": "bank_card",
    "URL": "url", "IP_ADDRESS": "ip", "UK_NHS": "insurance_number", "US_MBI": "insurance_number", "US_DRIVER_LICENSE": "licence",
    "MEDICAL_LICENSE": "licence", "US_NPI": "licence",
    "US_PASSPORT": "travel_document", "US_BANK_NUMBER": "account", "MAC_ADDRESS": "device",
}


def main() -> None:
    texts = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        spacy.blank("en").to_disk(folder)
        engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": folder}]}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    analyzer.analyze(text="warm up", language="en")
    start = time.process_time()
    found = [[[r.start, r.end, KINDS.get(r.entity_type, r.entity_type)] for r in analyzer.analyze(text=text, language="en",
        score_threshold=0.35)] for text in texts]
    json.dump({"seconds": time.process_time() - start, "spans": found}, sys.stdout)


if __name__ == "__main__":
    main()
