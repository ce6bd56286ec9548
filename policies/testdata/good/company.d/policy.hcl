filter "dnsbl" "zen" {
  zone     = "zen.example"
  when     = !session.trusted
  timeout  = "4s"
  on_error = ignore
}

filter "content" "phish" {
  in       = [subject, text]
  words    = list.phish
  max      = "1MB"
  on_error = quarantine
}

filter "spf" {
  timeout  = "8s"
  on_error = defer
}

list "phish" {
  type  = word
  items = ["verify your account", "gift card"]
}

list "staff" {
  type  = address
  items = ["eve@lab.example.net"]
}

list "partners" {
  type = address
  file = "lists/partners.txt"
}

list "never" {
  type  = ip
  items = ["198.51.100.0/24", "2001:db8:bad::/48"]
}

quarantine "spam" {
  keep    = "14d"
  release = recipient
}

quarantine "security" {
  keep    = "90d"
  release = admin
}

rules "common" {
  data {
    reject "programs" {
      when  = overlaps(msg.extensions, ["exe", "js"])
      text  = "5.7.1 No programs, please"
      class = "malware"
    }
  }
}

policy "inbound" {
  thresholds = { tag = 4, quarantine = var.quarantine_at, reject = 15 }
  partial    = bounce

  connect {
    drop "never" {
      when = listed(client.ip, list.never)
      text = "4.7.0 Not you"
    }
  }

  helo {
    tag "odd" {
      when = !contains(helo.name, ".")
      add  = ["odd-helo"]
    }
  }

  mail {
    skip "partners" {
      when    = listed(mail.from, list.partners) && spf.result == "pass"
      classes = ["spam"]
    }

    reject "our-name-from-outside" {
      when = local.stranger && own_domain(mail.domain) && spf.result != "pass"
      text = "5.7.23 ${client.ip} may not send as ${mail.domain}"
    }
  }

  rcpt {
    reject "dnsbl" {
      when  = dnsbl.zen.listed
      class = "spam"
      text  = "5.7.1 ${client.ip} is blocked: ${dnsbl.zen.reason}"
    }

    limit "per-client" {
      key   = client.ip
      rate  = ["120/1h", "20/1m"]
      class = "spam"
    }

    greylist "strangers" {
      when  = spf.result != "pass"
      delay = "5m"
      class = "spam"
    }
  }

  data {
    use "common" {}

    quarantine "macros" {
      when   = msg.has_macros && !local.authentic
      into   = quarantine.security
      notify = [rcpt.address, "post@example.net"]
      class  = "malware"
    }

    reject "dmarc" {
      when = dmarc.result == "fail" && dmarc.policy == "reject"
      text = "5.7.26 Fails the DMARC policy of ${msg.from_domain}"
    }

    score "sender" {
      spf_fail     = points(3.0, spf.result == "fail")
      spf_softfail = points(1.0, spf.result == "softfail")
      no_rdns      = points(1.5, client.name == "")
      known        = points(-2.0, listed(mail.from, list.partners))
    }

    score "content" {
      phish = points(content.phish.hits * 2, content.phish.hit)
    }

    modify "external" {
      when           = !own_domain(msg.from_domain)
      subject_prefix = "[EXT]"
      add_header     = { "X-Points" = "${score.total}" }
      remove_header  = ["X-Internal"]
      tags           = ["external"]
    }

    tag "newsletter" {
      when = msg.is_bulk && between("22:00", "06:00")
      add  = ["newsletter"]
    }

    quarantine "trial" {
      mode = shadow
      when = similar(msg.from_domain, "example.net") && !own_domain(msg.from_domain)
    }
  }
}

policy "outbound" {
  rcpt {
    limit "per-account" {
      key  = coalesce(auth.user, client.ip)
      rate = "300/1h"
      over = hold
    }
  }

  data {
    copy "journal" {
      when = mail.domain == "example.net"
      to   = ["journal@archive.test"]
    }

    route "smarthost" {
      when = !own_domain(rcpt.domain)
      via  = route.smarthost
    }

    sign "dkim" {}
  }

  deliver {
    defer "patience" {
      when = delivery.attempt > 3 && delivery.age < "1h"
      text = "4.4.1 Waiting"
    }
  }
}
