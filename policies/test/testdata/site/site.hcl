hostname = "mx.example.com"

listener "edge" {
  address = ":25"
  policy  = policy.inbound
}

listener "internal" {
  address    = "10.0.0.2:25"
  relay_from = ["10.0.0.5"]
  policy     = policy.outbound
}

listener "submission" {
  address = ":465"
  tls     = implicit
  auth    = accounts
  policy  = policy.outbound
}

domain "example.com" {
  route      = route.inside
  recipients = list.staff
  aliases    = { info = "bob" }
}

domain "lab.example.com" {
  route      = route.inside
  recipients = callout
}

route "inside" {
  to = ["ex1.int.example.com:25"]
}

route "slow" {
  to = ["slow.int.example.com:25"]
}

list "staff" {
  type = address
  file = "not-here.txt"
}

list "programs" {
  type  = word
  items = ["exe", "js"]
}

quarantine "spam" {}

filter "dnsbl" "zen" {
  zone     = "zen.example"
  on_error = defer
}

filter "content" "phish" {
  words = ["verify your account"]
}

policy "inbound" {
  thresholds = { tag = 2, quarantine = 5, reject = 10 }

  helo {
    reject "nonsense" {
      when = helo.name == "localhost"
      text = "5.7.1 Who are you?"
    }
  }

  mail {
    skip "friends" {
      when    = mail.domain == "friend.test" && spf.result == "pass"
      classes = ["spam"]
    }
  }

  rcpt {
    reject "dnsbl" {
      when  = dnsbl.zen.listed
      class = "spam"
      text  = "5.7.1 ${client.ip} is blocked: ${dnsbl.zen.reason}"
    }

    discard "trap" {
      when = rcpt.local == "trap"
    }

    limit "per-client" {
      key  = client.ip
      rate = "2/1h"
    }

    greylist "strangers" {
      when = spf.result == "none"
    }
  }

  data {
    reject "programs" {
      when = overlaps(msg.extensions, list.programs)
      text = "5.7.1 Program files are not accepted here"
    }

    score "words" {
      phish   = points(3, content.phish.hit)
      no_rdns = points(2.5, client.name == "")
      dmarc   = points(5, dmarc.result == "fail")
    }

    quarantine "trial" {
      mode = shadow
      when = msg.has_encrypted_archive
    }

    quarantine "night" {
      when = between("01:00", "04:00")
    }
  }
}

policy "outbound" {
  rcpt {
    limit "per-account" {
      key  = auth.user
      rate = "300/1h"
      over = hold
    }
  }

  data {
    sign "dkim" {}
  }

  deliver {
    defer "greeted" {
      when = delivery.last_code == 450 && delivery.attempt > 3
      text = "4.7.1 Not yet"
    }

    route "slow" {
      when = rcpt.domain == "slow.test"
      via  = route.slow
    }

    route "bank" {
      when = rcpt.domain == "bank.test"
      tls  = verify
    }
  }
}
