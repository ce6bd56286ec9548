# A small site of its own: mail is kept here and read over IMAP and POP3.
# Make accounts with: forepost user add bob@example.com

hostname   = "mx.example.com"
postmaster = "postmaster@example.com"

domain "example.com" {
  route = route.store # recipients are the accounts

  aliases = {
    postmaster = ["bob@example.com"]
    info       = ["bob@example.com", "eve@example.com"]
  }
}

# A certificate from files; without this block a self-signed one is made. Instead of the files:
#   acme {
#     email = "postmaster@example.com"
#     agree = true # to the terms of service of Let's Encrypt, which comes to port 80 or 443
#   }
# tls "default" {
#   cert = "/etc/forepost/tls/fullchain.pem"
#   key  = "/etc/forepost/tls/privkey.pem"
# }

listener "edge" {
  address = ":25"
  policy  = policy.inbound
}

listener "submission" {
  address = ":587"
  auth    = accounts
  policy  = policy.outbound
}

listener "submissions" {
  address = ":465"
  tls     = implicit
  auth    = accounts
  policy  = policy.outbound
}

imap "clear" {
  address = ":143" # STARTTLS; cleartext logins from loopback only
}

imap "tls" {
  address = ":993"
  tls     = implicit
}

pop3 "clear" {
  address = ":110"
}

pop3 "tls" {
  address = ":995"
  tls     = implicit
}

quarantine "spam" {
  keep = "30d"
}

list "programs" {
  type  = word
  items = ["exe", "scr", "js", "vbs", "hta", "lnk", "iso", "msi", "jar"]
}

policy "inbound" {
  thresholds = { tag = 4, quarantine = 7 }

  rcpt {
    limit "per-client" {
      key  = client.ip
      rate = "120/1h"
    }

    greylist "strangers" {
      when  = spf.result != "pass"
      delay = "5m"
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
      into = quarantine.spam
    }

    score "sender" {
      spf_fail = points(3, spf.result == "fail")
      no_rdns  = points(1.5, client.name == "")
      bulk     = points(1, msg.is_bulk)
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
}
