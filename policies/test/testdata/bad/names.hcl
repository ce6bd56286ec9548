# Names that stand for nothing.
when = true # ERROR: holds blocks, no attributes

givn "x" { # ERROR: Did you mean "given"?
}

given { # ERROR: one label
}

given "a" {
  use      = given["b"]
  listener = listener.edge
  rcpt     = ["bob@example.com"]
}

given "b" {
  use = given["a"] # ERROR: given "a" uses itself

  expect { # ERROR: given has no blocks
  }
}

given "b" { # ERROR: There is a given "b" already
}

lists "x" { # ERROR: has no label
  staff = 5 # ERROR: list of strings
}

case "names" {
  listener = listener.edg # ERROR: Did you mean "edge"?
  use      = [given["nobody"], given["a"]] # ERROR: There is no given "nobody"
  rcpt     = ["bob@example.com"]
  spff     = { result = "pass" } # ERROR: There is no fact spff
  spf      = { resul = "pass" }  # ERROR: Did you mean "spf.result"?
  dnsbl    = { zne = { listed = true } } # ERROR: There is no fact dnsbl.zne
  session  = { trusted = true } # ERROR: follows from the session
  message  = { size = 5 }       # ERROR: follows from the session
  mail     = { fro = "x@y.test" } # ERROR: Did you mean "from"?
  counters = { "inbound.rcpt.limit.per-clint" = { "x" = 1 } } # ERROR: Did you mean "inbound.rcpt.limit.per-client"?
  waited   = ["inbound.rcpt.limit.per-client"] # ERROR: There is no greylist

  expect "eve@example.com" { # ERROR: The case has no recipient "eve@example.com"
    verdict = acept # ERROR: Did you mean "accept"?
    at      = dta   # ERROR: Did you mean "data"?
    by      = "inbound.data.reject.program" # ERROR: Did you mean "inbound.data.reject.programs"?
    route   = route.insde      # ERROR: Did you mean "inside"?
    into    = "spam"           # ERROR: into = quarantine.name
    shadow  = ["inbound.none"] # ERROR: There is no rule inbound.none
    tag     = []               # ERROR: Did you mean "tags"?
  }

  asert { # ERROR: Did you mean "assert"?
  }
}

case "names" { # ERROR: There is a case "names" already
  listener = listener.edge
  rcpt     = ["bob@example.com"]

  expect { # ERROR: The block expects nothing
  }

  assert { # ERROR: assert needs condition
    eror = "x" # ERROR: Did you mean "error"?
  }
}

case "conditions" {
  listener = listener.edge
  rcpt     = ["bob@example.com"]

  assert {
    condition = score.totl == 1 # ERROR: Did you mean "score.total"?
  }

  assert {
    condition = spf.result == "passed" # ERROR: FP0203
  }
}
