# A session of Python's imaplib: what a script does with a mailbox.
import imaplib, sys, time

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
c = imaplib.IMAP4("127.0.0.1", port)


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


ok(c.authenticate("PLAIN", lambda _: b"\0" + user.encode() + b"\0" + password.encode()))
ok(c.enable("UTF8=ACCEPT"))
assert ok(c.select()) == [b"2"]
assert ok(c.search(None, "SUBJECT", '"summary"')) == [b"1"]
text = ok(c.fetch("1", "(RFC822)"))[0][1]
assert text.endswith(b"tomorrow?\r\n"), text
assert b"\\Seen" in ok(c.fetch("1", "(FLAGS)"))[0]
ok(c.store("2", "+FLAGS", r"(\Flagged $Label1)"))
assert ok(c.uid("SEARCH", "KEYWORD", "$Label1")) == [b"2"]
ok(c.create("Work"))
ok(c.subscribe("Work"))
assert any(b"Work" in line for line in ok(c.lsub()))
ok(c.append("Work", r"(\Draft)", imaplib.Time2Internaldate(time.time()), b"Subject: x\r\n\r\nbody\r\n"))
ok(c.uid("COPY", "1:2", "Work"))
ok(c.uid("MOVE", "2", "Work"))
assert ok(c.status("Work", "(MESSAGES UNSEEN)")) == [b'"Work" (MESSAGES 4 UNSEEN 3)']
ok(c.store("1", "+FLAGS", r"\Deleted"))
assert ok(c.expunge())[-1] == b"1"
ok(c.rename("Work", "Play"))
assert ok(c.select("Play", readonly=True)) == [b"4"]
assert len(ok(c.fetch("1:*", "(UID ENVELOPE BODYSTRUCTURE)"))) == 4
ok(c.close())
ok(c.delete("Play"))
ok(c.namespace())
ok(c.noop())
assert c.logout()[0] == "BYE"
print("all well")
