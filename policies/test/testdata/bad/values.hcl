# Values of the wrong type or form.
case "types" {
  listener = "edge" # ERROR: listener = listener.name
  use      = "a"    # ERROR: use = given["a stranger"]
  client   = { ip = "203.0.113.300" } # ERROR: client.ip is an IP address
  helo     = { name = 5 } # ERROR: helo.name is a string
  tls      = { on = "yes" } # ERROR: tls.on is true or false
  auth     = { ok = true } # ERROR: Who logged in?
  mail     = { from = "ann", size = -1 } # ERROR: no mail address AND whole number
  rcpt     = "bob" # ERROR: no mail address
  delivery = { age = "soon" } # ERROR: delivery.age is a duration
  now      = "noon"           # ERROR: now is a time
  spf      = { result = "passed" } # ERROR: spf.result is never "passed"
  dkim     = { domains = 5 }       # ERROR: dkim.domains is a list of strings
  dnsbl    = { zen = { listed = "yes" } } # ERROR: dnsbl.zen.listed is a bool
  content  = { phish = { hits = "many" } } # ERROR: content.phish.hits is a number
  message  = { attachments = [1], headers = "x" } # ERROR: message.attachments is a list AND headers is an object
  unknown  = [5] # ERROR: unknown is a mail address

  expect {
    by   = 5        # ERROR: by is a string
    tags = [1]      # ERROR: tags is a list of strings
    at   = "data"   # ERROR: at is one of the words
  }
}

case "nobody expects anything" { # ERROR: The case expects nothing
  listener = listener.edge
  rcpt     = ["bob@example.com"]
}

case "nowhere" { # ERROR: does not say where the client connects AND no recipient
  expect {
    verdict = accept
  }
}

case "nobody logs in here" {
  listener = listener.edge
  auth     = { user = "eve" } # ERROR: Nobody can log in at listener.edge
  rcpt     = []               # ERROR: The case has no recipient

  expect {
    verdict = accept
  }
}

case "each of nothing" {
  for_each = [] # ERROR: for_each is a list

  expect {
    verdict = accept
  }
}

case "a file that is not there" {
  listener = listener.edge
  rcpt     = ["bob@example.com"]
  message  = file("none.eml") # ERROR: the file cannot be read

  expect {
    reply = "${each.value}" # ERROR: Unknown variable
  }
}
