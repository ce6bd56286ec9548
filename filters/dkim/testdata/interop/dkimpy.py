# python3-dkim over the messages of a folder: "verify" their signatures, or
# "sign" them. keys.json has the TXT records by name, and how to sign.
import glob, json, os, sys
import dkim

what, folder = sys.argv[1], sys.argv[2]
with open(os.path.join(folder, "keys.json")) as f:
    keys = json.load(f)


def txt(name, timeout=5):
    return keys["records"].get(name.decode().rstrip("."), "").encode()


def verify(msg):
    d = dkim.DKIM(msg)
    n = sum(1 for name, _ in d.headers if name.lower() == b"dkim-signature")
    if n == 0:
        return "no signature"
    for i in range(n):
        if not d.verify(idx=i, dnsfunc=txt):
            return "signature %d fails" % i
    return "ok"


def sign(msg, path):
    for s in keys["sign"]:
        sig = dkim.sign(msg, s["selector"].encode(), s["domain"].encode(), s["key"].encode(),
                        canonicalize=(s["header"].encode(), s["body"].encode()),
                        signature_algorithm=s["algorithm"].encode())
        with open("%s.%s-%s-%s" % (path, s["algorithm"], s["header"], s["body"]), "wb") as f:
            f.write(sig + msg)
    return "ok"


for path in sorted(glob.glob(os.path.join(folder, "*.eml"))):
    with open(path, "rb") as f:
        msg = f.read()
    try:
        said = verify(msg) if what == "verify" else sign(msg, path)
    except Exception as e:
        said = "%s: %s" % (type(e).__name__, e)
    print(os.path.basename(path), said.replace("\n", " "))
