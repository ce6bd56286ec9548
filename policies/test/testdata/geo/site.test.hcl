given "a stranger" {
  listener = listener.edge
  mail     = { from = "ann@stranger.test" }
  rcpt     = ["bob@example.com"]
}

case "of a network" {
  use    = given["a stranger"]
  client = { ip = "192.0.2.1", asn = 64511, country = "NL" }

  expect {
    verdict = drop
    by      = "inbound.connect.drop.networks"
  }
}

case "of a country" {
  use    = given["a stranger"]
  client = { ip = "192.0.2.1", asn = 64496, country = "NL" }

  expect {
    verdict = reject
    by      = "inbound.rcpt.reject.countries"
    reply   = "550 5.7.1 No mail from AS64496 in NL"
  }
}

case "of another" {
  use    = given["a stranger"]
  client = { ip = "192.0.2.1", country = "DE" }

  expect {
    verdict = accept
  }
}

case "of nowhere" {
  use    = given["a stranger"]
  client = { ip = "192.0.2.1" }

  expect {
    verdict = accept
    tags    = ["spam"]
  }
}
