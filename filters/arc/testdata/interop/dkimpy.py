# python3-dkim validates the ARC chains of the messages of a folder. keys.json has
# the TXT records by name.
import glob, json, os, sys
import dkim

folder = sys.argv[1]
with open(os.path.join(folder, "keys.json")) as f:
    records = json.load(f)


def txt(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


for path in sorted(glob.glob(os.path.join(folder, "*.eml"))):
    with open(path, "rb") as f:
        cv, results, reason = dkim.arc_verify(f.read(), dnsfunc=txt)
    print(os.path.basename(path), (cv or b"").decode(), len(results), reason.replace("\n", " "))
