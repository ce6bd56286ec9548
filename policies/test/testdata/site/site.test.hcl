# Everything a case can state, against site.hcl. All of them pass.

given "anybody" {
  listener = listener.edge
  client   = { ip = "203.0.113.9", name = "mail.stranger.test" }
  rcpt     = ["bob@example.com"]
  spf      = { result = "pass" }
}

given "a stranger" {
  use  = given["anybody"]
  mail = { from = "ann@stranger.test" }
}

lists {
  staff = ["bob@example.com", "eve@example.com", "trap@example.com"]
}

case "nothing stands against it" {
  use = given["a stranger"]

  expect {
    verdict = accept
    by      = ""
    reply   = "250"
    route   = route.inside
    tags    = []
    shadow  = []
  }

  assert {
    condition = score.total == 0 && mail.from == "ann@stranger.test" && msg.from == mail.from && client.fcrdns
  }
}

case "what comes at helo is answered at rcpt" {
  use  = given["a stranger"]
  helo = "localhost"

  expect {
    verdict = reject
    by      = "inbound.helo.reject.nonsense"
    at      = helo
    reply   = "550 5.7.1 Who are you?"
  }
}

case "a filter that cannot tell defers" {
  use   = given["a stranger"]
  dnsbl = { zen = { error = "timeout" } }

  expect {
    verdict = defer
    by      = "inbound.on_error"
  }
}

case "friends may be listed" {
  use   = given["a stranger"]
  mail  = { from = "kim@friend.test" }
  dnsbl = { zen = { listed = true } }

  expect {
    verdict = accept
  }
}

case "programs are refused" {
  use      = given["a stranger"]
  for_each = { program = "exe", script = "js" }
  message  = { attachments = ["a.txt", "${each.key}.${each.value}"] }

  expect {
    by = "inbound.data.reject.programs"
    at = data
  }
}

case "words in the text are found" {
  use     = given["a stranger"]
  client  = { name = "" }
  message = { subject = "Grüße", text = "Please VERIFY  your account.", to = ["bob@example.com"], headers = { X-Mark = "one" } }

  expect {
    verdict = quarantine
    into    = quarantine.spam
    by      = "inbound.thresholds.quarantine"
  }

  assert {
    condition = score.total == 5.5 && msg.subject == "Grüße" && header("X-Mark") == "one" && overlaps(msg.to, ["bob@example.com"])
    error     = "phish 3 + no_rdns 2.5 make 5.5"
  }
}

case "a whole message from a file" {
  use     = given["a stranger"]
  message = file("phish.eml")

  expect {
    verdict = accept
    tags    = ["spam"]
  }

  assert {
    condition = content.phish.hits == 1 && msg.from_domain == "else.test"
  }
}

case "the case has the last word over what is found" {
  use     = given["a stranger"]
  message = { attachments = ["a.exe"], extensions = [], has_encrypted_archive = true }

  expect {
    verdict = accept
    shadow  = ["inbound.data.quarantine.trial"]
  }
}

case "a sum reaches reject" {
  use     = given["a stranger"]
  client  = { name = "" }
  message = { text = "verify your account" }
  dmarc   = { result = "fail" }

  expect {
    verdict = reject
    by      = "inbound.thresholds.reject"
    reply   = "550 5.7.1 This message looks like spam"
  }
}

case "counters begin where the case says" {
  use      = given["a stranger"]
  counters = { "inbound.rcpt.limit.per-client" = { "203.0.113.9" = 2 } }

  expect {
    verdict = defer
    by      = "inbound.rcpt.limit.per-client"
  }
}

case "the third recipient is one too many" {
  use  = given["a stranger"]
  rcpt = ["bob@example.com", "eve@example.com", "x@lab.example.com"]

  expect "bob@example.com" {
    verdict = accept
  }

  expect "x@lab.example.com" {
    verdict = defer
    by      = "inbound.rcpt.limit.per-client"
  }
}

case "a trap takes mail and throws it away" {
  use  = given["a stranger"]
  rcpt = ["trap@example.com", "bob@example.com"]

  expect "trap@example.com" {
    verdict = discard
    by      = "inbound.rcpt.discard.trap"
  }

  expect "bob@example.com" {
    verdict = accept
  }
}

case "strangers wait" {
  use = [given["anybody"], given["a stranger"]]
  spf = { result = "none" }

  expect {
    verdict = defer
    at      = rcpt
    by      = "inbound.rcpt.greylist.strangers"
  }
}

case "who has waited may come" {
  use    = given["a stranger"]
  spf    = { result = "none" }
  waited = ["inbound.rcpt.greylist.strangers"]

  expect {
    verdict = accept
  }
}

case "the clock is the case's" {
  use = given["a stranger"]
  now = "2026-02-03T02:00:00Z"

  expect {
    by = "inbound.data.quarantine.night"
  }
}

case "no recipient, and one that is no more" {
  use     = given["a stranger"]
  rcpt    = ["nobody@example.com", "gone@lab.example.com", "here@lab.example.com"]
  unknown = ["gone@lab.example.com"]

  expect "nobody@example.com" {
    verdict = reject
    by      = "builtin.recipient"
    reply   = "550 5.1.1 No such user here"
  }

  expect "gone@lab.example.com" {
    by = "builtin.recipient"
  }

  expect "here@lab.example.com" {
    verdict = accept
  }
}

case "an alias and the postmaster are known" {
  use  = given["a stranger"]
  rcpt = ["info@example.com", "postmaster@example.com"]

  expect {
    verdict = accept
  }
}

case "no relay, whoever asks" {
  use  = given["a stranger"]
  rcpt = ["victim@elsewhere.test"]

  expect {
    verdict = reject
    at      = rcpt
    by      = "builtin.relay"
  }
}

case "our own server may" {
  listener = listener.internal
  client   = { ip = "10.0.0.5" }
  mail     = { from = "bob@example.com" }
  rcpt     = ["ann@elsewhere.test", "ann@slow.test", "ann@bank.test"]

  expect "ann@elsewhere.test" {
    route = route.mx
  }

  expect "ann@slow.test" {
    route = route.slow
  }

  expect "ann@bank.test" {
    route = route.mx
  }

  assert {
    condition = session.trusted && !auth.ok
  }
}

case "who is logged in may not be somebody else" {
  listener = listener.submission
  auth     = { ok = true, user = "eve", addresses = ["eve@example.com"] }
  tls      = { on = true, version = "TLS 1.3" }
  mail     = { from = "boss@example.com" }
  rcpt     = ["ann@elsewhere.test"]

  expect {
    verdict = reject
    at      = mail
    by      = "builtin.submission"
  }
}

case "a phished account is held" {
  listener = listener.submission
  auth     = { user = "eve", addresses = ["eve@example.com"] }
  mail     = { from = "eve@example.com" }
  rcpt     = ["ann@elsewhere.test"]
  counters = { "outbound.rcpt.limit.per-account" = { eve = 300 } }

  expect {
    verdict = hold
    by      = "outbound.rcpt.limit.per-account"
    at      = rcpt
  }
}

case "a fourth attempt waits" {
  listener = listener.internal
  client   = { ip = "10.0.0.5" }
  mail     = { from = "", size = 1000, smtputf8 = true }
  rcpt     = ["ann@slow.test"]
  delivery = { attempt = 4, last_code = 450, age = "2h", host = "mx.slow.test" }

  expect {
    verdict = defer
    at      = deliver
    by      = "outbound.deliver.defer.greeted"
    reply   = "451 4.7.1 Not yet"
  }
}
