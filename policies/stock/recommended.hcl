# The policy that a listener has which names no other. To change it, print it
# (forepost policy show recommended), give it another name, and own it.

# The same rules for use in policies of your own: rcpt { use "recommended" {} }
rules "recommended" {
  rcpt {
    limit "per-client" {
      when = !session.trusted && !auth.ok
      key  = client.ip
      rate = ["200/1m", "3000/1h"]
      text = "4.7.1 Too many recipients from ${client.ip}, try again later"
    }

    limit "per-account" {
      when = auth.ok
      key  = auth.user
      rate = "500/1h"
      text = "4.7.1 Too many recipients for ${auth.user}, try again later"
    }
  }

  data {
    reject "not-your-address" {
      when = auth.ok && !listed(mail.from, auth.addresses) && !mail.null
      text = "5.7.1 ${auth.user} may not send as ${mail.from}"
    }

    reject "programs" {
      when  = overlaps(msg.extensions, ["exe", "scr", "com", "pif", "bat", "cmd", "js", "jse", "vbs", "vbe", "wsf", "hta", "lnk", "msi", "jar", "ps1", "cpl"])
      text  = "5.7.1 Program files are not accepted here"
      class = "malware"
    }

    # What a filter reads and what a person is shown would be different parts: nothing that was looked at is sure.
    reject "two-readings" {
      when  = !session.trusted && overlaps(msg.defects, ["ambiguous-boundary"])
      text  = "5.6.0 The parts of the message can be read in more than one way"
      class = "malware"
    }

    reject "dmarc" {
      when = !session.trusted && !auth.ok && dmarc.result == "fail" && dmarc.policy == "reject" && dmarc.override == "none"
      text = "5.7.26 Fails the DMARC policy of ${msg.from_domain}"
    }

    quarantine "dmarc" {
      when    = !session.trusted && !auth.ok && dmarc.result == "fail" && dmarc.policy == "quarantine" && dmarc.override == "none"
      without = tag # where no quarantine is declared, the tag alone
      tags    = ["dmarc-fail"]
    }

    score "sender" {
      when         = !session.trusted && !auth.ok
      spf_fail     = points(3.0, spf.result == "fail")
      spf_softfail = points(1.0, spf.result == "softfail")
      dkim_broken  = points(1.0, dkim.result == "fail")
      no_rdns      = points(1.5, !client.fcrdns)
      odd_author   = points(5.0, dmarc.result == "permerror") # several From, or one that readers would not agree about
    }

    sign "dkim" {
      when = session.trusted || auth.ok
    }
  }
}

policy "recommended" {
  thresholds = { tag = 5, reject = 15 }

  rcpt {
    use "recommended" {}
  }

  data {
    use "recommended" {}
  }
}
