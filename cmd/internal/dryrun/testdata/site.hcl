# A site for dry runs: a bit of everything that can differ.
hostname = "mx.example.com"

domain "example.com" {
  route      = route.store
  recipients = list.staff
}

domain "lab.example.com" {
  route      = route.inside
  recipients = any
  thresholds = { quarantine = 2 }
}

route "inside" {
  to = ["127.0.0.1:1"]
}

list "staff" {
  type  = address
  items = ["bob@example.com", "eve@example.com"]
}

list "programs" {
  type  = word
  items = ["exe", "scr", "js", "vbs", "bat"]
}

quarantine "spam" {}

filter "dnsbl" "zen" {
  zone = "zen.test"
}

filter "content" "phish" {
  in       = [subject, text, html, urls]
  words    = ["viagra", "click here", "free", "unsubscribe"]
  patterns = ["(?i)act\\s+now", "https?://[0-9]+\\."]
}

listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.inbound
}

policy "inbound" {
  thresholds = { tag = 1, quarantine = 4, reject = 8 }
  partial    = quarantine

  mail {
    skip "partners" {
      when    = mail.domain == "partner.test" && spf.result == "pass"
      classes = ["spam"]
    }

    reject "our-name" {
      when = own_domain(mail.domain) && spf.result != "pass"
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
      rate  = "100000/1h"
      class = "spam"
    }
  }

  data {
    reject "programs" {
      when  = overlaps(msg.extensions, list.programs)
      text  = "5.7.1 Program files are not accepted here"
      class = "malware"
    }

    reject "bob-wants-no-lists" {
      when = rcpt.local == "bob" && msg.is_bulk
      text = "5.7.1 ${rcpt.address} wants no mail from ${msg.list_id}"
    }

    score "text" {
      phish = points(1.5 * content.phish.hits, content.phish.hit)
      links = points(2.0, length(msg.urls) > 5)
      odd   = points(1.0, length(msg.defects) > 0)
      html  = points(1.25, matches(msg.text, "(?i)dear (friend|sir)"))
    }

    modify "external" {
      when           = !own_domain(msg.from_domain)
      subject_prefix = "[EXT] "
      tags           = ["external"]
    }

    quarantine "trial" {
      mode = shadow
      when = msg.size > 20000
    }
  }
}
