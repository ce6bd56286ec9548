# The demo's gateway. Change something and save: it reloads, or tells you the line.

hostname   = "mx.example.test"
postmaster = "postmaster@example.test"

# The pretend internet's DNS.
dns {
  resolvers = ["%s"]
}

# Doors: what may come in where. No rule of a policy can open a relay.
listener "edge" {
  address = "127.0.0.1:%d"
  policy  = policy.inbound
}

listener "submission" {
  address = "127.0.0.1:%d"
  auth    = accounts
  policy  = policy.outbound
}

imap "mail" {
  address = "127.0.0.1:%d"
}

pop3 "mail" {
  address = "127.0.0.1:%d"
}

# Destinations: our own domain is kept here; everything else goes to its MX.
domain "example.test" {
  route      = route.store
  quarantine = quarantine.suspicious

  aliases = {
    postmaster = ["demo@example.test"]
  }

  dkim = [
    { selector = "fp1", key = file("dkim-fp1.pem") },
  ]
}

quarantine "suspicious" {
  keep    = "30d"
  release = admin
}

# Facts about mail. A filter runs only when a rule needs its answer.
filter "dnsbl" "demo" {
  zone    = "bl.test"
  private = true # the pretend internet's addresses are loopback ones
}

filter "content" "bulk" {
  in    = [subject, text]
  words = ["sale", "unsubscribe", "discount"]
}

list "programs" {
  type  = word
  items = ["exe", "scr", "js", "vbs", "hta", "lnk", "iso", "msi", "jar"]
}

policy "inbound" {
  thresholds = { tag = 3, quarantine = 7, reject = 15 }

  rcpt {
    reject "dnsbl" {
      when = dnsbl.demo.listed
      text = "5.7.1 ${client.ip} is blocked: ${dnsbl.demo.reason}"
    }

    limit "per-client" {
      key  = client.ip
      rate = "600/1h"
    }

    # Who publishes no SPF record waits for a moment: programs that send spam do
    # not come back.
    greylist "strangers" {
      when  = spf.result == "none"
      delay = "2s"
    }
  }

  data {
    reject "programs" {
      when = overlaps(msg.extensions, list.programs)
      text = "5.7.1 Program files are not accepted here"
    }

    reject "dmarc" {
      when = dmarc.result == "fail" && dmarc.policy == "reject"
      text = "5.7.26 Fails the DMARC policy of ${msg.from_domain}"
    }

    quarantine "dmarc" {
      when = dmarc.result == "fail" && dmarc.policy == "quarantine"
      into = quarantine.suspicious
    }

    score "bulk" {
      bulk    = points(3.1, content.bulk.hit && msg.is_bulk)
      no_rdns = points(1.5, client.name == "")
    }
  }
}

policy "outbound" {
  rcpt {
    limit "per-account" {
      key  = coalesce(auth.user, client.ip)
      rate = "300/1h"
      over = hold # keep it and let a person decide
    }
  }

  data {
    sign "dkim" {}
  }
}
