"""text-dedup's MinHash on two processes.

    PYTHON text_dedup_minhash.py IN OUT (default | alike)

`default`: its own settings (sha1, 250 permutations, threshold 0.7). `alike`: 20 bands of 6 rows, as aquilamed's, and its faster hash.
"""

import sys

from text_dedup.minhash import main as minhash

ALIKE = ["--num_perm", "120", "--b", "20", "--r", "6", "--hash_func", "xxh3", "--threshold", "0.8"]


def main() -> None:
    source, out, way = sys.argv[1:4]
    minhash(["--path", "json", "--data_files", f"{source}/*.jsonl", "--split", "train", "--cache_dir", f"{out}/cache", "--output", f"{out}/kept",
             "--column", "text", "--num_proc", "2", *(ALIKE if way == "alike" else [])])


if __name__ == "__main__":
    main()
