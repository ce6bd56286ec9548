# Every case fails; fails.txt has what is said of it.
given "a stranger" {
  listener = listener.edge
  client   = { ip = "203.0.113.9", name = "mail.stranger.test" }
  mail     = { from = "ann@stranger.test" }
  rcpt     = ["bob@example.com"]
  spf      = { result = "pass" }
}

lists {
  staff = ["bob@example.com", "eve@example.com"]
}

case "a threshold that is not reached" {
  use     = given["a stranger"]
  message = { text = "verify your account" }

  expect {
    verdict = quarantine
    by      = "inbound.thresholds.quarantine"
  }
}

case "another rule decides" {
  use   = given["a stranger"]
  dnsbl = { zen = { listed = true, reason = "see list.test" } }

  expect {
    verdict = reject
    at      = data
    by      = "inbound.data.reject.programs"
    reply   = "550 5.7.1 No"
  }
}

case "a rule that was skipped" {
  use   = given["a stranger"]
  mail  = { from = "kim@friend.test" }
  dnsbl = { zen = { listed = true } }

  expect {
    verdict = reject
    by      = "inbound.rcpt.reject.dnsbl"
  }
}

case "a rule on trial, and one of another policy" {
  use     = given["a stranger"]
  message = { has_encrypted_archive = true }

  expect {
    by = "inbound.data.quarantine.trial"
  }

  expect {
    verdict = accept
    by      = "outbound.rcpt.limit.per-account"
  }
}

case "a limit that has room" {
  use      = given["a stranger"]
  counters = { "inbound.rcpt.limit.per-client" = { "203.0.113.9" = 1 } }

  expect {
    verdict = defer
    by      = "inbound.rcpt.limit.per-client"
  }
}

case "what is no verdict" {
  use  = given["a stranger"]
  rcpt = ["bob@example.com", "eve@example.com"]

  expect "eve@example.com" {
    route  = route.mx
    into   = quarantine.spam
    tags   = ["spam"]
    shadow = ["inbound.data.quarantine.trial"]
  }

  assert {
    condition = spf.result == "fail" || rcpt.local != "eve"
    error     = "eve has no friends"
  }
}
