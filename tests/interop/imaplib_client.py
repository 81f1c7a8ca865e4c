"""What Python's imaplib makes of the server: each step asserts; "idling" on stdout asks the test to
append a message. Arguments: port with STARTTLS, port with TLS, user, password."""

import imaplib
import ssl
import sys

PORT, TLS_PORT = int(sys.argv[1]), int(sys.argv[2])
USER, PASSWORD = sys.argv[3], sys.argv[4]
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def same(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"


def start_tls():
    m = imaplib.IMAP4("127.0.0.1", PORT)
    assert "STARTTLS" in m.capabilities and "LOGINDISABLED" in m.capabilities, m.capabilities
    try:
        m.login(USER, PASSWORD)
        raise AssertionError("a password was taken in clear")
    except imaplib.IMAP4.error:
        pass
    ok(m.starttls(CONTEXT))
    assert "STARTTLS" not in m.capabilities and "LOGINDISABLED" not in m.capabilities
    ok(m.login(USER, PASSWORD))
    same(m.state, "AUTH")
    return m


def authenticate_plain():
    m = imaplib.IMAP4_SSL("127.0.0.1", TLS_PORT, ssl_context=CONTEXT)
    ok(m.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode()))
    return m


def messages(m):
    """APPEND, SELECT, FETCH, STORE, COPY, SEARCH, EXPUNGE."""
    same(ok(m.select("INBOX")), [b"0"])
    raw = b"Subject: one\r\nTo: a@example.org\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n.\r\n"
    for number in range(5):
        flags = r"(\Seen $Work)" if number == 2 else ""
        body = raw.replace(b"one", b"number %d" % number) + b"x" * number
        ok(m.append("INBOX", flags, imaplib.Time2Internaldate(86400.0 * (number + 1)), body))
    same(m.response("EXISTS")[1][-1], b"5")

    fetched = ok(m.fetch("3", "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])"))
    head, body = fetched[0]
    same(body, raw.replace(b"one", b"number 2") + b"xx")
    assert b"$Work" in head and b"\\Seen" in head, head
    same(imaplib.Internaldate2tuple(head)[:3], (1970, 1, 4))

    same(ok(m.search(None, "SUBJECT", '"number 3"')), [b"4"])
    same(ok(m.search(None, "KEYWORD", "$Work")), [b"3"])
    m.literal = "Grüße".encode()
    same(ok(m.search("UTF-8", "BODY")), [b"1 2 3 4 5"])
    same(ok(m.uid("SEARCH", None, "UNSEEN")), [b"1 2 4 5"])

    ok(m.store("1:2", "+FLAGS", r"(\Deleted \Flagged)"))
    stored = ok(m.store("1", "-FLAGS", r"(\Flagged)"))
    assert b"\\Flagged" not in stored[0] and b"\\Deleted" in stored[0], stored
    ok(m.copy("1:3", "Archive"))
    same(ok(m.expunge()), [b"2", b"1"])  # from the highest down
    same(ok(m.search(None, "ALL")), [b"1 2 3"])
    same(ok(m.uid("SEARCH", None, "ALL")), [b"3 4 5"])
    status = ok(m.status("Archive", "(MESSAGES UNSEEN)"))[0]
    assert b"MESSAGES 3" in status and b"UNSEEN 2" in status, status


def names(m):
    """Mailbox names in modified UTF-7 (RFC 3501 5.1.3)."""
    name = '"&U,BTFw-/Entw&APw-rfe &- mehr"'
    ok(m.create(name))
    ok(m.subscribe(name))
    listed = b" ".join(ok(m.list('""', '"*"')))
    assert name.encode() in listed, listed
    assert name.encode() in b" ".join(ok(m.lsub())), "not subscribed"
    ok(m.append(name, None, None, b"Subject: x\r\n\r\n"))
    same(ok(m.select(name)), [b"1"])
    ok(m.close())
    ok(m.rename(name, '"&U,BTFw-/anders"'))
    ok(m.delete('"&U,BTFw-/anders"'))
    same(m.select(name)[0], "NO")


def idle(m):
    """IDLE, which imaplib has only in later versions, line by line."""
    ok(m.select("INBOX"))
    tag = m._new_tag()
    m.send(tag + b" IDLE\r\n")
    assert m.readline().startswith(b"+")
    print("idling", flush=True)
    while not m.readline().startswith(b"* 4 EXISTS"):
        pass
    m.send(b"DONE\r\n")
    while not (line := m.readline()).startswith(tag):
        pass
    assert line.startswith(tag + b" OK"), line


def utf8(m, other):
    """ENABLE UTF8=ACCEPT: names and headers in UTF-8."""
    ok(m.enable("UTF8=ACCEPT"))
    ok(m.create('"Grüße"'))
    # Not by m: under UTF8=ACCEPT, imaplib writes its data item into the message itself.
    ok(other.append('"Gr&APwA3w-e"', None, None, "Subject: Grüße\r\n\r\nText\r\n".encode()))
    same(ok(m.select('"Grüße"')), [b"1"])
    envelope = repr(ok(m.fetch("1", "(ENVELOPE)")))
    assert repr("Grüße".encode())[2:-1] in envelope, envelope


first = start_tls()
second = authenticate_plain()
messages(first)
same(ok(second.select("INBOX", readonly=True)), [b"3"])
names(first)
idle(first)
third = authenticate_plain()
utf8(third, second)
ok(first.unselect())
for connection in (first, second, third):
    same(connection.logout()[0], "BYE")
print("done")
